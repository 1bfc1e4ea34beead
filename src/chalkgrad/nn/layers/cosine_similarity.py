"""CosineSimilarity: do two vectors point the same way? 1 if they do, 0 at a right angle, -1 if they are opposed.

Their lengths do not count. That suits what has a direction, such as the words of a text, whether it is short or long:
search engines have compared documents by it since Salton's (Salton, Wong & Yang 1975).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.distance import length
from ..module import Module

__all__ = ["CosineSimilarity", "cosine_between", "cosine_similarity"]


@primitive
def cosine_between(a, b, *, axis=1, eps=1e-8):
    """Cosine of the angle between vectors along an axis: y = ⟨a, b⟩ / (max(‖a‖, eps) · max(‖b‖, eps)).

    a (...), b (...) -> y (*)

    axis  of what a and b are together, if one is repeated to meet the other
    eps   keeps a vector of zeros from a division by 0

    Source: Salton, Wong & Yang 1975; eps is PyTorch's.

    >>> cosine_between(np.array([[1.0, 0.0]]), np.array([[2.0, 0.0], [3.0, 3.0], [0.0, 5.0]])).round(4)
    array([1.    , 0.7071, 0.    ])
    """
    shape  = np.broadcast_shapes(a.shape, b.shape)
    one    = np.broadcast_to(a, shape)
    other  = np.broadcast_to(b, shape)
    size_a = length(one, 2, axis)
    size_b = length(other, 2, axis)
    unit_a = one / np.maximum(size_a, eps)
    unit_b = other / np.maximum(size_b, eps)
    y      = (unit_a * unit_b).sum(axis=axis)
    return y


@cosine_between.backward
def cosine_between_backward(grad_y, y, unit_a, unit_b, size_a, size_b, axis, eps):
    """
    1. y = ⟨â, b̂⟩ with â = a/‖a‖, and ∂âᵢ/∂aⱼ = (1{i=j} - âᵢ âⱼ)/‖a‖
    2. ∂y/∂aⱼ = Σᵢ b̂ᵢ ∂âᵢ/∂aⱼ = (b̂ⱼ - y âⱼ)/‖a‖: towards b, but at a right angle to a; likewise for b
    3. a vector shorter than eps is divided by a constant, so that the second term is none
    """
    g      = np.expand_dims(grad_y, axis)
    cosine = np.expand_dims(y, axis)
    grad_a = g * (unit_b - cosine * unit_a * (size_a >= eps)) / np.maximum(size_a, eps)
    grad_b = g * (unit_a - cosine * unit_b * (size_b >= eps)) / np.maximum(size_b, eps)
    return grad_a, grad_b


@cosine_between.examples
def cosine_between_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Rows; each against each, along the last axis; two vectors; what is shorter than eps."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)), draw((3, 4))),
        (draw((3, 1, 4)), draw((2, 4)), {"axis": -1}),
        (draw(4), draw(4), {"axis": 0}),
        (draw((2, 3)), 100 * draw((2, 3)), {"eps": 9.0}),
    ]


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Cosine of the angle between the vectors along `dim`.

    x1, x2  of shapes that can be repeated to a common one, of which dim is an axis
    eps     the least length that is divided by

    >>> from chalkgrad import tensor
    >>> cosine_similarity(tensor([3.0, 4.0]), tensor([4.0, 3.0]), dim=0)
    tensor(0.96)
    """
    y: Tensor = cosine_between(x1, x2, axis=dim, eps=eps)
    return y


class CosineSimilarity(Module):
    """Cosine of the angle between the vectors along `dim` of two tensors; eps is the least length that is divided by.

    >>> import chalkgrad as cg
    >>> cg.nn.CosineSimilarity()(cg.tensor([[3.0, 4.0]]), cg.tensor([[4.0, 3.0]]))
    tensor([0.96])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """x1 (...), x2 (...) -> y, without the axis dim."""
        return cosine_similarity(x1, x2, self.dim, self.eps)

"""Normalize: vectors of one length, so that only their directions count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.distance import length, slope

__all__ = ["normalize", "normalized"]


@primitive
def normalized(x, *, p=2.0, axis=1, eps=1e-12):
    """Divide vectors by their length: y = x / max(‖x‖, eps), with the p-norm along an axis, or several.

    x (...) -> y (...)

    eps  keeps a vector of zeros from a division by 0

    >>> normalized(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    size    = length(x, p, axis)
    divisor = np.maximum(size, eps)
    y       = x / divisor
    return y


@normalized.backward
def normalized_backward(grad_y, x, y, size, divisor, p, axis, eps):
    """
    1. yᵢ = xᵢ/s with s = ‖x‖, so ∂yᵢ/∂xⱼ = (1{i=j} - yᵢ ∂s/∂xⱼ)/s
    2. ∂loss/∂xⱼ = (gⱼ - (Σᵢ gᵢ yᵢ) ∂s/∂xⱼ)/s: stretching a vector changes nothing
    3. a vector shorter than eps is divided by a constant, so that the second term is none
    """
    along_y = (grad_y * y).sum(axis=axis, keepdims=True) * (size >= eps)
    grad_x  = (grad_y - along_y * slope(x, size, p, axis)) / divisor
    return grad_x


@normalized.examples
def normalized_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Rows; columns by their sums; the largest number of a matrix; another power; what is shorter than eps."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)),),
        (draw((3, 4)), {"p": 1.0, "axis": 0}),
        (draw((2, 3, 4)), {"p": np.inf, "axis": (1, 2)}),
        (draw((2, 4)), {"p": 3.5, "axis": -1}),
        (draw((2, 4)), {"eps": 100.0}),
    ]


def normalize(input: Tensor, p: float = 2.0, dim: int | Sequence[int] | None = 1, eps: float = 1e-12) -> Tensor:
    """Divide the vectors along `dim` by their p-norm, or by eps, if that is more.

    input (...) -> y (...)

    dim  one axis, several, or None or () for all: then input is one vector

    >>> from chalkgrad import tensor
    >>> normalize(tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[0.6, 0.8],
            [0. , 0. ]])
    """
    axis = dim if isinstance(dim, int) else tuple(dim or range(input.ndim))
    y: Tensor = normalized(input, p=p, axis=axis, eps=eps)
    return y

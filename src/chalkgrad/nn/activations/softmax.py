"""Softmax: numbers become the probabilities of a choice among them.

The larger a number, the likelier it is chosen; only differences count. Physics has known it since Boltzmann (1868) as
the probability of a state with a given energy; Bridle (1990) gave it its name as the last layer of a classifier.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.attach import attach
from ...ops.special import largest_along, sum_along
from ..module import Module

__all__ = ["Softmax", "check_axis", "softmax", "softmax_along"]


@primitive
def softmax_along(x, *, axis):
    """Exponentiate, and share out a total of 1: yᵢ = exp xᵢ / Σⱼ exp xⱼ along one axis.

    x (...) -> y (...)

    Source: Bridle 1990.

    >>> softmax_along(np.array([[1000.0, 1000.0], [0.0, -np.inf]]), axis=1)
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    # only differences count, so the largest may be taken as 0: then nothing overflows
    e = np.exp(x - largest_along(x, axis))
    y = e / sum_along(e, axis)
    return y


@softmax_along.backward
def softmax_along_backward(grad_y, y, axis):
    """
    1. ∂yⱼ/∂xᵢ = yⱼ (1{i=j} - yᵢ): raising xᵢ raises its own share, at the cost of all in proportion
    2. ∂loss/∂xᵢ = Σⱼ gⱼ yⱼ (1{i=j} - yᵢ) = yᵢ (gᵢ - Σⱼ gⱼ yⱼ): what counts is how much gᵢ exceeds the average
    """
    average = sum_along(grad_y * y, axis)
    grad_x = grad_y - average
    grad_x *= y
    return grad_x


@softmax_along.examples
def softmax_along_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Along the last axis and the first; large numbers; one number, which gets all."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)), {"axis": -1}),
        (draw((3, 4, 2)), {"axis": 0}),
        (1000 + draw((3, 4)), {"axis": 1}),
        (draw((3, 1)), {"axis": 1}),
    ]


def check_axis(name: str, dim: Any, input: Any) -> None:
    """Raise ValueError for no axis, TypeError for what is not one."""
    if dim is None:
        raise ValueError(f"{name}: say along which axis of {input.shape} the probabilities add up to 1, as in dim=-1.")
    if not isinstance(dim, int | np.integer):
        raise TypeError(f"{name}: dim is one axis, a whole number, but {dim!r} came.")


def softmax(input: Tensor, dim: int | None = None, dtype: Any = None) -> Tensor:
    """Turn the numbers along `dim` into probabilities, which add up to 1.

    dtype  what to convert the input to before, so that small differences survive

    Raises ValueError if dim is None: PyTorch warns, and takes the first or the second axis by a rule that few know;
    TypeError for several axes.

    >>> from chalkgrad import tensor
    >>> softmax(tensor([0.0, 0.0, 1000.0]), dim=0)
    tensor([0., 0., 1.])
    """
    check_axis("softmax", dim, input)
    y: Tensor = softmax_along(input if dtype is None else input.to(dtype), axis=dim)
    return y


class Softmax(Module):
    """yᵢ = exp xᵢ / Σⱼ exp xⱼ along the axis `dim`.

    >>> import chalkgrad as cg
    >>> cg.nn.Softmax(dim=-1)(cg.zeros(1, 4))
    tensor([[0.25, 0.25, 0.25, 0.25]])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        if dim is None:
            raise ValueError("Softmax: say along which axis the probabilities add up to 1, as in dim=-1.")
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        return softmax(input, self.dim)

    def extra_repr(self) -> str:
        """Say the axis, as PyTorch does."""
        return f"dim={self.dim}"


attach(softmax=softmax)

"""LogSoftmax: the logarithms of the probabilities of a choice.

Taking the logarithm of a softmax loses what is very improbable: exp(-1000) is 0, and its logarithm -∞. Computed in one
piece, nothing is lost.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.attach import attach
from ...ops.special import largest_along, sum_along
from ..module import Module
from .softmax import check_axis

__all__ = ["LogSoftmax", "log_softmax", "log_softmax_along"]


@primitive
def log_softmax_along(x, *, axis):
    """Log-probabilities: yᵢ = xᵢ - log Σⱼ exp xⱼ along one axis.

    x (...) -> y (...)

    Source: the logarithm of the softmax of Bridle 1990.

    >>> log_softmax_along(np.array([0.0, -1000.0]), axis=0)
    array([    0., -1000.])
    """
    # only differences count, so the largest may be taken as 0: then nothing overflows
    y = x - largest_along(x, axis)
    if y.size > 0:  # a sum of nothing has no logarithm
        y -= np.log(sum_along(np.exp(y), axis))
    return y


@log_softmax_along.backward
def log_softmax_along_backward(grad_y, y, axis):
    """
    1. yⱼ = xⱼ - log Σₖ exp xₖ, and the log-sum-exp differentiates to the softmax: ∂yⱼ/∂xᵢ = 1{i=j} - exp yᵢ
    2. ∂loss/∂xᵢ = Σⱼ gⱼ (1{i=j} - exp yᵢ) = gᵢ - exp yᵢ Σⱼ gⱼ
    """
    share  = np.exp(y) * sum_along(grad_y, axis)
    grad_x = grad_y - share
    return grad_x


@log_softmax_along.examples
def log_softmax_along_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Along the last axis and the first; large numbers; one number, which has the probability 1."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)), {"axis": -1}),
        (draw((3, 4, 2)), {"axis": 0}),
        (1000 * draw((3, 4)), {"axis": 1}),
        (draw((3, 1)), {"axis": 1}),
    ]


def log_softmax(input: Tensor, dim: int | None = None, dtype: Any = None) -> Tensor:
    """Turn the numbers along `dim` into log-probabilities.

    dtype  what to convert the input to before, so that small differences survive

    Raises ValueError if dim is None: PyTorch warns, and takes the first or the second axis by a rule that few know.

    >>> from chalkgrad import tensor
    >>> log_softmax(tensor([0.0, 1000.0]), dim=0)
    tensor([-1000.,     0.])
    """
    check_axis("log_softmax", dim, input)
    y: Tensor = log_softmax_along(input if dtype is None else input.to(dtype), axis=dim)
    return y


class LogSoftmax(Module):
    """yᵢ = xᵢ - log Σⱼ exp xⱼ along the axis `dim`.

    >>> import chalkgrad as cg
    >>> cg.nn.LogSoftmax(dim=-1)(cg.zeros(1, 2))
    tensor([[-0.6931, -0.6931]])
    """

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        if dim is None:
            raise ValueError("LogSoftmax: say along which axis the probabilities add up to 1, as in dim=-1.")
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        return log_softmax(input, self.dim)

    def extra_repr(self) -> str:
        """Say the axis, as PyTorch does."""
        return f"dim={self.dim}"


attach(log_softmax=log_softmax)

"""GLU: one half of the numbers says how much of the other half passes.

The gate of an LSTM without its memory: language models of convolutions were built with it, since a gradient passes
through what is not squashed (Dauphin, Fan, Auli & Grangier 2017).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ..module import Module

__all__ = ["GLU", "check_halves", "gated", "glu", "half"]


def half(x, axis, which):
    """Take the first half (0) or the second (1) along an axis.

    >>> half(np.arange(6), -1, 1)
    array([3, 4, 5])
    """
    count = x.shape[axis] // 2
    return x[(slice(None),) * (axis % x.ndim) + (slice(which * count, (which + 1) * count),)]


@primitive
def gated(x, *, axis=-1):
    """Halve an axis into a and b, and let b be the gate: y = a · sigmoid(b).

    x (...) -> y (*)

    Source: Dauphin et al. 2017, eq. 1.

    >>> gated(np.array([1.0, 2.0, 0.0, 1000.0]))
    array([0.5, 2. ])
    """
    a    = half(x, axis, 0)
    gate = (1 + np.tanh(half(x, axis, 1) / 2)) / 2
    y    = a * gate
    return y


@gated.backward
def gated_backward(grad_y, y, gate, axis):
    """
    1. ∂y/∂a = sigmoid(b): what passes through the gate
    2. ∂y/∂b = a sigmoid(b) (1 - sigmoid(b)) = y (1 - sigmoid(b))
    """
    grad_a = grad_y * gate
    grad_b = grad_y * y * (1 - gate)
    grad_x = np.concatenate([grad_a, grad_b], axis=axis)
    return grad_x


@gated.examples
def gated_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Along the last axis and another; two numbers; gates that are wholly open or shut."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)),),
        (draw((2, 6, 3)), {"axis": 1}),
        (draw(2), {"axis": 0}),
        (np.array([1.0, 2.0, 1000.0, -1000.0]),),
    ]


def check_halves(name: str, input: Any, dim: int) -> None:
    """Raise ValueError unless the axis can be halved, IndexError if it is not there."""
    if not -input.ndim <= dim < input.ndim:
        raise IndexError(f"{name}: input has shape {input.shape}, and no axis {dim}.")
    if input.shape[dim] % 2:
        raise ValueError(f"{name}: axis {dim} is halved, so its size is even, but input has shape {input.shape}.")


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """Gated linear unit: a · sigmoid(b), where a and b are the halves of the input along `dim`.

    Raises ValueError if the size of that axis is odd, IndexError if it is not there.

    >>> from chalkgrad import tensor
    >>> glu(tensor([1.0, 2.0, 0.0, 1000.0]))
    tensor([0.5, 2. ])
    """
    check_halves("glu", input, dim)
    y: Tensor = gated(input, axis=dim)
    return y


class GLU(Module):
    """y = a · sigmoid(b), where a and b are the halves of x along `dim`.

    >>> import chalkgrad as cg
    >>> cg.nn.GLU()(cg.ones(2, 6)).shape
    (2, 3)
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """input (..., 2d, ...) -> y (..., d, ...)."""
        return glu(input, self.dim)

    def extra_repr(self) -> str:
        """Say the axis, as PyTorch does."""
        return f"dim={self.dim}"

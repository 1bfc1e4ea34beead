"""Hardshrink: what is small is taken for noise, and becomes zero.

Keep a coefficient as it is or drop it: the rule by which Donoho & Johnstone (1994) take noise out of wavelets.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.attach import attach
from ..module import Module

__all__ = ["Hardshrink", "hardshrink"]


@primitive
def hardshrink(x, *, lambd=0.5):
    """Keep what is further from zero than lambd: y = x where |x| > lambd, else 0.

    x (...) -> y (...)

    Source: Donoho & Johnstone 1994.

    >>> from chalkgrad import tensor
    >>> hardshrink(tensor([-1.0, -0.5, 0.25, 2.0]))
    tensor([-1., -0.,  0.,  2.])
    """
    kept = np.abs(x) > lambd
    y    = x * kept
    return y


@hardshrink.backward
def hardshrink_backward(grad_y, kept):
    """
    1. what is kept has the slope 1, what is dropped has 0
    2. the jump in between has no derivative; on it, PyTorch and we take 0
    """
    grad_x = grad_y * kept
    return grad_x


@hardshrink.examples
def hardshrink_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; nothing but zero dropped; a single number."""
    draw = rng.standard_normal
    return [(draw((3, 4)),), (draw((3, 4)), {"lambd": 0.0}), (draw(()), {"lambd": 3.0})]


class Hardshrink(Module):
    """y = x where |x| > lambd, else 0.

    >>> import chalkgrad as cg
    >>> cg.nn.Hardshrink()(cg.tensor([-1.0, 0.25]))
    tensor([-1.,  0.])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        y: Tensor = hardshrink(input, lambd=self.lambd)
        return y

    def extra_repr(self) -> str:
        """Say the threshold, as PyTorch does."""
        return f"{self.lambd}"


attach(hardshrink=hardshrink)

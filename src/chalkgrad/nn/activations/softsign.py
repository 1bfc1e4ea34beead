"""Softsign: between -1 and 1 like tanh, but slow to get there.

It nears its bounds as 1/x does, not exponentially, so that its slope fades slowly (Bergstra, Desjardins, Lamblin &
Bengio 2009).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ..module import Module

__all__ = ["Softsign", "softsign"]


@primitive
def softsign(x):
    """Divide x by its size, and 1: y = x / (1 + |x|).

    x (...) -> y (...)

    Source: Bergstra et al. 2009.

    >>> from chalkgrad import tensor
    >>> softsign(tensor([-1.0, 0.0, 3.0]))
    tensor([-0.5 ,  0.  ,  0.75])
    """
    size = 1 + np.abs(x)
    y    = x / size
    return y


@softsign.backward
def softsign_backward(grad_y, size):
    """
    1. ∂y/∂x = (1 + |x| - x sign(x)) / (1 + |x|)²
    2. x sign(x) = |x|, so that is 1 / (1 + |x|)²
    """
    grad_x = grad_y / (size * size)
    return grad_x


@softsign.examples
def softsign_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; a single number; far out."""
    return [(rng.standard_normal((3, 4)),), (rng.standard_normal(()),), (np.array([-1000.0, 1000.0]),)]


class Softsign(Module):
    """y = x / (1 + |x|).

    >>> import chalkgrad as cg
    >>> cg.nn.Softsign()(cg.tensor([-1.0, 3.0]))
    tensor([-0.5 ,  0.75])
    """

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        y: Tensor = softsign(input)
        return y

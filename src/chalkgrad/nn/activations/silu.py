"""SiLU: every number is kept in the proportion that its own sigmoid says.

A smooth ReLU that dips below zero before it rises: what a unit of a restricted Boltzmann machine is worth on average
(Elfwing, Uchibe & Doya 2018). It was found again by a search over activations, as Swish (Ramachandran et al. 2017).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.attach import overwriting
from .inplace import InPlace

__all__ = ["SiLU", "silu"]


@overwriting
@primitive
def silu(x):
    """Weigh x by its sigmoid: y = x / (1 + exp(-x)).

    x (...) -> y (...)

    Source: Elfwing, Uchibe & Doya 2018, eq. 5.

    >>> from chalkgrad import tensor
    >>> silu(tensor([-1000.0, 0.0, 1.0]))
    tensor([-0.    ,  0.    ,  0.7311])
    """
    # the sigmoid by tanh, which cannot overflow
    gate = 1 + np.tanh(x / 2)
    gate *= 0.5
    y = x * gate
    return y


@silu.backward
def silu_backward(grad_y, x, gate):
    """
    1. y = x s with s = 1/(1 + e⁻ˣ), and ∂s/∂x = s (1 - s)
    2. ∂y/∂x = s + x s (1 - s) = s (1 + x (1 - s))
    """
    slope = 1 - gate
    slope *= x
    slope += 1
    slope *= gate
    grad_x = grad_y * slope
    return grad_x


@silu.examples
def silu_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; a single number; so far out that all or nothing is kept."""
    return [(rng.standard_normal((3, 4)),), (rng.standard_normal(()),), (np.array([-1000.0, 0.0, 1000.0]),)]


class SiLU(InPlace):
    """y = x / (1 + exp(-x)); with inplace, y is written over x.

    >>> import chalkgrad as cg
    >>> cg.nn.SiLU()(cg.tensor([0.0, 1.0]))
    tensor([0.    , 0.7311])
    """

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        y: Tensor = silu(input, inplace=self.inplace)
        return y

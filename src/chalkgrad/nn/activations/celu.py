"""CELU: an ELU without a corner, whatever its level.

An ELU of another level than 1 has a corner at zero. Stretching x together with y rounds it off (Barron 2017).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.attach import in_place, overwriting
from .inplace import InPlace

__all__ = ["CELU", "celu", "celu_", "check", "smooth_elu"]


@overwriting
@primitive
def smooth_elu(x, *, alpha=1.0):
    """Keep what is above zero, and below take alpha (exp(x/alpha) - 1), which levels off at -alpha.

    x (...) -> y (...)

    Source: Barron 2017, eq. 3.

    >>> from chalkgrad import tensor
    >>> smooth_elu(tensor([-1000.0, -1.0, 0.0, 2.0]), alpha=2.0)
    tensor([-2.    , -0.7869,  0.    ,  2.    ])
    """
    zeros = np.zeros_like(x)
    below = np.expm1(np.minimum(x, zeros) / alpha)
    y     = np.maximum(x, zeros) + alpha * below
    return y


@smooth_elu.backward
def smooth_elu_backward(grad_y, below):
    """
    1. below zero, ∂y/∂x = exp(x/alpha), which is `below` + 1
    2. above zero the slope is 1, and `below` is 0 there: one formula does for both
    """
    grad_x = grad_y * (below + 1)
    return grad_x


@smooth_elu.examples
def smooth_elu_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; another level; a single number; so far out that the curve is level."""
    draw = rng.standard_normal
    return [(draw((3, 4)),), (draw((3, 4)), {"alpha": 0.5}), (draw(()),), (np.array([-1000.0, 1000.0]),)]


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Keep what is above zero, and below take alpha (exp(x/alpha) - 1).

    inplace  write the result over the input

    Raises ValueError for an alpha of 0.

    >>> from chalkgrad import tensor
    >>> celu(tensor([-1.0, 1.0]), 2.0)
    tensor([-0.7869,  1.    ])
    """
    check("celu", alpha)
    y: Tensor = smooth_elu(input, alpha=alpha, inplace=inplace)
    return y


def check(name: str, alpha: float) -> None:
    """Raise ValueError for what cannot be divided by."""
    if alpha == 0:
        raise ValueError(f"{name}: alpha is the level that the curve falls to, and is divided by; it cannot be 0.")


celu_ = in_place(celu)


class CELU(InPlace):
    """y = x above zero, alpha (exp(x/alpha) - 1) below; with inplace, y is written over x.

    Raises ValueError for an alpha of 0.

    >>> import chalkgrad as cg
    >>> cg.nn.CELU(2.0)(cg.tensor([-1.0, 1.0]))
    tensor([-0.7869,  1.    ])
    """

    shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        check("CELU", alpha)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        return celu(input, self.alpha, self.inplace)

"""ELU: below zero, a curve that levels off at a negative value.

What a layer hands on then has a mean near zero, as with tanh, and what is above zero keeps its slope, as with ReLU;
both help networks to learn fast (Clevert, Unterthiner & Hochreiter 2016).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.attach import in_place, overwriting
from .inplace import InPlace

__all__ = ["ELU", "elu", "elu_"]


@overwriting
@primitive
def elu(x, *, alpha=1.0):
    """Keep what is above zero, and below take alpha (eˣ - 1), which levels off at -alpha.

    x (...) -> y (...)

    Source: Clevert, Unterthiner & Hochreiter 2016.

    >>> from chalkgrad import tensor
    >>> elu(tensor([-1000.0, -1.0, 0.0, 2.0]))
    tensor([-1.    , -0.6321,  0.    ,  2.    ])
    """
    # each part is zero where the other is not, and so that exp cannot overflow
    zeros = np.zeros_like(x)
    below = alpha * np.expm1(np.minimum(x, zeros))
    y     = np.maximum(x, zeros) + below
    return y


@elu.backward
def elu_backward(grad_y, x, below, alpha):
    """
    1. above zero the slope is 1
    2. below, ∂y/∂x = alpha eˣ = alpha (eˣ - 1) + alpha = y + alpha; at zero we take this one, as PyTorch does
    """
    grad_x = grad_y * (x > 0) + grad_y * ((below + alpha) * (x <= 0))
    return grad_x


@elu.examples
def elu_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; a corner at zero; a single number; so far out that the curve is level."""
    draw = rng.standard_normal
    return [(draw((3, 4)),), (draw((3, 4)), {"alpha": 0.5}), (draw(()),), (np.array([-1000.0, 1000.0]),)]


elu_ = in_place(elu)


class ELU(InPlace):
    """y = x above zero, alpha (eˣ - 1) below; with inplace, y is written over x.

    >>> import chalkgrad as cg
    >>> cg.nn.ELU()(cg.tensor([-1.0, 1.0]))
    tensor([-0.6321,  1.    ])
    """

    shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        y: Tensor = elu(input, alpha=self.alpha, inplace=self.inplace)
        return y

"""Hardsigmoid: a sigmoid of three straight pieces.

Where an exponential is dear, as on a phone, a ramp from 0 to 1 does much the same (Courbariaux, Bengio & David 2015).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.attach import overwriting
from .inplace import InPlace

__all__ = ["Hardsigmoid", "hardsigmoid"]


@overwriting
@primitive
def hardsigmoid(x):
    """Rise from 0 at -3 to 1 at 3: y = min(max(x + 3, 0), 6) / 6.

    x (...) -> y (...)

    Source: Courbariaux, Bengio & David 2015; with this slope Howard et al. 2019, section 5.2.

    >>> from chalkgrad import tensor
    >>> hardsigmoid(tensor([-4.0, 0.0, 1.5, 4.0]))
    tensor([0.  , 0.5 , 0.75, 1.  ])
    """
    y = np.clip(x + 3, 0, 6) / 6
    return y


@hardsigmoid.backward
def hardsigmoid_backward(grad_y, x):
    """
    1. on the ramp the slope is 1/6, beside it 0
    2. at its two corners we take 0, as PyTorch does
    """
    grad_x = grad_y / 6 * (np.abs(x) < 3)
    return grad_x


@hardsigmoid.examples
def hardsigmoid_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """On the ramp and beside it; a single number; far out."""
    return [(3 * rng.standard_normal((3, 4)),), (rng.standard_normal(()),), (np.array([-1000.0, 1000.0]),)]


class Hardsigmoid(InPlace):
    """y = min(max(x + 3, 0), 6) / 6; with inplace, y is written over x.

    >>> import chalkgrad as cg
    >>> cg.nn.Hardsigmoid()(cg.tensor([-4.0, 0.0]))
    tensor([0. , 0.5])
    """

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        y: Tensor = hardsigmoid(input, inplace=self.inplace)
        return y

    def extra_repr(self) -> str:
        """Say nothing, as PyTorch does."""
        return ""

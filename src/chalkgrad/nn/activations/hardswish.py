"""Hardswish: a SiLU whose sigmoid is of straight pieces.

Made for networks on phones, where it costs less than the real one, and is no worse (Howard et al. 2019, MobileNetV3).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.attach import overwriting
from .inplace import InPlace

__all__ = ["Hardswish", "hardswish"]


@overwriting
@primitive
def hardswish(x):
    """Weigh x by a ramp: y = x min(max(x + 3, 0), 6) / 6.

    x (...) -> y (...)

    Source: Howard et al. 2019, section 5.2.

    >>> from chalkgrad import tensor
    >>> hardswish(tensor([-4.0, -1.5, 1.5, 4.0]))
    tensor([-0.   , -0.375,  1.125,  4.   ])
    """
    y = x * np.clip(x + 3, 0, 6) / 6
    return y


@hardswish.backward
def hardswish_backward(grad_y, x):
    """
    1. on the ramp, y = x (x + 3)/6, and ∂y/∂x = x/3 + 1/2
    2. above it y = x, with the slope 1, and below it y = 0; at a corner we take the slope further out, as PyTorch does
    """
    slope  = np.clip(x, -3, 3) / 3 + 0.5
    grad_x = grad_y * (x >= 3) + grad_y * slope * (np.abs(x) < 3)
    return grad_x


@hardswish.examples
def hardswish_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """On the ramp and beside it; a single number; far out."""
    return [(3 * rng.standard_normal((3, 4)),), (rng.standard_normal(()),), (np.array([-1000.0, 1000.0]),)]


class Hardswish(InPlace):
    """y = x min(max(x + 3, 0), 6) / 6; with inplace, y is written over x.

    >>> import chalkgrad as cg
    >>> cg.nn.Hardswish()(cg.tensor([-4.0, 1.5]))
    tensor([-0.   ,  1.125])
    """

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        y: Tensor = hardswish(input, inplace=self.inplace)
        return y

    def extra_repr(self) -> str:
        """Say nothing, as PyTorch does."""
        return ""

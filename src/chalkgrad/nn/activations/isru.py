"""ISRU: a squashing curve made of a square root alone.

The inverse square root is what processors are fast at, since games divide by lengths; so it bends as tanh does, for
less (Carlile, Delamarter, Kinney, Marti & Whitney 2017).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ..module import Module

__all__ = ["ISRU", "check", "isru"]


@primitive
def isru(x, *, alpha=1.0):
    """Squash to between -1/√alpha and 1/√alpha: y = x / √(1 + alpha x²).

    x (...) -> y (...)

    alpha  above 0

    Source: Carlile et al. 2017.

    >>> from chalkgrad import tensor
    >>> isru(tensor([-0.75, 0.0, 0.75]))
    tensor([-0.6,  0. ,  0.6])
    """
    inverse = 1 / np.sqrt(1 + alpha * x * x)
    y       = x * inverse
    return y


@isru.backward
def isru_backward(grad_y, inverse):
    """
    1. with r = (1 + alpha x²)^(-1/2), ∂r/∂x = -alpha x r³
    2. ∂y/∂x = r - alpha x² r³ = r³ (1/r² - alpha x²) = r³
    """
    grad_x = grad_y * (inverse * inverse * inverse)
    return grad_x


@isru.examples
def isru_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; other bounds; a single number; far out."""
    draw = rng.standard_normal
    return [(draw((3, 4)),), (draw((3, 4)), {"alpha": 3.0}), (draw(()),), (np.array([-1000.0, 1000.0]),)]


def check(name: str, alpha: float) -> None:
    """Raise ValueError unless the curve is bounded."""
    if not alpha > 0:
        raise ValueError(f"{name}: alpha sets the bounds, 1/√alpha, and is above 0, but {alpha} came.")


class ISRU(Module):
    """y = x / √(1 + alpha x²).

    Raises ValueError for an alpha that is not above 0.

    >>> import chalkgrad as cg
    >>> cg.nn.ISRU()(cg.tensor([0.0, 0.75]))
    tensor([0. , 0.6])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        check("ISRU", alpha)
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        """x (...) -> y (...)."""
        y: Tensor = isru(x, alpha=self.alpha)
        return y

    def extra_repr(self) -> str:
        """Say the option."""
        return f"alpha={self.alpha}"

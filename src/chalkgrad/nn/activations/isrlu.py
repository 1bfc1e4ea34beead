"""ISRLU: below zero, an ISRU; above, what comes.

An ELU without an exponential: it levels off below zero, and both its first and its second derivative go through zero
without a jump (Carlile, Delamarter, Kinney, Marti & Whitney 2017).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ..module import Module
from .isru import check

__all__ = ["ISRLU", "isrlu"]


@primitive
def isrlu(x, *, alpha=1.0):
    """Keep what is above zero; y = x / √(1 + alpha x²) below, which levels off at -1/√alpha.

    x (...) -> y (...)

    alpha  above 0

    Source: Carlile et al. 2017.

    >>> from chalkgrad import tensor
    >>> isrlu(tensor([-0.75, 0.0, 0.75]))
    tensor([-0.6 ,  0.  ,  0.75])
    """
    below   = np.minimum(x, np.zeros_like(x))
    inverse = 1 / np.sqrt(1 + alpha * below * below)
    y       = x * inverse
    return y


@isrlu.backward
def isrlu_backward(grad_y, inverse):
    """
    1. below zero, as for ISRU, ∂y/∂x = r³ with r = (1 + alpha x²)^(-1/2)
    2. above it, r is 1, and so is the slope: one formula does for both
    """
    grad_x = grad_y * (inverse * inverse * inverse)
    return grad_x


@isrlu.examples
def isrlu_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; another level; a single number; far out."""
    draw = rng.standard_normal
    return [(draw((3, 4)),), (draw((3, 4)), {"alpha": 3.0}), (draw(()),), (np.array([-1000.0, 1000.0]),)]


class ISRLU(Module):
    """y = x above zero, x / √(1 + alpha x²) below.

    Raises ValueError for an alpha that is not above 0.

    >>> import chalkgrad as cg
    >>> cg.nn.ISRLU()(cg.tensor([-0.75, 0.75]))
    tensor([-0.6 ,  0.75])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        check("ISRLU", alpha)
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        """x (...) -> y (...)."""
        y: Tensor = isrlu(x, alpha=self.alpha)
        return y

    def extra_repr(self) -> str:
        """Say the option."""
        return f"alpha={self.alpha}"

"""PLU: tanh in three straight pieces that never lie flat.

Between ±c what comes passes; beyond, the line goes on less steeply, so that a gradient always gets through (Nicolae
2018).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ..module import Module

__all__ = ["PLU", "plu"]


@primitive
def plu(x, *, alpha=0.1, c=1.0):
    """Keep what is between -c and c, and go on from there with the slope alpha.

    x (...) -> y (...)

    y = max(alpha (x + c) - c, min(alpha (x - c) + c, x))

    Source: Nicolae 2018.

    >>> from chalkgrad import tensor
    >>> plu(tensor([-3.0, 0.5, 3.0]))
    tensor([-1.2,  0.5,  1.2])
    """
    inner = np.clip(x, -c, c)
    y     = inner + alpha * (x - inner)
    return y


@plu.backward
def plu_backward(grad_y, x, alpha, c):
    """
    1. between -c and c the slope is 1, beyond it is alpha
    2. at the two corners we take 1
    """
    inside = np.abs(x) <= c
    grad_x = grad_y * inside + alpha * (grad_y * ~inside)
    return grad_x


@plu.examples
def plu_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Inside and beyond; other corners; a single number; far out."""
    draw = rng.standard_normal
    return [(2 * draw((3, 4)),), (draw((3, 4)), {"alpha": 0.5, "c": 0.25}), (draw(()),), (np.array([-1000.0, 1000.0]),)]


class PLU(Module):
    """y = x between -c and c; beyond, on with the slope alpha.

    Raises ValueError for an alpha outside of [0, 1] or a c below 0, for which the two forms of the curve would differ.

    >>> import chalkgrad as cg
    >>> cg.nn.PLU()(cg.tensor([0.5, 3.0]))
    tensor([0.5, 1.2])
    """

    def __init__(self, alpha: float = 0.1, c: float = 1.0) -> None:
        super().__init__()
        if not (0 <= alpha <= 1 and c >= 0):
            raise ValueError(f"PLU: alpha is a slope from 0 to 1 and c is 0 or above, but {alpha} and {c} came.")
        self.alpha, self.c = alpha, c

    def forward(self, x: Tensor) -> Tensor:
        """x (...) -> y (...)."""
        y: Tensor = plu(x, alpha=self.alpha, c=self.c)
        return y

    def extra_repr(self) -> str:
        """Say the options."""
        return f"alpha={self.alpha}, c={self.c}"

"""Softshrink: everything moves towards zero, and what is near arrives.

The answer to how large a coefficient should be if its size has a price (Donoho 1995): the step of the lasso.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ..module import Module

__all__ = ["Softshrink", "shrunk", "softshrink"]


@primitive
def shrunk(x, *, lambd=0.5):
    """Move x by lambd towards zero, and not beyond: y = sign(x) max(|x| - lambd, 0).

    x (...) -> y (...)

    Source: Donoho 1995.

    >>> shrunk(np.array([-1.0, -0.5, 0.25, 2.0]))
    array([-0.5,  0. ,  0. ,  1.5])
    """
    y = x - np.clip(x, -lambd, lambd)
    return y


@shrunk.backward
def shrunk_backward(grad_y, y):
    """
    1. what has moved by lambd has the slope 1, and what lies at zero has 0
    2. at the two corners we take 0, as PyTorch does; so the gradient passes just where y is not 0
    """
    grad_x = grad_y * (y != 0)
    return grad_x


@shrunk.examples
def shrunk_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; no move at all; a single number that arrives."""
    draw = rng.standard_normal
    return [(draw((3, 4)),), (draw((3, 4)), {"lambd": 0.0}), (draw(()), {"lambd": 3.0})]


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Move every number by lambd towards zero, and not beyond.

    Raises ValueError for a lambd below 0.

    >>> from chalkgrad import tensor
    >>> softshrink(tensor([-1.0, 0.25, 2.0]))
    tensor([-0.5,  0. ,  1.5])
    """
    if not lambd >= 0:
        raise ValueError(f"softshrink: lambd is how far to move towards zero, 0 or above, but {lambd} came.")
    y: Tensor = shrunk(input, lambd=lambd)
    return y


class Softshrink(Module):
    """y = sign(x) max(|x| - lambd, 0).

    >>> import chalkgrad as cg
    >>> cg.nn.Softshrink()(cg.tensor([-1.0, 0.25]))
    tensor([-0.5,  0. ])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        return softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        """Say how far, as PyTorch does."""
        return f"{self.lambd}"

"""BentIdentity: nearly a straight line, but steeper above zero than below.

The slope goes from 1/2 to 3/2, so that it never fades, and yet several layers are more than one. It has been in lists
of activations for a decade; no paper for it is known to us.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ..module import Module

__all__ = ["BentIdentity", "bent_identity"]


@primitive
def bent_identity(x):
    """Add a hyperbola to x: y = (√(x² + 1) - 1) / 2 + x.

    x (...) -> y (...)

    Source: folklore.

    >>> from chalkgrad import tensor
    >>> bent_identity(tensor([-0.75, 0.0, 0.75]))
    tensor([-0.625,  0.   ,  0.875])
    """
    root = np.sqrt(x * x + 1)
    y    = (root - 1) / 2 + x
    return y


@bent_identity.backward
def bent_identity_backward(grad_y, x, root):
    """
    1. ∂√(x² + 1)/∂x = x / √(x² + 1): from -1 far below zero to 1 far above it
    2. ∂y/∂x = x / (2 √(x² + 1)) + 1
    """
    grad_x = grad_y * (x / (2 * root) + 1)
    return grad_x


@bent_identity.examples
def bent_identity_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; a single number; far out."""
    return [(rng.standard_normal((3, 4)),), (rng.standard_normal(()),), (np.array([-1000.0, 1000.0]),)]


class BentIdentity(Module):
    """y = (√(x² + 1) - 1) / 2 + x.

    >>> import chalkgrad as cg
    >>> cg.nn.BentIdentity()(cg.tensor([-0.75, 0.75]))
    tensor([-0.625,  0.875])
    """

    def forward(self, x: Tensor) -> Tensor:
        """x (...) -> y (...)."""
        y: Tensor = bent_identity(x)
        return y

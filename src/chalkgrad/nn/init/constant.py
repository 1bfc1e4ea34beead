"""Constants: weights that are all the same number."""

from __future__ import annotations

from ...engine.tape import no_grad
from ...engine.tensor import Tensor

__all__ = ["constant_", "ones_", "zeros_"]


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number.

    >>> import chalkgrad as cg
    >>> constant_(cg.empty(2), 0.5)
    tensor([0.5, 0.5])
    """
    with no_grad():
        filled: Tensor = tensor.fill_(val)
    return filled


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return constant_(tensor, 1)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    return constant_(tensor, 0)

"""Flatten: an image, or any array, becomes a row of numbers, as a linear layer wants it."""

from __future__ import annotations

from ...engine.tensor import Tensor
from ...ops.shape import flatten
from ..module import Module

__all__ = ["Flatten"]


class Flatten(Module):
    """Run the axes from start_dim to end_dim together into one; by default all but the batch.

    >>> import chalkgrad as cg
    >>> Flatten()(cg.zeros(5, 8, 7, 7)).shape
    (5, 392)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        """input (n, ...) -> y (n, i)."""
        y: Tensor = flatten(input, self.start_dim, self.end_dim)
        return y

    def extra_repr(self) -> str:
        """Say which axes, as PyTorch does."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"

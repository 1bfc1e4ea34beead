"""Unflatten: a row of numbers becomes an image, or any array: the counterpart of Flatten."""

from __future__ import annotations

from collections.abc import Sequence

from ...engine.tensor import Tensor
from ...ops.axes import unflatten
from ..module import Module

__all__ = ["Unflatten"]


class Unflatten(Module):
    """Take the axis `dim` apart into axes of the sizes `unflattened_size`; -1 is what the others leave.

    Raises TypeError unless dim is a whole number and the sizes are a tuple or list of them, ValueError for no sizes;
    when called, for sizes that do not make up the axis.

    >>> import chalkgrad as cg
    >>> Unflatten(1, (2, 5, 5))(cg.zeros(3, 50)).shape
    (3, 2, 5, 5)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if not isinstance(dim, int):
            raise TypeError(f"Unflatten: dim is a whole number, but {dim!r} came; axes have no names here.")
        sizes = unflattened_size if isinstance(unflattened_size, tuple | list) else [None]
        if not all(isinstance(size, int) for size in sizes):
            raise TypeError(f"Unflatten: unflattened_size is a tuple of whole numbers, but {unflattened_size!r} came.")
        if not sizes:
            raise ValueError("Unflatten: unflattened_size is empty; an axis is taken apart into one or more.")
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        """input (..., i, ...) -> y (..., *unflattened_size, ...)."""
        y: Tensor = unflatten(input, self.dim, tuple(self.unflattened_size))
        return y

    def extra_repr(self) -> str:
        """Say which axis and sizes, as PyTorch does."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"

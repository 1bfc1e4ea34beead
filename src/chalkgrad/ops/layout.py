"""What a Tensor tells without its numbers being looked at: how it lies in memory, who waits for its gradient."""

from __future__ import annotations

from typing import Any

from ..engine.tensor import Tensor
from .attach import attach
from .shape import places

__all__ = ["is_same_size", "stride"]


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Tell whether two tensors have one shape.

    >>> from chalkgrad import zeros
    >>> is_same_size(zeros(2, 3), zeros(2, 3)), is_same_size(zeros(2, 3), zeros(3))
    (True, False)
    """
    return bool(input.shape == other.shape)


def stride(self: Tensor, dim: int | None = None) -> Any:
    """Count the elements in memory from one place to the next, along each axis, or along one.

    Raises IndexError for an axis that there is not.

    >>> from chalkgrad import zeros
    >>> zeros(2, 3).stride(), zeros(2, 3).T.stride(-1)
    ((3, 1), 3)
    """
    steps = tuple(step // self.data.itemsize for step in self.data.strides)
    if dim is None:
        return steps
    if not steps:
        raise IndexError("stride: a number has no axes, and so no step along one.")
    return steps[places(dim, self.ndim)[0]]


def _retains_grad(self: Tensor) -> bool:
    """Tell whether this is no leaf, and yet was told to keep its gradient."""
    return self.node is not None and self.node.retain is not None and self.node.retain() is self


attach(is_same_size=is_same_size, retains_grad=property(_retains_grad), stride=stride)

"""Where a Tensor stands among the vmaps that run: taken out of all of them, put into them, given to each example."""

from __future__ import annotations

from ..engine.tensor import Tensor
from ..ops import broadcast_to
from .batched import Batched, levels, many

__all__ = ["everywhere", "inside", "plain"]


def plain(x: Tensor) -> Tensor:
    """Take a Tensor out of all vmaps: the numbers of all examples."""
    return plain(x.inner) if isinstance(x, Batched) else x


def inside(x: Tensor, like: Tensor) -> Tensor:
    """Put a plain Tensor into the vmaps that another one is in: the way back."""
    return many(inside(x, like.inner), like.level) if isinstance(like, Batched) else x


def everywhere(x: Tensor) -> Tensor:
    """Give every example of the vmaps that are running a copy of its own; as it is, where it has one."""
    for level, size in enumerate(levels.sizes, 1):
        x = _given(x, level, size)
    return x


def _given(x: Tensor, level: int, size: int) -> Tensor:
    """Give one to each example of one vmap; those of inner vmaps lie around it."""
    if isinstance(x, Batched) and x.level == level:
        return x
    if isinstance(x, Batched) and x.level > level:
        return many(_given(x.inner, level, size), x.level)
    return many(broadcast_to(x, (size, *x.shape)), level)

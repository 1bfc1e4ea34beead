"""Batched: a Tensor that stands for many, of which a function that was written for one sees a single one.

It holds all of them in one Tensor, with the batch as its first axis, and hides that axis. An operation that meets it is
lifted: `rules.py` knows from the rule's shape line how it is done for all of them at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from ..engine.tensor import Tensor
from ..law.errors import StandsForMany

__all__ = ["Batched", "levels", "many"]


class _Levels(threading.local):
    def __init__(self) -> None:
        self.sizes: list[int] = []  # of the vmaps that are running in this thread, the outermost first


levels = _Levels()


class Batched(Tensor):
    """Many Tensors of one shape, seen as one of them.

    inner  all of them, (b, ...); itself Batched where vmap stands in vmap
    level  which vmap made it, counted from the outermost
    """

    __slots__ = ("inner", "level")
    inner: Tensor
    level: int

    shape = property(lambda self: self.inner.shape[1:])
    dtype = property(lambda self: self.inner.dtype)
    ndim = property(lambda self: self.inner.ndim - 1)
    node = property(lambda self: self.inner.node)
    requires_grad = property(lambda self: self.inner.requires_grad)

    @property
    def data(self) -> NoReturn:
        """There is no single array: an operation is lifted, and anything else is told that it cannot be had."""
        raise StandsForMany(self)

    def lift(
        self, apply: Callable[..., Any], primitive: Any, inputs: Sequence[Any], options: dict[str, Any]
    ) -> Any:
        """Do an operation for all of them at once."""
        from .rules import lift  # it is built on Batched, so it cannot be imported above

        return lift(apply, primitive, inputs, options)

    def lift_flat(
        self, apply: Callable[..., Any], function: Any, inputs: Sequence[Any], options: dict[str, Any]
    ) -> Any:
        """Do what carries no derivative for all of them."""
        from .rules import lift_flat

        return lift_flat(apply, function, inputs, options)

    def detach(self) -> Tensor:
        """Return the same numbers without their history."""
        return many(self.inner.detach(), self.level)

    def is_contiguous(self) -> bool:
        """How they lie in memory is no matter of one of them."""
        return True

    def requires_grad_(self, requires_grad: bool = True) -> NoReturn:
        """A leaf is made outside of a vmap; within, use chalkgrad.func.grad."""
        raise StandsForMany(self)

    def __repr__(self) -> str:
        return f"Batched({self.inner!r})"

    def __reduce__(self) -> NoReturn:
        raise StandsForMany(self)


def many(inner: Tensor, level: int) -> Batched:
    """See a Tensor (b, ...) as one of its b parts."""
    batched = Batched.__new__(Batched)
    batched.inner, batched.level = inner, level
    batched.grad = batched.hooks = batched.view_of = batched.views = None
    batched.version = inner.version
    return batched

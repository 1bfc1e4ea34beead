"""How operations become methods and operators of Tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..engine.primitive import Primitive
from ..engine.tensor import Tensor

__all__ = ["attach", "in_place"]


def attach(**methods: Any) -> None:
    """Give all Tensors methods, operators and properties.

    A primitive is attached as the bare function beneath it: its own call costs a step more.
    """
    for name, method in methods.items():
        setattr(Tensor, name, method.apply if isinstance(method, Primitive) else method)


def in_place(operation: Callable[..., Any]) -> Callable[..., Any]:
    """y += b: computed from a copy of y, which the graph may remember, and written over y.

    >>> from chalkgrad import exp, zeros
    >>> y = zeros(2)
    >>> in_place(exp)(y) is y, y
    (True, tensor([1., 1.]))
    """
    return lambda self, *others, **options: self.become(operation(self.snapshot(), *others, **options))

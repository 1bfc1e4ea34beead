"""How operations become methods and operators of Tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.primitive import Primitive
from ..engine.tensor import Tensor

__all__ = ["Overwriting", "attach", "attach_both", "in_place", "overwriting"]


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

    def over(self: Tensor, *others: Any, **options: Any) -> Tensor:
        result = operation(self.snapshot(), *others, **options)
        if result.dtype is not self.dtype and not np.can_cast(result.dtype, self.dtype, "same_kind"):
            raise TypeError(f"{result.dtype} cannot be written over {self.dtype}. Try: x = x.to({result.dtype}) first.")
        return self.become(result)

    return over


def attach_both(*operations: Any, **named: Any) -> None:
    """Give all Tensors methods that come in two forms: x.exp() makes a new tensor, x.exp_() writes over x.

    Operations go by names of their own, unless they are given others.
    """
    for name, operation in ({operation.__name__: operation for operation in operations} | named).items():
        method = operation.apply if isinstance(operation, Primitive) else operation
        attach(**{name: method, f"{name}_": in_place(method)})


class Overwriting(Primitive):
    """A primitive whose result may be written over its input: `relu(x, inplace=True)`, as in PyTorch."""

    def __call__(self, *inputs: Any, inplace: bool = False, **options: Any) -> Any:
        if len(inputs) > len(self.rule.parameters):  # inplace comes last, if all are given by position
            *inputs, inplace = inputs  # type: ignore[assignment]
        if not inplace:
            return self.apply(*inputs, **options)
        x, *rest = inputs or (options.pop("input"),)
        if not isinstance(x, Tensor):
            raise TypeError(f"{self.name}: inplace=True writes over a Tensor, but a {type(x).__name__} came.")
        return in_place(self.apply)(x, *rest, **options)


def overwriting(operation: Primitive) -> Primitive:
    """Let an activation be told `inplace`.

    >>> from chalkgrad import tensor
    >>> from chalkgrad.nn.functional import relu
    >>> x = tensor([-1.0, 1.0])
    >>> relu(x, inplace=True) is x, x
    (True, tensor([0., 1.]))
    """
    operation.__class__ = Overwriting
    return operation

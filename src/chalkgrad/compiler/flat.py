"""Flat memory: the parameters of a group, their gradients and the optimizer's memory, each in one row.

The tensors stay what they are; their arrays become views of the row.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.tensor import Tensor, wrap
from .memory import aligned

__all__ = ["Row", "Rows", "is_private"]


class Row:
    """Arrays one behind the other in one piece of memory.

    shapes  of the arrays that it holds
    """

    def __init__(self, shapes: list[tuple[int, ...]], dtype: Any) -> None:
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes]).tolist()
        self.flat = aligned(ends[-1], dtype)
        self.flat[...] = 0
        self.views = [self.flat[end - int(np.prod(shape)) : end].reshape(shape) for end, shape in zip(ends, shapes)]

    def adopt(self, tensors: list[Tensor]) -> None:
        """Take over the numbers of tensors, whose arrays become views; those that are views already stay."""
        for tensor, view in zip(tensors, self.views):
            if tensor.data is not view:
                np.copyto(view, tensor.data)
                tensor.data = view


class Rows:
    """The rows of one group of parameters that are updated alike.

    params  the parameters
    memory  a function for each thing that the optimizer remembers: it returns the tensors, one a parameter
    count   of parts of a batch; all but the first have a row of their own for their gradients, in `others`
    """

    def __init__(self, params: list[Tensor], memory: list[Callable[[], list[Tensor]]], count: int = 1) -> None:
        shapes, dtype = [param.shape for param in params], params[0].dtype
        self.params, self.memory = params, memory
        self.param, self.grad = Row(shapes, dtype), Row(shapes, dtype)
        self.state = [Row([tensor.shape for tensor in read()], read()[0].dtype) for read in memory]
        self.others = [Row(shapes, dtype) for _ in range(count - 1)]
        self.own = self.readers()

    def provide(self, count: int) -> Rows:
        """See to it that there are rows for so many parts of a batch."""
        shapes, dtype = [view.shape for view in self.grad.views], self.grad.flat.dtype
        self.others += [Row(shapes, dtype) for _ in range(count - 1 - len(self.others))]
        return self

    def readers(self) -> int:
        """Count who holds the memory of the gradients: all views of it, whosoever, hold its owner."""
        return sys.getrefcount(self.grad.flat.base)

    def ready(self) -> bool:
        """See to it that all arrays lie in their rows, and that nobody but us reads the row of the gradients.

        Returns whether the numbers that are kept once a parameter, such as that of the steps, are the same for all.
        """
        for param in self.params:
            param.grad = None
        if self.readers() > self.own:  # somebody keeps a gradient of an earlier step
            self.grad = Row([view.shape for view in self.grad.views], self.grad.flat.dtype)
        self.param.adopt(self.params)
        for row, read in zip(self.state, self.memory):
            row.adopt(read())
            if row.views[0].ndim == 0 and row.flat.min() != row.flat.max():
                return False
        return True

    def hand_out(self) -> None:
        """Let the parameters have their gradients, by views that nobody else has."""
        for param, view in zip(self.params, self.grad.views):
            param.grad = wrap(view[...], None)


def is_private(param: Tensor) -> bool:
    """Tell whether nobody else holds the array of a parameter, who would not see that it moved."""
    viewed = any(view() is not None for view in param.views or ())
    return not viewed and param.data.base is None and sys.getrefcount(param.data) <= HOLDERS


HOLDERS = 2  # the tensor, and the call that asks

"""Update rules: changes of arrays in place, by an optimizer or a running statistic. Nothing here is differentiated."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..engine.tape import mode
from ..engine.tensor import Tensor
from ..law.code import Code
from ..law.elementwise import is_elementwise
from ..law.rule import Rule

__all__ = ["UPDATES", "Update", "update_rule"]

UPDATES: list[Update] = []

BLOCK = 1 << 16  # elements: a few arrays of so many float32 fit into a core's cache


class Update:
    """An optimizer's rule, the paper's box line for line: it changes its arrays in place, all but the gradient."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function, self.rule = function, Rule(function, inplace=True)
        self.name = self.rule.name
        UPDATES.append(self)

    @functools.cached_property
    def elementwise(self) -> bool:
        """Whether every element is updated by itself."""
        return is_elementwise(statement.node for statement in self.rule.statements)

    @functools.cached_property
    def code(self) -> Code:
        """What a tape notes: all statements, and nothing returned."""
        return Code(self.rule, self.rule.parameters, [], "None")

    def __reduce__(self) -> str:
        return self.function.__qualname__  # copied and pickled as functions are, by name

    def __call__(self, *tensors: Tensor, **options: Any) -> None:
        arrays = [t.data for t in tensors]
        if mode.tape is not None:
            given = dict(zip(self.rule.inputs, arrays, strict=True)) | (self.function.__kwdefaults__ or {}) | options
            before = {name: array.copy() for name, array in zip(self.rule.inputs, arrays, strict=True)}
            mode.tape.record("update", self.code, given, before)
        if self.elementwise:
            _run_in_blocks(self.function, arrays, options)
        else:
            self.function(*arrays, **options)
        for name, tensor in zip(self.rule.inputs, tensors, strict=True):
            if not name.startswith("grad"):
                tensor.version[0] += 1


def _run_in_blocks(function: Callable[..., Any], arrays: list[Any], options: dict[str, Any]) -> None:
    """Run an update rule, on large arrays a block at a time, so that what one line wrote is in the cache for the next.

    The numbers are the same, and for a million parameters Adam takes half the time.
    A count of steps, an array without axes, advances in the last block alone.
    """
    size, shape = arrays[0].size, arrays[0].shape
    alike = all(array.ndim == 0 or (array.shape == shape and array.flags.c_contiguous) for array in arrays)
    if size < 4 * BLOCK or not alike:
        function(*arrays, **options)
        return
    rows = [array.reshape(-1) if array.ndim else array for array in arrays]
    for start in range(0, size, BLOCK):
        last = start + BLOCK >= size
        block = [row[start : start + BLOCK] if row.ndim else row if last else row.copy() for row in rows]
        function(*block, **options)


def update_rule(function: Callable[..., Any]) -> Update:
    """Declare how an optimizer, or a running statistic, changes arrays in place."""
    return Update(function)

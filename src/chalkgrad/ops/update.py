"""Update rules: changes of arrays in place, by an optimizer or a running statistic. Nothing here is differentiated."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..engine.tape import mode
from ..engine.tensor import Tensor
from ..law.code import Code
from ..law.rule import Rule

__all__ = ["Update", "update_rule"]


class Update:
    """An optimizer's rule, the paper's box line for line: it changes its arrays in place, all but the gradient."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function, self.rule = function, Rule(function, inplace=True)
        self.name = self.rule.name
        for statement in self.rule.statements:
            if any(name.startswith("grad") for name in statement.writes - statement.rebinds):
                self.rule.fail(statement.node, "changes the gradient in place, which is not its own")

    def __call__(self, *tensors: Tensor, **options: Any) -> None:
        arrays = [t.data for t in tensors]
        if mode.tape is not None:
            given = dict(zip(self.rule.inputs, arrays, strict=True)) | (self.function.__kwdefaults__ or {}) | options
            before = {name: array.copy() for name, array in zip(self.rule.inputs, arrays, strict=True)}
            mode.tape.record("update", Code(self.rule, self.rule.parameters, [], "None"), given, before)
        self.function(*arrays, **options)
        for name, tensor in zip(self.rule.inputs, tensors, strict=True):
            if not name.startswith("grad"):
                tensor.version[0] += 1


def update_rule(function: Callable[..., Any]) -> Update:
    """Declare how an optimizer, or a running statistic, changes arrays in place."""
    return Update(function)

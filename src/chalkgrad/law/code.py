"""Slices of a rule, compiled: a function that computes what is asked and no more."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from .rule import Rule, Statement

__all__ = ["Code"]


class Code:
    """The statements of a rule that `returns` depends on, as a function of `parameters`.

    result  the text of what it returns, such as "y, (x_hat, rstd, )"
    like    keep the rule's own signature: options by keyword, with their defaults
    """

    def __init__(self, rule: Rule, parameters: list[str], returns: list[str], result: str, *, like: bool = False):
        self.rule, self.parameters, self.returns = rule, parameters, returns
        self.function = self._compile(result, like)

    @property
    def statements(self) -> list[Statement]:
        """The statements, found anew: who holds a Code, as every node of a graph does, holds no syntax trees."""
        return self.rule.slice(self.returns) if self.returns else self.rule.statements

    def _compile(self, result: str, like: bool) -> Callable[..., Any]:
        """Compile under the author's file and lines, so that tracebacks and debuggers show the author's text."""
        rule = self.rule
        options = [ast.arg(name) for name in rule.options] if like else []
        given = [ast.arg(name) for name in self.parameters if not (like and name in rule.options)]
        missing: list[ast.expr | None] = [None] * len(options)
        last = ast.parse(f"return {result}").body[0]
        for part in ast.walk(last):
            ast.copy_location(part, rule.node.body[-1])
        arguments = ast.arguments([], given, None, options, missing, None, [])
        definition = ast.FunctionDef(rule.name, arguments, [*(s.node for s in self.statements), last], [])
        tree = ast.fix_missing_locations(ast.Module([ast.copy_location(definition, rule.node)], []))
        namespace: dict[str, Any] = {}
        exec(compile(tree, rule.file, "exec"), rule.function.__globals__, namespace)
        function: Callable[..., Any] = namespace[rule.name]
        if like:
            function.__defaults__ = rule.function.__defaults__
            function.__kwdefaults__ = rule.function.__kwdefaults__
        return function

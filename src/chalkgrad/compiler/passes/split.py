"""Split: one operation a line, so that every array has a name, and a place can be planned for it.

before   y = x / (1 + np.exp(-x))
after    y_1 = -x;    y_2 = np.exp(y_1);    y_3 = 1 + y_2;    y = x / y_3
"""

from __future__ import annotations

import ast
from typing import cast

from ..facts import Facts
from ..lines import COMPREHENSIONS, Function, Line
from ..rewrite import name

__all__ = ["split"]

Operation = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call)


def split(function: Function, facts: Facts) -> None:
    """Give every operation on arrays inside of another one a line of its own. Numbers stay where they are."""
    arrays = {n for n, value in facts.values.items() if getattr(value, "ndim", 0) > 0}
    taken = {n for line in function.lines for n in line.binds | line.reads} | {*function.takes}
    function.lines = [part for line in function.lines for part in _Split(line, arrays, taken).lines()]


class _Split(ast.NodeTransformer):
    def __init__(self, line: Line, arrays: set[str], taken: set[str]) -> None:
        self.line, self.arrays, self.taken = line, arrays, taken
        self.before: list[Line] = []

    def lines(self) -> list[Line]:
        node = ast.parse(self.line.text).body[0]
        draws = sum(isinstance(part, ast.Name) and part.id == "rng" for part in ast.walk(node))
        if not isinstance(node, ast.Assign | ast.AugAssign) or draws > 1:  # numbers are drawn in the order of the text
            return [self.line]
        base = self.line.target or min(self.line.changes | self.line.binds, default="value")
        if isinstance(node, ast.Assign) and isinstance(node.value, Operation):
            self.base = base
            node.value = self.inside(node.value)
        else:
            self.base = base
            node.value = cast("ast.expr", self.visit(node.value))
        if not self.before:
            return [self.line]
        return [*self.before, Line(ast.unparse(ast.fix_missing_locations(node)))]

    def inside(self, node: ast.expr) -> ast.expr:
        """Split what an operation works on, but not the operation itself."""
        self.generic_visit(node)
        return node

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, (*COMPREHENSIONS, ast.IfExp, ast.Lambda, ast.Starred, ast.BoolOp)):
            return node
        node = self.generic_visit(node)
        if not isinstance(node, Operation) or not self.is_array(node):
            return node
        return name(self.named(node))

    def named(self, node: ast.expr) -> str:
        number = 1
        while f"{self.base}_{number}" in self.taken:
            number += 1
        target = f"{self.base}_{number}"
        self.taken.add(target)
        self.arrays.add(target)
        self.before.append(Line(f"{target} = {ast.unparse(ast.fix_missing_locations(node))}"))
        return target

    def is_array(self, node: ast.AST) -> bool:
        return any(isinstance(part, ast.Name) and part.id in self.arrays for part in ast.walk(node))

"""Changing lines: names replaced, parts replaced; what stays is printed from the syntax tree."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from typing import cast

from .lines import COMPREHENSIONS, Line

__all__ = ["name", "number", "renamed", "replaced"]


def renamed(line: Line, names: dict[str, str]) -> str:
    """Return the text of a line with other names for what it reads and changes; what it assigns keeps its name."""

    def replace(node: ast.AST) -> ast.expr | None:
        if isinstance(node, ast.Name) and node.id in names:
            kept = isinstance(node.ctx, ast.Store) and node.id in line.assigns
            return node if kept else ast.Name(names[node.id], node.ctx)
        return None

    return replaced(line, replace)


def replaced(line: Line, replace: Callable[[ast.AST], ast.expr | None]) -> str:
    """Return the text of a line with every part, from the outside in, for which `replace` returns one, replaced."""
    return ast.unparse(ast.fix_missing_locations(_Replace(replace).visit(copy.deepcopy(line.node))))


class _Replace(ast.NodeTransformer):
    """Visits from the outside in; what a comprehension binds is its own, whatever else has that name."""

    def __init__(self, replace: Callable[[ast.AST], ast.expr | None]) -> None:
        self.replace = replace
        self.hidden = frozenset[str]()

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, COMPREHENSIONS):
            return self.inside(node, node.generators)
        own = self.hidden and any(isinstance(part, ast.Name) and part.id in self.hidden for part in ast.walk(node))
        new = None if own else self.replace(node)
        return self.generic_visit(node) if new is None else new

    def inside(self, node: ast.AST, loops: list[ast.comprehension]) -> ast.AST:
        """Visit a comprehension: what it runs through first is taken from outside of it."""
        outer, before = self.visit(loops[0].iter), self.hidden
        bound = (part.id for loop in loops for part in ast.walk(loop.target) if isinstance(part, ast.Name))
        self.hidden |= {*bound}
        loops[0].iter = ast.Constant(None)
        self.generic_visit(node)
        loops[0].iter, self.hidden = cast("ast.expr", outer), before
        return node


def name(text: str) -> ast.Name:
    """Make a name that is read."""
    return ast.Name(text, ast.Load())


def number(value: object) -> ast.expr:
    """Make a literal of a number or of a tuple of numbers."""
    return ast.parse(repr(value), mode="eval").body

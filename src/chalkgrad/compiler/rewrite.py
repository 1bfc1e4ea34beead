"""Changing lines: names replaced, parts replaced; what stays is printed from the syntax tree."""

from __future__ import annotations

import ast
import copy
import operator
from collections.abc import Callable
from typing import Any

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
    return ast.unparse(_Replace(replace).visit(line.node))


class _Replace:
    """Visits from the outside in; what a comprehension binds is its own, whatever else has that name.

    What has another part in it is made anew, all else is handed on as it is: most lines have little to replace.
    """

    def __init__(self, replace: Callable[[ast.AST], ast.expr | None]) -> None:
        self.replace = replace
        self.hidden = frozenset[str]()

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, COMPREHENSIONS):
            return self.inside(node, node.generators)
        own = self.hidden and any(isinstance(part, ast.Name) and part.id in self.hidden for part in ast.walk(node))
        new = None if own else self.replace(node)
        return self.parts(node) if new is None else new

    def parts(self, node: ast.AST) -> ast.AST:
        """Visit all parts of a node."""
        changed: dict[str, Any] = {}
        for name, old in ast.iter_fields(node):
            if isinstance(old, list):
                new: Any = [self.visit(part) if isinstance(part, ast.AST) else part for part in old]
                same = all(map(operator.is_, new, old))
            else:
                new = self.visit(old) if isinstance(old, ast.AST) else old
                same = new is old
            changed |= {} if same else {name: new}
        return _with(node, **changed) if changed else node

    def inside(self, node: ast.AST, loops: list[ast.comprehension]) -> ast.AST:
        """Visit a comprehension: what it runs through first is taken from outside of it."""
        outer, before = self.visit(loops[0].iter), self.hidden
        bound = (part.id for loop in loops for part in ast.walk(loop.target) if isinstance(part, ast.Name))
        self.hidden |= {*bound}
        made: Any = self.parts(_with(node, generators=[_with(loops[0], iter=ast.Constant(None)), *loops[1:]]))
        self.hidden = before
        return _with(made, generators=[_with(made.generators[0], iter=outer), *made.generators[1:]])


def _with(node: ast.AST, **fields: Any) -> ast.AST:
    """Copy a node, with other parts."""
    made = copy.copy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def name(text: str) -> ast.Name:
    """Make a name that is read."""
    return ast.Name(text, ast.Load())


def number(value: object) -> ast.expr:
    """Make a literal of a number or of a tuple of numbers."""
    return ast.parse(repr(value), mode="eval").body

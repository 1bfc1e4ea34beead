"""Changing lines: names replaced, parts replaced; what stays is printed from the syntax tree."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable

from .lines import Line

__all__ = ["name", "number", "renamed", "replaced"]


def renamed(line: Line, names: dict[str, str]) -> str:
    """Return the text of a line with other names for what it reads and changes; what it binds keeps its name."""

    def replace(node: ast.AST) -> ast.expr | None:
        if isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load):
            return ast.Name(names[node.id], node.ctx)
        return None

    return replaced(line, replace)


def replaced(line: Line, replace: Callable[[ast.AST], ast.expr | None]) -> str:
    """Return the text of a line with every part, from the outside in, for which `replace` returns one, replaced."""
    return ast.unparse(ast.fix_missing_locations(_Replace(replace).visit(copy.deepcopy(line.node))))


class _Replace(ast.NodeTransformer):
    def __init__(self, replace: Callable[[ast.AST], ast.expr | None]) -> None:
        self.replace = replace

    def visit(self, node: ast.AST) -> ast.AST:
        new = self.replace(node)
        return self.generic_visit(node) if new is None else new


def name(text: str) -> ast.Name:
    """Make a name that is read."""
    return ast.Name(text, ast.Load())


def number(value: object) -> ast.expr:
    """Make a literal of a number or of a tuple of numbers."""
    return ast.parse(repr(value), mode="eval").body

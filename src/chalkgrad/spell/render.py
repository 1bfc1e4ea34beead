"""Copy the author's own text under other names: renamed at the places that the syntax tree knows, never reprinted."""

from __future__ import annotations

import ast
import linecache
import math
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["Source", "index_text", "literal"]

Replace = Callable[[ast.AST, "ast.AST | None"], "str | None"]


class Source:
    """The text of a file, from which statements are copied. Positions count UTF-8 bytes, as `ast` does."""

    def __init__(self, file: str) -> None:
        self.lines = [line.encode() for line in linecache.getlines(file)]

    def copy(self, node: ast.AST, replace: Replace) -> str:
        """Return the text of `node`, with every part for which `replace(part, parent)` gives a text replaced by it."""
        edits: list[tuple[tuple[int, int], tuple[int, int], str]] = []
        self._collect(node, None, replace, edits)
        start, end = _span(node)
        pieces, at = list[str](), start
        for begin, finish, text in sorted(edits):
            pieces += [self._between(at, begin), text]
            at = finish
        return "".join([*pieces, self._between(at, end)])

    def comments(self, node: ast.stmt, after: int, until: int | None) -> list[str]:
        """Return the comments that belong to a statement, without their `# `: right above it, and on its lines.

        They begin behind line `after`, and end at line `until`. An `if` that was taken may stand between.
        """
        found: list[str] = []
        for number in range(node.lineno - 2, after - 1, -1):
            text = self.lines[number].decode().strip()
            if text.startswith("#"):
                found.insert(0, text[1:].strip())
            elif text and not text.startswith(("if ", "elif ", "else:")):
                break
        for number in range(node.lineno - 1, until or node.lineno):
            text = self.lines[number].decode()
            column = _comment_column(text)
            found += [text[column + 1 :].strip()] if column >= 0 else []
        return found

    def between(self, start: int, end: int) -> str:
        """Return whole lines: those behind line `start`, as far as line `end`."""
        return b"".join(self.lines[start:end]).decode()

    def rest(self, node: ast.stmt) -> str:
        """Return what stands behind a statement on its last line: a comment, or nothing."""
        return self.lines[(node.end_lineno or 0) - 1][node.end_col_offset or 0 :].decode().rstrip()

    def _collect(self, node: ast.AST, parent: ast.AST | None, replace: Replace, edits: list[Any]) -> None:
        text = replace(node, parent)
        if text is not None:
            edits.append((*_span(node), text))
            return
        for child in ast.iter_child_nodes(node):
            self._collect(child, node, replace, edits)

    def _between(self, start: tuple[int, int], end: tuple[int, int]) -> str:
        rows = self.lines[start[0] : end[0] + 1]
        if not rows:
            return ""
        rows = [*rows[:-1], rows[-1][: end[1]]]
        return b"".join([rows[0][start[1] :], *rows[1:]]).decode()


def _span(node: ast.AST) -> tuple[tuple[int, int], tuple[int, int]]:
    n: Any = node
    return (n.lineno - 1, n.col_offset), (n.end_lineno - 1, n.end_col_offset)


def _comment_column(line: str) -> int:
    """Find a comment at the end of a line of code; a # inside quotes is none."""
    quote = ""
    for i, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "#":
            return i
    return -1


def literal(value: Any) -> str | None:
    """Write a value that is no array as Python text; None if it cannot be.

    >>> literal((2, None)), literal(np.dtype(np.float32)), literal(slice(1, None)), literal(np.zeros(2))
    ('(2, None)', 'np.float32', 'np.s_[1:]', None)
    >>> literal((slice(1, None),))
    'np.s_[1:,]'
    """
    match value:
        case float() if not math.isfinite(value):
            return f"float({str(value)!r})"
        case None | bool() | int() | float() | str() if not isinstance(value, np.generic):
            return repr(value)
        case np.dtype():
            return f"np.{value.name}"
        case type() if issubclass(value, np.generic):
            return f"np.{value.__name__}"
        case slice():
            return f"np.s_[{index_text(value)}]"
        case tuple() if any(isinstance(item, slice) for item in value):
            comma = "," if len(value) == 1 else ""
            return None if None in map(literal, value) else f"np.s_[{index_text(value)}{comma}]"
        case tuple():
            items = [literal(item) for item in value]
            return None if None in items else f"({', '.join(map(str, items))}{',' if len(items) == 1 else ''})"
    if value is Ellipsis:
        return "..."
    return None


def index_text(value: Any) -> str:
    """Write a constant index as one does between brackets.

    >>> index_text((slice(None), 0)), index_text(slice(None, 8, 2)), index_text(()), index_text(((0, 2),))
    (':, 0', ':8:2', '()', '((0, 2),)')
    """
    items = value if isinstance(value, tuple) else (value,)
    if len(items) == 1 and isinstance(items[0], tuple):  # x[((0, 2),)] takes two rows, x[(0, 2)] a number
        return str(literal(items))
    return ", ".join(_slice(item) if isinstance(item, slice) else str(literal(item)) for item in items) or "()"


def _slice(item: slice) -> str:
    start, stop, step = ("" if part is None else str(part) for part in (item.start, item.stop, item.step))
    return f"{start}:{stop}" + (f":{step}" if step else "")

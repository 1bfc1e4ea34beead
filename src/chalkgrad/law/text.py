"""The text of functions: each file is parsed once, and its functions are found by name and first line."""

from __future__ import annotations

import ast
import functools
import linecache
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

__all__ = ["definition"]


def definition(function: Callable[..., Any], lines: Sequence[str] | None = None) -> ast.FunctionDef | None:
    """Find a function in the text of its file; None if there is none, as at a prompt, or for a lambda."""
    code = function.__code__
    lines = linecache.getlines(code.co_filename, function.__globals__) if lines is None else lines
    return _definitions("".join(lines)).get((function.__name__, code.co_firstlineno))


@functools.cache
def _definitions(text: str) -> dict[tuple[str, int], ast.FunctionDef]:
    """The functions of a file by name and first line, which is that of the first decorator."""
    return {(node.name, min([node.lineno, *(d.lineno for d in node.decorator_list)])): node
            for node in _functions(ast.parse(text).body)}


def _functions(nodes: Iterable[ast.stmt]) -> Iterator[ast.FunctionDef]:
    """Find the functions among statements, and within them; expressions, which are most of a file, hold none."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            yield node
        for part in ("body", "orelse", "finalbody", "handlers"):
            yield from _functions(getattr(node, part, ()))

"""The text of functions: each is found in its file by its first line, and parsed by itself."""

from __future__ import annotations

import ast
import itertools
import linecache
from collections.abc import Callable, Iterator, Sequence
from types import CodeType
from typing import Any

__all__ = ["definition"]


def definition(function: Callable[..., Any], lines: Sequence[str] | None = None) -> ast.FunctionDef | None:
    """Find a function in the text of its file; None if there is none, as at a prompt, or for a lambda.

    The rest of the file is not parsed: the syntax trees of all files that declare rules are megabytes.
    """
    code = function.__code__
    lines = linecache.getlines(code.co_filename, function.__globals__) if lines is None else lines
    first = code.co_firstlineno - 1  # that of the first decorator
    if first >= len(lines):
        return None
    deep = lines[first][:1].isspace()  # an inner function, or a method: it stands in a block, and keeps its columns
    for last in _ends(lines, first, max(_numbers(code))):
        try:
            node = ast.parse("".join(["if True:\n" * deep, *lines[first:last]])).body[0]
        except SyntaxError:
            continue
        node = node.body[0] if deep and isinstance(node, ast.If) else node
        if not isinstance(node, ast.FunctionDef) or node.name != function.__name__:
            return None
        ast.increment_lineno(node, first - deep)
        return node
    return None


def _numbers(code: CodeType) -> Iterator[int]:
    """Number the lines that a function has code for, from 1."""
    yield from (line for _, _, line in code.co_lines() if line is not None)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _numbers(inner)


def _ends(lines: Sequence[str], first: int, last: int) -> Iterator[int]:
    """Guess where a function ends: with all that is indented behind the last line that has code; or later."""
    indent = _indent(lines[first])
    end = next((i for i in range(last, len(lines)) if lines[i].strip() and _indent(lines[i]) <= indent), len(lines))
    return itertools.chain([end], range(end + 1, min(end + 100, len(lines)) + 1))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())

"""Walk a rule statement by statement on real values: which branch is taken, and what every local holds afterwards."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..law.code import Code

__all__ = ["walk"]


def walk(code: Code, given: dict[str, Any]) -> Iterator[tuple[ast.stmt, dict[str, Any]]]:
    """Run the statements of `code` one at a time; yield each, after it ran, with all values known by then.

    An `if` is not yielded itself, but the statements of the branch that is taken; a `for` is yielded as a whole.
    """
    values = {**code.rule.function.__globals__, **given}
    return _steps((s.node for s in code.statements), values, code.rule.file)


def _steps(nodes: Iterable[ast.stmt], values: dict[str, Any], file: str) -> Iterator[tuple[ast.stmt, dict[str, Any]]]:
    for node in nodes:
        if isinstance(node, ast.If):
            holds = eval(compile(ast.Expression(node.test), file, "eval"), values)
            yield from _steps(node.body if holds else node.orelse, values, file)
        elif not isinstance(node, ast.Pass):
            with np.errstate(all="ignore"):  # the step itself has warned, when it ran on these values
                exec(compile(ast.Module([node], []), file, "exec"), values)
            yield node, values

"""Common subexpressions: compute once what is computed twice from the same arrays.

before   rows = x.reshape(-1, 64);    y = rows @ w.T;    again = x.reshape(-1, 64);    grad_w = grad_y.T @ again
after    rows = x.reshape(-1, 64);    y = rows @ w.T;                                  grad_w = grad_y.T @ rows
"""

from __future__ import annotations

import ast

from ..facts import Facts
from ..lines import Function, Line
from ..rewrite import renamed

__all__ = ["common"]


def common(function: Function, facts: Facts) -> None:
    """Let the second name stand for the first; nothing that is written into, drawn, or returned may have two names."""
    first: dict[str, str] = {}  # the text of a value -> the name that has it
    instead: dict[str, str] = {}
    lines: list[Line] = []
    for number, line in enumerate(function.lines):
        names = {name: instead[name] for name in line.reads | line.changes if name in instead}
        line = Line(renamed(line, names)) if names else line
        if _may_be_shared(line, function, facts) and all(facts.is_settled(name, number) for name in line.reads):
            assert line.value is not None
            text = ast.unparse(line.value)
            if text in first:
                instead[line.target] = first[text]
                continue
            first[text] = line.target
        lines.append(line)
    function.lines = lines


def _may_be_shared(line: Line, function: Function, facts: Facts) -> bool:
    if not line.target or "rng" in line.reads or line.target in function.gives or line.changes:
        return False
    return facts.is_single(line.target) and not any(facts.is_changed(name) for name in line.reads | {line.target})

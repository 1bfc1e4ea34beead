"""Dead code: leave out what nothing depends on.

before   grad_x = grad_y @ weight;    grad_weight = grad_y.T @ x;    return grad_weight
after                                 grad_weight = grad_y.T @ x;    return grad_weight
"""

from __future__ import annotations

from ..facts import Facts
from ..lines import Function, Line

__all__ = ["dead_code"]


def dead_code(function: Function, facts: Facts) -> None:
    """Go backwards and keep the lines that bind what is read later, or write into memory that is."""
    wanted = set(function.gives)
    memory = facts.sharing([*function.gives, *function.takes])
    kept: list[Line] = []
    for line in reversed(function.lines):
        if line.binds & wanted or facts.sharing(line.changes) & memory or not (line.binds or line.changes):
            kept.append(line)
            wanted |= line.reads | line.changes
            memory |= facts.sharing(line.reads | line.changes)
    function.lines = kept[::-1]

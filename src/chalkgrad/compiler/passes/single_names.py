"""Single names: let every name mean one value, so that the passes after this one need not ask which.

before   fc1 = x @ w.T;    fc1 = fc1 + b;      relu = np.maximum(fc1, 0)
after    fc1 = x @ w.T;    fc1_2 = fc1 + b;    relu = np.maximum(fc1_2, 0)
"""

from __future__ import annotations

import collections

from ..lines import Function, Line
from ..rewrite import renamed

__all__ = ["single_names"]


def single_names(function: Function) -> None:
    """Number the names that several lines assign; a name that a loop or a branch assigns is left as it is."""
    counts = collections.Counter(name for line in function.lines for name in line.assigns)
    firm = {name for line in function.lines if line.value is None for name in line.assigns}
    taken = {*counts, *function.takes, *(name for line in function.lines for name in line.reads)}
    current: dict[str, str] = {}
    lines = []
    for line in function.lines:
        reads = {name: current[name] for name in line.reads | line.changes if name in current}
        target = line.target
        if target and target not in firm and (counts[target] > 1 or target in function.takes):
            bound = _fresh(target, taken) if target in current or target in function.takes else target
            lines.append(Line(f"{bound} = {renamed(line, reads).partition('=')[2].strip()}"))
            current[target] = bound
        else:
            lines.append(Line(renamed(line, reads)) if reads else line)
    function.lines = lines
    function.gives = [current.get(name, name) for name in function.gives]


def _fresh(name: str, taken: set[str]) -> str:
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    taken.add(f"{name}_{number}")
    return f"{name}_{number}"

"""Forget: let go of large arrays as soon as nothing reads them, so that the next ones can have their memory.

before   scores = q @ k.mT;    p = softmax(scores);                  y = p @ v
after    scores = q @ k.mT;    p = softmax(scores);    del scores;    y = p @ v
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..facts import Facts
from ..lines import Function, Line
from ..memory import Arena

__all__ = ["forget"]

LARGE = 1 << 16  # bytes


def forget(function: Function, facts: Facts, arena: Arena) -> None:
    """Delete every name of a large array behind the last line that reads it; what lies in the arena stays there."""
    planned = [line.target for line in function.lines if any(f"out={place})" in line.text for place in arena.places)]
    kept = {*function.gives, *function.takes, *planned}
    last = {name: i for i, line in enumerate(function.lines) for name in line.reads | line.changes | line.binds}
    sure = {name for line in function.lines if not isinstance(line.node, ast.For | ast.If) for name in line.binds}
    behind: dict[int, list[str]] = {}
    for name, i in last.items():
        if name not in kept and i < len(function.lines) - 1 and _size(facts.values.get(name)) >= LARGE:
            behind.setdefault(i, []).append(name)
    lines: list[Line] = []
    for i, line in enumerate(function.lines):
        lines += [line, *_let_go(behind[i], sure)] if i in behind else [line]
    function.lines = lines


def _let_go(names: list[str], sure: set[str]) -> Iterator[Line]:
    """Delete names; those that only a loop or a branch binds may not exist, and get another value instead."""
    if sure.intersection(names):
        yield Line(f"del {', '.join(sorted(sure.intersection(names)))}")
    for name in sorted({*names} - sure):
        yield Line(f"{name} = None")


def _size(value: Any) -> int:
    """Count the bytes of an array, or of all arrays in a list."""
    if isinstance(value, list | tuple):
        return sum(map(_size, value))
    return value.nbytes if isinstance(value, np.ndarray) else 0

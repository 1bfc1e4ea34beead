"""What is known about the values of a function: it is run once on copies of what it was given, and looked at."""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Iterable
from typing import Any

import numpy as np

from .lines import Function, Line, is_array
from .memory import aligned, is_dense, memory_order

__all__ = ["Facts", "Observer", "observe", "root", "run", "samples"]


def _picks(line: Line, values: dict[str, Any]) -> bool:
    """Tell whether a line takes out of an array as many elements as a mask has trues, or as there are of a kind."""
    for part in ast.walk(line.node):
        if isinstance(part, ast.Attribute) and part.attr in PICKS:
            return True
        if isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Load):
            for index in ast.walk(part.slice):
                mask = isinstance(index, ast.Compare) or (
                    isinstance(index, ast.Name) and getattr(values.get(index.id), "dtype", None) == np.bool_)
                if mask:
                    return True
    return False


NOTHING: frozenset[int] = frozenset()
PICKS = {"argwhere", "compress", "extract", "flatnonzero", "nonzero", "unique"}


class Facts:
    """What the names of a function stand for, and which of them share memory.

    values  name -> its value when the function had run
    memory  name -> what it stood for in turn, since passes/single_names.py leaves names alone that loops bind again
    bound   name -> the numbers of the lines that let it mean something else
    """

    def __init__(
        self, function: Function, values: dict[str, Any], memory: dict[str, set[int]], bound: dict[str, list[int]]
    ) -> None:
        self.function, self.values, self.memory, self.bound = function, values, memory, bound
        self.roots = {name: root(value) for name, value in values.items() if is_array(value)}
        changed = {name for line in function.lines for name in line.changes}
        self.loose: set[str] = set()  # names whose shape depends on the numbers, as that of x[x > 0]
        for line in function.lines:
            if _picks(line, values) or line.reads & self.loose:
                self.loose |= {name for name in line.binds if getattr(values.get(name), "ndim", 1)}
        self.changed = self.sharing(changed)  # memory that is written into

    def is_settled(self, name: str, number: int) -> bool:
        """Tell whether a name means in a line what it means in the end: no line binds it from there on."""
        return all(before < number for before in self.bound.get(name, ()))

    def is_single(self, name: str) -> bool:
        """Tell whether only one line binds a name, so that what it means in the end is what that line makes."""
        return len(self.bound.get(name, ())) + (name in self.function.takes) == 1

    def is_changed(self, name: str) -> bool:
        """Tell whether anything writes into the memory of an array after it was made."""
        return not self.changed.isdisjoint(self.sharing([name]))

    def sharing(self, names: Iterable[str]) -> set[int]:
        """Return the memory that some names stand for."""
        found = set[int]()
        for name in names:  # as a union of many, most of them empty, it would take twice as long
            found |= self.memory.get(name, NOTHING)
        return found


def samples(given: dict[str, Any]) -> dict[str, Any]:
    """Copy what a function was given; what shared memory shares it in the copy as well."""
    copies: dict[int, Any] = {}
    return {name: _copied(value, copies) for name, value in given.items()}


def _copied(value: Any, copies: dict[int, Any]) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(_copied(item, copies) for item in value)
    if not isinstance(value, np.ndarray):
        return copy.deepcopy(value)
    base = value
    while isinstance(base.base, np.ndarray):
        base = base.base
    if not is_dense(base):
        return value.copy()
    order = memory_order(base)
    if id(base) not in copies:  # in one piece, as it lies in memory
        copies[id(base)] = aligned(tuple(base.shape[axis] for axis in order), base.dtype)
        copies[id(base)][...] = base.transpose(order)
    offset = value.ctypes.data - base.ctypes.data
    return np.ndarray(value.shape, value.dtype, copies[id(base)], offset, value.strides)


def observe(function: Function, known: dict[str, Any]) -> Facts:
    """Run the lines on copies; `known` are the names outside of the function: np, helpers, constants."""
    start = samples(function.given)
    values, memory = {**known, **start}, {name: _memory(value) for name, value in start.items()}
    bound: dict[str, list[int]] = {}
    seen: list[Any] = []  # kept alive, so that no two of them are told to be the same
    for number, line in enumerate(function.lines):
        before = {name: values.get(name) for name in line.binds}
        run(line, values)
        for name in line.binds & values.keys():
            if name in line.assigns or values[name] is not before[name]:  # n += 1 makes a new number
                bound.setdefault(name, []).append(number)
            seen.append(values[name])
            memory.setdefault(name, set()).update(_memory(values[name]))
        filled = [values[name] for name in line.changes if isinstance(values.get(name), list)]
        for each in filled:  # whoever else has a name for the list holds what was put into it, too
            for places in (places for places in memory.values() if id(each) in places):
                places.update(_memory(each))
    own = {name: values[name] for name in values if name in start or name in bound or name not in known}
    own.pop("__builtins__", None)
    return Facts(function, own, memory, bound)


class Observer:
    """Observes a function between the passes; where a pass has changed nothing, the lines are not run again."""

    def __init__(self, function: Function, known: dict[str, Any]) -> None:
        self.function, self.known = function, known
        self.lines: Any = None
        self.facts: Facts | None = None

    def __call__(self) -> Facts:
        lines = [line.text for line in self.function.lines], len(self.known)
        if self.facts is None or lines != self.lines:
            self.facts = None  # whose arrays are let go of before there are others
            self.facts, self.lines = observe(self.function, self.known), lines
        return self.facts


def run(line: Line, values: dict[str, Any]) -> None:
    """Run one line."""
    values.setdefault("__builtins__", builtins)
    with np.errstate(all="ignore"):
        exec(line.code, values)


def _memory(value: Any) -> set[int]:
    """Collect the memory of an array, or of a list and all arrays in it."""
    if isinstance(value, tuple | list):
        return set[int]([id(value)] if isinstance(value, list) else ()).union(*map(_memory, value))
    return {root(value)} if is_array(value) else set()


def root(value: Any) -> int:
    """Identify the memory of an array by the object that owns it."""
    while isinstance(value, np.ndarray) and isinstance(value.base, np.ndarray):
        value = value.base
    return id(value)

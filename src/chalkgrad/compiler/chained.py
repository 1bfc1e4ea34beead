"""A chain of lines as a function of its own: its lines run on one block after the other."""

from __future__ import annotations

import ast
import itertools
import textwrap
from typing import Any

import numpy as np

from .facts import observe, run
from .kinds import vary
from .lines import Function, Line
from .memory import Arena, memory_order
from .passes.into import into, ufunc

__all__ = ["BLOCK", "Chained", "domain_of"]

BLOCK = 1 << 17  # numbers: calls cost nothing then, and half a megabyte a time is still near


def domain_of(value: Any) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Tell the shape of an array, and its axes in the order in which it lies in memory; None if it has gaps.

    >>> domain_of(np.zeros((2, 3, 1, 4)).transpose(1, 0, 2, 3))
    ((3, 2, 1, 4), (1, 0, 3))
    """
    order = memory_order(value)
    dense = np.transpose(value, order).flags.c_contiguous
    return (value.shape, tuple(axis for axis in order if value.shape[axis] > 1)) if dense else None


class Chained:
    """A function that runs the lines of a chain block by block.

    takes   what the lines read from outside
    gives   what they make, or change, that is read later
    values  the arrays behind these names, and behind those that are bound between
    over    result -> the argument whose memory it may have
    key     equal for chains that do the same
    """

    def __init__(
        self, lines: list[Line], takes: list[str], gives: list[str], values: dict[str, Any], over: dict[str, str],
        known: dict[str, Any],
    ) -> None:
        self.name = ""
        names = _short([line.target for line in lines if line.target], [*values], known)
        lines = [_renamed(line, names) for line in lines]
        self.values = {names[name]: value for name, value in values.items()}
        self.takes, self.gives = [names[name] for name in takes], [names[name] for name in gives]
        self.over = {names[result]: names[operand] for result, operand in over.items()}
        self.made = [line.target for line in lines if line.target in self.gives]
        self.like: Any = self.values[next(iter(lines[0].binds))]
        self._cut()
        block = Function("", self.takes, lines, self.gives, {name: self._first(name) for name in self.takes})
        self.arena: Arena = into(block, observe(block, known))
        self.body = self._body(block.lines)
        self.key = (self.body, *self.arena.places.items())

    def _cut(self) -> None:
        """Choose the axes that blocks are counted along: one by one, and the next, `rows` at a time."""
        shape, order = domain_of(self.like) or ((), ())
        sizes = [shape[axis] for axis in order]
        depth = next((i for i in range(len(sizes)) if np.prod(sizes[i + 1 :]) <= BLOCK), len(sizes) - 1)
        self.single, self.axis, length = order[:depth], order[depth], sizes[depth]
        fewest = -(-length // max(1, BLOCK // int(np.prod(sizes[depth + 1 :]))))
        even = (count for count in range(fewest, 2 * fewest) if length % count == 0)
        self.rows = -(-length // next(even, fewest))
        self.length = length

    def _index(self, name: str) -> list[str]:
        """Write where the block lies in an array; nothing if all blocks need the whole array."""
        shape = np.shape(self.values[name])
        index = []
        for axis, size in enumerate(shape, self.like.ndim - len(shape)):
            if axis in self.single:
                index.append("0" if size == 1 else "ijklmn"[self.single.index(axis)])
            else:
                index.append("rows" if axis == self.axis and size > 1 and self.rows < self.length else ":")
        while index and index[-1] == ":":
            index.pop()
        return index or ["..."] * (shape == self.like.shape)  # one block is all

    def _first(self, name: str) -> Any:
        """Copy the first block of an array, in the order in which it lies in memory."""
        value, index = self.values[name], ", ".join(self._index(name))
        if not index:
            return value.copy(order="K") if isinstance(value, np.ndarray) else value
        places = dict.fromkeys("ijklmn", 0) | {"rows": slice(0, self.rows), "value": value}
        return eval(f"value[{index}]", places).copy(order="K")

    def _body(self, lines: list[Line]) -> str:
        """Write the function, without its name."""
        cut = {name: ", ".join(index) for name in [*self.takes, *self.made] if (index := self._index(name))}
        inner = [f"{name} = {name}_all[{index}]" for name, index in cut.items() if name in self.takes]
        places = ", ".join(self.arena.places)
        uneven = places and self.length % self.rows
        if uneven:
            before = ":, " * sum(axis < self.axis and axis not in self.single for axis in range(self.like.ndim))
            inner += [f"count = min({self.rows}, {self.length} - begin)",
                      f"{places}, = (array[{before}:count] for array in work)"]
        for line in lines:
            inner += self._written(line, cut) if line.target in self.made else [line.text]
        outer = [f"{places}, = work"] if places and not uneven else []
        outer += [f"{name}_all = {self._room(name)}" for name in self.made]
        if self.rows < self.length:
            rows = f"rows = slice(begin, begin + {self.rows})"
            inner = [f"for begin in range(0, {self.length}, {self.rows}):", *_indented([rows, *inner])]
        if self.single:
            sizes = ", ".join(str(self.like.shape[axis]) for axis in self.single)
            places = ", ".join("ijklmn"[: len(self.single)])
            loop = f"{places} in range({sizes})" if len(self.single) == 1 else f"{places} in np.ndindex({sizes})"
            inner = [f"for {loop}:", *_indented(inner)]
        takes = ", ".join(["work", *(f"{name}_all" if name in cut else name for name in self.takes)])
        gives = f"return {', '.join(f'{name}_all' for name in self.gives)}"
        return f"({takes}):\n" + "\n".join(_indented([*outer, *inner, gives])) + "\n"

    def _written(self, line: Line, cut: dict[str, str]) -> list[str]:
        """Write a line so that its result goes where it is read later."""
        operation, whole = ufunc(line), f"{line.target}_all[{cut[line.target]}]"
        if operation:
            return [f"{line.target} = np.{operation[0]}({', '.join(operation[1])}, out={whole})"]
        assert line.value is not None
        return [f"{line.target} = {whole}", f"{line.target}[...] = {ast.unparse(line.value)}"]

    def _room(self, name: str) -> str:
        """Write where a result comes from: the memory of an argument, or new memory in the same order."""
        if name in self.over:
            return f"{self.over[name]}_all"
        value = self.values[name]
        order = memory_order(value)
        text = f"np.empty({tuple(value.shape[axis] for axis in order)}, np.{value.dtype})"
        turned = f".transpose({', '.join(str(order.index(axis)) for axis in range(value.ndim))})"
        return text if order == sorted(order) else text + turned

    @property
    def text(self) -> str:
        """The function."""
        return f"def {self.name}{self.body}"

    def work(self) -> list[Any]:
        """Make the room that one thread works in."""
        return [*self.arena.make().values()]

    def release(self) -> None:
        """Forget the numbers that it was made with."""
        self.values, self.like = {}, None

    def agrees(self, lines: list[Line], takes: list[str], gives: list[str], known: dict[str, Any]) -> bool:
        """Tell whether it comes to the same bits as the lines, for other numbers than those that were there."""
        rng = np.random.default_rng(0)
        drawn = [_drawn(self.values[name], rng) for name in self.takes]
        whole = {**known, **{name: _copied(value) for name, value in zip(takes, drawn)}}
        for line in lines:
            run(line, whole)
        scope = dict(known)
        exec(f"def chain{self.body}", scope)
        with np.errstate(all="ignore"):
            results = scope["chain"](self.work(), *drawn)
        results = results if len(gives) > 1 else (results,)
        return all(_same(whole[name], result) for name, result in zip(gives, results))


def _short(bound: list[str], names: list[str], known: dict[str, Any]) -> dict[str, str]:
    """Leave out what all names begin with, such as layers_0_, so that chains that do the same have the same text."""
    words = [name.removeprefix("grad_").split("_") for name in bound]
    shared = [every[0] for every in itertools.takewhile(lambda every: len({*every}) == 1, zip(*words))]
    for count in range(len(shared), 0, -1):
        prefix = "_".join(shared[:count]) + "_"
        short = {name: ("grad_" if name.startswith("grad_") else "") + name.removeprefix("grad_").removeprefix(prefix)
                 for name in names}
        plain = all(name.isidentifier() and (name not in known or name == old) for old, name in short.items())
        if plain and len({*short.values()}) == len(short):
            return short
    return {name: name for name in names}


def _renamed(line: Line, names: dict[str, str]) -> Line:
    """Write a line with other names, also for what it binds."""
    node = ast.parse(line.text)
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            part.id = names.get(part.id, part.id)
    return Line(ast.unparse(node))


def _indented(lines: list[str]) -> list[str]:
    return [textwrap.indent(line, "    ") for line in lines]


def _drawn(value: Any, rng: np.random.Generator) -> Any:
    """Draw other numbers of the same kind, in the same order in memory."""
    if not isinstance(value, np.ndarray) or not value.ndim:
        return value
    drawn = np.empty_like(value)
    drawn[...] = vary(value, rng)
    return drawn


def _copied(value: Any) -> Any:
    return value.copy(order="K") if isinstance(value, np.ndarray) else value


def _same(one: Any, other: Any) -> bool:
    return bool(one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))

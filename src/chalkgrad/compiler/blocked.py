"""The update of rows: an optimizer's rule, a block of elements at a time, with room for what it computes between."""

from __future__ import annotations

import ast
import textwrap
from typing import Any

from .facts import observe
from .lines import Function, Line, lines_of
from .memory import Arena
from .passes.into import into
from .passes.single_names import single_names
from .passes.split import split
from .rewrite import renamed

__all__ = ["BLOCK", "Blocked", "written"]

BLOCK = 1 << 15  # elements: param, grad, m, v and two more of float32 are 800 kB, and stay in a second cache of 1 MB


class Blocked:
    """A function that applies an update rule to rows.

    given   a block of each row, and the options
    others  whether the gradients of other parts of the batch, in rows of their own, are to be added first
    count   how many threads share the rows
    text    two functions: what is computed once, such as 1 - beta1 ** t, and what is computed for every block
    """

    def __init__(
        self, name: str, rule: ast.FunctionDef, given: dict[str, Any], known: dict[str, Any], others: bool, count: int
    ) -> None:
        self.name, self.others, self.count = name, others, count
        body = rule.body[1:] if ast.get_docstring(rule) else rule.body
        function = Function(name, [*given], [line for node in body for line in lines_of(ast.unparse(node))], [], given)
        single_names(function)
        split(function, observe(function, known))
        facts = observe(function, known)
        self.arena: Arena = into(function, facts)
        arrays = {n for n, value in facts.values.items() if getattr(value, "ndim", 0) > 0} | {*self.arena.places}
        self.rows = [n for n in given if n in arrays]
        self.numbers = [n for n in given if getattr(given[n], "ndim", None) == 0]
        self.options = [n for n in given if n not in self.rows and n not in self.numbers]
        self.takes = [*given]
        self.once, self.every = _parted(function, arrays)
        self.text = f"{self._blocks()}\n\n{self._whole()}"

    def work(self) -> list[list[Any]]:
        """Make the room that each thread works in."""
        return [[*self.arena.make().values()] for _ in range(self.count)]

    def _shared(self) -> list[str]:
        """Name what is computed once and read in every block."""
        once = {*self.options, *self.numbers, *(name for line in self.once for name in line.binds)}
        return sorted(once & {name for line in self.every for name in line.reads})

    def _blocks(self) -> str:
        """Write what is done block by block, from one place of the rows to another."""
        takes = ["start", "stop", "work", *["others"] * self.others, *(f"{n}_row" for n in self.rows), *self._shared()]
        places = ", ".join(self.arena.places)
        grad = next((n for n in self.rows if n.startswith("grad")), "")
        lines = [
            f"{', '.join(self.rows)} = {', '.join(f'{n}_row[block]' for n in self.rows)}",
            *([f"{places}, = (array[: len({self.rows[0]})] for array in work)"] if places else []),
            *(["for other in others:", f"    {grad} += other[block]"] if self.others else []),
            *(line.text for line in self.every),
        ]
        head = [f"for begin in range(start, stop, {BLOCK}):", f"    block = slice(begin, min(begin + {BLOCK}, stop))"]
        return _function(f"{self.name}_blocks", takes, [*head, textwrap.indent("\n".join(lines), "    ")])

    def _whole(self) -> str:
        """Write what is done once, for the first parameter; the numbers of the others, such as t, follow it."""
        takes = [*["others"] * self.others, *(f"{n}_row" for n in self.takes if n not in self.options)]
        takes += ["*", *self.options] if self.options else []
        rows = [*["others"] * self.others, *(f"{n}_row" for n in self.rows), *self._shared()]
        lines = [
            *(f"{n} = {n}_row[:1].reshape(())" for n in self.numbers),
            *(line.text for line in self.once),
            *(f"{n}_row[1:] = {n}" for n in self.numbers),
        ]
        length, rest = f"len({self.rows[0]}_row)", ", ".join(rows)
        alone = f"{self.name}_blocks(0, {length}, {self.name}_work[0], {rest})"
        shared = [
            f"if {length} < {4 * BLOCK}:",
            f"    {alone}",
            "else:",
            f"    ends = [{length} * i // {self.count} for i in range({self.count + 1})]",
            f"    in_parts({self.name}_blocks, [ends[:-1], ends[1:], {self.name}_work], [{rest}])",
        ]
        return _function(self.name, takes, [*lines, *([alone] if self.count == 1 else shared)])


def _parted(function: Function, arrays: set[str]) -> tuple[list[Line], list[Line]]:
    """Part what is computed once, and before all blocks, from what is computed for every block.

    Of a number that a block reads, and that is changed after that, the block is handed what it was:

    before   param -= float(eta) * g;         eta[...] = lr / t
    after    param -= float(eta_was_0) * g;   eta_was_0 = +eta;    eta[...] = lr / t
    """
    once: list[Line] = []
    every: list[Line] = []
    for line in function.lines:
        if arrays & (line.reads | line.binds | line.changes):
            every.append(line)
            continue
        changed = line.changes | (line.binds - line.assigns)
        old = {name: f"{name}_was_{len(once)}" for name in sorted(changed) if any(name in each.reads for each in every)}
        every = [Line(renamed(each, old)) if old.keys() & each.reads else each for each in every]
        once += [*(Line(f"{new} = +{name}") for name, new in old.items()), line]
    return once, every


def _function(name: str, takes: list[str], lines: list[str]) -> str:
    return f"def {name}({', '.join(takes)}):\n" + textwrap.indent("\n".join(lines), "    ") + "\n"


def written(function: Function) -> str:
    """Write a function of the program as text."""
    gives = f"return {', '.join(function.gives)}," if function.gives else "return ()"
    return _function(function.name, function.takes, [*(line.text for line in function.lines), gives])



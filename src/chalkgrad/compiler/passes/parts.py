"""Parts: give every core a part of the batch; what concerns the whole batch is added up between.

before   fc1 = x @ w.T;    loss = loss_of(fc1);    grad_w = grad_fc1.T @ x
after    def part_1(x, w): fc1 = x @ w.T;  loss = loss_of(fc1) * 0.5;  grad_w = grad_fc1.T @ x;  return loss, grad_w
         loss_parts, grad_w_parts = in_parts(part_1, [(x[:32], x[32:])], [w])
         loss = sum(loss_parts);    grad_w = sum(grad_w_parts)
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..facts import Facts, run, samples
from ..kinds import OWN, SUM, WHOLE, ZERO, Kind, difference, is_linear, try_line
from ..lines import Function, Line, is_array
from ..work import Calls, work_of

__all__ = ["Stretch", "parts"]

ENOUGH = 10_000.0  # microseconds: below, what the threads take to hand over costs more than they gain
EACH = 4.0  # microseconds for each call of a compiled function: two threads that call all the time wait for each other
MOST = 0.8  # of all work: while parts are run, the rest has to do with one thread as well


@dataclass
class Stretch:
    """Lines that are run part by part, without a stop.

    given    what they read from outside: name -> its value for the first part
    sources  how main hands over the parts of that; empty if all parts are handed the same
    makes    what they bind or change
    """

    lines: list[Line] = field(default_factory=list)
    given: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    makes: set[str] = field(default_factory=set)


def parts(function: Function, part: Function, facts: Facts, known: dict[str, Any], count: int) -> list[Function] | None:
    """Divide the function; returns the functions that are run part by part, or None if nothing can be.

    part   the same function, spelled for the count-th part of the batch
    known  what lines can name, for trials: with ZeroedNumPy as np
    """
    if [line.binds for line in function.lines] != [line.binds for line in part.lines]:
        return None
    return _Parts(function, part, facts, known, count).divide()


class _Parts:
    """The state of the walk through the lines.

    values, own  what every name stands for by now, for the whole batch and for a batch as small as a part
    kinds        how the parts of a value make up the whole
    stored       whether main holds the whole of a value, or its parts
    order        lines that main runs, and stretches
    """

    def __init__(self, function: Function, part: Function, facts: Facts, known: dict[str, Any], count: int) -> None:
        self.function, self.part, self.facts, self.known, self.count = function, part, facts, known, count
        self.values, self.own = {**known, **samples(function.given)}, {**known, **samples(part.given)}
        kinds = {name: difference(value, part.given[name], count) for name, value in function.given.items()}
        self.kinds: dict[str, Kind] = {name: kind or WHOLE for name, kind in kinds.items()}
        self.stored = dict.fromkeys(function.given, "main")
        self.order: list[Line | Stretch] = []
        self.open = Stretch()
        self.calls = 0
        self.work = self.total = 0.0  # what the lines in stretches take, and what all take, in microseconds

    def divide(self) -> list[Function] | None:
        """Walk through the lines, and write what was found."""
        for line, part in zip(self.function.lines, self.part.lines, strict=True):
            if not self.add(line, part):
                return None
            with Calls() as calls:
                run(line, self.values)
            run(part, self.own)
            if not self.is_as_found(line):
                return None
            work = work_of(line, self.values, self.known)
            self.total, self.calls = self.total + work, self.calls + calls.count
            self.work += work if self.open.lines else 0.0
        self.close()
        worth = self.work > max(ENOUGH, MOST * self.total, EACH * self.calls)
        return self.write() if worth else None

    def is_as_found(self, line: Line) -> bool:
        """Tell whether the values, now that they are known, have the shapes that the trial said."""
        split = [name for name in line.binds if self.kinds[name].how == "split"]
        return all(difference(self.values[name], self.own[name], self.count) == self.kinds[name] for name in split)

    def add(self, line: Line, part: Line) -> bool:
        """Put a line where it belongs."""
        names = [name for name in line.reads | line.changes if name in self.kinds]
        alone = not line.changes and all(self.kinds[n] == WHOLE and self.stored[n] == "main" for n in names)
        if "rng" in names or (alone and not self.is_written_later(line) and ast.dump(line.node) == ast.dump(part.node)):
            return self.add_whole(line, part)
        alien = self.is_shared(line) or any(name in self.facts.loose for name in line.reads | line.binds | line.changes)
        found = None if alien else self.attempt(line, part, names)
        return self.add_whole(line, part) if found is None else self.add_part(line, part, found)

    def is_written_later(self, line: Line) -> bool:
        """Tell whether a line makes an array that others write into: each part needs its own."""
        return any(self.facts.is_changed(name) for name in line.binds)

    def is_apart(self, line: Line) -> bool:
        """Tell whether a line could as well run before the stretch that is open, such as the count of batches."""
        touched, names = {*self.open.given, *self.open.makes}, line.reads | line.changes
        joined = {name for name in names if self.stored.get(name) == "parts"}
        memory = self.facts.sharing
        return (
            (line.binds | joined).isdisjoint(touched)
            and memory(names | line.binds).isdisjoint(memory(self.open.makes))
            and memory(line.changes).isdisjoint(memory(touched))
        )

    def is_shared(self, line: Line) -> bool:
        """Tell whether a line writes into memory that main has another name for, or that all parts would write into."""
        if not line.changes:
            return False
        memory = self.facts.sharing(line.changes)
        others = {name for name in self.kinds if not memory.isdisjoint(self.facts.sharing([name]))}
        outside = {name for name in line.changes if self.stored.get(name) == "main" and
                   (self.kinds[name].how != "split" or not np.ndim(self.values[name]))}
        return bool(others - line.changes - self.open.makes or outside)

    def attempt(self, line: Line, part: Line, names: list[str]) -> Any:
        """Try to run a line part by part; where it needs a sum, the sum is taken first."""
        kinds = {name: self.kinds[name] for name in names}
        for choice in (WHOLE, SUM):
            tried = {name: choice if kind == ZERO else kind for name, kind in kinds.items()}
            if SUM in tried.values() and not is_linear(line, self.known):
                continue
            found = try_line(line, part, tried, self.values, self.own, self.known, self.count)
            if found is not None:
                return found
        sums = [name for name, kind in kinds.items() if kind == SUM and name not in line.changes]
        if not sums:
            return None
        tried = {name: WHOLE if name in sums or kind == ZERO else kind for name, kind in kinds.items()}
        found = try_line(line, part, tried, self.values, self.own, self.known, self.count)
        if found is None or all(kind == WHOLE for kind, _ in found.values()):
            return None  # nothing of it differs from part to part, once the sums are taken
        if not {*self.open.given, *self.open.makes}.isdisjoint(sums):
            self.close()
        for name in sums:
            self.join(name)
        return found

    def add_part(self, line: Line, part: Line, found: dict[str, tuple[Kind, float]]) -> bool:
        """Run a line part by part; what comes out too large, such as a mean, is multiplied by what it lacks."""
        for name in sorted(part.reads | part.changes):
            if name in self.kinds and name not in self.open.makes and name not in self.open.given:
                self.open.given[name] = self.first(name)
                self.open.sources[name] = self.handed(name)
        large = {name: factor for name, (_, factor) in found.items() if factor != 1}
        self.open.lines.append(Line(_bound(part, {name: f"{name}_of_part" for name in large})))
        self.open.lines += [Line(f"{name} = {name}_of_part * {factor!r}") for name, factor in large.items()]
        for name, (kind, _) in found.items():
            self.kinds[name] = kind
            self.open.makes.add(name)
            if name not in line.changes or name not in self.stored:
                self.stored[name] = "parts"
        return True

    def add_whole(self, line: Line, part: Line) -> bool:
        """Run a line on the whole batch: before the stretch that is open, if it has nothing to do with it."""
        if not self.is_apart(line):
            self.close()
        for name in sorted(line.reads | line.changes):
            if not self.join(name):
                return False
        self.order.append(line)
        copies = [samples({name: values[name] for name in line.reads | line.changes if name in self.kinds})
                  for values in (self.values, self.own)]
        for each, values in zip((line, part), copies):
            values.update({name: value for name, value in self.known.items() if name not in values})
            run(each, values)
        for name in line.binds | line.changes:
            kind = difference(copies[0][name], copies[1][name], self.count)
            if kind is None:
                return False
            self.kinds[name], self.stored[name] = kind, "main"
        return True

    def first(self, name: str) -> Any:
        """Return the first part of a value, to observe a stretch with."""
        value, kind = self.values[name], self.kinds[name]
        if kind == OWN:
            return self.own[name]
        if kind.how == "split":
            return np.copy(np.split(value, self.count, kind.axis)[0])  # which keeps the order in memory
        return np.copy(value) if is_array(value) else value

    def close(self) -> None:
        """End the stretch that is open."""
        if self.open.lines:
            self.order.append(self.open)
        self.open = Stretch()

    def join(self, name: str) -> bool:
        """Put the parts of a value together in main; returns whether that can be done."""
        if self.stored.get(name) != "parts":
            return True
        if name in self.open.makes:
            self.close()
        kind, value = self.kinds[name], self.values[name]
        if kind == OWN and not isinstance(value, int | tuple):
            return False
        whole = {"split": f"np.concatenate({name}_parts, {kind.axis})", "sum": f"add_up({name}_parts)",
                 "own": repr(value)}
        self.order.append(Line(f"{name} = {whole.get(kind.how, f'{name}_parts[0]')}"))
        self.stored[name] = "main"
        self.kinds[name] = kind if kind.how == "split" else WHOLE
        return True

    def write(self) -> list[Function] | None:
        """Write main, and a function for each stretch."""
        if not all(self.join(name) for name in self.function.gives):
            return None
        functions: list[Function] = []
        lines: list[Line] = []
        later = set(self.function.gives)
        for item in reversed(self.order):
            if isinstance(item, Line):
                lines.append(item)
                later |= {name.removesuffix("_parts") for name in item.reads | item.changes}
                continue
            function = Function("", [*item.given], item.lines, sorted(item.makes & later), item.given)
            functions.append(function)
            lines.append(self.call(function, item.sources))
            later |= set(item.given)
        for number, (function, line) in enumerate(
            zip(reversed(functions), [line for line in reversed(lines) if "in_parts(" in line.text]), 1
        ):
            function.name = f"part_{number}"
            lines[lines.index(line)] = Line(line.text.replace("in_parts(_,", f"in_parts({function.name},"))
        self.function.lines = lines[::-1]
        return functions[::-1]

    def call(self, function: Function, sources: dict[str, str]) -> Line:
        """Call a function for every part: first what each part has for itself, then what all have."""
        split, whole = [name for name in sources if sources[name]], [name for name in sources if not sources[name]]
        function.takes = split + whole
        gives = ", ".join(f"{name}_parts" for name in function.gives)
        called = f"in_parts(_, [{', '.join(sources[name] for name in split)}], [{', '.join(whole)}])"
        return Line(f"{gives}{',' if len(function.gives) == 1 else ''} = {called}" if gives else called)

    def handed(self, name: str) -> str:
        """Write the parts of a value as main has them; nothing if all parts are handed the same."""
        kind = self.kinds[name]
        if self.stored[name] == "parts":
            return f"{name}_parts"
        if kind.how != "split":
            return ""
        length = self.values[name].shape[kind.axis] // self.count
        before = ":, " * kind.axis
        slices = [f"{name}[{before}{i * length}:{(i + 1) * length}]" for i in range(self.count)]
        return f"({', '.join(slices)})"


def _bound(line: Line, names: dict[str, str]) -> str:
    """Let a line bind other names."""
    node = ast.parse(line.text)
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store) and child.id in names:
            child.id = names[child.id]
    return ast.unparse(node) if names else line.text

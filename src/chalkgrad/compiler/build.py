"""From the readable program to the fast one: the passes in their order, and the text that comes out."""

from __future__ import annotations

import ast
import copy
import dataclasses
import linecache
from typing import Any

import numpy as np

from ..spell.program import Program
from ..spell.trace import Trace
from .blocked import BLOCK, Blocked, written
from .chained import Chained
from .facts import Observer, observe, root, samples
from .flat import Row
from .guards import in_bounds
from .kinds import ZeroedNumPy, release
from .lines import Function, Line, bare, lines_of
from .memory import Arena, aligned
from .passes.chains import chains
from .passes.cheap import cheap
from .passes.common import common
from .passes.constants import constants
from .passes.dead_code import dead_code
from .passes.direct import direct, hand_rows
from .passes.forget import forget
from .passes.into import into
from .passes.parts import parts
from .passes.products import products
from .passes.rows import Group, call_of, groups_of, rows
from .passes.single_names import single_names
from .passes.split import split
from .threads import add_up, in_parts

__all__ = ["Built"]


class Built:
    """A program on its way from readable to fast.

    small    the step for a part of the batch, if it may be divided into `count` parts
    movable  the paths of parameters that may be laid into rows

    main     the function that runs, and `parts`, those that it calls for every part of the batch
    known    what lines can name: NumPy, helpers, what is computed once in `setup`, and planned memory
    results  the names of what the step returns
    grads    path of a parameter -> the name of its gradient, if it lies in no row
    groups   parameters that are updated in one go; `others` names those whose gradients the parts leave in several rows
    """

    def __init__(
        self, trace: Trace, program: Program, small: tuple[Trace, Program] | None = None, count: int = 1,
        movable: frozenset[str] = frozenset(),
    ) -> None:
        self.trace, self.program, self.count, self.movable = trace, program, count, movable
        self.known: dict[str, Any] = {"np": np, "in_parts": in_parts, "add_up": add_up, "in_bounds": in_bounds}
        self.setup: list[Line] = []
        self.arenas: dict[str, Arena] = {}  # part -> the places that it works in
        self.chains: dict[Any, Chained] = {}
        self._read_helpers(program)
        self._read_step(trace, program)
        self.parts = self._divide(small, count) if small else []
        self.groups = groups_of(self.main.lines, self.rules, self._kind)
        self.others: set[str] = set()
        for group in self.groups:
            self._give_rows(group)
            self._add_rows(group)
        self.rules.clear()  # syntax trees, which nothing asks for any more
        self._improve_all()
        self.text = self._text()

    def _read_helpers(self, program: Program) -> None:
        """Take over the helpers of the readable program, and the syntax trees of its update rules."""
        self.names, self.texts = program.names, [*program.helpers.texts.values()]
        exec("\n".join([*program.helpers.imports, *self.texts]), self.known)
        self.rules = {node.name: node for text in self.texts for node in ast.parse(text).body
                      if isinstance(node, ast.FunctionDef)}

    def _read_step(self, trace: Trace, program: Program) -> None:
        """Take the step apart; behind what it returns stand the gradients that it leaves."""
        self.main = self._function(trace, program)
        self.given = self.main.given
        returned = len(trace.results) - len(trace.grads)
        self.results = self.main.gives[:returned]
        self.grads = dict(zip(trace.grads, self.main.gives[returned:], strict=True))

    def _improve_all(self) -> None:
        """Run the passes on every function; the parts first, since main calls them while it is observed."""
        for part in self.parts:
            self._improve(part)
            exec(written(part), self.known)
        self._make_room()
        self.known["in_parts"] = _Remembering()
        self._improve(self.main)
        self.known["in_parts"] = in_parts

    def _function(self, trace: Trace, program: Program) -> Function:
        """Take a readable program apart into lines."""
        lines = []
        for block in program.blocks:
            lines += lines_of("\n".join(text for text, _ in block.lines))
            lines += [Line(f"{step.rule}({', '.join([*step.given, *step.rest])})") for step in block.steps]
        given = _given(trace, program)
        function = Function("step", [*given], _guarded(lines, trace, program), [*program.returns], given)
        single_names(function)
        return function

    def _divide(self, small: tuple[Trace, Program], count: int) -> list[Function]:
        """Let the lines before the first update be run part by part."""
        whole, part = self.main, self._function(*small)
        steps = {step.rule for block in self.program.blocks for step in block.steps}
        at = next((i for i, line in enumerate(whole.lines) if call_of(line)[0] in steps), len(whole.lines))
        head = dataclasses.replace(whole, lines=whole.lines[:at])
        tail = {name for line in whole.lines[at:] for name in line.reads | line.changes}
        head.gives = sorted({*whole.gives, *tail} & {name for line in head.lines for name in line.binds})
        part = dataclasses.replace(part, lines=part.lines[:at])
        found = parts(head, part, observe(head, self.known), self._for_trials(), count)
        release()
        if found is None:
            return []
        self.main.lines = [*head.lines, *whole.lines[at:]]
        for function in (self.main, *found):
            function.lines = bare(function.lines)
        return found

    def _for_trials(self) -> dict[str, Any]:
        """Return what lines can name, with helpers whose empty arrays are zeros."""
        known = dict(self.known)
        exec("\n".join([*self.program.helpers.imports, *self.program.helpers.texts.values()]), known)
        known["np"] = ZeroedNumPy()  # the helpers look it up here, each time that they run
        return known

    def _kind(self, arguments: list[str]) -> Any:
        """Tell what kind of an update a call is: arrays of which types; None if there is no row for it."""
        paths = [self.names.paths.get(name) for name in arguments]
        if paths[0] not in self.movable or self.grads.get(paths[0]) not in arguments:
            return None
        values = [self.main.given[name] for name in arguments if name in self.main.given]
        if values[0].ndim == 0 or any(value.ndim > 0 and value.shape != values[0].shape for value in values):
            return None
        return tuple((value.dtype, value.ndim > 0 or float(value)) for value in values)  # a count must be the same

    def _add_rows(self, group: Group) -> None:
        """Write the function that updates the rows of a group."""
        sample, numbers = {}, sum(self.given[call[0]].size for call in group.calls)
        size = min(BLOCK, max(numbers, 1024))  # large enough for a place to be planned
        for name, argument in zip(group.takes, group.calls[0]):
            like = self.given[group.calls[0][0] if name.startswith("grad") else argument]
            sample[name] = np.zeros(size, like.dtype) if like.ndim else np.zeros((), like.dtype)
        options = {word.partition("=")[0]: self.program.rates[word.partition("=")[2]]
                   for word in group.options.split(", ") if word}
        # where BLAS has threads of its own, the last of them is still looking for work, and takes a core
        count = self.count if self.parts else 1
        update = Blocked(f"{group.name}_rows", self.rules[group.rule], sample | options, self.known,
                         group.name in self.others, count)
        self.texts.append(update.text)
        self.known[f"{group.name}_rows_work"] = update.work()
        exec(update.text, self.known)
        for call in group.calls:
            del self.grads[self.names.paths[call[0]]]
        self.main.gives = [*self.results, *self.grads.values()]

    def _give_rows(self, group: Group) -> None:
        """Let the main function write gradients into rows, of which a sample is made to observe it with."""
        main, at = self.main, group.place
        main.given = dict(main.given)
        for i, name in enumerate(group.takes):
            arrays = [main.given[call[0] if i == at else call[i]] for call in group.calls]
            flat = np.concatenate([array.reshape(-1) for array in arrays])
            ends = np.cumsum([array.size for array in arrays])
            views = [flat[end - a.size : end].reshape(a.shape) for a, end in zip(arrays, ends)]
            main.given[f"{group.name}_{name}"] = flat
            if i == 0:
                main.given |= {call[0]: view for call, view in zip(group.calls, views)}
            if i == at:
                main.given |= {f"row_{call[0]}": view for call, view in zip(group.calls, views)}
        rows(main, [group])
        if hand_rows(main, self.parts, group, self.count):
            self.others.add(group.name)
            names = [f"{group.name}_{group.takes[at]}_{i}" for i in range(2, self.count + 1)]
            main.takes += names
            for number, name in enumerate(names, 2):
                row = Row([main.given[call[0]].shape for call in group.calls], main.given[group.calls[0][0]].dtype)
                main.given[name] = row.flat
                main.given |= {f"row_{call[0]}_{number}": view for call, view in zip(group.calls, row.views)}
            main.lines = [Line(line.text.replace(f"{group.name}_rows(", f"{group.name}_rows(({', '.join(names)},), "))
                          for line in main.lines]
        main.given = {name: value for name, value in main.given.items() if name in main.takes}

    def _improve(self, function: Function) -> None:
        """Run the passes on a function; in the end its lines are text alone, without the syntax trees of the passes."""
        single_names(function)
        look = Observer(function, self.known)
        constants(function, look(), self.known, self.setup)
        split(function, look())
        products(function, look())
        common(function, look())
        cheap(function, look(), self.known, self.setup)
        direct(function, look())
        dead_code(function, look())
        chains(function, look(), self.known, self.chains, self.count)
        self._hand_chains(function)
        facts = look()
        arena = into(function, facts)
        forget(function, facts, arena)
        if function is self.main:
            self.known |= arena.make()
        elif arena.places:
            self.arenas[function.name] = arena
            function.lines.insert(0, Line(f"{', '.join(arena.places)}, = {function.name}_work"))
            function.takes.insert(0, f"{function.name}_work")
            self._hand_work(function.name, f"{function.name}_work")
        if function is self.main:
            used = {name for line in function.lines for name in line.reads | line.changes} | {*function.gives}
            function.takes = [name for name in function.takes if name in used]
        function.lines = bare(function.lines)

    def _make_room(self) -> None:
        """Make the memory that the parts work in: one for each thread, as they run one after the other there."""
        size = max((arena.size for arena in self.arenas.values()), default=0)
        rooms = [aligned(size, np.uint8) for _ in range(self.count)]
        for name, arena in self.arenas.items():
            self.known[f"{name}_work"] = [[*arena.make(room).values()] for room in rooms]

    def _hand_work(self, name: str, work: str) -> None:
        """Hand a part the memory that it works in, or that its chains do."""
        for i, line in enumerate(self.main.lines):
            before, called, after = line.text.partition(f"in_parts({name}, [")
            if called:
                self.main.lines[i] = Line(f"{before}{called}{work}, {after}")

    def _hand_chains(self, part: Function) -> None:
        """Hand a part the memory that its chains work in; main finds it by itself."""
        if part is not self.main:
            names = {name for line in part.lines for name in line.reads}
            for work in sorted(f"{chain.name}_work" for chain in self.chains.values()):
                if work in names:
                    part.given[work] = self.known[work][0]
                    part.takes.insert(0, work)
                    self._hand_work(part.name, work)

    def start(self) -> dict[str, Any]:
        """Return copies of what the program starts from."""
        return samples(self.main.given)

    def gradients(self, given: dict[str, Any], results: Any) -> dict[str, Any]:
        """Find the gradients after the program ran: in rows, or among its results."""
        found = dict(zip(self.grads, results[len(results) - len(self.grads) :]))
        rows = {self.names.paths[call[0]]: given[f"row_{call[0]}"] for group in self.groups for call in group.calls
                if f"row_{call[0]}" in given}
        return found | rows

    def held(self, given: dict[str, Any]) -> dict[str, Any]:
        """Find what parameters, buffers and optimizers hold after the program ran: path -> array."""
        found = {path: given[name] for name, path in self.names.paths.items() if name in given}
        for group in self.groups:
            for i, take in enumerate(group.takes):
                flat = given[f"{group.name}_{take}"]
                if i != group.place:
                    shapes = [self.given[call[i]].shape for call in group.calls]
                    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
                    found |= {self.names.paths[call[i]]: flat[end - int(np.prod(shape)) : end].reshape(shape)
                              for call, end, shape in zip(group.calls, ends, shapes)}
        return found

    def release(self) -> None:
        """Forget the lines, and the numbers that they were observed with: the program is written and proved."""
        self.setup = []
        for function in (self.main, *self.parts):
            function.given, function.lines = {}, []
        del self.trace, self.program, self.given

    def _text(self) -> str:
        functions = [written(function) for function in (*self.parts, self.main)]
        functions = [*(chain.text for chain in self.chains.values()), *functions]
        setup = "\n".join(line.text for line in self.setup)
        return "\n\n".join(["\n".join(sorted(self.program.helpers.imports)), *self.texts, setup, *functions])

    def function(self) -> Any:
        """Make the function that runs."""
        file = f"<compiled {id(self):x}>"
        source = "\n\n".join(written(function) for function in (*self.parts, self.main))
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        exec(compile(source, file, "exec"), self.known)
        return self.known["step"]


def _guarded(lines: list[Line], trace: Trace, program: Program) -> list[Line]:
    """Check numbers that are computed in the step, and used as classes; arguments are checked before it begins."""
    memory = {root(array) for array in trace.arguments.values()}
    bounds = {program.names.of.get(id(array)): (low, high) for array, low, high in trace.assumptions
              if root(array) not in memory}
    guarded = []
    for line in lines:
        guarded.append(line)
        for name in sorted(line.binds & bounds.keys()):
            guarded.append(Line(f"{name} = in_bounds({name}, {bounds[name][0]}, {bounds[name][1]})"))
    return guarded


class _Remembering:
    """Runs the parts once: while main is observed, again and again, they would come to the same."""

    def __init__(self) -> None:
        self.results: dict[str, Any] = {}

    def __call__(self, function: Any, split: list[Any], whole: list[Any]) -> Any:
        if function.__name__ not in self.results:
            self.results[function.__name__] = in_parts(function, split, whole)
        return self.results[function.__name__]


def _given(trace: Trace, program: Program) -> dict[str, Any]:
    """What the program starts from."""
    of = program.names.of
    given = {name: array.copy() for name, array in zip(trace.arguments, trace.runs[0].batch, strict=True)}
    for group in (trace.params, trace.state):
        given |= {of[id(array)]: trace.start[id(array)].copy() for array in group.values()}
    generator = {"rng": copy.deepcopy(trace.generator)} if program.draws else {}
    return given | program.rates | generator

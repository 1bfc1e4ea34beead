"""A spelled step: readable text, a function that runs it, and a file that runs alone."""

from __future__ import annotations

import linecache
import os
import re
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from ..law.errors import SpellError
from . import alone
from .fold import fold as fold_blocks
from .layout import Page, aligned
from .names import Names
from .pair import Pair, Scene
from .tape import Call
from .trace import Trace
from .unused import without_unused
from .writer import Writer, rate_name

__all__ = ["Program"]


RESERVED = {
    "functools", "grad", "gradients", "main", "math", "name", "np", "params", "Path", "rng", "state", "step",
}


class Program:
    """One training step as plain NumPy: `str(program)` is its text, `run` runs it, `save` writes it to a file.

    detail  "statements": every statement where it runs; "rules": each rule as a function, which is called
    fold    whether what repeats is written once: blocks of the model as functions, updates as a loop; and whether what
            nobody reads is left out. Without it, the step is one statement after the other, for a compiler to read
    """

    def __init__(self, trace: Trace, title: str, *, detail: str = "statements", fold: bool = False) -> None:
        self.trace, self.title, self.fold = trace, title, fold
        self.rates = _rates(trace)  # name -> the rate at the start: inputs, so that a schedule may change them
        clash = (RESERVED | {*self.rates}) & {*trace.arguments}
        if clash:
            raise SpellError(f"The step's argument `{min(clash)}` has a name that the program uses itself; rename it.")
        self.names = Names(RESERVED | {*self.rates})
        self.names.keep(trace.arguments)
        for arrays in (trace.params, trace.state):
            self.names.claim(arrays)
        params = {id(p) for p in trace.params.values()}
        writer = Writer(self.names, params, trace.groups, id(trace.results[0]), detail, share=fold)
        self.blocks = writer.write(_live(trace))
        self.returns = [writer.names.text(result, "The step's result") for result in trace.results]
        self.helpers, self.draws = writer.helpers, writer.draws
        self.scene, self.pairs = self._scene(), list[Pair]()
        if fold:
            used = without_unused(self.blocks, self.returns)
            self.blocks, self.pairs, self.returns = fold_blocks(used, self.scene, self.returns)
        self.text = self._text()
        self._step: Any = None

    def __str__(self) -> str:
        return self.text

    def run(self, params: dict[str, Any], state: dict[str, Any], *batch: Any, **options: Any) -> Any:
        """Run the step: changes the arrays in `params` and `state` in place, and returns the loss.

        batch    arrays in the order of the step's arguments, in the shapes that it was spelled for
        options  lr=..., and rng=..., a NumPy generator, if the step draws random numbers
        """
        if self._step is None:
            file = f"<{self.title} {id(self):x}>"
            linecache.cache[file] = (len(self.text), None, self.text.splitlines(keepends=True), file)
            namespace: dict[str, Any] = {"__name__": "spelled"}
            exec(compile(self.text, file, "exec"), namespace)
            self._step = namespace["step"]
        return self._step(params, state, *batch, **options)

    def start(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return copies of the parameters and of the state that the step started from."""
        params, state = ({path: self.trace.start[id(array)].copy() for path, array in group.items()}
                         for group in (self.trace.params, self.trace.state))
        return params, state

    def save(self, path: str | os.PathLike[str], data: dict[str, Any] | None = None) -> None:
        """Write the text to `path`; with `data`, an array for each argument of the step, write a program that trains.

        The start and the data go into a file beside it, of the same name with the suffix .npz. Existing files are
        replaced whole or not at all.
        """
        if data is None:
            alone.write(Path(path), self.text.encode())
            return
        main = alone.main(self.trace.arguments, data, self.draws)
        params, state = self.start()
        alone.write_arrays(Path(path).with_suffix(".npz"), {"params": params, "state": state, "data": data})
        alone.write(Path(path), self._text({"from pathlib import Path"}, main).encode())

    def _text(self, imports: set[str] | None = None, main: str = "") -> str:
        parts = [f'"""{self.title}"""\n', _imports(self.helpers.imports | (imports or set()))]
        parts += [f"\n{text}" for text in self.helpers.texts.values()]
        page = Page(self.names.paths, set(self.trace.params), self.scene.orders, self.fold)
        parts += [f"\n{text}" for pair in self.pairs for text in pair.texts(page)]
        return "\n".join([*parts, f"\n{self._function(page)}"]) + main

    def _scene(self) -> Scene:
        shapes = {path: (group, str(array.shape)) for group, arrays in
                  (("params", self.trace.params), ("state", self.trace.state)) for path, array in arrays.items()}
        given = {*self.trace.arguments, *self.rates, "rng"}
        return Scene(self.names, {"functools", "math", "np", *self.helpers.texts}, given, shapes)

    def _function(self, page: Page) -> str:
        options = [f"{name}={rate!r}" for name, rate in self.rates.items()] + (["rng"] if self.draws else [])
        signature = ", ".join(["params", "state", *self.trace.arguments, *(["*", *options] if options else [])])
        about = "One step: change the arrays in params and state in place, and return the loss."
        computed = page.sections(self.blocks)
        result = aligned([(f"return {', '.join(self.returns)}", "")])
        lines = [*aligned(self._guards()), "", *self._unpack(computed), *computed, "", *result]
        header = "\n".join(aligned([(f"def step({signature}):", "")]))
        return f'{header}\n    """{about}"""\n' + textwrap.indent("\n".join(lines), "    ") + "\n"

    def _guards(self) -> list[tuple[str, str]]:
        """What was frozen is checked at entry, in words."""
        checks = []
        for name, array in self.trace.arguments.items():
            kind = f"{array.shape} {array.dtype}"
            words = f"This step was spelled for {name} {kind}, but {{{name}.shape}} {{{name}.dtype}} came."
            checks += [f'if {name}.shape != {array.shape} or {name}.dtype != "{array.dtype}":',
                       f'    raise ValueError(f"{words}")']
            for low, high in dict.fromkeys((low, high) for of, low, high in self.trace.assumptions if of is array):
                words = f"This step was spelled for {name} from {low} to {high - 1}; others came."
                checks += [f"if {name}.min() < {low} or {name}.max() >= {high}:", f'    raise ValueError("{words}")']
        return [(line, "") for line in checks]

    def _unpack(self, computed: list[str]) -> list[str]:
        """Name the arrays that the step reads."""
        used = set(re.findall(r"\w+", "\n".join(computed)))
        rows = [(self.names.of[id(array)], f'{group}["{path}"]', str(array.shape)) for group, arrays in
                (("params", self.trace.params), ("state", self.trace.state)) for path, array in arrays.items()]
        rows = [row for row in rows if row[0] in used]
        width = max((len(name) for name, *_ in rows), default=0)
        return aligned((f"{name:<{width}} = {source}", shape) for name, source, shape in rows)


def _imports(lines: set[str]) -> str:
    """Sort imports, the standard library first."""
    standard = sorted(line for line in lines if "numpy" not in line)
    return "\n".join([*standard, *([""] if standard else []), "import numpy as np\n"])


def _rates(trace: Trace) -> dict[str, float]:
    """Name the learning rates, one for each group of parameters."""
    rated = [call for call in trace.calls if call.kind == "update" and "lr" in call.given]
    found = {rate_name(trace.groups, call): call.given["lr"] for call in rated}
    return dict(sorted(found.items()))


def _live(trace: Trace) -> list[Call]:
    """Keep the calls that the results, the updates, and the changes of what is kept depend on."""
    kept, nodes = [], set()  # nodes whose backward is kept, so that their forward is needed too
    lasting = {id(array): array for array in (*trace.params.values(), *trace.state.values())}
    wanted = lasting | {id(array): array for array in trace.results}
    for call in reversed(trace.calls):
        changed = call.given["array"] if call.kind == "write" else None
        alive = any(np.may_share_memory(changed, array) for array in wanted.values()) if changed is not None else (
            call.kind == "update" or (call.kind == "forward" and call.owner in nodes) or
            any(id(v) in wanted and id(v) not in lasting for v in call.made.values() if hasattr(v, "shape")))
        if alive:
            nodes |= {call.owner} if call.kind == "backward" else set()
            wanted |= _arrays(call.given.values())
            kept.append(call)
    return kept[::-1]


def _arrays(values: Any) -> dict[int, Any]:
    """Collect arrays by identity, those inside tuples included."""
    found: dict[int, Any] = {}
    for value in values:
        found |= _arrays(value) if isinstance(value, tuple) else {id(value): value} if hasattr(value, "shape") else {}
    return found

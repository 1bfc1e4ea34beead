"""A program with a derivative: a forward that remembers, and a backward, which the engine runs as one operation's.

traced     y = tanh(x @ w);   grad_h = grad_result * (1 - y * y);   grad_w = x.T @ grad_h
forward    def forward(x, w): y = tanh(x @ w);   return y, x, y
backward   def backward(grad_result, x, y): grad_h = grad_result * (1 - y * y);   return x.T @ grad_h
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import linecache
import threading
from typing import Any

import numpy as np

from ..engine.tensor import Node, Port, Tensor, wrap
from ..law.errors import GradError, SpellError
from .blocked import written
from .build import Built
from .facts import Facts, observe
from .lines import Function, Line, lines_of
from .passes.constants import constants
from .passes.dead_code import dead_code
from .passes.into import into
from .passes.split import split
from .tracing import Traced

__all__ = ["Differentiable", "Graph"]

CUT = Line("pass")  # stands where the forward ends and the backward begins


class Differentiable(Built):
    """Two programs, made from one that computes gradients by its last arguments, the cotangents.

    forward    returns what the function does, and then `saved`, which the backward asks for
    backward   takes the cotangents and what was saved, and returns the gradients
    """

    forward: Function
    backward: Function

    def __init__(self, traced: Traced) -> None:
        self.outcome = traced.outcome
        self.cotangents = list(traced.trace.arguments)[len(traced.trace.arguments) - len(traced.outcome.outputs) :]
        super().__init__(traced.trace, traced.program)

    def _improve(self, function: Function) -> None:
        """Cut the program in two, and improve both parts. Constants go first, so that none of them is handed over."""
        function.lines.insert(self._end_of_forward(function.lines), CUT)
        constants(function, observe(function, self.known), self.known, self.setup)
        dead_code(function, observe(function, self.known))
        facts = observe(function, self.known)
        self.forward, self.backward = self._cut(function, facts)
        self.known_of: dict[str, dict[str, Any]] = {}  # each with the memory that it works in
        self.facts = observe(self.forward, self.known)
        for part in (self.forward, self.backward):
            split(part, observe(part, self.known))
            dead_code(part, observe(part, self.known))
            self.known_of[part.name] = {**self.known, **into(part, observe(part, self.known)).make()}
        function.takes = [*self.forward.takes, *self.cotangents]

    def _end_of_forward(self, lines: list[Line]) -> int:
        """Find the first line of the backward, by the lines of the blocks before it; guards stand in none."""
        count = 0
        for block in itertools.takewhile(lambda block: block.kind != "backward", self.program.blocks):
            count += len(lines_of("\n".join(text for text, _ in block.lines))) + len(block.steps)
        return [*(i for i, line in enumerate(lines) if " = in_bounds(" not in line.text), len(lines)][count]

    def _cut(self, function: Function, facts: Facts) -> tuple[Function, Function]:
        at = function.lines.index(CUT)
        before, after = function.lines[:at], function.lines[at + 1 :]
        # as they are where the forward ends: the backward may bind a name again
        values = observe(dataclasses.replace(function, lines=before), self.known).values
        saved = [name for name in sorted(_needs(after) & values.keys()) if name not in self.cotangents]
        if facts.sharing(name for line in after for name in line.changes) & facts.sharing(saved):
            raise SpellError("The backward of the function changes what its forward made, so it could run only once.")
        gives, grads = self._results(function)
        taken = (_needs(before) | {*gives, *saved}) - {*self.cotangents}
        forward = {name: value for name, value in function.given.items() if name in taken}
        backward = {name: _copied(values[name]) for name in (*self.cotangents, *saved)}
        self.saved = saved
        return (Function("forward", [*forward], before, [*gives, *saved], forward),
                Function("backward", [*backward], after, grads, backward))

    def _results(self, function: Function) -> tuple[list[str], list[str]]:
        """Tell what the function leaves from its derivatives, which come first among the gradients."""
        begin = len(self.results)
        end = begin + len(self.outcome.wanted)
        return [*function.gives[:begin], *function.gives[end:]], function.gives[begin:end]

    def _text(self) -> str:
        setup = "\n".join(line.text for line in self.setup)
        return "\n\n".join(["import numpy as np", *self.texts, setup, written(self.forward), written(self.backward)])

    def function(self) -> Any:
        """Make both functions; returns one that runs the forward, and then the backward, to be checked."""
        self.run_forward, self.run_backward = (self._made(part) for part in (self.forward, self.backward))
        cotangents, results, kept = len(self.cotangents), len(self.results), len(self.forward.gives) - len(self.saved)

        def run(*given: Any) -> tuple[Any, ...]:
            made = self.run_forward(*given[: len(given) - cotangents])
            grads = self.run_backward(*given[len(given) - cotangents :], *made[kept:])
            return *made[:results], *grads, *made[results:kept]

        return run

    def release(self) -> None:
        """Forget the numbers that the programs were observed with."""
        super().release()
        self.forward.given = self.backward.given = {}
        del self.facts

    def _made(self, function: Function) -> Any:
        file, source = f"<compiled {function.name} {id(self):x}>", written(function)
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        exec(compile(source, file, "exec"), known := self.known_of[function.name])
        return known[function.name]


def _needs(lines: list[Line]) -> set[str]:
    """Name what lines read that they have not bound before."""
    needs, bound = set[str](), set[str]()
    for line in lines:
        needs |= line.reads - bound
        bound |= line.binds
    return needs


def _copied(value: Any) -> Any:
    return value.copy(order="K") if isinstance(value, np.ndarray) else value


class Graph:
    """What a compiled function is to the engine: an operation whose backward is a program.

    name       what it is called in errors
    built      the program
    arguments  the names of the function's arguments
    tensors    path -> parameter or buffer
    """

    def __init__(self, name: str, built: Differentiable, arguments: list[str], tensors: dict[str, Tensor]) -> None:
        self.name, self.outcome, self.run = f"the compiled {name}", built.outcome, built.run_backward
        self.tensors = tensors
        self.lock = threading.Lock()  # the program works in memory of its own
        # whose changes in place would change what is saved: arguments, what the function reaches, and results
        memory, paths = built.facts.sharing(built.saved), built.program.names.paths
        shared = {name for name in built.forward.takes if built.facts.roots.get(name) in memory}
        self.arguments = [(name, i) for i, name in enumerate(arguments) if name in shared]
        self.held = [(paths[name], tensors[paths[name]]) for name in sorted(shared) if paths.get(name) in tensors]
        self.made = [i for i, name in enumerate(built.forward.gives[: self.outcome.made])
                     if built.facts.roots.get(name) in memory]
        self.everywhere = {*range(len(self.outcome.outputs))}
        self.gated = any(roads != self.everywhere for roads in self.outcome.roads)

    def pull(self, *given: Any) -> tuple[Any, ...]:
        """Run the backward, which makes new arrays each time."""
        with self.lock:
            return tuple(np.asarray(part) for part in self.run(*given))

    def record(self, arrays: list[Any], saved: tuple[Any, ...], arguments: list[Tensor]) -> list[Tensor]:
        """Wrap what the forward made in Tensors that lead back to it."""
        outs = [arrays[i] for i in self.outcome.outputs]
        gate = _Gate(self) if self.gated else None
        node = Node(gate or self, self._edges(arguments, gate), saved, [(out.shape, out.dtype) for out in outs], None)
        nodes = [node]
        if len(outs) == 1:
            node.shape, node.dtype = node.shape[0]
        else:
            nodes = [Port(node, i, len(outs), out.shape, out.dtype) for i, out in enumerate(outs)]
        if gate is not None:
            for i, port in enumerate(nodes):
                port.hooks = {gate: functools.partial(gate.note, i)}
        made = [wrap(array, None if port is None else nodes[port]) for array, port in zip(arrays, self.outcome.ports)]
        self.outcome.returned.share(arguments, made)
        remembered = [*((name, arguments[i]) for name, i in self.arguments), *self.held,
                      *((f"result {i}", made[i]) for i in self.made)]
        node.watched = [(name, tensor.version, tensor.version[0]) for name, tensor in remembered]
        return made

    def _edges(self, arguments: list[Tensor], gate: _Gate | None) -> list[Any]:
        """List where gradients go; those that not every output depends on go through the gate."""
        edges = []
        for place, roads in zip(self.outcome.wanted, self.outcome.roads):
            tensor = self.tensors[place] if isinstance(place, str) else arguments[place]
            edge = tensor.node or tensor
            gated = gate is not None and roads != self.everywhere
            edges.append(Node(_Way(gate, roads), [edge], (), edge.shape, edge.dtype) if gated else edge)
        return edges

    @property
    def rule(self) -> Any:
        """What create_graph asks for."""
        raise GradError(f"{self.name} has first derivatives only, so create_graph=True cannot go through it. Call the "
                        "function itself, which is its attribute `function`.")

    @property
    def backward(self) -> Any:
        """What a tape asks for."""
        raise SpellError(f"{self.name} was called before this step, and its graph cannot be spelled; call it in the "
                         "step.")


class _Gate:
    """Keeps zeros from those that the loss does not depend on, since not all outputs were used: they have no gradient.

    arrived  the outputs that a gradient came to; `used` are those by which the backward that is running was started
    """

    def __init__(self, graph: Graph) -> None:
        self.graph, self.name = graph, graph.name
        self.arrived, self.used = set[int](), set[int]()

    def note(self, output: int, gradient: Any) -> None:
        """Hear of a gradient; a hook of the engine."""
        self.arrived.add(output)

    def pull(self, *given: Any) -> tuple[Any, ...]:
        self.used, self.arrived = self.arrived, set()
        return self.graph.pull(*given)

    rule = property(lambda self: self.graph.rule)
    backward = property(lambda self: self.graph.backward)


class _Way:
    """The way to something that depends on some outputs only, its `roads`."""

    name = "a gate"

    def __init__(self, gate: Any, roads: set[int]) -> None:
        self.gate, self.roads = gate, roads

    def pull(self, gradient: Any) -> tuple[Any, ...]:
        return (gradient,) if self.roads & self.gate.used else ()

    rule = property(lambda self: self.gate.rule)
    backward = property(lambda self: self.gate.backward)

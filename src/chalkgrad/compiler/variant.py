"""One variant of a compiled function: for arguments of certain shapes, and a certain state of what it reaches."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.tensor import Tensor, wrap
from ..law.rule import reading
from ..spell.program import Program
from ..spell.trace import Trace
from .build import Built
from .check import check
from .differentiable import Differentiable, Graph
from .facts import root
from .flat import Rows, is_private
from .reach import Reach
from .sources import Sources
from .threads import one_blas_thread, threads
from .tracing import Step, Traced, is_written

__all__ = ["Body", "Variant"]


class Variant:
    """A function compiled for some arguments.

    A function that goes on with the gradients which it finds has a body for each choice of the parameters that have
    one. Any other has a single body: one that forgets them, or that does no more than add to them in the end.

    limit  how many bodies are kept
    """

    @reading()
    def __init__(
        self, function: Callable[..., Any], reach: Reach, structure: Any, leaves: list[Any], names: list[str],
        limit: int = 8,
    ) -> None:
        self.step, self.reach, self.limit = Step(function, reach, structure, names), reach, limit
        self.params = dict(reach.named_parameters())
        self.movable = _movable(self.params, reach)
        grads = _all_gradients(self.params)
        traced = self.step.trace(leaves, grads)
        self.reads = traced.reads and not traced.adds
        self.bodies: dict[tuple[str, ...], Body] = {}
        if self.reads:
            self.last = self._make(leaves)
            return
        if traced.adds:  # that is done when they are handed out, so the program is the same whether there are any
            ends, grads = traced.outcome, {}
            traced = self.step.trace(leaves, grads)
            traced = traced._replace(outcome=traced.outcome._replace(forgotten=ends.forgotten, added=ends.added))
        self.last = self.bodies[()] = Body(self.step, traced, leaves, grads, self.movable)

    @property
    def text(self) -> str:
        """The fast program that ran last."""
        return self.last.built.text

    @property
    def program(self) -> str:
        """The readable program that it was made from."""
        return self.last.readable

    def __call__(self, leaves: list[Any]) -> tuple[bool, Any]:
        """Run. Returns whether it could, and what the function returns."""
        self.last = self.bodies.get(self._present()) or self._make(leaves)
        return self.last(leaves)

    def _present(self) -> tuple[str, ...]:
        """Name the parameters that have a gradient, if that makes a difference."""
        return tuple([path for path, param in self.params.items() if param.grad is not None]) if self.reads else ()

    @reading()
    def _make(self, leaves: list[Any]) -> Body:
        present = self._present()
        while len(self.bodies) >= self.limit:
            self.bodies.pop(next(iter(self.bodies)))
        grads = {path: grad.data for path in present if (grad := self.params[path].grad) is not None}
        traced = self.step.trace(leaves, grads)
        self.bodies[present] = body = Body(self.step, traced, leaves, grads, self.movable)
        return body


class Body:
    """A program that runs in the place of a function.

    grads    path of a parameter -> the gradient that was there when the function was traced
    movable  the paths of parameters that may be laid into rows
    """

    def __init__(
        self, step: Step, traced: Traced, leaves: list[Any], grads: dict[str, Any], movable: frozenset[str]
    ) -> None:
        reach = step.reach
        self.reach, self.params = reach, step.params
        self.olds = [self.params[path] for path in grads] if traced.reads else []
        derived = _cotangents(traced)
        if derived:
            traced = step.trace(leaves, grads, derived)
        trace, self.outcome, self.readable = traced.trace, traced.outcome, str(traced.program)
        self.returned = self.outcome.returned
        reach.give_memory(trace)
        self.graph: Graph | None = None
        self.built = Differentiable(traced) if derived else _built(traced, _small(step, leaves, grads), movable)
        self.run = self.built.function()
        if isinstance(self.built, Differentiable):
            check(self.built, self.run)
            tensors = dict(reach.named_parameters()) | dict(reach.named_buffers())
            name = getattr(step.function, "__name__", type(step.function).__name__)
            self.graph = Graph(name, self.built, step.names, tensors)
            self.built.main, self.run = self.built.forward, self.built.run_forward
        self.rows = [self._rows(group) for group in self.built.groups]
        self.sources = Sources(self.built, self.rows, reach)
        left = [path for path in self.built.grads if path in self.params]
        self.grads = [(self.params[path], path in self.outcome.added) for path in left]
        self.forgotten = [self.params[path] for path in self.outcome.forgotten]
        held, arguments = [*reach.parameters(), *reach.buffers()], [*trace.arguments.values()][: len(leaves)]
        self.changed = [tensor for tensor in held if is_written(trace, tensor.data)]
        self.written = [i for i, array in enumerate(arguments) if is_written(trace, array)]
        self.saved = len(self.built.saved) if isinstance(self.built, Differentiable) else 0
        self.bounds = _bounds(trace)
        self.built.release()

    def __call__(self, leaves: list[Any]) -> tuple[bool, Any]:
        """Run. Returns whether it could, and what the function returns."""
        tensors = [leaf if isinstance(leaf, Tensor) else wrap(leaf, None) for leaf in leaves]
        arrays = [tensor.data for tensor in tensors]
        inside = all(arrays[i].min() >= low and arrays[i].max() < high for i, low, high in self.bounds)
        if not inside or any(tensors[i].node is not None or tensors[i].grad is not None for i in self.outcome.slopes):
            return False, None
        grads = [param.grad for param in self.olds]
        arrays += [grad.data for grad in grads if grad is not None]
        values = None
        try:
            ready = [rows.ready() for rows in self.rows]
            if not all(ready):
                return False, None
            with one_blas_thread() if self.built.parts else contextlib.nullcontext():
                values = self.run(*self.sources.read(arrays))
        finally:
            if values is None:  # then nothing happened
                for param, grad in zip(self.olds, grads):
                    param.grad = grad
        return True, self._hand_out(values, tensors)

    def _hand_out(self, values: tuple[Any, ...], arguments: list[Tensor]) -> Any:
        """Give the gradients to whom they belong, count the changes in place, and put together what is returned."""
        end = len(values) - self.saved
        self._hand_out_gradients(values[end - len(self.grads) : end])
        for tensor in self.changed:
            tensor.version[0] += 1
        for place in self.written:
            arguments[place].version[0] += 1
        arrays = [np.asarray(value) for value in values[: self.outcome.made]]
        for place, slope in zip(self.outcome.slopes, values[len(arrays) :]):
            arguments[place].grad = wrap(np.asarray(slope), None)
        if self.graph is not None:
            made = self.graph.record(arrays, values[end:], arguments)
        else:
            made = [wrap(array, None) for array in arrays]
            self.returned.share(arguments, made)
        return self.returned.hand_out(arguments, made)

    def _hand_out_gradients(self, grads: tuple[Any, ...]) -> None:
        for param in self.forgotten:
            param.grad = None
        for rows in self.rows:
            rows.hand_out()
        for (param, added), array in zip(self.grads, grads):
            if not added or param.grad is None:
                param.grad = wrap(np.asarray(array), None)
            elif self.olds:  # the program has added to it
                param.grad.data = np.asarray(array)
            else:
                param.grad.data = np.asarray(param.grad.data + array)

    def _rows(self, group: Any) -> Rows:
        paths = self.built.program.names.paths
        columns = [[call[i] for call in group.calls] for i in range(len(group.takes)) if i not in (0, group.place)]
        memory = [self.reach.reader([paths[name] for name in column]) for column in columns]
        count = self.built.count if group.name in self.built.others else 1
        names = tuple(paths[call[0]] for call in group.calls)
        if (names, group.rule) not in self.reach.rows:
            self.reach.rows[names, group.rule] = Rows([self.params[name] for name in names], memory)
        rows: Rows = self.reach.rows[names, group.rule]
        return rows.provide(count)


def _movable(params: dict[str, Tensor], reach: Reach) -> frozenset[str]:
    """Name the parameters that may be laid into rows: nobody else holds their arrays, or they lie in ours already."""
    ours = {id(view) for rows in reach.rows.values() for view in rows.param.views}
    return frozenset(path for path, param in params.items() if is_private(param) or id(param.data) in ours)


def _all_gradients(params: dict[str, Tensor]) -> dict[str, Any]:
    """Return a gradient of every parameter, made up where there is none, to see what the function does with it."""
    rng = np.random.default_rng(0)
    return {path: _drawn(param.data, rng) if param.grad is None else param.grad.data for path, param in params.items()}


def _cotangents(traced: Traced) -> list[Any]:
    """Draw derivatives by what the function returned; none if it ran a backward itself, or nothing is to be derived."""
    if any(call.kind == "backward" for call in traced.trace.calls):
        return []
    rng = np.random.default_rng(0)
    outputs = [traced.trace.results[i] for i in traced.outcome.outputs]
    return [_drawn(output, rng) for output in outputs]


def _drawn(like: Any, rng: np.random.Generator) -> Any:
    return np.asarray(rng.standard_normal(like.shape)).astype(like.dtype)


def _built(traced: Traced, small: tuple[Trace, Program] | None, movable: frozenset[str]) -> Built:
    """Build and prove the program, run part by part if that can be; what cannot be divided runs on the whole batch."""
    if small is not None:
        try:
            built = Built(traced.trace, traced.program, small, threads(), movable)
            check(built, built.function())
            return built
        except Exception:  # whatever it was, the whole program is proved by itself
            pass
    built = Built(traced.trace, traced.program, None, threads(), movable)
    check(built, built.function())
    return built


def _small(step: Step, leaves: list[Any], grads: dict[str, Any]) -> tuple[Trace, Program] | None:
    """Trace the function with a part of the batch, if it can be divided."""
    count = _parts(leaves)
    if count == 1:
        return None
    try:
        small = step.trace([_first(leaf, len(leaves[0]), count) for leaf in leaves], grads)
    except Exception:  # what does not run on a part, since it holds the size of the batch, runs on the whole
        return None
    return small.trace, small.program


def _parts(leaves: list[Any]) -> int:
    """Decide into how many parts the batch may be divided."""
    count = threads()
    even = bool(leaves) and leaves[0].ndim > 0 and len(leaves[0]) % count == 0 and len(leaves[0]) >= 2 * count
    return count if even else 1


def _first(leaf: Any, length: int, count: int) -> Any:
    """Return the first part of a batch; what is no batch stays whole."""
    return leaf[: length // count] if leaf.ndim and len(leaf) == length else leaf


def _bounds(traced: Trace) -> list[tuple[int, int, int]]:
    """Find the arguments whose numbers must lie in a range, such as classes, wholly or by a view of them."""
    memory = [root(array) for array in traced.arguments.values()]
    return sorted({(memory.index(root(array)), low, high) for array, low, high in traced.assumptions
                   if root(array) in memory})

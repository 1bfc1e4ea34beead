"""A function in the shape in which it can be traced: it takes Tensors, and returns Tensors."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..engine.backward import grad
from ..engine.tensor import Tensor, wrap
from ..law.errors import SpellError
from ..spell.names import variable
from ..spell.program import RESERVED, Program
from ..spell.tape import Call
from ..spell.trace import Trace, trace
from .reach import Reach
from .returned import Returned, read
from .structure import assemble

__all__ = ["Outcome", "Step", "Traced", "is_written"]


class Outcome(NamedTuple):
    """What one run of the function came to.

    returned   what it returned, of which the program makes `made`
    slopes     the places of arguments that it left a gradient of; these gradients follow what it returned
    forgotten  the paths of parameters whose gradient is None in the end
    added      the paths of parameters whose gradient was added to
    untouched  the paths of parameters whose gradient is what it was
    outputs    which of those a graph leads to, each node once
    ports      for each of those, which of the outputs has its node; None if it has none
    wanted     where gradients go: places of arguments, and paths of parameters; theirs are the next results
    roads      for each of these, the outputs that it leads to
    """

    returned: Returned
    made: int
    slopes: list[int]
    forgotten: list[str]
    added: list[str]
    untouched: list[str]
    outputs: list[int]
    ports: list[int | None]
    wanted: list[int | str]
    roads: list[set[int]]


class Traced(NamedTuple):
    """A function that was traced, and its readable program.

    reads  whether it did anything with the gradients from before, but forget them
    adds   whether all that it did was to add to them in the end
    """

    trace: Trace
    program: Program
    outcome: Outcome
    reads: bool
    adds: bool


class Step:
    """Traces a function, with the gradients that are there before it runs as arguments, and derives it if asked to.

    structure  of the arguments, without their Tensors, whose names are `names`
    """

    def __init__(self, function: Callable[..., Any], reach: Reach, structure: Any, names: list[str]) -> None:
        self.function, self.structure, self.names = function, structure, names
        self.params, self.held = dict(reach.named_parameters()), [*reach.parameters(), *reach.buffers()]
        self.reach = reach

    def trace(self, leaves: list[Any], grads: dict[str, Any], cotangents: list[Any] | None = None) -> Traced:
        """Run the function on a tape.

        leaves      the arguments
        grads       path of a parameter -> its gradient before the function runs; others have none
        cotangents  the derivatives of a loss by what the function returns: then the gradients by all that requires one
                    are results as well
        """
        outcomes: list[Outcome] = []
        olds: list[Any] = []

        def step(*tensors: Tensor) -> Any:
            arguments, old, seeds, _ = _cut(tensors, len(leaves), len(grads), len(cotangents or ()))
            olds.extend(tensor.data for tensor in old)
            own = [wrap(tensor.data, None) for tensor in old]  # it is put another array in when it is added to
            made, outcome = self._run(leaves, arguments, dict(zip(grads, own)), seeds if cotangents else None)
            outcomes.append(outcome)
            return made

        names = self._names([f"old_grad_{variable(path)}" for path in grads], ["grad_result"] * len(cotangents or ()))
        step.__signature__ = _signature(names)  # type: ignore[attr-defined]
        traced = trace(step, (*leaves, *grads.values(), *(cotangents or ())), self.reach, self.reach.optimizers)
        ids = {id(array) for array in olds[: len(grads)]}
        reads, adds = _is_read(traced, ids), _is_added_to(traced, ids)
        if not reads:
            traced = _without(traced, names[len(leaves) : len(leaves) + len(grads)])
        traced = _with_results(traced, outcomes[0])
        return Traced(traced, Program(traced, "A compiled step."), outcomes[0], reads, adds)

    def _run(
        self, leaves: list[Any], arguments: list[Tensor], old: dict[str, Tensor], seeds: list[Tensor] | None
    ) -> tuple[tuple[Tensor, ...], Outcome]:
        """Run the function; returns all that a program is to return, and what it is."""
        before = {path: tensor.data for path, tensor in old.items()}
        for path, param in self.params.items():
            param.grad = old.get(path)
        for argument, leaf in zip(arguments, leaves):
            argument.requires_grad = getattr(leaf, "requires_grad", False)
        args, kwargs = assemble(self.structure, arguments)
        returned, made = read(self.function(*args, **kwargs), arguments, self.held)
        slopes = {i: argument.grad for i, argument in enumerate(arguments) if argument.grad is not None}
        if any(leaves[i].node is not None for i in slopes):
            raise SpellError("The function runs a backward, and an argument of it has a graph of its own, which that "
                             "would go on in. Detach the argument, or take the backward out of the function.")
        nodes = [tensor.node for tensor in made]
        outputs = [i for i, node in enumerate(nodes) if node is not None and node not in nodes[:i]]
        derived = self._derive([made[i] for i in outputs], arguments, seeds) if seeds else []
        ends = {path: self.params[path].grad for path in old}
        outcome = Outcome(
            returned, len(made), [*slopes],
            forgotten=[path for path, param in self.params.items() if param.grad is None],
            added=[path for path, end in ends.items() if end is old[path] and end.data is not before[path]],
            untouched=[path for path, end in ends.items() if end is not None and end.data is before[path]],
            outputs=outputs, ports=[None if node is None else outputs.index(nodes.index(node)) for node in nodes],
            wanted=[place for place, _, _ in derived], roads=[roads for _, _, roads in derived],
        )
        results = [*made, *slopes.values(), *(gradient for _, gradient, _ in derived)]
        # a program has a result: where there is none, anything that is at hand
        return tuple(results or [*arguments, *self.held][:1]), outcome

    def _derive(
        self, outputs: list[Tensor], arguments: list[Tensor], seeds: list[Tensor]
    ) -> list[tuple[int | str, Tensor, set[int]]]:
        """Differentiate what the function returned by all that requires a gradient and has one."""
        places: list[tuple[int | str, Tensor]] = [*enumerate(arguments), *self.params.items()]
        learned = [(place, tensor) for place, tensor in places if tensor.requires_grad]
        behind = [_behind(output.node) for output in outputs]  # before the backward, which frees the graph
        roads = [{i for i, edges in enumerate(behind) if tensor in edges} for _, tensor in learned]
        found = grad(outputs, [tensor for _, tensor in learned], tuple(seeds), allow_unused=True)
        return [(place, tensor, road) for (place, _), tensor, road in zip(learned, found, roads) if tensor is not None]

    def _names(self, *others: list[str]) -> list[str]:
        """Name the arguments of the program."""
        names = list(self.names)
        for name in (name for group in others for name in group):
            names.append(next(n for n in _numbered(name) if n not in names and n not in RESERVED))
        return names


def _behind(node: Any) -> set[Any]:
    """Collect all nodes and leaves that a gradient of this node reaches."""
    seen, stack = {node}, [node]
    while stack:
        new = {*getattr(stack.pop(), "edges", ())} - seen
        seen |= new
        stack += new
    return seen


def _cut(tensors: tuple[Tensor, ...], *counts: int) -> Iterator[list[Tensor]]:
    """Yield the first few, the next few, and so on; and last what is left."""
    for count in counts:
        yield list(tensors[:count])
        tensors = tensors[count:]
    yield list(tensors)


def _signature(names: Iterable[str]) -> inspect.Signature:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature([inspect.Parameter(name, kind) for name in names])


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}_{number}"
        number += 1


def _with_results(traced: Trace, outcome: Outcome) -> Trace:
    """Let what the function changed be results as well, and what it came to be gradients, where it is such."""
    end = len(traced.results) - len(outcome.wanted)
    derived = {f"{place}, derived": array for place, array in zip(outcome.wanted, traced.results[end:])}
    left = {path: array for path, array in traced.grads.items() if path not in outcome.untouched}
    # what is written over is read by nobody, but it is to be done
    written = [array for array in traced.arguments.values() if is_written(traced, array)]
    return dataclasses.replace(
        traced, results=[*traced.results[:end], *written, *derived.values(), *left.values()], grads=derived | left,
        runs=[run._replace(results=run.results[:end]) for run in traced.runs])


def is_written(traced: Trace, array: Any) -> bool:
    """Tell whether a function writes into the memory of an array."""
    return any(np.may_share_memory(array, call.given[name]) for call in traced.calls if call.kind in ("update", "write")
               for name in call.made if not name.startswith("grad"))


def _is_read(traced: Trace, ids: set[int]) -> bool:
    """Tell whether a function did anything with some arrays."""
    return any(id(value) in ids for value in _read(traced.calls, traced.results))


def _is_added_to(traced: Trace, ids: set[int]) -> bool:
    """Tell whether gradients were but added to in the end, each once, so that this may be done after the program."""
    sums = [call for call in traced.calls if getattr(call.code, "__name__", "") == "_add"]
    added = [call for call in sums if id(call.given["grad"]) in ids]
    made, ends = {id(call.made["grad"]) for call in added}, {id(array) for array in traced.grads.values()}
    others = [call for call in traced.calls if all(call is not each for each in added)]
    read = _read(others, [*traced.results, *(call.given["other"] for call in added)])
    once = len({id(call.given["grad"]) for call in added}) == len(added)
    return bool(added) and once and made <= ends and not any(id(value) in ids | made for value in read)


def _read(calls: list[Call], results: list[Any]) -> Iterator[Any]:
    yield from results
    for call in calls:
        yield from _flat(call.given.values())


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, tuple):
            yield from _flat(value)
        else:
            yield value


def _without(traced: Trace, names: list[str]) -> Trace:
    """Leave out arguments that nothing reads."""
    kept = [i for i, name in enumerate(traced.arguments) if name not in names]
    arguments = {name: array for name, array in traced.arguments.items() if name not in names}
    runs = [run._replace(batch=[run.batch[i] for i in kept]) for run in traced.runs]
    return dataclasses.replace(traced, arguments=arguments, runs=runs)

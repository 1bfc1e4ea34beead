"""Running a step once on a tape, and putting everything back as it was."""

from __future__ import annotations

import copy
import inspect
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..engine.tensor import Tensor, wrap
from ..law.code import Code
from ..law.errors import SpellError
from ..seeding import default_generator
from .render import literal
from .tape import Call, Tape, taping

__all__ = ["Run", "Trace", "trace"]

Array = np.ndarray[Any, Any]


class Run(NamedTuple):
    """One run of a step: what it was handed, and copies of what it returned, and of all that has a name."""

    batch: list[Array]
    results: list[Array]
    values: dict[str, Array]


@dataclass
class Trace:
    """A step that ran on a tape: its calls, what the arrays at hand are called, and the values it started from.

    arguments    name in the step's signature -> array
    params       "fc1.weight" -> array; the others, buffers and the optimizer's memory, are in `state`
    start        id of an array -> what it held before the step
    assumptions  (array, low, high): what the step relied on, low <= array < high
    groups       id of a parameter's array -> the number of its group in the optimizer
    generator, runs  what the proof of the program needs: the generator before the step, and its two runs
    """

    calls: list[Call]
    results: list[Array]
    arguments: dict[str, Array]
    params: dict[str, Array]
    state: dict[str, Array]
    start: dict[int, Array]
    assumptions: list[tuple[Array, int, int]]
    groups: dict[int, int]
    generator: np.random.Generator
    runs: list[Run]


def trace(step: Callable[..., Any], batch: tuple[Any, ...], model: Any, optimizers: list[Any]) -> Trace:
    """Run `step(*batch)` twice on a tape. Model, optimizers and generator are left as they were."""
    arrays = [np.array(value.data if isinstance(value, Tensor) else Tensor(value).data) for value in batch]
    names = _argument_names(step, len(arrays))
    scopes = {id(module): path for path, module in model.named_modules()}
    generator = copy.deepcopy(default_generator())
    params, buffers = dict(model.named_parameters()), dict(model.named_buffers())
    before = {id(tensor.data): tensor.data.copy() for tensor in (*params.values(), *buffers.values())}
    before |= {id(value.data): value.data.copy() for value in _memory(optimizers, params).values()}
    tape, runs, handed, ends = Tape(scopes), list[Run](), [], []
    with _restored(model, optimizers, tape):
        for values in (arrays, [_varied(array) for array in arrays]):
            handed.append([wrap(value.copy(), None) for value in values])  # a step may change what it is handed
            with taping(tape):
                results = _results(step(*handed[-1]))
            ends.append((len(tape.calls), results, buffers | _memory(optimizers, params)))
            runs.append(Run(values, [result.copy() for result in results], _values(model, optimizers, params)))
        end, results, state = ends[0]
        _check_repeats(tape.calls[:end], tape.calls[end:])
        return Trace(
            tape.calls[:end], results, _arrays(dict(zip(names, handed[0], strict=True))), _arrays(params),
            _arrays(state), _start(tape.calls[:end]) | before, tape.assumptions, _groups(optimizers), generator, runs,
        )


def _arrays(tensors: dict[str, Tensor]) -> dict[str, Array]:
    return {name: tensor.data for name, tensor in tensors.items()}


def _varied(array: Array) -> Array:
    """Another batch of the same kind: every second row is the one before it. A number read off the data changes."""
    rows = np.arange(len(array)) if array.ndim else None
    return array if rows is None else array[rows - rows % 2]


def _results(returned: Any) -> list[Array]:
    results = returned if isinstance(returned, tuple) else (returned,)
    if not results or not all(isinstance(result, Tensor) for result in results):
        raise SpellError(f"The step must return its loss, a Tensor, or several; it returned {type(returned).__name__}.")
    return [result.data for result in results]


def _argument_names(step: Callable[..., Any], count: int) -> list[str]:
    """Name the arguments of a step; the program takes them under the same names."""
    parameters = list(inspect.signature(step).parameters.values())[:count]
    if len(parameters) < count or any(p.kind in (p.VAR_POSITIONAL, p.KEYWORD_ONLY) for p in parameters):
        raise SpellError(f"The step names {len(parameters)} arguments, but {count} came; name each: def step(x, t).")
    return [parameter.name for parameter in parameters]


def _values(model: Any, optimizers: list[Any], params: dict[str, Tensor]) -> dict[str, Array]:
    """Copy all that has a name, as it stands in the model now."""
    named = dict(model.named_parameters()) | dict(model.named_buffers()) | _memory(optimizers, params)
    return {name: tensor.data.copy() for name, tensor in named.items()}


def _check_repeats(first: list[Call], second: list[Call]) -> None:
    """A program does the same at every step; refuse a step that did not, the second time."""
    # the engine's own calls need not be compared: what they come to is, in check.py
    for one, two in itertools.zip_longest(*([c for c in calls if c.kind != "engine"] for calls in (first, second))):
        if one is None or two is None or _what(one) is not _what(two):
            once, again = ("nothing" if call is None else _name(call) for call in (one, two))
            raise SpellError(f"The step did something else the second time that it ran ({again} instead of {once}), so "
                             "it cannot be one program. Was a gradient left from the step before? Zero all of them.")
        if one.kind != "backward":  # what a backward reads is what a forward, which was checked, came to
            _check_constants(one, two)


def _what(call: Call) -> Any:
    return call.code.rule if isinstance(call.code, Code) else call.code


def _check_constants(one: Call, two: Call) -> None:
    """What the program would hold as a number must be the same number at every step."""
    for name, before in one.given.items():
        after = two.given.get(name)
        if literal(before) is not None and before != after:
            raise SpellError(f"{_name(one)}: {name} was {before} in the first step and {after} in the second, and a "
                             "program would hold one of them. Hand it in as an argument; if only the first step is "
                             "special, take a step before you spell it.")


def _name(call: Call) -> str:
    return str(call.code.rule.name if isinstance(call.code, Code) else call.code.__name__)


@contextmanager
def _restored(model: Any, optimizers: list[Any], tape: Tape) -> Iterator[None]:
    """Undo what a step does to the model, the optimizers' memory, the generator, and all else that the tape saw."""
    tensors = [*model.parameters(), *model.buffers()]
    before = [(tensor, tensor.data, tensor.data.copy(), tensor.grad) for tensor in tensors]
    memories = [copy.deepcopy(optimizer.state_dict()) for optimizer in optimizers]
    generator = copy.deepcopy(default_generator().bit_generator.state)
    try:
        yield
    finally:
        for call in reversed(tape.calls):
            if call.kind in ("update", "write"):
                for name, array in call.made.items():
                    np.copyto(call.given[name], array)
        for tensor, data, values, grad in before:
            np.copyto(data, values)
            tensor.data, tensor.grad = data, grad
        for optimizer, memory in zip(optimizers, memories, strict=True):
            optimizer.load_state_dict(memory)
        default_generator().bit_generator.state = generator


def _memory(optimizers: list[Any], params: dict[str, Tensor]) -> dict[str, Tensor]:
    """Name what the optimizers remember: "fc1.weight.exp_avg"."""
    return {f"{name}.{key}": value for optimizer in optimizers for name, param in params.items()
            for key, value in optimizer.state.get(param, {}).items() if isinstance(value, Tensor)}


def _groups(optimizers: list[Any]) -> dict[int, int]:
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    return {id(param.data): i for i, group in enumerate(groups) for param in group["params"]}


def _start(calls: list[Call]) -> dict[int, Array]:
    """Find what the arrays that were changed held before the first change."""
    start: dict[int, Array] = {}
    for call in reversed(calls):
        if call.kind in ("update", "write"):
            start |= {id(call.given[name]): array for name, array in call.made.items()}
    return start

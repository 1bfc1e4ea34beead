"""Running a step once on a tape, and putting everything back as it was."""

from __future__ import annotations

import copy
import inspect
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.tape import Call, Tape, taping
from ..engine.tensor import Tensor
from ..law.code import Code
from ..seeding import default_generator
from .names import SpellError
from .render import literal

__all__ = ["Trace", "trace"]

Array = np.ndarray[Any, Any]


@dataclass
class Trace:
    """One run of a step: its calls, what the arrays at hand are called, and the values it started from.

    arguments    name in the step's signature -> array
    params       "fc1.weight" -> array; the others, buffers and the optimizer's memory, are in `state`
    assumptions  (array, low, high): what the step relied on, low <= array < high
    groups       id of a parameter's array -> the number of its group in the optimizer
    """

    calls: list[Call]
    results: list[Array]
    arguments: dict[str, Array]
    params: dict[str, Array]
    state: dict[str, Array]
    start: dict[int, Array]
    assumptions: list[tuple[Array, int, int]]
    groups: dict[int, int]


def trace(step: Callable[..., Any], batch: tuple[Any, ...], model: Any, optimizer: Any) -> Trace:
    """Run `step(*batch)` on a tape. Model, optimizer and generator are left as they were."""
    tensors = [value if isinstance(value, Tensor) else Tensor(value) for value in batch]
    names = list(inspect.signature(step).parameters)[: len(tensors)]
    params, state = dict(model.named_parameters()), dict(model.named_buffers())
    scopes = {id(module): path for path, module in model.named_modules()}
    with _restored([*params.values(), *state.values()], optimizer), taping(Tape(scopes)) as tape:
        returned = step(*tensors)
        state |= _memory(optimizer, params)
        calls, assumptions = list(tape.calls), list(tape.assumptions)
        start = _start(calls, params, state)
        step(*tensors)
        _check_repeats(calls, tape.calls[len(calls) :])
    results = returned if isinstance(returned, tuple) else (returned,)
    if not all(isinstance(result, Tensor) for result in results):
        raise SpellError(f"The step must return its loss, a Tensor, or several; it returned {type(returned).__name__}.")
    return Trace(
        calls, [result.data for result in results], dict(zip(names, (t.data for t in tensors), strict=True)),
        {name: p.data for name, p in params.items()}, {name: s.data for name, s in state.items()}, start,
        assumptions, _groups(optimizer),
    )


def _check_repeats(first: list[Call], second: list[Call]) -> None:
    """A program does the same at every step; refuse a step that did not, the second time."""
    for one, two in itertools.zip_longest(first, second):
        if one is None or two is None or _what(one) is not _what(two):
            raise SpellError("The step did something else the second time that it ran, so it cannot be one program.")
        if isinstance(one.code, Code):
            _check_options(one.code, one.given, two.given)


def _what(call: Call) -> Any:
    return call.code.rule if isinstance(call.code, Code) else call.code


def _check_options(code: Code, first: dict[str, Any], second: dict[str, Any]) -> None:
    for name in code.rule.options:
        before, after = first.get(name), second.get(name)
        if literal(before) is not None and before != after:
            raise SpellError(f"{code.rule.name}: {name} was {before} in the first step and {after} in the second. "
                             "Take a step before you spell it.")


@contextmanager
def _restored(tensors: list[Tensor], optimizer: Any) -> Iterator[None]:
    """Undo what a step does to tensors, to the optimizer's memory, and to the default generator."""
    before = [(tensor, tensor.data.copy(), tensor.grad) for tensor in tensors]
    memory = None if optimizer is None else copy.deepcopy(optimizer.state_dict())
    generator = copy.deepcopy(default_generator().bit_generator.state)
    try:
        yield
    finally:
        for tensor, data, grad in before:
            np.copyto(tensor.data, data)
            tensor.grad = grad
        if optimizer is not None:
            optimizer.load_state_dict(memory)
        default_generator().bit_generator.state = generator


def _memory(optimizer: Any, params: dict[str, Tensor]) -> dict[str, Tensor]:
    """Name what the optimizer remembers: "fc1.weight.exp_avg"."""
    if optimizer is None:
        return {}
    return {f"{name}.{key}": value for name, param in params.items()
            for key, value in optimizer.state.get(param, {}).items() if isinstance(value, Tensor)}


def _groups(optimizer: Any) -> dict[int, int]:
    groups = [] if optimizer is None else optimizer.param_groups
    return {id(param.data): i for i, group in enumerate(groups) for param in group["params"]}


def _start(calls: list[Call], params: dict[str, Tensor], state: dict[str, Tensor]) -> dict[int, Array]:
    """Find what every array held before the step: before its first update, or still."""
    start = {id(tensor.data): tensor.data.copy() for tensor in (*params.values(), *state.values())}
    for call in reversed(calls):
        if call.kind == "update":
            start |= {id(array): call.made[name] for name, array in call.given.items() if name in call.made}
    return start

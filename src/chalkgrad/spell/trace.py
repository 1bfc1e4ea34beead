"""Running a step once on a tape, and putting everything back as it was."""

from __future__ import annotations

import copy
import inspect
import itertools
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..engine.tape import no_grad
from ..engine.tensor import Tensor, wrap
from ..law.errors import SpellError
from ..seeding import default_generator
from .repeats import check_carried, check_repeats, own_gradients, picked_by_masks
from .tape import Call, Tape, taping

__all__ = ["Run", "Trace", "trace"]

Array = np.ndarray[Any, Any]

# Other batches of the same kind: of n rows, which ones are taken, some of them twice or more.
ORDERS: tuple[Callable[[Array, int], Array], ...] = (
    lambda rows, n: rows - rows % 2,
    lambda rows, n: rows // 2,
    lambda rows, n: (n + rows) // 2,
    lambda rows, n: rows - rows % 3,
    lambda rows, n: rows // 3,
    lambda rows, n: rows - rows % 5,
)


class Run(NamedTuple):
    """One run of a step: what it was handed, and copies of what it returned, of what has a name, and of gradients."""

    batch: list[Array]
    results: list[Array]
    values: dict[str, Array]
    grads: dict[str, Array]


@dataclass
class Trace:
    """A step that ran on a tape: its calls, what the arrays at hand are called, and the values it started from.

    arguments    name in the step's signature -> array
    params       "fc1.weight" -> array; the others, buffers and the optimizer's memory, are in `state`
    start        id of an array -> what it held before the step
    assumptions  (array, low, high): what the step relied on, low <= array < high
    groups       id of a parameter's array -> the number of its group in the optimizer
    grads        the gradients that the step left: path of a parameter -> array
    generator, runs  what the proof of the program needs: the generator before the step, and its runs
    """

    calls: list[Call]
    results: list[Array]
    arguments: dict[str, Array]
    params: dict[str, Array]
    state: dict[str, Array]
    start: dict[int, Array]
    assumptions: list[tuple[Array, int, int]]
    groups: dict[int, int]
    grads: dict[str, Array]
    generator: np.random.Generator
    runs: list[Run]


class _End(NamedTuple):
    """Where a run ended: the number of calls by then, what it was handed, what it returned, and what there is."""

    calls: int
    handed: list[Tensor]
    results: list[Array]
    state: dict[str, Tensor]
    grads: dict[str, Array]
    run: Run


def trace(step: Callable[..., Any], batch: tuple[Any, ...], model: Any, optimizers: list[Any]) -> Trace:
    """Run `step(*batch)` several times on a tape. Model, optimizers and generator are left as they were."""
    arrays = [_array(value) for value in batch]
    names = _argument_names(step, len(arrays))
    tape = Tape({id(module): path for path, module in model.named_modules()})
    generator = copy.deepcopy(default_generator())
    params, buffers = dict(model.named_parameters()), dict(model.named_buffers())
    known = (*params.values(), *buffers.values(), *_memory(optimizers, params).values())
    before = {id(tensor.data): tensor.data.copy() for tensor in known}
    gradients = {id(array): name for name, array in _gradients(params).items()}
    with _restored(model, optimizers, tape):
        ends = list[_End]()
        for values in _batches(arrays, tape):
            with _other_rows(not ends):
                with _may_be_singular(tape, bool(ends)) as singular:
                    ends.append(_run(step, values, model, optimizers, (params, buffers), tape))
                if singular:
                    ends.append(_run(step, _scaled(arrays, values), model, optimizers, (params, buffers), tape))
        end = ends[0]
        _check_runs(tape.calls, ends, params)
        _check_sizes(lambda: _run(step, arrays, model, optimizers, (params, buffers), tape), tape, ends)
        calls = own_gradients(tape.calls[: end.calls], gradients)
        return Trace(
            calls, end.results, _arrays(dict(zip(names, end.handed, strict=True))), _arrays(params), _arrays(end.state),
            _start(calls) | before, tape.assumptions, _groups(optimizers), end.grads, generator, [e.run for e in ends],
        )


def _run(
    step: Callable[..., Any], values: list[Array], model: Any, optimizers: list[Any],
    named: tuple[dict[str, Tensor], dict[str, Tensor]], tape: Tape,
) -> _End:
    """Run a step once on the tape."""
    params, buffers = named
    handed = [wrap(value.copy(), None) for value in values]  # a step may change what it is handed
    with taping(tape):
        results = _results(step(*handed))
        _take_in(model, buffers)
    grads = _gradients(params)
    run = Run(values, [result.copy() for result in results], _values(model, optimizers, params),
              {path: array.copy() for path, array in grads.items()})
    state = buffers | _memory(optimizers, params)
    return _End(len(tape.calls), handed, results, state, grads, run)


@contextmanager
def _other_rows(first: bool) -> Iterator[None]:
    """Explain an error that comes with a batch that nobody gave, and keep its warnings to oneself."""
    try:
        with np.errstate(all=None if first else "ignore"):
            yield
    except Exception as error:
        if first or isinstance(error, SpellError):
            raise
        raise SpellError("The step ran, but not with other rows of its batch, of which some came twice and some did "
                         f"not; a program must run with any: {type(error).__name__}: {error}") from error


@contextmanager
def _may_be_singular(tape: Tape, others: bool) -> Iterator[list[Exception]]:
    """Where a matrix has no inverse any more, since other rows came, forget what was done, and tell of the error."""
    count, generator = len(tape.calls), copy.deepcopy(default_generator().bit_generator.state)
    errors: list[Exception] = []
    try:
        yield errors
    except Exception as error:
        if not others or not any(isinstance(each, np.linalg.LinAlgError) for each in (error, error.__cause__)):
            raise
        errors.append(error)
        _undo(tape.calls[count:])
        del tape.calls[count:]
        default_generator().bit_generator.state = generator


def _undo(calls: list[Call]) -> None:
    """Take back what was changed in place."""
    for call in reversed(calls):
        if call.kind in ("update", "write"):
            for name, array in call.made.items():
                np.copyto(call.given[name], array)


def _scaled(arrays: list[Array], others: list[Array]) -> list[Array]:
    """Make another batch whose matrices have an inverse if those of the first have: of smaller numbers."""
    return [array * array.dtype.type(0.75) if array.dtype.kind == "f" else other
            for array, other in zip(arrays, others, strict=True)]


def _check_runs(calls: list[Call], ends: list[_End], params: dict[str, Tensor]) -> None:
    """Hold every run to the first one, and refuse one that goes on from the run before by what has no name."""
    first = ends[0]
    lasting = {id(tensor.data): name for name, tensor in (params | first.state).items()}
    gradients = {id(array) for array in first.grads.values()}
    for one, two in itertools.pairwise(ends):
        check_carried(calls[: one.calls], calls[one.calls : two.calls], lasting)
        check_repeats(calls[: first.calls], calls[one.calls : two.calls], gradients)


def _check_sizes(run: Callable[[], Any], tape: Tape, ends: list[_End]) -> None:
    """Refuse a number that follows from how many a mask lets through, where that was the same in every run.

    That is so for a mask that lets everything through. So it is run again, with masks that let one less.
    """
    starts = [0, *(end.calls for end in ends)]
    picked = [picked_by_masks(tape.calls[start:end]) for start, end in itertools.pairwise(starts)]
    if not any(len(set(shapes)) == 1 for shapes in zip(*map(_frozen, picked))):
        return
    tape.resized = True
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run()
    except SpellError:
        raise
    except Exception:  # the sizes have to fit, and so cannot change
        return
    finally:
        tape.resized = False
    gradients = {id(array) for array in ends[0].grads.values()}
    check_repeats(tape.calls[: ends[0].calls], tape.calls[starts[-1] :], gradients)


def _frozen(picked: list[list[tuple[int, ...]]]) -> list[tuple[tuple[int, ...], ...]]:
    return [tuple(shapes) for shapes in picked]


def _array(value: Any) -> Array:
    if isinstance(value, np.random.Generator):
        raise SpellError("A generator is no part of a batch. Draw from the default generator in the step; the program "
                         "takes the one to draw from as `rng`.")
    return np.array(value.data if isinstance(value, Tensor) else Tensor(value).data)


def _gradients(params: dict[str, Tensor]) -> dict[str, Array]:
    return {name: param.grad.data for name, param in params.items() if param.grad is not None}


def _take_in(model: Any, buffers: dict[str, Tensor]) -> None:
    """Write a Tensor that was put in the place of a buffer over the buffer, which is what a program can do."""
    for path, tensor in model.named_buffers():
        buffer = buffers.get(path)
        if buffer is not None and tensor is not buffer:
            if tensor.shape != buffer.shape or tensor.dtype != buffer.dtype:
                raise SpellError(f"The step put a Tensor of shape {tensor.shape} and {tensor.dtype} in the place of "
                                 f"the buffer `{path}`, of {buffer.shape} and {buffer.dtype}; a program keeps both.")
            with no_grad():
                buffer.become(tensor)
            _set(model, path, buffer)


def _set(model: Any, path: str, value: Tensor | None) -> None:
    owner, _, name = path.rpartition(".")
    setattr(model.get_submodule(owner), name, value)


def _arrays(tensors: dict[str, Tensor]) -> dict[str, Array]:
    return {name: tensor.data for name, tensor in tensors.items()}


def _batches(arrays: list[Array], tape: Tape) -> Iterator[list[Array]]:
    """Yield the batch, and then others of the same kind, with which a number that is read off the data changes.

    How many rows a mask lets through may well be the same for two batches; then more are tried.
    """
    yield arrays
    first = picked_by_masks(tape.calls)
    same = set(range(len(first)))  # masks that have let through as many every time
    for order in ORDERS if first else ORDERS[:1]:
        start = len(tape.calls)
        yield [array[order(np.arange(len(array)), len(array))] if array.ndim else array for array in arrays]
        picked = picked_by_masks(tape.calls[start:])
        same -= {i for i, (one, other) in enumerate(zip(first, picked)) if one != other}
        if not same:
            break


def _results(returned: Any) -> list[Array]:
    results = returned if isinstance(returned, tuple) else (returned,)
    others = {type(result).__name__ for result in results if not isinstance(result, Tensor)}
    if others or not results:
        inside = f" that holds {', '.join(sorted(others)) or 'nothing'}" if isinstance(returned, tuple) else ""
        raise SpellError("The step must return its loss, a Tensor, or a tuple of Tensors; it returned "
                         f"{type(returned).__name__}{inside}.")
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


@contextmanager
def _restored(model: Any, optimizers: list[Any], tape: Tape) -> Iterator[None]:
    """Undo what a step does to the model, the optimizers' memory, the generator, and all else that the tape saw."""
    tensors = [*model.parameters(), *model.buffers()]
    before = [(tensor, tensor.data, tensor.data.copy(), tensor.grad, _data(tensor.grad)) for tensor in tensors]
    buffers = dict(model.named_buffers())
    memories = [(optimizer, {param: dict(kept) for param, kept in optimizer.state.items()},
                 [dict(group) for group in optimizer.param_groups]) for optimizer in optimizers]
    generator = copy.deepcopy(default_generator().bit_generator.state)
    try:
        yield
    finally:
        _undo(tape.calls)
        for path, tensor in list(model.named_buffers()):
            if tensor is not buffers.get(path):
                _set(model, path, buffers.get(path))
        for tensor, data, values, grad, slope in before:
            np.copyto(data, values)
            tensor.data, tensor.grad = data, grad
            if grad is not None:  # an accumulated gradient is a new array in the same Tensor
                grad.data = slope
        for optimizer, memory, groups in memories:  # the numbers in it are back by now, as all that the tape saw
            optimizer.state.clear()
            optimizer.state.update(memory)
            for group, options in zip(optimizer.param_groups, groups):
                group.clear()
                group.update(options)
        default_generator().bit_generator.state = generator


def _data(tensor: Tensor | None) -> Array | None:
    return None if tensor is None else tensor.data


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

"""A step twice, eager and compiled, from the same start: what both return and leave behind is compared."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim
from chalkgrad.compiler import variant
from chalkgrad.compiler.check import TOLERANCE
from chalkgrad.compiler.structure import take_apart
from chalkgrad.nn import functional as F

__all__ = [
    "Make", "Setup", "adam", "assert_twins", "batch", "batches", "close", "divided", "learning", "network", "normed",
    "rows", "same", "sgd",
]

Setup = tuple[nn.Module, list[optim.Optimizer], Callable[..., Any]]  # a model, its optimizers, and a step with both
Make = Callable[[], Setup]


def divided(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Let batches be divided into so many parts, however small they are."""
    monkeypatch.setattr(variant, "threads", lambda: count)
    for bound in ("EACH", "ENOUGH", "MOST"):
        monkeypatch.setattr(importlib.import_module("chalkgrad.compiler.passes.parts"), bound, 0.0)


def rows(seed: int, count: int = 8) -> tuple[Any, Any]:
    """Draw rows of 6 numbers, and a class of each, 0 to 2."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, 6), np.float32), rng.integers(0, 3, count)


def batch(seed: int, count: int = 8) -> tuple[Tensor, Tensor]:
    """Draw them as Tensors."""
    x, target = rows(seed, count)
    return Tensor(x), Tensor(target)


def batches(i: int, step: Any, *_: Any) -> Any:
    """Call a step with the i-th batch."""
    return step(*batch(i))


def network() -> nn.Module:
    """Build a small network."""
    return nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))


def learning(model: nn.Module, *optimizers: optim.Optimizer, between: Callable[[nn.Module], Any] | None = None) -> Any:
    """Write the step that everybody writes; `between` is called with the gradients at hand."""

    def step(x: Tensor, target: Tensor) -> Any:
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss = F.cross_entropy(model(x), target)
        loss.backward()
        more = () if between is None else (between(model),)
        for optimizer in optimizers:
            optimizer.step()
        return (loss, *more) if more else loss

    return step


def adam(model: nn.Module | None = None, **options: Any) -> Setup:
    """Train a network by Adam."""
    model = model or network()
    optimizer = optim.Adam(model.parameters(), 0.01, **options)
    return model, [optimizer], learning(model, optimizer)


def sgd(between: Any = None) -> Setup:
    """Train a network by gradient descent with momentum."""
    model = network()
    optimizer = optim.SGD(model.parameters(), 0.1, momentum=0.9)
    return model, [optimizer], learning(model, optimizer, between=between)


def normed() -> nn.Module:
    """Build a network with running averages and chance; no bias before the norm, whose gradient would be rounding."""
    return nn.Sequential(nn.Linear(6, 5, bias=False), nn.BatchNorm1d(5), nn.ReLU(), nn.Dropout(0.25), nn.Linear(5, 3))


def assert_twins(
    make: Make, call: Callable[..., Any] = batches, steps: int = 6, exact: bool = True, tolerance: float = TOLERANCE
) -> Any:
    """Run a step several times, eager and compiled; returns the compiled function.

    make  builds a model, optimizers and a step; it is called twice, from the same seed
    call  call(i, step, model, optimizers) calls the step for the i-th time, and may change anything around it
    exact  to the last bit; if not, within the tolerance of the largest number of a kind
    """
    runs = []
    for compiled in (False, True):
        cg.manual_seed(0)
        model, optimizers, step = make()
        step = cg.compile(step) if compiled else step
        runs.append((step, [_told(call(i, step, model, *optimizers), model, optimizers) for i in range(steps)]))
    (_, eager), (step, fast) = runs
    for i, (one, other) in enumerate(zip(fast, eager, strict=True)):
        same(one, other, f"step {i}", None if exact else tolerance)
    return step


def same(one: dict[str, Any], other: dict[str, Any], where: str, tolerance: float | None) -> None:
    """Hold what a compiled step came to against the eager one."""
    assert list(one) == list(other), where
    largest = {kind: max(sizes) for kind, sizes in _sizes(other).items()}
    for name, value in other.items():
        if isinstance(value, np.ndarray):
            scale = None if tolerance is None else tolerance * largest[name.partition(" ")[0]]
            close(one[name], value, f"{where}: {name}", scale)
        else:
            assert one[name] == value and type(one[name]) is type(value), f"{where}: {name}"


def close(one: Any, other: Any, what: str, within: float | None = None) -> None:
    """Compare arrays to the last bit, or within a distance; dtypes and shapes are the same."""
    assert isinstance(one, np.ndarray) and (one.dtype, one.shape) == (other.dtype, other.shape), what
    if within is None:
        np.testing.assert_array_equal(one, other, err_msg=what)
    else:
        np.testing.assert_allclose(one, other, rtol=0, atol=within, err_msg=what)


def _sizes(told: dict[str, Any]) -> dict[str, list[float]]:
    """List the largest numbers of each kind: results, gradients, values, what optimizers remember."""
    sizes: dict[str, list[float]] = {}
    for name, value in told.items():
        if isinstance(value, np.ndarray):
            finite = np.abs(value[np.isfinite(value)].astype(np.float64))
            sizes.setdefault(name.partition(" ")[0], []).append(float(finite.max(initial=0)))
    return sizes


def _told(result: Any, model: nn.Module, optimizers: list[optim.Optimizer]) -> dict[str, Any]:
    """Copy all that a step returned and left behind."""
    leaves: list[Any] = []
    told = {"structure": str(take_apart(result, leaves))}
    told |= {f"result {i}": np.copy(leaf.data if isinstance(leaf, Tensor) else leaf) for i, leaf in enumerate(leaves)}
    for path, tensor in [*model.named_parameters(), *model.named_buffers()]:
        told[f"value {path}"] = tensor.data.copy()
        told[f"grad {path}"] = None if tensor.grad is None else tensor.grad.data.copy()
    for i, optimizer in enumerate(optimizers):
        told |= dict(_remembered(i, optimizer))
    return told


def _remembered(i: int, optimizer: optim.Optimizer) -> Iterator[tuple[str, Any]]:
    state = optimizer.state_dict()
    yield f"groups {i}", str(state["param_groups"])
    for number, values in state["state"].items():
        for key, value in values.items():
            yield f"{key} {i}.{number}", value.data

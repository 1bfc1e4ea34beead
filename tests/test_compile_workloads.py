"""What the benchmarks train, with fewer rows: eager and compiled come to the same, for 200 steps."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from benchmarks import gpt_mini, training

import chalkgrad as cg
from chalkgrad import Tensor
from chalkgrad.compiler.check import TOLERANCE

from .twins import Setup, assert_twins, divided

MODULES = ["autoencoder", "char_rnn", "cnn", "gpt_mini", "gpt_small", "lenet5", "mnist_mlp", "moons_mlp", "resnet20",
           "tcn", "vae"]  # fmt: skip
ROWS = 4
SMALLER = {
    "gpt-mini": gpt_mini.task(layers=2, width=64, length=16, count=ROWS),
    "gpt-small-step": gpt_mini.task(layers=3, width=96, length=12, count=ROWS),
}
TASKS: dict[str, Any] = {name: SMALLER.get(name) or build.args[2] for module in MODULES for name, build in
                         importlib.import_module(f"benchmarks.{module}").workloads("chalkgrad").items()}


def shrunk(array: Any) -> Any:
    """Take a few rows; of long ones, the beginning."""
    array = array[:ROWS]
    return array[:, :12] if array.ndim == 2 and array.shape[1] == 64 else array[..., :48] if array.ndim == 3 else array


def rows(i: int, name: str) -> tuple[Tensor, Tensor]:
    """Return the batch of a workload in the order of the i-th step."""
    x, target = map(shrunk, TASKS[name].batch)
    order = np.random.default_rng(i).permutation(len(x))
    return Tensor(x[order]), Tensor(target[order])


def twins(name: str, steps: int, exact: bool) -> Any:
    """Compare all that there is after each step."""

    def make() -> Setup:
        step, model, optimizer = training._step(cg, TASKS[name])
        return model, [optimizer], step

    return assert_twins(make, lambda i, step, *_: step(*rows(i, name)), steps, exact)


def test_every_workload_is_here(root: Any) -> None:
    found = {path.stem for path in (root / "benchmarks").glob("*.py") if 'KIND = "training"' in path.read_text()}
    assert found == set(MODULES)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("name", TASKS)
def test_the_first_steps_of_every_workload(name: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    divided(monkeypatch, count)
    compiled = twins(name, 3, exact=count == 1)
    assert ("in_parts(part_" in compiled.source) == (count > 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_200_steps_of_every_workload_to_the_last_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    divided(monkeypatch, 1)
    twins(name, 200, exact=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_200_steps_of_every_workload_in_parts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two trainings that differ by rounding drift apart; what they come to, the loss, is the same."""
    divided(monkeypatch, 2)
    losses = []
    for compile in (lambda step: step, cg.compile):
        step = compile(training._step(cg, TASKS[name])[0])
        losses.append([step(*rows(i, name)).item() for i in range(200)])
    np.testing.assert_allclose(losses[1], losses[0], rtol=0, atol=TOLERANCE * max(losses[0]))

"""Large arrays are written over what is read for the last time, and parts that follow each other work in one memory."""

import importlib

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn, optim
from chalkgrad.compiler.facts import root

from .test_compile_passes import passed, program_of
from .twins import divided

# The text, what it returns, what is written over, and what must not be.
OVER: dict[str, tuple[str, str, list[str], list[str]]] = {
    "read for the last time": ("z = a @ b; y = z + 1", "y", ["y = np.add(z, 1, out=z)"], []),
    "read again": ("z = a @ b; w = z + 1; y = w * z", "y", ["w = z + 1", "y = np.multiply(w, z, out=w)"], ["out=z"]),
    "by a view": ("z = a @ b; v = z.reshape(24, 24); y = v + 1", "y", ["out=v)"], []),
    "a view is read later": ("z = a @ b; v = z[1:]; w = z + 1; y = w[1:] * v", "y", ["w = z + 1"], ["out=z"]),
    "returned": ("z = a @ b; y = z + 1", "y, z", ["y = z + 1"], []),
    "an argument": ("y = a + 1", "y", ["y = a + 1"], []),
    "a view of an argument": ("v = a.T; y = v + 1", "y", ["y = v + 1"], []),
    "another shape": ("z = a[0] * b[0]; y = z + a", "y", [], ["out="]),
    "another kind": ("z = a @ b; y = z > 0", "y", [], ["out="]),
    "another order": ("z = a @ b; v = z.T; y = v + a", "y", [], ["out="]),
    "made by a helper": ("z = np.array([each * 2 for each in a]); y = z + 1", "y", [], ["out="]),
    "a product": ("z = a + b; y = z @ a", "y", [], ["out="]),
    "a loop goes on from it": ("z = a @ b\nfor i in range(2):\n    z = z + a\ny = z + 1", "y", ["y = z + 1"], []),
}


@pytest.fixture
def all_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("chalkgrad.compiler.passes.into"), "LARGE", 1)


@pytest.mark.usefixtures("all_are_large")
@pytest.mark.parametrize("name", OVER)
def test_large_arrays_take_over_memory(name: str) -> None:
    text, gives, has, has_not = OVER[name]
    after = passed("into", text, gives)
    for part in has:
        assert part in after, after
    for part in has_not:
        assert part not in after, after


@pytest.mark.usefixtures("all_are_large")
@pytest.mark.parametrize("seed", range(60))
def test_random_programs_stay_what_they_are(seed: int) -> None:
    text, gives = program_of(np.random.default_rng(seed), 12)
    passed("single_names constants split direct dead_code into forget", text, gives)


def test_parts_work_in_one_memory_for_each_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    divided(monkeypatch, 2)
    model = nn.Sequential(nn.Linear(32, 64), nn.Tanh(), nn.BatchNorm1d(64), nn.Tanh(), nn.Linear(64, 32), nn.Tanh())
    optimizer = optim.SGD(model.parameters(), 0.1)

    @cg.compile
    def step(x: cg.Tensor) -> cg.Tensor:
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    step(cg.randn(64, 32))
    known = step._ran().last.built.known
    rooms = [known[name] for name in known if name.startswith("part_") and name.endswith("_work")]
    assert len(rooms) > 1
    for thread in (0, 1):
        assert len({root(array) for room in rooms for array in room[thread]}) == 1
    assert not np.shares_memory(rooms[0][0][0], rooms[0][1][0])

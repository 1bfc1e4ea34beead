"""Copies and pickles: rules stand for themselves, and what holds them goes on as what it was copied from."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim
from chalkgrad.engine.primitive import Primitive
from chalkgrad.nn import functional as F
from chalkgrad.ops.update import UPDATES, Update

from .oracles import OURS
from .tables.optimizers import each_optimizer, movable
from .tables.schedules import advance, build, each_schedule

WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle {n}": lambda value, n=n: pickle.loads(pickle.dumps(value, n)) for n in (2, pickle.HIGHEST_PROTOCOL)},
}
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
each_deep_way = pytest.mark.parametrize("way", [WAYS[name] for name in WAYS if name != "copy"])


@each_way
@pytest.mark.parametrize("rule", [*OURS, *(u for u in UPDATES if u.function.__module__.startswith("chalkgrad."))],
                         ids=lambda rule: rule.name)  # fmt: skip
def test_a_rule_is_itself_again(rule: Primitive | Update, way: Callable[[Any], Any]) -> None:
    assert way(rule) is rule


class Net(nn.Module):
    """A model that holds its activations as functions."""

    def __init__(self, activations: list[Any]) -> None:
        super().__init__()
        self.fc1, self.fc2, self.activations = nn.Linear(6, 6), nn.Linear(6, 3), activations

    def forward(self, x: Tensor) -> Tensor:
        x = self.fc1(x)
        for activation in self.activations:
            x = activation(x)
        return self.fc2(x)


ACTIVATIONS = [F.relu, F.leaky_relu, F.silu, F.gelu, F.sigmoid, F.tanh, cg.exp, cg.abs]


def steps(model: nn.Module, optimizer: optim.Optimizer, count: int) -> list[Any]:
    """Train, and return the losses."""
    rng, losses = np.random.default_rng(1), []
    for _ in range(count):
        optimizer.zero_grad()
        x, target = cg.tensor(rng.standard_normal((8, 6), np.float32)), cg.tensor(rng.integers(0, 3, 8))
        loss = F.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@each_deep_way
@pytest.mark.parametrize("make", [
    lambda: Net(ACTIVATIONS),
    lambda: nn.Sequential(nn.Linear(6, 6), nn.ReLU(inplace=True), nn.BatchNorm1d(6), nn.Linear(6, 3)),
    lambda: nn.Sequential(nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0, activation=F.relu), nn.Linear(6, 3)),
])
def test_a_copied_model_trains_alike(make: Callable[[], nn.Module], way: Callable[[Any], Any]) -> None:
    model = make()
    steps(model, optim.SGD(model.parameters(), 0.1), 2)
    again = way(model)
    optimizers = [optim.SGD(each.parameters(), 0.1) for each in (model, again)]
    assert steps(model, optimizers[0], 3) == steps(again, optimizers[1], 3)
    for one, other in zip(model.state_dict().values(), again.state_dict().values(), strict=True):
        assert one.data is not other.data and np.array_equal(one.data, other.data)


@each_deep_way
@each_optimizer
def test_a_model_and_its_optimizer_are_copied_together(
    name: str, options: dict[str, Any], way: Callable[[Any], Any]
) -> None:
    model = Net([F.relu])
    optimizer = getattr(optim, name)(movable(name, model), **options)
    steps(model, optimizer, 2)
    again, copied = way((model, optimizer))
    learned = [parameter for parameter in again.parameters() if parameter.requires_grad]
    assert all(one is other for one, other in zip(learned, copied.param_groups[0]["params"], strict=True))
    assert steps(model, optimizer, 3) == steps(again, copied, 3)


@each_deep_way
@each_schedule
def test_a_schedule_is_copied_with_its_optimizer(name: str, options: dict[str, Any], way: Callable[[Any], Any]) -> None:
    optimizer = optim.SGD([{"params": [cg.ones(1, requires_grad=True)]} for _ in range(2)], 0.1)
    schedule = build(optim.lr_scheduler, optimizer, name, options)
    optimizer.step()
    advance(schedule, 0)
    again = way(schedule)
    for epoch in range(8):
        advance(schedule, epoch)
        advance(again, epoch)
        assert again.optimizer is not schedule.optimizer
        assert again.optimizer.param_groups[0]["lr"] == schedule.optimizer.param_groups[0]["lr"]


def test_a_pickled_model_is_read_by_another_process(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.TransformerEncoderLayer(2, 1, 2, 0.0, F.silu))
    x = np.ones((3, 2), np.float32)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps((model, x)))
    program = "import pickle; model, x = pickle.load(open('model.pickle', 'rb')); import chalkgrad as cg; " \
              "print(model(cg.tensor(x)).tolist())"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(model(cg.tensor(x)).tolist())


def test_a_rule_that_has_no_name_to_be_found_by_is_refused_by_pickle() -> None:
    @cg.primitive
    def hidden(x):
        """Do nothing.

        x (...) -> y (...)
        """
        y = x + 0
        return y

    assert copy.deepcopy(hidden) is hidden
    with pytest.raises((AttributeError, pickle.PicklingError), match="hidden"):
        pickle.dumps(hidden)

"""Arrays without axes that are written over: NumPy makes numbers of them, and nothing can be put into a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim
from chalkgrad.nn import functional as F

from .twins import Setup, assert_twins


def through_a_view(y: Tensor) -> Tensor:
    """Write over a view; what it is a view of is to change as well."""
    row = y.reshape(1)
    y += 1
    return y + row.sum()


def of_two(y: Tensor) -> Tensor:
    """Write over one of several results of one rule."""
    with cg.no_grad():
        found, _ = cg.stack([y, 2 * y]).max(dim=0)
        F.relu_(found)
    return found * y


def written(y: Tensor) -> Tensor:
    """Write over what is remembered by nobody, twice."""
    with cg.no_grad():
        z = y * 2
        z.exp_()
        z.add_(y)
        z.clamp_(max=3.0)
    return y * z


WRITTEN: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": lambda y: F.relu_(y * 1),
    "leaky relu": lambda y: F.leaky_relu(y - 9, 0.1, inplace=True),
    "threshold": lambda y: F.threshold(y * 1, 0.5, 7.0, inplace=True),
    "silu": lambda y: F.silu(y * 1, inplace=True),
    "hardtanh": lambda y: F.hardtanh_(y * 0.5),
    "elu": lambda y: F.elu_(y * 1 - 4),
    "added to": lambda y: (y * 1).add_(2),
    "multiplied": lambda y: (y * 1).mul_(y),
    "of a sum": lambda y: F.relu_(cg.stack([y, y]).sum()),
    "filled": lambda y: (y * 1).fill_(2) + y,
    "through a view": through_a_view,
    "of two": of_two,
    "without a graph": written,
}


class Scaled(nn.Module):
    """A number that is learned, and what is made of it."""

    def __init__(self, make: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.scale, self.make = nn.Parameter(np.array(1.5, np.float32)), make

    def forward(self, x: Tensor) -> Tensor:
        return self.make(self.scale * x)


def setup_of(name: str) -> Setup:
    model = Scaled(WRITTEN[name])
    optimizer = optim.SGD(model.parameters(), lr=0.01)

    def step(x: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss = model(x) * 1
        loss.backward()
        optimizer.step()
        return loss

    return model, [optimizer], step


def number(i: int) -> Any:
    return np.array(1 + 0.5 * i, np.float32)


@pytest.mark.parametrize("name", WRITTEN)
def test_it_compiles(name: str) -> None:
    assert_twins(lambda: setup_of(name), lambda i, step, *_: step(cg.tensor(number(i))))


@pytest.mark.parametrize("detail", ["statements", "rules"])
@pytest.mark.parametrize("name", WRITTEN)
def test_it_is_spelled(name: str, detail: Any) -> None:
    model, (optimizer,), step = setup_of(name)
    program = cg.spell(step, number(0), model=model, optimizer=optimizer, detail=detail)
    params, state = program.start()
    for i in range(3):
        assert program.run(params, state, number(i), lr=0.01) == step(cg.tensor(number(i))).data
        np.testing.assert_array_equal(params["scale"], model.scale.data)

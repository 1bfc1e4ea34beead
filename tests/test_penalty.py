"""Penalties of size: their values and slopes, in training and spelled, and the step that ends at 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim
from chalkgrad.nn.utils import elastic_net_penalty, l1_penalty, soft_threshold_

W, B = np.array([[3.0, -0.5], [0.0, 2.0]]), np.array([-1.0, 0.25])


def parameters() -> list[Tensor]:
    return [Tensor(array, requires_grad=True) for array in (W, B)]


@pytest.mark.parametrize("penalty, value, slope", [
    (l1_penalty, np.abs(W).sum() + np.abs(B).sum(), np.sign),
    (lambda p: elastic_net_penalty(p, 0.5, 0.25),
     0.5 * (np.abs(W).sum() + np.abs(B).sum()) + 0.125 * ((W * W).sum() + (B * B).sum()),
     lambda w: 0.5 * np.sign(w) + 0.25 * w),
    (lambda p: elastic_net_penalty(p, 0, 1), ((W * W).sum() + (B * B).sum()) / 2, lambda w: w),
])
def test_values_and_slopes(penalty: Callable[[Any], Tensor], value: float, slope: Callable[[Any], Any]) -> None:
    params = parameters()
    total = penalty(iter(params))
    total.backward()
    assert total.item() == pytest.approx(value, rel=1e-14)
    for param in params:
        np.testing.assert_allclose(param.grad.data, slope(param.data), rtol=1e-14)


def test_one_parameter_and_none() -> None:
    assert l1_penalty(Tensor(W)).item() == 5.5
    assert l1_penalty([]).item() == 0 and elastic_net_penalty([], 1, 1).item() == 0


@pytest.mark.parametrize("amount", [0.0, 0.4, 5.0])
def test_the_step_ends_where_its_problem_is_least(amount: float) -> None:
    """Of a fine grid of numbers, none is better."""
    (param, _) = parameters()
    version = param.version[0]
    soft_threshold_([param], amount)
    grid = np.linspace(-4, 4, 80_001)
    best = [grid[((grid - w) ** 2 / 2 + amount * abs(grid)).argmin()] for w in W.ravel()]
    np.testing.assert_allclose(param.data.ravel(), best, atol=1e-4)
    assert param.version[0] > version and param.is_leaf


def test_weights_end_at_zero_by_steps_that_stop_there() -> None:
    """Two inputs that say nothing of the target get the weight 0, exactly; the one that does keeps its own."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 3))
    target = Tensor(2 * x[:, :1])
    model = nn.Linear(3, 1, bias=False).double()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        ((model(Tensor(x)) - target) ** 2).mean().backward()
        optimizer.step()
        soft_threshold_(model.parameters(), 0.1 * 0.5)
    np.testing.assert_array_equal(model.weight.data[0, 1:], [0, 0])
    assert 1.5 < model.weight.data[0, 0] < 1.9


def test_they_are_spelled_and_compiled() -> None:
    model = nn.Linear(3, 2)
    optimizer = optim.SGD(model.parameters(), 0.1)

    def step(x: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss = model(x).sum() + elastic_net_penalty(model.parameters(), 0.1, 0.2)
        loss.backward()
        optimizer.step()
        soft_threshold_(model.parameters(), 0.01)
        return loss

    x = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    program = cg.spell(step, x, model=model, optimizer=optimizer)
    start, state = program.start()
    made = program.run(start, state, x)
    compiled, twin = cg.compile(step), Tensor(x)
    np.testing.assert_array_equal(made, compiled(twin).data)
    np.testing.assert_array_equal(start["weight"], model.weight.data)


@pytest.mark.parametrize("misuse, words", [
    (lambda: elastic_net_penalty([], -1, 0), "l1 is -1 and l2 is 0"),
    (lambda: elastic_net_penalty([], 0, float("nan")), "l2 is nan"),
    (lambda: soft_threshold_([], -0.5), "the amount is -0.5"),
])
def test_misuse_is_answered_in_words(misuse: Callable[[], Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        misuse()

"""Parameters in rows: which optimizers update them so, which rules are kept from it, and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim, update_rule

from .twins import Setup, assert_twins, learning

# Optimizers and their options; and why they do not update rows, if they do not.
OPTIMIZERS: list[tuple[Any, dict[str, Any], str]] = [
    (optim.ASGD, {"t0": 1, "lambd": 0.1}, ""),
    (optim.Adadelta, {}, ""),
    (optim.Adafactor, {}, "it looks at the means of rows and columns, and at the norm of the parameter"),
    (optim.Adagrad, {"lr_decay": 0.1}, ""),
    (optim.Adam, {}, ""),
    (optim.Adam, {"amsgrad": True}, ""),
    (optim.AdamW, {}, ""),
    (optim.AdamW, {"amsgrad": True}, ""),
    (optim.Adamax, {}, ""),
    (optim.LAMB, {}, "it looks at the norm of the parameter"),
    (optim.LARS, {}, "it looks at the norm of the parameter"),
    (optim.Lion, {}, ""),
    (optim.Muon, {}, "it multiplies matrices"),
    (optim.NAdam, {}, ""),
    (optim.RAdam, {}, ""),
    (optim.RMSprop, {}, ""),
    (optim.RMSprop, {"centered": True}, ""),
    (optim.RMSprop, {"momentum": 0.9}, ""),
    (optim.RMSprop, {"centered": True, "momentum": 0.9}, ""),
    (optim.Rprop, {}, ""),
    (optim.SGD, {}, ""),
    (optim.SGD, {"momentum": 0.9, "nesterov": True}, ""),
]  # fmt: skip


def trained_by(kind: Any, **options: Any) -> Any:
    """Return what makes a network without biases, so that all parameters are matrices, and trains it."""

    def make() -> Setup:
        model = nn.Sequential(nn.Linear(6, 5, bias=False), nn.Tanh(), nn.Linear(5, 3, bias=False))
        optimizer = kind(model.parameters(), **options)
        return model, [optimizer], learning(model, optimizer)

    return make


def test_every_optimizer_is_here() -> None:
    kinds = {kind for name in optim.__all__ if isinstance(kind := getattr(optim, name), type)}
    assert {kind for kind, _, _ in OPTIMIZERS} == kinds - {optim.Optimizer, optim.LBFGS}  # which takes a closure


@pytest.mark.parametrize("kind, options, reason", OPTIMIZERS)
def test_which_optimizers_update_rows(kind: Any, options: dict[str, Any], reason: str) -> None:
    compiled = assert_twins(trained_by(kind, **options))
    assert ("_rows(" in compiled.source) == (not reason)


@pytest.mark.parametrize("kind", [optim.ASGD, optim.Adamax, optim.Rprop])
def test_rows_of_several_blocks(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalkgrad.compiler.blocked.BLOCK", 7)
    monkeypatch.setattr("chalkgrad.compiler.build.BLOCK", 7)
    compiled = assert_twins(trained_by(kind))
    assert "_rows(" in compiled.source and ", 7)" in compiled.source


@update_rule
def by_the_size(param, grad, *, lr):
    param -= lr * grad / grad.size


@update_rule
def by_the_shape(param, grad, *, lr):
    param -= lr * grad / grad.shape[0]


@update_rule
def by_the_mean(param, grad, *, lr):
    param -= lr * (grad - grad.mean())


@update_rule
def by_the_length(param, grad, *, lr):
    param -= lr * grad / len(grad)


@update_rule
def by_the_first(param, grad, *, lr):
    param[...] = param - lr * grad[0]


@update_rule
def by_how_many(param, grad, *, lr):
    param -= lr * np.zeros_like(grad, shape=3).sum() + lr


@update_rule
def by_a_square(param, grad, *, lr):
    param -= lr * np.where(grad > 0, np.square(grad), np.square(-grad))


@pytest.mark.parametrize(
    "rule", [by_the_size, by_the_shape, by_the_mean, by_the_length, by_the_first, by_how_many, by_a_square]
)
def test_a_rule_that_looks_around_is_not_run_on_rows(rule: Any) -> None:
    class Own(optim.SGD):
        def update(self, param: Tensor, grad: Tensor, options: Any) -> None:
            rule(param, grad, lr=options["lr"])

    compiled = assert_twins(trained_by(Own, lr=0.1))
    assert ("_rows(" in compiled.source) == (rule is by_a_square)


@update_rule
def late(param, grad, m, t, *, lr):
    param -= lr * float(t) * grad
    t += 1
    pace = 1.0
    param -= lr * pace * float(t) * grad
    pace *= 0.5
    t *= 3
    m[...] = pace * grad + float(t)


@update_rule
def in_a_branch(param, grad, m, t, *, lr):
    if lr > 0:
        t += 1
        m[...] = grad
    param -= lr * float(t) * m


@update_rule
def spread(param, grad, m, t, *, lr):
    t += 1
    m[...] = m + 1
    param -= lr * m * grad


@pytest.mark.parametrize("rule, alike", [(late, True), (in_a_branch, True), (spread, True), (spread, False)])
def test_numbers_that_change_within_a_rule(rule: Any, alike: bool, monkeypatch: Any) -> None:
    """Each block of a row is to see what a number was then; what is remembered in another shape has no row."""
    monkeypatch.setattr("chalkgrad.compiler.blocked.BLOCK", 7)
    monkeypatch.setattr("chalkgrad.compiler.build.BLOCK", 7)

    class Own(optim.SGD):
        def update(self, param: Tensor, grad: Tensor, options: Any) -> None:
            state = self.state[param]
            if not state:
                state["m"] = cg.zeros(*(param.shape if alike else param.shape[1:]))
                state["t"] = cg.zeros(())
            rule(param, grad, state["m"], state["t"], lr=options["lr"])

    compiled = assert_twins(trained_by(Own, lr=0.01))
    assert ("_rows(" in compiled.source) == alike


def test_parameters_without_axes_have_no_row() -> None:
    """Two of the same number were taken for counts of steps, of which one is like the other."""

    class Line(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.slope, self.height = (nn.Parameter(np.array(1.0, np.float32)) for _ in range(2))

        def forward(self, x: Tensor) -> Tensor:
            return self.slope * x + self.height

    def make() -> Setup:
        model = Line()
        optimizer = optim.Adam(model.parameters(), lr=0.1)

        def step(x: Tensor) -> Tensor:
            optimizer.zero_grad()
            loss = (model(x) ** 2).sum()
            loss.backward()
            optimizer.step()
            return loss

        return model, [optimizer], step

    compiled = assert_twins(make, lambda i, step, *_: step(cg.tensor(np.arange(3, dtype=np.float32) + i)))
    assert "_rows(" not in compiled.source

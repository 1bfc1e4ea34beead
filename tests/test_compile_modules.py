"""Everything that there is, in tables: each module, optimizer and schedule does the same compiled as it does eager."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim
from chalkgrad.optim import lr_scheduler

from .around import Around, each_module, in_arguments, inputs, total
from .tables.optimizers import CASES, STATEFUL, each_optimizer, movable
from .tables.rows import Row
from .tables.schedules import advance, build, each_schedule
from .twins import Setup, assert_twins, batches, divided, learning, network

# -------------------------------------------------------------------------------------------------------- modules


@pytest.mark.parametrize("count", [1, 2])
@each_module
def test_every_module_in_training(row: Row, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    divided(monkeypatch, count)

    def make() -> Setup:
        model = Around(row)
        # Adam makes steps of gradients that are nothing but rounding, so where that differs, it is SGD
        optimizer = optim.Adam(model.parameters(), 0.01) if count == 1 else optim.SGD(model.parameters(), 0.1, 0.9)

        def step(*given: Tensor) -> tuple[Tensor, ...]:
            optimizer.zero_grad()
            outputs = model(*given)
            loss = total(outputs)
            loss.backward()
            optimizer.step()
            return (loss, *outputs)

        return model, [optimizer], in_arguments(len(inputs(row, 0)), step)

    assert_twins(make, lambda i, step, *_: step(*inputs(row, i, count)), 3, exact=count == 1)


@pytest.mark.parametrize("count", [1, 2])
@each_module
def test_every_module_in_evaluation(row: Row, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    divided(monkeypatch, count)

    def make() -> Setup:
        model = Around(row)
        model(*inputs(row, 9, count))  # running averages are to be others than at the start
        return model.eval(), [], model

    def call(i: int, step: Any, *_: Any) -> Any:
        with cg.no_grad():
            return step(*inputs(row, i, count))

    compiled = assert_twins(make, call, 2, exact=count == 1)
    assert "backward" not in compiled.source and "rng" not in compiled.source


# A module, what it is called with, and whether the first axis is a batch.
DIVIDED: list[tuple[str, dict[str, Any], tuple[int, ...], bool]] = [
    ("Linear", {"in_features": 3, "out_features": 2}, (8, 3), True),
    ("Conv2d", {"in_channels": 2, "out_channels": 4, "kernel_size": 3}, (4, 2, 6, 6), True),
    ("GRU", {"input_size": 3, "hidden_size": 4}, (8, 5, 3), False),  # it is the time
    ("Softmax", {"dim": 1}, (8, 3), True),
    ("Softmax", {"dim": 0}, (8, 3), False),
]


@pytest.mark.parametrize("name, options, shape, batch", DIVIDED)
def test_batches_are_divided_where_they_can_be(
    name: str, options: dict[str, Any], shape: tuple[int, ...], batch: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    divided(monkeypatch, 2)
    module = getattr(nn, name)(**options)
    compiled = cg.compile(cg.no_grad()(lambda x: module(x)))
    compiled(Tensor(np.random.default_rng(0).random(shape, np.float32)))
    assert ("in_parts(part_1" in compiled.source) == batch, compiled.source


# --------------------------------------------------------------------------------------------- optimizers, schedules


@pytest.mark.parametrize("name, options, count", [
    *((*case, 1) for case in CASES),
    *((*case, 2) for case in STATEFUL),  # the batch is divided, which optimizers do not see: only their sums differ
])
def test_every_optimizer(
    name: str, options: dict[str, Any], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    divided(monkeypatch, count)

    def make() -> Setup:
        model = network()
        optimizer = getattr(optim, name)(movable(name, model), **options)
        step = learning(model, optimizer)
        if options.get("dampening"):  # its first step is another one
            batches(9, step)
        return model, [optimizer], step

    assert_twins(make, exact=count == 1)


@each_optimizer
def test_every_optimizer_on_rows_of_several_blocks(
    name: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With threads that share the rows, too; the gradients are not divided, so all bits stay."""
    monkeypatch.setattr("chalkgrad.compiler.variant.threads", lambda: 2)

    def make() -> Setup:
        model = nn.Linear(400, 170)
        optimizer = getattr(optim, name)(movable(name, model), **options)

        def step(x: Tensor) -> Tensor:
            optimizer.zero_grad()
            loss = (model(x) * x[:, :1]).sum()
            loss.backward()
            optimizer.step()
            return loss

        if options.get("dampening"):
            step(wide(9))
        return model, [optimizer], step

    def wide(seed: int) -> Tensor:
        return Tensor(np.random.default_rng(seed).standard_normal((3, 400), np.float32))

    assert_twins(make, lambda i, step, *_: step(wide(i)), 3)


@each_schedule
def test_every_schedule(name: str, options: dict[str, Any]) -> None:
    def make() -> Setup:
        model = network()
        groups = [{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 0.5}]
        optimizer = optim.SGD(groups, 0.1, momentum=0.9)
        schedules[id(optimizer)] = build(lr_scheduler, optimizer, name, options)
        return model, [optimizer], learning(model, optimizer)

    def call(i: int, step: Any, model: nn.Module, optimizer: optim.Optimizer) -> Any:
        loss = batches(i, step)
        advance(schedules[id(optimizer)], i)
        return loss

    schedules: dict[int, Any] = {}
    compiled = assert_twins(make, call, 12)
    assert len(compiled.variants) == 1

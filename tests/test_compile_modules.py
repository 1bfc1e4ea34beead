"""Everything that there is, in tables: each module, optimizer and schedule does the same compiled as it does eager."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim
from chalkgrad.optim import lr_scheduler

from . import test_optim, test_optim_b
from .test_lr_scheduler import SCHEDULERS
from .test_module_classes import CLASSES
from .test_spell_coverage import CASES, Around, each_module, in_arguments, total
from .twins import Setup, assert_twins, batches, divided, learning, network

each_optimizer = pytest.mark.parametrize("name, options", CASES, ids=[*test_optim.NAMES, *test_optim_b.NAMES])


def drawn(shapes: list[Any], options: dict[str, Any], seed: int, twice: bool) -> list[Tensor]:
    """Draw the inputs of a module; `twice` as many of what there is a batch of, so that it can be divided."""
    rng = np.random.default_rng(seed)
    times = 1 + (twice and not isinstance(options.get("normalized_shape"), list))
    first = [4 if shape == CLASSES else shape[0] for shape in shapes]
    sizes = [n * times if n == first[0] else n for n in first]
    return [Tensor(rng.integers(0, 3, n) if shape == CLASSES else rng.random((n, *shape[1:]), np.float32))
            for n, shape in zip(sizes, shapes, strict=True)]


# -------------------------------------------------------------------------------------------------------- modules


@pytest.mark.parametrize("count", [1, 2])
@each_module
def test_every_module_in_training(
    name: str, options: dict[str, Any], shapes: list[Any], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    divided(monkeypatch, count)

    def make() -> Setup:
        model = Around(name, options)
        # Adam makes steps of gradients that are nothing but rounding, so where that differs, it is SGD
        optimizer = optim.Adam(model.parameters(), 0.01) if count == 1 else optim.SGD(model.parameters(), 0.1, 0.9)

        def step(*inputs: Tensor) -> tuple[Tensor, ...]:
            optimizer.zero_grad()
            outputs = model(*inputs)
            loss = total(outputs)
            loss.backward()
            optimizer.step()
            return (loss, *outputs)

        return model, [optimizer], in_arguments(len(shapes), step)

    assert_twins(make, lambda i, step, *_: step(*drawn(shapes, options, i, count > 1)), 3, exact=count == 1)


@pytest.mark.parametrize("count", [1, 2])
@each_module
def test_every_module_in_evaluation(
    name: str, options: dict[str, Any], shapes: list[Any], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    divided(monkeypatch, count)

    def make() -> Setup:
        model = Around(name, options)
        model(*drawn(shapes, options, 9, count > 1))  # running averages are to be others than at the start
        return model.eval(), [], model

    def call(i: int, step: Any, *_: Any) -> Any:
        with cg.no_grad():
            return step(*drawn(shapes, options, i, count > 1))

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


@pytest.mark.parametrize("count", [1, 2])
@each_optimizer
def test_every_optimizer(
    name: str, options: dict[str, Any], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    divided(monkeypatch, count)

    def make() -> Setup:
        model = network()
        optimizer = getattr(optim, name)(model.parameters(), **options)
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
        optimizer = getattr(optim, name)(model.parameters(), **options)

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


@pytest.mark.parametrize("name, options", SCHEDULERS)
def test_every_schedule(name: str, options: dict[str, Any]) -> None:
    def make() -> Setup:
        model = network()
        groups = [{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 0.5}]
        optimizer = optim.SGD(groups, 0.1, momentum=0.9)
        schedules[id(optimizer)] = getattr(lr_scheduler, name)(optimizer, **options)
        return model, [optimizer], learning(model, optimizer)

    def call(i: int, step: Any, model: nn.Module, optimizer: optim.Optimizer) -> Any:
        loss = batches(i, step)
        schedules[id(optimizer)].step()
        return loss

    schedules: dict[int, Any] = {}
    compiled = assert_twins(make, call, 12)
    assert len(compiled.variants) == 1

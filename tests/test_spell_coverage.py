"""Everything that there is, in tables: each rule, module, optimizer and schedule is spelled to the last bit."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim
from chalkgrad.nn import functional as F
from chalkgrad.optim import lr_scheduler
from chalkgrad.seeding import default_generator

from .around import Around, arrays, each_module, in_arguments, inputs, total
from .oracles import Case, example_cases, weights
from .pairs import listed
from .tables.optimizers import OPTIMIZERS, each_optimizer, movable
from .tables.rows import Row
from .tables.schedules import SCHEDULERS, advance, build, each_schedule

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the examples of rules hold infinities
Batch = tuple[Any, ...]


def assert_spelled(step: Any, model: nn.Module, optimizers: Any, batches: list[Batch], rates: Any = None) -> Any:
    """Spell a step, and run it and its program side by side; what both return and leave must be the same bits.

    rates  called before every step; returns the learning rates that the program is to take
    """
    cg.spell(step, *batches[0], model=model, optimizer=optimizers, detail="rules")  # which proves itself
    program = cg.spell(step, *batches[0], model=model, optimizer=optimizers)
    params, state = program.start()
    options = {"rng": copy.deepcopy(default_generator())} if program.draws else {}
    for batch in batches:
        expected = step(*(Tensor(array) for array in batch))
        made = program.run(params, state, *(np.copy(array) for array in batch), **options, **(rates() if rates else {}))
        for one, other in zip(listed(made), listed(expected), strict=True):
            identical(one, other)
    for path, tensor in [*model.named_parameters(), *model.named_buffers()]:
        identical((params | state)[path], tensor)
    for optimizer in optimizers if isinstance(optimizers, list) else [optimizers] if optimizers else []:
        for path, parameter in model.named_parameters():
            for key, value in optimizer.state[parameter].items():
                identical(state[f"{path}.{key}"], value)
    return program


def identical(made: Any, expected: Tensor) -> None:
    assert made.dtype == expected.dtype
    np.testing.assert_array_equal(made, expected.data)


# ---------------------------------------------------------------------------------------------------------- rules


class Given(nn.Module):
    """The inputs of a rule: a parameter for each that has a derivative, a buffer for every other array."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.inputs = [self.own(x, f"input_{i}", i in case.wanted) for i, x in enumerate(case.inputs)]
        self.options = {name: self.own(value, name) for name, value in case.options.items()}
        ys = listed(case.primitive(*self.inputs, **self.options))
        self.weights = [self.own(weights(y.data), f"weights_{i}") for i, y in enumerate(ys)]

    def own(self, value: Any, name: str, learns: bool = False) -> Any:
        if isinstance(value, tuple):
            return tuple(self.own(each, f"{name}_{i}") for i, each in enumerate(value))
        if not isinstance(value, np.ndarray):
            return value
        if learns:
            self.register_parameter(f"p_{name}", tensor := nn.Parameter(value.copy()))
        else:
            self.register_buffer(f"b_{name}", tensor := Tensor(value))
        return tensor


@pytest.mark.parametrize("case", example_cases())
def test_every_rule_is_spelled(case: Case) -> None:
    model = Given(case.cast(np.float32))

    def step() -> tuple[Tensor, ...]:
        model.zero_grad()
        ys = listed(case.primitive(*model.inputs, **model.options))
        loss = cg.zeros()
        for y, weight in zip(ys, model.weights, strict=True):
            loss = loss + (y * weight).sum()
        if loss.requires_grad:
            loss.backward()
        gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
        with cg.no_grad():
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter.sub_(parameter.grad, alpha=0.01)
        return (loss, *ys, *gradients)

    assert_spelled(step, model, None, [(), (), ()])


# -------------------------------------------------------------------------------------------------------- modules


@each_module
def test_every_module_is_spelled_in_training(row: Row) -> None:
    model = Around(row)
    optimizer = optim.Adam(model.parameters(), 0.01)

    def body(*inputs: Tensor) -> tuple[Tensor, ...]:
        optimizer.zero_grad()
        outputs = model(*inputs)
        loss = total(outputs)
        loss.backward()
        optimizer.step()
        return (loss, *outputs)

    batches = [arrays(row, seed) for seed in range(3)]
    assert_spelled(in_arguments(len(batches[0]), body), model, optimizer, batches)


@each_module
def test_every_module_is_spelled_in_evaluation(row: Row) -> None:
    model = Around(row)
    model(*inputs(row, 9))  # running averages are to be others than at the start
    model.eval()

    def body(*inputs: Tensor) -> tuple[Tensor, ...]:
        with cg.no_grad():
            return tuple(model(*inputs))

    batches = [arrays(row, seed) for seed in range(2)]
    program = assert_spelled(in_arguments(len(batches[0]), body), model, None, batches)
    assert "backward" not in str(program) and not program.draws


# ------------------------------------------------------------------------------------------ optimizers, schedules


def learner() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))


def learning(model: nn.Module, optimizer: optim.Optimizer) -> Callable[[Tensor, Tensor], Tensor]:
    def step(x: Tensor, target: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    return step


def rows(count: int) -> list[Batch]:
    rng = np.random.default_rng(1)
    return [(rng.standard_normal((8, 6), np.float32), rng.integers(0, 3, 8)) for _ in range(count)]


def kinds_in(module: Any, base: type) -> set[str]:
    return {name for name in module.__all__ if inspect.isclass(kind := getattr(module, name)) and issubclass(kind, base)
            and kind is not base}


def test_every_optimizer_and_schedule_is_in_a_table() -> None:
    assert kinds_in(optim, optim.Optimizer) == {*OPTIMIZERS, "LBFGS"}  # which cannot be spelled
    assert kinds_in(lr_scheduler, lr_scheduler.LRScheduler) == {name for name, _ in SCHEDULERS}


@pytest.mark.parametrize("taken", [0, 2])
@each_optimizer
def test_every_optimizer_is_spelled(name: str, options: dict[str, Any], taken: int) -> None:
    model = learner()
    optimizer = getattr(optim, name)(movable(name, model), **options)
    step = learning(model, optimizer)
    if options.get("dampening") and not taken:
        with pytest.raises(cg.SpellError, match="if only the first step is special, take a step before you spell it"):
            cg.spell(step, *rows(1)[0], model=model, optimizer=optimizer)
        return
    for batch in rows(taken):
        step(*(Tensor(array) for array in batch))
    assert_spelled(step, model, optimizer, rows(4))


@each_schedule
def test_every_schedule_drives_a_program(name: str, options: dict[str, Any]) -> None:
    model = learner()
    optimizer = optim.SGD([{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 0.5}], 0.1, 0.9)
    schedule, epochs = build(lr_scheduler, optimizer, name, options), iter(range(12))

    def rates() -> dict[str, float]:
        lr, lr_2 = schedule.get_last_lr()  # the step that these are for is over
        advance(schedule, next(epochs))
        return {"lr": lr, "lr_2": lr_2}

    assert_spelled(learning(model, optimizer), model, optimizer, rows(12), rates)

"""Schedules: the same rates as PyTorch over whole runs, resumed too, states exchanged, misuse in words."""

import copy
import math
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from chalkgrad import Tensor, compile, nn, optim, tensor
from chalkgrad.optim import lr_scheduler

from .tables.schedules import OWN, RESUMABLE, SCHEDULERS, Decay, Options, advance, build, each_schedule, halve

PYTORCH = [(name, options) for name, options in SCHEDULERS if name not in OWN]
CYCLES: list[tuple[str, Options]] = [
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4, "mode": "triangular2",
                  "base_momentum": [0.5, 0.6], "max_momentum": [0.7, 0.9]}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 30}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 30, "three_phase": True, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 30, "pct_start": 0.0}),
]  # fmt: skip


def leaf(*shape: int) -> Tensor:
    return Tensor(np.ones(shape), requires_grad=True)


def twins(kind: str = "SGD", **group: Any) -> list[tuple[Any, Any]]:
    """Return optimizers with two groups, and where their schedules are, here and in PyTorch."""
    made = []
    for module, ones in ((optim, lambda: leaf(1)), (torch.optim, lambda: torch.ones(1, requires_grad=True))):
        groups = [{"params": [ones()], "lr": 0.5, **group}, {"params": [ones()], "lr": 0.03, **group}]
        made.append((getattr(module, kind)(groups), module.lr_scheduler))
    return made


def run(optimizer: Any, schedule: Any, steps: int) -> list[float]:
    """Step, and list the rates and the momenta."""
    rates = [*schedule.get_last_lr()]
    for epoch in range(steps):
        optimizer.step()
        advance(schedule, epoch)
        rates += schedule.get_last_lr()
        assert schedule.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
        rates += [group.get("momentum", group.get("betas")) for group in optimizer.param_groups]
    return rates


# ------------------------------------------------------------------------------------------------ against PyTorch


@pytest.mark.parametrize("name, options", PYTORCH)
def test_fifty_epochs_as_pytorch(name: str, options: Options) -> None:
    ours, theirs = (run(o, build(module, o, name, options), 50) for o, module in twins())
    assert ours == theirs


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("name, options", CYCLES)
def test_momentum_cycles_as_in_pytorch(name: str, options: Options, kind: str) -> None:
    ours, theirs = (run(o, build(module, o, name, options), 30) for o, module in twins(kind))
    assert ours == theirs


@pytest.mark.parametrize("epoch", [0, 6, 9, 10])
@pytest.mark.parametrize("name, options", [row for row in RESUMABLE if row[0] not in OWN])
def test_resumed_by_last_epoch_as_pytorch(name: str, options: Options, epoch: int) -> None:
    both = twins(initial_lr=0.7)
    ours, theirs = (run(o, build(module, o, name, options, last_epoch=epoch), 30) for o, module in both)
    assert ours == theirs


@pytest.mark.parametrize("name, options", [*SCHEDULERS, *CYCLES])
def test_resumed_by_its_state_it_gives_the_unbroken_run(name: str, options: Options) -> None:
    (optimizer, module), (torch_optimizer, torch_module) = twins()
    schedule = build(module, optimizer, name, options)
    run(optimizer, schedule, 13)
    saved = copy.deepcopy((optimizer.state_dict(), schedule.state_dict()))
    unbroken = run(optimizer, schedule, 17)
    for again, where in twins()[: 1 if name in OWN else 2]:
        resumed = build(where, again, name, options)
        again.load_state_dict(saved[0])
        resumed.load_state_dict(copy.deepcopy(saved[1]))
        assert run(again, resumed, 17) == unbroken
    if name in OWN:
        return
    torch_schedule = build(torch_module, torch_optimizer, name, options)
    run(torch_optimizer, torch_schedule, 13)
    (again, where), _ = twins()
    resumed = build(where, again, name, options)
    again.load_state_dict(torch_optimizer.state_dict())
    resumed.load_state_dict(torch_schedule.state_dict())
    assert run(again, resumed, 17) == unbroken


@pytest.mark.parametrize("epochs", [[0.5, 1.25, 7.0, 2.0, None, None], [30.5, None, 3.0, None]])
def test_warm_restarts_go_to_any_epoch(epochs: list[float | None]) -> None:
    rates = []
    for optimizer, module in twins():
        schedule = module.CosineAnnealingWarmRestarts(optimizer, T_0=3, T_mult=2)
        optimizer.step()
        rates.append([(schedule.step(epoch), *schedule.get_last_lr()) for epoch in epochs])
    assert rates[0] == rates[1]


def test_a_schedule_that_was_written_for_pytorch() -> None:
    def define(base: Any) -> Any:
        class Halving(base):  # type: ignore[misc]
            def get_lr(self) -> list[float]:
                assert self._get_lr_called_within_step
                return [group["lr"] * (0.5 if self.last_epoch else 1.0) for group in self.optimizer.param_groups]

        return Halving

    rates = [run(optimizer, define(module.LRScheduler)(optimizer), 5) for optimizer, module in twins()]
    assert rates[0] == rates[1]


# ------------------------------------------------------------------------------------------------------- our own


def test_the_rate_falls_as_one_over_the_time() -> None:
    rates = run_one("TimeBasedLR", {"decay": 0.25})
    np.testing.assert_allclose(rates, [0.5 / (1 + 0.25 * t) for t in range(40)], rtol=1e-14)


def test_the_rate_rises_along_a_line_and_falls_along_a_cosine() -> None:
    rates = run_one("WarmupCosineLR", {"warmup": 4, "total": 20, "eta_min": 0.125})
    assert rates[:4] == [0.125, 0.25, 0.375, 0.5]
    falling = [0.125 + 0.375 * (1 + math.cos(math.pi * t / 16)) / 2 for t in range(16)]
    np.testing.assert_allclose(rates[4:], [*falling, *[0.125] * 20], rtol=1e-14)


def run_one(name: str, options: Options) -> list[float]:
    optimizer = optim.SGD([leaf(1)], lr=0.5)
    schedule, rates = getattr(lr_scheduler, name)(optimizer, **options), []
    for _ in range(40):
        optimizer.step()
        rates += schedule.get_last_lr()
        schedule.step()
    return rates


# -------------------------------------------------------------------------------------------------------- states


@each_schedule
def test_a_pickled_schedule_goes_on(name: str, options: Options) -> None:
    (optimizer, module), _ = twins()
    schedule = build(module, optimizer, name, options)
    run(optimizer, schedule, 5)
    again = pickle.loads(pickle.dumps(schedule))
    assert run(again.optimizer, again, 9) == run(optimizer, schedule, 9)


def test_a_saved_state_is_a_copy() -> None:
    schedule = lr_scheduler.StepLR(optim.SGD([leaf(1)], lr=0.5), 2)
    saved = schedule.state_dict()
    saved["base_lrs"][0] = 9.0
    assert schedule.base_lrs == [0.5]
    schedule.load_state_dict(saved)
    saved["base_lrs"][0] = 7.0
    assert schedule.base_lrs == [9.0]


def test_the_attributes_of_a_callable_are_saved_and_functions_are_not() -> None:
    optimizers = [optim.SGD([{"params": [leaf(1)]}, {"params": [leaf(1)]}], lr=0.5) for _ in range(2)]
    schedules = [lr_scheduler.LambdaLR(each, [halve, Decay(by)]) for each, by in zip(optimizers, (0.5, 0.1))]
    saved = schedules[0].state_dict()
    assert saved["lr_lambdas"] == [None, {"by": 0.5}]
    schedules[1].load_state_dict(saved)
    assert schedules[1].lr_lambdas[1].by == 0.5


def test_a_rate_that_is_a_tensor_is_changed_in_place() -> None:
    rate = tensor(0.5)
    optimizer = optim.SGD([leaf(1)], lr=rate)
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    schedule.step()
    assert optimizer.param_groups[0]["lr"] is rate and rate.item() == 0.25 and schedule.get_last_lr() == [0.25]


def test_a_compiled_step_reads_the_rate_from_a_tensor() -> None:
    (param,), rate = [leaf(1)], tensor(0.5)
    optimizer = optim.SGD([param], lr=rate)
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.5)

    @compile
    def step() -> Tensor:
        optimizer.zero_grad()
        loss = param.sum()
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(3):
        step()
        schedule.step()
    assert param.tolist() == [1 - 0.5 - 0.25 - 0.125]


def test_a_group_that_is_added_gets_the_one_least_rate() -> None:
    optimizer = optim.SGD([leaf(1)], lr=0.5)
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=0.1)
    optimizer.add_param_group({"params": [leaf(1)], "lr": 0.2})
    for _ in range(2):
        schedule.step(1.0)
    assert schedule.get_last_lr() == [0.1, 0.1]


# ------------------------------------------------------------------------------------------------------ warnings


def test_a_step_before_the_optimizers_is_told() -> None:
    schedule = lr_scheduler.StepLR(optim.SGD([leaf(1)]), 2)
    with pytest.warns(UserWarning, match="came before the first optimizer.step"):
        schedule.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schedule.step()  # once is enough


def test_a_compiled_step_counts_as_a_step() -> None:
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), 0.1)

    @compile
    def step(x: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss = model(x).sum()
        loss.backward()
        optimizer.step()
        return loss

    step(tensor([[1.0, 2.0]]))
    schedule = lr_scheduler.StepLR(optimizer, 2)
    optimizer._opt_called = False  # as if another optimizer had been compiled
    step(tensor([[1.0, 2.0]]))
    schedule.step()


# -------------------------------------------------------------------------------------------------------- misuse


def loads_schedule(changes: Options, without: str = "") -> Callable[[], None]:
    def load() -> None:
        schedule = lr_scheduler.StepLR(optim.SGD([leaf(1)]), 2)
        before = schedule.state_dict()
        saved = {key: value for key, value in {**before, **changes}.items() if key != without}
        try:
            schedule.load_state_dict(saved)
        finally:
            assert schedule.state_dict() == before

    return load


def sgd(count: int = 1) -> Any:
    return optim.SGD([{"params": [leaf(1)]} for _ in range(count)], lr=0.1, momentum=0.9)


def chained(*kinds: Callable[[Any], Any], optimizer: Any = None) -> Any:
    optimizer = optimizer or sgd()
    return lr_scheduler.ChainedScheduler([kind(optimizer) for kind in kinds], optimizer)


def sequential(milestones: list[int], *kinds: Callable[[Any], Any]) -> Any:
    optimizer = sgd()
    return lr_scheduler.SequentialLR(optimizer, [kind(optimizer) for kind in kinds], milestones)


def loads_two_into_one() -> None:
    steps = lr_scheduler.ConstantLR
    schedule = chained(steps)
    before = schedule.state_dict()
    try:
        schedule.load_state_dict(chained(steps, steps).state_dict())
    finally:
        assert schedule.state_dict() == before


def too_many_groups() -> None:
    optimizer = sgd()
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.01])
    optimizer.add_param_group({"params": [leaf(1)]})
    schedule.step(1.0)
    schedule.step(1.0)


def too_many_steps() -> None:
    optimizer = sgd()
    schedule = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=2)
    for _ in range(3):
        optimizer.step()
        schedule.step()


S = lr_scheduler
MISUSE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: S.StepLR(leaf(1), 2), TypeError, "StepLR schedules an Optimizer, but a Tensor came"),
    (lambda: S.ReduceLROnPlateau(3), TypeError, "ReduceLROnPlateau schedules an Optimizer, but a int came"),
    (lambda: S.CyclicLR(3, 0.1, 0.2), TypeError, "CyclicLR schedules an Optimizer"),
    (lambda: S.OneCycleLR(3, 0.1, 10), TypeError, "OneCycleLR schedules an Optimizer"),
    (lambda: S.LambdaLR(3, halve), TypeError, "LambdaLR schedules an Optimizer"),
    (lambda: S.StepLR(sgd(), 0), ValueError, "StepLR: step_size is 0"),
    (lambda: S.CosineAnnealingLR(sgd(), 2.5), ValueError, "CosineAnnealingLR: T_max is 2.5"),
    (lambda: S.StepLR(sgd(), 2, last_epoch=3), ValueError, "group 0 needs its first rate as `initial_lr`"),
    (lambda: S.LRScheduler(sgd()), NotImplementedError, "LRScheduler has no get_lr"),
    (lambda: S.ConstantLR(sgd(), 1.5), ValueError, "factor is 1.5, but a number from 0 to 1"),
    (lambda: S.LinearLR(sgd(), 0.0), ValueError, "start_factor is 0.0, but a number above 0"),
    (lambda: S.LinearLR(sgd(), end_factor=2), ValueError, "end_factor is 2, but a number from 0 to 1"),
    (lambda: S.LambdaLR(sgd(2), [halve]), ValueError, "lr_lambda has 1 values, but the optimizer has 2 groups"),
    (lambda: S.LambdaLR(sgd(), 0.5), TypeError, "lr_lambda is a function of the epoch, but a float came"),
    (lambda: S.MultiplicativeLR(sgd(), None), TypeError, "MultiplicativeLR: lr_lambda is a function"),
    (lambda: S.TimeBasedLR(sgd(), -1), ValueError, "decay is -1"),
    (lambda: S.WarmupCosineLR(sgd(), -1, 5), ValueError, "warmup is -1, but .* at least 0"),
    (lambda: S.WarmupCosineLR(sgd(), 5, 5), ValueError, "total is 5, but .* at least 6"),
    (lambda: S.CosineAnnealingWarmRestarts(sgd(), 0), ValueError, "T_0 is 0"),
    (lambda: S.CosineAnnealingWarmRestarts(sgd(), 2, 1.5), ValueError, "T_mult is 1.5"),
    (lambda: S.CosineAnnealingWarmRestarts(sgd(), 2).step(-1), ValueError, "epoch is -1"),
    (lambda: S.CyclicLR(sgd(), 0.1, 0.2, mode="square"), ValueError, "mode is 'square', but one of triangular"),
    (lambda: S.CyclicLR(sgd(), 0.1, 0.2, scale_mode="x"), ValueError, "scale_mode is 'x'"),
    (lambda: S.CyclicLR(sgd(2), [0.1], 0.2), ValueError, "base_lr has 1 values"),
    (lambda: S.CyclicLR(optim.Adagrad([leaf(1)]), 0.1, 0.2), ValueError, "Adagrad has neither a momentum nor betas"),
    (lambda: S.OneCycleLR(optim.Adagrad([leaf(1)]), 0.1, 9), ValueError, "Adagrad has neither a momentum nor betas"),
    (lambda: S.OneCycleLR(sgd(), 0.1), ValueError, "needs total_steps, or both"),
    (lambda: S.OneCycleLR(sgd(), 0.1, 0), ValueError, "total_steps is 0"),
    (lambda: S.OneCycleLR(sgd(), 0.1, epochs=2, steps_per_epoch=0), ValueError, "steps_per_epoch is 0"),
    (lambda: S.OneCycleLR(sgd(), 0.1, 9, pct_start=2.0), ValueError, "pct_start is 2.0"),
    (lambda: S.OneCycleLR(sgd(), 0.1, 9, anneal_strategy="x"), ValueError, "anneal_strategy is 'x'"),
    (too_many_steps, ValueError, "step 3 came, but total_steps is 2"),
    (lambda: S.ReduceLROnPlateau(sgd(), factor=1.0), ValueError, "factor is 1.0"),
    (lambda: S.ReduceLROnPlateau(sgd(), "least"), ValueError, "mode is 'least'"),
    (lambda: S.ReduceLROnPlateau(sgd(), threshold_mode="x"), ValueError, "threshold_mode is 'x'"),
    (lambda: S.ReduceLROnPlateau(sgd(2), min_lr=[0.1]), ValueError, "min_lr has 1 values"),
    (lambda: S.ReduceLROnPlateau(sgd()).step(), TypeError, "step takes the measure"),
    (too_many_groups, RuntimeError, "has 2 groups by now, but there are 1 least rates"),
    (lambda: chained(), ValueError, "got no schedulers"),
    (lambda: chained(S.ReduceLROnPlateau), ValueError, "scheduler 0 is ReduceLROnPlateau"),
    (lambda: chained(lambda _: 3), TypeError, "scheduler 0 is a int"),
    (lambda: chained(S.ConstantLR, lambda _: S.ConstantLR(sgd())), ValueError, "schedules another optimizer"),
    (lambda: sequential([], S.ConstantLR, S.ConstantLR), ValueError, "2 schedulers need 1 milestones, but 0 came"),
    (lambda: sequential([1]), ValueError, "SequentialLR got no schedulers"),
    (loads_two_into_one, ValueError, "the state to load is of 2 schedulers, but there are 1"),
    (loads_schedule({"T_max": 3}), ValueError, "has `T_max`, which it does not"),
    (loads_schedule({}, without="gamma"), ValueError, "lacks `gamma`"),
    (loads_schedule({"_last_lr": [1, 2]}), ValueError, "is for 2 groups, but the optimizer has 1"),
]


@pytest.mark.parametrize("misuse, error, words", MISUSE, ids=[words[:40] for _, _, words in MISUSE])
def test_misuse_is_answered_in_words(misuse: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        misuse()

"""Schedulers: the same rates as PyTorch over whole runs, resumed too, states exchanged, misuse in words."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from chalkgrad import Tensor, optim
from chalkgrad.optim import lr_scheduler

Options = dict[str, Any]


def leaf(*shape: int) -> Tensor:
    return Tensor(np.ones(shape), requires_grad=True)


def sgd_twins(**group: Any) -> list[tuple[Any, Any]]:
    """Return optimizers with two groups, and where their schedulers are, here and in PyTorch."""
    made = []
    for module, one in ((optim, leaf(1)), (torch.optim, torch.ones(1, requires_grad=True))):
        other = leaf(1) if module is optim else torch.ones(1, requires_grad=True)
        groups = [{"params": [one], "lr": 0.5, **group}, {"params": [other], "lr": 0.03, **group}]
        made.append((module.SGD(groups), module.lr_scheduler))
    return made


SCHEDULERS: list[tuple[str, Options]] = [
    ("StepLR", {"step_size": 1}),
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 10, "gamma": 0.5}),
    ("CosineAnnealingLR", {"T_max": 50}),
    ("CosineAnnealingLR", {"T_max": 50, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 10, "eta_min": 0.01}),  # up and down again
    ("CosineAnnealingLR", {"T_max": 1}),
]


def run(optimizer: Any, scheduler: Any, steps: int) -> list[float]:
    rates = [*scheduler.get_last_lr()]
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
        rates += scheduler.get_last_lr()
        assert scheduler.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
    return rates


@pytest.mark.parametrize("name, options", SCHEDULERS)
def test_fifty_epochs_as_pytorch(name: str, options: Options) -> None:
    ours, theirs = (run(o, getattr(module, name)(o, **options), 50) for o, module in sgd_twins())
    assert ours == theirs


@pytest.mark.parametrize("epoch", [0, 6, 9, 10])
@pytest.mark.parametrize("name, options", SCHEDULERS)
def test_resumed_by_last_epoch_as_pytorch(name: str, options: Options, epoch: int) -> None:
    twins = sgd_twins(initial_lr=0.7)
    ours, theirs = (run(o, getattr(module, name)(o, **options, last_epoch=epoch), 30) for o, module in twins)
    assert ours == theirs


@pytest.mark.parametrize("name, options", SCHEDULERS)
def test_resumed_by_its_state_it_gives_the_unbroken_run(name: str, options: Options) -> None:
    (optimizer, module), (torch_optimizer, torch_module) = sgd_twins()
    scheduler = getattr(module, name)(optimizer, **options)
    run(optimizer, scheduler, 13)
    saved = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
    unbroken = run(optimizer, scheduler, 20)

    for again, where in (*sgd_twins(),):
        resumed = getattr(where, name)(again, **options)
        again.load_state_dict(saved[0])
        resumed.load_state_dict(saved[1])
        assert run(again, resumed, 20) == unbroken

    torch_scheduler = getattr(torch_module, name)(torch_optimizer, **options)
    run(torch_optimizer, torch_scheduler, 13)
    (again, where), _ = sgd_twins()
    resumed = getattr(where, name)(again, **options)
    again.load_state_dict(torch_optimizer.state_dict())
    resumed.load_state_dict(torch_scheduler.state_dict())
    assert run(again, resumed, 20) == unbroken


def test_a_saved_state_is_a_copy() -> None:
    scheduler = lr_scheduler.StepLR(optim.SGD([leaf(1)], lr=0.5), 2)
    saved = scheduler.state_dict()
    saved["base_lrs"][0] = 9.0
    assert scheduler.base_lrs == [0.5]
    scheduler.load_state_dict(saved)
    saved["base_lrs"][0] = 7.0
    assert scheduler.base_lrs == [9.0]


# ----------------------------------------------------------------------------------------------------------- misuse


def loads_schedule(changes: Options, without: str = "") -> Callable[[], None]:
    def load() -> None:
        scheduler = lr_scheduler.StepLR(optim.SGD([leaf(1)]), 2)
        before = scheduler.state_dict()
        saved = {key: value for key, value in {**before, **changes}.items() if key != without}
        try:
            scheduler.load_state_dict(saved)
        finally:
            assert scheduler.state_dict() == before

    return load


SGD, StepLR = optim.SGD, lr_scheduler.StepLR
MISUSE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: StepLR(leaf(1), 2), TypeError, "StepLR schedules an Optimizer, but a Tensor came"),
    (lambda: StepLR(SGD([leaf(1)]), 0), ValueError, "StepLR: step_size is 0"),
    (lambda: lr_scheduler.CosineAnnealingLR(SGD([leaf(1)]), 2.5), ValueError, "CosineAnnealingLR: T_max is 2.5"),
    (lambda: StepLR(SGD([leaf(1)]), 2, last_epoch=3), ValueError, "group 0 needs its first rate as `initial_lr`"),
    (lambda: lr_scheduler.LRScheduler(SGD([leaf(1)])), NotImplementedError, "LRScheduler has no get_lr"),
    (loads_schedule({"T_max": 3}), ValueError, "has `T_max`, which it does not"),
    (loads_schedule({}, without="gamma"), ValueError, "lacks `gamma`"),
    (loads_schedule({"base_lrs": [1, 2]}), ValueError, "is for 2 groups, but the optimizer has 1"),
]


@pytest.mark.parametrize("misuse, error, words", MISUSE, ids=[words[:40] for _, _, words in MISUSE])
def test_misuse_is_answered_in_words(misuse: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        misuse()

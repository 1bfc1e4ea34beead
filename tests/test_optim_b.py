"""RMSprop, NAdam and Adagrad: the same numbers as PyTorch over every option, states exchanged, misuse in words."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from chalkgrad import Tensor, optim

from .test_optim import TOLERANCE, Options, Twins, leaf, same, with_gradients

OPTIMIZERS: dict[str, list[Options]] = {
    "RMSprop": [
        {},
        {"lr": 0.1, "alpha": 0.5},
        {"lr": 0.1, "alpha": 0.0},
        {"lr": 0.1, "eps": 0.1},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "maximize": True},
        {"lr": 0.1, "momentum": 0.9, "alpha": 0.5},
        {"lr": 0.1, "centered": True},
        {"lr": 0.1, "centered": True, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.1, "centered": True, "momentum": 0.5, "alpha": 0.75},
        {"lr": 0.1, "centered": True, "momentum": 0.5, "weight_decay": 0.1, "maximize": True, "eps": 0.1},
        {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.1, "maximize": True, "eps": 0.1},
    ],
    "NAdam": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "betas": (0.5, 0.75)},
        {"lr": 0.1, "betas": (0.0, 0.0)},
        {"lr": 0.1, "eps": 0.1},
        {"lr": 0.1, "momentum_decay": 0.5},
        {"lr": 0.1, "momentum_decay": 0.0},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True},
        {"lr": 0.1, "maximize": True},
        {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True, "betas": (0.7, 0.8)},
    ],
    "Adagrad": [
        {},
        {"lr": 0.1, "lr_decay": 0.5},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "initial_accumulator_value": 0.5},
        {"lr": 0.1, "eps": 0.1},
        {"lr": 0.1, "maximize": True},
        {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 2.0, "maximize": True},
    ],
}
CASES = [(name, options) for name, several in OPTIMIZERS.items() for options in several]
NAMES = [f"{name}-{'-'.join(options) or 'defaults'}-{i}" for i, (name, options) in enumerate(CASES)]
STATEFUL = [(name, several[-1]) for name, several in OPTIMIZERS.items()] + [CASES[0], CASES[6], CASES[9]]
SCALARS = ("step", "mu_product")
each_case = pytest.mark.parametrize("name, options", CASES, ids=NAMES)


class SomeTwins(Twins):
    """Twins whose states hold more than one single number."""

    def compare(self) -> None:
        for ours, theirs in zip(self.ours, self.theirs):
            same(ours, theirs, self.dtype)
            values = self.torch_optimizer.state.get(theirs, {})
            assert self.optimizer.state.get(ours, {}).keys() == values.keys()
            for name, value in values.items():
                same(self.optimizer.state[ours][name], value, np.float32 if name in SCALARS else self.dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
@each_case
def test_five_steps_as_pytorch(name: str, options: Options, dtype: Any) -> None:
    twins = SomeTwins(name, options, dtype)
    for _ in range(5):
        twins.step()
        twins.compare()


@each_case
def test_no_gradient_is_changed_and_every_change_is_counted(name: str, options: Options) -> None:
    (param,) = with_gradients(leaf(2))
    version = param.version[0]
    getattr(optim, name)([param], **options).step()
    assert param.grad is not None and param.grad.tolist() == [1, 1]
    assert param.version[0] > version and param.is_leaf and param.requires_grad


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_defaults_are_those_of_pytorch(name: str) -> None:
    ours, theirs = getattr(optim, name)([leaf(1)]), getattr(torch.optim, name)([torch.ones(1, requires_grad=True)])
    assert ours.defaults.items() <= theirs.defaults.items()
    assert not any(theirs.defaults[key] for key in theirs.defaults.keys() - ours.defaults.keys())


@pytest.mark.parametrize("name, options", STATEFUL)
def test_the_state_goes_on_from_pytorch(name: str, options: Options) -> None:
    twins = SomeTwins(name, options)
    for _ in range(3):
        twins.step()
    saved = copy.deepcopy(twins.torch_optimizer.state_dict())
    for values in saved["state"].values():
        values.update({key: value.numpy() for key, value in values.items()})
    twins.optimizer = getattr(optim, name)(twins.ours)
    twins.optimizer.load_state_dict(saved)
    twins.step()
    twins.compare()


@pytest.mark.parametrize("name, options", STATEFUL)
def test_the_state_goes_on_in_pytorch(name: str, options: Options) -> None:
    """In float32: PyTorch brings mu_product to the dtype of the parameter when it loads."""
    twins = SomeTwins(name, options, np.float32)
    for _ in range(3):
        twins.step()
    saved = twins.optimizer.state_dict()
    for values in saved["state"].values():
        values.update({key: torch.tensor(value.data) for key, value in values.items()})
    twins.torch_optimizer = getattr(torch.optim, name)(twins.theirs)
    twins.torch_optimizer.load_state_dict(saved)
    twins.step()
    twins.compare()


@pytest.mark.parametrize("name, options", STATEFUL)
def test_the_layout_of_the_state_is_that_of_pytorch(name: str, options: Options) -> None:
    twins = SomeTwins(name, options)
    twins.step()
    ours, theirs = twins.optimizer.state_dict(), twins.torch_optimizer.state_dict()
    assert list(ours["state"]) == list(theirs["state"])
    for number in ours["state"]:
        assert ours["state"][number].keys() == theirs["state"][number].keys()
    for group, other in zip(ours["param_groups"], theirs["param_groups"]):
        assert group.items() <= other.items()


@pytest.mark.parametrize("name, options", STATEFUL)
def test_large_arrays_take_the_same_steps(name: str, options: Options) -> None:
    """They are updated in blocks; the counts beside them advance once."""
    large, small = Tensor(np.ones(300_000), requires_grad=True), Tensor(np.ones(3), requires_grad=True)
    optimizer = getattr(optim, name)([large, small], **options)
    for _ in range(2):
        for param in (large, small):
            param.grad = Tensor(np.full(param.shape, 0.5))
        optimizer.step()
    assert np.ptp(large.data) == 0 and large.data[0] == small.data[0]
    for key in optimizer.state[small].keys() & {*SCALARS}:
        assert optimizer.state[large][key].item() == optimizer.state[small][key].item()


MISUSE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: optim.RMSprop([leaf(1)], alpha=1.0), ValueError, "alpha is 1.0, but a number of at least 0 and below 1"),
    (lambda: optim.RMSprop([leaf(1)], momentum=-1), ValueError, "RMSprop: momentum is -1"),
    (lambda: optim.RMSprop([leaf(1)], rho=0.9), TypeError, "RMSprop has no option `rho`"),
    (lambda: optim.RMSprop([leaf(1)], foreach=True), TypeError, "foreach=True chooses a kernel of PyTorch's"),
    (lambda: optim.NAdam([leaf(1)], betas=(0.9, 1.0)), ValueError, "NAdam: beta2 is 1.0"),
    (lambda: optim.NAdam([leaf(1)], momentum_decay=-1), ValueError, "NAdam: momentum_decay is -1"),
    (lambda: optim.NAdam([leaf(1)], amsgrad=True), TypeError, "NAdam has no option `amsgrad`"),
    (lambda: optim.Adagrad([leaf(1)], lr_decay=-1), ValueError, "Adagrad: lr_decay is -1"),
    (lambda: optim.Adagrad([leaf(1)], initial_accumulator_value=-1), ValueError, "initial_accumulator_value is -1"),
    (lambda: optim.Adagrad([leaf(1)], momentum=0.9), TypeError, "Adagrad has no option `momentum`"),
]


@pytest.mark.parametrize("misuse, error, words", MISUSE, ids=[words[:40] for _, _, words in MISUSE])
def test_misuse_is_answered_in_words(misuse: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        misuse()

"""Averaged models: the same means as PyTorch's, states exchanged, norms measured anew, and the schedule with them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import swa_utils as theirs

import chalkgrad as cg
from chalkgrad import SpellError, Tensor, nn, optim
from chalkgrad.optim import swa_utils as ours

from .test_lr_scheduler import run, twins

Options = dict[str, Any]
AVERAGES: dict[str, Callable[[Any], Options]] = {
    "the mean": lambda lib: {},
    "swa": lambda lib: {"avg_fn": lib.get_swa_avg_fn()},
    "swa of lists": lambda lib: {"multi_avg_fn": lib.get_swa_multi_avg_fn()},
    "ema": lambda lib: {"avg_fn": lib.get_ema_avg_fn(0.75)},
    "ema of lists": lambda lib: {"multi_avg_fn": lib.get_ema_multi_avg_fn(0.75)},
    "ema with 0.999": lambda lib: {"multi_avg_fn": lib.get_ema_multi_avg_fn()},
    "one's own": lambda lib: {"avg_fn": lambda mean, value, count: 0.5 * mean + 0.5 * value / (count + 1)},
}
# PyTorch cannot take the mean of lists of whole numbers, which buffers may be
CASES = [(name, buffers) for name in AVERAGES for buffers in (False, True) if (name, buffers) != ("swa of lists", True)]


def models() -> list[Any]:
    """Make a model twice, of the same numbers."""
    made = [lib.Sequential(lib.Linear(3, 4), lib.BatchNorm1d(4), lib.Linear(4, 2)) for lib in (nn, torch.nn)]
    shake(made, np.random.default_rng(0))
    return made


def shake(made: list[Any], rng: np.random.Generator) -> None:
    """Give both models the same new numbers, in parameters and buffers."""
    state = {name: tensor.data for name, tensor in made[0].state_dict().items()}
    state = {name: rng.integers(0, 50, array.shape) if array.dtype == np.int64 else rng.random(array.shape)
             .astype(np.float32) for name, array in state.items()}
    made[0].load_state_dict(state)
    made[1].load_state_dict({name: torch.tensor(array) for name, array in state.items()})


def compare(one: Any, other: Any, tolerance: float = 1e-6) -> None:
    """Compare two states, their names and their order."""
    states = one.state_dict(), other.state_dict()
    assert list(states[0]) == list(states[1])
    for name in states[0]:
        np.testing.assert_allclose(states[0][name].data, states[1][name].numpy(), tolerance, tolerance, err_msg=name)


@pytest.mark.parametrize("average, use_buffers", CASES)
def test_means_are_those_of_pytorch(average: str, use_buffers: bool) -> None:
    made, rng = models(), np.random.default_rng(1)
    averaged = [lib.AveragedModel(model, use_buffers=use_buffers, **AVERAGES[average](lib))
                for lib, model in zip((ours, theirs), made)]
    for _ in range(4):
        for mean, model in zip(averaged, made):
            mean.update_parameters(model)
        compare(*averaged)
        shake(made, rng)
    x = rng.standard_normal((5, 3)).astype(np.float32)
    for mean in averaged:
        mean.eval()
    np.testing.assert_allclose(averaged[0](Tensor(x)).data, averaged[1](torch.tensor(x)).detach().numpy(), 1e-4, 1e-5)


def test_the_state_is_exchanged() -> None:
    made = models()
    averaged = [lib.AveragedModel(model) for lib, model in zip((ours, theirs), made)]
    for _ in range(3):
        averaged[1].update_parameters(made[1])
        shake(made, np.random.default_rng(2))
    averaged[0].load_state_dict({name: value.numpy() for name, value in averaged[1].state_dict().items()})
    averaged[1].load_state_dict({name: torch.tensor(value.data) for name, value in averaged[0].state_dict().items()})
    for mean, model in zip(averaged, made):
        mean.update_parameters(model)
    compare(*averaged)


def test_a_mean_is_no_part_of_a_graph_and_leaves_the_model_alone() -> None:
    model = nn.Linear(2, 1)
    mean = ours.AveragedModel(model)
    before = {name: value.data.copy() for name, value in model.state_dict().items()}
    for _ in range(2):
        mean.update_parameters(model)
    assert all(np.array_equal(value.data, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.is_leaf and parameter.requires_grad for parameter in mean.parameters())
    assert copy.deepcopy(mean).n_averaged.item() == 2


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: (x, "label"), lambda x: [x]])
def test_norms_are_measured_anew(wrap: Callable[[Any], Any]) -> None:
    made, rng = models(), np.random.default_rng(3)
    batches = [rng.standard_normal((6, 3)).astype(np.float32) for _ in range(3)]
    made[0].eval()
    made[1].eval()
    ours.update_bn([wrap(Tensor(x)) for x in batches], made[0])
    theirs.update_bn([wrap(torch.tensor(x)) for x in batches], made[1])
    compare(*made, tolerance=1e-5)
    assert not made[0].training and made[0][1].momentum == 0.1
    ours.update_bn(batches, made[0])  # arrays will do
    compare(*made, tolerance=1e-5)


def test_a_failure_leaves_the_norms_as_they_were() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).eval()
    with pytest.raises(cg.ShapeError):
        ours.update_bn([cg.ones(2, 5)], model)
    assert model[1].momentum == 0.1 and not model.training


@pytest.mark.parametrize("options", [
    {"swa_lr": 0.05}, {"swa_lr": [0.05, 0.3], "anneal_epochs": 4, "anneal_strategy": "linear"},
    {"swa_lr": 0.1, "anneal_epochs": 0}, {"swa_lr": 0.1, "anneal_epochs": 1},
])
def test_the_rate_goes_to_its_end_as_in_pytorch(options: Options) -> None:
    rates = [run(optimizer, lib.SWALR(optimizer, **options), 15)
             for (optimizer, _), lib in zip(twins(), (ours, theirs))]
    np.testing.assert_array_equal(*([rate for rate in each if isinstance(rate, float)] for each in rates))


def test_the_schedule_goes_on_from_its_state() -> None:
    (optimizer, _), (torch_optimizer, _) = twins()
    schedule, torch_schedule = ours.SWALR(optimizer, 0.05), theirs.SWALR(torch_optimizer, 0.05)
    run(torch_optimizer, torch_schedule, 6)
    optimizer.load_state_dict(torch_optimizer.state_dict())
    schedule.load_state_dict(torch_schedule.state_dict())
    assert run(optimizer, schedule, 9) == run(torch_optimizer, torch_schedule, 9)


def spelled() -> None:
    model = nn.Linear(2, 1)
    mean = ours.AveragedModel(model)

    def step(x: Tensor) -> Tensor:
        mean.update_parameters(model)
        return model(x).sum()

    cg.spell(step, np.ones((2, 2), np.float32), model=model)


def other_shapes() -> None:
    mean = ours.AveragedModel(nn.Linear(2, 1))
    before = {name: value.data.copy() for name, value in mean.state_dict().items()}
    try:
        mean.update_parameters(nn.Linear(2, 2))
    finally:
        assert all(np.array_equal(value.data, before[name]) for name, value in mean.state_dict().items())


SGD = optim.SGD([Tensor(np.ones(1), requires_grad=True)])
MISUSE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: ours.get_ema_avg_fn(1.5), ValueError, "decay is 1.5, but a number from 0 to 1"),
    (lambda: ours.get_ema_multi_avg_fn(-0.5), ValueError, "decay is -0.5"),
    (lambda: ours.AveragedModel(nn.ReLU(), ours.get_swa_avg_fn(), ours.get_swa_multi_avg_fn()), ValueError, "but both"),
    (lambda: ours.SWALR(SGD, 0.1, -1), ValueError, "anneal_epochs is -1"),
    (lambda: ours.SWALR(SGD, 0.1, anneal_strategy="x"), ValueError, "anneal_strategy is 'x'"),
    (lambda: ours.SWALR(SGD, [0.1, 0.2]), ValueError, "swa_lr has 2 values, but the optimizer has 1 groups"),
    (lambda: ours.SWALR(3, 0.1), TypeError, "SWALR schedules an Optimizer, but a int came"),
    (other_shapes, ValueError, "the model has other parameters than the one that was copied"),
    (spelled, SpellError, "update_parameters after the step"),
]


@pytest.mark.parametrize("misuse, error, words", MISUSE, ids=[words[:40] for _, _, words in MISUSE])
def test_misuse_is_answered_in_words(misuse: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        misuse()

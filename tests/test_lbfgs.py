"""L-BFGS: step for step what PyTorch's does, to rounding; states exchanged; what it refuses."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import SpellError, Tensor, nn, optim
from chalkgrad.optim.rosenbrock import rosenbrock_path

Options = dict[str, Any]
OPTIONS: list[Options] = [
    {},
    {"lr": 0.1},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "lr": 50.0},
    {"line_search_fn": "strong_wolfe", "lr": 1e-4},
    {"line_search_fn": "strong_wolfe", "history_size": 3},
    {"line_search_fn": "strong_wolfe", "max_iter": 3, "max_eval": 10},
    {"line_search_fn": "strong_wolfe", "max_eval": 2},
    {"history_size": 2, "max_iter": 5},
    {"max_iter": 1},
    {"tolerance_grad": 0.1},
    {"tolerance_change": 0.01},
]
each = pytest.mark.parametrize("options", OPTIONS)


class Twins:
    """A least-squares problem with a bend, twice, and an optimizer for each; `frozen` has no gradient."""

    def __init__(self, options: Options, dtype: Any = np.float64) -> None:
        rng = np.random.default_rng(0)
        self.x, self.y = rng.standard_normal((20, 5)).astype(dtype), rng.standard_normal(20).astype(dtype)
        arrays = [rng.standard_normal(5).astype(dtype), np.asarray(0.3, dtype), np.ones(2, dtype)]
        self.ours = [Tensor(array, requires_grad=True) for array in arrays]
        self.theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
        self.make(options)
        self.calls = [0, 0]

    def make(self, options: Options) -> None:
        self.optimizers = [optim.LBFGS(self.ours, **options), torch.optim.LBFGS(self.theirs, **options)]

    def closure(self, place: int) -> Callable[[], Any]:
        (w, b, _), wrap = ((self.ours, Tensor), (self.theirs, torch.tensor))[place]
        x, y = wrap(self.x), wrap(self.y)

        def compute() -> Any:
            self.calls[place] += 1
            self.optimizers[place].zero_grad()
            loss = (((x @ w + b).tanh() - y) ** 2).mean() + 0.01 * (w**4).sum()
            loss.backward()
            return loss

        return compute

    def step(self, tolerance: float = 1e-12) -> None:
        losses = [optimizer.step(self.closure(place)) for place, optimizer in enumerate(self.optimizers)]
        assert losses[0].item() == pytest.approx(losses[1].item(), rel=tolerance)
        assert self.calls[0] == self.calls[1]
        for ours, theirs in zip(self.ours, self.theirs):
            np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=tolerance, atol=tolerance)


@each
def test_every_step_is_pytorchs(options: Options) -> None:
    twins = Twins(options)
    for _ in range(3):
        twins.step()
        ours, theirs = (optimizer.state_dict()["state"][0] for optimizer in twins.optimizers)
        assert ours.keys() == theirs.keys() - {"al"}
        for name in ("n_iter", "func_evals"):
            assert ours[name] == theirs[name]
        for name in ("d", "prev_flat_grad"):
            np.testing.assert_allclose(ours[name].data, theirs[name].numpy(), rtol=1e-6, atol=1e-12)
        for name in ("t", "H_diag", "prev_loss"):
            assert ours[name] == pytest.approx(float(theirs[name]), rel=1e-6)
        for name in ("old_dirs", "old_stps"):
            assert [value.shape for value in ours[name]] == [tuple(value.shape) for value in theirs[name]]


def test_float32_stays_float32_and_arrives_where_pytorch_does() -> None:
    twins = Twins({"line_search_fn": "strong_wolfe", "max_iter": 8}, np.float32)
    twins.step(1e-4)
    assert all(param.dtype == np.float32 for param in twins.ours)
    assert twins.optimizers[0].state[twins.ours[0]]["d"].dtype == np.float32


@pytest.mark.parametrize("options", [{"max_iter": 4}, {"max_iter": 4, "line_search_fn": "strong_wolfe"}])
def test_the_state_goes_on_from_pytorch(options: Options) -> None:
    twins = Twins(options)
    twins.step()
    saved = copy.deepcopy(twins.optimizers[1].state_dict())
    twins.optimizers[0] = optim.LBFGS(twins.ours)
    twins.optimizers[0].load_state_dict(saved)
    twins.step()


@pytest.mark.parametrize("options", [{"max_iter": 4}, {"max_iter": 4, "line_search_fn": "strong_wolfe"}])
def test_the_state_goes_on_in_pytorch(options: Options) -> None:
    twins = Twins(options)
    twins.step()
    saved = twins.optimizers[0].state_dict()

    def theirs(value: Any) -> Any:
        if isinstance(value, list):
            return [theirs(each) for each in value]
        return torch.tensor(value.data) if isinstance(value, Tensor) else value

    saved["state"] = {0: {name: theirs(value) for name, value in saved["state"][0].items()}}
    twins.optimizers[1] = torch.optim.LBFGS(twins.theirs)
    twins.optimizers[1].load_state_dict(saved)
    twins.step()


def test_it_finds_the_end_of_the_valley() -> None:
    path = rosenbrock_path(optim.LBFGS, 4, line_search_fn="strong_wolfe")
    np.testing.assert_allclose(path[-1], [1, 1], atol=1e-4)


def test_a_compiled_loss_is_minimized() -> None:
    model = nn.Linear(3, 1).double()
    x = Tensor(np.random.default_rng(0).standard_normal((9, 3)))
    optimizer = optim.LBFGS(model.parameters(), line_search_fn="strong_wolfe")
    compute = cg.compile(lambda: ((model(x) - x[:, :1]) ** 2).mean())

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = compute()
        loss.backward()
        return loss

    for _ in range(4):
        optimizer.step(closure)
    assert closure().item() < 1e-9


# ----------------------------------------------------------------------------------------------------------- misuse


def leaf() -> Tensor:
    return Tensor(np.ones(2), requires_grad=True)


def spelled() -> None:
    model = nn.Linear(2, 1)
    optimizer = optim.LBFGS(model.parameters())

    def step(x: Tensor) -> Tensor:
        def closure() -> Tensor:
            optimizer.zero_grad()
            loss = model(x).sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        return closure()

    cg.spell(step, np.ones((3, 2), np.float32), model=model, optimizer=optimizer)


def compiled() -> None:
    (param,) = [leaf()]
    optimizer = optim.LBFGS([param])

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = (param * param).sum()
        loss.backward()
        return loss

    cg.compile(lambda: optimizer.step(closure))()


def loads(state: Options) -> Callable[[], None]:
    def load() -> None:
        optimizer = optim.LBFGS([leaf()])
        before = repr(optimizer.state_dict())
        try:
            optimizer.load_state_dict({"state": state, "param_groups": [{"params": [0]}]})
        finally:
            assert repr(optimizer.state_dict()) == before

    return load


def wrong_gradient() -> None:
    param = leaf()

    def closure() -> float:
        param.grad = Tensor(np.ones(3))
        return 1.0

    optim.LBFGS([param]).step(closure)


MISUSE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: optim.LBFGS([leaf()]).step(), TypeError, "give step a closure that calls zero_grad"),
    (spelled, SpellError, "LBFGS looks at losses and slopes.*Compile the function that computes the loss"),
    (compiled, SpellError, "LBFGS looks at losses and slopes"),
    (lambda: optim.LBFGS([{"params": [leaf()]}, {"params": [leaf()]}]), ValueError, "so they are all in one group"),
    (lambda: optim.LBFGS([leaf()], line_search_fn="armijo"), ValueError, "line_search_fn is 'armijo', but one of"),
    (lambda: optim.LBFGS([leaf()], lr=-1), ValueError, "lr is -1"),
    (lambda: optim.LBFGS([leaf()], max_iter=-1), ValueError, "max_iter is -1"),
    (lambda: optim.LBFGS([leaf()], maximize=True), TypeError, "LBFGS has no option `maximize`"),
    (wrong_gradient, ValueError, "must be a Tensor of the same shape"),
    (loads({1: {"n_iter": 1}}), ValueError, "speaks of parameter 1, but it is kept with the first"),
    (loads({0: {"exp_avg": np.ones(2)}}), ValueError, "has `exp_avg`, which it does not"),
    (loads({0: {"d": np.ones(3)}}), ValueError, r"`d` of parameter 0 has shape \(3,\)"),
    (loads({0: {"n_iter": 3}}), ValueError, "lacks `.*old_dirs"),
]


@pytest.mark.parametrize("misuse, error, words", MISUSE, ids=[words[:40] for _, _, words in MISUSE])
def test_misuse_is_answered_in_words(misuse: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        misuse()

"""Lazy modules beyond their tables: before the first call, states there and back, copies, optimizers, one's own."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import nn, optim
from chalkgrad.nn.lazy import LazyModuleMixin
from chalkgrad.nn.parameter import UninitializedBuffer, UninitializedParameter

MADE: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("LazyLinear", {"out_features": 3}, (4, 5)),
    ("LazyConv2d", {"out_channels": 4, "kernel_size": 3, "groups": 2}, (3, 2, 5, 6)),
    ("LazyConvTranspose1d", {"out_channels": 4, "kernel_size": 3, "bias": False}, (3, 2, 5)),
    ("LazyBatchNorm1d", {}, (4, 5)),
    ("LazyInstanceNorm2d", {}, (2, 3, 4, 5)),
]
each_kind = pytest.mark.parametrize("name, options, shape", MADE, ids=[name for name, *_ in MADE])


def network() -> nn.Sequential:
    """A network that nobody counted channels for."""
    return nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3))


# -------------------------------------------------------------------------------------------- before the first call


@each_kind
def test_a_module_becomes_the_ordinary_one_at_its_first_call(name: str, options: Any, shape: Any) -> None:
    module, other = getattr(nn, name)(**options), getattr(torch.nn, name)(**options)
    weights = dict(module.named_parameters())
    assert list(module.state_dict()) == list(other.state_dict())
    assert repr(module) == repr(other) and repr(module.weight) == "<UninitializedParameter>"
    assert module.has_uninitialized_params()
    module(cg.ones(*shape))
    assert type(module) is getattr(nn, name.removeprefix("Lazy")) and not hasattr(module, "initialize_parameters")
    assert {type(weight) for weight in weights.values()} == {nn.Parameter}
    assert all(weights[key] is weight for key, weight in module.named_parameters()), "who held it holds another one"
    module.reset_parameters()
    copy.deepcopy(module)(cg.ones(*shape))


@each_kind
@pytest.mark.parametrize("again", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
def test_a_lazy_copy_is_lazy(name: str, options: Any, shape: Any, again: Callable[[Any], Any]) -> None:
    module = getattr(nn, name)(**options).double()
    module.weight.requires_grad_(False)
    copied = again(module)
    module(cg.ones(*shape).double())
    assert copied.has_uninitialized_params() and type(copied) is getattr(nn, name)
    copied(cg.ones(*shape).double())
    assert copied.weight.dtype == np.float64 and not copied.weight.requires_grad
    assert repr(copied) == repr(module)


TOUCHED: list[Callable[[Any], Any]] = [
    lambda weight: weight.shape, lambda weight: weight + 1, lambda weight: weight.data, lambda weight: weight.zero_(),
    lambda weight: weight.sum(), lambda weight: len(weight), lambda weight: nn.functional.linear(cg.ones(2, 3), weight),
    lambda weight: nn.init.ones_(weight), lambda weight: cg.ones(2) @ weight, lambda weight: np.exp(weight),
]


@pytest.mark.parametrize("touch", TOUCHED)
@pytest.mark.parametrize("kind", [UninitializedParameter, UninitializedBuffer])
def test_whoever_asks_too_early_is_told(kind: Any, touch: Callable[[Any], Any]) -> None:
    with pytest.raises(RuntimeError, match=f"{kind.__name__} has no shape and no numbers yet: .* Call the model once"):
        touch(kind())


@pytest.mark.parametrize("name, options, shape, words", [
    ("LazyConv2d", {"out_channels": 4, "kernel_size": 3, "groups": 2}, (1, 3, 5, 5), "does not divide the 3 channels"),
    ("LazyConv2d", {"out_channels": 4, "kernel_size": 3}, (5, 5), "the first input has shape"),
    ("LazyBatchNorm1d", {}, (5,), "axes are expected"),
])  # fmt: skip
def test_a_first_input_that_is_refused_settles_nothing(name: str, options: Any, shape: Any, words: str) -> None:
    module = getattr(nn, name)(**options)
    before = repr(module)
    with pytest.raises(ValueError, match=words):
        module(cg.ones(*shape))
    assert module.has_uninitialized_params() and repr(module) == before


# ----------------------------------------------------------------------------------------------------------- states


def test_states_go_there_and_back() -> None:
    """From lazy or ordinary, into lazy or ordinary: only what is missing cannot be given to what is there."""
    known, x = network(), cg.randn(2, 3, 5, 6)
    known(x)
    known.eval()
    for lazy in (network(), copy.deepcopy(network())):
        assert lazy.load_state_dict(network().state_dict()) == ([], []) and lazy[0].has_uninitialized_params()
        assert lazy.load_state_dict(known.state_dict()) == ([], []) and not lazy[0].has_uninitialized_params()
        np.testing.assert_array_equal(lazy.eval()(x).data, known(x).data)
        assert repr(lazy) == repr(known)
    before = {key: value.data.copy() for key, value in known.state_dict().items()}
    with pytest.raises(RuntimeError, match=r"0\.weight: the value has no shape and no numbers yet"):
        known.load_state_dict(network().state_dict())
    assert all(np.array_equal(value.data, before[key]) for key, value in known.state_dict().items())


def test_a_state_is_taken_over() -> None:
    array = np.ones((3, 5), np.float32)
    layer = nn.LazyLinear(3, bias=False)
    layer.load_state_dict({"weight": array}, assign=True)
    assert layer.weight.data is array and layer(cg.ones(2, 5)).tolist() == [[5.0] * 3] * 2


def test_a_state_of_another_size_is_refused() -> None:
    layer = nn.LazyLinear(3)
    layer.load_state_dict(nn.Linear(5, 3).state_dict())
    with pytest.raises(cg.ShapeError, match=r"the weight has the shape \(3, 4\), but one of shape \(3, 5\) was loaded"):
        layer(cg.ones(2, 4))
    assert layer(cg.ones(2, 5)).shape == (2, 3) and layer.in_features == 5


def test_a_summary_settles_the_sizes() -> None:
    assert nn.summary(network(), (2, 3, 5, 6)).rows[-1][1:4] == ("Linear", (2, 3), 4 * 12 * 3 + 3)


# --------------------------------------------------------------------------------------------------------- learning


def test_an_optimizer_made_before_learns_what_came_after() -> None:
    cg.manual_seed(0)
    model = network()
    optimizer = optim.Adam(model.parameters(), 0.01)
    x, target = cg.randn(4, 2, 5, 5), cg.tensor([0, 1, 2, 0])
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_an_optimizer_whose_state_has_shapes_from_the_start_wants_to_know_them() -> None:
    with pytest.raises(RuntimeError, match="Call the model once"):
        optim.Adagrad(network().parameters())


def test_a_step_is_spelled_once_the_sizes_are_known() -> None:
    model, x, target = network(), cg.randn(4, 2, 5, 5).data, np.array([0, 1, 2, 0])
    optimizer = optim.SGD(model.parameters(), 0.01)

    def step(x: cg.Tensor, target: cg.Tensor) -> cg.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    with pytest.raises(RuntimeError, match="Call the model once"):
        cg.spell(step, x, target, model=model, optimizer=optimizer)
    model(cg.tensor(x))
    program = cg.spell(step, x, target, model=model, optimizer=optimizer)
    params, state = program.start()
    assert program.run(params, state, x, target, lr=0.01) == step(cg.tensor(x), cg.tensor(target)).data


def test_first_weights_are_drawn_as_those_of_the_ordinary_layer() -> None:
    for lazy, known, shape in [
        (nn.LazyLinear(3), nn.Linear(5, 3), (2, 5)), (nn.LazyConv1d(4, 3), nn.Conv1d(5, 4, 3), (2, 5, 5)),
        (nn.LazyLinear(3), nn.Linear(0, 3), (2, 0)),
        (nn.LazyConvTranspose1d(4, 3), nn.ConvTranspose1d(5, 4, 3), (5, 6)),
    ]:
        cg.manual_seed(1)
        lazy(input=cg.ones(*shape))
        cg.manual_seed(1)
        known.reset_parameters()
        assert all(np.array_equal(p.data, q.data) for p, q in zip(lazy.parameters(), known.parameters(), strict=True))


# ----------------------------------------------------------------------------------------------------------- one's own


class Scale(LazyModuleMixin):
    """A lazy module that stays what it is."""

    def __init__(self, forget: bool = False) -> None:
        super().__init__()
        self.forget, self.calls = forget, 0
        self.factor = UninitializedParameter()
        self.shift = UninitializedBuffer(persistent=False)

    def initialize_parameters(self, x: cg.Tensor) -> None:
        self.calls += 1
        for tensor, value in ((self.factor, 2), (self.shift, 1)):
            if not self.forget:
                tensor.materialize(x.shape[-1:])
                nn.init.constant_(tensor, value)

    def forward(self, x: cg.Tensor) -> cg.Tensor:
        return x * self.factor + self.shift


def test_a_lazy_module_of_ones_own() -> None:
    module = Scale()
    assert module(cg.ones(2, 3)).tolist() == [[3.0] * 3] * 2 == module(cg.ones(2, 3)).tolist()
    assert type(module) is Scale and module.calls == 1 and list(module.state_dict()) == ["factor"]
    with pytest.raises(RuntimeError, match="Scale: parameters without a shape are left"):
        Scale(forget=True)(cg.ones(2, 3))
    with pytest.raises(NotImplementedError, match="has no initialize_parameters"):
        type("Idle", (LazyModuleMixin,), {"has_uninitialized_params": lambda self: True})()(cg.ones(2))

"""What a compiled function relies on may change between two calls: settings, layers, hooks, gradients; it is seen."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim
from chalkgrad.nn import functional as F

from .twins import Setup, assert_twins, batch, batches, learning, network, normed, sgd

X = np.random.default_rng(0).standard_normal((8, 3), np.float32)
BIG = X + np.float32(10)


class Settings:
    """An object with settings."""

    scale = 2.0


# ------------------------------------------------------------------------------- what changes without being called


LISTED, TABLE, SETTINGS = [2.0, 3.0], {"scale": 2.0}, Settings()
TENSORS = [Tensor(X)]
FACTOR = 2.0


class Scaled(nn.Module):
    """A module with settings in every place that one could think of."""

    shared = 1.0

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(np.ones(3, np.float32))
        self.listed, self.table = [1.0, 2.0], {"scale": 2.0}

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight.detach() * self.listed[1] * self.table["scale"] * FACTOR * self.shared


MODEL = Scaled()
CHANGED: dict[str, tuple[Callable[[Tensor], Any], Callable[[pytest.MonkeyPatch], Any]]] = {
    "an item of a list": (lambda x: x * LISTED[0], lambda m: LISTED.__setitem__(0, 5.0)),
    "an item of a dict": (lambda x: x * TABLE["scale"], lambda m: m.setitem(TABLE, "scale", 5.0)),
    "an attribute of an object": (lambda x: x * SETTINGS.scale, lambda m: m.setattr(SETTINGS, "scale", 5.0)),
    "a list of Tensors": (lambda x: x * TENSORS[0], lambda m: TENSORS.__setitem__(0, Tensor(BIG))),
    "a global of a forward": (lambda x: MODEL(x), lambda m: m.setitem(globals(), "FACTOR", 5.0)),
    "a list of a module": (lambda x: MODEL(x), lambda m: MODEL.listed.__setitem__(1, 5.0)),
    "a dict of a module": (lambda x: MODEL(x), lambda m: m.setitem(MODEL.table, "scale", 5.0)),
    "an attribute of a class": (lambda x: MODEL(x), lambda m: m.setattr(Scaled, "shared", 5.0)),
    "a new attribute of a module": (lambda x: MODEL(x), lambda m: m.setattr(MODEL, "shared", 5.0)),
    "a forward": (lambda x: MODEL(x), lambda m: m.setattr(MODEL, "forward", lambda x: x * 3)),
    "a parameter": (lambda x: MODEL(x), lambda m: m.setattr(MODEL, "weight", nn.Parameter(X[0] * 3))),
    "a hook before": (lambda x: MODEL(x), lambda m: MODEL.register_forward_pre_hook(lambda module, args: args[0] * 2)),
    "a hook after": (lambda x: MODEL(x), lambda m: MODEL.register_forward_hook(lambda module, args, y: y * 2)),
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_changes_between_two_calls_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    function, change = CHANGED[name]
    compiled = cg.compile(function)
    np.testing.assert_array_equal(compiled(Tensor(X)).data, function(Tensor(X)).data)
    handle = change(monkeypatch)
    try:
        np.testing.assert_array_equal(compiled(Tensor(X)).data, function(Tensor(X)).data)
    finally:
        if hasattr(handle, "remove"):
            handle.remove()


def test_an_object_that_is_handed_over_may_change() -> None:
    settings = Settings()
    compiled = cg.compile(lambda x, settings: x * settings.scale)
    for scale in (2.0, 5.0):
        settings.scale = scale
        np.testing.assert_array_equal(compiled(Tensor(X), settings).data, X * np.float32(scale))


def plain() -> Setup:
    model = network()
    optimizer = optim.SGD(model.parameters(), 0.1)
    return model, [optimizer], learning(model, optimizer)


BETWEEN: dict[str, Callable[[int, nn.Module, optim.Optimizer], Any]] = {
    "another dtype of the model": lambda i, m, o: m.double() if i == 2 else m.float() if i == 4 else None,
    "a hook on a gradient": lambda i, m, o: m[0].weight.register_hook(lambda g: g * 2) if i == 2 else None,
    "a hook on a module": lambda i, m, o: m[0].register_forward_hook(lambda m, a, y: y * 2) if i == 2 else None,
    "another group": lambda i, m, o: o.add_param_group({"params": [nn.Parameter(X)]}) if i == 2 else None,
    "fewer parameters": lambda i, m, o: o.param_groups[0]["params"].pop() if i == 2 else None,
    "another forward": lambda i, m, o: setattr(m[1], "forward", F.relu) if i == 2 else None,
    "a layer more": lambda i, m, o: m.append(nn.Tanh()) if i == 2 else None,
}


@pytest.mark.parametrize("name", BETWEEN)
def test_changes_of_a_model_and_its_optimizer_are_seen(name: str) -> None:
    def call(i: int, step: Any, model: nn.Module, optimizer: optim.Optimizer) -> Any:
        BETWEEN[name](i, model, optimizer)
        return batches(i, step)

    assert_twins(plain, call)


# --------------------------------------------------------------------------------------------------- gradients


def two_heads() -> Setup:
    model = nn.ModuleDict({"body": nn.Linear(6, 4), "one": nn.Linear(4, 3), "two": nn.Linear(4, 3)})
    optimizer = optim.SGD(model.parameters(), 0.1)

    def step(x: Tensor, target: Tensor, head: str) -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model[head](model["body"](x)), target)
        loss.backward()
        optimizer.step()
        return loss

    return model, [optimizer], step


def test_gradients_that_a_step_does_not_make_are_none() -> None:
    assert_twins(two_heads, lambda i, step, *_: step(*batch(i), ("one", "two", "two", "one", "one", "two")[i]))


def zeroing_at_the_end() -> Setup:
    model = network()
    optimizer = optim.SGD(model.parameters(), 0.1)

    def step(x: Tensor, target: Tensor) -> Tensor:
        loss = F.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss

    return model, [optimizer], step


def test_a_gradient_from_outside_counts() -> None:
    def call(i: int, step: Any, model: nn.Module, *_: Any) -> Any:
        if i % 3 == 2:
            (model[0].weight ** 2).sum().backward()
        return batches(i, step)

    assert_twins(zeroing_at_the_end, call)


def test_a_result_with_a_graph_has_it() -> None:
    model = nn.Linear(3, 2)

    def gradient(forward: Callable[[Tensor], Tensor]) -> Any:
        model.zero_grad()
        (forward(Tensor(X)).sum() + (model.weight**2).sum()).backward()
        return model.weight.grad.data

    np.testing.assert_array_equal(gradient(cg.compile(lambda x: model(x))), gradient(model))


def test_an_argument_gets_its_gradient() -> None:
    model = nn.Linear(3, 2)

    def step(x: Tensor) -> Tensor:
        model.zero_grad()
        loss = model(x).sum()
        loss.backward()
        return loss

    one, other = Tensor(X, requires_grad=True), Tensor(X, requires_grad=True)
    step(one)
    cg.compile(step)(other)
    assert one.grad is not None and other.grad is not None
    np.testing.assert_array_equal(other.grad.data, one.grad.data)


def test_what_was_taken_before_follows_or_the_memory_stays() -> None:
    """state_dict() and detach() share the memory of the model; whoever holds them sees the steps."""
    made = []
    for compile in (lambda step: step, cg.compile):
        cg.manual_seed(0)
        model, _, step = sgd()
        held = [model.state_dict()["0.weight"], model[0].weight.detach()[0], model[2].bias.data]
        step = compile(step)
        for i in range(3):
            batches(i, step)
        made.append([np.copy(each.data) for each in held])
    for one, other in zip(*made, strict=True):
        np.testing.assert_array_equal(one, other)


# ---------------------------------------------------------------------------------- several functions of one model


def left(model: nn.Module, *others: Tensor) -> list[Any]:
    """Copy what a step left in a model."""
    tensors = [*others, *model.parameters(), *model.buffers(), *(p.grad for p in model.parameters())]
    return [None if tensor is None else tensor.data.copy() for tensor in tensors]


def two_losses(compile: Any) -> Iterator[list[Any]]:
    model, (optimizer,), step = sgd()

    def shrink(x: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    step, shrink = compile(step), compile(shrink)
    for i in range(5):
        yield left(model, step(*batch(i)))
        yield left(model, shrink(batch(i)[0]))


def two_optimizers(compile: Any) -> Iterator[list[Any]]:
    """One of them follows three of the parameters, in another order, so that they lie in other rows."""
    model = network()
    steps = [compile(learning(model, optimizer)) for optimizer in (
        optim.Adam(model.parameters(), 0.01), optim.SGD([*model.parameters()][:0:-1], 0.1, momentum=0.9))]
    for i in range(6):
        model.zero_grad()
        yield left(model, steps[i % 2](*batch(i)))


def training_and_evaluation(compile: Any) -> Iterator[list[Any]]:
    model = normed()
    step = compile(learning(model, optim.SGD(model.parameters(), 0.1)))
    forward = compile(cg.no_grad()(lambda x: model(x)))
    for i in range(5):
        yield left(model, step(*batch(i)))
        model.eval()
        yield [forward(batch(i)[0]).data]
        model.train()


def a_copy_that_goes_on(compile: Any) -> Iterator[list[Any]]:
    model, (optimizer,), step = sgd()
    step = compile(step)
    for i in range(2):
        step(*batch(i))
    other = copy.deepcopy(model)
    follower = optim.SGD(other.parameters(), 0.1, momentum=0.9)
    follower.load_state_dict(optimizer.state_dict())
    follow = compile(learning(other, follower))
    for i in range(4):
        yield left(model, step(*batch(i)))
        yield left(other, follow(*batch(i + 9)))


class Averaging(nn.Module):
    """A buffer that is replaced, and one that is counted up."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", cg.zeros(6))
        self.register_buffer("count", cg.zeros())

    def forward(self, x: Tensor) -> Tensor:
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        self.count += 1
        return (x - self.mean) * self.count


def buffers_that_are_replaced(compile: Any) -> Iterator[list[Any]]:
    model = Averaging()
    forward = compile(lambda x: model(x))
    for i in range(4):
        yield left(model, forward(batch(i)[0]))


@pytest.mark.parametrize("steps", [two_losses, two_optimizers, training_and_evaluation, a_copy_that_goes_on,
                                   buffers_that_are_replaced])
def test_functions_of_one_model_go_together(steps: Callable[[Any], Iterator[list[Any]]]) -> None:
    runs = []
    for compile in (lambda function: function, cg.compile):
        cg.manual_seed(0)
        runs.append([*steps(compile)])
    for eager, compiled in zip(*runs, strict=True):
        for one, other in zip(eager, compiled, strict=True):
            assert (one is None) == (other is None)
            np.testing.assert_array_equal(one, other)

"""Gradients that are there before a compiled function runs: it forgets them, adds to them, or reads them."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

import chalkgrad as cg
from chalkgrad import nn
from chalkgrad.law.errors import SpellError
from chalkgrad.nn import functional as F

from .compiled_models import CLASSES, MODELS, assert_same, batches, state, two_of, undivided


@pytest.fixture(autouse=True)
def one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    undivided(monkeypatch)


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "sgd": lambda params: cg.optim.SGD(params, lr=0.1, momentum=0.9),
    "adam": lambda params: cg.optim.AdamW(params, lr=0.01),
}


class Branches(nn.Module):
    """One of two branches runs, so that the parameters of the other are not used in this call."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(7, CLASSES), nn.Linear(7, CLASSES)

    def forward(self, x: cg.Tensor, left: bool = True) -> cg.Tensor:
        return (self.left if left else self.right)(x)


def zero(where: str, place: str, optimizer: Any) -> None:
    """Forget the gradients, if that is where they are to be forgotten."""
    if where.partition(" ")[0] == place:
        optimizer.zero_grad(set_to_none="fill" not in where)


def part(net: nn.Module, optimizer: Any, zeroed: str, steps: str, *args: Any) -> cg.Tensor:
    """What is compiled: a backward, perhaps after the gradients were forgotten, and perhaps with the update."""
    *given, t = args
    zero(zeroed, "inside", optimizer)
    loss = F.cross_entropy(net(*given), t)
    loss.backward()
    if steps == "inside":
        optimizer.step()
    return loss


EVERY = {"outside": (1,), "inside": ()}
Calls = list[tuple[Any, ...]]


def train(net: nn.Module, optimizer: Any, step: Any, calls: Calls, zeroed: str, every: int = 10**6) -> list[Any]:
    """Train, and keep what there is after every call; zero and update outside every few calls."""
    seen = []
    for number, args in enumerate(calls):
        if number % every == 0:
            zero(zeroed, "outside", optimizer)
        cg.manual_seed(number)
        loss = step(*args)
        seen.append({"loss": loss.data.copy()} | state(net))
        if number % every == every - 1:
            optimizer.step()
    return seen


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("steps", ["inside", "outside"])
@pytest.mark.parametrize("zeroed", ["inside", "inside fill", "outside", "outside fill", "never"])
@pytest.mark.parametrize("name", MODELS)
def test_gradients_from_before(name: str, zeroed: str, steps: str, optimizer: str) -> None:
    model, twin = two_of(name)
    mine, theirs = OPTIMIZERS[optimizer](model.parameters()), OPTIMIZERS[optimizer](twin.parameters())
    fast = cg.compile(lambda x, t: part(model, mine, zeroed, steps, x, t))
    calls = batches(name, 5)
    ends = [train(net, follows, step, calls, zeroed, *EVERY[steps])
            for net, follows, step in ((model, mine, fast),
                                       (twin, theirs, lambda x, t: part(twin, theirs, zeroed, steps, x, t)))]
    for one, other in zip(*ends, strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("zeroed", ["outside", "outside fill"])
@pytest.mark.parametrize("name", MODELS)
def test_accumulation(name: str, zeroed: str) -> None:
    """Four calls, and then an eager update."""
    model, twin = two_of(name)
    mine, theirs = OPTIMIZERS["adam"](model.parameters()), OPTIMIZERS["adam"](twin.parameters())
    fast = cg.compile(lambda x, t: part(model, mine, "", "outside", x, t))
    ends = [train(net, follows, step, batches(name, 12), zeroed, 4)
            for net, follows, step in ((model, mine, fast),
                                       (twin, theirs, lambda x, t: part(twin, theirs, "", "outside", x, t)))]
    for one, other in zip(*ends, strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("steps", ["inside", "outside"])
@pytest.mark.parametrize("zeroed", ["inside", "inside fill", "outside", "outside fill", "never"])
def test_parameters_that_are_not_used_in_this_call(zeroed: str, steps: str, optimizer: str) -> None:
    cg.manual_seed(0)
    model = Branches()
    twin = copy.deepcopy(model)
    mine, theirs = OPTIMIZERS[optimizer](model.parameters()), OPTIMIZERS[optimizer](twin.parameters())
    fast = cg.compile(lambda x, left, t: part(model, mine, zeroed, steps, x, left, t))
    calls = [(x, side, t) for (x, t), side in zip(batches("dense", 8), [True, False, False, True] * 2)]
    ends = [train(net, follows, step, calls, zeroed, *EVERY[steps])
            for net, follows, step in ((model, mine, fast),
                                       (twin, theirs, lambda *args: part(twin, theirs, zeroed, steps, *args)))]
    for one, other in zip(*ends, strict=True):
        assert_same(one, other)


def test_gradients_that_are_forgotten_make_no_other_program() -> None:
    model, _ = two_of("dense")
    optimizer = OPTIMIZERS["adam"](model.parameters())
    fast = cg.compile(lambda x, t: part(model, optimizer, "inside", "inside", x, t))
    for x, t in batches("dense", 3):
        fast(x, t)
    (variant,) = fast.variants.values()
    assert len(variant.bodies) == 1 and "old_grad" not in fast.readable


def test_gradients_that_are_added_to_stay_the_same_tensors() -> None:
    weight = cg.tensor([1.0, 2.0], requires_grad=True)

    def function(x: cg.Tensor) -> None:
        (weight * x).sum().backward()

    fast = cg.compile(function)
    fast(cg.tensor([1.0, 1.0]))
    grad = weight.grad
    assert grad is not None
    fast(cg.tensor([2.0, 3.0]))
    assert weight.grad is grad and grad.tolist() == [3.0, 4.0]


def test_old_gradients_can_be_read() -> None:
    """They are clipped here before new ones are added."""
    weight, twin = (cg.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))

    def function(weight: cg.Tensor, x: cg.Tensor) -> Any:
        norm = nn.utils.clip_grad_norm_([weight], 0.5)
        (weight * x).sum().backward()
        return norm

    fast = cg.compile(lambda x: function(weight, x))
    for x in ([1.0, 1.0], [2.0, -1.0], [3.0, 0.5]):
        one, other = fast(cg.tensor(x)), function(twin, cg.tensor(x))
        assert one.item() == other.item() and weight.grad.tolist() == twin.grad.tolist()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_update_alone(optimizer: str) -> None:
    """All that is compiled is the optimizer's step; what has no gradient stays as it is."""
    model, twin = two_of("dense")
    mine, theirs = OPTIMIZERS[optimizer](model.parameters()), OPTIMIZERS[optimizer](twin.parameters())
    update = cg.compile(lambda: mine.step())
    for number, (x, t) in enumerate(batches("dense", 4)):
        for net, follows, step in ((model, mine, update), (twin, theirs, theirs.step)):
            cg.manual_seed(number)
            if number != 2:
                follows.zero_grad()
            F.cross_entropy(net(x), t).backward()
            net[0].bias.grad = net[0].bias.grad if number % 2 else None
            step()
        assert_same(state(model), state(twin))


def test_an_error_leaves_gradients_as_they_were() -> None:
    model, _ = two_of("dense")
    optimizer = OPTIMIZERS["sgd"](model.parameters())
    fast = cg.compile(lambda x, t: part(model, optimizer, "never", "inside", x, t * 1))
    for x, t in batches("dense", 3):
        fast(x, t)
    before = state(model)
    with pytest.raises(IndexError):
        fast(x, t + CLASSES)
    after = state(model)
    assert_same(*({name: array for name, array in each.items() if "grad" in name} for each in (before, after)))


def test_gradients_of_others_are_left_alone() -> None:
    weight, other = cg.tensor([1.0, 2.0], requires_grad=True), cg.tensor([3.0], requires_grad=True)
    (other * 2).sum().backward()
    grad = other.grad
    optimizer = cg.optim.SGD([weight], lr=0.1)

    def step(x: cg.Tensor) -> cg.Tensor:
        optimizer.zero_grad()
        loss = (weight * x * other.detach()).sum()
        loss.backward()
        optimizer.step()
        return loss

    fast = cg.compile(step)
    for _ in range(3):
        fast(cg.tensor([1.0, 2.0]))
    assert other.grad is grad and grad is not None and grad.tolist() == [2.0]


def test_arguments_have_gradients_too() -> None:
    weight = cg.tensor([1.0, 2.0], requires_grad=True)

    def function(x: cg.Tensor) -> cg.Tensor:
        loss = (weight * x * x).sum()
        loss.backward()
        return x.grad.sign()

    ends = []
    for call in (cg.compile(function), function):
        x, weight.grad = cg.tensor([3.0, -4.0], requires_grad=True), None
        seen = [call(x).tolist() for _ in range(3)]
        ends.append([seen, x.grad.tolist(), weight.grad.tolist()])
    assert ends[0] == ends[1]


def test_a_backward_cannot_go_on_outside() -> None:
    x = cg.tensor([1.0, 2.0], requires_grad=True)

    def function(h: cg.Tensor) -> None:
        (h * h).sum().backward()

    with pytest.raises(SpellError, match="an argument of it has a graph of its own"):
        cg.compile(function)(x * 2)

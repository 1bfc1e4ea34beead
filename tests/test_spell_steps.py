"""Whole steps that users write, in a table: several backwards, parts without a graph, chance; each to the last bit."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim
from chalkgrad.nn import functional as F
from chalkgrad.nn.functional import leaky_relu, relu

from .test_spell_attacks import Model, assert_identical, ce, draw


class Pair(nn.Module):
    """A network that learns, and another that follows it."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Model()
        self.slow = copy.deepcopy(self.net).requires_grad_(False)
        self.register_buffer("seen", cg.zeros(6))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


@cg.primitive
def kinked(x):
    """Call activations that know `inplace` as helpers: on plain arrays they are plain functions.

    x (...) -> y (...)
    """
    y = relu(x) - leaky_relu(-x, negative_slope=0.5)
    return y


@kinked.backward
def kinked_backward(grad_y, x):
    """Both slopes of leaky_relu, and that of relu."""
    grad_x = grad_y * (0.5 + 1.5 * (x > 0))
    return grad_x


Step = Callable[[Any, Any, Tensor, Tensor], Any]


def trained(model: Any, optimizer: Any, x: Tensor, target: Tensor, *, then: Any = None) -> Tensor:
    """An ordinary step, and what is done after it."""
    optimizer.zero_grad()
    loss = ce(model, x, target)
    loss.backward()
    optimizer.step()
    if then is not None:
        then(model, x)
    return loss


def accumulated(split: Callable[[Tensor], Any], zero: str = "before") -> Step:
    """The gradients of several small batches make one step."""

    def step(model: Any, optimizer: Any, x: Tensor, target: Tensor) -> Any:
        if zero == "before":
            optimizer.zero_grad()
        total = cg.zeros()
        parts = list(zip(split(x), split(target), strict=True))
        for some, wanted in parts:
            loss = ce(model, some, wanted) / len(parts)
            loss.backward()
            total += loss.detach()
        optimizer.step()
        if zero == "after":
            optimizer.zero_grad()
        return total

    return step


def followed(follow: Callable[[Tensor, Tensor], Any]) -> Step:
    """After the step, the slow network goes a part of the way to the other."""

    def then(model: Any, x: Tensor) -> None:
        with cg.no_grad():
            for slow, fast in zip(model.slow.parameters(), model.net.parameters(), strict=True):
                follow(slow, fast)

    return lambda m, o, x, t: trained(m, o, x, t, then=then)


def against_target(model: Any, optimizer: Any, x: Tensor, target: Tensor) -> Tensor:
    """What the slow network says is the target of the other, which then becomes the slow one."""
    optimizer.zero_grad()
    with cg.no_grad():
        wanted = 0.9 * model.slow(x).max(1).values + 1
    loss = ((model(x).max(1).values - wanted) ** 2).mean()
    loss.backward()
    optimizer.step()
    model.slow.load_state_dict(model.net.state_dict())
    return loss


def measured(model: Any, optimizer: Any, x: Tensor, target: Tensor) -> tuple[Tensor, ...]:
    optimizer.zero_grad()
    y = model(x)
    loss = F.cross_entropy(y, target)
    loss.backward()
    optimizer.step()
    with cg.no_grad():
        right = y.argmax(1) == target
        norm = cg.sqrt(sum((p.grad * p.grad).sum() for p in model.parameters() if p.grad is not None))
        above = (model.net.fc.weight > 0).float().mean()  # of the weight that the step has just changed
    return loss, right.float().mean(), right.sum(), norm, above, y.detach(), model.net.fc.weight.grad


def several_steps(model: Any, optimizer: Any, x: Tensor, target: Tensor) -> Tensor:
    """Three updates in one program."""
    for i in range(3):
        loss = trained(model, optimizer, x[i : i + 4], target[i : i + 4])
    return loss


def by_closure(model: Any, optimizer: Any, x: Tensor, target: Tensor) -> Any:
    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = ce(model, x, target)
        loss.backward()
        return loss

    return optimizer.step(closure)


def penalized(model: Any, optimizer: Any, x: Tensor, target: Tensor) -> Tensor:
    """A loss of the slope by the input: gradients of gradients."""
    optimizer.zero_grad()
    x.requires_grad_()
    y = model(x).tanh()
    (slope,) = cg.autograd.grad(y.sum(), x, create_graph=True)
    assert slope is not None
    loss = F.cross_entropy(y, target) + ((slope * slope).sum(1) - 1).square().mean()
    loss.backward()
    optimizer.step()
    return loss


def hooked(model: Any, optimizer: Any, x: Tensor, target: Tensor) -> Any:
    handles = [p.register_hook(lambda grad: grad.clamp(-0.01, 0.01)) for p in model.net.parameters()]
    hidden = model(x)
    hidden.retain_grad()
    optimizer.zero_grad()
    loss = F.cross_entropy(hidden, target)
    loss.backward()
    optimizer.step()
    for handle in handles:
        handle.remove()
    return loss, hidden.grad


def noisy(noise: Callable[[Tensor], Any]) -> Step:
    return lambda m, o, x, t: trained(m, o, x + noise(x), t)


def normal(x: Tensor) -> Tensor:
    return nn.init.normal_(cg.empty(8, 6), 1.0, 0.5)


def reassign(model: Any, x: Tensor) -> None:
    model.seen = 0.9 * model.seen + 0.1 * x.mean(0)


STEPS: dict[str, Step] = {
    "slices": accumulated(lambda a: [a[i : i + 2] for i in range(0, 8, 2)]),
    "slices, zeroed after": accumulated(lambda a: [a[:4], a[4:]], "after"),
    "rows of a reshaped batch": accumulated(lambda a: a.reshape(4, 2, *a.shape[1:])),
    "split": accumulated(lambda a: a.split(3)),
    "chunk": accumulated(lambda a: a.chunk(4)),
    "a sum of losses": lambda m, o, x, t: trained(m, o, cg.cat([x[4:], x[:4]]), cg.cat([t[4:], t[:4]])),
    "mul_, add_": followed(lambda slow, fast: slow.mul_(0.9).add_(fast, alpha=1 - 0.9)),
    "lerp_": followed(lambda slow, fast: slow.lerp_(fast, 0.1)),
    "copy_": followed(lambda slow, fast: slow.copy_(0.9 * slow + 0.1 * fast)),
    "copied": followed(lambda slow, fast: slow.copy_(fast.detach())),
    "-=": followed(lambda slow, fast: slow.sub_(0.1 * (slow - fast))),
    "addcmul_": followed(lambda slow, fast: slow.mul_(0.9).addcmul_(fast, fast, value=0.1)),
    "addcdiv_": followed(lambda slow, fast: slow.addcdiv_(fast, fast * fast + 1, value=0.1)),
    "a constant": followed(lambda slow, fast: slow.fill_(0.5)),
    "fresh numbers": followed(lambda slow, fast: slow.normal_(0, 0.1)),
    "bounded": followed(lambda slow, fast: fast.clamp_(-0.1, 0.1)),
    "noisy weights": followed(lambda slow, fast: fast.add_(cg.randn_like(fast), alpha=0.01)),
    "a target network": against_target,
    "a buffer replaced": lambda m, o, x, t: trained(m, o, x - m.seen, t, then=reassign),
    "metrics": measured,
    "several steps": several_steps,
    "a closure": by_closure,
    "a gradient penalty": penalized,
    "hooks": hooked,
    "rand and randn": noisy(lambda x: 0.1 * cg.randn(8, 6) + cg.rand(8, 6) * cg.randint(0, 2, (8, 6))),
    "normal_": noisy(lambda x: cg.empty(8, 6).normal_(1, 0.5)),
    "uniform_": noisy(lambda x: cg.empty(8, 6).uniform_(-1, 1)),
    "randn_like and rand_like": noisy(lambda x: cg.randn_like(x) * (cg.rand_like(x) < 0.5)),
    "init.normal_": noisy(normal),
    "init.xavier_uniform_": noisy(lambda x: nn.init.xavier_uniform_(cg.empty(8, 6))),
    "a rule that calls others": lambda m, o, x, t: trained(m, o, kinked(x * 1), t),
    "randperm": lambda m, o, x, t: trained(m, o, x[order := cg.randperm(8)], t[order]),
    "a mask of rows": lambda m, o, x, t: trained(m, o, x[x[:, 0] > -1], t[x[:, 0] > -1]),
    "all but the last layer": lambda m, o, x, t: trained(m, o, m.slow.square.detach()[:1] + x, t),
}


@pytest.mark.parametrize("taken", [0, 2])
@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_spelled_to_the_last_bit(name: str, taken: int) -> None:
    model = Pair()
    optimizer = optim.Adam(model.net.parameters(), 0.01)

    def step(x: Tensor, target: Tensor) -> Any:
        return STEPS[name](model, optimizer, x, target)

    for _ in range(taken):
        step(*(Tensor(array) for array in draw()))
    assert_identical(step, model, optimizer)


def test_gradients_set_to_zeros_are_spelled_once_there_are_some() -> None:
    model = Pair()
    optimizer = optim.Adam(model.net.parameters(), 0.01)

    def step(x: Tensor, target: Tensor) -> Tensor:
        optimizer.zero_grad(set_to_none=False)
        loss = ce(model, x, target)
        loss.backward()
        optimizer.step()
        return loss

    with pytest.raises(cg.SpellError, match=r"no gradients before the first step.* take a step before you spell it"):
        cg.spell(step, *draw(), model=model, optimizer=optimizer)
    step(*(Tensor(array) for array in draw()))
    assert_identical(step, model, optimizer)


def test_a_step_leaves_gradients_and_buffers_as_they_were() -> None:
    model = Pair()
    optimizer = optim.Adam(model.net.parameters(), 0.01)
    ce(model, *(Tensor(array) for array in draw())).backward()
    before = [(p.grad, p.grad.data, p.grad.tolist()) for p in model.parameters() if p.grad is not None]
    seen = model.seen

    def step(x: Tensor, target: Tensor) -> Tensor:
        reassign(model, x)
        ce(model, x, target).backward()
        return trained(model, optimizer, x, target)

    with pytest.raises(cg.SpellError, match=r"gradient of net\.\S+ was left from before the step"):
        cg.spell(step, *draw(), model=model, optimizer=optimizer)
    after = [(p.grad, p.grad.data, p.grad.tolist()) for p in model.parameters() if p.grad is not None]
    assert len(before) == len(after) > 0 and model.seen is seen and seen.tolist() == [0.0] * 6
    for (grad, array, numbers), (grad_2, array_2, numbers_2) in zip(before, after, strict=True):
        assert grad is grad_2 and array is array_2 and numbers == numbers_2


def test_a_buffer_of_another_shape_is_refused_and_put_back() -> None:
    model = Pair()
    model.register_buffer("last", None)
    seen = model.seen

    def step(x: Tensor) -> Tensor:
        model.last, model.seen = x.mean(), x.mean(1)
        return model(x).sum()

    with pytest.raises(cg.SpellError, match=r"Tensor of shape \(8,\) and float32 in the place of the buffer `seen`"):
        cg.spell(step, draw()[0], model=model)
    assert model.seen is seen and model.last is None


def test_an_evaluation_with_an_average_of_weights_is_spelled() -> None:
    model = Pair().eval()

    def step(x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        with cg.no_grad():
            y = 0.5 * (model.net(x) + model.slow(x))
            return F.cross_entropy(y, target), (y.argmax(-1) == target).float().mean()

    assert_identical(step, model, None)

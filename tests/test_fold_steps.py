"""Folded programs of steps that do more with their blocks than a forward, a backward and an update."""

from __future__ import annotations

import re
from typing import Any

import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim
from chalkgrad.nn import functional as F

from .test_fold import Block, Net, Recurrent, adam, assert_identical, folded, plain, prepared


def small_parts(model: nn.Module, optimizer: Any, x: Tensor, target: Tensor) -> Tensor:
    """The gradients of two halves of the batch add up."""
    optimizer.zero_grad()
    losses = [F.cross_entropy(model(x[half]), target[half]) / 2 for half in (slice(0, 4), slice(4, 8))]
    for loss in losses:
        loss.backward()
    optimizer.step()
    return losses[0] + losses[1]


def by_hand(model: nn.Module, optimizer: Any, x: Tensor, target: Tensor) -> Tensor:
    model.zero_grad()
    loss = F.cross_entropy(model(x), target)
    loss.backward()
    with cg.no_grad():
        for parameter in model.parameters():
            parameter -= 0.1 * parameter.grad
    return loss


def clipped(model: nn.Module, optimizer: Any, x: Tensor, target: Tensor) -> Tensor:
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), target)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.1)
    optimizer.step()
    return loss


def halved(model: nn.Module, optimizer: Any, x: Tensor, target: Tensor) -> Tensor:
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), target)
    loss.backward()
    with cg.no_grad():
        for parameter in model.parameters():
            parameter.grad *= 0.5
    optimizer.step()
    return loss


def twice(model: nn.Module, optimizer: Any, x: Tensor, target: Tensor) -> Tensor:
    loss = plain(model, optimizer, x, target)
    optimizer.step()
    return loss


def penalty(model: nn.Module, optimizer: Any, x: Tensor, target: Tensor) -> Tensor:
    """A loss that a gradient is part of."""
    optimizer.zero_grad()
    weight = next(model.parameters())
    loss = F.cross_entropy(model(x), target)
    (grad,) = cg.autograd.grad(loss, [weight], create_graph=True)
    loss = loss + (grad * grad).sum()
    loss.backward()
    optimizer.step()
    return loss


def evaluation(model: nn.Module, optimizer: Any, x: Tensor, target: Tensor) -> Tensor:
    with cg.no_grad():
        return F.cross_entropy(model(x), target)


def groups(model: nn.Module) -> Any:
    """No decay for vectors: the parameters of a block are updated in two ways."""
    flat = [parameter for parameter in model.parameters() if parameter.ndim == 1]
    others = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    return optim.SGD([{"params": flat, "weight_decay": 0.0}, {"params": others, "weight_decay": 0.1}], 0.1, 0.9)


STEPS = {
    "halves of the batch": (small_parts, adam, 1, 6),
    "an update by hand": (by_hand, adam, 1, 3),
    "clipping": (clipped, adam, 1, 3),
    "clipping in groups": (clipped, groups, 1, 3),
    "clipping in another order": (clipped, lambda model: optim.SGD([*model.parameters()][::-1], 0.1, 0.9), 1, 3),
    "gradients that are changed": (halved, adam, 1, 3),
    "an optimizer that steps twice": (twice, adam, 1, 3),
    "groups of parameters": (plain, groups, 1, 3),
    "no backward": (evaluation, adam, 1, 3),
    "a second derivative": (penalty, adam, None, None),
}


@pytest.mark.parametrize("detail", ["statements", "rules"])
@pytest.mark.parametrize("name", STEPS)
def test_whatever_a_step_does_with_its_blocks(name: str, detail: str) -> None:
    cg.manual_seed(0)
    step, optimizer, functions, calls = STEPS[name]
    text = assert_identical(*prepared(Net(Block() for _ in range(3)), step, optimizer), detail)
    if functions is not None and detail == "statements":
        assert folded(text) == (functions, calls)


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_what_is_done_with_all_gradients_is_a_loop(depth: int) -> None:
    cg.manual_seed(0)
    text = assert_identical(*prepared(Net(Block() for _ in range(depth)), clipped), "statements")
    assert len(re.findall(r"    for grad in gradients.values\(\):\n        \w+\(.*\bgrad\b", text)) == 2
    assert "np.copy(" not in text


def test_two_names_for_one_gradient_are_copied_before_it_is_changed() -> None:
    """Both biases of an LSTM have the same gradient; clipping must not make it smaller twice."""
    cg.manual_seed(0)
    text = assert_identical(*prepared(Net(Recurrent() for _ in range(3)), clipped), "statements")
    assert text.count(" = np.copy(") == 3

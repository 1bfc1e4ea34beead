"""Compiled steps among eager ones: whatever is done between two steps, both go the same way, to the last bit."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim
from chalkgrad.nn import functional as F
from chalkgrad.optim import lr_scheduler

from .twins import Make, Setup, adam, assert_twins, batch, batches, divided, learning, network, normed, sgd

Call = Callable[..., Any]


# ------------------------------------------------------------------------------------------ steps of every kind



class Tied(nn.Module):
    """A weight that is used twice, under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.head = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 3)
        self.two.weight = self.one.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.two(self.one(x)))


def two_optimizers() -> Setup:
    model = network()
    optimizers = [optim.AdamW(model[0].parameters(), 0.1), optim.SGD(model[2].parameters(), 0.3, momentum=0.5)]
    return model, optimizers, learning(model, *optimizers)


def param_groups() -> Setup:
    model = network()
    groups = [{"params": model[0].parameters(), "lr": 0.1, "weight_decay": 0.1}, {"params": model[2].parameters()}]
    optimizer = optim.AdamW(groups, lr=0.01)
    return model, [optimizer], learning(model, optimizer)


def named_parameters() -> Setup:
    model = network()
    optimizer = optim.Adam(model.named_parameters(), 0.01)
    return model, [optimizer], learning(model, optimizer)


def accumulating() -> Setup:
    model, optimizers, _ = adam()

    def step(xs: list[Tensor], targets: tuple[Tensor, ...]) -> Any:
        optimizers[0].zero_grad()
        total = cg.zeros()
        for x, target in zip(xs, targets, strict=True):
            loss = F.cross_entropy(model(x), target) / len(xs)
            loss.backward()
            total = total + loss.detach()
        optimizers[0].step()
        return total

    return model, optimizers, step


def three(i: int, step: Any, *_: Any) -> Any:
    xs, targets = zip(*(batch(10 * i + j) for j in range(3)), strict=True)
    return step(list(xs), targets)


def closure() -> Setup:
    model, (optimizer,), _ = adam()

    def step(x: Tensor, target: Tensor) -> Any:
        def loss_of() -> Tensor:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), target)
            loss.backward()
            return loss

        return optimizer.step(loss_of)

    return model, [optimizer], step


def returning(what: Callable[[Tensor, nn.Module], Any]) -> Make:
    def make() -> Setup:
        model, optimizers, step = adam()
        return model, optimizers, lambda x, target: what(step(x, target), model)

    return make


def averaged() -> Setup:
    """An average of the weights, kept in tensors that belong to no module."""
    model, optimizers, step = adam()
    average = [p.detach().clone() for p in model.parameters()]

    def averaging(x: Tensor, target: Tensor) -> Any:
        loss = step(x, target)
        with cg.no_grad():
            for mean, p in zip(average, model.parameters(), strict=True):
                mean.mul_(0.9).add_(p, alpha=0.1)
        return loss, [mean.clone() for mean in average]

    return model, optimizers, averaging


def noisy() -> Setup:
    model, optimizers, step = adam()
    return model, optimizers, lambda x, target: step(x + 0.1 * cg.randn(8, 6), target)


def in_float64() -> Setup:
    return adam(network().double())


CLIPS: dict[str, Callable[[nn.Module], Any]] = {
    "norm, active": lambda m: nn.utils.clip_grad_norm_(m.parameters(), 0.01),
    "norm, inactive": lambda m: nn.utils.clip_grad_norm_(m.parameters(), 1000.0),
    "norm 1": lambda m: nn.utils.clip_grad_norm_(m.parameters(), 0.01, 1.0),
    "largest": lambda m: nn.utils.clip_grad_norm_(m.parameters(), 0.01, float("inf")),
    "value": lambda m: nn.utils.clip_grad_value_(m.parameters(), 0.01),
    "value, inactive": lambda m: nn.utils.clip_grad_value_(m.parameters(), 1000.0),
}
STEPS: dict[str, tuple[Make, Call]] = {
    "adam": (adam, batches),
    "tied weights": (lambda: adam(Tied()), batches),
    "batch norm and dropout": (lambda: adam(normed()), batches),
    "noise": (noisy, batches),
    "two optimizers": (two_optimizers, batches),
    "groups of parameters": (param_groups, batches),
    "named parameters": (named_parameters, batches),
    "gradient accumulation": (accumulating, three),
    "a closure": (closure, batches),
    "an average of the weights": (averaged, batches),
    "nothing returned": (returning(lambda loss, m: None), batches),
    "a dict returned": (returning(lambda loss, m: {"loss": loss, "more": [loss * 2, (None, "text", 3)]}), batches),
    "gradients returned": (returning(lambda loss, m: [p.grad for p in m.parameters()]), batches),
    "weights returned": (returning(lambda loss, m: m[0].weight.detach().clone()), batches),
    "float64": (in_float64, lambda i, step, *_: step(batch(i)[0].double(), batch(i)[1])),
    **{f"clipping: {name}": (lambda clip=clip: sgd(clip), batches) for name, clip in CLIPS.items()},
}


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("name", STEPS)
def test_steps_of_every_kind(name: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    divided(monkeypatch, count)
    make, call = STEPS[name]
    assert_twins(make, call, exact=count == 1)


def test_parts_meet_only_where_they_must(monkeypatch: pytest.MonkeyPatch) -> None:
    divided(monkeypatch, 2)
    layers = nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4), nn.BatchNorm1d(4), nn.Linear(4, 3)
    model = nn.Sequential(*layers)
    step = cg.compile(learning(model, optim.SGD(model.parameters(), 0.1)))
    step(*batch(0))
    norms = 2  # each needs the mean of all, then the variance of all, and in the backward two sums at the same time
    assert step.source.count("= in_parts(") == 3 * norms + 1


# ------------------------------------------------------------------------------------------- between two steps


def saved(i: int, model: nn.Module, optimizer: optim.Optimizer, memory: list[Any]) -> None:
    if i == 2:
        memory[:] = copy.deepcopy(model.state_dict()), optimizer.state_dict()
    if i == 4:
        model.load_state_dict(memory[0])
        optimizer.load_state_dict(memory[1])


def replace_data(i: int, model: nn.Module) -> None:
    if i == 2:
        model[0].weight.data = np.ones((5, 6), np.float32)
    if i == 4:
        model[0].weight.data[:] = 0.5


def change_parameters(i: int, model: nn.Module) -> None:
    with cg.no_grad():
        model[0].weight.mul_(0.5)
        model[2].bias.zero_()


def put_gradients(i: int, model: nn.Module) -> None:
    if i == 2:
        model[0].weight.grad = None
    if i == 4:
        model[0].weight.grad = cg.ones(5, 6)


def copied(i: int, model: nn.Module) -> None:
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        with cg.no_grad():
            other[0].weight.zero_()


def backward_of_another(i: int, model: nn.Module) -> None:
    if i % 2:
        (model[0].weight ** 2).sum().backward()


BETWEEN: dict[str, tuple[Make, Callable[[int, nn.Module, optim.Optimizer, list[Any]], Any]]] = {
    "a checkpoint loaded": (adam, saved),
    "the optimizer of the start": (adam, lambda i, m, o, memory: (
        memory.append(o.state_dict()) if i == 0 else o.load_state_dict(memory[0]) if i == 3 else None)),
    "the optimizer forgets": (adam, lambda i, m, o, _: o.state.clear() if i == 3 else None),
    "momentum forgotten": (sgd, lambda i, m, o, _: o.state.clear() if i == 3 else None),
    "another learning rate": (adam, lambda i, m, o, _: o.param_groups[0].update(lr=0.1 / (i + 1))),
    "NumPy's learning rate": (adam, lambda i, m, o, _: o.param_groups[0].update(lr=np.float64(0.1 / (i + 1)))),
    "other options": (adam, lambda i, m, o, _: o.param_groups[0].update(weight_decay=0.1 * (i // 3))),
    "data replaced": (adam, lambda i, m, o, _: replace_data(i, m)),
    "parameters changed": (adam, lambda i, m, o, _: change_parameters(i, m)),
    "gradients put there": (adam, lambda i, m, o, _: put_gradients(i, m)),
    "gradients changed": (adam, lambda i, m, o, _: i and m[0].weight.grad.mul_(100)),
    "gradients zeroed": (adam, lambda i, m, o, _: o.zero_grad()),
    "a backward of another loss": (adam, lambda i, m, o, _: backward_of_another(i, m)),
    "copies of the model": (adam, lambda i, m, o, _: copied(i, m)),
    "evaluation and back": (lambda: adam(normed()), lambda i, m, o, _: (m.eval(), m(batch(50 + i)[0]), m.train())),
    "evaluation for good": (lambda: adam(normed()), lambda i, m, o, _: m.train(i % 4 < 2)),
    "frozen and let go": (sgd, lambda i, m, o, _: m[i // 3 * 2].requires_grad_(i % 3 == 2)),
    "another seed": (lambda: adam(normed()), lambda i, m, o, _: cg.manual_seed(i // 2)),
    "draws from elsewhere": (lambda: adam(normed()), lambda i, m, o, _: cg.rand(i)),
    "an activation replaced": (adam, lambda i, m, o, _: m.__setitem__(1, nn.ReLU()) if i == 3 else None),
    "a parameter replaced": (adam, lambda i, m, o, _: (
        setattr(m[0], "weight", nn.Parameter(np.ones((5, 6), np.float32))) if i == 3 else None)),
    "a probability": (lambda: adam(normed()), lambda i, m, o, _: setattr(m[3], "p", 0.5 * (i > 2))),
}


@pytest.mark.parametrize("name", BETWEEN)
def test_whatever_happens_between_two_steps(name: str) -> None:
    make, between = BETWEEN[name]
    memory: dict[int, list[Any]] = {}

    def call(i: int, step: Any, model: nn.Module, optimizer: optim.Optimizer) -> Any:
        between(i, model, optimizer, memory.setdefault(id(model), []))
        return batches(i, step)

    assert_twins(make, call)


@pytest.mark.parametrize("name", ["adam", "batch norm and dropout", "two optimizers", "clipping: norm, active"])
def test_eager_and_compiled_steps_take_turns(name: str) -> None:
    def call(i: int, step: Any, *_: Any) -> Any:
        return batches(i, getattr(step, "function", step) if i % 2 else step)

    assert_twins(STEPS[name][0], call)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("name", ["adam", "batch norm and dropout"])
def test_batches_of_other_sizes(name: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    divided(monkeypatch, count)
    sizes = [8, 7, 8, 2, 5, 8, 12]
    compiled = assert_twins(STEPS[name][0], lambda i, step, *_: step(*batch(i, sizes[i])), 7, exact=count == 1)
    assert len(compiled.variants) == 5


@pytest.mark.parametrize("count", [1, 2])
def test_labels_out_of_range_are_the_eager_error(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    divided(monkeypatch, count)

    def call(i: int, step: Any, *_: Any) -> Any:
        x, target = batch(i)
        target.data[3] = (0, 7, 1, -1, 2, 1)[i]
        try:
            return step(x, target)
        except IndexError as error:
            return str(error)

    assert_twins(adam, call, exact=count == 1)


def test_what_is_handed_out_stays_what_it_was() -> None:
    model, _, step = adam()
    compiled, kept = cg.compile(lambda x, target: (step(x, target), x * 2, [p.grad for p in model.parameters()])), []
    for i in range(5):
        loss, doubled, grads = compiled(*batch(i))
        mine = model[0].weight.grad
        assert mine is not None
        for each in (loss, doubled, *grads, mine, mine[0], mine.detach().numpy().reshape(-1)[3:]):
            array = each.data if isinstance(each, Tensor) else each
            kept.append((array, array.copy()))
        del loss, doubled, grads, mine, each, array
    for array, before in kept:
        np.testing.assert_array_equal(array, before)


def test_zeros_that_are_returned_belong_to_who_asked() -> None:
    compiled = cg.compile(lambda x: (cg.zeros_like(x), cg.zeros_like(x), x * 0 + 1))
    one, other, _ = compiled(cg.ones(3, 4))
    one.add_(1)
    assert not np.any(other.data) and not np.any(compiled(cg.ones(3, 4))[0].data)


def test_checkpoints_of_both_are_the_same_file(tmp_path: Path) -> None:
    for name, compile in (("eager", lambda step: step), ("compiled", cg.compile)):
        cg.manual_seed(0)
        model, (optimizer,), step = adam(normed())
        schedule, step = lr_scheduler.StepLR(optimizer, 2, 0.5), compile(step)
        for i in range(6):
            batches(i, step)
            schedule.step()
        cg.save(model, tmp_path / f"{name}.safetensors")
        memory = {f"{i}.{key}": value for i, values in optimizer.state_dict()["state"].items()
                  for key, value in values.items()}
        cg.save(memory, tmp_path / f"{name}-adam.safetensors")
    assert len(step.variants) == 1
    for kind in ("", "-adam"):
        eager, compiled = ((tmp_path / f"{name}{kind}.safetensors").read_bytes() for name in ("eager", "compiled"))
        assert eager == compiled

"""Steps that a program could silently get wrong: each is spelled to the last bit, or refused in words."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim
from chalkgrad.nn import functional as F
from chalkgrad.seeding import default_generator

RNG = np.random.default_rng(1)
Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]


def draw(rng: np.random.Generator = RNG) -> tuple[Any, Any]:
    return rng.standard_normal((8, 6), np.float32), rng.integers(0, 3, 8)


class Model(nn.Module):
    """A layer, and whatever names make trouble."""

    def __init__(self, **extras: Any) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 3)
        self.square = nn.Parameter(RNG.standard_normal((6, 6), np.float32))
        self.register_buffer("mean", cg.zeros(6))
        for name, value in extras.items():
            setattr(self, name, nn.Parameter(value))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x)


def ce(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(model(x), target)


def twice(combine: Callable[[Tensor, Tensor], Tensor]) -> Loss:
    """A loss in which an inner value meets itself."""

    def loss(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
        h = model.square * 2
        return F.cross_entropy(model(x @ combine(h, h)), target)

    return loss


def running(change: Callable[[nn.Module, Tensor], Any]) -> Loss:
    """A buffer that follows the data."""

    def loss(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
        with cg.no_grad():
            change(model, x)
        return ce(model, x - model.mean, target)

    return loss


def through_view(model: nn.Module, x: Tensor, target: Tensor) -> Tensor:
    y = x @ model.square
    view = y[:, 0]
    y *= 2
    view *= 3
    return F.cross_entropy(model(y), target) + view.mean()


LOSSES: dict[str, Loss] = {
    "h @ h": twice(lambda a, b: a @ b),
    "h / h": twice(lambda a, b: a / (b * b + 1)),
    "cat": twice(lambda a, b: cg.cat([a, b], 1)[:, :6]),
    "where": twice(lambda a, b: cg.where(a > 0, a, b)),
    "maximum": twice(cg.maximum),
    "constants made in the forward": lambda m, x, t: ce(m, x + cg.ones(6) * cg.arange(6) + cg.full((6,), 0.5), t),
    "a Python constant as a tensor": lambda m, x, t: ce(m, x * cg.tensor([1.0, 2.0, 0.5, 1.0, 1.0, 1.0]), t),
    "noise": lambda m, x, t: ce(m, x + 0.1 * cg.randn(8, 6), t),
    "rows by arange": lambda m, x, t: -F.log_softmax(m(x), -1)[cg.arange(8), t].mean(),
    "a masked mean": lambda m, x, t: ce(m, x, t) + x[x > 0].mean() * m.square.sum(),
    "an output without a loss": lambda m, x, t: ce(m, x, t) + m.square.max(1).values.sum(),
    "two losses": lambda m, x, t: ce(m, x, t) + 0.01 * (m.square * m.square).sum() + m(x).abs().mean(),
    "a buffer by copy_": running(lambda m, x: m.mean.copy_(0.9 * m.mean + 0.1 * x.mean(0))),
    "a buffer by +=": running(lambda m, x: m.mean.add_(0.1 * x.mean(0))),
    "views of what changes": through_view,
    "an argument that changes": lambda m, x, t: ce(m, x.mul_(2), t),
    "a lasting constant in place": lambda m, x, t: ce(m, cg.zeros(8, 6).add_(x), t),
}


def build(loss: Loss, model: nn.Module, update: Callable[[nn.Module], Any] | None = None) -> tuple[Any, Any]:
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    def step(x: Tensor, target: Tensor) -> Tensor:
        optimizer.zero_grad()
        value = loss(model, x, target)
        value.backward()
        optimizer.step() if update is None else update(model)
        return value

    return step, optimizer


def assert_identical(step: Any, model: nn.Module, optimizer: Any, batch: Callable[[], Any] = draw) -> None:
    program = cg.spell(step, *batch(), model=model, optimizer=optimizer)
    params, state = program.start()
    options = {"rng": copy.deepcopy(default_generator())} if program.draws else {}
    for _ in range(4):
        arrays = batch()
        expected = step(*(Tensor(array) for array in arrays))
        made = program.run(params, state, *(array.copy() for array in arrays), **options)
        pairs = zip(made, expected, strict=True) if isinstance(expected, tuple) else [(made, expected)]
        for one, other in pairs:
            np.testing.assert_array_equal(one, other.data, strict=True)
    named = dict(model.named_parameters()) | {name: b for name, b in model.named_buffers() if name in state}
    for name, tensor in named.items():
        np.testing.assert_array_equal((params | state)[name], tensor.data, strict=True)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_spelled_to_the_last_bit(name: str) -> None:
    model = Model()
    assert_identical(*(step := build(LOSSES[name], model))[:1], model, step[1])


NAMES = [
    "fc_weight", "x", "lr", "target", "np", "params", "state", "rng", "loss", "name", "grad", "math", "step", "len",
    "max", "range", "tuple", "ValueError",
]


@pytest.mark.parametrize("name", NAMES)
def test_no_name_of_a_parameter_is_in_the_way(name: str) -> None:
    model = Model(**{name: cg.tensor(0.5)})
    step, optimizer = build(lambda m, x, t: ce(m, x * getattr(m, name), t), model)
    assert_identical(step, model, optimizer)


def test_an_argument_keeps_its_name_and_modules_may_be_called_like_builtins() -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.max, self.len, self.range = nn.Linear(6, 6), nn.BatchNorm1d(6), nn.Linear(6, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.range(self.len(self.max(x)).abs())

    model = Named()
    optimizer = optim.Adam(model.parameters(), 0.01)

    def step(input: Tensor, target: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(input), target)
        loss.backward()
        optimizer.step()
        return loss

    assert_identical(step, model, optimizer)
    assert "def step(params, state, input, target" in str(cg.spell(step, *draw(), model=model, optimizer=optimizer))


def by_hand(model: nn.Module) -> None:
    with cg.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter -= 0.1 * parameter.grad
                parameter.copy_(parameter.clamp(-0.2, 0.2))


def test_updates_by_hand_are_spelled() -> None:
    model = Model()
    step, _ = build(ce, model, by_hand)
    assert_identical(step, model, None)


def test_two_optimizers_are_spelled() -> None:
    model = nn.ModuleDict({"g": nn.Linear(6, 6), "d": nn.Linear(6, 1)})
    g, d = (optim.Adam(model[name].parameters(), 0.01) for name in ("g", "d"))
    bce = nn.BCEWithLogitsLoss()

    def step(x: Tensor) -> Tensor:
        d.zero_grad()
        (bce(model["d"](x), cg.ones(8, 1)) + bce(model["d"](model["g"](x).detach()), cg.zeros(8, 1))).backward()
        d.step()
        g.zero_grad()
        loss = bce(model["d"](model["g"](x)), cg.ones(8, 1))
        loss.backward()
        g.step()
        d.zero_grad()
        return loss

    assert_identical(step, model, [g, d], lambda: draw()[:1])


@pytest.mark.parametrize("x", [RNG.integers(0, 9, (8, 6)), RNG.integers(0, 255, (8, 6)).astype(np.uint8)])
def test_integers_are_spelled(x: Any) -> None:
    model = Model()
    step, optimizer = build(lambda m, x, t: ce(m, x / 255, t), model)
    assert_identical(step, model, optimizer, lambda: (x, draw()[1]))


# -------------------------------------------------------------------------------------------- what is refused


class Counting(Model):
    """A number of Python's own that changes from step to step."""

    count = 0

    def forward(self, x: Tensor) -> Tensor:
        self.count += 1
        return self.fc(x * min(1.0, self.count / 10))


def by_numpy(model: nn.Module) -> None:
    for parameter in model.parameters():
        parameter.data -= 0.1


class Remembering(Model):
    """A hidden state that goes on from step to step in an attribute, where no program finds it."""

    hidden: Any = 0.0

    def forward(self, x: Tensor) -> Tensor:
        y = self.fc(x + self.hidden)
        self.hidden = x.mean(0).detach()
        return y


GENERATOR = np.random.default_rng(0)


def above(x: Tensor) -> Tensor:
    """Some of the rows, but neither all nor none."""
    return x[:, 0] > 0.5 * x[:, 0].max() + 0.5 * x[:, 0].min()


REFUSED: dict[str, tuple[Loss, Any, str]] = {
    "item": (lambda m, x, t: ce(m, x, t) * ce(m, x, t).item(), None, "reads a number off a Tensor"),
    "tolist": (lambda m, x, t: ce(m, x, t) * sum(x.mean(0).tolist()), None, r"number off a Tensor of shape \(6,\)"),
    "float": (lambda m, x, t: ce(m, x - float(x.mean()), t), None, "reads a number off a Tensor"),
    "a branch": (lambda m, x, t: ce(m, x, t) * (2 if x.mean() > 0 else 1), None, r"cg\.where instead of if"),
    "a loop": (lambda m, x, t: sum(ce(m, x, t) for _ in range(t.max())), None, "reads a number off a Tensor"),
    "an index": (lambda m, x, t: m(x)[int(x[:, 0].argmax())].sum(), None, "reads a number off a Tensor"),
    "numpy()": (lambda m, x, t: ce(m, x * (x.numpy() > 0), t), None, "reads a number off a Tensor"),
    "np.asarray": (lambda m, x, t: ce(m, x * np.asarray(x).mean(), t), None, "reads a number off a Tensor"),
    "NumPy's number": (lambda m, x, t: ce(m, x * float(np.std(x.data)), t), None, "was .* in the first step"),
    "NumPy's array": (lambda m, x, t: ce(m, x * (x.data > 0), t), None, "neither an argument of the step"),
    "NumPy's update": (ce, by_numpy, "leaves other numbers in `square`"),
    "how many a mask lets through": (lambda m, x, t: m(x[above(x)]).sum() / len(x[above(x)]), None,
                                     r"was \d+ in the first step and \d+ in the second.* mask\.sum\(\) does that"),
    "a shape that follows from a mask": (lambda m, x, t: (m(x[above(x)]) + cg.randn(len(t[above(x)]), 3)).sum(), None,
                                         r"was \(\d, 3\) in the first step .* multiply by the mask"),
    "zeros for what a mask lets through": (lambda m, x, t: (m(x[above(x)]) + cg.zeros(len(t[above(x)]), 3)).sum(), None,
                                           "does not run: ValueError.* size follow from the data"),
    "a generator of its own": (lambda m, x, t: ce(m, x + cg.randn(8, 6, generator=GENERATOR), t), None,
                               "draws from a generator of its own; a program is handed one, the default one"),
    "NumPy's draw": (lambda m, x, t: ce(m, x + cg.tensor(GENERATOR.random((8, 6), np.float32)), t), None,
                     "neither an argument of the step"),
    "NumPy's drawn number": (lambda m, x, t: ce(m, x + GENERATOR.random(), t), None, "was 0.* in the first step"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_be_frozen_is_refused_in_words(name: str) -> None:
    loss, update, words = REFUSED[name]
    model = Model()
    step, optimizer = build(loss, model, update)
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(cg.SpellError, match=words):
        cg.spell(step, *draw(np.random.default_rng(0)), model=model, optimizer=optimizer)
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value.data, before[key].data)


def test_a_python_counter_is_refused_in_words() -> None:
    model = Counting()
    step, optimizer = build(ce, model)
    with pytest.raises(cg.SpellError, match=r"was 0\.1 in the first step and 0\.2 in the second"):
        cg.spell(step, *draw(), model=model, optimizer=optimizer)


def test_the_same_tensor_may_come_twice() -> None:
    model = nn.Linear(6, 6)
    step, optimizer = build(lambda m, x, t: ((m(x) - t) ** 2).mean(), model)
    x = draw()[0]
    program = cg.spell(step, x, x, model=model, optimizer=optimizer)
    params, state = program.start()
    other = draw()[0]
    assert program.run(params, state, x, other) == step(Tensor(x), Tensor(other)).data


def test_other_dtypes_are_refused_at_entry() -> None:
    model = Model()
    step, optimizer = build(ce, model)
    x, target = draw()
    program = cg.spell(step, x, target, model=model, optimizer=optimizer)
    with pytest.raises(ValueError, match=r"spelled for x .* float32, but .* float64 came"):
        program.run(*program.start(), x.astype(np.float64), target)


RETURNED: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "a dict": (lambda loss: {"loss": loss}, "a tuple of Tensors; it returned dict"),
    "a number among Tensors": (lambda loss: (loss, 8), "it returned tuple that holds int"),
    "an empty tuple": (lambda loss: (), "it returned tuple that holds nothing"),
    "nothing": (lambda loss: None, "it returned NoneType"),
}


@pytest.mark.parametrize("name", RETURNED)
def test_what_no_program_returns_is_refused_in_words(name: str) -> None:
    returned, words = RETURNED[name]
    model = Model()
    with pytest.raises(cg.SpellError, match=words):
        cg.spell(lambda x, target: returned(ce(model, x, target)), *draw(), model=model)


def test_a_schedule_in_the_step_is_refused_in_words() -> None:
    model = Model()
    step, optimizer = build(ce, model)
    schedule = optim.lr_scheduler.StepLR(optimizer, 1)
    with pytest.raises(cg.SpellError, match=r"lr was 0\.1 in the first step .*Leave the schedule out of the step"):
        cg.spell(lambda x, target: (step(x, target), schedule.step())[0], *draw(), model=model, optimizer=optimizer)


def test_a_hidden_state_in_an_attribute_is_refused_in_words() -> None:
    model = Remembering()
    step, optimizer = build(ce, model)
    step(*(Tensor(array) for array in draw()))  # from here on, the step does the same every time
    with pytest.raises(cg.SpellError, match=r"add reads a Tensor of shape \(6,\) that the step before made.* buffer"):
        cg.spell(step, *draw(), model=model, optimizer=optimizer)


def test_a_step_that_fails_with_other_rows_is_refused_in_words() -> None:
    model = Model()
    x, target = draw()[0], np.array([0, 1, 0, 0, 0, 0, 0, 0])  # no row is 1, if every second row is the one before it
    with pytest.raises(cg.SpellError, match=r"but not with other rows of its batch.*any: ShapeError"):
        cg.spell(lambda x, target: model(x[target == 1]).max(), x, target, model=model)


def test_gradients_that_nobody_zeroes_are_refused_in_words() -> None:
    model = Model()
    optimizer = optim.SGD(model.parameters(), 0.1)

    def step(x: Tensor, target: Tensor) -> Tensor:
        loss = ce(model, x, target)
        loss.backward()
        optimizer.step()
        return loss

    words = r"gradient of fc\.\w+ was left from before the step.* optimizer\.zero_grad\(\), before its first backward"
    for _ in range(2):
        with pytest.raises(cg.SpellError, match=words):
            cg.spell(step, *draw(), model=model, optimizer=optimizer)
        step(*(Tensor(array) for array in draw()))


def test_a_generator_is_no_argument() -> None:
    with pytest.raises(cg.SpellError, match=r"A generator is no part of a batch.* as `rng`"):
        cg.spell(lambda x, rng: x, draw()[0], GENERATOR, model=Model())


@pytest.mark.parametrize("step, words", [
    (lambda params, target: params, "argument `params` has a name that the program uses"),
    (lambda *batch: batch[0], "names 1 arguments, but 2 came"),
])
def test_arguments_are_named(step: Any, words: str) -> None:
    with pytest.raises(cg.SpellError, match=words):
        cg.spell(step, *draw(), model=Model())

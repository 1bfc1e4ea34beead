"""What a compiled function is compiled for: which calls share a program, which do not, and what is said about it."""

from __future__ import annotations

import collections
import copy
import dataclasses
import enum
import functools
import inspect
import pickle
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim

X = Tensor(np.random.default_rng(0).standard_normal((4, 3), np.float32))


def equal(one: Any, other: Any) -> None:
    np.testing.assert_array_equal(one.data, other.data, strict=True)


# -------------------------------------------------------------------------------------------------- arguments


class Color(enum.Enum):
    """Two colors."""

    RED, BLUE = 1, 2


@dataclasses.dataclass
class Options:
    """An argument that is taken apart."""

    scale: Any = 2.0
    shift: list[float] = dataclasses.field(default_factory=lambda: [1.0])


def scaled(x: Tensor, options: Options) -> Tensor:
    return x * options.scale + options.shift[0]


def sign(x: Tensor, number: float) -> Tensor:
    return x * float(np.copysign(1.0, number))


class Switch:
    """An argument that is held, and equals any other."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


ONE = Switch(2.0)
# a function, what it is called with one after the other, and how many programs that makes
TOLD_APART: dict[str, tuple[Callable[..., Any], list[tuple[Any, ...]], int]] = {
    "numbers of all types": (lambda x, k: x.long() * k, [(X, 2), (X, 2.0), (X, np.int64(2)), (X, 2)], 3),
    "a bool and a number": (lambda x, k: x * 2 if k is True else x, [(X, 1), (X, True), (X, 1)], 2),
    "a place and a number": (lambda a, b: a - b, [(X, 0), (0, X), (X, 0)], 2),
    "signs of zero": (sign, [(X, 0.0), (X, -0.0), (X, 0.0)], 2),
    "nan": (lambda x, k: x * 2 if k != k else x, [(X, float("nan")), (X, float("nan")), (X, 1.0)], 2),
    "members of an enum": (lambda x, c: x * c.value, [(X, Color.RED), (X, Color.BLUE), (X, Color.RED)], 2),
    "slices and dtypes": (lambda x, s, d: x[s].to(d), [(X, slice(2), np.float64), (X, slice(1), np.float64),
                                                       (X, slice(2), np.float32), (X, slice(2), np.float64)], 3),
    "sets, which are held": (lambda x, s: x * len(s), [(X, {1, 2}), (X, {1})], 2),
    "dataclasses, by what they hold": (scaled, [(X, Options()), (X, Options(3.0)), (X, Options(2.0, [5.0])),
                                                (X, Options())], 3),
    "dataclasses of Tensors": (scaled, [(X, Options(X)), (X, Options(X + 1)), (X, Options(X[0]))], 3),
    "objects, by what they are": (lambda x, s: x * s.scale, [(X, ONE), (X, Switch(3.0)), (X, ONE)], 2),
    "the same Tensor twice": (lambda a, b: a * b, [(X, X), (X, X + 1), (X + 1, X)], 2),
    "functions": (lambda x, f: f(x), [(X, cg.tanh), (X, cg.exp), (X, cg.tanh)], 2),
    "arrays, which run as they are": (lambda x: x.std(), [(X,), (X.data,), (X,)], 2),
    "no rows": (lambda x: x.sum(0), [(X,), (X[:0],)], 2),
    "hidden names": (lambda d: d["a b"] - d["a_b"] + d[1], [({"a b": X, "a_b": X * 2, 1: 3},)], 1),
}


@pytest.mark.parametrize("name", TOLD_APART)
def test_calls_are_told_apart(name: str) -> None:
    function, calls, programs = TOLD_APART[name]
    compiled = cg.compile(function)
    for _ in range(2):
        for arguments in calls:
            made, expected = compiled(*arguments), function(*arguments)
            assert type(made) is type(expected)
            equal(made, expected) if isinstance(made, Tensor) else np.testing.assert_array_equal(made, expected)
    assert len(compiled.variants) == programs


def test_the_same_tensor_twice_changes_in_both_places() -> None:
    def added(a: Tensor, b: Tensor) -> Tensor:
        a.add_(1)
        return a + b

    compiled = cg.compile(added)
    for twice in (False, True, False):
        x, y = cg.ones(3), cg.ones(3)
        assert compiled(x, x if twice else y).tolist() == [4.0 if twice else 3.0] * 3


def test_a_parameter_that_is_handed_over_as_well_stays_one() -> None:
    model = nn.Linear(3, 2)

    def step(weight: Tensor, x: Tensor) -> Tensor:
        loss = model(x).sum() + (weight * weight).sum()
        loss.backward()
        return loss

    cg.compile(step)(model.weight, X)
    made, model.weight.grad = model.weight.grad, None
    step(model.weight, X)
    assert made is not None and model.weight.grad is not None
    equal(made, model.weight.grad)


Pair = collections.namedtuple("Pair", "one other")
RESULTS: dict[str, Callable[[Tensor], Any]] = {
    "a namedtuple": lambda x: Pair(x * 2, [x.sum(), None, 3]),
    "of an operation": lambda x: x.max(1),
    "a dataclass": lambda x: Options(x * 2, [2.5]),
    "nothing": lambda x: None,
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_come_in_the_same_shape(name: str) -> None:
    compiled = cg.compile(RESULTS[name])
    compiled(X + 1)
    assert repr(compiled(X)) == repr(RESULTS[name](X)) and type(compiled(X)) is type(RESULTS[name](X))


NAMES = ("params state rng step np in_parts add_up work work_1 part_1 len row_1 x_parts momentum_param adam_rows zeros "
         "grad step_x lr lr_2 functools math loss")


@pytest.mark.parametrize("name", NAMES.split())
def test_arguments_may_have_any_name(name: str) -> None:
    known: dict[str, Any] = {}
    exec(f"def function({name}, other):\n    return ({name} * 2 + other.sum(0)).sum()", known)
    one, other = (Tensor(np.random.default_rng(i).standard_normal((8, 600), np.float32)) for i in range(2))
    np.testing.assert_allclose(cg.compile(known["function"])(one, other).data, known["function"](one, other).data, 1e-5)


# ---------------------------------------------------------------------------------------------- surroundings


class Base:
    """A class with a setting."""

    scale = 2.0


class Settings(Base):
    """An object with a property, and with an attribute that may be there."""

    def __init__(self) -> None:
        self.inner = types.SimpleNamespace(factor=1.0)

    @property
    def product(self) -> float:
        return self.scale * self.inner.factor * FACTOR


class Slotted:
    """An object without a dict."""

    __slots__ = ("scale",)

    @cg.compile
    def scaled(self, x: Tensor) -> Tensor:
        return x * self.scale


class Proxy:
    """An object that looks its attributes up elsewhere."""

    def __init__(self) -> None:
        self.values = {"scale": 2.0}

    def __getattr__(self, name: str) -> Any:
        if name not in self.__dict__.get("values", ()):
            raise AttributeError(name)
        return self.values[name]


FACTOR, SETTINGS, SLOTTED, PROXY, LISTED = 1.0, Settings(), Slotted(), Proxy(), [2.0]
SLOTTED.scale = 2.0


def helper(x: Tensor, scale: float = 2.0) -> Tensor:
    return x * scale


SEEN: dict[str, tuple[Callable[[Tensor], Any], Callable[[pytest.MonkeyPatch], Any]]] = {
    "through a property": (lambda x: x * SETTINGS.product, lambda m: m.setattr(SETTINGS.inner, "factor", 5.0)),
    "a global of a property": (lambda x: x * SETTINGS.product, lambda m: m.setitem(globals(), "FACTOR", 5.0)),
    "an attribute of a base": (lambda x: x * SETTINGS.scale, lambda m: m.setattr(Base, "scale", 5.0)),
    "an attribute that was not there": (lambda x: x * getattr(SETTINGS, "other", 2.0),
                                        lambda m: m.setattr(SETTINGS, "other", 5.0, raising=False)),
    "any attribute": (lambda x: x * vars(SETTINGS.inner)["factor"], lambda m: m.setattr(SETTINGS.inner, "factor", 5.0)),
    "a slot": (lambda x: x * SLOTTED.scale, lambda m: m.setattr(SLOTTED, "scale", 5.0)),
    "what is looked up elsewhere": (lambda x: x * PROXY.scale, lambda m: m.setitem(PROXY.values, "scale", 5.0)),
    "a default": (lambda x: helper(x), lambda m: m.setattr(helper, "__defaults__", (5.0,))),
    "another function": (lambda x: helper(x), lambda m: m.setitem(globals(), "helper", lambda x: x * 5)),
    "through a partial": (functools.partial(lambda x, k: x * k[0], k=LISTED), lambda m: LISTED.__setitem__(0, 5.0)),
    "inside of a compiled one": (cg.compile(lambda x: x * FACTOR), lambda m: m.setitem(globals(), "FACTOR", 5.0)),
    "the type of a number": (lambda x: x.long() * FACTOR, lambda m: m.setitem(globals(), "FACTOR", 1)),
}


@pytest.mark.parametrize("name", SEEN)
def test_changes_are_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    function, change = SEEN[name]
    compiled = cg.compile(function)
    equal(compiled(X), function(X))
    change(monkeypatch)
    equal(compiled(X), function(X))
    compiled(X)
    assert len(compiled.variants) == 2


class Trainer:
    """An object with a step, and with more that changes all the time and does not matter to the step."""

    def __init__(self) -> None:
        self.model = nn.Linear(3, 1)
        self.optimizer = optim.Adam(self.model.parameters(), 0.01)
        self.history: list[float] = []
        self.scale, self.count = 1.0, 0

    @cg.compile
    def step(self, x: Tensor) -> Tensor:
        """Take a step."""
        self.optimizer.zero_grad()
        loss = (self.model(x) * self.scale).sum()
        loss.backward()
        self.optimizer.step()
        return loss

    def fit(self) -> Trainer:
        for i in range(4):
            self.history.append(self.step(X * i).item())
            self.count += 1
        return self


def test_what_the_function_does_not_name_may_change() -> None:
    trainer = Trainer().fit()
    assert len(trainer.step.variants) == 1
    trainer.scale = 2.0
    assert len(trainer.fit().step.variants) == 2


def test_what_comes_back_is_not_compiled_again() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5), nn.Linear(3, 1))
    optimizer = optim.Adam(model.parameters(), 0.01)

    def step(x: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss = model(x).sum()
        loss.backward()
        optimizer.step()
        return loss

    compiled = cg.compile(step)
    for i in range(9):
        model.train(i % 3 != 1)
        model[0].requires_grad_(i % 3 != 2)
        compiled(X)
        optimizer.load_state_dict(optimizer.state_dict())
        optimizer.param_groups[0]["lr"] /= 2
    assert len(compiled.variants) == 3


def test_every_object_has_programs_of_its_own() -> None:
    one, other = Trainer().fit(), Trainer().fit()
    assert one.step is one.step and one.step is not other.step
    for made in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert made.fit().step.function.__self__ is made
    assert list(inspect.signature(Trainer.step).parameters) == ["self", "x"]
    assert list(inspect.signature(one.step).parameters) == ["x"]
    assert one.step.__doc__ == "Take a step." and repr(one.step) == "<compiled step, 1 variant>"


def test_the_class_keeps_the_programs_of_objects_that_can_keep_nothing() -> None:
    slotted = Slotted()
    for slotted.scale in (2.0, 3.0, 2.0):
        equal(slotted.scaled(X), X * slotted.scale)
    assert len(Slotted.scaled.variants) == 2


def test_a_compiled_module_passes_on_what_is_asked_of_it() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))
    compiled = cg.compile(model)
    assert compiled.state_dict().keys() == model.state_dict().keys()
    assert repr(compiled) == "<compiled Sequential, 0 variants>"
    compiled.eval()
    equal(compiled(X), model(X))
    compiled.train()
    assert model.training and (compiled(X).data == 0).any()

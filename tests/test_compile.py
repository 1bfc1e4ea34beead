"""What can be compiled, and how it is called: functions, arguments, results of every kind; texts, threads, memory."""

from __future__ import annotations

import functools
import gc
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn
from chalkgrad.nn import functional as F

from .twins import adam, batch, normed

X, Y = Tensor(np.arange(12, dtype=np.float32).reshape(4, 3)), Tensor(np.full((4, 3), 0.5, np.float32))


def flexible(x: Any, *rest: Any, scale: Any = 2, add: Any = None, **more: Any) -> Any:
    y = (x[0] + x[1]["b"][0] if isinstance(x, tuple) else x) * scale
    for each in rest:
        y = y + each
    y = y if add is None else y - add
    return {"y": y, **{name: y * value for name, value in more.items()}}


CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "one": ((X,), {}),
    "by name": ((), {"x": X}),
    "a number": ((X, 3), {}),
    "a Tensor": ((X, Y, Y), {}),
    "a bool": ((X,), {"scale": True}),
    "a float": ((X,), {"scale": 1.0}),
    "a Tensor by name": ((X,), {"add": Y}),
    "names that it does not have": ((X,), {"other": Y, "another": 0.5}),
    "a tree": (((X, {"b": [Y], "c": "text"}),), {}),
    "a tree with names that are none": (((X, {"b": [Y], "a c": Y, 3: None}),), {}),
}


def both(one: Any, other: Any) -> None:
    """Compare trees of Tensors, to the last bit."""
    assert type(one) is type(other), (one, other)
    if isinstance(one, Tensor):
        np.testing.assert_array_equal(one.data, other.data, strict=True)
    elif isinstance(one, dict):
        assert list(one) == list(other)
        both(list(one.values()), list(other.values()))
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for each, its in zip(one, other):
            both(each, its)
    else:
        assert one == other


@pytest.mark.parametrize("name", CALLS)
def test_arguments_of_every_kind(name: str) -> None:
    args, kwargs = CALLS[name]
    compiled = cg.compile(flexible)
    for _ in range(2):
        both(compiled(*args, **kwargs), flexible(*args, **kwargs))


def test_calls_are_told_apart() -> None:
    compiled = cg.compile(flexible)
    for _ in range(2):
        for args, kwargs in CALLS.values():
            both(compiled(*args, **kwargs), flexible(*args, **kwargs))


SCALE = 2.0
WEIGHT = cg.tensor([1.0, 2.0, 3.0])


def helper(x: Tensor) -> Tensor:
    return x * WEIGHT * SCALE


class Holder:
    """An object with a method."""

    def __init__(self) -> None:
        self.model, self.scale = nn.Linear(3, 2), 2.0

    def forward(self, x: Tensor) -> Tensor:
        return (self.model(x) * self.scale).detach()

    @cg.compile
    def decorated(self, x: Tensor) -> Tensor:
        return (self.model(x) * self.scale).detach()


def applied(model: nn.Module, x: Tensor, scale: float = 1.0) -> Tensor:
    return (model(x) * scale).detach()


LINEAR = nn.Linear(3, 2)


def with_defaults(x: Tensor, y: Tensor = Y, model: nn.Module = LINEAR, *, scale: float = 2.0) -> Tensor:
    return (model(x + y) * scale).detach()


FUNCTIONS: dict[str, Callable[[], Any]] = {
    "a function": lambda: helper,
    "a function that calls another": lambda: lambda x: helper(x) + 1,
    "a lambda": lambda: lambda x: x * 2,
    "an operation": lambda: F.relu,
    "a method": lambda: Holder().forward,
    "a partial": lambda: functools.partial(applied, nn.Linear(3, 2), scale=3.0),
    "defaults": lambda: with_defaults,
    "a model without a graph": lambda: cg.no_grad()(nn.Sequential(nn.Linear(3, 2), nn.ReLU()).forward),
    "what NumPy can": lambda: lambda x: np.exp(x) + np.maximum(x, 1),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_every_kind(name: str) -> None:
    function = FUNCTIONS[name]()
    compiled = cg.compile(function)
    for x in (X, Y, Y, X):
        both(compiled(x), function(x))


def test_a_module_is_compiled_as_it_is() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Dropout(0.5)).eval()
    compiled = cg.compile(model)
    with cg.no_grad():
        for _ in range(2):
            both(compiled(X), model(X))
            model[0].weight.fill_(2)


def test_a_method_is_compiled_in_its_class() -> None:
    one, other = Holder(), Holder()
    for holder in (one, other, one):
        both(holder.decorated(X), holder.forward(X))


def test_globals_and_attributes_are_looked_up_in_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    holder = Holder()
    compiled, method = cg.compile(helper), cg.compile(holder.forward)
    both(compiled(X), helper(X))
    monkeypatch.setitem(globals(), "SCALE", 3.0)
    both(compiled(X), helper(X))
    monkeypatch.setitem(globals(), "WEIGHT", cg.tensor([3.0, 2.0, 1.0]))
    both(compiled(X), helper(X))
    for name, value in (("scale", 2.0), ("scale", 3), ("model", nn.Linear(3, 1))):
        setattr(holder, name, value)
        both(method(X), holder.forward(X))


# ------------------------------------------------------------------------------------------------- the rest


def test_threads_may_call_it_at_the_same_time() -> None:
    compiled, wrong = cg.compile(lambda x: ((x * 2).exp() + x).sum(1)), []
    inputs = [Tensor(np.random.default_rng(i).standard_normal((64, 50), np.float32)) for i in range(4)]

    def work(x: Tensor) -> None:
        expected = compiled.function(x).data
        wrong.extend(i for i in range(30) if not np.array_equal(compiled(x).data, expected))

    workers = [threading.Thread(target=work, args=(x,)) for x in inputs]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_memory_does_not_grow() -> None:
    _, _, step = adam(normed())
    compiled, arguments = cg.compile(step), batch(0, 64)
    for _ in range(10):
        compiled(*arguments)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(200):
            compiled(*arguments)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 8000
    finally:
        tracemalloc.stop()


def test_only_so_many_programs_are_kept() -> None:
    compiled = cg.compile(lambda x: x * 2)
    for n in range(1, 20):
        assert compiled(cg.ones(n)).shape == (n,)
    assert len(compiled.variants) == compiled.limit == 8


def test_it_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))

    def forward(x: Tensor) -> Tensor:
        return model(x).detach()

    compiled = cg.compile(forward, explain=True)
    for call in (lambda: compiled(X), lambda: compiled(X), lambda: compiled(X[:2]), lambda: model.eval(),
                 lambda: compiled(X), lambda: compiled(X)):
        call()
    first, second, third = capsys.readouterr().err.splitlines()
    assert first == "chalkgrad compiles forward: it is called for the first time"
    assert second == "chalkgrad compiles forward: argument x has shape (2, 3) instead of (4, 3)"
    assert third == "chalkgrad compiles forward: module model was put into eval mode"


def test_both_texts_can_be_read() -> None:
    compiled = cg.compile(lambda x: (x * x).sum().sqrt())
    for name in ("source", "readable"):
        with pytest.raises(cg.SpellError, match="call the function once"):
            getattr(compiled, name)
    compiled(X)
    assert "def step(x" in compiled.source and "np.sqrt(" in compiled.source and "# ----" in compiled.readable
    compile(compiled.source, "source", "exec")


def test_a_compiled_function_inside_of_another_one_is_one_program() -> None:
    inner = cg.compile(lambda x: x * 2)
    outer = cg.compile(lambda x: inner(x) + 1)
    both(outer(X), X * 2 + 1)
    assert not inner.variants


def test_a_decorator_keeps_name_and_docstring() -> None:
    @cg.compile(explain=False)
    def doubled(x: Tensor) -> Tensor:
        """Double it."""
        return x * 2

    assert doubled.__name__ == "doubled" and doubled.__doc__ == "Double it." and "doubled, 0 variants" in repr(doubled)
    both(doubled(X), X * 2)

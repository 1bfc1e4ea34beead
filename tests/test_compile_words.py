"""What a compiled function refuses, why it is compiled again, and an interrupt: what is said, what is left behind."""

from __future__ import annotations

import functools
import signal
import time
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim
from chalkgrad.compiler.threads import in_parts

X = Tensor(np.random.default_rng(0).standard_normal((4, 3), np.float32))


class Leaves:
    """Functions that leave something behind."""

    last: Any = None
    count = 0

    def an_attribute(self, x: Tensor) -> Tensor:
        self.last = x * 2
        return x * 3

    def a_number(self, x: Tensor) -> Tensor:
        self.count += 1
        return x * 3

    def a_global(self, x: Tensor) -> Tensor:
        global LEFT
        LEFT = x * 2
        return x * 3

    def a_list(self, x: Tensor) -> Tensor:
        HISTORY.append(1.0)
        return x * 3


LEFT: Any = None
HISTORY: list[float] = []


@pytest.mark.parametrize(("name", "where"), [
    ("an_attribute", "self.last"), ("a_number", "self.count"), ("a_global", "LEFT"), ("a_list", "HISTORY")])
def test_a_function_that_leaves_something_behind_is_refused(name: str, where: str) -> None:
    with pytest.raises(cg.SpellError, match=rf"changes what is neither a Tensor nor an optimizer: {where} is"):
        cg.compile(getattr(Leaves(), name))(X)


def test_what_a_first_call_leaves_is_no_reason() -> None:
    class Cached(nn.Module):
        scale = None

        def forward(self, x: Tensor) -> Tensor:
            if self.scale is None:
                self.scale = 3.0
            return x * self.scale

    compiled = cg.compile(Cached())
    for _ in range(2):
        assert compiled(X).tolist() == (X * 3.0).tolist()
    assert len(compiled.variants) == 1


def test_what_would_stay_what_it_was_is_refused() -> None:
    with pytest.raises(cg.SpellError, match="returns an object of type Leaves"):
        cg.compile(lambda x: Leaves())(X)

    def appends(xs: list[Any]) -> Tensor:
        xs.append(1)
        return xs[0] * len(xs)

    with pytest.raises(cg.SpellError, match="changes a list, dict or object that it is handed"):
        cg.compile(appends)([X])

    model = nn.Linear(3, 1)
    both = [optim.SGD(model.parameters(), 0.1), optim.Adam(model.parameters(), 0.1)]
    with pytest.raises(cg.SpellError, match="Two optimizers follow the same parameter"):
        cg.compile(lambda x: [optimizer.step() for optimizer in both])(X)


def test_it_says_in_words_what_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    model, settings = nn.Sequential(nn.Linear(3, 2), nn.Sequential(nn.Dropout(0.0))), {"k": 2.0}
    optimizer = optim.Adam(model.parameters(), 0.01)

    def step(x: Any, p: Any = 1) -> Tensor:
        optimizer.zero_grad()
        loss = (model(x) * settings["k"] * p).sum()
        loss.backward()
        optimizer.step()
        return loss

    said: list[tuple[Callable[[], Any], Any, str]] = [
        (lambda: None, (X,), "it is called for the first time"),
        (lambda: None, (X[:2],), "argument x has shape (2, 3) instead of (4, 3)"),
        (lambda: None, (X.double(),), "argument x is float64 instead of float32"),
        (lambda: None, (X, 2), "argument p came"),
        (lambda: None, (X, 2.0), "argument p is 2.0 instead of 2"),
        (lambda: model.eval(), (X,), "module model was put into eval mode"),
        (lambda: model.train() and model[1].eval(), (X,), "module model was put into training mode"),
        (lambda: model.train() and settings.update(k=3.0), (X,), "settings['k'] is 3.0 instead of 2.0"),
        (lambda: model[0].bias.requires_grad_(False), (X,), "model.0.bias requires no gradient any more"),
        (lambda: model.__setitem__(1, nn.Tanh()), (X,), "model.1 is Tanh instead of Sequential"),
        (lambda: model[0].register_forward_hook(lambda *_: None), (X,), "module model.0 has a new hook"),
        (lambda: None, (X[:0],), "argument x has shape (0, 3), and there is nothing to compute"),
        (lambda: None, (X.data,), "argument x is a NumPy array"),
    ]
    compiled = cg.compile(step, explain=True)
    for change, arguments, words in said:
        change()
        compiled(*arguments)
        heard = capsys.readouterr().err
        assert heard.count("\n") == 1 and words in heard, (words, heard)
        compiled(*arguments)
        assert not capsys.readouterr().err
    with pytest.raises(cg.SpellError, match="The last call ran as it is, since argument x is a NumPy array"):
        _ = compiled.source


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="interrupts need a timer")
def test_an_interrupt_leaves_nothing_behind() -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    def part(number: int, name: str) -> tuple[str]:
        time.sleep(0.1 * number)
        ran.append(name)
        return (f"{name} {number}",)

    ran: list[str] = []
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(KeyboardInterrupt):
            in_parts(part, [(0, 1)], ["first"])
        assert ran == ["first", "first"]  # nobody goes on alone
        assert in_parts(part, [(0, 1)], ["second"]) == [("second 0", "second 1")]
    finally:
        signal.signal(signal.SIGALRM, before)


# ---------------------------------------------------------------------------------------------- other libraries


THEIRS = torch.nn.Linear(2, 2)
HOLDER = types.SimpleNamespace(net=THEIRS, nets=[THEIRS])


class Taught(nn.Module):
    """A module that holds one of another library."""

    def __init__(self) -> None:
        super().__init__()
        self.mine, self.teacher = nn.Linear(2, 2), THEIRS

    def forward(self, x: Tensor) -> Tensor:
        return self.mine(x)


def holding(*held: Any) -> Any:
    """Return a function that has something in its closure."""
    return lambda x: x * 2 if held else x


TAUGHT = Taught()
HARMLESS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "a test": (lambda x: x * 2 if THEIRS is not None else x, ()),
    "a truth": (lambda x: x * 2 if HOLDER.net else x, ()),
    "a closure": (holding(THEIRS), ()),
    "an optimizer": (holding(torch.optim.SGD(THEIRS.parameters(), lr=0.1)), ()),
    "an argument": (lambda x, net: x * 2, (THEIRS,)),
    "an attribute": (lambda x: TAUGHT(x), ()),
}
READ: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "a weight": (lambda x: x * float(THEIRS.weight.detach()[0, 0]), ()),
    "a call": (lambda x: x * float(THEIRS(torch.ones(2)).sum().detach()), ()),
    "of a list": (lambda x: x * float(HOLDER.nets[0].bias.detach()[0]), ()),
    "of an argument": (lambda x, net: x * net.in_features, (THEIRS,)),
    "an inner function": (lambda x: [x * float(THEIRS.bias.detach()[i]) for i in range(2)][1], ()),
    "by its name": (lambda x: x * getattr(HOLDER, "net").in_features, ()),  # noqa: B009
    "of a partial function": (functools.partial(lambda net, x: x * net.in_features, THEIRS), ()),
    "a method": (functools.partial(lambda read, x: x * len(read()), read=THEIRS.state_dict), ()),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_module_of_another_library_that_is_not_read_does_no_harm(name: str) -> None:
    function, others = HARMLESS[name]
    compiled, x = cg.compile(function), Tensor(np.ones((3, 2), np.float32))
    for _ in range(2):
        np.testing.assert_array_equal(compiled(x, *others).data, function(x, *others).data)


@pytest.mark.parametrize("name", READ)
def test_a_module_of_another_library_is_refused_in_words(name: str) -> None:
    function, others = READ[name]
    with pytest.raises(cg.SpellError, match=r"is a torch\.nn\.modules\.linear\.Linear.*Call it outside"):
        cg.compile(function)(Tensor(np.ones((3, 2), np.float32)), *others)

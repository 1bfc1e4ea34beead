"""Containers: what every operation on them leaves is what PyTorch's leaves: names, order, text, errors."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import nn


class Library:
    """Makes the same things in one library or the other."""

    def __init__(self, name: str) -> None:
        self.nn: Any = nn if name == "chalkgrad" else torch.nn
        self.ours = name == "chalkgrad"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.nn, name)

    def layers(self, *sizes: int) -> list[Any]:
        return [self.nn.Linear(size, size) for size in sizes]

    def sequential(self, *sizes: int) -> Any:
        return self.nn.Sequential(*self.layers(*sizes))

    def list(self, *sizes: int) -> Any:
        return self.nn.ModuleList(self.layers(*sizes))

    def dict(self, **sizes: int) -> Any:
        return self.nn.ModuleDict({name: self.nn.Linear(size, size) for name, size in sizes.items()})

    def zeros(self, *shape: int) -> Any:
        return cg.zeros(*shape) if self.ours else torch.zeros(shape)

    def parameters(self, *sizes: int) -> Any:
        return self.nn.ParameterList([self.zeros(size) for size in sizes])

    def named(self, **sizes: int) -> Any:
        return self.nn.ParameterDict([(name, self.zeros(size)) for name, size in sizes.items()])


def changed(container: Any, change: Callable[[Any], Any]) -> Any:
    """Change a container, and return it."""
    change(container)
    return container


def deleted(container: Any, index: Any) -> Any:
    """Delete from a container, and return it."""
    del container[index]
    return container


def put(container: Any, index: Any, value: Any) -> Any:
    """Put a value into a container, and return it."""
    container[index] = value
    return container


L = Library
MODULES: dict[str, Callable[[L], Any]] = {
    "Sequential": lambda l: l.sequential(1, 2, 3),
    "Sequential()": lambda l: l.sequential(),
    "Sequential, named": lambda l: l.Sequential(OrderedDict(b=l.Linear(2, 2), a=l.Linear(1, 1))),
    "Sequential, append": lambda l: l.sequential(1).append(l.Linear(2, 2)),
    "Sequential, append twice": lambda l: l.sequential().append(l.Linear(2, 2)).append(l.Linear(3, 3)),
    "Sequential, extend": lambda l: l.sequential(1).extend(l.layers(2, 3)),
    "Sequential, extend by another": lambda l: l.sequential(1).extend(l.sequential(2, 3)),
    "Sequential, insert": lambda l: l.sequential(1, 3).insert(1, l.Linear(2, 2)),
    "Sequential, insert first": lambda l: l.sequential(1, 3).insert(0, l.Linear(2, 2)),
    "Sequential, insert last": lambda l: l.sequential(1, 3).insert(2, l.Linear(2, 2)),
    "Sequential, insert from the end": lambda l: l.sequential(1, 3).insert(-1, l.Linear(2, 2)),
    "Sequential, pop": lambda l: changed(l.sequential(1, 2, 3), lambda s: s.pop(1)),
    "Sequential, popped": lambda l: l.sequential(1, 2, 3).pop(-1),
    "Sequential, pop slice": lambda l: changed(l.sequential(1, 2, 3), lambda s: s.pop(slice(2))),
    "Sequential, +": lambda l: l.sequential(1, 2) + l.sequential(3),
    "Sequential, +=": lambda l: changed(l.sequential(1, 2), lambda s: s.__iadd__(l.sequential(3))),
    "Sequential, *": lambda l: l.sequential(1, 2) * 2,
    "Sequential, * from the left": lambda l: 3 * l.sequential(1, 2),
    "Sequential, *=": lambda l: changed(l.sequential(1, 2), lambda s: s.__imul__(3)),
    "Sequential, * 1": lambda l: l.sequential(1, 2) * 1,
    "Sequential, slice": lambda l: l.sequential(1, 2, 3)[1:],
    "Sequential, slice, append": lambda l: l.sequential(1, 2, 3)[:2].append(l.Linear(4, 4)),
    "Sequential, slice by two": lambda l: l.sequential(1, 2, 3)[::2],
    "Sequential, item": lambda l: l.sequential(1, 2, 3)[-2],
    "Sequential, del": lambda l: deleted(l.sequential(1, 2, 3), 0),
    "Sequential, del slice": lambda l: deleted(l.sequential(1, 2, 3, 4), slice(1, 3)),
    "Sequential, del from the end": lambda l: deleted(l.sequential(1, 2, 3), -1),
    "Sequential, set": lambda l: put(l.sequential(1, 2, 3), -1, l.ReLU()),
    "ModuleList": lambda l: l.list(1, 2, 2, 3),
    "ModuleList()": lambda l: l.ModuleList(),
    "ModuleList(None)": lambda l: l.ModuleList(None),
    "ModuleList, append": lambda l: l.list(1).append(l.Linear(2, 2)),
    "ModuleList, extend": lambda l: l.list(1).extend(iter(l.layers(2, 3))),
    "ModuleList, insert": lambda l: changed(l.list(1, 3), lambda m: m.insert(1, l.Linear(2, 2))),
    "ModuleList, pop": lambda l: changed(l.list(1, 2, 3), lambda m: m.pop(0)),
    "ModuleList, popped": lambda l: l.list(1, 2, 3).pop(1),
    "ModuleList, +": lambda l: l.list(1) + l.layers(2, 3),
    "ModuleList, +=": lambda l: changed(l.list(1), lambda m: m.__iadd__(l.layers(2))),
    "ModuleList, slice": lambda l: l.list(1, 2, 3)[1:],
    "ModuleList, del": lambda l: deleted(l.list(1, 2, 3), 1),
    "ModuleList, del slice": lambda l: deleted(l.list(1, 2, 3, 4), slice(None, None, 2)),
    "ModuleList, set": lambda l: put(l.list(1, 2, 3), 0, l.ReLU()),
    "ModuleDict": lambda l: l.dict(b=2, a=1),
    "ModuleDict()": lambda l: l.ModuleDict(),
    "ModuleDict, pairs": lambda l: l.ModuleDict([("b", l.ReLU()), ("a", l.Tanh())]),
    "ModuleDict, update": lambda l: changed(l.dict(b=2, a=1), lambda m: m.update({"a": l.ReLU(), "c": l.Tanh()})),
    "ModuleDict, update by another": lambda l: changed(l.dict(b=2), lambda m: m.update(l.dict(z=1, a=3))),
    "ModuleDict, set": lambda l: put(l.dict(b=2, a=1), "b", l.ReLU()),
    "ModuleDict, del": lambda l: deleted(l.dict(b=2, a=1), "b"),
    "ModuleDict, pop": lambda l: changed(l.dict(b=2, a=1), lambda m: m.pop("b")),
    "ModuleDict, popped": lambda l: l.dict(b=2, a=1).pop("b"),
    "ModuleDict, clear": lambda l: changed(l.dict(b=2, a=1), lambda m: m.clear()),
}
PARAMETERS: dict[str, Callable[[L], Any]] = {
    "ParameterList": lambda l: l.parameters(1, 2),
    "ParameterList()": lambda l: l.ParameterList(),
    "ParameterList, shapes": lambda l: l.ParameterList([l.zeros(2, 3), l.zeros(), "text", l.Parameter(l.zeros(1))]),
    "ParameterList, append": lambda l: l.parameters(1).append(l.zeros(2)).append(3),
    "ParameterList, extend": lambda l: l.parameters(1).extend(l.parameters(2, 3)),
    "ParameterList, +=": lambda l: changed(l.parameters(1), lambda p: p.__iadd__([l.zeros(4)])),
    "ParameterList, set": lambda l: put(l.parameters(1, 2), -1, l.zeros(7)),
    "ParameterList, slice": lambda l: l.parameters(1, 2, 3, 4)[1::2],
    "ParameterDict": lambda l: l.named(b=2, a=1),
    "ParameterDict()": lambda l: l.ParameterDict(),
    "ParameterDict, dict": lambda l: l.ParameterDict({"b": l.zeros(2), "a": l.zeros(1)}),
    "ParameterDict, ordered": lambda l: l.ParameterDict(OrderedDict(b=l.zeros(2), a=3)),
    "ParameterDict, set": lambda l: put(l.named(b=2, a=1), "b", l.zeros(5)),
    "ParameterDict, del": lambda l: deleted(l.named(b=2, a=1), "b"),
    "ParameterDict, pop": lambda l: changed(l.named(b=2, a=1), lambda p: p.pop("b")),
    "ParameterDict, popitem": lambda l: changed(l.named(b=2, a=1), lambda p: p.popitem()),
    "ParameterDict, clear": lambda l: changed(l.named(b=2, a=1), lambda p: p.clear()),
    "ParameterDict, setdefault": lambda l: changed(l.named(b=2), lambda p: [p.setdefault(key, 3) for key in "bc"]),
    "ParameterDict, fromkeys": lambda l: l.named().fromkeys(["b", "a"], l.zeros(3)),
    "ParameterDict, copy": lambda l: l.named(b=2, a=1).copy(),
    "ParameterDict, |": lambda l: l.named(b=2, a=1) | l.named(c=4, b=3),
    "ParameterDict, |=": lambda l: changed(l.named(b=2, a=1), lambda p: p.__ior__(l.named(c=4, b=3))),
    "ParameterDict, update": lambda l: changed(l.named(z=2), lambda p: p.update({"b": l.zeros(1), "a": l.zeros(2)})),
}


def shapes(container: Any) -> list[tuple[str, tuple[int, ...]]]:
    """List the parameters by name, with those that stand in several places at each of them."""
    return [(name, tuple(value.shape)) for name, value in container.state_dict().items()]


def text(container: Any) -> str:
    """Show a container as PyTorch does: without the counts of parameters, and with PyTorch's words for a dtype."""
    shown = re.sub(r"  # [\d,]+ parameters?$", "", repr(container), flags=re.MULTILINE)
    return re.sub(r"\[(?:torch\.)?(?:float32|FloatTensor) of", "[float32 of", shown)


@pytest.mark.parametrize("make", [*MODULES.values(), *PARAMETERS.values()], ids=[*MODULES, *PARAMETERS])
def test_every_operation_leaves_what_it_leaves_in_pytorch(make: Callable[[L], Any]) -> None:
    ours, theirs = make(Library("chalkgrad")), make(Library("torch"))
    assert type(ours).__name__ == type(theirs).__name__
    assert shapes(ours) == shapes(theirs)
    assert [name for name, _ in ours.named_modules()] == [name for name, _ in theirs.named_modules()]
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in theirs.named_parameters()]
    assert text(ours) == text(theirs)
    if hasattr(theirs, "__len__"):
        assert len(ours) == len(theirs)
    if hasattr(theirs, "keys"):
        assert [*ours] == [*theirs] == [*ours.keys()]
        assert [key in ours for key in ("a", "z")] == [key in theirs for key in ("a", "z")]
        for one, (key, other), each in zip(ours.values(), ours.items(), ours, strict=True):
            assert one is other is ours[key] and key == each
    assert "0" not in dir(ours)


def test_parameters_live_in_the_memory_of_what_they_are_made_of() -> None:
    x = cg.zeros(2)
    listed, named = nn.ParameterList([x]), nn.ParameterDict({"x": x})
    x.data[0] = 1
    assert isinstance(listed[0], nn.Parameter) and listed[0].tolist() == named["x"].tolist() == [1, 0]
    assert [*reversed(nn.ParameterDict({"a": 1, "b": 2}))] == ["b", "a"]


def test_what_is_repeated_is_shared() -> None:
    model = nn.Sequential(nn.Linear(2, 2)) * 3
    assert model[0] is model[2] and len([*model.parameters()]) == 2
    assert model(cg.ones(1, 2)).shape == (1, 2)


R = nn.ReLU
MISUSE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: nn.Sequential(R()).insert(3, R()), IndexError, "has 1 modules, so there is no place 3"),
    (lambda: nn.ModuleList().insert(0, 3), TypeError, "ModuleList holds Modules, but 3 came"),
    (lambda: nn.Sequential(R()) * 0, ValueError, "at least once, but 0 came"),
    (lambda: nn.Sequential(R()) * 1.5, TypeError, "a whole number of times, but 1.5 came"),
    (lambda: nn.Sequential(R()).__imul__(-1), ValueError, "at least once, but -1 came"),
    (lambda: nn.ModuleDict({"a": 1}), TypeError, "but an object of type int"),
    (lambda: nn.ModuleDict()["a"], KeyError, "a"),
    (lambda: nn.ParameterList([cg.zeros(1)])[1], IndexError, "out of range"),
    (lambda: nn.ParameterList(cg.zeros(3)), TypeError, "takes several values, such as a list, but got a Tensor"),
    (lambda: nn.ParameterList(3), TypeError, "but got a int"),
    (lambda: nn.ParameterList()(1), NotImplementedError, "ParameterList has no forward"),
    (lambda: nn.ParameterDict({"a": 1})["b"], KeyError, "no 'b' in this ParameterDict; it has a"),
    (lambda: nn.ParameterDict().popitem(), KeyError, "nothing in this ParameterDict"),
    (lambda: nn.ParameterDict({1: cg.zeros(1)}), TypeError, "keys of a ParameterDict are strings, .* but 1 came"),
    (lambda: nn.ParameterDict({"keys": cg.zeros(1)}), KeyError, "`keys` is an attribute of ParameterDict"),
    (lambda: nn.ParameterDict([("a", 1, 2)]), ValueError, "length 3; 2 is required"),
]


@pytest.mark.parametrize("misuse, error, words", MISUSE, ids=[words[:40] for _, _, words in MISUSE])
def test_misuse_is_answered_in_words(misuse: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        misuse()


def test_a_container_of_parameters_is_learned() -> None:
    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scales, self.shifts = nn.ParameterList([cg.ones(2), cg.ones(2)]), nn.ParameterDict({"a": cg.zeros(2)})

        def forward(self, x: Any) -> Any:
            for scale in self.scales:
                x = x * scale
            return x + self.shifts["a"]

    model = Sum()
    optimizer = cg.optim.SGD(model.parameters(), lr=0.5)
    model(cg.tensor([1.0, 2.0])).sum().backward()
    optimizer.step()
    np.testing.assert_array_equal(model.scales[0].data, [0.5, 0])
    np.testing.assert_array_equal(model.shifts["a"].data, [-0.5, -0.5])
    compiled, x = cg.compile(model), cg.tensor([1.0, 2.0])
    np.testing.assert_array_equal(compiled(x).data, model(x).data)
    again = Sum()
    again.load_state_dict(model.state_dict())
    assert again.shifts["a"].tolist() == [-0.5, -0.5]

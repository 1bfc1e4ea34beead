"""Module: registration, state, hooks and text, as in PyTorch, and what is said when it is used wrongly."""

import copy
import operator
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import nn
from chalkgrad.spell.tape import Tape, taping


def bits(module: nn.Module) -> dict[str, bytes]:
    """Return the state to the last bit."""
    return {key: tensor.data.tobytes() for key, tensor in module.state_dict().items()}


class Tied(nn.Module):
    """Two layers that share a weight, and a buffer of each kind."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(3, 3), nn.Linear(3, 3, bias=False)
        self.two.weight = self.one.weight
        self.scale = nn.Buffer(np.full(3, 2.0, np.float32))
        self.shift = nn.Buffer(np.ones(3, np.float32), persistent=False)

    def forward(self, x: cg.Tensor) -> cg.Tensor:
        y: cg.Tensor = self.two(self.one(x)) * self.scale + self.shift
        return y


def reassign(m: Any, nn: Any, ones: Any) -> None:
    m.a, m.b = nn.Parameter(ones(1)), nn.Parameter(ones(2))
    m.a = nn.Parameter(ones(3))


def leave_out(m: Any, nn: Any, ones: Any) -> None:
    m.register_parameter("a", None)
    m.b, m.c = nn.Parameter(ones(2)), nn.Linear(2, 1)
    m.a, m.c = nn.Parameter(ones(1)), None


def buffers(m: Any, nn: Any, ones: Any) -> None:
    m.register_buffer("later", ones(1), persistent=False)
    m.kept, m.plain = nn.Buffer(ones(2)), ones(3)
    m.unsaved = nn.Buffer(ones(4), persistent=False)
    m.kept, m.unsaved = ones(5), ones(6)
    m.later = nn.Buffer(ones(7))


def become(m: Any, nn: Any, ones: Any) -> None:
    m.register_buffer("a", ones(1))
    m.b, m.c = nn.Parameter(ones(2)), nn.Linear(1, 1)
    m.a = nn.Parameter(ones(3))


def remove(m: Any, nn: Any, ones: Any) -> None:
    m.a, m.b, m.c = nn.Parameter(ones(1)), nn.Linear(1, 1), nn.Parameter(ones(2))
    del m.a
    m.a = nn.Parameter(ones(3))


def share(m: Any, nn: Any, ones: Any) -> None:
    m.a, m.p = nn.Linear(2, 2), nn.Parameter(ones(2, 2))
    m.b, m.c = m.a, nn.Sequential(m.a, nn.Linear(2, 2))
    m.c[1].weight = m.p


@pytest.mark.parametrize("build", [reassign, leave_out, buffers, become, remove, share])
def test_registration_is_that_of_pytorch(build: Callable[..., None]) -> None:
    ours, theirs = nn.Module(), torch.nn.Module()
    build(ours, nn, cg.ones)
    build(theirs, torch.nn, torch.ones)
    assert [(key, t.shape) for key, t in ours.state_dict().items()] == [
        (key, tuple(t.shape)) for key, t in theirs.state_dict().items()
    ]
    for walk in ("named_parameters", "named_buffers", "named_modules"):
        for options in ({}, {"prefix": "top"}, {"remove_duplicate": False}):
            names = [[name for name, _ in getattr(m, walk)(**options)] for m in (ours, theirs)]
            assert names[0] == names[1], (walk, options)
    assert [name for name, _ in ours.named_children()] == [name for name, _ in theirs.named_children()]
    assert [p.shape for p in ours.parameters(recurse=False)] == [p.shape for p in theirs.parameters(recurse=False)]


def test_a_copy_registers_for_itself() -> None:
    model = Tied()
    copied = copy.copy(model)
    copied.extra = nn.Parameter(np.ones(1))
    assert "extra" in dict(copied.named_parameters()) and "extra" not in dict(model.named_parameters())
    assert copied.one is model.one


@pytest.mark.parametrize("again", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
def test_copies_keep_what_is_tied(again: Any) -> None:
    model = Tied()
    model.scale.requires_grad_()
    model(cg.ones(1, 3)).sum().backward()
    copied = again(model)
    assert copied.one.weight is copied.two.weight is not model.one.weight
    for ours, theirs in [(copied.one.weight, model.one.weight), (copied.scale, model.scale)]:
        assert ours.requires_grad and np.array_equal(ours.grad.data, theirs.grad.data)
    assert list(copied.state_dict()) == list(model.state_dict()) and not copied.shift.persistent
    with cg.no_grad():
        copied.one.weight.zero_()
    assert model.one.weight.data.any()


def test_parameters_live_in_the_memory_they_are_given() -> None:
    array, read_only = np.ones(2, np.float32), np.broadcast_to(np.float32(1), 2)
    tensor = cg.tensor([1.0])
    assert nn.Parameter(array).data is array and nn.Parameter(tensor).version is tensor.version
    assert nn.Parameter(read_only).data.flags.writeable
    assert nn.Parameter([1.0, 2.0]).dtype == np.float32
    with pytest.raises(TypeError, match="Only floats have gradients"):
        nn.Parameter(np.ones(2, int))


class Forgetful(nn.Module):
    """Assigns a Parameter before it is set up."""

    def __init__(self) -> None:
        self.weight = nn.Parameter(np.ones(1))


class Silent(nn.Module):
    """Is never set up."""

    def __init__(self) -> None:
        self.size = 3


class Broken(nn.Module):
    """Has a property that fails."""

    @property
    def width(self) -> Any:
        """Ask for what is not there."""
        return self.size


MISUSE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (Forgetful, AttributeError, r"super\(\).__init__\(\) before the parameter `weight`"),
    (lambda: Silent()(1), AttributeError, r"Silent: call super\(\).__init__\(\)"),
    (lambda: nn.Module()(1), NotImplementedError, "Module has no forward"),
    (lambda: Broken().width, AttributeError, "no attribute `size`"),
    (lambda: nn.Linear(2, 2).wieght, AttributeError, "no attribute `wieght`. Did you mean `weight`"),
    (lambda: setattr(nn.Linear(2, 2), "weight", cg.ones(2, 2)), TypeError, "but an object of type Tensor came"),
    (lambda: setattr(Tied(), "one", 3), TypeError, "a Module or None, but an object of type int"),
    (lambda: setattr(Tied(), "scale", 3), TypeError, "buffer `scale` of Tied is a Tensor or None"),
    (lambda: Tied().register_parameter("p", cg.ones(1)), TypeError, "Parameter or None"),
    (lambda: Tied().register_parameter("one", nn.Parameter(np.ones(1))), KeyError, "attribute `one` already"),
    (lambda: Tied().register_parameter("training", None), KeyError, "attribute `training` already"),
    (lambda: Tied().register_buffer("a.b", cg.ones(1)), KeyError, "holds no dot"),
    (lambda: Tied().register_buffer("", cg.ones(1)), KeyError, "not empty"),
    (lambda: Tied().add_module("forward", nn.ReLU()), KeyError, "part of the class Tied"),
    (lambda: Tied().add_module(0, nn.ReLU()), TypeError, "is a string, but 0 came"),
    (lambda: Tied().get_parameter("one.wight"), AttributeError, "no parameter `wight`. Did you mean `weight`"),
    (lambda: Tied().get_submodule("three.weight"), AttributeError, "Tied has no module `three`"),
    (lambda: Tied().get_buffer("one"), AttributeError, "Tied has no buffer `one`. Known: scale, shift"),
    (lambda: nn.Sequential(nn.ReLU(), np.tanh), TypeError, "Sequential holds Modules, but <ufunc 'tanh'> came"),
    (lambda: nn.Sequential({"a": 1}), TypeError, "Sequential holds Modules, but 1 came"),
    (lambda: nn.ModuleList([None]), TypeError, "ModuleList holds Modules, but None came"),
    (lambda: nn.ModuleDict({"items": nn.ReLU()}), KeyError, "part of the class ModuleDict"),
    (lambda: nn.Sequential(nn.ReLU())[1], IndexError, "out of range"),
    (lambda: operator.add(nn.Sequential(), [nn.ReLU()]), TypeError, "unsupported operand"),
    (lambda: nn.ModuleList()(1), NotImplementedError, "ModuleList has no forward"),
]


@pytest.mark.parametrize("do, error, words", MISUSE)
def test_misuse_is_explained(do: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        do()


def test_get_by_path() -> None:
    model = nn.Sequential(Tied(), nn.ReLU())
    assert model.get_submodule("") is model and model.get_submodule("0.one") is model[0].one
    assert model.get_parameter("0.one.bias") is model[0].one.bias and model.get_buffer("0.shift") is model[0].shift


def test_gradients_are_forgotten_or_zeroed_and_parameters_frozen() -> None:
    model = Tied()
    model(cg.ones(1, 3)).sum().backward()
    assert model.one.bias.grad is not None
    model.zero_grad(set_to_none=False)
    assert not model.one.bias.grad.data.any()
    model.zero_grad()
    assert model.one.bias.grad is None
    assert not model.requires_grad_(False)(cg.ones(1, 3)).requires_grad


def test_a_change_of_dtype_takes_gradients_along_and_leaves_integers_and_graphs_alone() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    again, y = model[0](cg.ones(3, 2, requires_grad=True)).sum(), model(cg.ones(3, 2)).sum()
    y.backward()
    assert model.double() is model
    assert {t.dtype for t in model.state_dict().values()} == {np.dtype("float64"), np.dtype("int64")}
    assert {p.grad.dtype for p in model.parameters()} == {np.dtype("float64")}
    again.backward()  # what it remembers is the old memory, which nobody has changed
    assert {p.grad.dtype for p in model.float().parameters()} == {np.dtype("float32")}


def test_apply_visits_children_first() -> None:
    seen: list[str] = []
    model = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.ReLU()))
    assert model.apply(lambda module: seen.append(type(module).__name__)) is model
    assert seen == ["Linear", "ReLU", "Sequential", "Sequential"]


# --------------------------------------------------------------------------------------------------------- state


def test_a_state_lives_in_the_memory_of_the_module() -> None:
    model = Tied()
    state = model.state_dict()
    assert list(state) == ["scale", "one.weight", "one.bias", "two.weight"]
    assert state["one.bias"].data is model.one.bias.data and not state["one.bias"].requires_grad
    assert list(model.state_dict(prefix="top.")) == [f"top.{key}" for key in state]
    assert model.state_dict(keep_vars=True)["one.bias"] is model.one.bias


GOOD = {key: np.zeros(shape, np.float32) for key, shape in [
    ("scale", 3), ("one.weight", (3, 3)), ("one.bias", 3), ("two.weight", (3, 3)),
]}
UNFIT: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"two.weight": np.zeros((3, 2))}, {}, r"two.weight: the shape is \(3, 2\), but \(3, 3\) is expected"),
    ({"two.weight": np.zeros((3, 2))}, {"strict": False}, "two.weight: the shape is"),
    ({"two.weights": np.zeros(3)}, {}, "two.weights: this name is not known here"),
    ({"two.weight": np.zeros((3, 3), complex)}, {}, "two.weight: the numbers are complex128, but float32 is expected"),
    ({"two.weight": None}, {}, "two.weight: the numbers are object"),
    ({"two.weight": np.zeros((3, 3), int)}, {"assign": True}, "two.weight: the numbers are int64"),
    ({"two.weight": np.zeros(1), "more": 1}, {}, r"(?s)the shape is.*more: this name is not known"),
]


@pytest.mark.parametrize("values, options, words", UNFIT)
def test_a_state_that_does_not_fit_changes_nothing(values: Any, options: dict[str, Any], words: str) -> None:
    model = Tied()
    before, versions = bits(model), [p.version[0] for p in model.parameters()]
    with pytest.raises(RuntimeError, match=words):
        model.load_state_dict(GOOD | values, **options)
    assert bits(model) == before and [p.version[0] for p in model.parameters()] == versions


def test_what_is_missing_is_named_and_may_be_missing() -> None:
    model = Tied()
    kept = bits(model)["one.weight"]
    some = {"scale": GOOD["scale"], "one.bias": GOOD["one.bias"], "other": 1}
    with pytest.raises(RuntimeError, match=r"(?s)one.weight: there is no value.*two.weight: there is no value.*other"):
        model.load_state_dict(some)
    found = model.load_state_dict(some, strict=False)
    assert found.missing_keys == ["one.weight", "two.weight"] and found.unexpected_keys == ["other"]
    assert bits(model)["one.weight"] == kept and not model.one.bias.data.any()


def test_a_buffer_that_cannot_be_written_to_is_named() -> None:
    model = nn.Linear(2, 2)
    model.register_buffer("mask", cg.from_numpy(np.broadcast_to(np.float32(1), 2)))
    with pytest.raises(RuntimeError, match=r"mask: .*read-only; load with assign=True"):
        model.load_state_dict(model.state_dict())


def test_loading_copies_into_the_dtype_and_is_seen_by_the_graph() -> None:
    model = nn.Linear(2, 2)
    loss = (model(cg.ones(1, 2)) ** 2).sum()
    weight = model.weight.data
    model.load_state_dict({"weight": np.eye(2), "bias": cg.zeros(2)})
    assert model.weight.data is weight and weight.dtype == np.float32 and np.array_equal(weight, np.eye(2))
    x = cg.ones(1, 2, requires_grad=True)
    loss = model(x).sum()
    model.load_state_dict({"weight": np.ones((2, 2)), "bias": np.ones(2)})
    with pytest.raises(cg.GradError, match="changed in place"):
        loss.backward()


def test_assigning_takes_over_memory_dtype_and_ties() -> None:
    model, state = Tied(), {key: value.astype(np.float64) for key, value in GOOD.items()}
    weight = model.one.weight
    weight.grad = cg.ones(3, 3)
    model.load_state_dict(state, assign=True)
    assert model.one.weight is model.two.weight is weight and weight.requires_grad and weight.dtype == np.float64
    assert model.one.bias.data is state["one.bias"] and weight.grad is None


# --------------------------------------------------------------------------------------------------------- hooks


def test_hooks_are_called_in_order_and_can_change_what_passes() -> None:
    seen: list[str] = []
    layer = nn.ReLU()
    layer.register_forward_pre_hook(lambda m, args: (seen.append("second"), (args[0] + 1,))[1])
    layer.register_forward_pre_hook(lambda m, args: seen.append("first"), prepend=True)
    layer.register_forward_pre_hook(lambda m, args: args[0] * 2)
    doubled = layer.register_forward_hook(lambda m, args, y: (seen.append("last"), y * 10)[1])
    layer.register_forward_hook(lambda m, args, y: None)
    assert layer(cg.tensor([1.0])).item() == 40 and seen == ["first", "second", "last"]
    doubled.remove()
    doubled.remove()
    assert layer(cg.tensor([1.0])).item() == 4


def test_hooks_can_take_keyword_arguments() -> None:
    layer, seen = nn.ReLU(), []
    layer.register_forward_pre_hook(lambda m, args, kwargs: ((kwargs["x"] + 1,), {}), with_kwargs=True)
    layer.register_forward_hook(lambda m, args, kwargs, y: seen.append((len(args), kwargs)), with_kwargs=True)
    assert layer(x=cg.tensor([1.0])).item() == 2 and seen == [(1, {})]


def test_a_copied_module_has_hooks_of_its_own() -> None:
    layer, seen = nn.ReLU(), []
    handle = layer.register_forward_hook(lambda m, args, y: seen.append(m))
    copied = copy.deepcopy(layer)
    handle.remove()
    layer(cg.ones(1))
    copied(cg.ones(1))
    assert seen == [copied]


def test_a_tape_files_calls_under_the_path_of_their_module() -> None:
    model = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.ReLU()))
    tape = Tape({id(module): path for path, module in model.named_modules()})
    with taping(tape):
        model(cg.ones(1, 1)) + 1
        with pytest.raises(cg.ShapeError):
            model(cg.ones(1, 2))
    assert [call.scope for call in tape.calls if call.kind != "engine"] == ["0", "1.0", ""] and tape.scope == ""


def test_calls_of_a_module_without_a_path_belong_to_its_owner() -> None:
    model = nn.Sequential(nn.ReLU())
    with taping(Tape({id(model): "model"})) as tape:
        model(cg.ones(1))
    assert [call.scope for call in tape.calls if call.kind != "engine"] == ["model"]


# ---------------------------------------------------------------------------------------------------------- text


def test_the_text_counts_shared_parameters_once() -> None:
    assert repr(Tied()) == """
Tied(  # 12 parameters
  (one): Linear(in_features=3, out_features=3, bias=True)  # 12 parameters
  (two): Linear(in_features=3, out_features=3, bias=False)  # 9 parameters
)""".lstrip()


class Wordy(nn.Module):
    """Says two lines about itself, and owns one number."""

    def __init__(self) -> None:
        super().__init__()
        self.only = nn.Parameter(np.ones(1))

    def extra_repr(self) -> str:
        """Two lines."""
        return "first\nsecond"


def test_the_text_of_several_lines_is_indented() -> None:
    assert repr(nn.Sequential(Wordy())) == """
Sequential(  # 1 parameter
  (0): Wordy(  # 1 parameter
    first
    second
  )
)""".lstrip()

"""Every module class, in a table: PyTorch's arguments, state and text, and copies that compute the same."""

import copy
import inspect
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import nn

IMAGE, CLASSES = (2, 2, 6, 6), "int64"

# A module's class, what it is made with, and the shapes of what it is called with; "int64" marks class numbers.
MODULES: list[tuple[str, dict[str, Any], list[Any]]] = [
    ("Linear", {"in_features": 3, "out_features": 2}, [(4, 3)]),
    ("Linear", {"in_features": 3, "out_features": 2, "bias": False}, [(4, 3)]),
    ("Conv2d", {"in_channels": 2, "out_channels": 4, "kernel_size": 3}, [IMAGE]),
    ("Conv2d", {"in_channels": 2, "out_channels": 4, "kernel_size": (3, 2), "stride": 2, "padding": 1}, [IMAGE]),
    ("Conv2d", {"in_channels": 2, "out_channels": 4, "kernel_size": 1, "groups": 2, "bias": False}, [IMAGE]),
    ("Conv1d", {"in_channels": 2, "out_channels": 4, "kernel_size": 3}, [(3, 2, 6)]),
    ("ConvTranspose2d", {"in_channels": 2, "out_channels": 4, "kernel_size": 3, "stride": 2}, [IMAGE]),
    ("AdaptiveAvgPool1d", {"output_size": 2}, [(3, 2, 6)]),
    ("AdaptiveAvgPool2d", {"output_size": (2, 3)}, [IMAGE]),
    ("MaxPool2d", {"kernel_size": 2}, [IMAGE]),
    ("AvgPool2d", {"kernel_size": 2}, [IMAGE]),
    ("Flatten", {}, [IMAGE]),
    ("Dropout", {"p": 0.25}, [(4, 3)]),
    ("BatchNorm1d", {"num_features": 3}, [(4, 3)]),
    ("BatchNorm2d", {"num_features": 2}, [IMAGE]),
    ("BatchNorm2d", {"num_features": 2, "affine": False}, [IMAGE]),
    ("BatchNorm2d", {"num_features": 2, "track_running_stats": False}, [IMAGE]),
    ("LayerNorm", {"normalized_shape": 3}, [(4, 3)]),
    ("LayerNorm", {"normalized_shape": [4, 3], "elementwise_affine": False}, [(4, 3)]),
    ("Embedding", {"num_embeddings": 5, "embedding_dim": 3}, [CLASSES]),
    ("RMSNorm", {"normalized_shape": 3}, [(4, 3)]),
    ("ReLU", {}, [(4, 3)]),
    ("SiLU", {}, [(4, 3)]),
    ("LeakyReLU", {}, [(4, 3)]),
    ("Sigmoid", {}, [(4, 3)]),
    ("Tanh", {}, [(4, 3)]),
    ("GELU", {}, [(4, 3)]),
    ("GELU", {"approximate": "tanh"}, [(4, 3)]),
    ("Softmax", {"dim": 1}, [(4, 3)]),
    ("LogSoftmax", {"dim": 1}, [(4, 3)]),
    ("CrossEntropyLoss", {}, [(4, 3), CLASSES]),
    ("NLLLoss", {}, [(4, 3), CLASSES]),
    ("MSELoss", {}, [(4, 3), (4, 3)]),
    ("L1Loss", {}, [(4, 3), (4, 3)]),
    ("BCEWithLogitsLoss", {}, [(4, 3), (4, 3)]),
    ("BCELoss", {}, [(4, 3), (4, 3)]),
]
# Their signatures, or what they return, are of another kind; test_recurrent.py and test_attention.py compare them.
ELSEWHERE = {"GRU", "LSTM", "MultiheadAttention", "RNN", "TransformerEncoderLayer"}
each_module = pytest.mark.parametrize("name, options, shapes", MODULES)
each_class = pytest.mark.parametrize("name", sorted({name for name, _, _ in MODULES}))


def draw(shapes: list[Any]) -> list[cg.Tensor]:
    rng = np.random.default_rng(1)
    arrays = [rng.integers(0, 3, 4) if s == CLASSES else rng.random(s, np.float32) for s in shapes]
    return [cg.tensor(array) for array in arrays]


def keys_and_shapes(module: Any) -> list[tuple[str, tuple[int, ...], str]]:
    """List what a state holds, ours or PyTorch's."""
    return [(key, tuple(t.shape), str(t.dtype).removeprefix("torch.")) for key, t in module.state_dict().items()]


def text(module: Any) -> str:
    """Return the repr without what one side does not tell: the number of parameters, and inplace, never true here."""
    return re.sub(r"  # [\d,]+ parameters?|, inplace=False", "", repr(module))


def bits(state: dict[str, cg.Tensor]) -> dict[str, bytes]:
    return {key: tensor.data.tobytes() for key, tensor in state.items()}


def test_every_module_is_in_the_table() -> None:
    kinds = [kind for name in nn.__all__ if isinstance(kind := getattr(nn, name), type) and issubclass(kind, nn.Module)]
    containers = {"Module", "ModuleDict", "ModuleList", "Sequential"}
    assert {kind.__name__ for kind in kinds} - containers - ELSEWHERE == {name for name, _, _ in MODULES}


@each_class
def test_arguments_are_those_of_pytorch(name: str) -> None:
    def arguments(kind: type) -> dict[str, Any]:
        known = inspect.signature(kind).parameters.values()
        return {p.name: p.default for p in known if p.name not in {"device", "dtype", "args", "kwargs"}}

    ours, theirs = arguments(getattr(nn, name)), arguments(getattr(torch.nn, name))
    assert list(ours.items()) == [pair for pair in theirs.items() if pair[0] in ours]


@each_module
def test_state_and_text_are_those_of_pytorch(name: str, options: dict[str, Any], shapes: list[Any]) -> None:
    ours, theirs = getattr(nn, name)(**options), getattr(torch.nn, name)(**options)
    assert keys_and_shapes(ours) == keys_and_shapes(theirs)
    assert text(ours) == text(theirs)


@each_module
def test_a_state_comes_from_pytorch_and_goes_back(name: str, options: dict[str, Any], shapes: list[Any]) -> None:
    ours, theirs = getattr(nn, name)(**options), getattr(torch.nn, name)(**options)
    assert ours.load_state_dict(theirs.state_dict()) == ([], [])
    assert {key: value.numpy().tobytes() for key, value in theirs.state_dict().items()} == bits(ours.state_dict())
    fresh = getattr(nn, name)(**options).state_dict()
    theirs.load_state_dict({key: torch.from_numpy(tensor.data) for key, tensor in fresh.items()})
    assert {key: value.numpy().tobytes() for key, value in theirs.state_dict().items()} == bits(fresh)


@each_module
@pytest.mark.parametrize("again", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
def test_a_copy_computes_the_same(name: str, options: dict[str, Any], shapes: list[Any], again: Any) -> None:
    module = getattr(nn, name)(**options).eval()
    copied, inputs = again(module), draw(shapes)
    assert np.array_equal(module(*inputs).data, copied(*inputs).data)
    assert repr(copied) == repr(module) and copied.training is False
    assert all(p.requires_grad and p is not q for p, q in zip(copied.parameters(), module.parameters(), strict=True))


@each_module
def test_modes_and_dtypes(name: str, options: dict[str, Any], shapes: list[Any]) -> None:
    module = getattr(nn, name)(**options)
    assert module.training and module.eval() is module and not module.training and module.train().training
    with pytest.raises(ValueError, match="True or False"):
        module.train("yes")
    assert {t.dtype for t in module.double().state_dict().values()} <= {np.dtype("float64"), np.dtype("int64")}
    assert {t.dtype for t in module.float().parameters()} <= {np.dtype("float32")}
    with pytest.raises(TypeError, match="float16"):
        module.to(np.float16)


# --------------------------------------------------------------------------------------------------- containers


def row(nn: Any, kind: str) -> Any:
    """Make a container of three layers that are told apart by their sizes."""
    layers = [nn.Linear(1, 2), nn.Linear(2, 3), nn.Linear(3, 4)]
    return nn.ModuleList(layers) if kind == "ModuleList" else nn.Sequential(*layers)


def named(nn: Any) -> Any:
    return nn.Sequential(OrderedDict(a=nn.Linear(1, 2), b=nn.Linear(2, 3), c=nn.Linear(3, 4)))


def table(nn: Any) -> Any:
    return nn.ModuleDict({"a": nn.Linear(1, 2), "b": nn.Linear(2, 3)})


# What is done to a container; a function that returns None has changed it.
ROW: dict[str, Callable[[Any, Any], Any]] = {
    "nothing": lambda m, nn: None,
    "slice": lambda m, nn: m[1:],
    "slice backwards": lambda m, nn: m[::-1],
    "slice of nothing": lambda m, nn: m[3:],
    "item": lambda m, nn: m[1],
    "last item": lambda m, nn: m[-1],
    "set": lambda m, nn: m.__setitem__(-1, nn.ReLU()),
    "delete": lambda m, nn: m.__delitem__(0),
    "delete the last": lambda m, nn: m.__delitem__(-1),
    "delete a slice": lambda m, nn: m.__delitem__(slice(0, 2)),
    "pop": lambda m, nn: m.pop(1),
    "pop, and what is left": lambda m, nn: m.pop(1) and None,
    "append": lambda m, nn: m.append(nn.Linear(4, 5)),
    "extend": lambda m, nn: m.extend([nn.Linear(4, 5), nn.ReLU()]),
    "insert": lambda m, nn: m.insert(1, nn.Linear(4, 5)) and None,
    "insert at the end": lambda m, nn: m.insert(3, nn.ReLU()) and None,
    "add": lambda m, nn: m + type(m)(*[nn.ReLU()] if type(m).__name__ == "Sequential" else [[nn.ReLU()]]),
    "add to it": lambda m, nn: m.__iadd__(row(nn, type(m).__name__)),
    "within another": lambda m, nn: nn.Sequential(nn.Linear(1, 1), m, nn.ModuleDict({"x": m})),
    "repeat": lambda m, nn: type(m)([nn.ReLU()] * 3 + [nn.Tanh()]) if type(m).__name__ == "ModuleList" else m,
}
NAMED: dict[str, Callable[[Any, Any], Any]] = {
    name: ROW[name]
    for name in ("nothing", "slice", "item", "last item", "set", "delete", "delete a slice", "pop", "append", "add")
}
TABLE: dict[str, Callable[[Any, Any], Any]] = {
    "nothing": lambda m, nn: None,
    "item": lambda m, nn: m["b"],
    "replace": lambda m, nn: m.__setitem__("a", nn.ReLU()),
    "update": lambda m, nn: m.update({"c": nn.Linear(3, 4), "a": nn.Linear(5, 6)}),
    "update by pairs": lambda m, nn: m.update([("c", nn.Linear(3, 4))]),
    "update by another": lambda m, nn: m.update(nn.ModuleDict({"z": nn.ReLU()})),
    "delete": lambda m, nn: m.__delitem__("a"),
    "pop": lambda m, nn: m.pop("a"),
    "clear": lambda m, nn: m.clear(),
    "values": lambda m, nn: nn.ModuleList(m.values()),
    "names": lambda m, nn: nn.ModuleDict((key + key, nn.ReLU()) for key in [*m, *m.keys(), *dict(m.items())]),
}
CONTAINERS: list[tuple[str, Callable[[Any], Any], Callable[[Any, Any], Any]]] = [
    *((f"Sequential: {name}", lambda nn: row(nn, "Sequential"), do) for name, do in ROW.items()),
    *((f"ModuleList: {name}", lambda nn: row(nn, "ModuleList"), do) for name, do in ROW.items()),
    *((f"named Sequential: {name}", named, do) for name, do in NAMED.items()),
    *((f"ModuleDict: {name}", table, do) for name, do in TABLE.items()),
]


@pytest.mark.parametrize("make, do", [pytest.param(make, do, id=name) for name, make, do in CONTAINERS])
def test_containers_are_those_of_pytorch(make: Callable[[Any], Any], do: Callable[[Any, Any], Any]) -> None:
    results = []
    for library in (nn, torch.nn):
        container = make(library)
        result = do(container, library)
        results.append([(keys_and_shapes(m), text(m)) for m in (container, container if result is None else result)])
    assert results[0] == results[1]


@pytest.mark.parametrize("kind", ["Sequential", "ModuleList"])
def test_a_row_is_left_alone_by_what_does_not_fit(kind: str) -> None:
    container = row(nn, kind)
    before = text(container)
    for do in (lambda: container.extend([nn.ReLU(), 1]), lambda: container.insert(0, None), lambda: container.pop(3)):
        with pytest.raises((TypeError, IndexError)):
            do()
    assert text(container) == before and len(container) == len(list(container)) == 3


def test_what_is_added_to_a_slice_replaces_nothing() -> None:
    part = row(nn, "Sequential")[1:].append(nn.ReLU())
    assert [name for name, _ in part.named_children()] == ["1", "2", "3"] and isinstance(part[2], nn.ReLU)


def test_sequential_chains_its_modules() -> None:
    model, x = row(nn, "Sequential"), cg.ones(5, 1)
    assert np.array_equal(model(x).data, model[2](model[1](model[0](x))).data)
    assert nn.Sequential()(x) is x

"""Weights that are made of others: weight_norm, spectral_norm and parametrizations do what PyTorch's do."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import ShapeError, Tensor, nn, optim

from .pairs import BACKWARD, FORWARD, agree
from .twins import Setup, assert_twins

# -------------------------------------------------------------------------------------- PyTorch's numbers and keys

LAYERS: dict[str, tuple[str, tuple[Any, ...], tuple[int, ...]]] = {
    "linear": ("Linear", (4, 3), (5, 4)),
    "conv": ("Conv2d", (2, 3, 2), (2, 2, 4, 4)),
    "transposed": ("ConvTranspose2d", (2, 3, 2), (2, 2, 4, 4)),
    "rnn": ("RNN", (2, 3), (4, 2, 2)),
}
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "weight": ("weight_norm", {}),
    "weight by columns": ("weight_norm", {"dim": 1}),
    "weight as one": ("weight_norm", {"dim": None}),
    "spectral": ("spectral_norm", {}),
    "spectral by columns": ("spectral_norm", {"dim": 1, "n_power_iterations": 3}),
    "modern weight": ("parametrizations.weight_norm", {}),
    "modern weight by columns": ("parametrizations.weight_norm", {"dim": 1}),
    "modern weight as one": ("parametrizations.weight_norm", {"dim": None}),
    "modern spectral": ("parametrizations.spectral_norm", {"eps": 1e-3}),
    "modern spectral by columns": ("parametrizations.spectral_norm", {"dim": 1, "n_power_iterations": 2}),
    "orthogonal": ("parametrizations.orthogonal", {}),
    "orthogonal by Cayley": ("parametrizations.orthogonal", {"orthogonal_map": "cayley"}),
    "orthogonal by exp": ("parametrizations.orthogonal", {"orthogonal_map": "matrix_exp", "use_trivialization": False}),
    "orthogonal by Householder": (
        "parametrizations.orthogonal", {"orthogonal_map": "householder", "use_trivialization": False}),
}
pairs = pytest.mark.parametrize(("layer", "way"), [(layer, way) for layer in LAYERS for way in WAYS])


def reach(library: Any, path: str) -> Any:
    """Look a function up."""
    for name in path.split("."):
        library = getattr(library, name)
    return library


def pair(layer: str, way: str, dtype: Any = np.float64) -> tuple[Any, Any]:
    """A layer whose weight is made so, here and in PyTorch, from the same numbers."""
    kind, sizes, _ = LAYERS[layer]
    path, options = WAYS[way]
    if layer == "rnn":
        options = {**options, "name": "weight_hh_l0"}
    one, two = getattr(nn, kind)(*sizes).to(dtype), getattr(torch.nn, kind)(*sizes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the older ones are deprecated there
        one, two = reach(nn.utils, path)(one, **options), reach(torch.nn.utils, path)(two, **options)
    two = two.double() if dtype == np.float64 else two
    assert [(k, v.shape) for k, v in one.state_dict().items()] == [
        (k, tuple(v.shape)) for k, v in two.state_dict().items()]
    one.load_state_dict({key: tensor.numpy() for key, tensor in two.state_dict().items()})
    return one, two


def output(made: Any) -> Any:
    """The first of what a layer returns."""
    return made[0] if isinstance(made, tuple) else made


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pairs
def test_numbers_are_those_of_pytorch(layer: str, way: str, dtype: Any) -> None:
    one, two = pair(layer, way, dtype)
    rng = np.random.default_rng(0)
    asked_twice = (layer, way[:15]) == ("rnn", "modern spectral")  # by PyTorch, which turns the vectors twice
    for training in (False,) if asked_twice else (True, True, False):
        one.train(training)
        two.train(training)
        x = rng.standard_normal(LAYERS[layer][2]).astype(dtype)
        a, b = cg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        y, z = output(one(a)), output(two(b))
        agree(y, z, FORWARD, "output")
        g = rng.standard_normal(y.shape).astype(dtype)
        y.backward(cg.tensor(g))
        z.backward(torch.tensor(g))
        agree(a.grad, b.grad, BACKWARD, "the gradient of the input")
        for (name, p), (torch_name, q) in zip(one.named_parameters(), two.named_parameters(), strict=True):
            assert name == torch_name
            agree(p.grad, q.grad, BACKWARD, name)
        for (name, p), (torch_name, q) in zip(one.named_buffers(), two.named_buffers(), strict=True):
            assert name == torch_name
            agree(p, q, FORWARD, name)
        one.zero_grad()
        two.zero_grad()


@pairs
def test_it_can_be_undone(layer: str, way: str) -> None:
    one, two = pair(layer, way)
    x = np.random.default_rng(0).standard_normal(LAYERS[layer][2])
    before = output(one.eval()(cg.tensor(x))).data
    name = "weight_hh_l0" if layer == "rnn" else "weight"
    path = WAYS[way][0]
    if path.startswith("parametrizations"):
        one = nn.utils.parametrize.remove_parametrizations(one, name)
        two = torch.nn.utils.parametrize.remove_parametrizations(two, name)
    else:
        one, two = getattr(nn.utils, f"remove_{path}")(one, name), getattr(torch.nn.utils, f"remove_{path}")(two, name)
    assert type(one).__name__ == type(two).__name__ == LAYERS[layer][0]
    assert list(one.state_dict()) == list(two.state_dict())
    kind, sizes, _ = LAYERS[layer]
    assert isinstance(getattr(one, name), nn.Parameter) and repr(one) == repr(getattr(nn, kind)(*sizes))
    np.testing.assert_allclose(output(one(cg.tensor(x))).data, before, rtol=1e-12)


# ---------------------------------------------------------------------------------------------------- spell and compile


def normed(make: Callable[[nn.Module], nn.Module]) -> Setup:
    """A small model with such a layer, and its training step."""
    model = nn.Sequential(make(nn.Linear(4, 8)), nn.Tanh(), make(nn.Linear(8, 2)))
    optimizer = optim.SGD(model.parameters(), 0.1)

    def step(x: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss: Tensor = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    return model, [optimizer], step


each_path = pytest.mark.parametrize("path", sorted({path for path, _ in WAYS.values()}))


def batch(i: int) -> Tensor:
    """Rows for the i-th step."""
    return cg.tensor(np.random.default_rng(i).standard_normal((16, 4)).astype(np.float32))


@each_path
def test_compiled_is_eager(path: str) -> None:
    assert_twins(lambda: normed(reach(nn.utils, path)), lambda i, step, *_: step(batch(i)), 4, exact=False)


@each_path
def test_spelled_is_eager(path: str) -> None:
    model, (optimizer,), step = normed(reach(nn.utils, path))
    text = cg.spell(step, batch(0), model=model, optimizer=optimizer).text  # proved before it is handed out
    words = {"weight_norm": "all_but", "spectral_norm": "sigma", "orthogonal": "triu"}
    assert words[path.rpartition(".")[2]] in text


# ------------------------------------------------------------------------------------------------------ parametrize


class Symmetric(nn.Module):
    """Half of it is learned in vain."""

    def forward(self, x: Tensor) -> Tensor:
        """x (n, n) -> y (n, n)."""
        return (x + x.T) / 2


class Scaled(nn.Module):
    """Twice as large, which can be undone."""

    def forward(self, x: Tensor) -> Tensor:
        """x (...) -> y (...)."""
        return x * 2

    def right_inverse(self, y: Tensor) -> Tensor:
        """y (...) -> x (...)."""
        return y / 2


class Doubled(nn.Module):
    """It has another shape than it had."""

    def forward(self, x: Tensor) -> Tensor:
        """x (n, ...) -> y (2n, ...)."""
        return cg.cat([x, x])


class DoubledAndScaled(Doubled):
    """And what it was made from would be half of it."""

    def right_inverse(self, y: Tensor) -> Tensor:
        """y (...) -> x (...)."""
        return y / 2


parametrize = nn.utils.parametrize


@pytest.mark.parametrize("again", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
@each_path
def test_such_a_module_can_be_copied(path: str, again: Any) -> None:
    layer = reach(nn.utils, path)(nn.Linear(3, 2))
    x = cg.ones(2, 3)
    layer(x)
    copied = again(layer.eval())
    assert isinstance(copied, nn.Linear) and repr(copied) == repr(layer)
    np.testing.assert_array_equal(copied(x).data, layer(x).data)
    if path.startswith("parametrizations"):
        parametrize.remove_parametrizations(copied, "weight")
    else:
        getattr(nn.utils, f"remove_{path}")(copied)
    assert "weight" in copied.state_dict() and "weight" not in layer.state_dict()


def test_two_in_a_row_and_assignment() -> None:
    layer = nn.Linear(3, 3)
    before = layer.weight.data.copy()
    parametrize.register_parametrization(layer, "weight", Scaled())
    np.testing.assert_array_equal(layer.weight.data, before)  # its right inverse was asked
    parametrize.register_parametrization(layer, "weight", Symmetric())
    np.testing.assert_allclose(layer.weight.data, (before + before.T) / 2, rtol=1e-6)
    assert type(layer).__name__ == "ParametrizedLinear"
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    with pytest.raises(RuntimeError, match="Symmetric has no right_inverse"):
        layer.weight = cg.ones(3, 3)
    other = parametrize.register_parametrization(nn.Linear(3, 3), "weight", Scaled())
    other.weight = cg.ones(3, 3)
    assert other.parametrizations.weight.original.tolist() == [[0.5] * 3] * 3
    parametrize.remove_parametrizations(other, "weight", leave_parametrized=False)
    assert other.weight.tolist() == [[0.5] * 3] * 3


def test_a_buffer_and_two_tensors() -> None:
    norm = nn.BatchNorm1d(3)
    parametrize.register_parametrization(norm, "running_mean", Scaled())
    parametrize.register_parametrization(norm, "weight", Scaled())
    assert [*norm.state_dict()] == [
        "bias", "running_var", "num_batches_tracked", "parametrizations.running_mean.original",
        "parametrizations.weight.original"]
    parametrize.remove_parametrizations(norm, "weight")
    assert parametrize.is_parametrized(norm, "running_mean") and isinstance(norm.weight, nn.Parameter)
    parametrize.remove_parametrizations(norm, "running_mean")
    assert type(norm) is nn.BatchNorm1d and not hasattr(norm, "parametrizations")


MISUSE: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no such parameter": (lambda: nn.utils.weight_norm(nn.Linear(2, 2), "w"), ValueError, "no parameter `w`"),
    "twice": (lambda: nn.utils.weight_norm(nn.utils.weight_norm(nn.Linear(2, 2))), RuntimeError, "has one already"),
    "spectral twice": (
        lambda: nn.utils.spectral_norm(nn.utils.spectral_norm(nn.Linear(2, 2))), RuntimeError, "has one already"),
    "no such axis": (lambda: nn.utils.weight_norm(nn.Linear(2, 2), dim=2), IndexError, "dim is an axis"),
    "no size yet": (lambda: nn.utils.weight_norm(nn.LazyLinear(2)), ValueError, "no size yet"),
    "nothing to undo": (lambda: nn.utils.remove_weight_norm(nn.Linear(2, 2)), ValueError, "has no weight_norm"),
    "nothing to undo, spectral": (
        lambda: nn.utils.remove_spectral_norm(nn.Linear(2, 2)), ValueError, "has no spectral"),
    "no iterations": (lambda: nn.utils.spectral_norm(nn.Linear(2, 2), n_power_iterations=0), ValueError, "1 or more"),
    "no iterations, modern": (
        lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2), n_power_iterations=0),
        ValueError, "1 or more"),
    "no axis, modern": (lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2), dim=2), IndexError, "dim"),
    "no tensor": (
        lambda: parametrize.register_parametrization(nn.Linear(2, 2), "w", Scaled()), ValueError, "no parameter `w`"),
    "another shape": (
        lambda: parametrize.register_parametrization(nn.Linear(2, 2), "weight", Doubled()), ShapeError, "unsafe=True"),
    "not parametrized": (
        lambda: parametrize.remove_parametrizations(nn.Linear(2, 2), "weight"), ValueError, "not parametrized"),
    "no matrix": (lambda: nn.utils.parametrizations.orthogonal(nn.Linear(2, 2), "bias"), ValueError, "a matrix"),
    "no such map": (
        lambda: nn.utils.parametrizations.orthogonal(nn.Linear(2, 2), orthogonal_map="qr"), ValueError, "is one of"),
    "not to be assigned": (
        lambda: setattr(nn.utils.parametrizations.orthogonal(
            nn.Linear(2, 2), orthogonal_map="cayley", use_trivialization=False), "weight", cg.ones(2, 2)),
        NotImplementedError, "only with use_trivialization=True"),
    "two originals": (
        lambda: parametrize.remove_parametrizations(
            nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)), "weight", leave_parametrized=False),
        ValueError, "several"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_is_refused_in_words(name: str) -> None:
    do, error, words = MISUSE[name]
    with pytest.raises(error, match=words):
        do()


def test_what_is_refused_is_unchanged() -> None:
    layer = nn.Linear(2, 2)
    before, numbers = layer.weight, layer.weight.data.copy()
    with pytest.raises(ShapeError):
        parametrize.register_parametrization(layer, "weight", DoubledAndScaled())
    assert layer.weight is before and type(layer) is nn.Linear and not hasattr(layer, "parametrizations")
    np.testing.assert_array_equal(before.data, numbers)

"""Initialisers: the variance that their papers ask for, PyTorch's gains, and the same numbers for the same seed."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad.nn import init
from chalkgrad.seeding import default_generator, manual_seed

SHAPES = [(300, 200), (64, 32, 5, 5)]

# The initialiser, its options, and the variance that it is to have for fans (in, out).
VARIANCES: list[tuple[str, dict[str, Any], Callable[[int, int], float]]] = [
    ("uniform_", {"a": -2, "b": 4}, lambda i, o: 6**2 / 12),
    ("normal_", {"mean": 3, "std": 0.5}, lambda i, o: 0.25),
    ("xavier_uniform_", {}, lambda i, o: 2 / (i + o)),
    ("xavier_normal_", {"gain": 3}, lambda i, o: 9 * 2 / (i + o)),
    ("kaiming_uniform_", {}, lambda i, o: 2 / i),
    ("kaiming_uniform_", {"a": 2, "mode": "fan_out"}, lambda i, o: 2 / (1 + 4) / o),
    ("kaiming_normal_", {"nonlinearity": "relu"}, lambda i, o: 2 / i),
    ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "tanh"}, lambda i, o: (5 / 3) ** 2 / o),
    ("trunc_normal_", {}, lambda i, o: truncated(-2, 2)),
    ("trunc_normal_", {"std": 0.02}, lambda i, o: 0.02**2),
    ("trunc_normal_", {"a": -0.5, "b": 0.25}, lambda i, o: truncated(-0.5, 0.25)),
    ("trunc_normal_", {"mean": 1, "std": 2, "a": 2, "b": 9}, lambda i, o: 4 * truncated(0.5, 4)),
]


def truncated(low: float, high: float) -> float:
    """Compute the variance of a standard normal number between two bounds."""
    z = np.linspace(low, high, 100_001)
    density = np.exp(-z * z / 2)
    mean = (z * density).sum() / density.sum()
    return float(((z - mean) ** 2 * density).sum() / density.sum())


each = pytest.mark.parametrize("name, options, variance", VARIANCES)


@each
@pytest.mark.parametrize("shape", SHAPES)
def test_numbers_have_the_variance_of_the_formula(
    name: str, options: dict[str, Any], variance: Callable[[int, int], float], shape: tuple[int, ...]
) -> None:
    places = math.prod(shape[2:])
    wanted = variance(shape[1] * places, shape[0] * places)
    drawn = getattr(init, name)(cg.empty(*shape), **options)
    theirs = getattr(torch.nn.init, name)(torch.empty(shape), **options).numpy()
    # the relative error of a variance from n numbers is √(2/n), or less; four times that is never seen by chance
    error = 4 * math.sqrt(2 / math.prod(shape))
    assert drawn.data.var() == pytest.approx(wanted, rel=error)
    assert theirs.var() == pytest.approx(wanted, rel=error)
    assert drawn.data.mean() == pytest.approx(theirs.mean(), abs=6 * math.sqrt(wanted / math.prod(shape)))
    if name == "trunc_normal_" and "std" not in options:
        assert drawn.data.min() >= options.get("a", -2) and drawn.data.max() <= options.get("b", 2)
    if "uniform" in name:
        reach = math.sqrt(3 * wanted)
        assert 0.999 * reach < abs(drawn.data - (1 if name == "uniform_" else 0)).max() <= reach * (1 + 1e-6)


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_are_written_in_place_and_repeat_with_the_seed(
    name: str, options: dict[str, Any], variance: Callable[[int, int], float], dtype: Any
) -> None:
    tensor = cg.empty(20, 30, dtype=dtype)
    array, fill = tensor.data, getattr(init, name)
    manual_seed(7)
    assert fill(tensor, **options) is tensor and tensor.data is array and array.dtype == dtype
    assert tensor.version == [1]
    first, after = array.copy(), default_generator().bit_generator.state
    fill(tensor, **options)
    assert not np.array_equal(array, first)
    manual_seed(7)
    assert np.array_equal(fill(tensor, **options).data, first)
    fill(tensor, **options, generator=np.random.default_rng(7))
    assert np.array_equal(array, first) and default_generator().bit_generator.state == after


@pytest.mark.parametrize("fill, value", [(init.zeros_, 0), (init.ones_, 1), (lambda t: init.constant_(t, 2.5), 2.5)])
def test_constants(fill: Callable[[cg.Tensor], cg.Tensor], value: float) -> None:
    tensor = cg.empty(2, 3)
    assert fill(tensor) is tensor and tensor.version == [1] and (tensor.data == value).all()


@pytest.mark.parametrize("a, b", [(5.0, 6.0), (3.0, np.inf), (-np.inf, -8.0), (-0.1, 0.2), (1.0, 1.0 + 1e-6)])
def test_tails_are_drawn_as_often_as_they_are_there(a: float, b: float) -> None:
    """Their distribution function, at a number drawn from it, is drawn evenly."""
    drawn = init.trunc_normal_(cg.empty(20_000, dtype=np.float64), a=a, b=b, generator=np.random.default_rng(0)).data
    assert a <= drawn.min() and drawn.max() <= b

    def above(z: Any) -> Any:
        return np.array([math.erfc(abs(each) / math.sqrt(2)) / 2 for each in np.atleast_1d(z)])

    if a * b < 0:  # the density is flat there
        shares = (drawn - a) / (b - a)
    else:
        near, far = (above(a)[0], above(b)[0]) if a > 0 else (above(b)[0], above(a)[0])
        shares = (above(drawn) - far) / (near - far)
    counts = np.histogram(shares, 10, (0, 1))[0]
    assert abs(counts - 2000).max() < 5 * math.sqrt(2000)


@pytest.mark.parametrize("shape", [(4, 4), (3, 7), (7, 3), (6, 2, 3), (2, 3, 2, 2)])
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    weight = init.orthogonal_(cg.empty(*shape, dtype=np.float64), gain=3.0).data.reshape(shape[0], -1)
    gram = weight @ weight.T if len(weight) <= weight.shape[1] else weight.T @ weight
    np.testing.assert_allclose(gram, 9 * np.eye(len(gram)), atol=1e-12)


def test_orthogonal_weights_are_drawn_evenly() -> None:
    """Their elements have the mean 0, which they would not without the signs of R."""
    rng = np.random.default_rng(0)
    drawn = [init.orthogonal_(cg.empty(2, 2), generator=rng).data for _ in range(2000)]
    assert abs(np.mean(drawn, axis=0)).max() < 4 * math.sqrt(0.5 / 2000)


@pytest.mark.parametrize("shape, sparsity", [((10, 4), 0.1), ((7, 5), 0.5), ((3, 2), 0.0), ((3, 2), 1.0)])
def test_every_column_has_its_share_of_zeros(shape: tuple[int, int], sparsity: float) -> None:
    theirs = torch.nn.init.sparse_(torch.empty(shape), sparsity).numpy()
    ours = init.sparse_(cg.empty(*shape), sparsity, std=0.5).data
    assert ((ours == 0).sum(axis=0) == (theirs == 0).sum(axis=0)).all()


@pytest.mark.parametrize("name, shape, options", [
    *(("eye_", shape, {}) for shape in [(3, 3), (2, 5), (5, 2), (0, 3)]),
    *(("dirac_", shape, {}) for shape in [(3, 3, 3), (2, 4, 5, 4), (4, 2, 1, 2, 3)]),
    ("dirac_", (6, 2, 3), {"groups": 3}), ("dirac_", (6, 4, 3, 3), {"groups": 2}),
])
def test_identities_are_those_of_pytorch(name: str, shape: tuple[int, ...], options: dict[str, Any]) -> None:
    theirs = getattr(torch.nn.init, name)(torch.empty(shape), **options).numpy()
    np.testing.assert_array_equal(getattr(init, name)(cg.empty(*shape), **options).data, theirs)


def test_lsuv_brings_every_layer_to_one() -> None:
    model = cg.nn.Sequential(
        cg.nn.Conv2d(2, 4, 3), cg.nn.ReLU(), cg.nn.LayerNorm([4, 6, 6]), cg.nn.Flatten(), cg.nn.Linear(144, 8),
        cg.nn.Tanh(), cg.nn.Linear(8, 3),
    )
    x = cg.tensor(7 * np.random.default_rng(0).standard_normal((64, 2, 8, 8), np.float32))
    norm = model[2].weight.data.copy()
    assert init.lsuv_(model, x, tol=0.02) is model
    for i in (0, 4, 6):
        assert model[: i + 1](x).data.var() == pytest.approx(1, abs=0.02)
    np.testing.assert_array_equal(model[2].weight.data, norm)
    assert all(parameter.grad is None and parameter.is_leaf for parameter in model.parameters())


def test_an_empty_weight_is_left_alone() -> None:
    assert init.kaiming_uniform_(cg.empty(3, 0)).shape == (3, 0)
    assert init.xavier_normal_(cg.empty(0, 0)).shape == (0, 0)
    assert init.orthogonal_(cg.empty(0, 3)).shape == (0, 3)
    assert init.trunc_normal_(cg.empty(0)).shape == (0,)


@pytest.mark.parametrize("name", ["linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
                                  "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
@pytest.mark.parametrize("param", [None, 0.3])
def test_gains_are_those_of_pytorch(name: str, param: float | None) -> None:
    assert init.calculate_gain(name, param) == torch.nn.init.calculate_gain(name, param)


@pytest.mark.parametrize("do, error, words", [
    (lambda: init.calculate_gain("gelu"), ValueError, "nonlinearity='gelu'; known are conv1d"),
    (lambda: init.kaiming_normal_(cg.ones(2, 2), mode="fan"), ValueError, "but 'fan' came"),
    (lambda: init.xavier_uniform_(cg.ones(2)), ValueError, r"this has shape \(2,\); use uniform_"),
    (lambda: init.normal_(cg.arange(3)), TypeError, "this tensor is int64"),
    (lambda: init.trunc_normal_(cg.arange(3)), TypeError, "this tensor is int64"),
    (lambda: init.trunc_normal_(cg.ones(3), a=1, b=1), ValueError, "expected a < b and std > 0"),
    (lambda: init.trunc_normal_(cg.ones(3), std=0.0), ValueError, "expected a < b and std > 0"),
    (lambda: init.eye_(cg.ones(3)), ValueError, r"eye_ fills a matrix, but this tensor has shape \(3,\)"),
    (lambda: init.dirac_(cg.ones(3, 3)), ValueError, "3, 4 or 5 axes, but this has shape"),
    (lambda: init.dirac_(cg.ones(3, 3, 3), groups=2), ValueError, "3 output channels cannot be divided into 2 groups"),
    (lambda: init.orthogonal_(cg.ones(3)), ValueError, "two or more axes"),
    (lambda: init.sparse_(cg.ones(3), 0.5), ValueError, "sparse_ fills a matrix"),
    (lambda: init.sparse_(cg.ones(3, 3), 1.5), ValueError, "sparsity is 1.5"),
    (lambda: init.lsuv_(cg.nn.Linear(2, 2, False), cg.zeros(4, 2)), ValueError, "which no scale of its weight makes 1"),
])
def test_misuse_is_explained(do: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        do()

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
]
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


def test_an_empty_weight_is_left_alone() -> None:
    assert init.kaiming_uniform_(cg.empty(3, 0)).shape == (3, 0)
    assert init.xavier_normal_(cg.empty(0, 0)).shape == (0, 0)


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
])
def test_misuse_is_explained(do: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        do()

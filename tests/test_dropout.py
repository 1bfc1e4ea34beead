"""Dropout in all its forms: what falls out, how often, and what becomes of mean and variance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn
from chalkgrad.nn import functional as F

# The class, its function, an input, and how many axes one draw is for: the last ones of an element, or of a channel.
FORMS: list[tuple[str, Callable[..., Any], tuple[int, ...], int]] = [
    ("Dropout", F.dropout, (40, 50, 60), 0),
    ("Dropout1d", F.dropout1d, (200, 300, 5), 1),
    ("Dropout1d", F.dropout1d, (60000, 5), 1),
    ("Dropout2d", F.dropout2d, (200, 300, 2, 3), 2),
    ("Dropout3d", F.dropout3d, (200, 300, 2, 1, 3), 3),
    ("Dropout3d", F.dropout3d, (60000, 2, 1, 3), 3),
    ("AlphaDropout", F.alpha_dropout, (40, 50, 60), 0),
    ("FeatureAlphaDropout", F.feature_alpha_dropout, (200, 300, 5), 1),
    ("FeatureAlphaDropout", F.feature_alpha_dropout, (200, 300, 2, 3), 2),
]
each_form = pytest.mark.parametrize("name, function, shape, whole", FORMS)


def drawn(shape: tuple[int, ...]) -> cg.Tensor:
    """Normal numbers, none of them 0."""
    return cg.tensor(np.random.default_rng(0).standard_normal(shape, np.float32))


@each_form
@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_what_falls_out_and_what_stays(
    name: str, function: Any, shape: tuple[int, ...], whole: int, p: float
) -> None:
    cg.manual_seed(0)
    x = drawn(shape)
    y = function(x, p, training=True)
    alpha = name in ("AlphaDropout", "FeatureAlphaDropout")
    limit = -1.7580993408473766 if alpha else 0.0
    a = ((1 - p) * (1 + p * limit**2)) ** -0.5 if alpha else 1 / (1 - p)
    b = -a * p * limit
    fallen = np.isclose(y.data, a * limit + b, atol=1e-6)
    np.testing.assert_allclose(y.data[~fallen], (a * x.data + b)[~fallen], rtol=1e-4, atol=1e-5)
    rows = fallen.reshape(-1, int(np.prod(shape[len(shape) - whole :])))
    if whole:
        assert np.all(rows.sum(axis=1) % rows.shape[1] == 0), "a channel falls out as a whole"
    assert rows[:, 0].mean() == pytest.approx(p, abs=0.01)
    if alpha:
        assert float(y.data.mean()) == pytest.approx(0, abs=0.02) and float(y.data.var()) == pytest.approx(1, abs=0.03)
    else:
        assert float(function(cg.ones(*shape), p, training=True).data.mean()) == pytest.approx(1, abs=0.02)


@each_form
def test_chances_of_0_and_1(name: str, function: Any, shape: tuple[int, ...], whole: int) -> None:
    x = drawn(shape)
    assert function(x, 0, training=True) is x
    assert function(x, 0.5, training=False) is x
    assert not function(x, 1, training=True).data.any()


@each_form
def test_seeds_modes_and_gradients(name: str, function: Any, shape: tuple[int, ...], whole: int) -> None:
    module, x = getattr(nn, name)(0.5), drawn(shape)
    assert module.eval()(x) is x
    module.train()
    cg.manual_seed(1)
    first, second = module(x), module(x)
    cg.manual_seed(1)
    np.testing.assert_array_equal(module(x).data, first.data)
    assert not np.array_equal(first.data, second.data)
    leaf = cg.tensor(x.data, requires_grad=True)
    y = module(leaf)
    y.sum().backward()
    slope = leaf.grad.data.max()
    assert set(np.unique(leaf.grad.data)) == {0, slope}, "what stays is stretched, what falls out has no say"
    stays = leaf.grad.data > 0
    moved = (y.data - slope * x.data)[stays]
    np.testing.assert_allclose(moved, moved.mean(), atol=1e-4)


@each_form
def test_in_place(name: str, function: Any, shape: tuple[int, ...], whole: int) -> None:
    x = drawn(shape)
    cg.manual_seed(1)
    expected = function(x, 0.5, training=True)
    cg.manual_seed(1)
    assert getattr(nn, name)(0.5, inplace=True)(x) is x
    np.testing.assert_array_equal(x.data, expected.data)


@pytest.mark.parametrize(
    "function, shape, drawn_for",
    [(F.dropout2d, (300, 200, 5), (300, 200, 1)), (F.dropout3d, (3000, 5, 2), (3000, 1, 1)),
     (F.dropout2d, (300, 200), (300, 200))],
)  # fmt: skip
def test_other_shapes_are_read_as_pytorch_reads_them(
    function: Any, shape: tuple[int, ...], drawn_for: tuple[int, ...]
) -> None:
    cg.manual_seed(0)
    with pytest.warns(UserWarning, match="came, and is read as"):
        y = function(cg.ones(*shape), 0.5, training=True).data
    channels = y[tuple(slice(n) for n in drawn_for)]
    assert np.array_equal(y, np.broadcast_to(channels, shape)) and channels.mean() == pytest.approx(1, abs=0.1)


def test_weights_fall_out_for_each_row_anew() -> None:
    cg.manual_seed(0)
    layer, x = nn.DropConnect(6, 5, p=0.25, dtype=np.float64), cg.tensor(np.ones((4000, 6)))
    rows = layer(x).data
    expected = nn.functional.linear(x, layer.weight, layer.bias).data
    np.testing.assert_allclose(rows.mean(axis=0), expected[0], atol=0.05)
    assert len(np.unique(rows.round(6), axis=0)) > 1000
    spread = 0.25 / 0.75 * ((layer.weight.data**2).sum(axis=1) + layer.bias.data**2)  # p / (1 - p) Σ w² x²
    np.testing.assert_allclose(rows.var(axis=0), spread, rtol=0.15)
    np.testing.assert_array_equal(layer.eval()(x).data, expected)

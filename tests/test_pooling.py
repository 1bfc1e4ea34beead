"""Poolings where it is close: ties, nan, -∞, windows that hang out, indices that come twice, windows by chance."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import nn
from chalkgrad.nn import functional as F

from .twins import Setup, assert_twins

T = torch.nn.functional


def agree(name: str, x: Any, *options: Any, **more: Any) -> None:
    """Compare what a function returns here and in PyTorch, and the gradient by x."""
    x = np.asarray(x, np.float64)
    one, two = cg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    ys = getattr(F, name)(one, *options, **more)
    zs = getattr(T, name)(two, *options, **more)
    ys, zs = (each if isinstance(each, tuple) else (each,) for each in (ys, zs))
    for y, z in zip(ys, zs, strict=True):
        np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-12, err_msg=f"{name} {options} {more}")
        assert f"torch.{y.dtype}" == str(z.dtype)
    weights = np.random.default_rng(1).standard_normal(ys[0].shape)
    ys[0].backward(cg.tensor(weights))
    zs[0].backward(torch.tensor(weights))
    np.testing.assert_allclose(one.grad.data, two.grad.numpy(), rtol=1e-12, atol=1e-12, err_msg=f"{name} {more}")


# --------------------------------------------------------------------------------------- ties, nan, windows at the edge

NAN, INF = math.nan, math.inf
AWKWARD = {
    "ties": [[1, 1, 0, 1], [1, 0, 2, 2], [2, 2, 0, 1]],
    "nan": [[NAN, 1, NAN, 2], [1, NAN, 5, 5], [0, 3, 2, NAN]],
    "all nan": [[NAN] * 4] * 3,
    "-inf": [[-INF] * 4] * 3,
    "inf": [[-INF, INF, INF, 0], [-INF, -INF, 1, NAN], [0, INF, -INF, -INF]],
}
WITH_INDICES: dict[str, Callable[[str, Any], None]] = {
    "max": lambda kind, x: agree("max_pool2d", x, 2, 1, 1, return_indices=True),
    "max 1d": lambda kind, x: agree("max_pool1d", x[0], 3, 2, 1, ceil_mode=True, return_indices=True),
    "max 3d": lambda kind, x: agree("max_pool3d", x[None], (1, 2, 3), 1, (0, 1, 1), return_indices=True),
    "adaptive": lambda kind, x: agree("adaptive_max_pool2d", x, (2, 3), True),
    "adaptive 1d": lambda kind, x: agree("adaptive_max_pool1d", x[0], 1, True),
    "adaptive 3d": lambda kind, x: agree("adaptive_max_pool3d", x[None], (1, 2, 5), True),
}


@pytest.mark.parametrize("kind", AWKWARD)
@pytest.mark.parametrize("name", WITH_INDICES)
def test_indices_are_those_of_pytorch(name: str, kind: str) -> None:
    WITH_INDICES[name](kind, np.array([AWKWARD[kind]]))


@pytest.mark.parametrize("kind", AWKWARD)
def test_fractional_indices_are_those_of_pytorch(kind: str) -> None:
    x, samples = np.array([AWKWARD[kind]], float), np.full((1, 1, 2), 0.3)
    y, indices = F.fractional_max_pool2d(cg.tensor(x), 2, (2, 3), None, True, cg.tensor(samples))
    z, torch_indices = T.fractional_max_pool2d(torch.tensor(x), 2, (2, 3), None, True, torch.tensor(samples))
    np.testing.assert_array_equal(y.data, z.numpy())
    np.testing.assert_array_equal(indices.data, torch_indices.numpy())


@pytest.mark.parametrize("kind", ["ties", "-inf"])
@pytest.mark.parametrize("options", [{}, {"stride": 1, "padding": 1}, {"padding": 1, "ceil_mode": True}])
def test_the_first_of_several_takes_the_gradient(kind: str, options: dict[str, Any]) -> None:
    agree("max_pool2d", [AWKWARD[kind]], 2, **options)


@pytest.mark.parametrize("padding, dilation", [(0, 1), (0, 2), (1, 1), (1, 2)])
@pytest.mark.parametrize("kernel, stride", [*itertools.product((1, 2, 3), (1, 2, 3))])
def test_every_window_has_its_index(kernel: int, stride: int, padding: int, dilation: int) -> None:
    """All lengths of rows, of the numbers 0, 1 and 2, so that most windows have ties."""
    rng, tried = np.random.default_rng(6), 0
    for size, ceil_mode in itertools.product(range(1, 10), (True, False)):
        x = rng.integers(0, 3, (2, 3, size))
        options = (kernel, stride, padding, dilation, ceil_mode)
        try:
            values = T.max_pool1d(torch.tensor(x, dtype=torch.float64), *options)
        except RuntimeError:
            with pytest.raises(ValueError, match="kernel"):
                F.max_pool1d(cg.tensor(x), *options, return_indices=True)
            continue
        if not values.isinf().any():  # a window that sees no pixel has an index outside of the row in PyTorch
            agree("max_pool1d", x, *options, return_indices=True)
            tried += 1
    assert tried or 2 * padding > kernel


@pytest.mark.parametrize("count", range(1, 13))
def test_adaptive_windows_of_every_size(count: int) -> None:
    for size in range(1, 13):
        x = np.random.default_rng(size).standard_normal((2, 3, size))
        agree("adaptive_max_pool1d", x, count, True)
        agree("adaptive_avg_pool1d", x, count)


def test_no_windows_make_no_pixels() -> None:
    x = cg.ones(2, 3, 4, 5)
    assert F.adaptive_max_pool2d(x, (0, 2))[..., :1].shape == F.adaptive_avg_pool2d(x, (0, 1)).shape == (2, 3, 0, 1)
    assert F.fractional_max_pool2d(x, 2, (0, 2)).shape == (2, 3, 0, 2)


def test_whole_numbers_stay_whole() -> None:
    x = np.arange(-8, 8).reshape(1, 4, 4)
    for name, options in [("max_pool2d", (3, 1, 1)), ("avg_pool2d", (3, 2, 1)), ("avg_pool1d", (3,))]:
        y, z = getattr(F, name)(cg.tensor(x), *options), getattr(T, name)(torch.tensor(x), *options)
        np.testing.assert_array_equal(y.data, z.numpy())
        assert y.dtype == np.int64


def test_a_list_and_an_empty_stride_are_taken() -> None:
    x = np.random.default_rng(0).standard_normal((2, 6, 6))
    agree("max_pool2d", x, [2, 3], [], [1, 0], [1])
    agree("avg_pool2d", x, [2, 3], (), [1])


# ----------------------------------------------------------------------------------------------------- back to images


def test_an_index_that_comes_twice_has_one_gradient_for_both() -> None:
    x, indices = np.array([[1.0, 2.0, 2.0]]), np.array([[0, 3, 3]])
    one, two = cg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, z = F.max_unpool1d(one, cg.tensor(indices), 2), T.max_unpool1d(two, torch.tensor(indices), 2)
    np.testing.assert_array_equal(y.data, z.detach().numpy())
    weights = np.arange(6.0)[None]
    y.backward(cg.tensor(weights))
    z.backward(torch.tensor(weights))
    np.testing.assert_array_equal(one.grad.data, two.grad.numpy())


@pytest.mark.parametrize("n", [1, 2, 3])
def test_unpooling_undoes_pooling(n: int) -> None:
    x = cg.tensor(np.random.default_rng(n).standard_normal((2, 3, *(6, 5, 4)[:n])))
    pool, back = getattr(nn, f"MaxPool{n}d")(2, return_indices=True), getattr(nn, f"MaxUnpool{n}d")(2)
    y, indices = pool(x)
    again = back(y, indices, x.shape)
    assert again.shape == x.shape
    np.testing.assert_array_equal(pool(again)[0].data, np.maximum(y.data, 0))
    kept = again.data != 0
    np.testing.assert_array_equal(again.data[kept], x.data[kept])
    assert kept.sum() == y.data.size


# ------------------------------------------------------------------------------------------------------ drawn windows


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [2, 3])
def test_windows_begin_where_they_do_in_pytorch(n: int, dtype: Any) -> None:
    rng = np.random.default_rng(n)
    for size, kernel in itertools.product(range(4, 12), (1, 2, 3)):
        count = int(rng.integers(1, size - kernel + 1))
        x, samples = rng.standard_normal((4, 5, *[size] * n)).astype(dtype), rng.random((4, 5, n), dtype)
        ours = getattr(F, f"fractional_max_pool{n}d_with_indices")(cg.tensor(x), kernel, count, None, True,
                                                                   cg.tensor(samples))
        theirs = getattr(T, f"fractional_max_pool{n}d_with_indices")(torch.tensor(x), kernel, count, None, True,
                                                                     torch.tensor(samples))
        for y, z in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(y.data, z.numpy())


def test_windows_are_drawn_anew_from_the_default_generator() -> None:
    x, pool = cg.tensor(np.random.default_rng(0).standard_normal((2, 3, 9, 9))), nn.FractionalMaxPool2d(2, 5).eval()
    cg.manual_seed(3)
    first, second = pool(x), pool(x)
    cg.manual_seed(3)
    np.testing.assert_array_equal(pool(x).data, first.data)
    assert (first.data != second.data).any()


def test_drawn_windows_compile() -> None:
    def make() -> Setup:
        model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.FractionalMaxPool2d(2, output_ratio=0.7), nn.Flatten())
        optimizer = cg.optim.SGD(model.parameters(), 0.1)

        def step(x: cg.Tensor) -> Any:
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        return model, [optimizer], step

    def call(i: int, step: Any, *_: Any) -> Any:
        return step(cg.tensor(np.random.default_rng(i).standard_normal((2, 1, 8, 8), np.float32)))

    assert "rng" in assert_twins(make, call).source

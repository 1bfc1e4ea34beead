"""Convolutions beyond the tables of modules: functional forms, volumes in parts, windows there and back."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import nn
from chalkgrad.nn import functional
from chalkgrad.nn.layers.geometry import geometry_of
from chalkgrad.nn.layers.volumes import as_slices, as_volumes, deep, gather, scatter, undeep

from .pairs import BACKWARD, FORWARD, agree, both

SIZES = {1: (8,), 2: (8, 7), 3: (6, 5, 7)}
TRANSPOSED_OPTIONS: list[dict[str, Any]] = [{}, {"stride": 2, "groups": 2}, {"stride": 2, "padding": 1, "dilation": 2}]
WINDOWS: list[dict[str, Any]] = [{"kernel_size": 2, "stride": 2}, {"kernel_size": 3}, {"kernel_size": 2, "padding": 1}]


# ------------------------------------------------------------------------------------------- the same as PyTorch

CALLS: list[tuple[str, list[tuple[int, ...]], tuple[Any, ...]]] = [
    ("conv1d", [(2, 4, 9), (6, 2, 3)], (None, 2, 1, 2, 2)),
    ("conv2d", [(2, 4, 7, 6), (6, 2, 3, 2)], (None, (2,), "valid", 1, 2)),
    ("conv3d", [(2, 4, 5, 6, 4), (6, 2, 3, 5, 1)], (None, 1, "same", (2, 1, 1), 2)),
    ("conv_transpose1d", [(2, 4, 5), (4, 3, 3)], (None, 3, 1, 2, 2, 2)),
    ("conv_transpose2d", [(2, 4, 3, 2), (4, 3, 3, 2)], (None, (3,), 1, (1, 2), 2, 2)),
    ("conv_transpose3d", [(2, 4, 2, 3, 2), (4, 3, 3, 2, 1)], (None, 3, (1, 0, 1), 2, 2, (1, 2, 1))),
    ("unfold", [(2, 3, 5, 6)], (2, 2, 1, (1, 2))),
    ("unfold", [(3, 5, 6)], ((2, 3),)),
    ("fold", [(2, 12, 15)], ((5, 6), 2, 2, 1, (1, 2))),
    ("fold", [(6, 12)], ([5, 3], (2, 3), 1, (0, 1))),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name, shapes, more", CALLS)
def test_options_come_by_position(name: str, shapes: list[tuple[int, ...]], more: tuple[Any, ...], dtype: Any) -> None:
    rng = np.random.default_rng(1)
    mine, other = both(tuple(rng.standard_normal(shape) for shape in shapes), dtype, learns=True)
    y, z = getattr(functional, name)(*mine, *more), getattr(torch.nn.functional, name)(*other, *more)
    agree(y, z, FORWARD, name)
    y.cos().sum().backward()
    z.cos().sum().backward()
    for one, two in zip(mine, other, strict=True):
        agree(one.grad, two.grad, BACKWARD, name)


# ------------------------------------------------------------------------------------------------ there and back


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("options", TRANSPOSED_OPTIONS)
def test_a_transposed_convolution_is_the_gradient_of_the_convolution(n: int, options: dict[str, Any]) -> None:
    """⟨conv(x), y⟩ = ⟨x, conv_transpose(y)⟩, with an output padding for what no kernel reached."""
    rng, groups = np.random.default_rng(2), options.get("groups", 1)
    x, weight = rng.standard_normal((2, 4, *SIZES[n])), rng.standard_normal((6, 4 // groups, *(3, 2, 2)[:n]))
    forth = getattr(functional, f"conv{n}d")(x, weight, **options)
    y = rng.standard_normal(forth.shape)
    least = getattr(functional, f"conv_transpose{n}d")(y, weight, **options)
    more = tuple(size - short for size, short in zip(SIZES[n], least.shape[2:], strict=True))
    back = getattr(functional, f"conv_transpose{n}d")(y, weight, output_padding=more, **options)
    np.testing.assert_allclose((forth * y).sum(), (x * back).sum(), rtol=1e-12)


@pytest.mark.parametrize("stride, dilation, padding", [*itertools.product([1, 2, 3], [1, 2], [0, 1, 4])])
def test_scattering_is_the_way_back_of_gathering(stride: int, dilation: int, padding: int) -> None:
    rng, weight = np.random.default_rng(3), np.zeros((4, 3, 3, 1, 1))
    volumes = rng.standard_normal((2, 6, 5, 3, 2))
    geometry = geometry_of(volumes.shape[1:], weight.shape, stride, padding, dilation, groups=2)
    images = gather(volumes, 2, geometry)
    other = rng.standard_normal(images.shape)
    np.testing.assert_allclose((images * other).sum(), (volumes * scatter(other, 5, 2, geometry)).sum(), rtol=1e-12)


def test_volumes_are_handed_on_as_rows() -> None:
    """What comes out of a convolution of volumes lies in memory as slices that need no copy."""
    volumes = functional.conv3d(np.ones((2, 3, 4, 5, 6)), np.ones((4, 3, 2, 2, 2)))
    assert np.shares_memory(as_slices(volumes), volumes)
    assert np.array_equal(as_volumes(as_slices(volumes), 3), volumes)
    weight = np.random.default_rng(4).standard_normal((4, 3, 2, 5, 6))
    assert np.array_equal(undeep(deep(weight), weight.shape), weight)


def test_volumes_whose_columns_are_made_in_portions() -> None:
    rng = np.random.default_rng(5)
    mine, other = both((rng.random((2, 20, 9, 16, 17)), rng.random((3, 20, 3, 3, 3))), np.float64)
    agree(functional.conv3d(*mine, padding=1), torch.nn.functional.conv3d(*other, padding=1), FORWARD, "conv3d")


@pytest.mark.parametrize("options", WINDOWS)
def test_folding_what_was_unfolded_counts_the_windows(options: dict[str, Any]) -> None:
    """Each pixel comes back as often as it is seen; if no windows overlap, as it was."""
    x = cg.randn(2, 3, 4, 6)
    back = functional.fold(functional.unfold(x, **options), output_size=(4, 6), **options)
    seen = functional.fold(functional.unfold(cg.ones(1, 1, 4, 6), **options), output_size=(4, 6), **options)
    np.testing.assert_allclose(back.data, (x * seen).data, rtol=1e-5)
    assert (seen.data == 1).all() == (options == {"kernel_size": 2, "stride": 2})


def test_a_convolution_is_a_product_with_unfolded_images() -> None:
    rng = np.random.default_rng(6)
    x, weight = rng.standard_normal((2, 3, 5, 6)), rng.standard_normal((4, 3, 3, 2))
    product = weight.reshape(4, -1) @ functional.unfold(x, kernel_size=(3, 2))
    np.testing.assert_allclose(product.reshape(2, 4, 3, 5), functional.conv2d(x, weight), rtol=1e-12)


def test_products_are_counted_along_any_number_of_axes() -> None:
    rows, volumes = nn.summary(nn.Conv1d(2, 4, 3), (5, 2, 8)), nn.summary(nn.Conv3d(2, 4, 3, 1, 1), (5, 2, 3, 4, 5))
    assert (rows.multiply_adds, volumes.multiply_adds) == (5 * 4 * 6 * 2 * 3, 5 * 4 * 60 * 2 * 27)


# ------------------------------------------------------------------------------------------------ misuse in words

volume = cg.ones(1, 4, 5, 5, 5)
MISUSE: list[tuple[Callable[[], Any], str]] = [
    (lambda: functional.conv3d(volume, cg.ones(2, 3, 3, 3, 3)), "x has 4 channels, but the kernels of weight see 3"),
    (lambda: functional.conv3d(volume, cg.ones(2, 4, 7, 3, 3)), "the kernel spans 7 x 3 x 3 pixels"),
    (lambda: functional.conv3d(volume, cg.ones(2, 4, 3, 3)), r"weight +\(o, c/groups, kd, kh, kw\) = \(2, 4, 3, 3\)"),
    (lambda: functional.conv3d(volume, cg.ones(2, 4, 3, 3, 3), stride=(1, 2)), r"or \(depth, height, width\), but"),
    (lambda: functional.conv3d(volume, cg.ones(2, 4, 3, 3, 3), stride=2, padding="same"), "keeps the size"),
    (lambda: functional.conv_transpose3d(volume, cg.ones(3, 2, 3, 3, 3)), "`c` is 4 in x but 3 in weight"),
    (lambda: functional.conv_transpose3d(volume, cg.ones(4, 2, 3, 3)), "conv_transpose3d"),
    (lambda: functional.conv_transpose1d(cg.ones(4, 5), cg.ones(4, 2, 1), padding=3), "takes all off"),
    (lambda: functional.conv_transpose1d(cg.ones(4, 5), cg.ones(4, 2, 1, 1)), r"weight +\(c, o/groups, k\)"),
    (lambda: functional.fold(cg.ones(4, 5), output_size=3, kernel_size=2), "5 columns of 4 numbers .* 2 x 2 windows"),
]


@pytest.mark.parametrize("call, words", MISUSE, ids=[words for _, words in MISUSE])
def test_misuse_is_explained(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(cg.ShapeError, match=words):
        call()


def test_a_call_that_is_refused_leaves_the_module_as_it_was() -> None:
    up = nn.ConvTranspose2d(2, 3, 3, stride=2)
    with pytest.raises(ValueError, match=r"becomes one of the sizes from \[7, 9\] to \[8, 10\], but"):
        up(cg.ones(1, 2, 3, 4), output_size=(9, 9))
    assert up(cg.ones(1, 2, 3, 4)).shape == (1, 3, 7, 9)

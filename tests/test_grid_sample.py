"""Grid sample and affine grid against PyTorch, on many shapes and points drawn at random."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad.nn import functional as F

from .pairs import BACKWARD, FORWARD, agree

SHAPES = [((2, 3, 4, 5), (2, 3, 6, 2)), ((3, 1, 1, 7), (3, 2, 1, 2)), ((2, 2, 3, 2, 4), (2, 3, 2, 2, 3)),
          ((1, 2, 1, 1, 1), (1, 2, 1, 3, 3)), ((0, 2, 3, 3), (0, 2, 2, 2)), ((2, 0, 3, 3), (2, 2, 2, 2)),
          ((2, 2, 3, 3), (2, 0, 2, 2))]
MODES = ["bilinear", "nearest", "bicubic"]


def both(*arrays: Any, dtype: Any) -> tuple[list[Any], list[Any]]:
    """Make Tensors of either library that ask for gradients."""
    return ([cg.tensor(a.astype(dtype), requires_grad=True) for a in arrays],
            [torch.tensor(a.astype(dtype), requires_grad=True) for a in arrays])


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize(("shapes", "mode"), [
    (shapes, mode) for shapes, mode in itertools.product(SHAPES, MODES) if mode != "bicubic" or len(shapes[0]) == 4])
def test_grid_sample(shapes: Any, mode: str, padding: str, aligned: bool, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    for spread in (0.9, 1.3, 4.0):
        x, grid = rng.standard_normal(shapes[0]), rng.uniform(-spread, spread, shapes[1])
        mine, other = both(x, grid, dtype=dtype)
        y, z = F.grid_sample(*mine, mode, padding, aligned), torch.nn.functional.grid_sample(
            *other, mode, padding, aligned)
        agree(y, z, FORWARD, f"{shapes}")
        g = rng.standard_normal(y.shape).astype(dtype)
        y.backward(cg.tensor(g))
        z.backward(torch.tensor(g))
        for a, b in zip(mine, other, strict=True):
            agree(a.grad, b.grad, BACKWARD, f"a gradient, {shapes}")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_points_on_pixels_and_borders(mode: str, padding: str) -> None:
    """Which side a tie falls to: values, and the gradient of the image."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((1, 2, 4, 4))
    grid = np.stack(np.meshgrid(*[np.arange(-2, 2.01, 0.25)] * 2), -1)[None]
    for aligned in (False, True):
        mine, other = both(x, grid, dtype=np.float64)
        y = F.grid_sample(*mine, mode, padding, aligned)
        z = torch.nn.functional.grid_sample(*other, mode, padding, aligned)
        agree(y, z, FORWARD, f"aligned={aligned}")
        y.sum().backward()
        z.sum().backward()
        agree(mine[0].grad, other[0].grad, BACKWARD, f"aligned={aligned}")


@pytest.mark.parametrize("aligned", [False, True, None])
@pytest.mark.parametrize("size", [(2, 1, 3, 4), (1, 5, 1, 1), (3, 2, 1, 7), (2, 1, 3, 2, 4), (1, 1, 1, 1, 2)])
@pytest.mark.filterwarnings("ignore:Default grid_sample", "ignore:Since version")
def test_affine_grid(size: Any, aligned: bool | None) -> None:
    rng, axes = np.random.default_rng(2), len(size) - 2
    (mine,), (other,) = both(rng.standard_normal((size[0], axes, axes + 1)), dtype=np.float64)
    y, z = F.affine_grid(mine, size, aligned), torch.nn.functional.affine_grid(other, size, aligned)
    agree(y, z, FORWARD, f"{size}")
    g = rng.standard_normal(y.shape)
    y.backward(cg.tensor(g))
    z.backward(torch.tensor(g))
    agree(mine.grad, other.grad, BACKWARD, f"{size}")


def test_points_that_are_no_numbers() -> None:
    x, grid = cg.ones(1, 1, 3, 3), cg.tensor([[[[np.nan, 0.0], [np.inf, 0.0], [0.0, -1e30]]]])
    for mode in MODES:
        assert np.isnan(F.grid_sample(x, grid, mode).data[0, 0, 0, 0])
        np.testing.assert_array_equal(F.grid_sample(x, grid, mode).data[0, 0, 0, 1:], [0, 0])
    np.testing.assert_array_equal(F.grid_sample(x, grid, padding_mode="border").data[0, 0, 0, 1:], [1, 1])


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda x, g: F.grid_sample(x, g, "linear"), ValueError, "mode is one of"),
    (lambda x, g: F.grid_sample(x, g, padding_mode="wrap"), ValueError, "padding_mode is one of"),
    (lambda x, g: F.grid_sample(x[0], g), cg.ShapeError, "input is"),
    (lambda x, g: F.grid_sample(x, g[:1]), cg.ShapeError, "grid is"),
    (lambda x, g: F.grid_sample(x, g[..., :1]), cg.ShapeError, "grid is"),
    (lambda x, g: F.grid_sample(x[:, :, :0], g), cg.ShapeError, "no pixel"),
    (lambda x, g: F.grid_sample(x[..., None], cg.zeros(2, 2, 2, 2, 3), "bicubic"), cg.ShapeError, "input is"),
    (lambda x, g: F.grid_sample(x, g.double()), TypeError, "one dtype"),
    (lambda x, g: F.grid_sample(x.long(), g.long()), TypeError, "floats"),
    (lambda x, g: F.affine_grid(cg.zeros(1, 2, 3), (1, 2, 3)), cg.ShapeError, "size is"),
    (lambda x, g: F.affine_grid(cg.zeros(2, 3), (1, 1, 2, 3)), cg.ShapeError, "theta is"),
    (lambda x, g: F.affine_grid(cg.zeros(1, 2, 3), (1, 1, 0, 3)), ValueError, "from 1 up"),
    (lambda x, g: F.affine_grid(cg.zeros(1, 2, 3), (1, 1, 2.0, 3)), ValueError, "whole numbers"),
    (lambda x, g: F.affine_grid(cg.zeros(1, 2, 3).long(), (1, 1, 2, 3)), TypeError, "floats"),
])
def test_what_does_not_go_together_is_refused(call: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        call(cg.ones(2, 1, 3, 3), cg.zeros(2, 2, 2, 2))

"""Grid sample: read an image off at any points, also between its pixels.

Where to look is a grid of coordinates, which may be computed, and so learned: they have a gradient, as the image has.
With it a network turns, cuts out or straightens what it looks at (the spatial transformer, Jaderberg et al. 2015), and
a flow moves one picture onto the next.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ...ops.index import scatter
from .points import behind, below, column, corners, in_pixels, kept_in, mixed, seen, shares, slopes, turned
from .taps import pick

__all__ = ["grid_sample", "grid_sampled"]

MODES = {"bilinear": (2, 3), "nearest": (2, 3), "bicubic": (2,)}
PADDINGS = ("zeros", "border", "reflection")


@primitive
def grid_sampled(x, grid, *, mode="bilinear", padding="zeros", aligned=False):
    """Mix each point of the pixels around it: y = Σₖ weightₖ · x[cornerₖ], weightₖ a product of shares along the axes.

    x (n, c, ...), grid (n, ..., d) -> y (n, c, ...)

    grid     where to look, from -1 to 1, the last axis of the image first
    mode     how a point is mixed: "nearest" of one pixel on each axis, "bilinear" of two, "bicubic" of four
    padding  what lies outside: "zeros", the pixel at the "border", or the mirror image: "reflection"
    aligned  -1 and 1 are the middles of the outermost pixels, and not the borders of the image

    Source: Jaderberg et al. 2015, eq. 3 and 5; Keys 1981 for the cubic.

    >>> row = np.array([[[[0.0, 10.0]]]])
    >>> grid_sampled(row, np.array([[[[-1.0, 0.0], [0.5, 0.0]]]]), aligned=True)
    array([[[[0. , 7.5]]]])
    """
    n, c   = x.shape[:2]
    sizes  = x.shape[2:]
    raw    = in_pixels(grid, sizes, aligned)
    place  = raw if mode == "bicubic" else kept_in(raw, sizes, padding, aligned)
    first  = below(place, mode)
    t      = behind(place, first)
    index, outside = seen(first, sizes, mode, padding, aligned)
    share  = np.where(outside, 0, shares(t, mode))
    weight = mixed(share)[:, :, None]
    corner = corners(index, sizes)
    image  = (np.arange(n * c) * math.prod(sizes)).reshape(n, c, 1)  # where each begins in the row of all pixels
    y      = np.zeros_like(x, shape=(n, c, t.shape[-1]))
    for k in range(len(corner)):
        y += weight[k] * pick(x.reshape(-1), image + corner[k], -1)
    y = y.reshape(n, c, *grid.shape[1:-1])
    return y


@grid_sampled.backward
def grid_sampled_backward(
    grad_y, x, grid, raw, t, outside, share, weight, corner, image, sizes, mode, padding, aligned
):
    """
    1. y = Σₖ weightₖ · x[cornerₖ], so ∂loss/∂x[j] is the sum of weightₖ · g over all points that pixel j is a corner of
    2. ∂loss/∂weightₖ = Σ_c g_c · x_c[cornerₖ], over the channels, which all look at the same place
    3. weightₖ is a product of one share for each axis; by the place on axis a, the share of a is differentiated, and
       the others stand
    4. the place is (grid + 1) · size/2 - 1/2, or (grid + 1) · (size - 1)/2 if aligned, and then kept inside: at the
       edge it does not move any more, and in a mirror it moves the other way
    """
    g      = grad_y.reshape(*image.shape[:2], t.shape[-1])
    pixels = x.reshape(-1)
    spread = np.zeros_like(pixels)
    for k in range(len(corner)):
        spread += scatter(weight[k] * g, index=image + corner[k], shape=pixels.shape)
    grad_x = spread.reshape(x.shape)
    grad_weight = np.stack([(g * pick(pixels, image + spot, -1)).sum(axis=1) for spot in corner])
    slope  = np.where(outside, 0, slopes(t, mode))
    moved  = [np.concatenate((share[:, :a], slope[:, a : a + 1], share[:, a + 1 :]), axis=1) for a in range(len(sizes))]
    grad_t = np.stack([(grad_weight * mixed(each)).sum(axis=0) for each in moved])
    scale  = (column(sizes, t) - 1) / 2 if aligned else column(sizes, t) / 2
    speed  = turned(raw, sizes, "zeros" if mode == "bicubic" else padding, aligned)
    grad_grid = np.moveaxis((grad_t * speed * scale)[::-1].reshape(len(sizes), *grid.shape[:-1]), 0, -1)
    return grad_x, grad_grid


@grid_sampled.examples
def grid_sampled_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Each mode, with each kind of outside, in images and volumes; a single pixel; no point at all."""
    def grid(*shape: int) -> Any:
        return rng.uniform(-1.4, 1.4, shape)

    draw = rng.standard_normal
    return [
        (draw((2, 3, 3, 4)), grid(2, 2, 3, 2)),
        (draw((2, 1, 3, 4)), grid(2, 2, 3, 2), {"padding": "border", "aligned": True}),
        (draw((1, 2, 3, 4)), 2 * grid(1, 3, 3, 2), {"padding": "reflection"}),
        (draw((1, 2, 3, 4)), grid(1, 3, 3, 2), {"mode": "bicubic", "padding": "reflection", "aligned": True}),
        (draw((2, 1, 5, 4)), grid(2, 1, 4, 2), {"mode": "bicubic"}),
        (draw((1, 2, 3, 4)), grid(1, 2, 2, 2), {"mode": "nearest", "padding": "border"}),
        (draw((1, 2, 2, 3, 4)), grid(1, 2, 1, 3, 3), {"padding": "reflection", "aligned": True}),
        (draw((2, 2, 1, 1)), grid(2, 2, 2, 2)),
        (draw((1, 2, 3, 3)), grid(1, 0, 2, 2)),
    ]


def grid_sample(
    input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Tensor:
    """Read images (n, c, h, w), or volumes (n, c, d, h, w), off at the points of a grid.

    grid           (n, ..., 2) or (n, ..., 3), as many axes as input: where to look, x before y before z. -1 and 1 are
                   the borders of the image, left and right, top and bottom
    mode           "bilinear": between the four, or eight, pixels around a point; "nearest"; "bicubic", for images
    padding_mode   what lies outside: "zeros"; the pixel at the "border"; the mirror image: "reflection"
    align_corners  -1 and 1 are the middles of the outermost pixels instead; None is False

    A point that is no number, nan, gives nan.

    Raises ShapeError for shapes that do not go together, ValueError for another mode, TypeError unless both hold floats
    of one dtype.

    >>> from chalkgrad import tensor
    >>> image = tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> grid_sample(image, tensor([[[[0.0, 0.0], [0.5, -0.5]]]]))
    tensor([[[[2.5, 2. ]]]])
    """
    _check(input, grid, mode, padding_mode)
    y: Tensor = grid_sampled(input, grid, mode=mode, padding=padding_mode, aligned=bool(align_corners))
    return y


def _check(input: Tensor, grid: Tensor, mode: str, padding: str) -> None:
    """Raise an error for what does not go together."""
    if mode not in MODES:
        raise ValueError(f"grid_sample: mode is one of {', '.join(MODES)}, but {mode!r} came.")
    if padding not in PADDINGS:
        raise ValueError(f"grid_sample: padding_mode is one of {', '.join(PADDINGS)}, but {padding!r} came.")
    axes = input.ndim - 2
    if axes not in MODES[mode]:
        known = " or ".join(("(n, c, h, w)", "(n, c, d, h, w)")[: len(MODES[mode])])
        raise ShapeError(f"grid_sample: with mode={mode!r} input is {known}, but it has shape {input.shape}.")
    if grid.ndim != input.ndim or grid.shape[-1] != axes or len(grid) != len(input):
        raise ShapeError(f"grid_sample: for an input of shape {input.shape}, grid is ({len(input)}, "
                         f"{'h, w' if axes == 2 else 'd, h, w'}, {axes}), but it has shape {grid.shape}.")
    if 0 in input.shape[2:]:
        raise ShapeError(f"grid_sample: there is no pixel to read off in an input of shape {input.shape}.")
    if input.dtype.kind != "f" or grid.dtype != input.dtype:
        raise TypeError(f"grid_sample: input and grid hold floats of one dtype, but {input.dtype} and {grid.dtype} "
                        "came. Try: grid.to(input.dtype).")

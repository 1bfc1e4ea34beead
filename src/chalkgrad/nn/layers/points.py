"""Points: where a point between pixels lies, which pixels it is mixed of, and how much each of them counts.

Shared by what reads images off at any place. Like the rules that call them, these helpers take arrays and Tensors. The
shapes: d axes, n images, p points in each, k pixels along an axis that a point is mixed of.
"""

import math

import numpy as np

from .taps import kernel

__all__ = [
    "behind", "below", "column", "corners", "in_pixels", "kept_in", "mirrored", "mixed", "reach", "seen", "shares",
    "slopes", "turned",
]


def column(sizes, like):
    """The sizes of the axes, to be set against points (d, n, p)."""
    return np.array(sizes, dtype=like.dtype).reshape(-1, 1, 1)


def in_pixels(grid, sizes, aligned):
    """Coordinates (n, ..., d) from -1 to 1, the last axis first, as places (d, n, p) in pixels, the first axis first.

    >>> in_pixels(np.array([[[-1.0], [0.0], [1.0]]]), (4,), True), in_pixels(np.array([[[-1.0]]]), (4,), False)
    (array([[[0. , 1.5, 3. ]]]), array([[[-0.5]]]))
    """
    size   = column(sizes, grid)
    points = np.moveaxis(grid, -1, 0)[::-1].reshape(len(sizes), len(grid), math.prod(grid.shape[1:-1]))
    if aligned:
        return (points + 1) * ((size - 1) / 2)
    return ((points + 1) * size - 1) / 2


def mirrored(place, sizes, aligned):
    """Fold places back at mirrors that stand in the outermost pixels, if aligned, or at the borders of the image.

    >>> mirrored(np.array([[[-1.0, 1.0, 4.0]]]), (4,), True), mirrored(np.array([[[-1.0, 4.0]]]), (4,), False)
    (array([[[1., 1., 2.]]]), array([[[0., 3.]]]))
    """
    first = 0.0 if aligned else -0.5
    span  = np.maximum(column(sizes, place) - (1 if aligned else 0), 1)
    with np.errstate(invalid="ignore"):  # what is infinitely far away has no mirror image: nan
        away = np.abs(place - first)
        rest = np.fmod(away, span)
        return np.where(np.floor(away / span) % 2 == 0, rest, span - rest) + first


def kept_in(place, sizes, padding, aligned):
    """Bring places outside of the image to where they look: its edge, or their mirror image; or leave them.

    >>> kept_in(np.array([[[-1.0, 4.0]]]), (4,), "border", False)
    array([[[0., 3.]]])
    """
    if padding == "zeros":
        return place
    if padding == "reflection":
        place = mirrored(place, sizes, aligned)
    return np.minimum(np.maximum(place, 0), column(sizes, place) - 1)


def turned(place, sizes, padding, aligned):
    """How a place moves when it is kept in: 1 with its point, -1 against it, in a mirror, or 0, held at the edge.

    >>> turned(np.array([[[-1.0, 0.5, 4.0]]]), (4,), "reflection", True)
    array([[[-1.,  1., -1.]]])
    """
    speed = np.ones_like(place)
    if padding == "zeros":
        return speed
    if padding == "reflection":
        first = 0.0 if aligned else -0.5
        span  = np.maximum(column(sizes, place) - (1 if aligned else 0), 1)
        odd   = np.floor(np.abs(place - first) / span) % 2 != 0
        speed = np.where((place < first) != odd, -speed, speed)
        place = mirrored(place, sizes, aligned)
    return speed * ((place > 0) & (place < column(sizes, place) - 1))


def below(place, mode):
    """The pixel that a point is counted from: the nearest one, or the one at or before it."""
    return np.rint(place) if mode == "nearest" else np.floor(place)


def behind(place, first):
    """How far a point lies behind the pixel that it is counted from; nan, if it is infinitely far away."""
    with np.errstate(invalid="ignore"):
        return place - first


def reach(mode):
    """Name the pixels that a point is mixed of, counted from the one below it.

    >>> reach("bicubic")
    (-1, 0, 1, 2)
    """
    return {"nearest": (0,), "bilinear": (0, 1), "bicubic": (-1, 0, 1, 2)}[mode]


def shares(t, mode):
    """How much each pixel along an axis counts for a point that lies t, from 0 to 1, behind one: (k, d, n, p).

    Source: Keys 1981, eq. 4, for the cubic, with -0.75 in place of his -0.5.

    >>> shares(np.array(0.25), "bilinear"), shares(np.array(0.5), "bicubic")
    (array([0.75, 0.25]), array([-0.09375,  0.59375,  0.59375, -0.09375]))
    """
    if mode == "nearest":
        return np.stack([0 * t + 1])  # nan for a point that is no number
    if mode == "bilinear":
        return np.stack([1 - t, t])
    return np.stack([kernel("cubic", t - k, -0.75) for k in reach(mode)])


def slopes(t, mode):
    """How fast the shares change with t.

    >>> slopes(np.array(0.25), "bilinear"), slopes(np.array(0.5), "bicubic")
    (array([-1.,  1.]), array([ 0.1875, -1.3125,  1.3125, -0.1875]))
    """
    if mode == "nearest":
        return np.stack([np.zeros_like(t)])
    if mode == "bilinear":
        return np.stack([-np.ones_like(t), np.ones_like(t)])
    near = (3.75 * (1 - t) - 4.5) * (1 - t)  # of the kernel at distance 1 - t, and so on
    far  = (-2.25 * (2 - t) + 7.5) * (2 - t) - 6
    return np.stack([(-2.25 * (1 + t) + 7.5) * (1 + t) - 6, (3.75 * t - 4.5) * t, -near, -far])


def seen(first, sizes, mode, padding, aligned):
    """The pixels that the points are mixed of along each axis, and which do not exist: index, outside (k, d, n, p).

    >>> seen(np.array([[[-1.0, 1.0]]]), (2,), "bilinear", "zeros", False)
    (array([[[[0, 1]]], [[[0, 0]]]]), array([[[[ True, False]]], [[[False,  True]]]]))
    """
    tap = np.stack([first + k for k in reach(mode)])
    if mode == "bicubic":  # it looks further than its points lie, so each pixel is kept in for itself
        tap = kept_in(tap, sizes, padding, aligned)
    last    = column(sizes, first) - 1
    known   = (tap >= 0) & (tap <= last)
    outside = (tap < 0) | (tap > last)  # nan is neither: it comes out as nan
    return np.where(known, tap, 0).astype(np.intp), outside


def mixed(share):
    """Multiply the shares of all axes, for each choice of one pixel on each: (k, d, n, p) -> (k ** d, n, p).

    >>> mixed(np.array([[[[0.5]], [[0.25]]], [[[0.5]], [[0.75]]]])).reshape(-1)
    array([0.125, 0.375, 0.125, 0.375])
    """
    weight = share[:, 0]
    for axis in range(1, share.shape[1]):
        weight = (weight[:, None] * share[:, axis]).reshape(len(weight) * len(share), *weight.shape[1:])
    return weight


def corners(index, sizes):
    """Number the pixels of an image in reading order, for each choice of one on each axis: -> (k ** d, n, 1, p).

    >>> corners(np.array([[[[0]], [[1]]], [[[1]], [[2]]]]), (2, 3)).reshape(-1)
    array([1, 2, 4, 5])
    """
    place = index[:, 0]
    for axis in range(1, len(sizes)):
        place = (place[:, None] * sizes[axis] + index[:, axis]).reshape(len(place) * len(index), *place.shape[1:])
    return place[:, :, None]

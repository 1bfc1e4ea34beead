"""Affine grid: where the pixels of a new image lie in the old one, if it is turned, scaled, sheared and shifted.

Six numbers say it, for images, and a network may learn them for each: with grid_sample they make a spatial transformer
(Jaderberg et al. 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...law.errors import ShapeError

__all__ = ["affine_grid", "affine_points", "points_of"]


def points_of(sizes, aligned, like):
    """The pixels of an image as rows (x, y, 1), in reading order, from -1 to 1.

    >>> points_of((1, 2), True, np.zeros(0)), points_of((1, 2), False, np.zeros(0))
    (array([[-1.,  0.,  1.],
           [ 1.,  0.,  1.]]), array([[-0.5,  0. ,  1. ],
           [ 0.5,  0. ,  1. ]]))
    """
    steps = [(2 * np.arange(size) + 1 - size) / max(size - 1 if aligned else size, 1) for size in sizes]
    along = np.meshgrid(*steps, indexing="ij")
    return np.stack([*along[::-1], np.ones(sizes)], axis=-1).reshape(-1, len(sizes) + 1).astype(like.dtype)


@primitive
def affine_points(theta, *, sizes, aligned=False):
    """Move every pixel by a matrix: y = θ (x, y, 1)ᵀ.

    theta (n, d, k) -> y (n, ..., d)

    theta    a matrix (d, d + 1) for each image; its last column is the shift
    sizes    of the new images
    aligned  -1 and 1 are the middles of the outermost pixels, and not the borders of the image

    Source: Jaderberg et al. 2015, eq. 1.

    >>> affine_points(np.array([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]]), sizes=(1, 2), aligned=True)
    array([[[[-0.5,  0. ],
             [ 1.5,  0. ]]]])
    """
    points = points_of(sizes, aligned, theta)
    y = (points @ np.swapaxes(theta, -1, -2)).reshape(len(theta), *sizes, len(sizes))
    return y


@affine_points.backward
def affine_points_backward(grad_y, points):
    """
    1. y_pi = Σⱼ θ_ij · point_pj, so ∂loss/∂θ_ij = Σ_p g_pi · point_pj
    """
    rows = grad_y.reshape(len(grad_y), len(points), grad_y.shape[-1])
    grad_theta = np.swapaxes(rows, -1, -2) @ points
    return grad_theta


@affine_points.examples
def affine_points_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Images; volumes, corners on corners; a single pixel."""
    draw = rng.standard_normal
    return [
        (draw((2, 2, 3)), {"sizes": (3, 4)}),
        (draw((2, 3, 4)), {"sizes": (2, 3, 2), "aligned": True}),
        (draw((1, 2, 3)), {"sizes": (1, 1), "aligned": True}),
    ]


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """Make a grid for `grid_sample`, of images that are moved by matrices.

    theta          (n, 2, 3) for images, (n, 3, 4) for volumes: where the new image lies in the old one
    size           of the new images: (n, c, h, w) or (n, c, d, h, w)
    align_corners  -1 and 1 are the middles of the outermost pixels; None is False: they are the borders of the image

    Returns (n, h, w, 2) or (n, d, h, w, 3).

    Raises ShapeError for shapes that do not go together, ValueError for sizes below 1, TypeError unless theta holds
    floats.

    >>> from chalkgrad import tensor
    >>> flipped = tensor([[[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> affine_grid(flipped, (1, 1, 1, 2))
    tensor([[[[ 0.5,  0. ],
              [-0.5,  0. ]]]])
    """
    size = tuple(size)
    axes = len(size) - 2
    if axes not in (2, 3):
        raise ShapeError(f"affine_grid: size is (n, c, h, w) or (n, c, d, h, w), but {size} came.")
    if theta.shape != (size[0], axes, axes + 1):
        raise ShapeError(f"affine_grid: for the size {size}, theta is ({size[0]}, {axes}, {axes + 1}), but it has "
                         f"shape {theta.shape}.")
    if any(not isinstance(n, int | np.integer) for n in size) or min(size) < 1:
        raise ValueError(f"affine_grid: size is whole numbers from 1 up, but {size} came.")
    if theta.dtype.kind != "f":
        raise TypeError(f"affine_grid: theta holds floats, but {theta.dtype} came. Try: theta.float().")
    y: Tensor = affine_points(theta, sizes=size[2:], aligned=bool(align_corners))
    return y

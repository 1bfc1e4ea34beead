"""Interpolate: images in another size.

Making them smaller throws pixels away or averages them; making them larger invents some: copies of the nearest, or
something in between. A decoder does that before a convolution, where a transposed one would leave the pattern of a
checkerboard (Odena, Dumoulin & Olah 2016).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from .adaptive_avg_pool import adaptive_avg_pool
from .taps import taps_of, transposed, weighed

__all__ = ["interpolate", "resampled", "tables", "upsample"]

# PyTorch's names, and for which numbers of pixel axes; the name of the kernel where it is another.
MODES = {
    "nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "area": (1, 2, 3), "linear": (1,), "bilinear": (2,),
    "trilinear": (3,), "bicubic": (2,), "lanczos": (2,),
}
KERNELS = {"bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}


def tables(shape, dtype, sizes, mode, scales, aligned, antialias):
    """List (axis, index, weight) for the axes that are resampled, the last one first, as `taps_of` tells them."""
    found = []
    for axis in range(-1, -len(sizes) - 1, -1):
        scale = None if scales is None else scales[axis]
        index, weight = taps_of(
            shape[axis], sizes[axis], mode, scale=scale, aligned=aligned, antialias=antialias, dtype=dtype
        )
        found.append((axis, index, None if weight is None else weight.astype(dtype)))
    return found


@primitive
def resampled(x, *, sizes, mode, scales=None, aligned=False, antialias=False):
    """Resample images along their last axes: y[i] = Σⱼ A[i, j] x[j] along each of them.

    x (...) -> y (*)

    sizes      of the last axes, as they are to be
    mode       "nearest", "nearest-exact", "linear", "cubic" or "lanczos": which weights A has
    scales     how many times as large each axis was asked to be; None if it was asked for in pixels
    aligned    the outermost pixels of the images lie on each other, and not the borders of the images
    antialias  average what is finer than the new pixels

    Source: PyTorch's weights; Keys 1981 for the cubic, with -0.75 in place of his -0.5 unless antialias.

    >>> resampled(np.array([[1.0, 3.0]]), sizes=(4,), mode="linear")
    array([[1. , 1.5, 2.5, 3. ]])
    """
    shape = x.shape
    steps = tables(shape, x.dtype, sizes, mode, scales, aligned, antialias)
    y     = x
    for axis, index, weight in steps:
        y = weighed(y, index, weight, axis)
    return y


@resampled.backward
def resampled_backward(grad_y, shape, steps):
    """
    1. y[i] = Σⱼ A[i, j] x[j], so ∂loss/∂x[j] = Σᵢ A[i, j] g[i]: the weights are those of A, transposed
    2. along several axes y = A B x; the transposes are taken in the other order
    """
    grad_x = grad_y
    for axis, index, weight in steps[::-1]:
        back, share = transposed(index, weight, shape[axis])
        grad_x = weighed(grad_x, back, share, axis)
    return grad_x


@resampled.examples
def resampled_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Copies; in between, both ways; corners on corners; cubic; smoothed; a single pixel; skipping most of a row."""
    draw = rng.standard_normal
    return [
        (draw((2, 1, 2, 3)), {"sizes": (4, 6), "mode": "nearest"}),
        (draw((2, 4, 3)), {"sizes": (3, 7), "mode": "linear", "scales": (0.8, 2.4)}),
        (draw((1, 2, 2, 3)), {"sizes": (3, 4, 5), "mode": "linear", "aligned": True}),
        (draw((2, 3, 5)), {"sizes": (7, 4), "mode": "cubic"}),
        (draw((1, 9, 4)), {"sizes": (4, 5), "mode": "cubic", "antialias": True}),
        (draw((1, 7, 8)), {"sizes": (3, 2), "mode": "lanczos", "antialias": True}),
        (draw((2, 1)), {"sizes": (3,), "mode": "linear"}),
        (draw((2, 9)), {"sizes": (2,), "mode": "nearest-exact"}),
    ]


def interpolate(
    input: Tensor, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest", align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Bring rows (n, c, w), images (n, c, h, w) or volumes (n, c, d, h, w) to another size.

    size                    in pixels, one number for all axes or one for each; or
    scale_factor            how many times as large, likewise; the new size is rounded down
    mode                    "nearest", "nearest-exact" (which looks from the middle of a pixel), "area" (averages), or,
                            in between: "linear" for rows, "bilinear" and "bicubic" for images, "trilinear" for
                            volumes; "lanczos" for images, with antialias
    align_corners           in between: the outermost pixels lie on each other, and not the borders of the images
    recompute_scale_factor  go by the sizes, also if scale_factor was rounded
    antialias               for images, in between: average what is finer than the new pixels

    Raises ValueError for options that do not go together, ShapeError for an input that the mode does not know,
    TypeError for whole numbers, unless they are only copied.

    >>> from chalkgrad import tensor
    >>> interpolate(tensor([[[1.0, 3.0]]]), size=4)
    tensor([[[1., 1., 3., 3.]]])
    >>> interpolate(tensor([[[1.0, 3.0]]]), scale_factor=2, mode="linear")
    tensor([[[1. , 1.5, 2.5, 3. ]]])
    """
    axes = input.ndim - 2
    _check(input, axes, mode, align_corners, antialias)
    scales = None if scale_factor is None else _each("scale_factor", scale_factor, axes)
    if (size is None) == (scales is None):
        raise ValueError("interpolate: either size or scale_factor is needed, and not both.")
    if recompute_scale_factor and scales is None:
        raise ValueError("interpolate: recompute_scale_factor=True has no meaning where the size is given.")
    if scales is None:
        sizes = _each("size", size, axes)
    else:
        sizes = tuple(math.floor(float(n) * s) for n, s in zip(input.shape[2:], scales, strict=True))
    if any(not isinstance(n, int | np.integer) for n in sizes) or min((*sizes, *input.shape[1:])) < 1:
        raise ValueError(f"interpolate: {input.shape[1:]} cannot be brought to the size {sizes}; both are whole "
                         "numbers from 1 up.")
    if mode == "area":
        averaged: Tensor = adaptive_avg_pool(input, places=sizes)
        return averaged
    y: Tensor = resampled(
        input, sizes=sizes, mode=KERNELS.get(mode, mode), scales=None if recompute_scale_factor else scales,
        aligned=bool(align_corners), antialias=antialias,
    )
    return y


def _each(name: str, value: Any, axes: int) -> tuple[Any, ...]:
    """Read an option that is one number for all axes, or one for each."""
    found = tuple(value) if isinstance(value, Sequence) else (value,) * axes
    if len(found) != axes:
        raise ValueError(f"interpolate: {name} is one number, or one for each of {axes} axes, but {value!r} came.")
    return found


def _check(input: Tensor, axes: int, mode: str, align_corners: bool | None, antialias: bool) -> None:
    """Raise an error for what does not go together."""
    if mode not in MODES:
        raise ValueError(f"interpolate: mode is one of {', '.join(MODES)}, but {mode!r} came.")
    if axes not in MODES[mode]:
        known = " or ".join(str(n + 2) for n in MODES[mode])
        raise ShapeError(f"interpolate: mode={mode!r} takes an input of {known} axes, (n, c, ...), not {input.shape}.")
    copied = mode.startswith("nearest")
    if align_corners is not None and (copied or mode == "area"):
        raise ValueError(f"interpolate: align_corners is for modes in between, and mode={mode!r} is none.")
    if mode == "lanczos" and (align_corners or not antialias):
        raise ValueError("interpolate: mode='lanczos' goes with antialias=True, and not with align_corners=True.")
    if antialias and mode not in ("bilinear", "bicubic", "lanczos"):
        raise ValueError(f"interpolate: antialias=True is for bilinear, bicubic and lanczos, not for mode={mode!r}.")
    if input.dtype.kind != "f" and not copied:
        raise TypeError(f"interpolate: mode={mode!r} averages, so the input holds floats, not {input.dtype}.")


def upsample(
    input: Tensor, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest", align_corners: bool | None = None,
) -> Tensor:
    """`interpolate` under its old name, which PyTorch has deprecated.

    >>> from chalkgrad import ones
    >>> upsample(ones(1, 1, 2, 2), scale_factor=1.5).shape
    (1, 1, 3, 3)
    """
    return interpolate(input, size, scale_factor, mode, align_corners)

"""Padding: more pixels around an image, so that a kernel has something to see at its border.

Zeros are the usual choice, but where they begin there is an edge that was not in the image. The other modes take the
pixels from the image itself: its reflection, its outermost pixels again and again, or those of its opposite side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ...ops.shape import padded

__all__ = ["along", "borders", "continued", "pad", "room_for"]

MODES = "constant", "reflect", "replicate", "circular"


def along(axis, part):
    """Write the index of a slice along an axis that is counted from the end.

    >>> along(-2, slice(0, 3))
    (Ellipsis, slice(0, 3, None), slice(None, None, None))
    """
    return (..., part, *[slice(None)] * (-1 - axis))


def room_for(shape, frame):
    """Return the shape of images with a frame around them, and the index of the images within.

    >>> room_for((2, 5), ((2, 1),))
    ((2, 8), (Ellipsis, slice(2, 7, None)))
    """
    lead, sizes = shape[: len(shape) - len(frame)], shape[len(shape) - len(frame) :]
    framed = [before + n + after for (before, after), n in zip(frame, sizes)]
    return (*lead, *framed), (..., *[slice(before, before + n) for (before, _), n in zip(frame, sizes)])


def borders(shape, frame, mode):
    """List the borders of a framed image, the first axis first: (axis, index of the border, index of its source).

    >>> borders((5,), ((2, 1),), "circular")
    [(-1, (Ellipsis, slice(0, 2, None)), (Ellipsis, slice(5, 7, None))),
     (-1, (Ellipsis, slice(7, 8, None)), (Ellipsis, slice(2, 3, None)))]
    """
    found = []
    for axis, (before, after) in zip(range(-len(frame), 0), frame):
        end = before + shape[axis]  # of the image in its frame
        near, far = {
            "reflect": (slice(2 * before, before, -1), slice(end - 1 - after, end - 1)),
            "replicate": (slice(before, before + 1), slice(end - 1, end)),
            "circular": (slice(end - before, end), slice(before, before + after)),
        }[mode]
        beyond = slice(end + after - 1, end - 1, -1) if mode == "reflect" else slice(end, end + after)
        pairs  = [(slice(0, before), near)] * (before > 0) + [(beyond, far)] * (after > 0)
        found += [(axis, along(axis, border), along(axis, source)) for border, source in pairs]
    return found


@primitive
def continued(x, *, frame, mode):
    """Frame images by pixels of their own.

    x (...) -> y (*)

    frame  pairs (before, after) for the last axes: how many pixels, not all of them 0
    mode   "reflect": the image mirrored at its outermost pixels; "replicate": these pixels again and again;
           "circular": the opposite side of the image

    Source: PyTorch's names; np.pad (Harris et al. 2020) calls the modes reflect, edge and wrap.

    >>> x = np.array([1, 2, 3, 4])
    >>> for mode in ("reflect", "replicate", "circular"):
    ...     print(continued(x, frame=((2, 2),), mode=mode))
    [3 2 1 2 3 4 3 2]
    [1 1 1 2 3 4 4 4]
    [3 4 1 2 3 4 1 2]
    """
    shape, inside = room_for(x.shape, frame)
    edges = borders(x.shape, frame, mode)
    y     = np.empty_like(x, shape=shape)
    y[inside] = x
    for _axis, border, source in edges:  # borders of the first axis reach into corners that later ones write again
        y[border] = y[source]
    return y


@continued.backward
def continued_backward(grad_y, inside, edges, mode):
    """
    1. y[border] = y[source]: a pixel of a border is a copy, and moves the loss as a move of its source would. So its
       gradient is added to that of its source, border by border, the last one first
    2. with "replicate" all lines of a border are copies of one, which gets the sum of their gradients
    """
    grad_framed = grad_y.copy()
    for axis, border, source in edges[::-1]:
        if mode == "replicate":
            grad_framed[source] += grad_framed[border].sum(axis=axis, keepdims=True)
        else:
            grad_framed[source] += grad_framed[border]
    grad_x = grad_framed[inside]
    return grad_x


@continued.examples
def continued_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """A row; images, one side left as it is; the widest reflection, and all the way round; volumes; a single pixel."""
    draw = rng.standard_normal
    return [
        (draw((2, 5)), {"frame": ((2, 1),), "mode": "replicate"}),
        (draw((2, 1, 3, 4)), {"frame": ((2, 0), (1, 3)), "mode": "reflect"}),
        (draw((1, 3, 3)), {"frame": ((3, 3), (0, 2)), "mode": "circular"}),
        (draw((1, 2, 2, 3)), {"frame": ((1, 1), (0, 1), (2, 2)), "mode": "reflect"}),
        (draw((1, 2, 2, 3)), {"frame": ((1, 3), (0, 1), (2, 2)), "mode": "replicate"}),
        (draw((1, 1)), {"frame": ((2, 1),), "mode": "replicate"}),
    ]


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Add pixels on the sides of the last axes, or, for negative numbers, take some away.

    input  (...)
    pad    (before, after) of the last axis, then of the one before it, and so on
    mode   "constant"; "reflect", "replicate" or "circular", explained at `continued`, for the last 1, 2 or 3 axes of an
           input that has one or two more
    value  the constant, 0 if not given; only for that mode

    Raises ValueError for another mode, an odd number of widths, or a value with a mode that takes none; ShapeError
    for an input with too few axes, or too small for what is to be copied from it.

    >>> from chalkgrad import tensor
    >>> pad(tensor([[1.0, 2.0, 3.0]]), (1, -1), value=7.0)
    tensor([[7., 1., 2.]])
    >>> pad(tensor([[1.0, 2.0, 3.0]]), (1, 2), mode="reflect")
    tensor([[2., 1., 2., 3., 2., 1.]])
    """
    if mode not in MODES:
        raise ValueError(f"pad: the mode is one of {', '.join(MODES)}, but {mode!r} came.")
    if mode != "constant" and value:
        raise ValueError(f"pad: mode={mode!r} copies pixels and has no use for value={value}.")
    widths = _read(pad, input.shape)
    _check(input, widths, mode)
    frame = tuple((max(before, 0), max(after, 0)) for before, after in widths)
    added = any(before or after for before, after in frame)
    if mode in ("reflect", "replicate"):  # the pixels that are taken away are seen in the border
        wide: Tensor = continued(input, frame=frame, mode=mode) if added else input
        return _taken_away(wide, widths, copy=not added)
    left = _taken_away(input, widths, copy=not added)
    if not added:
        return left
    if mode == "circular":
        ring: Tensor = continued(left, frame=frame, mode=mode)
        return ring
    around = ((0, 0),) * (input.ndim - len(frame)) + frame
    y: Tensor = padded(left, widths=around, value=0 if value is None else value)
    return y


def _read(pad: Sequence[int], shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Pair PyTorch's widths, last axis first, as (before, after) for the last axes in their order.

    >>> _read((1, 2, 3, 4), (5, 5, 5))
    [(3, 4), (1, 2)]
    """
    if len(pad) % 2 or not all(isinstance(n, int | np.integer) for n in pad):
        raise ValueError(f"pad: whole numbers are expected, (before, after) for each axis, last axis first, not {pad}.")
    if len(pad) > 2 * len(shape):
        raise ShapeError(f"pad: there are widths for {len(pad) // 2} axes, but input has shape {shape}.")
    return [(int(pad[i]), int(pad[i + 1])) for i in range(len(pad) - 2, -1, -2)]


def _check(input: Tensor, widths: list[tuple[int, int]], mode: str) -> None:
    """Raise ShapeError where there are too few pixels to take away, or to copy."""
    n, lead = len(widths), input.ndim - len(widths)
    if mode != "constant" and (n not in (1, 2, 3) or lead not in (1, 2)):
        raise ShapeError(f"pad: mode={mode!r} takes widths for 1, 2 or 3 axes, and an input with 1 or 2 axes more, but "
                         f"there are widths for {n}, and input has shape {input.shape}.")
    for axis, (before, after) in enumerate(widths, lead):
        size = input.shape[axis]
        if mode in ("constant", "circular"):
            kept = size + min(before, 0) + min(after, 0)
            fits = kept >= (max(before, after, 0) if mode == "circular" else 0)
        else:
            fits = size + before + after >= 0 and size > (max(before, after) if mode == "reflect" else 0)
        if not fits:
            raise ShapeError(f"pad: axis {axis} of input, of shape {input.shape}, has too few pixels for "
                             f"{(before, after)} with mode={mode!r}.")


def _taken_away(x: Tensor, widths: list[tuple[int, int]], *, copy: bool) -> Tensor:
    """Cut off the negative widths; `copy` where the result would share the memory of the input."""
    if any(before < 0 or after < 0 for before, after in widths):
        sizes = x.shape[x.ndim - len(widths):]
        x = x[(..., *[slice(max(-b, 0), n - max(-a, 0)) for (b, a), n in zip(widths, sizes, strict=True)])]
    return x.clone() if copy else x

"""AdaptiveAvgPool: average images of any size down to the size that the next layer wants.

The windows follow from the two sizes, so what comes after, mostly a linear layer, need not know how large the images
were: He et al. (2014) let one network see pictures of every shape. One window for the whole image is the usual end of
a convolutional network (Lin, Chen & Yan 2013).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ..module import Module
from .windows import in_rows, single

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "window_lengths",
    "window_sums", "windows_wanted",
]

Size = int | None


def windows_wanted(output_size, shape):
    """Read `output_size`, one number for both axes or a pair, as (p, q); None stands for the size that an axis has.

    >>> windows_wanted((None, 3), (2, 8, 9))
    (8, 3)
    """
    both = tuple(output_size) if isinstance(output_size, tuple | list) else (output_size, output_size)
    if len(both) != 2 or not all(n is None or (isinstance(n, int | np.integer) and n >= 1) for n in both):
        raise ValueError(f"output_size is a whole number from 1 up, None, or a pair of them, not {output_size!r}.")
    if 0 in shape[-2:]:
        raise ValueError(f"x has no pixels to average: its images are {shape[-2]} x {shape[-1]}.")
    p, q = [size if n is None else n for n, size in zip(both, shape[-2:])]
    return p, q


def window_lengths(size, count):
    """Say how long each of `count` windows on an axis is: window i goes from ⌊i·size/count⌋ up to ⌈(i+1)·size/count⌉.

    >>> window_lengths(7, 3)  # 0 to 3, 2 to 5, 4 to 7: they overlap where the sizes do not divide
    array([3, 3, 3])
    """
    i = np.arange(count)
    return -(-(i + 1) * size // count) - i * size // count


def window_sums(x, count, axis):
    """Add up what lies in each of `count` windows along one of the last two axes.

    >>> window_sums(np.array([[1, 2, 3, 4, 5]]), 2, axis=-1)  # the pixel in the middle lies in both
    array([[ 6, 12]])
    """
    size = x.shape[axis]
    if count == size:
        return x
    if count == 1:
        return x.sum(axis=axis, keepdims=True)
    behind  = (slice(None),) * (-1 - axis)
    starts  = np.arange(count) * size // count
    lengths = window_lengths(size, count)
    short   = int(lengths.min())
    total   = x[(..., starts, *behind)]
    for k in range(1, short):
        total = total + x[(..., starts + k, *behind)]
    long = np.flatnonzero(lengths > short)  # by one
    if len(long):
        total[(..., long, *behind)] += x[(..., starts[long] + short, *behind)]
    return total


@primitive
def adaptive_avg_pool2d(x, *, output_size):
    """Average the image in p x q windows of about the same size.

    x (..., h, w) -> y (..., p, q)

    output_size  p and q, or one number for both; None for the size that the image has

    Window i of p goes from row ⌊i·h/p⌋ up to row ⌈(i+1)·h/p⌉, and likewise across.

    Source: He et al. 2014; the windows are PyTorch's.

    >>> from chalkgrad import tensor
    >>> adaptive_avg_pool2d(tensor([[1.0, 2.0, 3.0, 4.0, 5.0]]), output_size=(1, 2))
    tensor([[2., 4.]])
    """
    h, w = x.shape[-2:]
    p, q = windows_wanted(output_size, x.shape)
    n    = np.outer(window_lengths(h, p), window_lengths(w, q))
    n    = n.astype(x.dtype)
    y    = window_sums(window_sums(x, p, -2), q, -1) / n
    return y


@adaptive_avg_pool2d.backward
def adaptive_avg_pool2d_backward(grad_y, n, h, w):
    """
    1. y_i = (1/n_i) Σ x_j over the pixels j of window i, so pixel j gets g_i/n_i from each window that it lies in
    2. j lies in window i of p where ⌊i·h/p⌋ ≤ j < ⌈(i+1)·h/p⌉, that is, where i·h < (j+1)·p and j·p < (i+1)·h
    3. that says the same of i and j as of j and i: pixel j lies in those windows that window j of h would hold,
       were the windows the pixels. So the gradients are added up as the pixels were
    """
    share  = grad_y / n
    grad_x = in_rows(window_sums(window_sums(share, w, -1), h, -2))
    return grad_x


@adaptive_avg_pool2d.examples
def adaptive_avg_pool2d_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Windows side by side; overlapping, some longer; more windows than pixels; one for all; none; a plain matrix."""
    draw = rng.standard_normal
    return [
        (draw((2, 3, 4, 6)), {"output_size": 2}),
        (draw((2, 1, 7, 5)), {"output_size": (5, 3)}),
        (draw((1, 2, 2, 3)), {"output_size": (5, 7)}),
        (draw((2, 2, 3, 4)), {"output_size": 1}),
        (draw((2, 3, 4)), {"output_size": None}),
        (draw((3, 8)), {"output_size": (None, 3)}),
    ]


def adaptive_avg_pool1d(input: Tensor, output_size: Size) -> Tensor:
    """Average every row in windows of about the same size: images of which the height is left alone.

    input (..., c, w) -> y (..., c, q)

    output_size  q; None for the size that the rows have

    Source: as `adaptive_avg_pool2d`.

    >>> from chalkgrad import tensor
    >>> adaptive_avg_pool1d(tensor([[1.0, 2.0, 3.0, 4.0, 5.0]]), 2)
    tensor([[2., 4.]])
    """
    y: Tensor = adaptive_avg_pool2d(input, output_size=(None, single(output_size, "output_size")))
    return y


class AdaptiveAvgPool1d(Module):
    """The averages of so many windows of every row; the size is explained at `adaptive_avg_pool1d`.

    Raises ValueError for a size that is none.

    >>> import chalkgrad as cg
    >>> AdaptiveAvgPool1d(4)(cg.ones(5, 8, 30)).shape
    (5, 8, 4)
    """

    def __init__(self, output_size: Size) -> None:
        super().__init__()
        self.output_size = output_size
        windows_wanted((None, single(output_size, "output_size")), (1, 1))  # its errors belong here

    def forward(self, x: Tensor) -> Tensor:
        """x (..., c, w) -> y (..., c, q)."""
        return adaptive_avg_pool1d(x, self.output_size)

    def extra_repr(self) -> str:
        """Say the size, as PyTorch does."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool2d(Module):
    """The averages of so many windows of every image; the size is explained at `adaptive_avg_pool2d`.

    Raises ValueError for a size that is none.

    >>> import chalkgrad as cg
    >>> AdaptiveAvgPool2d((4, None))(cg.ones(5, 8, 30, 20)).shape
    (5, 8, 4, 20)
    """

    def __init__(self, output_size: Size | tuple[Size, Size]) -> None:
        super().__init__()
        self.output_size = output_size
        windows_wanted(output_size, (1, 1))  # its errors belong here

    def forward(self, x: Tensor) -> Tensor:
        """x (..., h, w) -> y (..., p, q)."""
        y: Tensor = adaptive_avg_pool2d(x, output_size=self.output_size)
        return y

    def extra_repr(self) -> str:
        """Say the size, as PyTorch does."""
        return f"output_size={self.output_size}"

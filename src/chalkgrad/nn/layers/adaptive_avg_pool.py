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
from .pooling import check_images
from .windows import in_rows

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptivePoolNd", "Wanted", "adaptive_avg_pool",
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "counts_wanted", "pixels_in",
    "places_wanted", "sums_along", "window_lengths", "window_starts", "window_sums",
]

Wanted = int | None | tuple[int | None, ...]  # one number for all axes, or one for each; None for what there is


def counts_wanted(output_size, axes):
    """Read `output_size`, one number for all axes or one for each; None stands for the size that an axis has.

    >>> counts_wanted((None, 3), 2), counts_wanted(4, 3)
    ((None, 3), (4, 4, 4))
    """
    each = tuple(output_size) if isinstance(output_size, tuple | list) else (output_size,) * axes
    if len(each) != axes or not all(n is None or (isinstance(n, int | np.integer) and n >= 0) for n in each):
        wanted = "a whole number or None" if axes == 1 else f"a whole number, None, or a tuple of {axes} of them"
        raise ValueError(f"output_size is {wanted}, but {output_size!r} came.")
    return each


def places_wanted(name, shape, output_size, axes):
    """Say how many windows there are along each of the last axes of channels, or of a batch of them.

    >>> places_wanted("adaptive_avg_pool2d", (2, 8, 9), (None, 3), axes=2)
    (8, 3)
    """
    check_images(name, shape, axes, axes)
    return tuple([size if n is None else n for n, size in zip(counts_wanted(output_size, axes), shape[-axes:])])


def window_starts(size, count):
    """Say where each of `count` windows on an axis begins: window i goes from ⌊i·size/count⌋ up to ⌈(i+1)·size/count⌉.

    >>> window_starts(7, 3)
    array([0, 2, 4])
    """
    return np.arange(count) * size // max(count, 1)


def window_lengths(size, count):
    """Say how long each of these windows is.

    >>> window_lengths(7, 3)  # 0 to 3, 2 to 5, 4 to 7: they overlap where the sizes do not divide
    array([3, 3, 3])
    """
    return -(-np.arange(1, count + 1) * size // max(count, 1)) - window_starts(size, count)


def window_sums(x, count, axis):
    """Add up what lies in each of `count` windows along an axis, counted from behind.

    >>> window_sums(np.array([[1, 2, 3, 4, 5]]), 2, axis=-1)  # the pixel in the middle lies in both
    array([[ 6, 12]])
    """
    size = x.shape[axis]
    if count == size:
        return x
    if count == 1:
        return x.sum(axis=axis, keepdims=True)
    behind  = (slice(None),) * (-1 - axis)
    starts  = window_starts(size, count)
    lengths = window_lengths(size, count)
    short   = int(lengths.min(initial=size))
    total   = x[(..., starts, *behind)]
    for k in range(1, short):
        total = total + x[(..., starts + k, *behind)]
    long = np.flatnonzero(lengths > short)  # by one
    if len(long):
        total[(..., long, *behind)] += x[(..., starts[long] + short, *behind)]
    return total


def sums_along(x, counts):
    """Add up what lies in each window along the last axes.

    >>> sums_along(np.array([[1, 2], [3, 4]]), (1, 2))
    array([[4, 6]])
    """
    for axis, count in zip(range(-len(counts), 0), counts):
        x = window_sums(x, count, axis)
    return x


def pixels_in(sizes, counts):
    """Count the pixels of every window.

    >>> pixels_in((2, 5), (1, 3))
    array([[4, 6, 4]])
    """
    n = np.ones((), int)
    for size, count in zip(sizes, counts):
        n = np.multiply.outer(n, window_lengths(size, count))
    return n


@primitive
def adaptive_avg_pool(x, *, places):
    """Average the image in so many windows of about the same size along each axis.

    x (..., sizes) -> y (..., places)

    places  how many windows there are along each axis that is pooled, which are the last ones

    Window i of p goes from row ⌊i·h/p⌋ up to row ⌈(i+1)·h/p⌉, and likewise along other axes.

    Source: He et al. 2014; the windows are PyTorch's.

    >>> from chalkgrad import tensor
    >>> adaptive_avg_pool(tensor([[1.0, 2.0, 3.0, 4.0, 5.0]]), places=(2,))
    tensor([[2., 4.]])
    """
    sizes = x.shape[-len(places):]
    n     = pixels_in(sizes, places).astype(x.dtype)
    y     = sums_along(x, places) / n
    return y


@adaptive_avg_pool.backward
def adaptive_avg_pool_backward(grad_y, n, sizes):
    """
    1. y_i = (1/n_i) Σ x_j over the pixels j of window i, so pixel j gets g_i/n_i from each window that it lies in
    2. j lies in window i of p where ⌊i·h/p⌋ ≤ j < ⌈(i+1)·h/p⌉, that is, where i·h < (j+1)·p and j·p < (i+1)·h
    3. that says the same of i and j as of j and i: pixel j lies in those windows that window j of h would hold,
       were the windows the pixels. So the gradients are added up as the pixels were
    """
    share  = grad_y / n
    grad_x = in_rows(sums_along(share, sizes))
    return grad_x


@adaptive_avg_pool.examples
def adaptive_avg_pool_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Windows side by side; overlapping, some longer; more windows than pixels; one for all; none; rows; volumes."""
    draw = rng.standard_normal
    return [
        (draw((2, 3, 4, 6)), {"places": (2, 2)}),
        (draw((2, 1, 7, 5)), {"places": (5, 3)}),
        (draw((1, 2, 2, 3)), {"places": (5, 7)}),
        (draw((2, 2, 3, 4)), {"places": (1, 1)}),
        (draw((2, 3, 4)), {"places": (3, 4)}),
        (draw((3, 8)), {"places": (3,)}),
        (draw((2, 3, 5, 4)), {"places": (2, 3, 4)}),
    ]


def adaptive_avg_pool1d(input: Tensor, output_size: Wanted) -> Tensor:
    """Average every row in windows of about the same size.

    input (n, c, w) or (c, w) -> y (n, c, q) or (c, q)

    output_size  q; None for the size that the rows have

    Raises ValueError for a size that is none, ShapeError for an input of another shape.

    Source: as `adaptive_avg_pool`.

    >>> from chalkgrad import tensor
    >>> adaptive_avg_pool1d(tensor([[1.0, 2.0, 3.0, 4.0, 5.0]]), 2)
    tensor([[2., 4.]])
    """
    y: Tensor = adaptive_avg_pool(input, places=places_wanted("adaptive_avg_pool1d", input.shape, output_size, 1))
    return y


def adaptive_avg_pool2d(input: Tensor, output_size: Wanted) -> Tensor:
    """Average every image in p x q windows of about the same size.

    input (n, c, h, w) or (c, h, w) -> y (n, c, p, q) or (c, p, q)

    output_size  p and q, or one number for both; None for the size that the image has

    Raises ValueError for a size that is none, ShapeError for an input of another shape.

    Source: as `adaptive_avg_pool`.

    >>> from chalkgrad import tensor
    >>> adaptive_avg_pool2d(tensor([[[1.0, 2.0, 3.0, 4.0, 5.0]]]), (None, 2))
    tensor([[[2., 4.]]])
    """
    y: Tensor = adaptive_avg_pool(input, places=places_wanted("adaptive_avg_pool2d", input.shape, output_size, 2))
    return y


def adaptive_avg_pool3d(input: Tensor, output_size: Wanted) -> Tensor:
    """Average every volume in o x p x q windows of about the same size.

    input (n, c, d, h, w) or (c, d, h, w) -> y (n, c, o, p, q) or (c, o, p, q)

    output_size  o, p and q, or one number for all; None for the size that the volume has

    Raises ValueError for a size that is none, ShapeError for an input of another shape.

    Source: as `adaptive_avg_pool`.

    >>> import chalkgrad as cg
    >>> adaptive_avg_pool3d(cg.arange(8.0).reshape(1, 2, 2, 2), (2, 1, 1))
    tensor([[[[1.5]],
    <BLANKLINE>
             [[5.5]]]])
    """
    y: Tensor = adaptive_avg_pool(input, places=places_wanted("adaptive_avg_pool3d", input.shape, output_size, 3))
    return y


class AdaptivePoolNd(Module):
    """What adaptive poolings share: `axes`, how many axes they pool, and the size that is wanted."""

    axes: int

    def __init__(self, output_size: Wanted) -> None:
        super().__init__()
        self.output_size = output_size
        counts_wanted(output_size, self.axes)  # its errors belong here

    def extra_repr(self) -> str:
        """Say the size, as PyTorch does."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(AdaptivePoolNd):
    """The averages of so many windows of every row; the size is explained at `adaptive_avg_pool1d`.

    Raises ValueError for a size that is none.

    >>> import chalkgrad as cg
    >>> AdaptiveAvgPool1d(4)(cg.ones(5, 8, 30)).shape
    (5, 8, 4)
    """

    axes = 1

    def forward(self, input: Tensor) -> Tensor:
        """input (..., c, w) -> y (..., c, q)."""
        return adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(AdaptivePoolNd):
    """The averages of so many windows of every image; the size is explained at `adaptive_avg_pool2d`.

    Raises ValueError for a size that is none.

    >>> import chalkgrad as cg
    >>> AdaptiveAvgPool2d((4, None))(cg.ones(5, 8, 30, 20)).shape
    (5, 8, 4, 20)
    """

    axes = 2

    def forward(self, input: Tensor) -> Tensor:
        """input (..., c, h, w) -> y (..., c, p, q)."""
        return adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(AdaptivePoolNd):
    """The averages of so many windows of every volume; the size is explained at `adaptive_avg_pool3d`.

    Raises ValueError for a size that is none.

    >>> import chalkgrad as cg
    >>> AdaptiveAvgPool3d((4, None, 1))(cg.ones(5, 8, 30, 20, 10)).shape
    (5, 8, 4, 20, 1)
    """

    axes = 3

    def forward(self, input: Tensor) -> Tensor:
        """input (..., c, d, h, w) -> y (..., c, o, p, q)."""
        return adaptive_avg_pool3d(input, self.output_size)

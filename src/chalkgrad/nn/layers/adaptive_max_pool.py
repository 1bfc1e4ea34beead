"""AdaptiveMaxPool: the largest pixels of so many windows as the next layer wants, whatever the size of the image.

One window for the whole image asks whether a feature is there at all: so Oquab et al. (2015) found where objects are
from pictures that only said which. With a few windows of each kind, it is the spatial pyramid of He et al. (2014).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .adaptive_avg_pool import AdaptivePoolNd, Wanted, places_wanted, window_lengths, window_starts
from .maxima import largest, put_back
from .pooling import with_indices

__all__ = [
    "AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d", "AdaptiveMaxPoolNd", "adaptive_max_pool",
    "adaptive_max_pool1d", "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices", "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices",
    "adaptive_windows",
]


def adaptive_windows(size, count):
    """List the positions (k, count) that each of `count` windows on an axis sees; short ones see their last twice.

    >>> adaptive_windows(4, 3).tolist()  # from 0 to 2, from 1 to 3, from 2 to 4
    [[0, 1, 2], [1, 2, 3]]
    """
    lengths = window_lengths(size, count)
    steps   = np.arange(lengths.max(initial=1))[:, None]
    return window_starts(size, count) + np.minimum(steps, lengths - 1)


@primitive
def adaptive_max_pool(x, *, places):
    """Keep the largest pixel of each of so many windows of about the same size, and tell its index in the flat image.

    x (..., sizes) -> y (..., places), indices (..., places)

    places  how many windows there are along each axis that is pooled, which are the last ones

    The windows are those of `adaptive_avg_pool`: window i of p goes from row ⌊i·h/p⌋ up to row ⌈(i+1)·h/p⌉. Of several
    pixels that are equally large, the index is that of the first; but nan counts as larger than all, and of several the
    index is that of the last, as in PyTorch.

    Source: He et al. 2014; the windows are PyTorch's.

    >>> from chalkgrad import tensor
    >>> adaptive_max_pool(tensor([[1.0, 2.0, 5.0, 4.0, 3.0]]), places=(2,))
    (tensor([[5., 5.]]), tensor([[2, 2]]))
    """
    sizes      = x.shape[-len(places):]
    windows    = [adaptive_windows(size, count) for size, count in zip(sizes, places)]
    y, indices = largest(x, windows)
    return y, indices


@adaptive_max_pool.backward
def adaptive_max_pool_backward(grad_y, indices, sizes):
    """Only the pixel that was kept had a say in the loss; the largest of several windows had one in all of them."""
    grad_x = put_back(grad_y, indices, sizes)
    return grad_x


@adaptive_max_pool.examples
def adaptive_max_pool_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Windows side by side; overlapping, some longer; more windows than pixels; one for all; rows; volumes."""
    def draw(*shape: int) -> Any:
        return rng.permutation(math.prod(shape)).reshape(shape) / 8  # no two are equal: there is no derivative at ties

    return [
        (draw(2, 3, 4, 6), {"places": (2, 2)}),
        (draw(2, 1, 7, 5), {"places": (5, 3)}),
        (draw(1, 2, 2, 3), {"places": (5, 7)}),
        (draw(2, 2, 3, 4), {"places": (1, 1)}),
        (draw(3, 8), {"places": (3,)}),
        (draw(2, 3, 5, 4), {"places": (2, 3, 4)}),
    ]


def adaptive_max_pool1d(input: Tensor, output_size: Wanted, return_indices: bool = False) -> Any:
    """Keep the largest number of each of so many windows of every row, or return a pair: these, and their positions.

    input (n, c, w) or (c, w) -> y (n, c, q) or (c, q)

    output_size     q; None for the size that the rows have
    return_indices  return int64 positions too, which max_unpool1d takes

    Raises ValueError for a size that is none, ShapeError for an input of another shape.

    Source: as `adaptive_max_pool`.

    >>> from chalkgrad import tensor
    >>> adaptive_max_pool1d(tensor([[1.0, 2.0, 5.0, 4.0, 3.0]]), 2)
    tensor([[5., 5.]])
    """
    both = adaptive_max_pool(input, places=places_wanted("adaptive_max_pool1d", input.shape, output_size, 1))
    return both if return_indices else both[0]


def adaptive_max_pool2d(input: Tensor, output_size: Wanted, return_indices: bool = False) -> Any:
    """Keep the largest pixel of each of p x q windows of every image, or return a pair: these, and their indices.

    input (n, c, h, w) or (c, h, w) -> y (n, c, p, q) or (c, p, q)

    output_size     p and q, or one number for both; None for the size that the image has
    return_indices  return int64 indices in the flat images too, which max_unpool2d takes: row · width + column

    Raises ValueError for a size that is none, ShapeError for an input of another shape.

    Source: as `adaptive_max_pool`.

    >>> from chalkgrad import tensor
    >>> adaptive_max_pool2d(tensor([[[1.0, 2.0, 0.0, 0.0], [4.0, 3.0, 0.0, 5.0]]]), (1, 2), return_indices=True)
    (tensor([[[4., 5.]]]), tensor([[[4, 7]]]))
    """
    both = adaptive_max_pool(input, places=places_wanted("adaptive_max_pool2d", input.shape, output_size, 2))
    return both if return_indices else both[0]


def adaptive_max_pool3d(input: Tensor, output_size: Wanted, return_indices: bool = False) -> Any:
    """Keep the largest number of each of o x p x q windows of every volume, or return a pair: these, and their indices.

    input (n, c, d, h, w) or (c, d, h, w) -> y (n, c, o, p, q) or (c, o, p, q)

    output_size     o, p and q, or one number for all; None for the size that the volume has
    return_indices  return int64 indices in the flat volumes too, which max_unpool3d takes

    Raises ValueError for a size that is none, ShapeError for an input of another shape.

    Source: as `adaptive_max_pool`.

    >>> import chalkgrad as cg
    >>> adaptive_max_pool3d(cg.arange(8.0).reshape(1, 2, 2, 2), (2, 1, 1))
    tensor([[[[3.]],
    <BLANKLINE>
             [[7.]]]])
    """
    both = adaptive_max_pool(input, places=places_wanted("adaptive_max_pool3d", input.shape, output_size, 3))
    return both if return_indices else both[0]


adaptive_max_pool1d_with_indices = with_indices(adaptive_max_pool1d)
adaptive_max_pool2d_with_indices = with_indices(adaptive_max_pool2d)
adaptive_max_pool3d_with_indices = with_indices(adaptive_max_pool3d)


class AdaptiveMaxPoolNd(AdaptivePoolNd):
    """What AdaptiveMaxPool1d, AdaptiveMaxPool2d and AdaptiveMaxPool3d share."""

    def __init__(self, output_size: Wanted, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices


class AdaptiveMaxPool1d(AdaptiveMaxPoolNd):
    """The largest of so many windows of every row; the arguments are explained at `adaptive_max_pool1d`.

    Raises ValueError for a size that is none.

    >>> import chalkgrad as cg
    >>> AdaptiveMaxPool1d(4)(cg.ones(5, 8, 30)).shape
    (5, 8, 4)
    """

    axes = 1

    def forward(self, input: Tensor) -> Any:
        """input (..., c, w) -> y (..., c, q), or y and indices (..., c, q)."""
        return adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(AdaptiveMaxPoolNd):
    """The largest pixels of so many windows of every image; the arguments are explained at `adaptive_max_pool2d`.

    Raises ValueError for a size that is none.

    >>> import chalkgrad as cg
    >>> AdaptiveMaxPool2d((4, None))(cg.ones(5, 8, 30, 20)).shape
    (5, 8, 4, 20)
    """

    axes = 2

    def forward(self, input: Tensor) -> Any:
        """input (..., c, h, w) -> y (..., c, p, q), or y and indices (..., c, p, q)."""
        return adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(AdaptiveMaxPoolNd):
    """The largest of so many windows of every volume; the arguments are explained at `adaptive_max_pool3d`.

    Raises ValueError for a size that is none.

    >>> import chalkgrad as cg
    >>> AdaptiveMaxPool3d((4, None, 1))(cg.ones(5, 8, 30, 20, 10)).shape
    (5, 8, 4, 20, 1)
    """

    axes = 3

    def forward(self, input: Tensor) -> Any:
        """input (..., c, d, h, w) -> y (..., c, o, p, q), or y and indices (..., c, o, p, q)."""
        return adaptive_max_pool3d(input, self.output_size, self.return_indices)

"""MaxUnpool: put pooled pixels back where they were the largest, and leave the rest of the image black.

Pooling forgets where in its window the largest pixel lay. With the indices that it can return, an image of the old size
comes back: Zeiler & Fergus (2014) looked at what a network sees that way, and SegNet draws sharp outlines with it
(Badrinarayanan, Kendall & Cipolla 2017).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ..module import Module
from .geometry import per_axis
from .maxima import flat_indices, pick
from .pooling import Sizes, check_images, window_sizes

__all__ = [
    "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d", "MaxUnpoolNd", "max_unpool", "max_unpool1d", "max_unpool2d",
    "max_unpool3d", "max_unpool_nd", "size_wanted", "within",
]


def within(indices, size):
    """Return indices that all name one of so many pixels; raise IndexError for others.

    >>> within(np.array([0, 3]), 4)
    array([0, 3])
    """
    if indices.size and (indices.min() < 0 or indices.max() >= size):
        raise IndexError(f"indices go from {indices.min()} to {indices.max()}, but an image has {size} pixels; the "
                         "indices of a pooling go with the size that it pooled.")
    return indices


@primitive
def max_unpool(x, indices, *, sizes):
    """Put each pixel of x at its index in an image of zeros: y[indices[p]] = x[p].

    x (..., places), indices (..., places) -> y (..., sizes)

    indices  whole numbers: which pixel of the flat image; if several are the same, the last one stands
    sizes    of the images that come out, whose axes are the last ones

    Raises IndexError for an index that is not in the image.

    Source: Zeiler & Fergus 2014, section 2.1.

    >>> from chalkgrad import tensor
    >>> max_unpool(tensor([[4.0, 5.0]]), tensor([[4, 7]]), sizes=(2, 4))
    tensor([[0., 0., 0., 0.],
            [4., 0., 0., 5.]])
    """
    images  = x.shape[: x.ndim - len(sizes)]
    size    = math.prod(sizes)
    row     = np.zeros_like(x, shape=math.prod(images) * size)
    at      = flat_indices(within(indices, size), len(sizes), size)
    row[at] = x.reshape(-1)
    y       = row.reshape(*images, *sizes)
    return y


@max_unpool.backward
def max_unpool_backward(grad_y, indices, sizes):
    """
    1. the pixel at an index is what came from x, so x gets the gradient from there
    2. where windows overlap, one pixel may come several times; PyTorch gives all of them its gradient, and so do we
    """
    grad_x = pick(grad_y, indices, len(sizes))
    return grad_x


@max_unpool.examples
def max_unpool_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Images; rows; volumes; a matrix."""
    def draw(places: tuple[int, ...], sizes: tuple[int, ...], *images: int) -> tuple[Any, ...]:
        all_of_them = rng.permuted(np.broadcast_to(np.arange(math.prod(sizes)), (*images, math.prod(sizes))), axis=-1)
        indices = all_of_them[..., : math.prod(places)].reshape(*images, *places)
        return rng.standard_normal((*images, *places)), indices, {"sizes": sizes}

    return [
        draw((2, 2), (4, 5), 2, 3),
        draw((3,), (7,), 2),
        draw((1, 2, 2), (2, 4, 5), 3),
        draw((1, 2), (2, 3)),
    ]


def size_wanted(
    places: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...],
    output_size: Sequence[int] | None,
) -> tuple[int, ...]:
    """Say how large the images are that were pooled to so many places; several sizes lead there, one may be wanted.

    >>> size_wanted((2, 2), (2, 2), (2, 2), (0, 0), None), size_wanted((2, 2), (2, 2), (2, 2), (0, 0), (8, 3, 5, 4))
    ((4, 4), (5, 4))
    """
    usual = tuple((p - 1) * s - 2 * b + k for p, k, s, b in zip(places, kernel, stride, padding, strict=True))
    if output_size is None:
        return usual
    wanted = tuple(output_size)
    wanted = wanted[2:] if len(wanted) == len(usual) + 2 else wanted
    if len(wanted) != len(usual) or not all(u - s < n < u + s for u, s, n in zip(usual, stride, wanted, strict=True)):
        raise ValueError(f"output_size={tuple(output_size)} does not go with {places} places: it has {len(usual)} "
                         f"numbers, or two more in front, and each is nearer than stride={stride} to {usual}.")
    return wanted


def max_unpool_nd(
    name: str, axes: int, x: Tensor, indices: Tensor, kernel_size: Sizes, stride: Sizes | None, padding: Sizes,
    output_size: Sequence[int] | None,
) -> Tensor:
    """Undo a pooling of the last axes, so many; errors go by the name of who asks.

    >>> from chalkgrad import tensor
    >>> max_unpool_nd("max_unpool1d", 1, tensor([[4.0, 5.0]]), tensor([[1, 2]]), 2, None, 0, None)
    tensor([[0., 4., 5., 0.]])
    """
    check_images(name, x.shape, axes, axes + 1)
    if indices.shape != x.shape or indices.dtype.kind not in "iu":
        raise ShapeError(f"{name}: indices are whole numbers, one for each of x {x.shape}, but {indices.shape} "
                         f"{indices.dtype} came.")
    kernel, step, border, _ = window_sizes(axes, kernel_size, stride, padding)
    y: Tensor = max_unpool(x, indices, sizes=size_wanted(x.shape[-axes:], kernel, step, border, output_size))
    return y


def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Put pooled numbers back where they were the largest of their rows.

    input, indices (n, c, q) or (c, q) -> y (n, c, w) or (c, w)

    The other arguments are those of `max_unpool2d`, with one number each.

    >>> import chalkgrad as cg
    >>> y, indices = cg.nn.functional.max_pool1d(cg.tensor([[1.0, 4.0, 0.0, 2.0]]), 2, return_indices=True)
    >>> max_unpool1d(y, indices, 2)
    tensor([[0., 4., 0., 2.]])
    """
    return max_unpool_nd("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Put pooled pixels back where they were the largest of their images, and 0 everywhere else.

    input, indices (n, c, p, q) or (c, p, q) -> y (n, c, h, w) or (c, h, w)

    indices      what max_pool2d(..., return_indices=True) returned
    kernel_size  that of the pooling, as the next two: one number for both axes, or a pair
    stride       as the kernel if not given
    padding      pixels around the image
    output_size  h and w, or the whole shape (n, c, h, w). Several sizes are pooled to the same; if not given, it is the
                 one that the windows fill

    Raises ValueError for an output_size that would not be pooled to this one, ShapeError if the shapes differ, and
    IndexError for an index that is not in the image.

    Source: as `max_unpool`.

    >>> import chalkgrad as cg
    >>> x = cg.tensor([[[1.0, 2.0, 0.0], [4.0, 3.0, 5.0]]])
    >>> y, indices = cg.nn.functional.max_pool2d(x, 2, return_indices=True)
    >>> max_unpool2d(y, indices, 2, output_size=(2, 3))
    tensor([[[0., 0., 0.],
             [4., 0., 0.]]])
    """
    return max_unpool_nd("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor, indices: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Put pooled numbers back where they were the largest of their volumes.

    input, indices (n, c, o, p, q) or (c, o, p, q) -> y (n, c, d, h, w) or (c, d, h, w)

    The other arguments are those of `max_unpool2d`, with up to three numbers each.

    >>> import chalkgrad as cg
    >>> max_unpool3d(cg.ones(1, 1, 1, 1), cg.tensor([[[[5]]]]), 2).flatten()
    tensor([0., 0., 0., 0., 0., 1., 0., 0.])
    """
    return max_unpool_nd("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)


class MaxUnpoolNd(Module):
    """What MaxUnpool1d, MaxUnpool2d and MaxUnpool3d share: all but the number of `axes`."""

    axes: int

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        super().__init__()
        self.kernel_size = per_axis(kernel_size, "kernel_size", self.axes)
        self.stride = self.kernel_size if stride is None else per_axis(stride, "stride", self.axes)
        self.padding = per_axis(padding, "padding", self.axes, least=0)

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """input, indices (..., c, places) -> y (..., c, sizes)."""
        return max_unpool_nd(
            type(self).__name__, self.axes, input, indices, self.kernel_size, self.stride, self.padding, output_size
        )

    def extra_repr(self) -> str:
        """Say the sizes, as PyTorch does."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(MaxUnpoolNd):
    """The numbers that MaxPool1d kept, back in their rows; the arguments are explained at `max_unpool2d`.

    Raises ValueError for sizes that are none.

    >>> import chalkgrad as cg
    >>> y, indices = cg.nn.MaxPool1d(2, return_indices=True)(cg.ones(5, 8, 6))
    >>> MaxUnpool1d(2)(y, indices).shape
    (5, 8, 6)
    """

    axes = 1


class MaxUnpool2d(MaxUnpoolNd):
    """The pixels that MaxPool2d kept, back in their images; the arguments are explained at `max_unpool2d`.

    Raises ValueError for sizes that are none.

    >>> import chalkgrad as cg
    >>> y, indices = cg.nn.MaxPool2d(2, return_indices=True)(cg.ones(5, 8, 6, 7))
    >>> MaxUnpool2d(2)(y, indices, output_size=(6, 7)).shape
    (5, 8, 6, 7)
    """

    axes = 2


class MaxUnpool3d(MaxUnpoolNd):
    """The numbers that MaxPool3d kept, back in their volumes; the arguments are explained at `max_unpool2d`.

    Raises ValueError for sizes that are none.

    >>> import chalkgrad as cg
    >>> y, indices = cg.nn.MaxPool3d(2, return_indices=True)(cg.ones(5, 8, 6, 6, 4))
    >>> MaxUnpool3d(2)(y, indices).shape
    (5, 8, 6, 6, 4)
    """

    axes = 3

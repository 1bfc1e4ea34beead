"""MaxPool: a window of pixels becomes its largest, so that images shrink and small shifts stop to matter.

Averages came first (LeCun et al. 1989 called it subsampling); the largest element, which says whether a feature is
there anywhere in the window, mostly does better (Scherer, Müller & Behnke 2010).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ..module import Module
from .maxima import largest, put_back
from .pooling import Sizes, check_images, pool_frame, share_nothing, window_sizes, with_indices
from .windows import crop, in_rows, output_size, pad, places

__all__ = [
    "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxPoolNd", "lowest", "max_pool", "max_pool1d",
    "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices",
    "max_pool_nd", "max_pool_with_indices", "room_for", "windows_of",
]


def lowest(dtype):
    """Return what is below all numbers of a dtype, or the least of its whole numbers.

    >>> lowest(np.dtype("float32")), lowest(np.dtype("uint8"))
    (-inf, 0)
    """
    if dtype.kind == "b":
        raise TypeError("true and false are not pooled; x.float() makes numbers of them.")
    return -math.inf if dtype.kind == "f" else np.iinfo(dtype).min


def room_for(framed, y, pixels, apart):
    """Make an array for the gradients of images; it need not be cleared where windows of so many pixels tile them."""
    return np.empty_like(framed) if apart and y.size * pixels == framed.size else np.zeros_like(framed)


@primitive
def max_pool(x, *, kernel_size, stride, padding, dilation, ceil_mode=False):
    """Keep the largest pixel of every window: y[p, q] = max over i, j of x[p·s + i·d, q·s + j·d].

    x (..., sizes) -> y (..., places)

    So it is on two axes. The last axes are pooled, as many as the kernel has:

    kernel_size  the sizes of a window, one for each axis
    stride       pixels from one window to the next, s, for each axis
    padding      pixels of -∞ around the image, at most half the kernel, for each axis
    dilation     pixels from one neighbour in a window to the next, d, for each axis
    ceil_mode    a window may hang out behind, if it starts inside

    Raises ShapeError if no window fits in the image.

    Source: Riesenhuber & Poggio 1999.

    >>> from chalkgrad import tensor
    >>> x = tensor([[1.0, 2.0, 0.0, 0.0], [4.0, 3.0, 0.0, 5.0]])
    >>> max_pool(x, kernel_size=(2, 2), stride=(2, 2), padding=(0, 0), dilation=(1, 1))
    tensor([[4., 5.]])
    """
    frame  = pool_frame(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    framed = pad(x, frame, lowest(x.dtype))
    spots  = places(framed.shape, kernel_size, stride, dilation)
    apart  = share_nothing(kernel_size, stride, dilation)
    y      = np.maximum(framed[spots[0]], framed[spots[-1]])
    for spot in spots[1:-1]:
        y = np.maximum(y, framed[spot])
    return y


@max_pool.backward
def max_pool_backward(grad_y, x, y, frame, spots, apart):
    """
    1. y is one of the pixels of its window: raised a little, that pixel raises y as much, and no other does
    2. if several are equally large, the first in reading order takes the gradient, as in PyTorch, and leaves no rest;
       so the last pixel takes what is left
    3. a pixel may be the largest of several windows, and gets the gradients of all of them
    4. the frame takes none, though a pixel may be -∞ as well: here it is nan, which equals nothing
    """
    framed      = pad(x, frame, math.nan)
    grad_framed = room_for(framed, y, len(spots), apart)
    rest        = in_rows(grad_y)
    for spot in spots:
        taken = rest
        if spot != spots[-1]:
            taken = rest * (framed[spot] == y)
            rest  = rest - taken
        if apart:
            grad_framed[spot] = taken  # there is nothing to add to, and storing is twice as fast
        else:
            grad_framed[spot] += taken
    grad_x = crop(grad_framed, frame)
    return grad_x


@max_pool.examples
def max_pool_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Windows side by side; overlapping, framed; gaps inside and between, hanging out; a matrix; rows; volumes."""
    def draw(*shape: int) -> Any:
        return rng.permutation(math.prod(shape)).reshape(shape) / 8  # no two are equal: there is no derivative at ties

    def sizes(kernel: Any, stride: Any, padding: Any, dilation: Any, **ceil_mode: Any) -> dict[str, Any]:
        return {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation, **ceil_mode}

    return [
        (draw(2, 3, 4, 6), sizes((2, 2), (2, 2), (0, 0), (1, 1))),
        (draw(2, 1, 5, 4), sizes((3, 3), (1, 1), (1, 1), (1, 1))),
        (draw(1, 2, 6, 8), sizes((2, 3), (3, 2), (0, 1), (2, 2), ceil_mode=True)),
        (draw(3, 3), sizes((1, 3), (1, 3), (0, 0), (1, 1))),
        (draw(2, 3, 7), sizes((3,), (2,), (1,), (1,))),
        (draw(2, 3, 4, 5), sizes((2, 2, 3), (1, 2, 2), (0, 1, 1), (1, 1, 1), ceil_mode=True)),
    ]


def windows_of(shape, kernel, stride, padding, dilation, ceil_mode):
    """For each of the last axes, list the positions (k, p) that its p windows see.

    What lies in the frame is replaced by the pixel of the same window that is nearest: the largest is the same.

    >>> [*map(np.ndarray.tolist, windows_of((5,), (3,), (2,), (1,), (1,), ceil_mode=False))]
    [[[0, 1, 3], [0, 2, 4], [1, 3, 4]]]
    """
    frame  = pool_frame(shape, kernel, stride, padding, dilation, ceil_mode)
    sizes  = shape[-len(kernel):]
    counts = output_size([size + sum(both) for size, both in zip(sizes, frame)], kernel, stride, dilation)
    found  = []
    for size, k, step, border, d, count in zip(sizes, kernel, stride, padding, dilation, counts):
        seen = np.arange(k)[:, None] * d + np.arange(count) * step - border
        seen = seen - np.minimum(seen // d, 0) * d
        seen = seen + np.minimum((size - 1 - seen) // d, 0) * d
        if (seen < 0).any():
            raise ValueError(f"a window of {k} pixels that are {d} apart sees none of {size} pixels, and has no index.")
        found.append(seen)
    return found


@primitive
def max_pool_with_indices(x, *, kernel_size, stride, padding, dilation, ceil_mode=False):
    """Keep the largest pixel of every window, as `max_pool` does, and tell its index in the flat image.

    x (..., sizes) -> y (..., places), indices (..., places)

    The options are those of `max_pool`. Of several pixels that are equally large, the index is that of the first; but
    nan counts as larger than all, and of several the index is that of the last, as in PyTorch.

    Raises ShapeError if no window fits in the image, or one sees nothing but padding.

    Source: Zeiler & Fergus 2014, section 2.1: the indices are the switches, by which max_unpool puts the pixels back.

    >>> from chalkgrad import tensor
    >>> x = tensor([[1.0, 2.0, 0.0, 0.0], [4.0, 3.0, 0.0, 5.0]])
    >>> max_pool_with_indices(x, kernel_size=(2, 2), stride=(2, 2), padding=(0, 0), dilation=(1, 1))
    (tensor([[4., 5.]]), tensor([[4, 7]]))
    """
    sizes      = x.shape[-len(kernel_size):]
    windows    = windows_of(x.shape, kernel_size, stride, padding, dilation, ceil_mode)
    y, indices = largest(x, windows)
    return y, indices


@max_pool_with_indices.backward
def max_pool_with_indices_backward(grad_y, indices, sizes):
    """Only the pixel that was kept had a say in the loss; the largest of several windows had one in all of them."""
    grad_x = put_back(grad_y, indices, sizes)
    return grad_x


max_pool_with_indices.examples(max_pool_examples)


def max_pool_nd(
    name: str, axes: int, x: Tensor, kernel_size: Sizes, stride: Sizes | None, padding: Sizes, dilation: Sizes,
    ceil_mode: bool, return_indices: bool,
) -> Any:
    """Pool the last axes of x, so many; errors go by the name of who asks.

    >>> from chalkgrad import tensor
    >>> max_pool_nd("max_pool1d", 1, tensor([[1.0, 3.0, 2.0]]), 2, 1, 0, 1, ceil_mode=False, return_indices=True)
    (tensor([[3., 3.]]), tensor([[1, 1]]))
    """
    check_images(name, x.shape, axes, axes + 1)
    kernel, step, border, spread = window_sizes(axes, kernel_size, stride, padding, dilation)
    rule = max_pool_with_indices if return_indices else max_pool
    return rule(x, kernel_size=kernel, stride=step, padding=border, dilation=spread, ceil_mode=ceil_mode)


def max_pool1d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:
    """Keep the largest number of every window on rows, or return a pair: these, and their positions in the rows.

    input (n, c, w) or (c, w) -> y (n, c, q) or (c, q)

    The other arguments are those of `max_pool2d`, with one number each.

    >>> from chalkgrad import tensor
    >>> max_pool1d(tensor([[1.0, 2.0, 0.0, 3.0]]), 2)
    tensor([[2., 3.]])
    """
    return max_pool_nd(
        "max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def max_pool2d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:
    """Keep the largest pixel of every window, or return a pair: these, and their indices in the flat images.

    input (n, c, h, w) or (c, h, w) -> y (n, c, p, q) or (c, p, q)

    kernel_size     the height and width of a window; each of these is one number for both, or a pair
    stride          pixels from one window to the next; as the kernel if not given, so that no windows overlap
    padding         pixels of -∞ around the image, at most half the kernel
    dilation        pixels from one neighbour in a window to the next
    ceil_mode       a window may hang out at the bottom and on the right, if it starts inside
    return_indices  return int64 indices too, which max_unpool2d takes: row · width + column

    Raises ShapeError if no window fits in the image, and ValueError for sizes that do not make a window.

    Source: as `max_pool`.

    >>> from chalkgrad import tensor
    >>> max_pool2d(tensor([[[1.0, 2.0, 0.0, 0.0], [4.0, 3.0, 0.0, 5.0]]]), 2, return_indices=True)
    (tensor([[[4., 5.]]]), tensor([[[4, 7]]]))
    """
    return max_pool_nd(
        "max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def max_pool3d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
    ceil_mode: bool = False, return_indices: bool = False,
) -> Any:
    """Keep the largest number of every window in volumes, or return a pair: these, and their indices.

    input (n, c, d, h, w) or (c, d, h, w) -> y (n, c, o, p, q) or (c, o, p, q)

    The other arguments are those of `max_pool2d`, with up to three numbers each.

    >>> import chalkgrad as cg
    >>> max_pool3d(cg.arange(8.0).reshape(1, 2, 2, 2), 2)
    tensor([[[[7.]]]])
    """
    return max_pool_nd(
        "max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


max_pool1d_with_indices = with_indices(max_pool1d)
max_pool2d_with_indices = with_indices(max_pool2d)
max_pool3d_with_indices = with_indices(max_pool3d)


class MaxPoolNd(Module):
    """What MaxPool1d, MaxPool2d and MaxPool3d share: all but the number of `axes`."""

    axes: int

    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
        return_indices: bool = False, ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode
        window_sizes(self.axes, kernel_size, stride, padding, dilation)  # its errors belong here

    def forward(self, input: Tensor) -> Any:
        """input (..., c, sizes) -> y (..., c, places), or y and indices (..., c, places)."""
        return max_pool_nd(
            type(self).__name__, self.axes, input, self.kernel_size, self.stride, self.padding, self.dilation,
            self.ceil_mode, self.return_indices,
        )

    def extra_repr(self) -> str:
        """Say the sizes, as PyTorch does."""
        return (f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
                f"dilation={self.dilation}, ceil_mode={self.ceil_mode}")


class MaxPool1d(MaxPoolNd):
    """The largest number of every window on rows (n, c, w) or (c, w); the arguments are explained at `max_pool2d`.

    With return_indices, a pair: these, and their positions in the rows.

    Raises ValueError for sizes that do not make a window.

    >>> import chalkgrad as cg
    >>> MaxPool1d(3, stride=2)(cg.ones(5, 8, 9)).shape
    (5, 8, 4)
    """

    axes = 1


class MaxPool2d(MaxPoolNd):
    """The largest pixel of every window of images (n, c, h, w) or (c, h, w); the arguments are those of `max_pool2d`.

    With return_indices, a pair: these, and their indices in the flat images.

    Raises ValueError for sizes that do not make a window.

    >>> import chalkgrad as cg
    >>> MaxPool2d(2)(cg.ones(5, 8, 28, 28)).shape
    (5, 8, 14, 14)
    """

    axes = 2


class MaxPool3d(MaxPoolNd):
    """The largest number of every window in volumes (n, c, d, h, w) or (c, d, h, w); see `max_pool2d` for arguments.

    With return_indices, a pair: these, and their indices in the flat volumes.

    Raises ValueError for sizes that do not make a window.

    >>> import chalkgrad as cg
    >>> MaxPool3d((1, 2, 2))(cg.ones(5, 8, 3, 6, 6)).shape
    (5, 8, 3, 3, 3)
    """

    axes = 3

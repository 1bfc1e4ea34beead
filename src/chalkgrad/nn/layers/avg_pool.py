"""AvgPool: a window of pixels becomes its average, so that images shrink and keep what they are on the whole.

It is the oldest pooling: LeCun et al. (1989, 1990) called it subsampling, and it is a convolution whose kernel is not
learned, one channel at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ..module import Module
from .geometry import per_axis
from .pooling import Sizes, check_images, pool_frame, share_nothing, window_sizes
from .windows import crop, pad, places

__all__ = [
    "AvgPool1d", "AvgPool2d", "AvgPool3d", "AvgPoolNd", "avg_pool", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "avg_pool_nd", "divisors",
]


def divisors(shape, dtype, frame, spots, counted, override):
    """Count the pixels that each average is taken of: those in the image and in the `counted` part of its frame."""
    if override is not None:
        if override == 0:
            raise ValueError("divisor_override=0 would divide by zero; leave it out to divide by the number of pixels.")
        return override
    if frame == tuple([(n, n) for n in counted]):
        return len(spots)
    sizes = shape[-len(frame):]
    there = np.zeros([before + size + after for (before, after), size in zip(frame, sizes)], dtype)
    there[tuple([slice(b - n, b + size + n) for (b, _), size, n in zip(frame, sizes, counted)])] = 1
    return sum([there[spot] for spot in spots])


@primitive
def avg_pool(x, *, kernel_size, stride, padding, ceil_mode=False, count_include_pad=True, divisor_override=None):
    """Average every window: y[p, q] = (1/n) Σ_ij x[p·s + i, q·s + j].

    x (..., sizes) -> y (..., places)

    So it is on two axes. The last axes are pooled, as many as the kernel has:

    kernel_size        the sizes of a window, one for each axis
    stride             pixels from one window to the next, s, for each axis
    padding            pixels of zeros around the image, at most half the kernel, for each axis
    ceil_mode          a window may hang out behind, if it starts inside
    count_include_pad  count the padding as pixels in n; what hangs out beyond it never counts
    divisor_override   divide by this number instead of n

    Whole numbers stay whole: their averages are rounded towards 0, as in PyTorch.

    Raises ShapeError if no window fits in the image, or divisor_override is 0.

    Source: LeCun et al. 1990; the options are PyTorch's.

    >>> from chalkgrad import tensor
    >>> x = tensor([[1.0, 2.0, 0.0, 0.0], [4.0, 3.0, 0.0, 6.0]])
    >>> avg_pool(x, kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))
    tensor([[2.5, 1.5]])
    """
    one     = (1,) * len(kernel_size)
    frame   = pool_frame(x.shape, kernel_size, stride, padding, one, ceil_mode)
    framed  = pad(x, frame)
    shape   = framed.shape
    spots   = places(shape, kernel_size, stride, one)
    apart   = share_nothing(kernel_size, stride, one)
    counted = padding if count_include_pad else (0,) * len(kernel_size)
    n       = divisors(x.shape, x.dtype, frame, spots, counted, divisor_override)
    total   = framed[spots[0]]
    for spot in spots[1:]:
        total = total + framed[spot]
    if x.dtype.kind == "f":
        y = total / n
    else:
        y = np.trunc(total / n).astype(x.dtype)
    return y


@avg_pool.backward
def avg_pool_backward(grad_y, n, shape, frame, spots, apart):
    """
    1. y = (1/n) Σ x, so every pixel of the window has the part 1/n in y, and gets that part of the gradient
    2. a pixel in several windows gets the gradients of all of them; one in the frame is a constant zero and needs none
    """
    share       = grad_y / n
    grad_framed = np.zeros_like(grad_y, shape=shape)
    for spot in spots:
        if apart:
            grad_framed[spot] = share  # there is nothing to add to, and storing is twice as fast
        else:
            grad_framed[spot] += share
    grad_x = crop(grad_framed, frame)
    return grad_x


@avg_pool.examples
def avg_pool_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Windows side by side; overlapping, framed; hanging out, with and without padding; a matrix; rows; volumes."""
    draw = rng.standard_normal

    def sizes(kernel: Any, stride: Any, padding: Any, **options: Any) -> dict[str, Any]:
        return {"kernel_size": kernel, "stride": stride, "padding": padding, **options}

    out = sizes((3, 2), (2, 3), (1, 1), ceil_mode=True)
    return [
        (draw((2, 3, 4, 6)), sizes((2, 2), (2, 2), (0, 0))),
        (draw((2, 1, 5, 4)), sizes((3, 3), (1, 1), (1, 1))),
        (draw((1, 2, 6, 6)), out),
        (draw((1, 2, 6, 6)), {**out, "count_include_pad": False}),
        (draw((3, 3)), sizes((1, 3), (1, 3), (0, 0), divisor_override=2)),
        (draw((2, 3, 7)), sizes((3,), (2,), (1,))),
        (draw((2, 3, 4, 5)), sizes((2, 2, 3), (1, 2, 2), (0, 1, 1), ceil_mode=True, count_include_pad=False)),
    ]


def avg_pool_nd(
    name: str, axes: int, x: Tensor, kernel_size: Sizes, stride: Sizes | None, padding: Sizes, ceil_mode: bool,
    count_include_pad: bool, divisor_override: int | None,
) -> Tensor:
    """Pool the last axes of x, so many; errors go by the name of who asks.

    >>> from chalkgrad import tensor
    >>> avg_pool_nd("avg_pool1d", 1, tensor([[1.0, 3.0, 2.0]]), 2, 1, 0, False, True, None)
    tensor([[2. , 2.5]])
    """
    check_images(name, x.shape, axes, axes + 1)
    kernel, step, border, _ = window_sizes(axes, kernel_size, stride, padding)
    y: Tensor = avg_pool(
        x, kernel_size=kernel, stride=step, padding=border, ceil_mode=ceil_mode, count_include_pad=count_include_pad,
        divisor_override=divisor_override,
    )
    return y


def avg_pool1d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Average every window on rows.

    input (n, c, w) or (c, w) -> y (n, c, q) or (c, q)

    The other arguments are those of `avg_pool2d`, with one number each.

    >>> from chalkgrad import tensor
    >>> avg_pool1d(tensor([[1.0, 2.0, 0.0, 3.0]]), 2)
    tensor([[1.5, 1.5]])
    """
    return avg_pool_nd("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:
    """Average every window of images.

    input (n, c, h, w) or (c, h, w) -> y (n, c, p, q) or (c, p, q)

    kernel_size        the height and width of a window; each of these is one number for both, or a pair
    stride             pixels from one window to the next; as the kernel if not given, so that no windows overlap
    padding            pixels of zeros around the image, at most half the kernel
    ceil_mode          a window may hang out at the bottom and on the right, if it starts inside
    count_include_pad  count the padding as pixels; what hangs out beyond it never counts
    divisor_override   divide by this number, not by the number of pixels

    Raises ShapeError if no window fits in the image, and ValueError for sizes that do not make a window.

    Source: as `avg_pool`.

    >>> from chalkgrad import tensor
    >>> avg_pool2d(tensor([[[1.0, 2.0, 0.0, 0.0], [4.0, 3.0, 0.0, 6.0]]]), 2)
    tensor([[[2.5, 1.5]]])
    """
    return avg_pool_nd(
        "avg_pool2d", 2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def avg_pool3d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:
    """Average every window of volumes.

    input (n, c, d, h, w) or (c, d, h, w) -> y (n, c, o, p, q) or (c, o, p, q)

    The other arguments are those of `avg_pool2d`, with up to three numbers each.

    >>> import chalkgrad as cg
    >>> avg_pool3d(cg.arange(8.0).reshape(1, 2, 2, 2), 2)
    tensor([[[[3.5]]]])
    """
    return avg_pool_nd(
        "avg_pool3d", 3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


class AvgPoolNd(Module):
    """What AvgPool1d, AvgPool2d and AvgPool3d share: all but the number of `axes`."""

    axes: int

    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad
        self.divisor_override = divisor_override
        window_sizes(self.axes, kernel_size, stride, padding)  # its errors belong here

    def forward(self, input: Tensor) -> Tensor:
        """input (..., c, sizes) -> y (..., c, places)."""
        return avg_pool_nd(
            type(self).__name__, self.axes, input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
            self.count_include_pad, self.divisor_override,
        )

    def extra_repr(self) -> str:
        """Say the sizes, as PyTorch does."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(AvgPoolNd):
    """The average of every window on rows (n, c, w) or (c, w); the arguments are explained at `avg_pool2d`.

    Raises ValueError for sizes that do not make a window.

    >>> import chalkgrad as cg
    >>> AvgPool1d(3, stride=2)(cg.ones(5, 8, 9)).shape
    (5, 8, 4)
    """

    axes = 1

    def __init__(
        self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        kernel = per_axis(kernel_size, "kernel_size", 1)  # PyTorch shows it as a tuple, here and not in 2-d
        step   = kernel if stride is None else per_axis(stride, "stride", 1)
        super().__init__(kernel, step, per_axis(padding, "padding", 1, least=0), ceil_mode, count_include_pad)


class AvgPool2d(AvgPoolNd):
    """The average of every window of images (n, c, h, w) or (c, h, w); the arguments are those of `avg_pool2d`.

    Raises ValueError for sizes that do not make a window.

    >>> import chalkgrad as cg
    >>> AvgPool2d(2)(cg.ones(5, 8, 28, 28)).shape
    (5, 8, 14, 14)
    """

    axes = 2


class AvgPool3d(AvgPoolNd):
    """The average of every window of volumes (n, c, d, h, w) or (c, d, h, w); see `avg_pool2d` for the arguments.

    Raises ValueError for sizes that do not make a window.

    >>> import chalkgrad as cg
    >>> AvgPool3d((1, 2, 2))(cg.ones(5, 8, 3, 6, 6)).shape
    (5, 8, 3, 3, 3)
    """

    axes = 3

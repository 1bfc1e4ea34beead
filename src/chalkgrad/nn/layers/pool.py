"""MaxPool2d and AvgPool2d: a window of pixels becomes one, so that images shrink and small shifts stop to matter.

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
from .windows import crop, in_rows, pad, pair, places

__all__ = [
    "AvgPool2d", "MaxPool2d", "avg_pool2d", "divisors", "max_pool2d", "pool_frame", "room_for", "share_nothing",
    "sizes",
]


def sizes(kernel_size, stride, padding, dilation):
    """Read the sizes of a pooling as pairs (height, width): kernel, stride, padding, dilation.

    >>> sizes(2, None, 0, (1, 2))
    ((2, 2), (2, 2), (0, 0), (1, 2))
    """
    kernel = pair(kernel_size, "kernel_size")
    step   = pair(kernel_size if stride is None else stride, "stride")
    border = pair(padding, "padding", least=0)
    spread = pair(dilation, "dilation")
    if any(2 * b > k for b, k in zip(border, kernel)):
        raise ValueError(f"padding={padding} is more than half of the kernel {kernel}, which would see nothing else.")
    return kernel, step, border, spread


def pool_frame(shape, kernel, stride, padding, dilation, ceil_mode):
    """Return the frame ((top, bottom), (left, right)) within which all windows lie.

    >>> pool_frame((6, 7), (2, 2), (2, 2), (0, 0), (1, 1), ceil_mode=True)  # a fourth window across hangs out by one
    ((0, 0), (0, 1))
    """
    frame = []
    for size, k, step, border, d in zip(shape[-2:], kernel, stride, padding, dilation):
        room = size + 2 * border - (k - 1) * d - 1  # how far the first window can move
        left_over = room % step
        start = room - left_over + step  # of a window that hangs out; PyTorch wants it to start before the far padding
        hangs_out = ceil_mode and left_over and start < size + border
        frame.append((border, border + step - left_over if hangs_out else border))
    return tuple(frame)


def share_nothing(kernel, stride, dilation):
    """Tell whether every pixel lies in one window at most."""
    return all((k - 1) * d < step for k, step, d in zip(kernel, stride, dilation))


def room_for(framed, y, pixels, apart):
    """Make an array for the gradients of images; it need not be cleared where windows of so many pixels tile them."""
    return np.empty_like(framed) if apart and y.size * pixels == framed.size else np.zeros_like(framed)


def divisors(shape, dtype, frame, spots, counted, override):
    """Count the pixels that each average is taken of: those in the image and in the `counted` part of its frame."""
    if override is not None:
        if override == 0:
            raise ValueError("divisor_override=0 would divide by zero; leave it out to divide by the number of pixels.")
        return override
    (top, bottom), (left, right) = frame
    high, wide = counted
    if frame == ((high, high), (wide, wide)):
        return len(spots)
    there = np.zeros((top + shape[-2] + bottom, left + shape[-1] + right), dtype)
    there[top - high : len(there) - bottom + high, left - wide : there.shape[1] - right + wide] = 1
    return sum(there[spot] for spot in spots)


@primitive
def max_pool2d(x, *, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """Keep the largest pixel of every window: y[p, q] = max over i, j of x[p·s + i·d, q·s + j·d].

    x (..., h, w) -> y (..., p, q)

    kernel_size  height and width of a window
    stride       pixels from one window to the next, s; as the kernel if not given, so that no windows overlap
    padding      pixels of -∞ around the image, at most half the kernel
    dilation     pixels between two neighbours in a window, d
    ceil_mode    a window may hang out at the bottom and on the right, if it starts inside

    Raises ShapeError if no window fits in the image.

    Source: Riesenhuber & Poggio 1999.

    >>> from chalkgrad import tensor
    >>> max_pool2d(tensor([[1.0, 2.0, 0.0, 0.0], [4.0, 3.0, 0.0, 5.0]]), kernel_size=2)
    tensor([[4., 5.]])
    """
    kernel, step, border, spread = sizes(kernel_size, stride, padding, dilation)
    frame  = pool_frame(x.shape, kernel, step, border, spread, ceil_mode)
    framed = pad(x, frame, -math.inf)
    spots  = places(framed.shape, kernel, step, spread)
    apart  = share_nothing(kernel, step, spread)
    y      = np.maximum(framed[spots[0]], framed[spots[-1]])
    for spot in spots[1:-1]:
        y = np.maximum(y, framed[spot])
    return y


@max_pool2d.backward
def max_pool2d_backward(grad_y, y, framed, frame, spots, apart):
    """
    1. y is one of the pixels of its window: raised a little, that pixel raises y as much, and no other does
    2. if several are equally large, the first in reading order takes the gradient, as in PyTorch, and leaves no rest;
       so the last pixel takes what is left
    3. a pixel may be the largest of several windows, and gets the gradients of all of them
    """
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


@max_pool2d.examples
def max_pool2d_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Windows side by side; overlapping, with a frame; gaps inside and between, hanging out; a plain matrix."""
    odd = {"kernel_size": (2, 3), "stride": (3, 2), "padding": (0, 1), "dilation": 2, "ceil_mode": True}

    def draw(*shape: int) -> Any:
        return rng.permutation(math.prod(shape)).reshape(shape) / 8  # no two are equal: there is no derivative at ties

    return [
        (draw(2, 3, 4, 6), {"kernel_size": 2}),
        (draw(2, 1, 5, 4), {"kernel_size": 3, "stride": 1, "padding": 1}),
        (draw(1, 2, 6, 8), odd),
        (draw(3, 3), {"kernel_size": (1, 3)}),
    ]


@primitive
def avg_pool2d(
    x, *, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
):
    """Average every window: y[p, q] = (1/n) Σ_ij x[p·s + i, q·s + j].

    x (..., h, w) -> y (..., p, q)

    kernel_size        height and width of a window
    stride             pixels from one window to the next, s; as the kernel if not given, so that no windows overlap
    padding            pixels of zeros around the image, at most half the kernel
    ceil_mode          a window may hang out at the bottom and on the right, if it starts inside
    count_include_pad  count the padding as pixels in n; what hangs out beyond it never counts
    divisor_override   divide by this number instead of n

    Raises ShapeError if no window fits in the image.

    Source: LeCun et al. 1990; the options are PyTorch's.

    >>> from chalkgrad import tensor
    >>> avg_pool2d(tensor([[1.0, 2.0, 0.0, 0.0], [4.0, 3.0, 0.0, 6.0]]), kernel_size=2)
    tensor([[2.5, 1.5]])
    """
    kernel, step, border, spread = sizes(kernel_size, stride, padding, 1)
    frame   = pool_frame(x.shape, kernel, step, border, spread, ceil_mode)
    framed  = pad(x, frame)
    shape   = framed.shape
    spots   = places(shape, kernel, step, spread)
    apart   = share_nothing(kernel, step, spread)
    counted = border if count_include_pad else (0, 0)
    n       = divisors(x.shape, x.dtype, frame, spots, counted, divisor_override)
    total   = framed[spots[0]]
    for spot in spots[1:]:
        total = total + framed[spot]
    y = total / n
    return y


@avg_pool2d.backward
def avg_pool2d_backward(grad_y, n, shape, frame, spots, apart):
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


@avg_pool2d.examples
def avg_pool2d_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Windows side by side; overlapping, with a frame; hanging out, with and without the padding; a plain matrix."""
    draw = rng.standard_normal
    out  = {"kernel_size": (3, 2), "stride": (2, 3), "padding": 1, "ceil_mode": True}
    return [
        (draw((2, 3, 4, 6)), {"kernel_size": 2}),
        (draw((2, 1, 5, 4)), {"kernel_size": 3, "stride": 1, "padding": 1}),
        (draw((1, 2, 6, 6)), out),
        (draw((1, 2, 6, 6)), {**out, "count_include_pad": False}),
        (draw((3, 3)), {"kernel_size": (1, 3), "divisor_override": 2}),
    ]


class MaxPool2d(Module):
    """The largest pixel of every window; the arguments are PyTorch's, explained at `max_pool2d`.

    Raises ValueError for sizes that do not make a window, and for return_indices=True, which is not in this release.

    >>> import chalkgrad as cg
    >>> MaxPool2d(2)(cg.ones(5, 8, 28, 28)).shape
    (5, 8, 14, 14)
    """

    def __init__(
        self, kernel_size: int | tuple[int, int], stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0, dilation: int | tuple[int, int] = 1, return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        if return_indices:
            raise ValueError("MaxPool2d: return_indices=True is not in this release; the result is the pixels alone.")
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.ceil_mode = padding, dilation, ceil_mode
        sizes(kernel_size, stride, padding, dilation)  # its errors belong here

    def forward(self, x: Tensor) -> Tensor:
        """x (..., h, w) -> y (..., p, q)."""
        y: Tensor = max_pool2d(
            x, kernel_size=self.kernel_size, stride=self.stride, padding=self.padding, dilation=self.dilation,
            ceil_mode=self.ceil_mode,
        )
        return y

    def extra_repr(self) -> str:
        """Say the sizes, as PyTorch does."""
        return (f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
                f"dilation={self.dilation}, ceil_mode={self.ceil_mode}")


class AvgPool2d(Module):
    """The average of every window; the arguments are PyTorch's, explained at `avg_pool2d`.

    Raises ValueError for sizes that do not make a window.

    >>> import chalkgrad as cg
    >>> AvgPool2d(2)(cg.ones(5, 8, 28, 28)).shape
    (5, 8, 14, 14)
    """

    def __init__(
        self, kernel_size: int | tuple[int, int], stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0, ceil_mode: bool = False, count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad
        self.divisor_override = divisor_override
        sizes(kernel_size, stride, padding, 1)  # its errors belong here

    def forward(self, x: Tensor) -> Tensor:
        """x (..., h, w) -> y (..., p, q)."""
        y: Tensor = avg_pool2d(
            x, kernel_size=self.kernel_size, stride=self.stride, padding=self.padding, ceil_mode=self.ceil_mode,
            count_include_pad=self.count_include_pad, divisor_override=self.divisor_override,
        )
        return y

    def extra_repr(self) -> str:
        """Say the sizes, as PyTorch does."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"

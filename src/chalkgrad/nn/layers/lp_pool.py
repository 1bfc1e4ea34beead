"""LPPool: between the sum of a window and its largest pixel lies the p-norm, and p says how far.

With p = 1 every pixel counts alike, with p = ∞ the largest alone (Boureau, Ponce & LeCun 2010); p = 2 tells the energy
of a window (Sermanet, Chintala & LeCun 2012).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ..module import Module
from .avg_pool import avg_pool_nd
from .max_pool import max_pool_nd
from .pooling import Sizes, window_sizes

__all__ = [
    "LPPool1d", "LPPool2d", "LPPool3d", "LPPoolNd", "check_norm", "lp_pool1d", "lp_pool2d", "lp_pool3d",
    "lp_pool_nd", "root_of_mean",
]


@primitive
def root_of_mean(mean, *, count, norm_type):
    """Turn the mean of `count` powers into the norm of what was raised: y = (count · mean)^(1/p).

    mean (...) -> y (...)

    count      how many numbers a full window has
    norm_type  p, the power that they were raised to

    Source: Sermanet, Chintala & LeCun 2012, without the weights; the scaling up is PyTorch's.

    >>> from chalkgrad import tensor
    >>> root_of_mean(tensor([12.5, 0.0]), count=2, norm_type=2)
    tensor([5., 0.])
    """
    y = (count * mean) ** (1 / norm_type)
    return y


@root_of_mean.backward
def root_of_mean_backward(grad_y, mean, y, norm_type):
    """
    1. log y = (log count + log mean) / p, so ∂y/∂mean = y / (p · mean)
    2. a mean of 0 has a root of infinite slope, or none; there we take 0, as PyTorch does
    """
    there     = mean != 0
    grad_mean = grad_y * (np.where(there, y, 0) / (norm_type * np.where(there, mean, 1)))
    return grad_mean


@root_of_mean.examples
def root_of_mean_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """A square root; another one; a power below 1; a negative one; a mean of 0."""
    draw = rng.uniform
    return [
        (draw(1, 2, (2, 3)), {"count": 4, "norm_type": 2}),
        (draw(1, 2, ()), {"count": 9, "norm_type": 3.5}),
        (draw(1, 2, 3), {"count": 2, "norm_type": 0.5}),
        (draw(1, 2, 3), {"count": 2, "norm_type": -1.0}),
        (np.array([0.0, 1.0]), {"count": 2, "norm_type": 2}),
    ]


def check_norm(norm_type: float) -> None:
    """Raise ValueError for a power that has no root."""
    if norm_type == 0 or math.isnan(norm_type):
        raise ValueError(f"norm_type is the power p, of which the p-th root is taken, but {norm_type!r} came.")


def lp_pool_nd(
    name: str, axes: int, x: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None, ceil_mode: bool
) -> Tensor:
    """Pool the last axes of x, so many; errors go by the name of who asks.

    >>> from chalkgrad import tensor
    >>> lp_pool_nd("lp_pool1d", 1, tensor([[3.0, 4.0, -3.0]]), 2, 2, 1, ceil_mode=False)
    tensor([[5., 5.]])
    """
    check_norm(norm_type)
    if math.isinf(norm_type):
        sign = 1 if norm_type > 0 else -1  # of the largest power to ∞ the root is the largest number, to -∞ the least
        y: Tensor = max_pool_nd(name, axes, sign * abs(x), kernel_size, stride, 0, 1, ceil_mode, return_indices=False)
        return sign * y
    mean  = avg_pool_nd(name, axes, x**norm_type, kernel_size, stride, 0, ceil_mode, True, None)
    count = math.prod(window_sizes(axes, kernel_size)[0])
    y     = root_of_mean(mean, count=count, norm_type=norm_type)
    return y


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Tensor:
    """Take the norm of every window on rows.

    input (n, c, w) or (c, w) -> y (n, c, q) or (c, q)

    The other arguments are those of `lp_pool2d`, with one number each.

    >>> from chalkgrad import tensor
    >>> lp_pool1d(tensor([[3.0, 4.0, 0.0, -2.0]]), 2, 2)
    tensor([[5., 2.]])
    """
    return lp_pool_nd("lp_pool1d", 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Tensor:
    """Take the norm of every window of images: y = (Σ xᵖ)^(1/p).

    input (n, c, h, w) or (c, h, w) -> y (n, c, p, q) or (c, p, q)

    norm_type    p; ∞ and -∞ take the largest and the least |x|. With an odd or broken p, x should not be negative
    kernel_size  the height and width of a window; this and the next are one number for both, or a pair
    stride       pixels from one window to the next; as the kernel if not given, so that no windows overlap
    ceil_mode    a window may hang out at the bottom and on the right; its sum is scaled up to that of a full window

    Raises ValueError if norm_type is 0, or for sizes that do not make a window, ShapeError if no window fits.

    Source: as `root_of_mean`; the options are PyTorch's.

    >>> from chalkgrad import tensor
    >>> lp_pool2d(tensor([[[3.0, 4.0, 1.0], [0.0, 0.0, 5.0]]]), norm_type=2, kernel_size=2, stride=1)
    tensor([[[5.    , 6.4807]]])
    """
    return lp_pool_nd("lp_pool2d", 2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
) -> Tensor:
    """Take the norm of every window of volumes.

    input (n, c, d, h, w) or (c, d, h, w) -> y (n, c, o, p, q) or (c, o, p, q)

    The other arguments are those of `lp_pool2d`, with up to three numbers each.

    >>> import chalkgrad as cg
    >>> lp_pool3d(cg.ones(1, 2, 2, 1), 2, (2, 2, 1))
    tensor([[[[2.]]]])
    """
    return lp_pool_nd("lp_pool3d", 3, input, norm_type, kernel_size, stride, ceil_mode)


class LPPoolNd(Module):
    """What LPPool1d, LPPool2d and LPPool3d share: all but the number of `axes`."""

    axes: int

    def __init__(
        self, norm_type: float, kernel_size: Sizes, stride: Sizes | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type, self.kernel_size, self.stride, self.ceil_mode = norm_type, kernel_size, stride, ceil_mode
        check_norm(norm_type)
        window_sizes(self.axes, kernel_size, stride)  # its errors belong here

    def forward(self, input: Tensor) -> Tensor:
        """input (..., c, sizes) -> y (..., c, places)."""
        return lp_pool_nd(
            type(self).__name__, self.axes, input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )

    def extra_repr(self) -> str:
        """Say the power and the sizes, as PyTorch does."""
        return (f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
                f"ceil_mode={self.ceil_mode}")


class LPPool1d(LPPoolNd):
    """The norm of every window on rows (n, c, w) or (c, w); the arguments are explained at `lp_pool2d`.

    Raises ValueError if norm_type is 0, or for sizes that do not make a window.

    >>> import chalkgrad as cg
    >>> LPPool1d(2, 3, stride=2)(cg.ones(5, 8, 9)).shape
    (5, 8, 4)
    """

    axes = 1


class LPPool2d(LPPoolNd):
    """The norm of every window of images (n, c, h, w) or (c, h, w); the arguments are explained at `lp_pool2d`.

    Raises ValueError if norm_type is 0, or for sizes that do not make a window.

    >>> import chalkgrad as cg
    >>> LPPool2d(2, 2)(cg.ones(5, 8, 28, 28)).shape
    (5, 8, 14, 14)
    """

    axes = 2


class LPPool3d(LPPoolNd):
    """The norm of every window of volumes (n, c, d, h, w) or (c, d, h, w); the arguments are explained at `lp_pool2d`.

    Raises ValueError if norm_type is 0, or for sizes that do not make a window.

    >>> import chalkgrad as cg
    >>> LPPool3d(2, (1, 2, 2))(cg.ones(5, 8, 3, 6, 6)).shape
    (5, 8, 3, 3, 3)
    """

    axes = 3

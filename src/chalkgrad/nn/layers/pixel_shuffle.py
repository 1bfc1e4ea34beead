"""PixelShuffle: r² channels of a small image become one channel of an image r times as high and as wide.

So a network that enlarges images can work on the small one to the end, and let each pixel tell of the r x r that it
stands for (Shi et al. 2016). PixelUnshuffle goes the other way; no pixel is lost, or made up.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ..module import Module

__all__ = [
    "PixelShuffle", "PixelUnshuffle", "gathered", "pixel_shuffle", "pixel_unshuffle", "shuffled", "spread_out",
    "unshuffled",
]


def spread_out(x, r):
    """Lay r² channels out as r x r pixels: (..., c · r², h, w) -> (..., c, h · r, w · r)."""
    *lead, c, h, w = x.shape
    pixels = x.reshape(*lead, c // (r * r), r, r, h, w)
    n = len(lead)
    return np.transpose(pixels, (*range(n + 1), n + 3, n + 1, n + 4, n + 2)).reshape(*lead, c // (r * r), h * r, w * r)


def gathered(y, r):
    """Put r x r pixels into r² channels: (..., c, h · r, w · r) -> (..., c · r², h, w)."""
    *lead, c, h, w = y.shape
    pixels = y.reshape(*lead, c, h // r, r, w // r, r)
    n = len(lead)
    return np.transpose(pixels, (*range(n + 1), n + 2, n + 4, n + 1, n + 3)).reshape(*lead, c * r * r, h // r, w // r)


@primitive
def shuffled(x, *, upscale_factor):
    """Lay channels out as pixels: y[c, h·r + i, w·r + j] = x[c·r² + i·r + j, h, w].

    x (..., k, h, w) -> y (..., c, p, q)

    upscale_factor  r, where k = c · r², p = h · r and q = w · r

    Source: Shi et al. 2016, eq. 4.

    >>> shuffled(np.arange(4).reshape(4, 1, 1), upscale_factor=2)
    array([[[0, 1],
            [2, 3]]])
    """
    y = spread_out(x, upscale_factor)
    return y


@shuffled.backward
def shuffled_backward(grad_y, upscale_factor):
    """Every pixel only has another place, so its gradient goes back to the old one."""
    grad_x = gathered(grad_y, upscale_factor)
    return grad_x


@shuffled.examples
def shuffled_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Images; one image, three times as large; nothing to be shuffled."""
    draw = rng.standard_normal
    return [
        (draw((2, 8, 2, 3)), {"upscale_factor": 2}),
        (draw((9, 1, 2)), {"upscale_factor": 3}),
        (draw((2, 1, 3, 2)), {"upscale_factor": 1}),
    ]


@primitive
def unshuffled(x, *, downscale_factor):
    """Put pixels into channels: y[c·r² + i·r + j, h, w] = x[c, h·r + i, w·r + j].

    x (..., c, p, q) -> y (..., k, h, w)

    downscale_factor  r, where k = c · r², p = h · r and q = w · r

    Source: PyTorch; the inverse of Shi et al. 2016, eq. 4.

    >>> unshuffled(np.array([[[0, 1], [2, 3]]]), downscale_factor=2).reshape(-1)
    array([0, 1, 2, 3])
    """
    y = gathered(x, downscale_factor)
    return y


@unshuffled.backward
def unshuffled_backward(grad_y, downscale_factor):
    """Every pixel only has another place, so its gradient goes back to the old one."""
    grad_x = spread_out(grad_y, downscale_factor)
    return grad_x


@unshuffled.examples
def unshuffled_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Images; one image, to a third; nothing to be shuffled."""
    draw = rng.standard_normal
    return [
        (draw((2, 1, 4, 6)), {"downscale_factor": 2}),
        (draw((2, 3, 6)), {"downscale_factor": 3}),
        (draw((2, 1, 3, 2)), {"downscale_factor": 1}),
    ]


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Make r² channels one that is r times as high and as wide: (..., c · r², h, w) -> (..., c, h · r, w · r).

    Raises ShapeError if the channels are no multiple of r², ValueError for r < 1.

    >>> from chalkgrad import arange
    >>> pixel_shuffle(arange(4).reshape(4, 1, 1), 2)
    tensor([[[0, 1],
             [2, 3]]])
    """
    _check("pixel_shuffle", input, upscale_factor)
    if input.shape[-3] % upscale_factor**2:
        raise ShapeError(f"pixel_shuffle: {input.shape[-3]} channels, in input of shape {input.shape}, are no multiple "
                         f"of {upscale_factor}² = {upscale_factor**2}.")
    y: Tensor = shuffled(input, upscale_factor=upscale_factor)
    return y


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Make r x r pixels r² channels: (..., c, h · r, w · r) -> (..., c · r², h, w).

    Raises ShapeError if the height or the width is no multiple of r, ValueError for r < 1.

    >>> from chalkgrad import arange
    >>> pixel_unshuffle(arange(4).reshape(1, 2, 2), 2).shape
    (4, 1, 1)
    """
    _check("pixel_unshuffle", input, downscale_factor)
    if math.gcd(downscale_factor, *input.shape[-2:]) != downscale_factor:
        raise ShapeError(f"pixel_unshuffle: the height and the width of input, of shape {input.shape}, are no "
                         f"multiples of {downscale_factor}.")
    y: Tensor = unshuffled(input, downscale_factor=downscale_factor)
    return y


def _check(name: str, input: Tensor, factor: int) -> None:
    if input.ndim < 3:
        raise ShapeError(f"{name}: images (..., c, h, w) are expected, but input has shape {input.shape}.")
    if factor < 1:
        raise ValueError(f"{name}: the factor is 1 or more, but {factor} came.")


class PixelShuffle(Module):
    """Make r² channels one that is r times as high and as wide: (..., c · r², h, w) -> (..., c, h · r, w · r).

    Raises ShapeError if the channels are no multiple of r².

    >>> import chalkgrad as cg
    >>> cg.nn.PixelShuffle(3)(cg.ones(5, 9, 4, 4)).shape
    (5, 1, 12, 12)
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """input (..., c · r², h, w) -> y (..., c, h · r, w · r)."""
        return pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        """Say the factor, as PyTorch does."""
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Make r x r pixels r² channels: (..., c, h · r, w · r) -> (..., c · r², h, w).

    Raises ShapeError if the height or the width is no multiple of r.

    >>> import chalkgrad as cg
    >>> cg.nn.PixelUnshuffle(3)(cg.ones(5, 1, 12, 12)).shape
    (5, 9, 4, 4)
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """input (..., c, h · r, w · r) -> y (..., c · r², h, w)."""
        return pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        """Say the factor, as PyTorch does."""
        return f"downscale_factor={self.downscale_factor}"

"""Unfold and Fold: cut images into windows, each written into a column, and add such columns up to images again.

With what a kernel sees in columns, a convolution is one matrix product (Chellapilla, Puri & Simard 2006); and a vision
transformer reads an image as the columns of windows that do not overlap (Dosovitskiy et al. 2021).
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ..module import Module
from .geometry import geometry_of, per_axis
from .windows import crop, pad, places

__all__ = ["Fold", "Unfold", "add_windows", "cut_windows", "fold", "unfold", "windows_of"]

Size = int | tuple[int, int]


def windows_of(size, kernel_size, dilation, padding, stride):
    """Settle where windows lie on an image of a size (h, w): the geometry of a convolution.

    >>> windows_of((4, 6), kernel_size=2, dilation=1, padding=0, stride=2)
    ((2, 2), (2, 2), (1, 1), ((0, 0), (0, 0)), (2, 3))
    """
    kernel = per_axis(kernel_size, "kernel_size", 2)
    return geometry_of((1, *size), (1, 1, *kernel), stride, per_axis(padding, "padding", 2, least=0), dilation, 1)


def cut_windows(images, geometry):
    """Write each window into a column: images (..., c, h, w) -> columns (..., c · kh · kw, places)."""
    kernel, stride, dilation, frame, counts = geometry
    *lead, c, _, _ = images.shape
    framed = pad(images, frame)
    windows = np.empty_like(images, order="C", shape=(*lead, c, math.prod(kernel), *counts))
    for k, seen in enumerate(places(framed.shape, kernel, stride, dilation)):
        windows[..., k, :, :] = framed[seen]
    return windows.reshape(*lead, c * math.prod(kernel), math.prod(counts))


def add_windows(columns, size, geometry):
    """Add each column to its window of an empty image of a size (h, w): the transpose of `cut_windows`."""
    kernel, stride, dilation, frame, counts = geometry
    *lead, inputs, count = columns.shape
    if inputs % math.prod(kernel) or count != math.prod(counts):
        raise ValueError(f"{count} columns of {inputs} numbers came, but there are {counts[0]} x {counts[1]} windows, "
                         f"of {kernel[0]} x {kernel[1]} numbers for each channel.")
    windows = columns.reshape(*lead, inputs // math.prod(kernel), math.prod(kernel), *counts)
    h, w = [n + sum(both) for n, both in zip(size, frame)]
    framed = np.zeros_like(columns, order="C", shape=(*windows.shape[:-3], h, w))
    for k, seen in enumerate(places(framed.shape, kernel, stride, dilation)):
        framed[seen] += windows[..., k, :, :]
    return crop(framed, frame)


@primitive
def unfold(x, *, kernel_size, dilation=1, padding=0, stride=1):
    """Write what a window sees from place l into column l: y[c · kh · kw + i · kw + j, l] = x[c, p + i, q + j].

    x (..., c, h, w) -> y (..., k, l)

    kernel_size  pixels of a window, down and across; they and the next are one number or a pair
    dilation     pixels between two neighbours in a window
    padding      pixels of zeros around the image
    stride       pixels between two places of the window, which are counted in reading order

    Raises ShapeError if the window does not fit in the padded image.

    Source: Chellapilla, Puri & Simard 2006.

    >>> from chalkgrad import arange
    >>> unfold(arange(6).reshape(1, 2, 3), kernel_size=2)
    tensor([[0, 1],
            [1, 2],
            [3, 4],
            [4, 5]])
    """
    geometry = windows_of(x.shape[-2:], kernel_size, dilation, padding, stride)
    y        = cut_windows(x, geometry)
    return y


@unfold.backward
def unfold_backward(grad_y, x, geometry):
    """
    1. every number of a column is a copy of a pixel, so a pixel gets the sum of the gradients of its copies: the
       columns are added up where they came from
    """
    grad_x = add_windows(grad_y, x.shape[-2:], geometry)
    return grad_x


@unfold.examples
def unfold_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Windows that overlap; every option at once; a single image, some of whose pixels no window sees."""
    draw = rng.standard_normal
    odd = {"kernel_size": (2, 3), "dilation": (1, 2), "padding": (1, 2), "stride": (2, 1)}
    return [
        (draw((2, 1, 3, 4)), {"kernel_size": 2}),
        (draw((2, 2, 4, 3)), odd),
        (draw((2, 4, 5)), {"kernel_size": (1, 2), "stride": 3}),
    ]


@primitive
def fold(x, *, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Add column l to the pixels of window l: y[c, p + i, q + j] += x[c · kh · kw + i · kw + j, l].

    x (..., k, l) -> y (..., c, h, w)

    output_size  pixels of y, down and across: one number or a pair. The other options are those of `unfold`

    It is the transpose of `unfold`, and its inverse if no windows overlap: otherwise a pixel comes out as many times as
    there are windows that see it.

    Raises ShapeError if the columns do not hold whole windows, or if there are more or fewer than places.

    Source: PyTorch's `Fold`.

    >>> from chalkgrad import ones
    >>> fold(ones(2, 2), output_size=(1, 3), kernel_size=(1, 2))
    tensor([[[1., 2., 1.]]])
    """
    size     = per_axis(output_size, "output_size", 2)
    geometry = windows_of(size, kernel_size, dilation, padding, stride)
    y        = add_windows(x, size, geometry)
    return y


@fold.backward
def fold_backward(grad_y, geometry):
    """
    1. every number of a column is added to one pixel, so its gradient is that of the pixel
    """
    grad_x = cut_windows(grad_y, geometry)
    return grad_x


@fold.examples
def fold_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Windows that overlap; every option at once; a single image, some of whose pixels are in no window."""
    draw = rng.standard_normal
    odd = {"output_size": (4, 3), "kernel_size": (2, 3), "dilation": (1, 2), "padding": (1, 2), "stride": (2, 1)}
    return [
        (draw((2, 4, 6)), {"output_size": (3, 4), "kernel_size": 2}),
        (draw((2, 12, 9)), odd),
        (draw((4, 4)), {"output_size": (4, 5), "kernel_size": (1, 2), "stride": 3}),
    ]


class _Windows(Module):
    """What Unfold and Fold share: options that are handed on as they came."""

    options: ClassVar[tuple[str, ...]]

    def _chosen(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.options}

    def extra_repr(self) -> str:
        """Say the options, as PyTorch does."""
        return ", ".join(f"{name}={value}" for name, value in self._chosen().items())


class Unfold(_Windows):
    """Windows of images, each in a column; the arguments are explained at `unfold`.

    >>> import chalkgrad as cg
    >>> cg.nn.Unfold(8, stride=8)(cg.ones(5, 3, 32, 32)).shape  # 16 patches of an image, of 192 numbers each
    (5, 192, 16)
    """

    options = ("kernel_size", "dilation", "padding", "stride")

    def __init__(self, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> None:
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        """input (..., c, h, w) -> y (..., c · kh · kw, places)."""
        y: Tensor = unfold(input, **self._chosen())
        return y


class Fold(_Windows):
    """Columns, each added to its window of an image; the arguments are explained at `fold`.

    >>> import chalkgrad as cg
    >>> cg.nn.Fold(32, 8, stride=8)(cg.ones(5, 192, 16)).shape
    (5, 3, 32, 32)
    """

    options = ("output_size", "kernel_size", "dilation", "padding", "stride")

    def __init__(
        self, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
    ) -> None:
        super().__init__()
        self.output_size, self.kernel_size = output_size, kernel_size
        self.dilation, self.padding, self.stride = dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        """input (..., c · kh · kw, places) -> y (..., c, h, w)."""
        y: Tensor = fold(input, **self._chosen())
        return y

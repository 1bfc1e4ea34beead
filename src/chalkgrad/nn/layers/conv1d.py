"""Conv1d: the same small kernel looks at every place of a row, be it sound, text or a series of measurements.

A row is an image of height 1, so there is nothing new to derive. Waibel et al. (1989) found phonemes in speech with
such a network, wherever in time they were; Bai, Kolter & Koltun (2018) let the gaps in the kernel double from layer to
layer, so that the last one sees far back.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from .channels import channel_sums
from .columns import as_kernels, as_weight, collect, convolve, paint
from .convolution import ConvNd
from .geometry import geometry_of, upright

__all__ = ["Conv1d", "conv1d"]


@primitive
def conv1d(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    """Weigh what a kernel sees at every place: y[o, q] = Σ_cj weight[o, c, j] x[c, q + j] + b[o].

    x (..., c, w), weight (o, c/groups, k), bias (o) -> y (..., o, q)

    stride    steps between two places of the kernel: with s, x[c, q·s + j]
    padding   zeros at both ends of the row; "same" keeps its length, "valid" is none
    dilation  steps between two neighbours in the kernel: with d, x[c, q + j·d]
    groups    the channels are split into so many groups, and each kernel sees one of them

    Raises ShapeError if the kernel does not fit in the padded row, or sees another number of channels.

    Try: rows are (batch, channels, length); a batch without channels gets its one by x.unsqueeze(1).

    Source: Waibel et al. 1989.

    >>> from chalkgrad import tensor
    >>> conv1d(tensor([[[1.0, 2.0, 4.0]]]), tensor([[[-1.0, 1.0]]]))  # how much there is more in the next step
    tensor([[[1., 2.]]])
    """
    shape    = x.shape
    geometry = upright(geometry_of(
        shape[-2:], weight.shape, stride, padding, dilation, groups, None if bias is None else bias.shape
    ))
    images   = x.reshape(math.prod(shape[:-2]), shape[-2], 1, shape[-1])
    kernels  = as_kernels(weight[:, :, None], groups)
    sums     = convolve(images, kernels, bias, geometry)
    y        = sums.reshape(*shape[:-2], sums.shape[1], sums.shape[-1])
    return y


@conv1d.backward
def conv1d_backward(grad_y, x, weight, images, kernels, geometry):
    """
    1. a row is an image of height 1, and its kernels have height 1
    2. so the gradients are those of `conv2d`: each pixel hears from all kernels that saw it, each weight from all
       places; only the axis of length 1 is taken out again
    """
    grad_sums    = grad_y.reshape(-1, grad_y.shape[-2], 1, grad_y.shape[-1])
    grad_kernels = collect(images, grad_sums, kernels, geometry)
    grad_images  = paint(grad_sums, kernels, images.shape[-2:], geometry)
    grad_weight  = as_weight(grad_kernels, weight[:, :, None].shape)[:, :, 0]
    grad_x       = grad_images.reshape(x.shape)
    grad_bias    = channel_sums(grad_sums)
    return grad_x, grad_weight, grad_bias


@conv1d.examples
def conv1d_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """A batch; many channels; two groups; every option at once; a single row."""
    draw = rng.standard_normal
    odd = {"stride": 2, "padding": (2,), "dilation": 2, "groups": 2}
    return [
        (draw((2, 1, 5)), draw((3, 1, 3)), draw(3)),
        (draw((2, 12, 4)), draw((2, 12, 3)), draw(2), {"padding": "same"}),
        (draw((2, 4, 3)), draw((6, 2, 2)), None, {"groups": 2}),
        (draw((2, 2, 6)), draw((4, 1, 3)), draw(4), odd),
        (draw((2, 4)), draw((1, 2, 3)), None),
    ]


class Conv1d(ConvNd):
    """The same kernels at every place of a row: x (..., in_channels, w) -> y (..., out_channels, q).

    >>> import chalkgrad as cg
    >>> Conv1d(3, 8, 5, dilation=2)(cg.ones(4, 3, 30)).shape
    (4, 8, 22)
    """

    axes = 1
    rule = staticmethod(conv1d)

"""ConvTranspose1d: every number of a row paints the kernel onto a longer row, as strongly as it is large.

It is the convolution's way back: what `conv1d` does to gradients, done to rows. WaveGAN makes sound with it, each layer
four times as long as the one before (Donahue, McAuley & Puckette 2019).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from .channels import channel_sums, for_each
from .columns import as_kernels, as_weight, collect, convolve, paint
from .convolution import ConvTransposeNd
from .geometry import canvas, upright

__all__ = ["ConvTranspose1d", "conv_transpose1d"]


@primitive
def conv_transpose1d(x, weight, bias=None, *, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Paint a kernel for every number, so that y[o, i + m] += weight[c, o, m] x[c, i] onto b[o].

    x (..., c, w), weight (c, o/groups, k), bias (o) -> y (..., o, q)

    The options are those of `conv_transpose2d`, along one axis.

    Raises ShapeError if weight is for another number of channels, or if the padding takes everything off.

    Try: rows are (batch, channels, length), and weight starts with the channels that come in.

    Source: Zeiler et al. 2010, Dumoulin & Visin 2016 (chapter 4).

    >>> from chalkgrad import tensor
    >>> conv_transpose1d(tensor([[[1.0, 2.0]]]), tensor([[[1.0, 0.5]]]), stride=2)
    tensor([[[1. , 0.5, 2. , 1. ]]])
    """
    shape          = x.shape
    geometry, size = canvas(
        shape[-2:], weight.shape, stride, padding, output_padding, groups, dilation,
        None if bias is None else bias.shape,
    )
    pixels         = x.reshape(math.prod(shape[:-2]), shape[-2], 1, shape[-1])
    kernels        = as_kernels(weight[:, :, None], groups)
    images         = paint(pixels, kernels, (1, *size), upright(geometry))
    if bias is not None:
        images = images + for_each(bias, images)
    y = images.reshape(*shape[:-2], images.shape[1], images.shape[-1])
    return y


@conv_transpose1d.backward
def conv_transpose1d_backward(grad_y, x, weight, pixels, kernels, geometry):
    """
    1. a row is an image of height 1, and its kernels have height 1
    2. so the gradients are those of `conv_transpose2d`: the kernels look at the gradient from where they painted; only
       the axis of length 1 is taken out again
    """
    grad_images  = grad_y.reshape(-1, grad_y.shape[-2], 1, grad_y.shape[-1])
    grad_pixels  = convolve(grad_images, kernels, None, upright(geometry))
    grad_kernels = collect(grad_images, pixels, kernels, upright(geometry))
    grad_x       = grad_pixels.reshape(x.shape)
    grad_weight  = as_weight(grad_kernels, weight[:, :, None].shape)[:, :, 0]
    grad_bias    = channel_sums(grad_images)
    return grad_x, grad_weight, grad_bias


@conv_transpose1d.examples
def conv_transpose1d_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """A batch; kernels that overlap; two groups; every option at once; a single row."""
    draw = rng.standard_normal
    odd = {"stride": 2, "padding": (2,), "dilation": 3, "output_padding": 2, "groups": 2}
    return [
        (draw((2, 2, 3)), draw((2, 3, 2)), draw(3)),
        (draw((2, 3, 4)), draw((3, 4, 3)), draw(4), {"stride": 2, "padding": 1}),
        (draw((2, 4, 2)), draw((4, 3, 2)), None, {"groups": 2}),
        (draw((2, 2, 4)), draw((2, 2, 3)), draw(4), odd),
        (draw((2, 3)), draw((2, 1, 2)), None, {"stride": 3, "output_padding": 2}),
    ]


class ConvTranspose1d(ConvTransposeNd):
    """A kernel painted for every number of a row: x (..., in_channels, w) -> y (..., out_channels, q).

    >>> import chalkgrad as cg
    >>> ConvTranspose1d(8, 3, 4, stride=2, padding=1)(cg.ones(5, 8, 7)).shape
    (5, 3, 14)
    """

    axes = 1
    rule = staticmethod(conv_transpose1d)

"""Conv2d: the same small kernel looks at every place of an image.

What is worth seeing at one place is worth seeing at all of them, so all share the kernel's weights: LeCun et al. (1989)
read handwritten zip codes over 64,660 connections with 9,760 weights.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from .channels import channel_sums
from .columns import as_kernels, as_weight, collect, convolve, paint
from .convolution import ConvNd
from .geometry import geometry_of

__all__ = ["Conv2d", "conv2d"]


@primitive
def conv2d(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    """Weigh what a kernel sees everywhere: y[o, p, q] = Σ_cij weight[o, c, i, j] x[c, p + i, q + j] + b[o].

    x (..., c, h, w), weight (o, c/groups, kh, kw), bias (o) -> y (..., o, p, q)

    stride    pixels between two places of the kernel: with s, x[c, p·s + i, q·s + j]
    padding   pixels of zeros around the image; "same" keeps its size, "valid" is none
    dilation  pixels between two neighbours in the kernel: with d, x[c, p + i·d, q + j·d]
    groups    the channels are split into so many groups, and each kernel sees one of them

    Raises ShapeError if the kernel does not fit in the padded image, or sees another number of channels.

    Try: images are (batch, channels, height, width); gray ones get their channel by x.unsqueeze(1).

    Source: LeCun et al. 1989; as one matrix product: Chellapilla, Puri & Simard 2006. Like everybody's, it
    is a cross-correlation: the kernel is not turned round.

    >>> from chalkgrad import tensor
    >>> conv2d(tensor([[[[1.0, 2.0, 4.0]]]]), tensor([[[[-1.0, 1.0]]]]))  # how much the next pixel is brighter
    tensor([[[[1., 2.]]]])
    """
    shape    = x.shape
    geometry = geometry_of(
        shape[-3:], weight.shape, stride, padding, dilation, groups, None if bias is None else bias.shape
    )
    images   = x.reshape(math.prod(shape[:-3]), *shape[-3:])
    kernels  = as_kernels(weight, groups)
    sums     = convolve(images, kernels, bias, geometry)
    y        = sums.reshape(*shape[:-3], *sums.shape[1:])
    return y


@conv2d.backward
def conv2d_backward(grad_y, x, weight, images, kernels, geometry):
    """
    1. what each place t sees is written into a column, X_kt, so that y_ot = Σ_k W_ok X_kt + b_o: a linear layer
    2. ∂loss/∂W_ok = Σ_t g_ot X_kt: a weight is shared by all places, so it collects from all
    3. ∂loss/∂X_kt = Σ_o W_ok g_ot, and a pixel was copied into the column of every place that saw it, so it gets
       the sum over its copies: every g_ot paints its kernel onto the image
    4. ∂loss/∂b_o = Σ_t g_ot
    """
    grad_sums    = grad_y.reshape(-1, *grad_y.shape[-3:])
    grad_kernels = collect(images, grad_sums, kernels, geometry)
    grad_images  = paint(grad_sums, kernels, x.shape[-2:], geometry)
    grad_weight  = as_weight(grad_kernels, weight.shape)
    grad_x       = grad_images.reshape(x.shape)
    grad_bias    = channel_sums(grad_sums)
    return grad_x, grad_weight, grad_bias


@conv2d.examples
def conv2d_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """A batch; many channels, so that the batch is one matrix; two groups; every option at once; a single image."""
    draw = rng.standard_normal
    odd = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2}
    return [
        (draw((2, 1, 5, 4)), draw((3, 1, 3, 2)), draw(3)),
        (draw((2, 4, 4, 4)), draw((2, 4, 3, 3)), draw(2), {"padding": 1}),
        (draw((2, 4, 3, 3)), draw((6, 2, 2, 2)), None, {"groups": 2}),
        (draw((2, 2, 6, 5)), draw((4, 1, 3, 2)), draw(4), odd),
        (draw((2, 4, 5)), draw((1, 2, 3, 4)), None, {"padding": "same"}),
    ]


class Conv2d(ConvNd):
    """The same kernels at every place of an image: x (..., in_channels, h, w) -> y (..., out_channels, p, q).

    >>> import chalkgrad as cg
    >>> Conv2d(1, 8, 3, padding=1)(cg.ones(5, 1, 28, 28)).shape
    (5, 8, 28, 28)
    """

    axes = 2
    rule = staticmethod(conv2d)

"""ConvTranspose2d: every pixel paints the kernel onto a larger image, as strongly as it is bright.

It is the convolution's way back: what `conv2d` does to gradients, done to images (Zeiler et al. 2010). Decoders and
generators grow images with it (Radford, Metz & Chintala 2015).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from .channels import channel_sums, for_each
from .columns import as_kernels, as_weight, collect, convolve, paint
from .convolution import ConvTransposeNd
from .geometry import canvas

__all__ = ["ConvTranspose2d", "conv_transpose2d"]


@primitive
def conv_transpose2d(x, weight, bias=None, *, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Paint a kernel for every pixel, so that y[o, i + m, j + n] += weight[c, o, m, n] x[c, i, j] onto b[o].

    x (..., c, h, w), weight (c, o/groups, kh, kw), bias (o) -> y (..., o, p, q)

    stride          pixels between the kernels of two neighbours: with s, y[o, i·s + m, j·s + n]
    padding         pixels that are taken off around y, as `conv2d` would have put them on
    output_padding  pixels more at the bottom and on the right, less than a stride: several sizes of an image are
                    shrunk to the same by `conv2d`, and this says which one comes back
    groups          the channels are split into so many groups, and each kernel paints channels of one of them
    dilation        pixels between two neighbours in the kernel: with d, y[o, i + m·d, j + n·d]

    Raises ShapeError if weight is for another number of channels, or if the padding takes everything off.

    Try: images are (batch, channels, height, width), and weight starts with the channels that come in.

    Source: Zeiler et al. 2010, Dumoulin & Visin 2016 (chapter 4).

    >>> from chalkgrad import tensor
    >>> conv_transpose2d(tensor([[[[1.0, 2.0]]]]), tensor([[[[1.0, 0.5]]]]), stride=2)
    tensor([[[[1. , 0.5, 2. , 1. ]]]])
    """
    shape    = x.shape
    geometry, size = canvas(
        shape[-3:], weight.shape, stride, padding, output_padding, groups, dilation,
        None if bias is None else bias.shape,
    )
    pixels   = x.reshape(math.prod(shape[:-3]), *shape[-3:])
    kernels  = as_kernels(weight, groups)
    images   = paint(pixels, kernels, size, geometry)
    if bias is not None:
        images = images + for_each(bias, images)
    y = images.reshape(*shape[:-3], *images.shape[1:])
    return y


@conv_transpose2d.backward
def conv_transpose2d_backward(grad_y, x, weight, pixels, kernels, geometry):
    """
    1. pixel t paints X_kt = Σ_c W_ck x_ct, and a pixel of y is the sum of all that was painted there, plus b_o:
       this is the way that gradients take back through `conv2d`
    2. ∂loss/∂X_kt is the gradient of that pixel of y which X_kt went into; call it G_kt
    3. ∂loss/∂x_ct = Σ_k W_ck G_kt: the same kernels look at the gradient, from the places where they painted
    4. ∂loss/∂W_ck = Σ_t x_ct G_kt
    5. ∂loss/∂b_o = Σ_t g_ot
    """
    grad_images  = grad_y.reshape(-1, *grad_y.shape[-3:])
    grad_pixels  = convolve(grad_images, kernels, None, geometry)
    grad_kernels = collect(grad_images, pixels, kernels, geometry)
    grad_x       = grad_pixels.reshape(x.shape)
    grad_weight  = as_weight(grad_kernels, weight.shape)
    grad_bias    = channel_sums(grad_images)
    return grad_x, grad_weight, grad_bias


@conv_transpose2d.examples
def conv_transpose2d_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """A batch; kernels with many weights, which overlap; two groups; every option at once; a single image."""
    draw = rng.standard_normal
    odd = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 3), "output_padding": (1, 2), "groups": 2}
    return [
        (draw((2, 2, 3, 2)), draw((2, 3, 2, 2)), draw(3)),
        (draw((2, 3, 3, 3)), draw((3, 4, 3, 3)), draw(4), {"stride": 2, "padding": 1}),
        (draw((2, 4, 2, 2)), draw((4, 3, 2, 1)), None, {"groups": 2}),
        (draw((2, 2, 3, 4)), draw((2, 2, 3, 2)), draw(4), odd),
        (draw((2, 2, 3)), draw((2, 1, 1, 2)), None, {"stride": 3, "output_padding": 2}),
    ]


class ConvTranspose2d(ConvTransposeNd):
    """A kernel painted for every pixel of an image: x (..., in_channels, h, w) -> y (..., out_channels, p, q).

    Mostly with a stride, to make the image larger.

    >>> import chalkgrad as cg
    >>> up = ConvTranspose2d(8, 3, 4, stride=2, padding=1)
    >>> up(cg.ones(5, 8, 7, 7)).shape, up(cg.ones(5, 8, 7, 7), output_size=(15, 14)).shape
    ((5, 3, 14, 14), (5, 3, 15, 14))
    """

    axes = 2
    rule = staticmethod(conv_transpose2d)

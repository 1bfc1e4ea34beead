"""ConvTranspose3d: every point of a volume paints the kernel onto a larger volume, as strongly as it is bright.

It is the convolution's way back: what `conv3d` does to gradients, done to volumes. Wu et al. (2016) grew chairs and
cars from random numbers with it, in five layers.
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
from .volumes import as_slices, as_volumes, deep, flat, gather, scatter, undeep

__all__ = ["ConvTranspose3d", "conv_transpose3d"]


@primitive
def conv_transpose3d(x, weight, bias=None, *, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Paint a kernel for every point, so that y[o, h + l, i + m, j + n] += weight[c,o,l,m,n] x[c, h, i, j] onto b[o].

    x (..., c, d, h, w), weight (c, o/groups, kd, kh, kw), bias (o) -> y (..., o, p, q, r)

    The options are those of `conv_transpose2d`, with three numbers where they differ from axis to axis.

    Raises ShapeError if weight is for another number of channels, or if the padding takes everything off.

    Try: volumes are (batch, channels, depth, height, width), and weight starts with the channels that come in.

    Source: Zeiler et al. 2010, Dumoulin & Visin 2016 (chapter 4).

    >>> from chalkgrad import tensor
    >>> x, weight = tensor([1.0, 2.0]).reshape(1, 1, 2, 1, 1), tensor([1.0, 0.5]).reshape(1, 1, 2, 1, 1)
    >>> conv_transpose3d(x, weight, stride=2).flatten()
    tensor([1. , 0.5, 2. , 1. ])
    """
    shape          = x.shape
    geometry, size = canvas(
        shape[-4:], weight.shape, stride, padding, output_padding, groups, dilation,
        None if bias is None else bias.shape,
    )
    points         = as_slices(x.reshape(math.prod(shape[:-4]), *shape[-4:]))
    kernels        = as_kernels(deep(weight), groups)
    images         = paint(points, kernels, size[1:], flat(geometry))
    volumes        = scatter(images, size[0], groups, geometry)
    if bias is not None:
        volumes = volumes + for_each(bias, volumes)
    y = volumes.reshape(*shape[:-4], *volumes.shape[1:])
    return y


@conv_transpose3d.backward
def conv_transpose3d_backward(grad_y, x, weight, points, kernels, groups, geometry):
    """
    1. every slice of x paints an image of kd slices, as in `conv_transpose2d`, and these are added to the slices of y
    2. a slice of y goes to all images that were added to it: from each place in depth, ∂loss/∂image is what the kernels
       see there of ∂loss/∂y
    3. the rest is as in `conv_transpose2d`: the kernels look at that from where they painted
    """
    grad_volumes = grad_y.reshape(-1, *grad_y.shape[-4:])
    grad_images  = gather(grad_volumes, groups, geometry)
    grad_points  = as_volumes(convolve(grad_images, kernels, None, flat(geometry)), x.shape[-3])
    grad_kernels = collect(grad_images, points, kernels, flat(geometry))
    grad_x       = grad_points.reshape(x.shape)
    grad_weight  = undeep(as_weight(grad_kernels, deep(weight).shape), weight.shape)
    grad_bias    = channel_sums(grad_volumes)
    return grad_x, grad_weight, grad_bias


@conv_transpose3d.examples
def conv_transpose3d_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """A batch; kernels that overlap; two groups; every option at once; a single volume."""
    draw = rng.standard_normal
    odd = {"stride": (2, 1, 2), "padding": (1, 2, 0), "dilation": (1, 3, 1), "output_padding": (1, 2, 0), "groups": 2}
    return [
        (draw((2, 2, 3, 2, 1)), draw((2, 3, 2, 1, 2)), draw(3)),
        (draw((1, 3, 2, 2, 2)), draw((3, 4, 3, 2, 3)), draw(4), {"stride": 2, "padding": 1}),
        (draw((2, 4, 2, 1, 2)), draw((4, 3, 2, 2, 1)), None, {"groups": 2}),
        (draw((2, 2, 2, 3, 2)), draw((2, 2, 3, 2, 1)), draw(4), odd),
        (draw((2, 2, 1, 2)), draw((2, 1, 1, 2, 1)), None, {"stride": 3, "output_padding": 2}),
    ]


class ConvTranspose3d(ConvTransposeNd):
    """A kernel painted for every point of a volume: x (..., in_channels, d, h, w) -> y (..., out_channels, p, q, r).

    >>> import chalkgrad as cg
    >>> ConvTranspose3d(8, 3, 4, stride=2, padding=1)(cg.ones(2, 8, 3, 4, 5)).shape
    (2, 3, 6, 8, 10)
    """

    axes = 3
    rule = staticmethod(conv_transpose3d)

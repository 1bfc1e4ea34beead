"""Conv3d: the same small kernel looks at every place of a volume: of a scan, or of a film, whose depth is time.

A kernel that also spans time sees motion: Ji et al. (2010) recognized what people do on surveillance films with such
kernels, and Tran et al. (2015) found 3 x 3 x 3 the best size throughout.
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
from .volumes import as_slices, as_volumes, deep, flat, gather, scatter, undeep

__all__ = ["Conv3d", "conv3d"]


@primitive
def conv3d(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    """Weigh what a kernel sees everywhere: y[o, p, q, r] = Σ_chij weight[o,c,h,i,j] x[c, p + h, q + i, r + j] + b[o].

    x (..., c, d, h, w), weight (o, c/groups, kd, kh, kw), bias (o) -> y (..., o, p, q, r)

    The options are those of `conv2d`, with three numbers where they differ from axis to axis.

    Raises ShapeError if the kernel does not fit in the padded volume, or sees another number of channels.

    Try: volumes are (batch, channels, depth, height, width); gray ones get their channel by x.unsqueeze(1).

    Source: Ji et al. 2010.

    >>> from chalkgrad import tensor
    >>> film = tensor([1.0, 2.0, 4.0]).reshape(1, 1, 3, 1, 1)
    >>> conv3d(film, tensor([-1.0, 1.0]).reshape(1, 1, 2, 1, 1)).flatten()  # how much the next picture is brighter
    tensor([1., 2.])
    """
    shape    = x.shape
    geometry = geometry_of(
        shape[-4:], weight.shape, stride, padding, dilation, groups, None if bias is None else bias.shape
    )
    volumes  = x.reshape(math.prod(shape[:-4]), *shape[-4:])
    images   = gather(volumes, groups, geometry)
    kernels  = as_kernels(deep(weight), groups)
    sums     = as_volumes(convolve(images, kernels, bias, flat(geometry)), geometry[-1][0])
    y        = sums.reshape(*shape[:-4], *sums.shape[1:])
    return y


@conv3d.backward
def conv3d_backward(grad_y, x, weight, images, kernels, groups, geometry):
    """
    1. what a place sees of a volume is an image of kd times as many channels, so y is that of `conv2d` on such images
    2. and so are the gradients: each weight hears from all places, each pixel of an image from all kernels that saw it
    3. a slice of a volume was put into the image of every place that saw it, so it gets the sum over its copies
    """
    grad_sums    = as_slices(grad_y.reshape(-1, *grad_y.shape[-4:]))
    grad_kernels = collect(images, grad_sums, kernels, flat(geometry))
    grad_images  = paint(grad_sums, kernels, x.shape[-2:], flat(geometry))
    grad_volumes = scatter(grad_images, x.shape[-3], groups, geometry)
    grad_weight  = undeep(as_weight(grad_kernels, deep(weight).shape), weight.shape)
    grad_x       = grad_volumes.reshape(x.shape)
    grad_bias    = channel_sums(grad_sums)
    return grad_x, grad_weight, grad_bias


@conv3d.examples
def conv3d_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """A batch; many channels; two groups; every option at once; a single volume."""
    draw = rng.standard_normal
    odd = {"stride": (2, 1, 2), "padding": (2, 0, 1), "dilation": (2, 1, 1), "groups": 2}
    return [
        (draw((2, 1, 3, 3, 4)), draw((2, 1, 2, 1, 2)), draw(2)),
        (draw((1, 4, 3, 2, 3)), draw((2, 4, 3, 2, 3)), draw(2), {"padding": 1}),
        (draw((2, 4, 2, 2, 2)), draw((4, 2, 2, 1, 2)), None, {"groups": 2}),
        (draw((2, 2, 4, 3, 2)), draw((4, 1, 3, 2, 2)), draw(4), odd),
        (draw((2, 3, 2, 3)), draw((1, 2, 2, 1, 2)), None, {"padding": "same"}),
    ]


class Conv3d(ConvNd):
    """The same kernels at every place of a volume: x (..., in_channels, d, h, w) -> y (..., out_channels, p, q, r).

    >>> import chalkgrad as cg
    >>> Conv3d(1, 8, 3, padding=1)(cg.ones(2, 1, 5, 6, 7)).shape
    (2, 8, 5, 6, 7)
    """

    axes = 3
    rule = staticmethod(conv3d)

"""Conv2d: the same small kernel looks at every place of an image.

What is worth seeing at one place is worth seeing at all of them, so all share the kernel's weights: LeCun et al. (1989)
read handwritten zip codes over 64,660 connections with 9,760 weights.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .. import init
from ..module import Module, Parameter
from .channels import channel_sums
from .columns import as_kernels, as_weight, collect, convolve, paint
from .windows import output_size, pair

__all__ = ["Conv2d", "border", "conv2d", "geometry_of"]


def border(padding, kernel, stride, dilation):
    """Turn PyTorch's `padding` into a frame of zeros, ((top, bottom), (left, right)); the others are pairs.

    >>> border("same", kernel=(3, 4), stride=(1, 1), dilation=(1, 1))
    ((1, 1), (1, 2))
    """
    if padding == "same":
        if stride != (1, 1):
            raise ValueError(f"padding='same' keeps the size, which stride={stride} would not; give padding in pixels.")
        high, wide = [(k - 1) * d for k, d in zip(kernel, dilation)]
        return (high // 2, high - high // 2), (wide // 2, wide - wide // 2)
    if isinstance(padding, str) and padding != "valid":
        raise ValueError(f"padding is 'same', 'valid', a number or a pair (height, width), but {padding!r} came.")
    high, wide = pair(0 if padding == "valid" else padding, "padding", least=0)
    return (high, high), (wide, wide)


def geometry_of(shape, weight_shape, stride, padding, dilation, groups):
    """Settle how kernels lie on images: kernel, stride, dilation, frame, and the places (p, q), each a pair.

    >>> geometry_of((1, 28, 28), (8, 1, 3, 3), stride=2, padding=1, dilation=1, groups=1)
    ((3, 3), (2, 2), (1, 1), ((1, 1), (1, 1)), (14, 14))
    """
    channels, (o, seen, *kernel) = shape[-3], weight_shape
    if groups < 1 or o % groups:
        raise ValueError(f"groups={groups} does not divide the {o} kernels of weight.")
    if channels != seen * groups:
        split = f" in each of {groups} groups" if groups > 1 else ""
        raise ValueError(f"x has {channels} channels, but the kernels of weight see {seen}{split}.")
    step, spread = pair(stride, "stride"), pair(dilation, "dilation")
    frame = border(padding, kernel, step, spread)
    area = [size + sum(both) for size, both in zip(shape[-2:], frame)]
    return tuple(kernel), step, spread, frame, output_size(area, kernel, step, spread)


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
    geometry = geometry_of(shape, weight.shape, stride, padding, dilation, groups)
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


class Conv2d(Module):
    """The same kernels at every place of an image.

    `weight` (out_channels, in_channels/groups, height, width) and `bias` (out_channels) start evenly spread in
    ±1/√(inputs of a kernel), as in PyTorch. The arguments are PyTorch's, explained at `conv2d`; its other padding
    modes are not in this release.

    Raises ValueError for sizes that do not make a convolution.

    >>> import chalkgrad as cg
    >>> Conv2d(1, 8, 3, padding=1)(cg.ones(5, 1, 28, 28)).shape
    (5, 8, 28, 28)
    """

    bias: Parameter | None

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1, padding: str | int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros",
        dtype: Any = np.float32,
    ) -> None:
        super().__init__()
        if padding_mode != "zeros":
            raise ValueError(f"Conv2d: padding_mode={padding_mode!r} is not in this release; it pads with 'zeros'.")
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(f"Conv2d: groups={groups} does not divide {in_channels} channels in, {out_channels} out.")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride, self.dilation = pair(stride, "stride"), pair(dilation, "dilation")
        self.padding = padding if isinstance(padding, str) else pair(padding, "padding", least=0)
        border(self.padding, self.kernel_size, self.stride, self.dilation)  # its errors belong here
        self.padding_mode = padding_mode
        self.weight = Parameter(np.empty((out_channels, in_channels // groups, *self.kernel_size), dtype))
        self.bias = Parameter(np.empty(out_channels, dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            inputs = math.prod(self.weight.shape[1:])
            bound = 1 / math.sqrt(inputs) if inputs > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """x (..., in_channels, h, w) -> y (..., out_channels, p, q)."""
        y: Tensor = conv2d(
            x, self.weight, self.bias, stride=self.stride, padding=self.padding, dilation=self.dilation,
            groups=self.groups,
        )
        return y

    def extra_repr(self) -> str:
        """Say the sizes, and the options that are not the usual ones, as PyTorch does."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        usual = {"padding": (0, 0), "dilation": (1, 1), "groups": 1}
        text += "".join(f", {n}={getattr(self, n)}" for n, value in usual.items() if getattr(self, n) != value)
        return text if self.bias is not None else f"{text}, bias=False"

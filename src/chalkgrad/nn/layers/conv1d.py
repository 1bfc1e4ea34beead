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
from ...engine.tensor import Tensor
from .. import init
from ..module import Module, Parameter
from .channels import channel_sums
from .columns import as_kernels, as_weight, collect, convolve, paint
from .conv2d import border, geometry_of
from .windows import pair, single

__all__ = ["Conv1d", "conv1d", "row_geometry"]

Single = int | tuple[int]


def row_geometry(shape, weight_shape, stride, padding, dilation, groups):
    """Settle how kernels lie on rows, which are images of height 1: the geometry that `conv2d` would have.

    >>> row_geometry((3, 30), (8, 3, 5), stride=1, padding="same", dilation=2, groups=1)
    ((1, 5), (1, 1), (1, 2), ((0, 0), (4, 4)), (1, 30))
    """
    (channels, w), (o, seen, k) = shape[-2:], weight_shape
    step, spread, around = single(stride, "stride"), single(dilation, "dilation"), single(padding, "padding")
    around = around if isinstance(around, str) else (0, around)
    return geometry_of((channels, 1, w), (o, seen, 1, k), (1, step), around, (1, spread), groups)


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
    geometry = row_geometry(shape, weight.shape, stride, padding, dilation, groups)
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


class Conv1d(Module):
    """The same kernels at every place of a row.

    `weight` (out_channels, in_channels/groups, kernel_size) and `bias` (out_channels) start evenly spread in
    ±1/√(inputs of a kernel), as in PyTorch. The arguments are PyTorch's, explained at `conv1d`; its other padding
    modes are not in this release.

    Raises ValueError for sizes that do not make a convolution.

    >>> import chalkgrad as cg
    >>> Conv1d(3, 8, 5, dilation=2)(cg.ones(4, 3, 30)).shape
    (4, 8, 22)
    """

    bias: Parameter | None

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Single, stride: Single = 1,
        padding: str | Single = 0, dilation: Single = 1, groups: int = 1, bias: bool = True,
        padding_mode: str = "zeros", dtype: Any = np.float32,
    ) -> None:
        super().__init__()
        if padding_mode != "zeros":
            raise ValueError(f"Conv1d: padding_mode={padding_mode!r} is not in this release; it pads with 'zeros'.")
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(f"Conv1d: groups={groups} does not divide {in_channels} channels in, {out_channels} out.")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = (single(kernel_size, "kernel_size"),)
        self.stride, self.dilation = (single(stride, "stride"),), (single(dilation, "dilation"),)
        self.padding = padding if isinstance(padding, str) else (single(padding, "padding"),)
        kernel, step, spread = pair((1, *self.kernel_size), "kernel_size"), (1, *self.stride), (1, *self.dilation)
        around = padding if isinstance(padding, str) else (0, *self.padding)
        border(around, kernel, pair(step, "stride"), pair(spread, "dilation"))  # its errors belong here
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
        """x (..., in_channels, w) -> y (..., out_channels, q)."""
        y: Tensor = conv1d(
            x, self.weight, self.bias, stride=self.stride, padding=self.padding, dilation=self.dilation,
            groups=self.groups,
        )
        return y

    def extra_repr(self) -> str:
        """Say the sizes, and the options that are not the usual ones, as PyTorch does."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        usual = {"padding": (0,), "dilation": (1,), "groups": 1}
        text += "".join(f", {n}={getattr(self, n)}" for n, value in usual.items() if getattr(self, n) != value)
        return text if self.bias is not None else f"{text}, bias=False"

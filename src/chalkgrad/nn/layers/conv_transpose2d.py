"""ConvTranspose2d: every pixel paints the kernel onto a larger image, as strongly as it is bright.

It is the convolution's way back: what `conv2d` does to gradients, done to images (Zeiler et al. 2010). Decoders and
generators grow images with it (Radford, Metz & Chintala 2015).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .. import init
from ..module import Module, Parameter
from .channels import channel_sums, for_each
from .columns import as_kernels, as_weight, collect, convolve, paint
from .windows import pair

__all__ = ["ConvTranspose2d", "canvas", "conv_transpose2d"]


def canvas(shape, weight_shape, stride, padding, output_padding, groups, dilation):
    """Settle the geometry, as `conv2d` has it on the way from y to x, and the size of y.

    >>> canvas((8, 3, 4), (8, 1, 3, 3), stride=2, padding=1, output_padding=(1, 0), groups=1, dilation=1)
    (((3, 3), (2, 2), (1, 1), ((1, 1), (1, 1)), (3, 4)), (6, 7))
    """
    (c, *places), (rows, _, *kernel) = shape[-3:], weight_shape
    step, spread = pair(stride, "stride"), pair(dilation, "dilation")
    off, more = pair(padding, "padding", least=0), pair(output_padding, "output_padding", least=0)
    if c != rows:
        raise ValueError(f"x has {c} channels, but weight has kernels for {rows}.")
    if groups < 1 or c % groups:
        raise ValueError(f"groups={groups} does not divide the {c} channels of x.")
    if any(m >= max(s, d) for m, s, d in zip(more, step, spread)):
        raise ValueError(f"output_padding={more} is not below stride={step} or dilation={spread}.")
    reach = [(n - 1) * s + (k - 1) * d + 1 for n, k, s, d in zip(places, kernel, step, spread)]
    p, q = [length + m - 2 * frame for length, m, frame in zip(reach, more, off)]
    if 0 in places or p < 1 or q < 1:
        raise ValueError(f"padding={off} takes all off: the kernels paint {reach[0]} x {reach[1]} pixels.")
    frame = (off[0], off[0]), (off[1], off[1])
    return (tuple(kernel), step, spread, frame, tuple(places)), (p, q)


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
    geometry, size = canvas(shape, weight.shape, stride, padding, output_padding, groups, dilation)
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


class ConvTranspose2d(Module):
    """A kernel painted for every pixel of an image: mostly with a stride, to make the image larger.

    `weight` (in_channels, out_channels/groups, height, width) and `bias` (out_channels) start evenly spread in
    ±1/√(out_channels/groups · height · width), as in PyTorch. The arguments are PyTorch's, explained at
    `conv_transpose2d`. A call takes the image alone: the size that comes out is settled by `output_padding`.

    Raises ValueError for sizes that do not make a convolution.

    >>> import chalkgrad as cg
    >>> ConvTranspose2d(8, 3, 4, stride=2, padding=1)(cg.ones(5, 8, 7, 7)).shape
    (5, 3, 14, 14)
    """

    bias: Parameter | None

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1, padding: int | tuple[int, int] = 0,
        output_padding: int | tuple[int, int] = 0, groups: int = 1, bias: bool = True,
        dilation: int | tuple[int, int] = 1, padding_mode: str = "zeros", dtype: Any = np.float32,
    ) -> None:
        super().__init__()
        if padding_mode != "zeros":
            raise ValueError(f"ConvTranspose2d: there is no padding_mode={padding_mode!r}; the padding is taken off.")
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"ConvTranspose2d: groups={groups} does not divide {in_channels} channels in, {out_channels} out."
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride, self.dilation = pair(stride, "stride"), pair(dilation, "dilation")
        self.padding = pair(padding, "padding", least=0)
        self.output_padding = pair(output_padding, "output_padding", least=0)
        self.padding_mode = padding_mode
        self.weight = Parameter(np.empty((in_channels, out_channels // groups, *self.kernel_size), dtype))
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
        y: Tensor = conv_transpose2d(
            x, self.weight, self.bias, stride=self.stride, padding=self.padding, output_padding=self.output_padding,
            groups=self.groups, dilation=self.dilation,
        )
        return y

    def extra_repr(self) -> str:
        """Say the sizes, and the options that are not the usual ones, as PyTorch does."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        usual = {"padding": (0, 0), "dilation": (1, 1), "output_padding": (0, 0), "groups": 1}
        text += "".join(f", {n}={getattr(self, n)}" for n, value in usual.items() if getattr(self, n) != value)
        return text if self.bias is not None else f"{text}, bias=False"

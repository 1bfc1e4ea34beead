"""What the modules of all convolutions share: their arguments, their weights, and how they start."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from ...engine.tensor import Tensor
from .. import init
from ..module import Module, Parameter
from .geometry import frame_of, per_axis
from .padding import pad

__all__ = ["ConvNd", "ConvTransposeNd", "Size"]

Size = int | tuple[int, ...]
MODES = "zeros", "reflect", "replicate", "circular"


class ConvNd(Module):
    """The base of Conv1d, Conv2d and Conv3d, which differ in the number of axes that a kernel has, and in their rule.

    `weight` (out_channels, in_channels/groups, *kernel_size) and `bias` (out_channels) start evenly spread in
    ±1/√(inputs of a kernel), as in PyTorch. Sizes are one number for all axes, or one for each.

    stride, padding, dilation, groups  explained at `conv2d`
    padding_mode                       what stands around x: "zeros", or its own pixels: "reflect", "replicate" or
                                       "circular", explained at `functional.pad`

    Raises ValueError for sizes that do not make a convolution.
    """

    axes: ClassVar[int]
    rule: ClassVar[Callable[..., Tensor]]
    transposed: ClassVar[bool] = False
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size = 1, padding: str | Size = 0,
        dilation: Size = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", dtype: Any = np.float32,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if padding_mode not in MODES:
            raise ValueError(f"{name}: padding_mode is one of {', '.join(MODES)}, but {padding_mode!r} came.")
        for count, what in ((in_channels, "in_channels"), (out_channels, "out_channels"), (groups, "groups")):
            per_axis(count, what, 1, least=int(what == "groups"))  # its errors belong here
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"{name}: groups={groups} does not divide {in_channels} channels in, {out_channels} out.")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = per_axis(kernel_size, "kernel_size", self.axes)
        self.stride, self.dilation = per_axis(stride, "stride", self.axes), per_axis(dilation, "dilation", self.axes)
        self.padding = padding if isinstance(padding, str) else per_axis(padding, "padding", self.axes, least=0)
        self.frame = frame_of(self.padding, self.kernel_size, self.stride, self.dilation)
        self.output_padding: Any = (0,) * self.axes
        self.padding_mode = padding_mode
        self.weight = Parameter(np.empty(self.weight_shape(), dtype))
        self.bias = Parameter(np.empty(out_channels, dtype)) if bias else None
        self.reset_parameters()

    def weight_shape(self) -> tuple[int, ...]:
        """Return the shape of the weight, which follows from the channels and the sizes."""
        return (self.out_channels, self.in_channels // self.groups, *self.kernel_size)

    def reset_parameters(self) -> None:
        """Draw new weights."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            inputs = math.prod(self.weight.shape[1:])
            bound = 1 / math.sqrt(inputs) if inputs > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """input (..., in_channels, sizes ...) -> y (..., out_channels, places ...)."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = pad(input, [n for both in reversed(self.frame) for n in both], mode=self.padding_mode), 0
        return self.rule(
            input, self.weight, self.bias, stride=self.stride, padding=padding, dilation=self.dilation,
            groups=self.groups,
        )

    def extra_repr(self) -> str:
        """Say the sizes, and the options that are not the usual ones, as PyTorch does."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        none = (0,) * self.axes
        usual = {"padding": none, "dilation": (1,) * self.axes, "output_padding": none, "groups": 1}
        text += "".join(f", {n}={getattr(self, n)}" for n, value in usual.items() if getattr(self, n) != value)
        text += "" if self.bias is not None else ", bias=False"
        return text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode}"


class ConvTransposeNd(ConvNd):
    """The base of ConvTranspose1d, ConvTranspose2d and ConvTranspose3d.

    `weight` (in_channels, out_channels/groups, *kernel_size) and `bias` (out_channels) start evenly spread in
    ±1/√(out_channels/groups · numbers of a kernel), as in PyTorch. Sizes are one number for all axes, or one for each.

    stride, padding, output_padding, groups, dilation  explained at `conv_transpose2d`

    Raises ValueError for sizes that do not make a convolution, and for a padding_mode other than "zeros".
    """

    transposed = True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size = 1, padding: Size = 0,
        output_padding: Size = 0, groups: int = 1, bias: bool = True, dilation: Size = 1, padding_mode: str = "zeros",
        dtype: Any = np.float32,
    ) -> None:
        name = type(self).__name__
        if padding_mode != "zeros":
            raise ValueError(f"{name}: there is no padding_mode={padding_mode!r}; the padding is taken off.")
        off = per_axis(padding, "padding", self.axes, least=0)
        super().__init__(
            in_channels, out_channels, kernel_size, stride, off, dilation, groups, bias, padding_mode, dtype
        )
        self.output_padding = per_axis(output_padding, "output_padding", self.axes, least=0)

    def weight_shape(self) -> tuple[int, ...]:
        """Return the shape of the weight, which starts with the channels that come in."""
        return (self.in_channels, self.out_channels // self.groups, *self.kernel_size)

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """input (..., in_channels, places ...) -> y (..., out_channels, sizes ...).

        output_size  the sizes of y, perhaps after the axes before them, instead of `output_padding`: with a stride,
                     several are possible. ValueError if these are not
        """
        more = self.output_padding if output_size is None else self._padding_for(input, tuple(output_size))
        return self.rule(
            input, self.weight, self.bias, stride=self.stride, padding=self.padding, output_padding=more,
            groups=self.groups, dilation=self.dilation,
        )

    def _padding_for(self, x: Tensor, output_size: tuple[int, ...]) -> tuple[int, ...]:
        """Find the output padding that makes y as large as it is wanted."""
        name, wanted = type(self).__name__, output_size[-self.axes:]
        if len(output_size) not in (self.axes, x.ndim):
            raise ValueError(f"{name}: output_size is the {self.axes} sizes of y, or its whole shape of {x.ndim} axes, "
                             f"but {output_size} came.")
        sizes = zip(x.shape[-self.axes:], self.kernel_size, self.stride, self.padding, self.dilation)
        least = [(n - 1) * s - 2 * off + (k - 1) * d + 1 for n, k, s, off, d in sizes]
        most = [size + s - 1 for size, s in zip(least, self.stride)]
        if not all(low <= size <= high for low, size, high in zip(least, wanted, most)):
            raise ValueError(f"{name}: an input of shape {x.shape} becomes one of the sizes from {least} to {most}, "
                             f"but output_size={output_size} came.")
        return tuple(size - low for size, low in zip(wanted, least))

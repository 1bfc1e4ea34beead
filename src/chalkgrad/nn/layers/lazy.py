"""The lazy forms of layers: made without the number of features or channels that come in, which the first call tells.

From that call on they are of the ordinary class; see `nn.lazy`. The other arguments are those of the ordinary class.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ..lazy import LazyModuleMixin
from ..parameter import Uninitialized, UninitializedParameter
from .conv1d import Conv1d
from .conv2d import Conv2d
from .conv3d import Conv3d
from .conv_transpose1d import ConvTranspose1d
from .conv_transpose2d import ConvTranspose2d
from .conv_transpose3d import ConvTranspose3d
from .convolution import ConvNd, ConvTransposeNd, Size
from .linear import Linear

__all__ = [
    "LazyConv", "LazyConv1d", "LazyConv2d", "LazyConv3d", "LazyConvTranspose", "LazyConvTranspose1d",
    "LazyConvTranspose2d", "LazyConvTranspose3d", "LazyLayer", "LazyLinear",
]


class LazyLayer(LazyModuleMixin):
    """What the lazy layers share: one number is missing, and with it all shapes are known.

    counted  the name of that number, which is 0 before the first call
    """

    counted: ClassVar[str]

    def count(self, x: Tensor) -> int:
        """Read the number from the first input."""
        raise NotImplementedError(f"{type(self).__name__} has no `count`; it reads a size from the first input.")

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of all parameters and buffers that were without one, by their names."""
        raise NotImplementedError(f"{type(self).__name__} has no `shapes`; it says how large its parameters are.")

    def reset_parameters(self) -> None:
        """Start anew, if the sizes are known."""
        if not self.has_uninitialized_params():
            super().reset_parameters()  # type: ignore[misc]  # of the ordinary class, which comes next

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Settle the sizes by the first input, and draw first values, unless a state was loaded.

        Raises ShapeError if that state has other sizes.
        """
        x, *_ = *args, *kwargs.values()
        setattr(self, self.counted, self.count(x))
        tensors = {name: getattr(self, name) for name in self.shapes()}
        missing = [name for name, tensor in tensors.items() if isinstance(tensor, Uninitialized)]
        for name, shape in self.shapes().items():
            if tensors[name] is not None and name not in missing and tensors[name].shape != shape:
                setattr(self, self.counted, 0)
                raise ShapeError(f"{type(self).__name__}: for an input of shape {x.shape}, the {name} has the shape "
                                 f"{shape}, but one of shape {tensors[name].shape} was loaded.")
        for name in missing:
            tensors[name].materialize(self.shapes()[name])
        if missing:
            self.reset_parameters()


class LazyLinear(LazyLayer, Linear):
    """A Linear whose `in_features` is the size of the last axis of its first input.

    >>> import chalkgrad as cg
    >>> layer = cg.nn.LazyLinear(2)
    >>> layer(cg.ones(4, 3)).shape, layer
    ((4, 2), Linear(in_features=3, out_features=2, bias=True)  # 8 parameters)
    """

    cls_to_become = Linear
    counted = "in_features"

    def __init__(self, out_features: int, bias: bool = True, dtype: Any = np.float32) -> None:
        super().__init__(0, out_features, False, dtype)
        self.weight = UninitializedParameter(dtype=dtype)
        self.bias = UninitializedParameter(dtype=dtype) if bias else None

    def count(self, x: Tensor) -> int:
        """Read the size of the last axis of x (..., in_features)."""
        if not x.ndim:
            raise ShapeError("LazyLinear: the last axis of the input is that of the features, but it has no axes.")
        size: int = x.shape[-1]
        return size

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of a Linear."""
        return {"weight": (self.out_features, self.in_features), "bias": (self.out_features,)}


class LazyConv(LazyLayer, ConvNd):
    """The base of LazyConv1d, LazyConv2d and LazyConv3d: `in_channels` is that of the first input.

    Raises ShapeError for a first input that is no batch of examples, nor one, and ValueError if `groups` does not
    divide its channels.
    """

    counted = "in_channels"

    def __init__(
        self, out_channels: int, kernel_size: Size, stride: Size = 1, padding: str | Size = 0, dilation: Size = 1,
        groups: int = 1, bias: bool = True, padding_mode: str = "zeros", dtype: Any = np.float32,
    ) -> None:
        super().__init__(
            0, out_channels, kernel_size, stride, padding, dilation, groups, False, padding_mode, dtype
        )
        self._leave_open(bias, dtype)

    def _leave_open(self, bias: bool, dtype: Any) -> None:
        self.weight = UninitializedParameter(dtype=dtype)
        self.bias = UninitializedParameter(dtype=dtype) if bias else None

    def count(self, x: Tensor) -> int:
        """Read the size of the axis of channels of x (n, in_channels, sizes ...), or the same without n."""
        name, wanted = type(self).__name__, (self.axes + 1, self.axes + 2)
        if x.ndim not in wanted:
            raise ShapeError(f"{name}: {wanted[1]} axes are expected, or {wanted[0]} without a batch, but the first "
                             f"input has shape {x.shape}.")
        channels: int = x.shape[-self.axes - 1]
        if channels % self.groups:
            raise ValueError(f"{name}: groups={self.groups} does not divide the {channels} channels of the input.")
        return channels

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of a convolution."""
        return {"weight": self.weight_shape(), "bias": (self.out_channels,)}


class LazyConvTranspose(LazyConv, ConvTransposeNd):
    """The base of LazyConvTranspose1d, LazyConvTranspose2d and LazyConvTranspose3d; see LazyConv."""

    def __init__(
        self, out_channels: int, kernel_size: Size, stride: Size = 1, padding: Size = 0, output_padding: Size = 0,
        groups: int = 1, bias: bool = True, dilation: Size = 1, padding_mode: str = "zeros", dtype: Any = np.float32,
    ) -> None:
        ConvTransposeNd.__init__(
            self, 0, out_channels, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode,
            dtype,
        )
        self._leave_open(bias, dtype)


class LazyConv1d(LazyConv, Conv1d):
    """A Conv1d whose `in_channels` is that of its first input.

    >>> import chalkgrad as cg
    >>> cg.nn.LazyConv1d(8, 3)(cg.ones(4, 2, 7)).shape
    (4, 8, 5)
    """

    cls_to_become = Conv1d


class LazyConv2d(LazyConv, Conv2d):
    """A Conv2d whose `in_channels` is that of its first input.

    >>> import chalkgrad as cg
    >>> layer = cg.nn.LazyConv2d(8, 3, padding=1)
    >>> layer.weight
    <UninitializedParameter>
    >>> layer(cg.ones(4, 2, 7, 7)).shape, layer.weight.shape
    ((4, 8, 7, 7), (8, 2, 3, 3))
    """

    cls_to_become = Conv2d


class LazyConv3d(LazyConv, Conv3d):
    """A Conv3d whose `in_channels` is that of its first input.

    >>> import chalkgrad as cg
    >>> cg.nn.LazyConv3d(8, 3)(cg.ones(4, 2, 5, 6, 7)).shape
    (4, 8, 3, 4, 5)
    """

    cls_to_become = Conv3d


class LazyConvTranspose1d(LazyConvTranspose, ConvTranspose1d):
    """A ConvTranspose1d whose `in_channels` is that of its first input.

    >>> import chalkgrad as cg
    >>> cg.nn.LazyConvTranspose1d(8, 2, stride=2)(cg.ones(4, 2, 7)).shape
    (4, 8, 14)
    """

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(LazyConvTranspose, ConvTranspose2d):
    """A ConvTranspose2d whose `in_channels` is that of its first input.

    >>> import chalkgrad as cg
    >>> cg.nn.LazyConvTranspose2d(8, 2, stride=2)(cg.ones(4, 2, 7, 7)).shape
    (4, 8, 14, 14)
    """

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(LazyConvTranspose, ConvTranspose3d):
    """A ConvTranspose3d whose `in_channels` is that of its first input.

    >>> import chalkgrad as cg
    >>> cg.nn.LazyConvTranspose3d(8, 2, stride=2)(cg.ones(4, 2, 3, 4, 5)).shape
    (4, 8, 6, 8, 10)
    """

    cls_to_become = ConvTranspose3d

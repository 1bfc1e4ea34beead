"""The paddings as modules: constants, zeros, reflections, replications and circles, around rows, images and volumes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...engine.tensor import Tensor
from ..module import Module
from .padding import pad

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]


class _Pad(Module):
    """What all paddings share; they differ in the mode and in the number of axes that they pad."""

    axes: int
    mode: str
    value: float | None = None

    def __init__(self, padding: int | tuple[int, ...]) -> None:
        super().__init__()
        sides = tuple(padding) if isinstance(padding, Sequence) else (padding,) * 2 * self.axes
        if len(sides) != 2 * self.axes or not all(isinstance(n, int | np.integer) for n in sides):
            raise ValueError(f"{type(self).__name__}: padding is a whole number, or {2 * self.axes} of them, (before, "
                             f"after) for each axis, last axis first, but {padding!r} came.")
        self.padding = sides

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (*)."""
        return pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        """Say the widths, as PyTorch does."""
        return f"{self.padding}"


class _ConstantPad(_Pad):
    mode = "constant"

    def __init__(self, padding: int | tuple[int, ...], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        """Say the widths and the constant, as PyTorch does."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """Put a constant around rows (..., w): `padding` pixels on both sides, or (left, right).

    Raises ValueError for anything else; a negative number takes pixels away. So it is for all paddings.

    >>> import chalkgrad as cg
    >>> cg.nn.ConstantPad1d((2, 1), 7.0)(cg.tensor([[1.0, 2.0, 3.0]]))
    tensor([[7., 7., 1., 2., 3., 7.]])
    """

    axes = 1


class ConstantPad2d(_ConstantPad):
    """Put a constant around images (..., h, w): `padding` pixels, or (left, right, top, bottom).

    >>> import chalkgrad as cg
    >>> cg.nn.ConstantPad2d((1, 2, 0, 1), 7.0)(cg.ones(1, 3, 4)).shape
    (1, 4, 7)
    """

    axes = 2


class ConstantPad3d(_ConstantPad):
    """Put a constant around volumes (..., d, h, w): `padding`, or (left, right, top, bottom, front, back).

    >>> import chalkgrad as cg
    >>> cg.nn.ConstantPad3d((1, 2, 0, 1, 2, 0), 7.0)(cg.ones(1, 3, 4, 5)).shape
    (1, 5, 5, 8)
    """

    axes = 3


class ZeroPad1d(_Pad):
    """Put zeros around rows (..., w): `padding` pixels on both sides, or (left, right).

    >>> import chalkgrad as cg
    >>> cg.nn.ZeroPad1d((2, 1))(cg.tensor([[1.0, 2.0, 3.0]]))
    tensor([[0., 0., 1., 2., 3., 0.]])
    """

    axes, mode = 1, "constant"


class ZeroPad2d(_Pad):
    """Put zeros around images (..., h, w): `padding` pixels, or (left, right, top, bottom).

    >>> import chalkgrad as cg
    >>> cg.nn.ZeroPad2d((1, 2, 0, 1))(cg.ones(1, 3, 4)).shape
    (1, 4, 7)
    """

    axes, mode = 2, "constant"


class ZeroPad3d(_Pad):
    """Put zeros around volumes (..., d, h, w): `padding`, or (left, right, top, bottom, front, back).

    >>> import chalkgrad as cg
    >>> cg.nn.ZeroPad3d((1, 2, 0, 1, 2, 0))(cg.ones(1, 3, 4, 5)).shape
    (1, 5, 5, 8)
    """

    axes, mode = 3, "constant"


class ReflectionPad1d(_Pad):
    """Continue rows (..., w) by their reflection: `padding` pixels on both sides, or (left, right).

    The outermost pixels are the mirror, and not repeated; a side may be as long as the row but for one pixel.

    >>> import chalkgrad as cg
    >>> cg.nn.ReflectionPad1d((2, 1))(cg.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 2., 1., 2., 3., 2.]])
    """

    axes, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """Continue images (..., h, w) by their reflection: `padding` pixels, or (left, right, top, bottom).

    >>> import chalkgrad as cg
    >>> cg.nn.ReflectionPad2d((1, 2, 0, 1))(cg.ones(1, 3, 4)).shape
    (1, 4, 7)
    """

    axes, mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """Continue volumes (..., d, h, w) by their reflection: `padding`, or (left, right, top, bottom, front, back).

    >>> import chalkgrad as cg
    >>> cg.nn.ReflectionPad3d((1, 2, 0, 1, 2, 0))(cg.ones(1, 3, 4, 5)).shape
    (1, 5, 5, 8)
    """

    axes, mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """Continue rows (..., w) by their outermost pixels: `padding` pixels on both sides, or (left, right).

    >>> import chalkgrad as cg
    >>> cg.nn.ReplicationPad1d((2, 1))(cg.tensor([[1.0, 2.0, 3.0]]))
    tensor([[1., 1., 1., 2., 3., 3.]])
    """

    axes, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """Continue images (..., h, w) by their outermost pixels: `padding` pixels, or (left, right, top, bottom).

    >>> import chalkgrad as cg
    >>> cg.nn.ReplicationPad2d((1, 2, 0, 1))(cg.ones(1, 3, 4)).shape
    (1, 4, 7)
    """

    axes, mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """Continue volumes (..., d, h, w) by their outermost pixels: `padding`, or (left, right, top, bottom, front, back).

    >>> import chalkgrad as cg
    >>> cg.nn.ReplicationPad3d((1, 2, 0, 1, 2, 0))(cg.ones(1, 3, 4, 5)).shape
    (1, 5, 5, 8)
    """

    axes, mode = 3, "replicate"


class CircularPad1d(_Pad):
    """Continue rows (..., w) by their opposite side: `padding` pixels on both sides, or (left, right).

    A side may be as long as the row.

    >>> import chalkgrad as cg
    >>> cg.nn.CircularPad1d((2, 1))(cg.tensor([[1.0, 2.0, 3.0]]))
    tensor([[2., 3., 1., 2., 3., 1.]])
    """

    axes, mode = 1, "circular"


class CircularPad2d(_Pad):
    """Continue images (..., h, w) by their opposite side: `padding` pixels, or (left, right, top, bottom).

    >>> import chalkgrad as cg
    >>> cg.nn.CircularPad2d((1, 2, 0, 1))(cg.ones(1, 3, 4)).shape
    (1, 4, 7)
    """

    axes, mode = 2, "circular"


class CircularPad3d(_Pad):
    """Continue volumes (..., d, h, w) by their opposite side: `padding`, or (left, right, top, bottom, front, back).

    >>> import chalkgrad as cg
    >>> cg.nn.CircularPad3d((1, 2, 0, 1, 2, 0))(cg.ones(1, 3, 4, 5)).shape
    (1, 5, 5, 8)
    """

    axes, mode = 3, "circular"

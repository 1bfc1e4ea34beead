"""Dropout1d, Dropout2d, Dropout3d: dropout of whole channels.

Neighbours in a feature map look alike. Where one of them falls out, the next one tells nearly the same, and little is
gained; so Tompson et al. (2015) drop a feature map as a whole, or not at all.
"""

from __future__ import annotations

import warnings
from typing import Any

from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from .dropout import Dropping, check, drop, dropped

__all__ = ["Dropout1d", "Dropout2d", "Dropout3d", "drop_channels", "dropout1d", "dropout2d", "dropout3d"]


def drop_channels(rule: Any, input: Any, p: float, training: bool, inplace: bool, batched: bool = True) -> Any:
    """Let a rule drop whole channels: one draw for each of the first two axes, or the first, if there is no batch."""
    check(p)
    if not training or p == 0:
        return input
    if input.ndim < 2 and p < 1:
        raise ShapeError(f"dropout of channels: the input has a channel axis and others, (batch, channels, ...), but "
                         f"{input.shape} came; try dropout.")
    first = 2 if batched else 1
    return dropped(rule, input, input.shape[:first] + (1,) * (input.ndim - first), p, inplace)


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Set each channel to zero with probability p and divide the others by 1 - p; if not training, change nothing.

    input    (n, c, l), or (c, l) without a batch -> y, of the same shape
    inplace  write the result over the input

    Raises ValueError for a p outside [0, 1], ShapeError for other shapes, TypeError for what are no floats.

    >>> import chalkgrad as cg
    >>> y = dropout1d(cg.ones(100, 3, 8), p=0.2)
    >>> bool((y == y[:, :, :1]).all()), sorted(set(y.tolist()[0][0])) in ([0.0], [1.25])
    (True, True)
    """
    if input.ndim not in (2, 3):
        raise ShapeError(f"dropout1d: the input is (batch, channels, length), or (channels, length), but {input.shape} "
                         "came.")
    return drop_channels(drop, input, p, training, inplace, batched=input.ndim == 3)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Set each channel to zero with probability p and divide the others by 1 - p; if not training, change nothing.

    input    (n, c, h, w) -> y (n, c, h, w)
    inplace  write the result over the input

    Other shapes are read as (n, c, ...), also (n, c, l), with a warning: PyTorch does so, and means to change it.
    Raises ValueError for a p outside [0, 1], ShapeError for less than two axes, TypeError for what are no floats.

    >>> import chalkgrad as cg
    >>> y = dropout2d(cg.ones(10, 3, 2, 2), p=0.2)
    >>> bool((y == y[:, :, :1, :1]).all())
    True
    """
    if input.ndim != 4:
        warnings.warn(f"dropout2d: the input is (batch, channels, height, width), but {input.shape} came, and is read "
                      "as (batch, channels, ...). Use dropout1d for (batch, channels, length).", stacklevel=2)
    return drop_channels(drop, input, p, training, inplace)


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Set each channel to zero with probability p and divide the others by 1 - p; if not training, change nothing.

    input    (n, c, d, h, w), or (c, d, h, w) without a batch -> y, of the same shape
    inplace  write the result over the input

    Other shapes are read as (c, ...), with a warning: PyTorch does so, and means to change it. Raises ValueError for a
    p outside [0, 1], ShapeError for less than two axes, TypeError for what are no floats.

    >>> import chalkgrad as cg
    >>> y = dropout3d(cg.ones(3, 4, 2, 2), p=0.2)
    >>> bool((y == y[:, :1, :1, :1]).all())
    True
    """
    if input.ndim not in (4, 5):
        warnings.warn(f"dropout3d: the input is (batch, channels, depth, height, width), or without the batch, but "
                      f"{input.shape} came, and is read as (channels, ...).", stacklevel=2)
    return drop_channels(drop, input, p, training, inplace, batched=input.ndim == 5)


class Dropout1d(Dropping):
    """Set each channel of (n, c, l) or (c, l) to zero with probability p; see `dropout1d`. In eval mode, do nothing.

    >>> import chalkgrad as cg
    >>> Dropout1d(0.5).eval()(cg.tensor([[1.0, 2.0]]))
    tensor([[1., 2.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """input (n, c, l) or (c, l) -> y, of the same shape."""
        y: Tensor = dropout1d(input, self.p, self.training, self.inplace)
        return y


class Dropout2d(Dropping):
    """Set each channel of (n, c, h, w) to zero with probability p; see `dropout2d`. In eval mode, do nothing.

    >>> import chalkgrad as cg
    >>> Dropout2d(1)(cg.ones(1, 1, 1, 2))
    tensor([[[[0., 0.]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """input (n, c, h, w) -> y (n, c, h, w)."""
        y: Tensor = dropout2d(input, self.p, self.training, self.inplace)
        return y


class Dropout3d(Dropping):
    """Set each channel of (n, c, d, h, w) or (c, d, h, w) to zero with probability p; see `dropout3d`.

    In eval mode, do nothing.

    >>> import chalkgrad as cg
    >>> Dropout3d(0)(cg.ones(1, 1, 1, 2))
    tensor([[[[1., 1.]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """input (n, c, d, h, w) or (c, d, h, w) -> y, of the same shape."""
        y: Tensor = dropout3d(input, self.p, self.training, self.inplace)
        return y

"""ChannelShuffle: after a convolution in groups, the channels are dealt out anew, and the next one mixes the groups.

Without it, a stack of such convolutions would be networks side by side that never hear of each other (Zhang et al.
2018).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ..module import Module
from .group_norm import check_groups

__all__ = ["ChannelShuffle", "channel_shuffle", "dealt", "dealt_out"]


def dealt(x, groups):
    """Take one channel of each of so many groups, then the next of each: (n, c, ...) -> (n, c, ...).

    >>> dealt(np.array([[1, 2, 3, 10, 20, 30]]), 2)
    array([[ 1, 10,  2, 20,  3, 30]])
    """
    n, c, *size = x.shape
    return np.swapaxes(x.reshape(n, groups, c // groups, *size), 1, 2).reshape(n, c, *size)


@primitive
def dealt_out(x, *, groups):
    """Deal out the channels of groups: y[i·g + k] = x[k·c/g + i], where g is the number of groups.

    x (n, c, ...) -> y (n, c, ...)

    Source: Zhang et al. 2018, section 3.1.

    >>> dealt_out(np.array([[1, 2, 3, 10, 20, 30]]), groups=2)
    array([[ 1, 10,  2, 20,  3, 30]])
    """
    c = x.shape[1]
    y = dealt(x, groups)
    return y


@dealt_out.backward
def dealt_out_backward(grad_y, c, groups):
    """The channels lie as a table (g, c/g), written down by columns; dealt out as c/g groups, they lie as before."""
    grad_x = dealt(grad_y, c // groups)
    return grad_x


@dealt_out.examples
def dealt_out_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Images; rows in three groups; one group."""
    draw = rng.standard_normal
    return [
        (draw((2, 6, 2, 3)), {"groups": 2}),
        (draw((2, 6, 4)), {"groups": 3}),
        (draw((2, 3, 2)), {"groups": 1}),
    ]


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Deal out the channels of groups: one of each, then the next of each.

    input (n, c, ...) -> y (n, c, ...)

    Raises ShapeError for fewer than three axes, ValueError if the channels cannot be divided so.

    >>> from chalkgrad import arange
    >>> channel_shuffle(arange(4).reshape(1, 4, 1), 2).reshape(-1)
    tensor([0, 2, 1, 3])
    """
    if input.ndim < 3:
        raise ShapeError(f"channel_shuffle: (n, c, ...) with three axes or more is expected, not {input.shape}.")
    check_groups("channel_shuffle", input.shape[1], groups)
    y: Tensor = dealt_out(input, groups=groups)
    return y


class ChannelShuffle(Module):
    """Deal out the channels of groups: one of each, then the next of each; (n, c, ...) -> (n, c, ...).

    Raises ValueError if the channels cannot be divided so.

    >>> import chalkgrad as cg
    >>> cg.nn.ChannelShuffle(2)(cg.arange(4).reshape(1, 4, 1)).reshape(-1)
    tensor([0, 2, 1, 3])
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        """input (n, c, ...) -> y (n, c, ...)."""
        return channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        """Say the number of groups, as PyTorch does."""
        return f"groups={self.groups}"

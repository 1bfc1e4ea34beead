"""Maxout: a unit that takes the largest of several weighted sums, and so learns its own activation.

The largest of two lines is a rectifier, or an absolute value; the largest of many comes near any convex function
(Goodfellow et al. 2013). It goes well with dropout: where the winner stays the same, the unit is linear.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ..module import Module, Parameter
from .linear import linear
from .making import check_sizes, draw_evenly

__all__ = ["Maxout", "maxout"]


@primitive
def maxout(x, *, num_pieces):
    """Take the largest of every `num_pieces` numbers that follow each other: y_o = max over k of x_ok.

    x (..., i) -> y (..., o)

    Try: a last axis of num_pieces numbers for each unit.

    Source: Goodfellow et al. 2013, eq. 1, in which x_ok is z_ij.

    >>> from chalkgrad import tensor
    >>> maxout(tensor([1.0, -2.0, 3.0, 5.0, 4.0, -4.0]), num_pieces=2)
    tensor([1., 5., 4.])
    """
    shape  = x.shape
    pieces = x.reshape(*shape[:-1], shape[-1] // num_pieces, num_pieces)
    which  = np.argmax(pieces, axis=-1, keepdims=True)
    y      = np.take_along_axis(pieces, which, axis=-1)[..., 0]
    return y


@maxout.backward
def maxout_backward(grad_y, which, shape, num_pieces):
    """The largest piece hands its gradient on; the others had no say. A tie goes to the first."""
    grad_x = (grad_y[..., None] * (np.arange(num_pieces) == which)).reshape(shape)
    return grad_x


@maxout.examples
def maxout_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Two pieces a unit; one unit; a piece each, which changes nothing."""
    draw = rng.standard_normal
    return [(draw((3, 4)), {"num_pieces": 2}), (draw((2, 3)), {"num_pieces": 3}), (draw(3), {"num_pieces": 1})]


class Maxout(Module):
    """y_o = max over k of (x Wᵀ + b)_ok: num_pieces weighted sums for each of out_features units, of which the largest.

    `weight` (out_features · num_pieces, in_features) and `bias` (out_features · num_pieces) have the pieces of a unit
    next to each other, and start evenly spread in ±1/√in_features.

    Raises TypeError for sizes that are no whole numbers, ValueError for sizes below 1. PyTorch has no such layer.

    >>> import chalkgrad as cg
    >>> Maxout(4, 2, num_pieces=3)(cg.ones(5, 4)).shape
    (5, 2)
    """

    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, num_pieces: int = 2, bias: bool = True, dtype: Any = np.float32
    ) -> None:
        super().__init__()
        check_sizes("Maxout", {"in_features": in_features, "out_features": out_features, "num_pieces": num_pieces})
        self.in_features, self.out_features, self.num_pieces = in_features, out_features, num_pieces
        self.weight = Parameter(np.empty((out_features * num_pieces, in_features), dtype))
        self.bias = Parameter(np.empty(out_features * num_pieces, dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        draw_evenly(self, self.in_features)

    def forward(self, x: Tensor) -> Tensor:
        """x (..., in_features) -> y (..., out_features)."""
        y: Tensor = maxout(linear(x, self.weight, self.bias), num_pieces=self.num_pieces)
        return y

    def extra_repr(self) -> str:
        """Say the sizes."""
        return (f"in_features={self.in_features}, out_features={self.out_features}, num_pieces={self.num_pieces}, "
                f"bias={self.bias is not None}")

"""Threshold: what is not above a threshold is replaced by a value.

The step from which all of this came: a nerve fires if what arrives is enough (McCulloch & Pitts 1943). Here, what is
enough is handed on as it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.attach import in_place, overwriting
from .inplace import InPlace

__all__ = ["Threshold", "threshold", "threshold_"]


@overwriting
@primitive
def threshold(x, *, threshold, value):
    """Keep what is above the threshold, and put a value in place of the rest.

    x (...) -> y (...)

    Source: McCulloch & Pitts 1943 for the threshold; with both numbers 0 it is a ReLU.

    >>> from chalkgrad import tensor
    >>> threshold(tensor([-1.0, 0.5, 2.0]), threshold=0.5, value=7.0)
    tensor([7., 7., 2.])
    """
    whole = x.dtype.kind in "iu"  # then both numbers are taken for whole ones
    under = x <= (int(threshold) if whole else threshold)
    y     = np.where(under, int(value) if whole else value, x)
    return y


@threshold.backward
def threshold_backward(grad_y, under):
    """
    1. what is kept has the slope 1, and what is replaced had no say
    2. on the threshold itself the value has come, so we take 0, as PyTorch does
    """
    grad_x = grad_y * ~under
    return grad_x


@threshold.examples
def threshold_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both sides; a single number; far out."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)), {"threshold": 0.25, "value": -1.0}),
        (draw(()), {"threshold": -3.0, "value": 0.0}),
        (np.array([-np.inf, 1000.0]), {"threshold": 0.0, "value": 2.0}),
    ]


threshold_ = in_place(threshold)


class Threshold(InPlace):
    """y = x above the threshold, value elsewhere; with inplace, y is written over x.

    >>> import chalkgrad as cg
    >>> cg.nn.Threshold(0.5, 7.0)(cg.tensor([-1.0, 2.0]))
    tensor([7., 2.])
    """

    shown = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold, self.value = threshold, value

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        y: Tensor = threshold(input, threshold=self.threshold, value=self.value, inplace=self.inplace)
        return y

"""Hardtanh: a tanh of three straight pieces.

What lies between two bounds passes, and what lies beyond stays on them; the network that learned to tag the words of a
language "almost from scratch" was built with it (Collobert et al. 2011).
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.attach import in_place, overwriting
from .inplace import InPlace

__all__ = ["Hardtanh", "between", "hardtanh", "hardtanh_"]


@overwriting
@primitive
def between(x, *, min_val=-1.0, max_val=1.0):
    """Bring x between two bounds: y = min(max(x, min_val), max_val).

    x (...) -> y (...)

    Source: Collobert et al. 2011.

    >>> from chalkgrad import tensor
    >>> between(tensor([-2.0, 0.5, 2.0]))
    tensor([-1. ,  0.5,  1. ])
    """
    y = np.clip(x, min_val, max_val)
    return y


@between.backward
def between_backward(grad_y, x, min_val, max_val):
    """
    1. between the bounds the slope is 1, beyond them 0
    2. at the two corners we take 0, as PyTorch does
    """
    grad_x = grad_y * ((x > min_val) & (x < max_val))
    return grad_x


@between.examples
def between_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Between the bounds and beyond; other bounds; a single number; bounds that are one."""
    draw = rng.standard_normal
    return [
        (2 * draw((3, 4)),),
        (draw((3, 4)), {"min_val": -0.25, "max_val": 0.5}),
        (draw(()),),
        (draw((3, 4)), {"min_val": 0.25, "max_val": 0.25}),
    ]


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """Bring x between two bounds.

    inplace  write the result over the input

    Raises ValueError if min_val is above max_val.

    >>> from chalkgrad import tensor
    >>> hardtanh(tensor([-2.0, 0.5, 2.0]), 0.0, 1.5)
    tensor([0. , 0.5, 1.5])
    """
    if not min_val <= max_val:
        raise ValueError(f"hardtanh: min_val is not above max_val, but {min_val} and {max_val} came.")
    if input.dtype.kind != "f":  # whole numbers stay whole
        min_val, max_val = int(min_val), int(max_val)
    y: Tensor = between(input, min_val=min_val, max_val=max_val, inplace=inplace)
    return y


hardtanh_ = in_place(hardtanh)


class Hardtanh(InPlace):
    """y = min(max(x, min_val), max_val); with inplace, y is written over x.

    Raises ValueError unless min_val is below max_val, and for PyTorch's older names of the two.

    >>> import chalkgrad as cg
    >>> cg.nn.Hardtanh()(cg.tensor([-2.0, 0.5]))
    tensor([-1. ,  0.5])
    """

    shown: ClassVar[tuple[str, ...]] = ("min_val", "max_val")

    def __init__(
        self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False, min_value: None = None,
        max_value: None = None,
    ) -> None:
        super().__init__(inplace)
        if min_value is not None or max_value is not None:
            raise ValueError("Hardtanh: min_value and max_value are gone from use; say min_val and max_val.")
        if not min_val < max_val:
            raise ValueError(f"Hardtanh: min_val is below max_val, but {min_val} and {max_val} came.")
        self.min_val, self.max_val = min_val, max_val

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        return hardtanh(input, self.min_val, self.max_val, self.inplace)

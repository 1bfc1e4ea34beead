"""Tanh: any number comes between -1 and 1, and zero stays zero.

A sigmoid stretched to lie evenly about zero, so that what it hands to the next layer has a mean near zero, with which
networks train faster (LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", section 4.4).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor, implements
from ...ops.attach import attach, in_place
from ..module import Module

__all__ = ["Tanh", "tanh"]


@implements(np.tanh)
@primitive
def tanh(x):
    """Squash to between -1 and 1: y = (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ).

    x (...) -> y (...)

    Source: the hyperbolic tangent; as an activation LeCun et al. 1998.

    >>> from chalkgrad import tensor
    >>> tanh(tensor([-1000.0, 0.0, 1.0]))
    tensor([-1.    ,  0.    ,  0.7616])
    """
    y = np.tanh(x)
    return y


@tanh.backward
def tanh_backward(grad_y, y):
    """
    1. y = sinh x / cosh x, and each of these two is the other's derivative
    2. ∂y/∂x = (cosh² x - sinh² x) / cosh² x = 1 - y²
    """
    grad_x = grad_y * (1 - y * y)
    return grad_x


@tanh.examples
def tanh_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; a single number; so far out that the curve is flat."""
    return [(rng.standard_normal((3, 4)),), (rng.standard_normal(()),), (np.array([-1000.0, 0.0, 1000.0]),)]


class Tanh(Module):
    """y = tanh x.

    >>> import chalkgrad as cg
    >>> cg.nn.Tanh()(cg.zeros(2))
    tensor([0., 0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        y: Tensor = tanh(input)
        return y


attach(tanh=tanh, tanh_=in_place(tanh))

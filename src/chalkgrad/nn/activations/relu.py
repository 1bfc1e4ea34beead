"""ReLU: what is below zero becomes zero.

Networks with it train faster than with saturating units, since its slope never fades where it is active
(Nair & Hinton 2010; Glorot, Bordes & Bengio 2011).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.attach import attach, in_place, overwriting
from .inplace import InPlace

__all__ = ["ReLU", "relu", "relu_"]


@overwriting
@primitive
def relu(x):
    """Keep what is above zero: y = max(x, 0).

    x (...) -> y (...)

    Source: Nair & Hinton 2010, section 2.

    >>> from chalkgrad import tensor
    >>> relu(tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    # against an array of zeros, not the number 0: NumPy then takes its vectorized loop, three times as fast
    y = np.maximum(x, np.zeros_like(x))
    return y


@relu.backward
def relu_backward(grad_y, y):
    """
    1. above zero the slope is 1, below it 0
    2. at zero there is a corner, and we take 0, as PyTorch does; so the gradient passes just where y > 0
    """
    grad_x = grad_y * (y > 0)
    return grad_x


@relu.examples
def relu_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; a single number."""
    return [(rng.standard_normal((3, 4)),), (rng.standard_normal(()),)]


relu_ = in_place(relu)


class ReLU(InPlace):
    """y = max(x, 0); with inplace, y is written over x.

    >>> import chalkgrad as cg
    >>> cg.nn.ReLU()(cg.tensor([-1.0, 1.0]))
    tensor([0., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        y: Tensor = relu(input, inplace=self.inplace)
        return y


attach(relu=relu, relu_=relu_)

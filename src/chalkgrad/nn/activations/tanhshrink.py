"""Tanhshrink: what tanh leaves over.

Small numbers all but vanish, as x³/3, and large ones come one nearer to zero: a smooth relative of Softshrink.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ..module import Module

__all__ = ["Tanhshrink", "tanhshrink"]


@primitive
def tanhshrink(x):
    """Take away the tanh: y = x - tanh(x).

    x (...) -> y (...)

    Source: PyTorch's name for what is left over by tanh; no paper is known to us.

    >>> from chalkgrad import tensor
    >>> tanhshrink(tensor([-2.0, 0.0, 1.0]))
    tensor([-1.036 ,  0.    ,  0.2384])
    """
    squashed = np.tanh(x)
    y = x - squashed
    return y


@tanhshrink.backward
def tanhshrink_backward(grad_y, squashed):
    """
    1. ∂ tanh(x)/∂x = 1 - tanh²(x)
    2. ∂y/∂x = 1 - (1 - tanh²(x)) = tanh²(x)
    """
    grad_x = grad_y * (squashed * squashed)
    return grad_x


@tanhshrink.examples
def tanhshrink_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; a single number; far out."""
    return [(rng.standard_normal((3, 4)),), (rng.standard_normal(()),), (np.array([-1000.0, 1000.0]),)]


class Tanhshrink(Module):
    """y = x - tanh(x).

    >>> import chalkgrad as cg
    >>> cg.nn.Tanhshrink()(cg.tensor([0.0, 1.0]))
    tensor([0.    , 0.2384])
    """

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        y: Tensor = tanhshrink(input)
        return y

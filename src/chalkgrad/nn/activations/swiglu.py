"""SwiGLU: a gate that is a SiLU, as in the transformers of our day.

Shazeer (2020) tried one activation after the other as the gate of a GLU in a transformer's feed-forward layer, found
this one among the best, and offered no explanation: "we attribute their success, as all else, to divine benevolence".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .glu import GLU, check_halves, half

__all__ = ["SwiGLU", "swiglu", "swish_gated"]


@primitive
def swish_gated(x, *, axis=-1):
    """Halve an axis into a and b, and multiply b by SiLU(a): y = a · sigmoid(a) · b.

    x (...) -> y (*)

    Source: Shazeer 2020, eq. 5, where a = xW and b = xV.

    >>> swish_gated(np.array([0.0, 1000.0, 3.0, 2.0]))
    array([   0., 2000.])
    """
    a     = half(x, axis, 0)
    b     = half(x, axis, 1)
    gate  = (1 + np.tanh(a / 2)) / 2
    swish = a * gate
    y     = swish * b
    return y


@swish_gated.backward
def swish_gated_backward(grad_y, b, gate, swish, axis):
    """
    1. with s = sigmoid(a), ∂(a s)/∂a = s + a s (1 - s)
    2. ∂y/∂a is that times b, and ∂y/∂b = a s
    """
    grad_a = grad_y * b * (gate + swish * (1 - gate))
    grad_b = grad_y * swish
    grad_x = np.concatenate([grad_a, grad_b], axis=axis)
    return grad_x


@swish_gated.examples
def swish_gated_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Along the last axis and another; two numbers; gates that are wholly open or shut."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)),),
        (draw((2, 6, 3)), {"axis": 1}),
        (draw(2), {"axis": 0}),
        (np.array([1000.0, -1000.0, 1.0, 2.0]),),
    ]


def swiglu(input: Tensor, dim: int = -1) -> Tensor:
    """a · sigmoid(a) · b, where a and b are the halves of the input along `dim`.

    Raises ValueError if the size of that axis is odd, IndexError if it is not there.

    >>> from chalkgrad import tensor
    >>> swiglu(tensor([1.0, 2.0]))
    tensor([1.4621])
    """
    check_halves("swiglu", input, dim)
    y: Tensor = swish_gated(input, axis=dim)
    return y


class SwiGLU(GLU):
    """y = a · sigmoid(a) · b, where a and b are the halves of x along `dim`: put it after a Linear twice as wide.

    >>> import chalkgrad as cg
    >>> feed_forward = cg.nn.Sequential(cg.nn.Linear(4, 2 * 8), cg.nn.SwiGLU(), cg.nn.Linear(8, 4))
    >>> feed_forward(cg.ones(3, 4)).shape
    (3, 4)
    """

    def forward(self, x: Tensor) -> Tensor:
        """x (..., 2d, ...) -> y (..., d, ...)."""
        return swiglu(x, self.dim)

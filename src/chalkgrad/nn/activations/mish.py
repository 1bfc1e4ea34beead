"""Mish: a smooth ReLU that weighs x by the tanh of its softplus.

Found by trying what is like Swish, and a little better in many networks (Misra 2020).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.attach import overwriting
from .inplace import InPlace

__all__ = ["Mish", "mish"]


@overwriting
@primitive
def mish(x):
    """Weigh x by tanh(softplus(x)): y = x tanh(log(1 + eˣ)).

    x (...) -> y (...)

    Source: Misra 2020.

    >>> from chalkgrad import tensor
    >>> mish(tensor([-1.0, 0.0, 1.0, 50.0]))
    tensor([-0.3034,  0.    ,  0.8651, 50.    ])
    """
    # with u = eˣ, tanh(log(1 + u)) = ((1 + u)² - 1) / ((1 + u)² + 1); beyond 20 it is 1 to the last bit
    near = np.minimum(x, 20)
    u    = np.exp(near)
    v    = u * (u + 2)
    gate = v / (v + 2)
    y    = x * gate
    return y


@mish.backward
def mish_backward(grad_y, near, u, v, gate):
    """
    1. ∂y/∂x = gate + x ∂gate/∂x, and gate = v/(v + 2), so ∂gate/∂v = 2/(v + 2)²
    2. v = u² + 2u with u = eˣ, so ∂v/∂x = 2u² + 2u = 2u (u + 1)
    3. beyond 20, x ∂gate/∂x is nothing beside 1, and taken as at 20
    """
    slope  = 4 * u * (u + 1) / ((v + 2) * (v + 2))
    grad_x = grad_y * (gate + near * slope)
    return grad_x


@mish.examples
def mish_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; a single number; so far out that all or nothing is kept."""
    return [(rng.standard_normal((3, 4)),), (rng.standard_normal(()),), (np.array([-1000.0, 0.0, 1000.0]),)]


class Mish(InPlace):
    """y = x tanh(log(1 + eˣ)); with inplace, y is written over x.

    >>> import chalkgrad as cg
    >>> cg.nn.Mish()(cg.tensor([-1.0, 1.0]))
    tensor([-0.3034,  0.8651])
    """

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        y: Tensor = mish(input, inplace=self.inplace)
        return y

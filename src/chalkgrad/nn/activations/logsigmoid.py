"""LogSigmoid: the logarithm of a probability that comes from a sigmoid.

Taken in two steps it loses what is improbable: sigmoid(-200) is 0 in float32, and its logarithm -∞. Computed in one
piece, nothing is lost. It is what a logistic regression makes large (Cox 1958).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ..module import Module

__all__ = ["LogSigmoid", "logsigmoid"]


@primitive
def logsigmoid(x):
    """Logarithm of the sigmoid: y = -log(1 + exp(-x)).

    x (...) -> y (...)

    Source: the logarithm of the logistic curve of Verhulst 1838; Cox 1958.

    >>> from chalkgrad import tensor
    >>> logsigmoid(tensor([-90.0, 0.0, 2.0]))
    tensor([-90.    ,  -0.6931,  -0.1269])
    """
    # what could overflow is taken out of the logarithm: log(1 + e⁻ˣ) = max(-x, 0) + log(1 + e^-|x|)
    y = np.minimum(x, np.zeros_like(x)) - np.log1p(np.exp(-np.abs(x)))
    return y


@logsigmoid.backward
def logsigmoid_backward(grad_y, x):
    """
    1. ∂y/∂x = e⁻ˣ/(1 + e⁻ˣ) = sigmoid(-x): what is missing to certainty
    2. by way of tanh, sigmoid(-x) = (1 - tanh(x/2)) / 2
    """
    grad_x = grad_y * ((1 - np.tanh(x / 2)) / 2)
    return grad_x


@logsigmoid.examples
def logsigmoid_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; a single number; far out."""
    return [(rng.standard_normal((3, 4)),), (rng.standard_normal(()),), (np.array([-1000.0, 1000.0]),)]


class LogSigmoid(Module):
    """y = -log(1 + exp(-x)).

    >>> import chalkgrad as cg
    >>> cg.nn.LogSigmoid()(cg.zeros(2))
    tensor([-0.6931, -0.6931])
    """

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        y: Tensor = logsigmoid(input)
        return y

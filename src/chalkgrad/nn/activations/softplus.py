"""Softplus: a ReLU with its corner rounded off.

Its slope is the sigmoid, so it is what a number must pass to become positive without a corner: a rate, a variance
(Dugas, Bengio, Bélisle, Nadeau & Garcia 2001, for the prices of options).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ..module import Module

__all__ = ["Softplus", "check", "rounded", "softplus"]


@primitive
def rounded(x, *, beta=1.0, threshold=20.0):
    """Logarithm of 1 + exp(beta x), by beta: y = log(1 + exp(beta x)) / beta.

    x (...) -> y (...)

    beta       how sharp the bend is: the larger, the more it is a ReLU
    threshold  the beta x above which y is x, as it nearly is

    Source: Dugas et al. 2001; PyTorch's two options.

    >>> rounded(np.array([-1000.0, 0.0, 1000.0]))
    array([0.00000000e+00, 6.93147181e-01, 1.00000000e+03])
    """
    z      = beta * x
    beyond = z > threshold
    # what could overflow is taken out of the logarithm: log(1 + eᶻ) = max(z, 0) + log(1 + e^-|z|)
    rest   = np.log1p(np.exp(-np.abs(z))) * ~beyond
    y      = (np.maximum(z, np.zeros_like(z)) + rest) / beta
    if threshold < 0:
        y = np.where(beyond, x, y)
    return y


@rounded.backward
def rounded_backward(grad_y, z, beyond):
    """
    1. ∂y/∂x = e^(beta x) / (1 + e^(beta x)) = sigmoid(beta x), and 1 beyond the threshold
    2. by way of tanh, sigmoid(z) = (1 + tanh(z/2)) / 2
    """
    slope  = (1 + np.tanh(z / 2)) / 2
    grad_x = grad_y * (slope * ~beyond + beyond)
    return grad_x


@rounded.examples
def rounded_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; sharper, with a low threshold; with one below zero; a single number; far out."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)),),
        (draw((3, 4)), {"beta": 3.0, "threshold": 0.25}),
        (draw((3, 4)), {"threshold": -0.5}),
        (draw(()),),
        (np.array([-1000.0, 1000.0]),),
    ]


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta x)) / beta, and x itself where beta x is above the threshold.

    Raises ValueError for a beta of 0.

    >>> from chalkgrad import tensor
    >>> softplus(tensor([-30.0, 0.0, 30.0]))
    tensor([9.3576e-14, 6.9315e-01, 3.0000e+01])
    """
    check("softplus", beta)
    y: Tensor = rounded(input, beta=beta, threshold=threshold)
    return y


def check(name: str, beta: float) -> None:
    """Raise ValueError for what cannot be divided by."""
    if beta == 0:
        raise ValueError(f"{name}: beta is how sharp the bend is, and is divided by; it cannot be 0.")


class Softplus(Module):
    """y = log(1 + exp(beta x)) / beta, and x itself where beta x is above the threshold.

    Raises ValueError for a beta of 0.

    >>> import chalkgrad as cg
    >>> cg.nn.Softplus()(cg.tensor([0.0, 30.0]))
    tensor([ 0.6931, 30.    ])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        check("Softplus", beta)
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        return softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """Say the options, as PyTorch does."""
        return f"beta={self.beta}, threshold={self.threshold}"

"""Sigmoid: any number becomes a probability.

The logistic curve is as old as the study of growing populations (Verhulst 1838). Networks squashed every unit with it,
until it was found that its slope, at most 1/4, lets gradients fade from layer to layer. It lives on where a number
between 0 and 1 is wanted: in gates, and as the probability of one of two classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.attach import attach, in_place
from ..module import Module

__all__ = ["Sigmoid", "sigmoid"]


@primitive
def sigmoid(x):
    """Squash to between 0 and 1: y = 1 / (1 + exp(-x)).

    x (...) -> y (...)

    The error is one rounding of numbers near 1: far below zero, y becomes 0 where it is less than that.

    Source: Rumelhart, Hinton & Williams 1986, eq. 2.

    >>> from chalkgrad import tensor
    >>> sigmoid(tensor([-1000.0, 0.0, 1.0, 1000.0]))
    tensor([0.    , 0.5   , 0.7311, 1.    ])
    """
    # the same curve as 1 / (1 + exp(-x)), but tanh cannot overflow, and NumPy's is twice as fast as its exp
    y = (1 + np.tanh(x / 2)) / 2
    return y


@sigmoid.backward
def sigmoid_backward(grad_y, y):
    """
    1. y = 1/(1 + e⁻ˣ), so ∂y/∂x = e⁻ˣ/(1 + e⁻ˣ)²
    2. e⁻ˣ/(1 + e⁻ˣ) = 1 - y, so ∂y/∂x = y (1 - y): steepest at x = 0, where it is 1/4
    """
    grad_x = grad_y * (y * (1 - y))
    return grad_x


@sigmoid.examples
def sigmoid_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; a single number; so far out that the curve is flat."""
    return [(rng.standard_normal((3, 4)),), (rng.standard_normal(()),), (np.array([-1000.0, 0.0, 1000.0]),)]


class Sigmoid(Module):
    """y = 1 / (1 + exp(-x)).

    >>> import chalkgrad as cg
    >>> cg.nn.Sigmoid()(cg.zeros(2))
    tensor([0.5, 0.5])
    """

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        y: Tensor = sigmoid(input)
        return y


attach(sigmoid=sigmoid, sigmoid_=in_place(sigmoid))

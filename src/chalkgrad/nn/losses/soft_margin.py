"""SoftMargin: logistic regression with the classes called 1 and -1.

The product of a score and its class is the margin: positive where the sign is right. The loss falls with it, and never
quite reaches zero. It is the hinge of the support vector machine, rounded off (Friedman, Hastie & Tibshirani 2000).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .reduction import Loss, as_float, check_reduction, reduced

__all__ = ["SoftMarginLoss", "soft_margin", "soft_margin_loss"]


@primitive
def soft_margin(input, target):
    """Minus the log-probability of the class, 1 or -1, under sigmoid(input): loss = log(1 + exp(-target · input)).

    input (...), target (...) -> losses (...)

    Source: Friedman, Hastie & Tibshirani 2000, with their 2F as input.

    >>> from chalkgrad import tensor
    >>> soft_margin(tensor([0.0, 4.0, 4.0]), tensor([1.0, 1.0, -1.0]))
    tensor([0.6931, 0.0181, 4.0181])
    """
    wrong  = -target * input
    # what could overflow is taken out of the logarithm: log(1 + eᶻ) = max(z, 0) + log(1 + e^-|z|)
    losses = np.maximum(wrong, np.zeros_like(wrong)) + np.log1p(np.exp(-np.abs(wrong)))
    return losses


@soft_margin.backward
def soft_margin_backward(grad_losses, target, wrong):
    """
    1. ∂ log(1 + eᶻ)/∂z = eᶻ/(1 + eᶻ) = sigmoid(z), with z = -target · input: the probability of the wrong class
    2. ∂z/∂input = -target
    """
    p_wrong    = (1 + np.tanh(wrong / 2)) / 2
    grad_input = -grad_losses * target * p_wrong
    return grad_input


@soft_margin.examples
def soft_margin_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both classes; a single score; so sure that a probability rounds to 0 or 1."""
    draw, target = rng.standard_normal, rng.choice([-1.0, 1.0], (3, 4))
    return [(draw((3, 4)), target), (draw(()), np.array(-1.0)), (np.array([-1000.0, 1000.0]), np.array([1.0, 1.0]))]


def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: None = None, reduce: None = None, reduction: str = "mean"
) -> Tensor:
    """Logistic loss of the classes 1 and -1.

    input      scores
    target     the class of each, 1 or -1; of the shape of input, or one that repeats to it
    reduction  "mean", "sum", or "none" for the losses themselves

    Raises ValueError for shapes that do not fit, or another reduction.

    >>> from chalkgrad import tensor
    >>> soft_margin_loss(tensor([0.0, 1000.0]), tensor([1, 1]))
    tensor(0.3466)
    """
    check_reduction("soft_margin_loss", reduction, size_average, reduce)
    return reduced(soft_margin(input, as_float(target, input)), reduction)


class SoftMarginLoss(Loss):
    """loss = log(1 + exp(-target · input)).

    >>> import chalkgrad as cg
    >>> cg.nn.SoftMarginLoss()(cg.tensor([0.0, 1000.0]), cg.tensor([1, 1]))
    tensor(0.3466)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (...), target (...) -> loss ()."""
        return soft_margin_loss(input, target, reduction=self.reduction)

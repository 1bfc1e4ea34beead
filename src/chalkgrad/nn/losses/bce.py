"""BCE: how surprising a yes or no is to one who gave it the probability p.

The loss of logistic regression (Cox 1958), of probabilities. If these come from a sigmoid, BCEWithLogits takes the
numbers before it, and is exact also where p rounds to 0 or 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.compare import numbers_of
from .reduction import WeightedLoss, check_reduction, check_same_shape

__all__ = ["BCELoss", "bce", "binary_cross_entropy", "log_above"]


def log_above(p, least):
    """Take the logarithm, but nowhere below `least`.

    >>> log_above(np.array([1.0, 0.0]), -100)
    array([   0., -100.])
    """
    with np.errstate(divide="ignore"):  # the logarithm of 0 is -∞, as it should be
        log_p = np.log(p)
    return np.maximum(log_p, least)


@primitive
def bce(p, y, weight=None, *, reduction="mean"):
    """Minus the log-probability of a yes (y = 1) or no (y = 0) that was given the probability p.

    p (...), y (...), weight (*) -> loss (*)

    loss = -(1/n) Σ weight · (y log p + (1 - y) log(1 - p)); y may also be a probability in between.

    reduction  "mean", "sum" without the 1/n, or "none" for the losses themselves

    As in PyTorch no logarithm is below -100, so that one wrong certainty is no infinite loss.

    Source: Cox 1958.

    >>> from chalkgrad import tensor
    >>> bce(tensor([0.5, 1.0, 0.0]), tensor([1.0, 1.0, 1.0]), reduction="none")
    tensor([  0.6931,   0.    , 100.    ])
    """
    log_yes = log_above(p, -100)
    log_no  = log_above(1 - p, -100)
    loss    = -y * log_yes - (1 - y) * log_no
    if weight is not None:
        loss = weight * loss
    count = loss.size
    if reduction == "mean":
        loss = loss.mean()
    if reduction == "sum":
        loss = loss.sum()
    return loss


@bce.backward
def bce_backward(grad_loss, p, y, weight, log_yes, log_no, count, reduction):
    """
    1. loss = -y log p - (1 - y) log(1 - p), so ∂loss/∂p = -y/p + (1 - y)/(1 - p) = (p - y) / (p (1 - p))
    2. the slope is steep where p is sure, and infinite where it is wrong; as in PyTorch it is at most 10¹²
    3. the loss is a straight line in y: ∂loss/∂y = log(1 - p) - log p
    """
    share = grad_loss
    if reduction == "mean":
        share = share / count
    if weight is not None:
        share = share * weight
    grad_p = share * (p - y) / np.maximum(p * (1 - p), 1e-12)
    grad_y = share * (log_no - log_yes)
    return grad_p, grad_y


@bce.examples
def bce_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Yes and no; in between, with weights for the columns; weights for the rows; nearly sure, and wrong."""
    chance = rng.random
    return [
        (rng.uniform(0.1, 0.9, (3, 4)), rng.integers(0, 2, (3, 4)) * 1.0),
        (rng.uniform(0.1, 0.9, (3, 4)), chance((3, 4)), chance(4), {"reduction": "sum"}),
        (rng.uniform(0.1, 0.9, (3, 4)), chance((3, 4)), chance((3, 1)), {"reduction": "none"}),
        (np.array([0.03, 0.97]), np.array([1.0, 0.0])),
    ]


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: None = None, reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """Binary cross-entropy of probabilities.

    input      probabilities, from 0 to 1
    target     floats of the shape of input: 1 for yes, 0 for no, or a probability
    weight     how much each example counts; any shape that repeats to that of input
    reduction  "mean", "sum", or "none" for the losses themselves

    Raises ValueError if the shapes differ, for another reduction, or for an input outside of [0, 1]; TypeError for a
    target that holds no floats.

    >>> from chalkgrad import tensor
    >>> binary_cross_entropy(tensor([0.5, 0.0]), tensor([1.0, 0.0]))
    tensor(0.3466)
    """
    name = "binary_cross_entropy"
    check_reduction(name, reduction, size_average, reduce)
    check_same_shape(name, input, target)
    if target.dtype.kind != "f":
        raise TypeError(f"{name}: target is {target.dtype}; it holds probabilities, which are floats: target.float().")
    numbers = numbers_of(input)
    if numbers.size and (numbers.min() < 0 or numbers.max() > 1):
        raise ValueError(f"{name}: input holds probabilities from 0 to 1, but there are numbers from "
                         f"{numbers.min():g} to {numbers.max():g}. Is a sigmoid missing? "
                         "binary_cross_entropy_with_logits takes numbers before it.")
    loss: Tensor = bce(input, target, weight, reduction=reduction)
    return loss


class BCELoss(WeightedLoss):
    """Binary cross-entropy of probabilities; `weight` is a buffer.

    >>> import chalkgrad as cg
    >>> cg.nn.BCELoss()(cg.tensor([0.5, 0.5]), cg.tensor([1.0, 0.0]))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (...), target (...) -> loss ()."""
        return binary_cross_entropy(input, target, self.weight, reduction=self.reduction)

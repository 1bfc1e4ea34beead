"""BCEWithLogits: how surprising a yes or no is to one who gave it the probability sigmoid(x).

The loss of logistic regression (Cox 1958). From the number x itself, before the sigmoid, it is exact also where the
probability would round to 0 or 1, and its logarithm to -∞.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ..module import Buffer
from .reduction import WeightedLoss, check_reduction, check_same_shape

__all__ = ["BCEWithLogitsLoss", "bce_with_logits", "binary_cross_entropy_with_logits"]


@primitive
def bce_with_logits(x, y, weight=None, pos_weight=None, *, reduction="mean"):
    """Minus the log-probability of a yes (y = 1) or no (y = 0) under p = sigmoid(x).

    x (...), y (...), weight (*), pos_weight (*) -> loss (*)

    loss = -(1/n) Σ weight · (pos_weight · y log p + (1 - y) log(1 - p)); y may also be a probability in between.

    reduction  "mean", "sum" without the 1/n, or "none" for the losses themselves

    Source: Cox 1958; PyTorch's two weights.

    >>> from chalkgrad import tensor
    >>> bce_with_logits(tensor([1000.0, 1000.0]), tensor([1.0, 0.0]), reduction="none")
    tensor([   0., 1000.])
    """
    # -log p = log(1 + e⁻ˣ) and -log(1 - p) = log(1 + eˣ); what could overflow, x itself, is taken out of the logarithm
    rest   = np.log1p(np.exp(-np.abs(x)))
    if_yes = rest + np.maximum(-x, np.zeros_like(x))
    if_no  = rest + np.maximum(x, np.zeros_like(x))
    if pos_weight is not None:
        if_yes = pos_weight * if_yes
    loss = y * if_yes + (1 - y) * if_no
    if weight is not None:
        loss = weight * loss
    count = loss.size
    if reduction == "mean":
        loss = loss.mean()
    if reduction == "sum":
        loss = loss.sum()
    return loss


@bce_with_logits.backward
def bce_with_logits_backward(grad_loss, x, y, weight, pos_weight, if_yes, if_no, count, reduction):
    """
    1. loss = y · if_yes + (1 - y) · if_no with if_yes = -log p, if_no = -log(1 - p), p = sigmoid(x)
    2. ∂p/∂x = p (1 - p), so ∂ if_yes/∂x = p - 1 and ∂ if_no/∂x = p: without weights, ∂loss/∂x = p - y
    3. the loss is a straight line in y: ∂loss/∂y = if_yes - if_no
    """
    share = grad_loss
    if reduction == "mean":
        share = share / count
    if weight is not None:
        share = share * weight
    p         = (1 + np.tanh(x / 2)) / 2
    slope_yes = p - 1
    if pos_weight is not None:
        slope_yes = pos_weight * slope_yes
    grad_x = share * (y * slope_yes + (1 - y) * p)
    grad_y = share * (if_yes - if_no)
    return grad_x, grad_y


@bce_with_logits.examples
def bce_with_logits_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Yes and no; in between, with weights for the columns, and for the rows too; so sure that p rounds to 0 or 1."""
    draw, chance = rng.standard_normal, rng.random
    return [
        (draw((3, 4)), rng.integers(0, 2, (3, 4)) * 1.0),
        (draw((3, 4)), chance((3, 4)), None, chance(4), {"reduction": "sum"}),
        (draw((3, 4)), chance((3, 4)), chance((3, 1)), chance(4), {"reduction": "none"}),
        (np.array([-1000.0, 1000.0]), np.array([0.0, 0.0])),
    ]


def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: None = None, reduce: None = None,
    reduction: str = "mean", pos_weight: Tensor | None = None,
) -> Tensor:
    """Binary cross-entropy of probabilities sigmoid(input).

    target      floats of the shape of input: 1 for yes, 0 for no, or a probability
    weight      how much each example counts; any shape that repeats to that of input
    reduction   "mean", "sum", or "none" for the losses themselves
    pos_weight  how much a yes counts against a no; any shape that repeats to that of input, such as one for each column

    Raises ValueError if the shapes differ, or for another reduction; TypeError for a target that holds no floats.

    >>> from chalkgrad import tensor
    >>> binary_cross_entropy_with_logits(tensor([0.0, -1000.0]), tensor([1.0, 0.0]), pos_weight=tensor(2.0))
    tensor(0.6931)
    """
    name = "binary_cross_entropy_with_logits"
    check_reduction(name, reduction, size_average, reduce)
    check_same_shape(name, input, target)
    if target.dtype.kind != "f":
        raise TypeError(f"{name}: target is {target.dtype}; it holds probabilities, which are floats: target.float().")
    loss: Tensor = bce_with_logits(input, target, weight, pos_weight, reduction=reduction)
    return loss


class BCEWithLogitsLoss(WeightedLoss):
    """Binary cross-entropy of probabilities sigmoid(input); `weight` and `pos_weight` are buffers.

    >>> import chalkgrad as cg
    >>> cg.nn.BCEWithLogitsLoss()(cg.zeros(2), cg.tensor([1.0, 0.0]))
    tensor(0.6931)
    """

    def __init__(
        self, weight: Tensor | None = None, size_average: None = None, reduce: None = None, reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", None if pos_weight is None else Buffer(pos_weight))

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (...), target (...) -> loss ()."""
        return binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )

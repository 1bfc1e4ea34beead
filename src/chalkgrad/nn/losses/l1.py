"""L1: the mean of the absolute errors.

Older than least squares (Boscovich 1757). The best constant guess is then the median, not the mean, so a few wild
errors do not pull it along.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .reduction import Loss, check_reduction, check_same_shape, reduced_by_weight

__all__ = ["L1Loss", "absolute_error", "l1_loss"]


@primitive
def absolute_error(input, target, *, reduction="mean"):
    """Take the differences without their signs, and the mean: loss = (1/n) Σᵢ |inputᵢ - targetᵢ|.

    input (...), target (...) -> loss (*)

    reduction  "mean", "sum" without the 1/n, or "none" for the distances themselves

    Source: Boscovich 1757; PyTorch's three reductions.

    >>> from chalkgrad import tensor
    >>> absolute_error(tensor([1.0, 2.0]), tensor([1.0, 5.0]))
    tensor(1.5)
    """
    error = input - target
    loss  = np.abs(error)
    if reduction == "mean":
        loss = loss.mean()
    if reduction == "sum":
        loss = loss.sum()
    return loss


@absolute_error.backward
def absolute_error_backward(grad_loss, error, reduction):
    """
    1. ∂|errorᵢ|/∂inputᵢ = sign errorᵢ: the pull is the same from near and from far; without an error there is none
    2. in a mean, each of the n errors has a share of 1/n
    3. target enters with the opposite sign
    """
    share = grad_loss
    if reduction == "mean":
        share = grad_loss / error.size
    grad_input  = share * np.sign(error)
    grad_target = -grad_input
    return grad_input, grad_target


@absolute_error.examples
def absolute_error_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """The three reductions; a single number."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)), draw((3, 4))),
        (draw((3, 4)), draw((3, 4)), {"reduction": "sum"}),
        (draw((3, 4)), draw((3, 4)), {"reduction": "none"}),
        (draw(()), draw(())),
    ]


def l1_loss(
    input: Tensor, target: Tensor, size_average: None = None, reduce: None = None, reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Mean absolute error.

    input, target  of one shape
    reduction      "mean", "sum", or "none" for the distances themselves
    weight         how much each example counts, in the shape of input; the mean is then Σ weight · loss / Σ weight

    Raises ValueError if the shapes differ (PyTorch only warns, and repeats one to fit), for another reduction, or if
    size_average or reduce is given, which reduction has replaced.

    >>> from chalkgrad import tensor
    >>> l1_loss(tensor([1.0, 2.0]), tensor([1.0, 5.0]), reduction="none")
    tensor([0., 3.])
    """
    check_reduction("l1_loss", reduction, size_average, reduce)
    check_same_shape("l1_loss", input, target)
    if weight is not None:
        return reduced_by_weight("l1_loss", absolute_error(input, target, reduction="none"), weight, reduction)
    loss: Tensor = absolute_error(input, target, reduction=reduction)
    return loss


class L1Loss(Loss):
    """loss = (1/n) Σᵢ |inputᵢ - targetᵢ|.

    >>> import chalkgrad as cg
    >>> cg.nn.L1Loss()(cg.tensor([1.0, 2.0]), cg.tensor([1.0, 5.0]))
    tensor(1.5)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (...), target (...) -> loss ()."""
        return l1_loss(input, target, reduction=self.reduction)

"""Focal: what is classified well already hardly counts.

A detector looks at a hundred thousand places, nearly all of them plainly empty. Each costs little, but their sum drowns
the few that matter; so Lin et al. (2017) multiply the cross-entropy by a power of the probability of being wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .reduction import Loss, as_float, check_reduction, check_same_shape, reduced

__all__ = ["FocalLoss", "focal", "focal_loss"]


@primitive
def focal(x, target, *, alpha=0.25, gamma=2.0):
    """Cross-entropy, times how wrong the answer is: loss = -alphaₜ (1 - pₜ)^gamma log pₜ.

    x (...), target (...) -> losses (...)

    pₜ is the probability of what is true: p = sigmoid(x) where target is 1, 1 - p where it is 0; and alphaₜ is alpha
    where target is 1, 1 - alpha where it is 0.

    Source: Lin et al. 2017, eq. 5.

    >>> from chalkgrad import tensor
    >>> focal(tensor([0.0, 1.0, -1.0]), tensor([1.0, 1.0, 1.0]), alpha=1.0)
    tensor([0.1733, 0.0227, 0.7019])
    """
    side   = 2 * target - 1
    share  = alpha * target + (1 - alpha) * (1 - target)
    xt     = side * x
    wrong  = (1 - np.tanh(xt / 2)) / 2
    # -log pₜ = log(1 + exp(-xₜ)), with what could overflow taken out of the logarithm
    cost   = np.maximum(-xt, np.zeros_like(xt)) + np.log1p(np.exp(-np.abs(xt)))
    focus  = share * wrong**gamma
    losses = focus * cost
    return losses


@focal.backward
def focal_backward(grad_losses, side, wrong, cost, focus, gamma):
    """
    1. let q = 1 - pₜ; ∂q/∂xₜ = -pₜ q, and ∂(-log pₜ)/∂xₜ = -q, where xₜ = ±x
    2. ∂(q^gamma · -log pₜ)/∂xₜ = -gamma q^gamma pₜ (-log pₜ) - q^gamma q = -q^gamma (q - gamma pₜ log pₜ)
    """
    grad_x = -grad_losses * side * focus * (wrong + gamma * (1 - wrong) * cost)
    return grad_x


@focal.examples
def focal_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both classes; other shares and powers; plain cross-entropy; so sure that a probability rounds to 0 or 1."""
    draw, target = rng.standard_normal, rng.integers(0, 2, (3, 4)) * 1.0
    return [
        (draw((3, 4)), target),
        (draw((3, 4)), target, {"alpha": 0.5, "gamma": 3.5}),
        (draw(()), np.array(1.0), {"alpha": 1.0, "gamma": 0.0}),
        (np.array([-1000.0, 1000.0]), np.array([0.0, 0.0])),
    ]


def focal_loss(
    input: Tensor, target: Tensor, alpha: float = 0.25, gamma: float = 2.0, reduction: str = "mean"
) -> Tensor:
    """Focal loss of yes or no under probabilities sigmoid(input).

    input      scores, before the sigmoid
    target     1 for yes, 0 for no, in the shape of input
    alpha      how much a yes counts, 0 to 1; a no counts 1 - alpha
    gamma      how much less what is right already counts; with 0, all counts alike
    reduction  "mean", "sum" (which the paper divides by the number of yeses), or "none" for the losses themselves

    Raises ValueError if the shapes differ, for another reduction, an alpha outside of [0, 1], or a gamma below 0.

    >>> from chalkgrad import tensor
    >>> focal_loss(tensor([0.0, 3.0]), tensor([1.0, 1.0]), reduction="sum")
    tensor(0.0433)
    """
    check_reduction("focal_loss", reduction)
    check_same_shape("focal_loss", input, target)
    _check("focal_loss", alpha, gamma)
    return reduced(focal(input, as_float(target, input).detach(), alpha=alpha, gamma=gamma), reduction)


def _check(name: str, alpha: float, gamma: float) -> None:
    if not (0 <= alpha <= 1 and gamma >= 0):
        raise ValueError(f"{name}: alpha is a share, 0 to 1, and gamma 0 or above, but {alpha} and {gamma} came.")


class FocalLoss(Loss):
    """loss = -alphaₜ (1 - pₜ)^gamma log pₜ, for the probability pₜ that sigmoid(input) gives to what is true.

    >>> import chalkgrad as cg
    >>> cg.nn.FocalLoss()(cg.tensor([0.0, 3.0]), cg.tensor([1.0, 1.0]))
    tensor(0.0217)
    """

    def __init__(self, alpha: float = 0.25, gamma: float = 2.0, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        _check("FocalLoss", alpha, gamma)
        self.alpha, self.gamma = alpha, gamma

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (...), target (...) -> loss ()."""
        return focal_loss(input, target, self.alpha, self.gamma, self.reduction)

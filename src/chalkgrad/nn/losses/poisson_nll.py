"""PoissonNLL: how surprising a count is to one who expected a given number.

How often something rare comes in a stretch of time follows Poisson's law (1837), with one parameter, the rate: the
mean. Where a network predicts calls, clicks or photons, this is its likelihood, and predicting the logarithm keeps
rates positive.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .reduction import Loss, as_float, check_reduction, reduced

__all__ = ["PoissonNLLLoss", "poisson_nll", "poisson_nll_loss"]


@primitive
def poisson_nll(input, target, *, log_input=True, full=False, eps=1e-8):
    """Minus the log-probability of a count, less what does not depend on the rate: loss = rate - target · log rate.

    input (...), target (...) -> losses (...)

    log_input  input is the logarithm of the rate, else the rate itself; eps then keeps log(rate + eps) finite
    full       add log(target!), by Stirling's formula target log target - target + log(2π target)/2; 0 up to 1

    Source: Poisson 1837; PyTorch's options.

    >>> from chalkgrad import tensor
    >>> poisson_nll(tensor([0.0, 0.0]), tensor([0.0, 2.0]), full=True)
    tensor([1.    , 1.6518])
    """
    if log_input:
        rate     = np.exp(input)
        log_rate = input
    else:
        rate     = input
        log_rate = np.log(input + eps)
    losses = rate - target * log_rate
    if full:
        many     = target > 1
        count    = np.where(many, target, 1)
        stirling = count * np.log(count) - count + np.log(2 * math.pi * count) / 2
        losses   = losses + np.where(many, stirling, 0)
    return losses


@poisson_nll.backward
def poisson_nll_backward(grad_losses, input, target, rate, log_rate, log_input, full, eps):
    """
    1. by the logarithm z: ∂(eᶻ - target z)/∂z = eᶻ - target: what was expected, less what came
    2. by the rate r: ∂(r - target log(r + eps))/∂r = 1 - target / (r + eps)
    3. by the target: -log rate; Stirling's formula adds log target + 1/(2 target) where it is used
    """
    if log_input:
        grad_input = grad_losses * (rate - target)
    else:
        grad_input = grad_losses * (1 - target / (input + eps))
    slope = -log_rate
    if full:
        many  = target > 1
        count = np.where(many, target, 1)
        slope = slope + np.where(many, np.log(count) + 0.5 / count, 0)
    grad_target = grad_losses * slope
    return grad_input, grad_target


@poisson_nll.examples
def poisson_nll_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Logarithms; rates; with Stirling's formula for some; a rate and a count of zero."""
    draw, count = rng.standard_normal, rng.integers(0, 5, (3, 4)) + 0.25
    return [
        (draw((3, 4)), count),
        (rng.random((3, 4)) + 0.5, count, {"log_input": False, "eps": 0.01}),
        (draw((3, 4)), count, {"full": True}),
        (np.zeros(2), np.zeros(2), {"log_input": False, "full": True}),
    ]


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool = True, full: bool = False, size_average: None = None,
    eps: float = 1e-8, reduce: None = None, reduction: str = "mean",
) -> Tensor:
    """Negative log-likelihood of counts that follow Poisson's law.

    input      the logarithms of the expected counts, or these themselves if not log_input
    target     the counts; of the shape of input, or one that repeats to it
    full       add what depends on the target alone, log(target!), by Stirling's formula
    eps        what is added to a rate before its logarithm is taken
    reduction  "mean", "sum", or "none" for the losses themselves

    Raises ValueError for shapes that do not fit, or another reduction.

    >>> from chalkgrad import tensor
    >>> poisson_nll_loss(tensor([0.0, 0.0]), tensor([0.0, 2.0]))
    tensor(1.)
    """
    check_reduction("poisson_nll_loss", reduction, size_average, reduce)
    losses = poisson_nll(input, as_float(target, input), log_input=log_input, full=full, eps=eps)
    return reduced(losses, reduction)


class PoissonNLLLoss(Loss):
    """loss = exp(input) - target · input, or input - target · log(input + eps) if not log_input.

    >>> import chalkgrad as cg
    >>> cg.nn.PoissonNLLLoss()(cg.zeros(2), cg.tensor([0.0, 2.0]))
    tensor(1.)
    """

    def __init__(
        self, log_input: bool = True, full: bool = False, size_average: None = None, eps: float = 1e-8,
        reduce: None = None, reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        """log_input (...), target (...) -> loss ()."""
        return poisson_nll_loss(
            log_input, target, self.log_input, self.full, eps=self.eps, reduction=self.reduction
        )

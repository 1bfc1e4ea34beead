"""GaussianNLL: how surprising a number is to one who expected it about here, give or take that much.

A network that predicts a mean and a variance can say where it is unsure (Nix & Weigend 1994): an error costs less where
a large one was announced, and announcing one costs something too.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.compare import numbers_of
from ...ops.constant import full_like
from .reduction import Loss, check_reduction, reduced

__all__ = ["GaussianNLLLoss", "gaussian_nll", "gaussian_nll_loss"]


@primitive
def gaussian_nll(input, target, var, *, full=False, eps=1e-6):
    """Minus the log-density of the target under the normal distribution with mean input and variance var.

    input (...), target (...), var (*) -> losses (...)

    loss = (log var + (input - target)²/var) / 2, with no var below eps

    full  add log(2π)/2, which the density has and no gradient sees

    Source: Nix & Weigend 1994.

    >>> from chalkgrad import tensor
    >>> gaussian_nll(tensor([0.0, 0.0]), tensor([0.0, 2.0]), tensor([1.0, 4.0]))
    tensor([0.    , 1.1931])
    """
    error    = input - target
    variance = np.maximum(var, eps)
    losses   = (np.log(variance) + error * error / variance) / 2
    if full:
        losses = losses + math.log(2 * math.pi) / 2
    return losses


@gaussian_nll.backward
def gaussian_nll_backward(grad_losses, error, variance):
    """
    1. ∂(error²/(2 var))/∂input = error/var: an error where little was announced pulls hard; target has the other sign
    2. ∂loss/∂var = (1/var - error²/var²) / 2: zero where the variance is the squared error
    3. at a variance below eps it is taken as at eps, as in PyTorch: it can find its way back up
    """
    grad_input  = grad_losses * error / variance
    grad_target = -grad_input
    grad_var    = grad_losses * (1 - error * error / variance) / (2 * variance)
    return grad_input, grad_target, grad_var


@gaussian_nll.examples
def gaussian_nll_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """A variance for each; one for each row, with the constant; a single number; below eps."""
    draw, var = rng.standard_normal, rng.random((3, 4)) + 0.5
    return [
        (draw((3, 4)), draw((3, 4)), var),
        (draw((3, 4)), draw((3, 4)), var[:, :1], {"full": True}),
        (draw(()), draw(()), np.array(2.0)),
        (np.ones(2), np.zeros(2), np.array([0.0, 0.25]), {"eps": 0.125}),
    ]


def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """Negative log-likelihood of normally distributed targets.

    input      the expected values
    target     the true ones; of the shape of input, or one that repeats to it
    var        the variances: a number; or of the shape of input, also without its last axis, or with one axis of size 1
    full       add the constant log(2π)/2
    eps        the smallest variance that is used, above 0
    reduction  "mean", "sum", or "none" for the losses themselves

    Raises ValueError for a var below 0, for an eps that is not above it, for other shapes and another reduction.

    >>> from chalkgrad import tensor
    >>> gaussian_nll_loss(tensor([0.0, 0.0]), tensor([0.0, 2.0]), 1.0)
    tensor(1.)
    """
    check_reduction("gaussian_nll_loss", reduction)
    if not eps > 0:
        raise ValueError(f"gaussian_nll_loss: eps is the smallest variance, above 0, but {eps} came.")
    variance: Tensor = var if isinstance(var, Tensor) else full_like(input, var)
    numbers = numbers_of(variance)
    if numbers.size and not numbers.min() >= 0:
        raise ValueError(f"gaussian_nll_loss: var holds variances, 0 or above, but {numbers.min():g} is among "
                         "them. Try: var=log_var.exp().")
    losses = gaussian_nll(input, target, _fitted(variance, input.shape), full=full, eps=eps)
    return reduced(losses, reduction)


def _fitted(var: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Give the variances an axis for the last one of `shape` if it is missing; raise ValueError if they do not fit."""
    differing = [size for size, expected in zip(var.shape, shape, strict=False) if size != expected]
    if var.ndim == len(shape) and differing in ([], [1]):
        return var
    if var.shape == shape[:-1]:
        wider: Tensor = var.unsqueeze(-1)
        return wider
    raise ValueError(f"gaussian_nll_loss: var has shape {var.shape}, but input {shape}; a variance for each, one less "
                     "axis, or one axis of size 1 was expected.")


class GaussianNLLLoss(Loss):
    """loss = (log var + (input - target)²/var) / 2, with no var below eps.

    >>> import chalkgrad as cg
    >>> cg.nn.GaussianNLLLoss()(cg.tensor([0.0, 0.0]), cg.tensor([0.0, 2.0]), 1.0)
    tensor(1.)
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        """input (...), target (...), var (...) -> loss ()."""
        return gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)

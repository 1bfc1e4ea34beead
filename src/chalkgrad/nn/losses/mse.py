"""MSE: the mean of the squared errors.

Least squares (Legendre 1805): if errors are normally distributed, what makes their mean square smallest is likeliest to
be true (Gauss 1809). One large error weighs more than many small ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .reduction import Loss, check_reduction, check_same_shape, reduced_by_weight

__all__ = ["MSELoss", "mse_loss", "squared_error"]


@primitive
def squared_error(input, target, *, reduction="mean"):
    """Square the differences, and take their mean: loss = (1/n) Σᵢ (inputᵢ - targetᵢ)².

    input (...), target (...) -> loss (*)

    reduction  "mean", "sum" without the 1/n, or "none" for the squares themselves

    Source: Gauss 1809, Theoria motus, sections 177 to 179.

    >>> from chalkgrad import tensor
    >>> squared_error(tensor([1.0, 2.0]), tensor([1.0, 5.0]))
    tensor(4.5)
    """
    error = input - target
    loss  = error * error
    if reduction == "mean":
        loss = loss.mean()
    if reduction == "sum":
        loss = loss.sum()
    return loss


@squared_error.backward
def squared_error_backward(grad_loss, error, reduction):
    """
    1. ∂errorᵢ²/∂inputᵢ = 2 errorᵢ: the further off, the stronger the pull
    2. in a mean, each of the n errors has a share of 1/n
    3. target enters with the opposite sign
    """
    share = grad_loss
    if reduction == "mean":
        share = grad_loss / error.size
    grad_input  = 2 * share * error
    grad_target = -grad_input
    return grad_input, grad_target


@squared_error.examples
def squared_error_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """The three reductions; a single number; no error at all."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)), draw((3, 4))),
        (draw((3, 4)), draw((3, 4)), {"reduction": "sum"}),
        (draw((3, 4)), draw((3, 4)), {"reduction": "none"}),
        (draw(()), draw(())),
        (np.ones(3), np.ones(3)),
    ]


def mse_loss(
    input: Tensor, target: Tensor, size_average: None = None, reduce: None = None, reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Mean squared error.

    input, target  of one shape
    reduction      "mean", "sum", or "none" for the squares themselves
    weight         how much each example counts, in the shape of input; the mean is then Σ weight · loss / Σ weight

    Raises ValueError if the shapes differ (PyTorch only warns, and repeats one to fit), for another reduction, or if
    size_average or reduce is given, which reduction has replaced.

    >>> from chalkgrad import tensor
    >>> mse_loss(tensor([1.0, 2.0]), tensor([1.0, 5.0]), reduction="sum")
    tensor(9.)
    """
    check_reduction("mse_loss", reduction, size_average, reduce)
    check_same_shape("mse_loss", input, target)
    if weight is not None:
        return reduced_by_weight("mse_loss", squared_error(input, target, reduction="none"), weight, reduction)
    loss: Tensor = squared_error(input, target, reduction=reduction)
    return loss


class MSELoss(Loss):
    """loss = (1/n) Σᵢ (inputᵢ - targetᵢ)².

    >>> import chalkgrad as cg
    >>> cg.nn.MSELoss()(cg.tensor([1.0, 2.0]), cg.tensor([1.0, 5.0]))
    tensor(4.5)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (...), target (...) -> loss ()."""
        return mse_loss(input, target, reduction=self.reduction)

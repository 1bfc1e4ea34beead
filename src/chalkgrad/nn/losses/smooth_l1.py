"""SmoothL1: absolute errors, with the corner at zero rounded off.

The pull of an error is the same from near and from far, but for the last bit of the way, where it fades. Detectors of
objects fit their boxes with it (Girshick 2015); it is the loss of Huber (1964), divided by the size of that last bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .l1 import absolute_error
from .reduction import Loss, check_reduction, check_same_shape, reduced

__all__ = ["SmoothL1Loss", "smooth_l1", "smooth_l1_loss"]


@primitive
def smooth_l1(input, target, *, beta=1.0):
    """Take the absolute error less beta/2, and below beta a parabola that meets it there.

    input (...), target (...) -> losses (...)

    loss = error²/(2 beta) where |error| < beta, |error| - beta/2 beyond

    Source: Girshick 2015, eq. 3, where beta is 1.

    >>> from chalkgrad import tensor
    >>> smooth_l1(tensor([0.5, 3.0]), tensor([0.0, 0.0]), beta=2.0)
    tensor([0.0625, 2.    ])
    """
    error  = input - target
    # below beta the two factors are |e|/beta and |e|/2, beyond they are 1 and |e| - beta/2
    size   = np.abs(error)
    capped = np.minimum(size, beta)
    losses = capped / beta * (size - capped / 2)
    return losses


@smooth_l1.backward
def smooth_l1_backward(grad_losses, error, beta):
    """
    1. below beta, ∂(error²/(2 beta))/∂input = error/beta, which grows to 1 there; beyond, the slope is the sign
    2. so it is error/beta, brought into [-1, 1]; target enters with the opposite sign
    """
    grad_input  = grad_losses * np.clip(error / beta, -1, 1)
    grad_target = -grad_input
    return grad_input, grad_target


@smooth_l1.examples
def smooth_l1_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Near and far; all near; a single number; no error at all."""
    draw = rng.standard_normal
    return [
        (2 * draw((3, 4)), draw((3, 4))),
        (draw((3, 4)), draw((3, 4)), {"beta": 10.0}),
        (draw(()), draw(()), {"beta": 0.1}),
        (np.ones(3), np.ones(3)),
    ]


def smooth_l1_loss(
    input: Tensor, target: Tensor, size_average: None = None, reduce: None = None, reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Mean absolute error, rounded off near zero.

    input, target  of one shape
    reduction      "mean", "sum", or "none" for the losses themselves
    beta           up to what error it is rounded off; with 0 not at all, which is l1_loss

    Raises ValueError for other shapes, another reduction, or a beta below 0.

    >>> from chalkgrad import tensor
    >>> smooth_l1_loss(tensor([0.5, 3.0]), tensor([0.0, 0.0]))
    tensor(1.3125)
    """
    check_reduction("smooth_l1_loss", reduction, size_average, reduce)
    check_same_shape("smooth_l1_loss", input, target)
    if not beta >= 0:
        raise ValueError(f"smooth_l1_loss: beta is the size of error that is small, 0 or above, but {beta} came.")
    losses = smooth_l1(input, target, beta=beta) if beta else absolute_error(input, target, reduction="none")
    return reduced(losses, reduction)


class SmoothL1Loss(Loss):
    """loss = error²/(2 beta) where |error| < beta, |error| - beta/2 beyond.

    >>> import chalkgrad as cg
    >>> cg.nn.SmoothL1Loss()(cg.tensor([0.5, 3.0]), cg.tensor([0.0, 0.0]))
    tensor(1.3125)
    """

    def __init__(
        self, size_average: None = None, reduce: None = None, reduction: str = "mean", beta: float = 1.0
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (...), target (...) -> loss ()."""
        return smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)

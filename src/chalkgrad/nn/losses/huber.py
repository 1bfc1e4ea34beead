"""Huber: squared where errors are small, absolute where they are large.

The mean of squares is ruled by its largest error, and the mean of distances has a corner at its best point. Huber
(1964) joined them: of all losses, this one is best against the worst that a few wild errors can do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .reduction import Loss, check_reduction, check_same_shape, reduced

__all__ = ["HuberLoss", "huber", "huber_loss"]


@primitive
def huber(input, target, *, delta=1.0):
    """Take half of the square of an error up to delta, and from there go straight on.

    input (...), target (...) -> losses (...)

    loss = error²/2 where |error| ≤ delta, delta (|error| - delta/2) beyond

    Source: Huber 1964, with his k as delta.

    >>> from chalkgrad import tensor
    >>> huber(tensor([0.5, 3.0]), tensor([0.0, 0.0]))
    tensor([0.125, 2.5  ])
    """
    error  = input - target
    # within delta the two factors are |e| and |e|/2, beyond they are delta and |e| - delta/2
    size   = np.abs(error)
    capped = np.minimum(size, delta)
    losses = capped * (size - capped / 2)
    return losses


@huber.backward
def huber_backward(grad_losses, error, delta):
    """
    1. within delta, ∂(error²/2)/∂input = error; beyond, the slope stays what it was there, ±delta
    2. so it is the error, brought into [-delta, delta]; target enters with the opposite sign
    """
    grad_input  = grad_losses * np.clip(error, -delta, delta)
    grad_target = -grad_input
    return grad_input, grad_target


@huber.examples
def huber_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Near and far; all near; a single number; no error at all."""
    draw = rng.standard_normal
    return [
        (2 * draw((3, 4)), draw((3, 4))),
        (draw((3, 4)), draw((3, 4)), {"delta": 10.0}),
        (draw(()), draw(()), {"delta": 0.1}),
        (np.ones(3), np.ones(3)),
    ]


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """Mean of the squares of small errors, and of the distances of large ones.

    input, target  of one shape
    reduction      "mean", "sum", or "none" for the losses themselves
    delta          where a large error starts, above 0
    weight         how much each example counts, in the shape of input; the mean is over all examples alike, as PyTorch
                   has it here, though not in l1_loss

    Raises ValueError for other shapes, another reduction, or a delta that is not above 0.

    >>> from chalkgrad import tensor
    >>> huber_loss(tensor([0.5, 3.0]), tensor([0.0, 0.0]), reduction="sum")
    tensor(2.625)
    """
    check_reduction("huber_loss", reduction)
    check_same_shape("huber_loss", input, target)
    if not delta > 0:
        raise ValueError(f"huber_loss: delta is the size of error that is large, above 0, but {delta} came.")
    losses = huber(input, target, delta=delta)
    if weight is not None:
        check_same_shape("huber_loss, weight", input, weight)
        losses = losses * weight
    return reduced(losses, reduction)


class HuberLoss(Loss):
    """loss = error²/2 where |error| ≤ delta, delta (|error| - delta/2) beyond.

    >>> import chalkgrad as cg
    >>> cg.nn.HuberLoss()(cg.tensor([0.5, 3.0]), cg.tensor([0.0, 0.0]))
    tensor(1.3125)
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (...), target (...) -> loss ()."""
        return huber_loss(input, target, self.reduction, self.delta)

"""MarginRanking: of two, the one that should be ahead is to be ahead by a margin.

To rank, scores need not be right, only their order. A pair in the right order and far enough apart costs nothing
(Herbrich, Graepel & Obermayer 1999); Siamese networks and search engines are taught so.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .reduction import Loss, as_float, check_reduction, reduced

__all__ = ["MarginRankingLoss", "margin_ranking", "margin_ranking_loss"]


@primitive
def margin_ranking(input1, input2, target, *, margin=0.0):
    """By how much a pair falls short: loss = max(0, margin - target · (input1 - input2)).

    input1 (...), input2 (...), target (...) -> losses (...)

    target  1 where input1 should be the larger, -1 where input2 should

    Source: Herbrich, Graepel & Obermayer 1999.

    >>> from chalkgrad import tensor
    >>> margin_ranking(tensor([3.0, 3.0]), tensor([2.0, 2.0]), tensor([1.0, -1.0]), margin=0.5)
    tensor([0. , 1.5])
    """
    lead   = input1 - input2
    short  = margin - target * lead
    losses = np.maximum(short, np.zeros_like(short))
    return losses


@margin_ranking.backward
def margin_ranking_backward(grad_losses, target, lead, short):
    """
    1. where the pair falls short, loss = margin - target · (input1 - input2), else it is flat; at the corner it counts
       as falling short, as in PyTorch
    2. so ∂loss/∂input1 = -target, ∂loss/∂input2 = target, and ∂loss/∂target = -(input1 - input2)
    """
    share       = grad_losses * (short >= 0)
    grad_input2 = share * target
    grad_input1 = -grad_input2
    grad_target = -share * lead
    return grad_input1, grad_input2, grad_target


@margin_ranking.examples
def margin_ranking_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both orders; with a margin, one score against many; a single pair; a tie."""
    draw, target = rng.standard_normal, rng.choice([-1.0, 1.0], (3, 4))
    return [
        (draw((3, 4)), draw((3, 4)), target),
        (draw((3, 1)), draw((3, 4)), target, {"margin": 0.5}),
        (draw(()), draw(()), np.array(1.0), {"margin": 3.0}),
        (np.ones(2), np.ones(2), np.array([1.0, -1.0])),
    ]


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: None = None,
    reduce: None = None, reduction: str = "mean",
) -> Tensor:
    """By how much pairs fall short of the right order, and a margin.

    input1, input2  scores, with equally many axes
    target          1 where input1 should be the larger, -1 where input2 should
    margin          by how much
    reduction       "mean", "sum", or "none" for the losses themselves

    Raises ValueError for shapes that do not fit, or another reduction.

    >>> from chalkgrad import tensor
    >>> margin_ranking_loss(tensor([3.0, 3.0]), tensor([2.0, 2.0]), tensor([1.0, -1.0]))
    tensor(0.5)
    """
    check_reduction("margin_ranking_loss", reduction, size_average, reduce)
    if not input1.ndim == input2.ndim == target.ndim:
        raise ValueError(f"margin_ranking_loss: input1 has shape {input1.shape}, input2 {input2.shape} and target "
                         f"{target.shape}; all have equally many axes. Try: target.reshape(input1.shape).")
    return reduced(margin_ranking(input1, input2, as_float(target, input1), margin=margin), reduction)


class MarginRankingLoss(Loss):
    """loss = max(0, margin - target · (input1 - input2)).

    >>> import chalkgrad as cg
    >>> cg.nn.MarginRankingLoss()(cg.tensor([3.0, 3.0]), cg.tensor([2.0, 2.0]), cg.tensor([1.0, -1.0]))
    tensor(0.5)
    """

    def __init__(
        self, margin: float = 0.0, size_average: None = None, reduce: None = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """input1 (...), input2 (...), target (...) -> loss ()."""
        return margin_ranking_loss(input1, input2, target, self.margin, reduction=self.reduction)

"""TripletMargin: an anchor is to be nearer to its like than to something else, by a margin.

A network that places faces so that those of one person lie together needs no list of persons: triplets are enough
(Weinberger & Saul 2009; Schroff, Kalenichenko & Philbin 2015).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.choice import minimum
from ..layers.pairwise_distance import pairwise_distance
from .reduction import Loss, check_reduction, reduced

__all__ = ["TripletMarginLoss", "check_margin", "triplet_margin", "triplet_margin_loss", "with_swap"]


@primitive
def triplet_margin(near, far, *, margin=1.0):
    """By how much a distance that should be shorter is not: loss = max(0, margin + near - far).

    near (...), far (...) -> losses (...)

    Source: Schroff, Kalenichenko & Philbin 2015, section 3.1, with distances that need not be squares.

    >>> from chalkgrad import tensor
    >>> triplet_margin(tensor([1.0, 1.0]), tensor([5.0, 1.5]))
    tensor([0. , 0.5])
    """
    lack   = margin + near - far
    losses = np.maximum(lack, np.zeros_like(lack))
    return losses


@triplet_margin.backward
def triplet_margin_backward(grad_losses, lack):
    """
    1. as long as the margin is not reached, the loss rises with one distance and falls with the other, each as fast
    2. at the corner it counts as not reached, as in PyTorch
    """
    grad_near = grad_losses * (lack >= 0)
    grad_far  = -grad_near
    return grad_near, grad_far


@triplet_margin.examples
def triplet_margin_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Reached and not; a wide margin; a single pair; the corner."""
    draw = rng.random
    return [
        (draw((3, 4)), 3 * draw((3, 4))),
        (draw((3, 4)), draw((3, 4)), {"margin": 10.0}),
        (draw(()), draw(())),
        (np.zeros(2), np.ones(2)),
    ]


def check_margin(name: str, margin: float) -> None:
    """Raise ValueError unless the margin is above 0."""
    if not margin > 0:
        raise ValueError(f"{name}: margin is by how much one distance is to be shorter, above 0, but {margin} came.")


def with_swap(far: Tensor, from_positive: Tensor) -> Tensor:
    """Take the shorter distance to the negative: that of the anchor, or that of the positive, which then changes places
    with it (Balntas et al. 2016).
    """
    shorter: Tensor = minimum(far, from_positive)
    return shorter


def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2, eps: float = 1e-6,
    swap: bool = False, size_average: None = None, reduce: None = None, reduction: str = "mean",
) -> Tensor:
    """By how much anchors fall short of being nearer to the positive than to the negative.

    anchor, positive, negative  vectors: (d) or (n, d)
    margin     by how much nearer, above 0
    p, eps     the distance: that of pairwise_distance
    swap       take the distance from the positive to the negative if it is shorter than that from the anchor
    reduction  "mean", "sum", or "none" for the loss of each triplet

    Raises ValueError for shapes that do not fit, a margin that is not above 0, or another reduction.

    >>> from chalkgrad import tensor
    >>> triplet_margin_loss(tensor([[0.0, 0.0]]), tensor([[3.0, 4.0]]), tensor([[0.0, 5.0]]))
    tensor(1.)
    """
    check_reduction("triplet_margin_loss", reduction, size_average, reduce)
    check_margin("triplet_margin_loss", margin)
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise ValueError(f"triplet_margin_loss: anchor has shape {anchor.shape}, positive {positive.shape} and "
                         f"negative {negative.shape}; all have equally many axes: (n, d), or (d).")
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = with_swap(far, pairwise_distance(positive, negative, p, eps))
    return reduced(triplet_margin(near, far, margin=margin), reduction)


class TripletMarginLoss(Loss):
    """loss = max(0, margin + |anchor - positive| - |anchor - negative|).

    >>> import chalkgrad as cg
    >>> cg.nn.TripletMarginLoss()(cg.zeros(1, 2), cg.tensor([[3.0, 4.0]]), cg.tensor([[0.0, 5.0]]))
    tensor(1.)
    """

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, size_average: None = None,
        reduce: None = None, reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        check_margin("TripletMarginLoss", margin)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """anchor (n, d), positive (n, d), negative (n, d) -> loss ()."""
        return triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap, reduction=self.reduction
        )

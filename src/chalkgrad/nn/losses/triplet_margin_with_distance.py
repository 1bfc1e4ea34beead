"""TripletMarginWithDistance: a triplet loss by any measure of distance.

Nothing in the argument for triplets is about lengths of vectors: whatever says how far apart two things are will do.
"""

from __future__ import annotations

from collections.abc import Callable

from ...engine.tensor import Tensor
from ..layers.pairwise_distance import PairwiseDistance
from .reduction import Loss, check_reduction, reduced
from .triplet_margin import check_margin, triplet_margin, with_swap

__all__ = ["TripletMarginWithDistanceLoss", "triplet_margin_with_distance_loss"]

Distance = Callable[[Tensor, Tensor], Tensor]


def triplet_margin_with_distance_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, *, distance_function: Distance | None = None,
    margin: float = 1.0, swap: bool = False, reduction: str = "mean",
) -> Tensor:
    """By how much anchors fall short of being nearer to the positive than to the negative.

    anchor, positive, negative  what the distance is between, with equally many axes
    distance_function  what makes two of them a Tensor of distances; pairwise_distance if not given
    margin             by how much nearer, above 0
    swap               take the distance from the positive to the negative if it is shorter than that from the anchor
    reduction          "mean", "sum", or "none" for the loss of each triplet

    Raises ValueError for unequally many axes, a margin that is not above 0, or another reduction.

    >>> from chalkgrad import tensor
    >>> squared = lambda a, b: ((a - b) ** 2).sum(-1)
    >>> triplet_margin_with_distance_loss(tensor([0.0]), tensor([2.0]), tensor([1.0]), distance_function=squared)
    tensor(4.)
    """
    name = "triplet_margin_with_distance_loss"
    check_reduction(name, reduction)
    check_margin(name, margin)
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise ValueError(f"{name}: anchor has shape {anchor.shape}, positive {positive.shape} and negative "
                         f"{negative.shape}; all have equally many axes.")
    distance = distance_function or PairwiseDistance()
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = with_swap(far, distance(positive, negative))
    return reduced(triplet_margin(near, far, margin=margin), reduction)


class TripletMarginWithDistanceLoss(Loss):
    """loss = max(0, margin + distance(anchor, positive) - distance(anchor, negative)).

    Source: Schroff, Kalenichenko & Philbin 2015, section 3.1.

    >>> import chalkgrad as cg
    >>> loss = cg.nn.TripletMarginWithDistanceLoss(distance_function=lambda a, b: (a - b).abs().sum(-1))
    >>> loss(cg.zeros(1, 2), cg.tensor([[3.0, 4.0]]), cg.tensor([[0.0, 5.0]]))
    tensor(3.)
    """

    def __init__(
        self, *, distance_function: Distance | None = None, margin: float = 1.0, swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        check_margin("TripletMarginWithDistanceLoss", margin)
        self.distance_function: Distance = distance_function or PairwiseDistance()
        self.margin, self.swap = margin, swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """anchor (n, ...), positive (n, ...), negative (n, ...) -> loss ()."""
        return triplet_margin_with_distance_loss(
            anchor, positive, negative, distance_function=self.distance_function, margin=self.margin, swap=self.swap,
            reduction=self.reduction,
        )

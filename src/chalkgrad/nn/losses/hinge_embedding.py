"""HingeEmbedding: distances of what is alike shrink, those of what is not grow to a margin.

Given a distance and whether the two things are alike, pull or push; what is already far enough apart is left alone
(Hadsell, Chopra & LeCun 2006 do so with squares).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .reduction import Loss, check_reduction, reduced

__all__ = ["HingeEmbeddingLoss", "hinge_embedding", "hinge_embedding_loss"]


@primitive
def hinge_embedding(input, target, *, margin=1.0):
    """The distance where target is 1, what it lacks to the margin, max(0, margin - input), where it is -1.

    input (...), target (...) -> losses (...)

    Source: Hadsell, Chopra & LeCun 2006, eq. 4, without the squares; PyTorch adds both for any other target.

    >>> from chalkgrad import tensor
    >>> hinge_embedding(tensor([0.25, 0.25]), tensor([1, -1]))
    tensor([0.25, 0.75])
    """
    alike   = target != -1
    unalike = target != 1
    lacking = margin - input
    losses  = input * alike + np.maximum(lacking, np.zeros_like(lacking)) * unalike
    return losses


@hinge_embedding.backward
def hinge_embedding_backward(grad_losses, alike, unalike, lacking):
    """
    1. where alike, loss = input: the slope is 1
    2. where not, loss = margin - input as long as that is above 0: the slope is -1, then 0; at the corner it is -1, as
       in PyTorch
    """
    grad_input = grad_losses * alike - grad_losses * (unalike * (lacking >= 0))
    return grad_input


@hinge_embedding.examples
def hinge_embedding_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Near and far; a wide margin; a single distance; a target that is neither."""
    draw, target = rng.random, rng.choice([-1, 1], (3, 4))
    return [
        (2 * draw((3, 4)), target),
        (draw((3, 4)), target, {"margin": 3.0}),
        (draw(()), np.array(-1)),
        (draw(3), np.array([0, 1, -1])),
    ]


def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, size_average: None = None, reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """Distances of what is alike, and what those of the others lack to the margin.

    input      distances
    target     1 where the two are alike, -1 where not; of the shape of input, or one that repeats to it
    margin     how far apart the others should be
    reduction  "mean", "sum", or "none" for the losses themselves

    Raises ValueError for shapes that do not fit, or another reduction.

    >>> from chalkgrad import tensor
    >>> hinge_embedding_loss(tensor([0.25, 0.25]), tensor([1, -1]))
    tensor(0.5)
    """
    check_reduction("hinge_embedding_loss", reduction, size_average, reduce)
    return reduced(hinge_embedding(input, target.detach(), margin=margin), reduction)


class HingeEmbeddingLoss(Loss):
    """loss = input where target is 1, max(0, margin - input) where it is -1.

    >>> import chalkgrad as cg
    >>> cg.nn.HingeEmbeddingLoss()(cg.tensor([0.25, 0.25]), cg.tensor([1, -1]))
    tensor(0.5)
    """

    def __init__(
        self, margin: float = 1.0, size_average: None = None, reduce: None = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (...), target (...) -> loss ()."""
        return hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)

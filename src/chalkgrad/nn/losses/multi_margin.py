"""MultiMargin: the score of the true class is to be ahead of each other one by a margin.

The support vector machine, for more than two classes (Weston & Watkins 1999; Crammer & Singer 2001 count only the
worst). Unlike cross-entropy it is content: once the true class is far enough ahead, nothing is left to gain.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .nll import check_classes, check_weight
from .reduction import WeightedLoss, check_reduction, reduced

__all__ = ["MultiMarginLoss", "multi_margin", "multi_margin_loss"]


@primitive
def multi_margin(input, target, weight=None, *, p=1, margin=1.0):
    """By how much the true class t falls short against each other one: loss = Σ_{j≠t} max(0, margin - xₜ + xⱼ)ᵖ / c.

    input (n, c), target (n), weight (c) -> losses (n)

    Source: Weston & Watkins 1999, as a penalty; PyTorch's division by c, and weights.

    >>> from chalkgrad import tensor
    >>> multi_margin(tensor([[3.0, 1.0, 2.5]]), tensor([0]), p=2)
    tensor([0.0833])
    """
    rows   = np.arange(len(target))
    chosen = np.expand_dims(input[rows, target], 1)
    lack   = margin - chosen + input
    short  = np.maximum(lack, np.zeros_like(lack))
    short[rows, target] = 0  # nothing is ahead of itself
    counts = np.ones_like(short[:, 0]) / input.shape[1]
    if weight is not None:
        counts = counts * weight[target]
    costs  = short * short if p == 2 else short
    losses = counts * costs.sum(axis=1)
    return losses


@multi_margin.backward
def multi_margin_backward(grad_losses, target, rows, short, counts, p):
    """
    1. where class j is too near, ∂ max(0, margin - xₜ + xⱼ)/∂xⱼ = 1, times 2 max(0, ...) if p is 2
    2. each of these raises xⱼ's share, and all of them together lower xₜ's
    """
    slope = 2 * short if p == 2 else (short > 0).astype(short.dtype)
    grad_input = np.expand_dims(grad_losses * counts, 1) * slope
    grad_input[rows, target] -= grad_input.sum(axis=1)
    return grad_input


@multi_margin.examples
def multi_margin_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """A batch; squares and weights; a single class, which has no rival."""
    draw, target = rng.standard_normal, rng.integers(0, 4, 3)
    return [
        (draw((3, 4)), target),
        (draw((3, 4)), target, rng.random(4), {"p": 2, "margin": 0.5}),
        (draw((3, 1)), np.zeros(3, int)),
    ]


def multi_margin_loss(
    input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Tensor | None = None,
    size_average: None = None, reduce: None = None, reduction: str = "mean",
) -> Tensor:
    """By how much the true class falls short of being ahead by a margin.

    input      scores: (n, c), or (c) for a single example
    target     classes, integers from 0 to c - 1: (n), or () for a single example
    p          1, or 2 for squares
    margin     by how much the true class should be ahead
    weight     how much each class counts, where it is the true one: (c)
    reduction  "mean", "sum", or "none" for the loss of each example

    Raises IndexError for a target that is no class, ValueError and TypeError for other shapes, dtypes and options.

    >>> from chalkgrad import tensor
    >>> multi_margin_loss(tensor([[3.0, 1.0, 2.5]]), tensor([0]))
    tensor(0.1667)
    """
    check_reduction("multi_margin_loss", reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: p is 1, or 2 for squares, but {p!r} came.")
    if input.ndim > 2:
        raise ValueError(f"multi_margin_loss: input has shape {input.shape}, but (n, c), or (c), was expected.")
    shape = target.shape
    if input.ndim < 2:
        input, target = input.reshape(1, -1), target.reshape(-1)
    check_classes("multi_margin_loss", input, target, None)
    check_weight("multi_margin_loss", input, weight)
    return reduced(multi_margin(input, target, weight, p=p, margin=margin).reshape(shape), reduction)


class MultiMarginLoss(WeightedLoss):
    """loss = Σ_{j≠t} max(0, margin - xₜ + xⱼ)ᵖ / c for the true class t; `weight` is a buffer.

    >>> import chalkgrad as cg
    >>> cg.nn.MultiMarginLoss()(cg.tensor([[3.0, 1.0, 2.5]]), cg.tensor([0]))
    tensor(0.1667)
    """

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Tensor | None = None, size_average: None = None,
        reduce: None = None, reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss: p is 1, or 2 for squares, but {p!r} came.")
        self.p, self.margin = p, margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (n, c), target (n) -> loss ()."""
        return multi_margin_loss(input, target, self.p, self.margin, self.weight, reduction=self.reduction)

"""MultiLabelMargin: each label that applies is to be ahead of each that does not.

What has several labels asks for an order between two groups of them: every pair across the two that is not apart by 1
costs what it lacks (Elisseeff & Weston 2001, who rank the labels of a gene).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.compare import numbers_of
from .reduction import Loss, check_reduction, check_same_shape, reduced

__all__ = ["MultiLabelMarginLoss", "multilabel_margin", "multilabel_margin_loss"]


@primitive
def multilabel_margin(input, target):
    """Add up what each pair lacks: loss = Σ over labels t, and classes j that are none, of max(0, 1 - xₜ + xⱼ) / c.

    input (n, c), target (n, c) -> losses (n)

    target  the labels that apply to each example; the first that is negative, and what follows it, does not count

    Source: Elisseeff & Weston 2001, as a penalty; PyTorch's division by c.

    >>> from chalkgrad import tensor
    >>> multilabel_margin(tensor([[0.1, 0.2, 0.4, 0.8]]), tensor([[3, 0, -1, 1]]))
    tensor([0.85])
    """
    live   = np.minimum.accumulate(target, axis=1) >= 0
    places = np.where(live, target, 0)
    # is_label[i, k, j]: the k-th label of example i is class j
    is_label = (np.expand_dims(places, 2) == np.arange(input.shape[1])) & np.expand_dims(live, 2)
    pairs    = np.expand_dims(live, 2) & ~np.expand_dims(is_label.any(axis=1), 1)
    lack     = 1 - np.expand_dims(np.take_along_axis(input, places, axis=1), 2) + np.expand_dims(input, 1)
    short    = np.maximum(lack, np.zeros_like(lack)) * pairs
    losses   = short.sum(axis=(1, 2)) / input.shape[1]
    return losses


@multilabel_margin.backward
def multilabel_margin_backward(grad_losses, is_label, short):
    """
    1. a pair that is too near pulls its label up and pushes its other class down, each with a slope of 1
    2. so a class j is pushed as often as labels are too near, and pulled, as label k, as often as classes are
    """
    near = (short > 0).astype(grad_losses.dtype)
    push = near.sum(axis=1)
    pull = (near.sum(axis=2, keepdims=True) * is_label).sum(axis=1)
    grad_input = np.expand_dims(grad_losses / short.shape[2], 1) * (push - pull)
    return grad_input


@multilabel_margin.examples
def multilabel_margin_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Some labels; one that comes twice, and none at all; a single class."""
    draw = rng.standard_normal
    return [
        (draw((2, 4)), np.array([[3, 0, -1, 1], [2, 1, 0, -1]])),
        (draw((2, 4)), np.array([[1, 1, -1, 1], [-1, 2, 3, 0]])),
        (draw((2, 1)), np.array([[0], [-1]])),
    ]


def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: None = None, reduce: None = None, reduction: str = "mean"
) -> Tensor:
    """By how much labels fall short of being ahead, by 1, of the classes that are none.

    input      scores: (n, c), or (c) for a single example
    target     the labels that apply, integers from 0 to c - 1, then -1 up to the end: of the shape of input
    reduction  "mean", "sum", or "none" for the loss of each example

    Raises IndexError for a label that is no class, TypeError for labels that are no integers, ValueError for other
    shapes and reductions.

    >>> from chalkgrad import tensor
    >>> multilabel_margin_loss(tensor([0.1, 0.2, 0.4, 0.8]), tensor([3, 0, -1, 1]))
    tensor(0.85)
    """
    name = "multilabel_margin_loss"
    check_reduction(name, reduction, size_average, reduce)
    check_same_shape(name, input, target)
    if input.ndim > 2:
        raise ValueError(f"{name}: input has shape {input.shape}, but (n, c), or (c), was expected.")
    if target.dtype.kind not in "iu":
        raise TypeError(f"{name}: target is {target.dtype}, but it holds labels, which are integers: target.long().")
    shape = input.shape[:-1]
    if input.ndim < 2:
        input, target = input.reshape(1, -1), target.reshape(1, -1)
    labels = numbers_of(target)
    if labels.size and not (labels.min() >= -1 and labels.max() < input.shape[1]):
        raise IndexError(f"{name}: target holds numbers from {labels.min()} to {labels.max()}, but labels "
                         f"are 0 to {input.shape[1] - 1}, and -1 ends them.")
    return reduced(multilabel_margin(input, target).reshape(shape), reduction)


class MultiLabelMarginLoss(Loss):
    """loss = Σ max(0, 1 - xₜ + xⱼ) / c over the labels t that apply and the classes j that do not.

    >>> import chalkgrad as cg
    >>> cg.nn.MultiLabelMarginLoss()(cg.tensor([0.1, 0.2, 0.4, 0.8]), cg.tensor([3, 0, -1, 1]))
    tensor(0.85)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (n, c), target (n, c) -> loss ()."""
        return multilabel_margin_loss(input, target, reduction=self.reduction)

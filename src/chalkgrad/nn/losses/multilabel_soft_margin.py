"""MultiLabelSoftMargin: a yes or no to every label at once, each on its own.

What has several labels cannot share out a probability of 1 among them, as a softmax does. So each label gets a logistic
regression of its own, and the loss of an example is the mean over its labels.
"""

from __future__ import annotations

from ...engine.tensor import Tensor
from ...law.shapes import repeats
from .bce_with_logits import bce_with_logits
from .reduction import WeightedLoss, check_reduction, reduced

__all__ = ["MultiLabelSoftMarginLoss", "multilabel_soft_margin_loss"]


def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: None = None, reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """Mean over the labels, the last axis, of the binary cross-entropy of sigmoid(input).

    input      scores: (c) or (..., c)
    target     1 for the labels that apply, 0 for the others; of the shape of input, or one that repeats to it
    weight     how much each label counts: (c), or any shape that repeats to that of input
    reduction  "mean", "sum", or "none" for the loss of each example

    Raises ValueError for shapes that do not fit, or another reduction.

    >>> from chalkgrad import tensor
    >>> multilabel_soft_margin_loss(tensor([[0.0, 1000.0], [0.0, -1000.0]]), tensor([[1.0, 1.0], [0.0, 1.0]]))
    tensor(250.3466)
    """
    check_reduction("multilabel_soft_margin_loss", reduction, size_average, reduce)
    if not input.ndim:
        raise ValueError("multilabel_soft_margin_loss: input is one number, but its last axis holds the labels: (c).")
    if not repeats(target.shape, input.shape):
        raise ValueError(f"multilabel_soft_margin_loss: target of shape {target.shape} does not repeat to the shape of "
                         f"input, {input.shape}.")
    return reduced(bce_with_logits(input, target, weight, reduction="none").mean(-1), reduction)


class MultiLabelSoftMarginLoss(WeightedLoss):
    """loss = -(1/c) Σⱼ (tⱼ log pⱼ + (1 - tⱼ) log(1 - pⱼ)) with p = sigmoid(input); `weight` is a buffer.

    Source: Cox 1958, for each label.

    >>> import chalkgrad as cg
    >>> cg.nn.MultiLabelSoftMarginLoss()(cg.zeros(2, 3), cg.ones(2, 3))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (n, c), target (n, c) -> loss ()."""
        return multilabel_soft_margin_loss(input, target, self.weight, reduction=self.reduction)

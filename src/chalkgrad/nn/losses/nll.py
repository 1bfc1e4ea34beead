"""NLL: minus the log-probability that a model gave to what was true.

To make it small is to make the data likely: maximum likelihood (Fisher 1922).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tape import mode
from ...engine.tensor import Tensor
from ...law.errors import StandsForMany
from ...ops.index import along
from .reduction import WeightedLoss, check_reduction, reduced

__all__ = ["NLLLoss", "check_classes", "check_weight", "count_classes", "nll_loss", "nll_of_each"]


@primitive
def nll_of_each(log_p, target, weight=None, *, ignore_index=-100):
    """Look up what the true class was given: lossᵢ = -weight[tᵢ] · log_p[i, tᵢ].

    log_p (n, c, ...), target (n, ...), weight (c) -> losses (n, ...), counts (n, ...), kept (n, ...)

    counts  by how much each example counts: by the weight of its class, or 1
    kept    false where the target is ignore_index; the loss is then 0, and the example does not count

    The axis n may be missing: a single example.

    Source: Fisher 1922; PyTorch's weights.

    >>> log_p = np.array([[-0.1, -2.4], [-0.7, -0.7]])
    >>> nll_of_each(log_p, np.array([1, -100]))
    (array([2.4, 0. ]), array([1., 0.]), array([ True, False]))
    """
    shape  = log_p.shape
    axis   = min(1, log_p.ndim - 1)
    kept   = target != ignore_index
    known  = np.where(kept, target, 0)
    place  = along(np.expand_dims(known, axis), axis, shape)
    picked = np.squeeze(log_p[place], axis)
    counts = kept.astype(log_p.dtype)
    if weight is not None:
        counts = counts * weight[known]
    # nothing of what is ignored may come in: it could be -∞, and 0 · ∞ is not 0
    losses = counts * np.where(kept, -picked, 0)
    return losses, counts, kept


@nll_of_each.backward
def nll_of_each_backward(grad_losses, counts, place, axis, shape):
    """
    1. lossᵢ = -countᵢ · log_p[i, tᵢ]: of each row, only one element was looked at
    2. ∂lossᵢ/∂log_p[i, j] = -countᵢ where j = tᵢ, else 0
    3. if nothing counts, the mean divides by 0: what is infinite then must not meet the 0 of a count
    """
    heard             = np.where(counts != 0, grad_losses, 0)
    grad_log_p        = np.zeros_like(grad_losses, shape=shape)
    grad_log_p[place] = np.expand_dims(-heard * counts, axis)
    return grad_log_p


@nll_of_each.examples
def nll_of_each_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """A batch; weighted classes and an ignored example; pictures; a single example; a single row that is ignored."""
    draw, target = rng.standard_normal, rng.integers(0, 4, 3)
    return [
        (draw((3, 4)), target),
        (draw((3, 4)), np.array([2, -100, 0]), rng.random(4)),
        (draw((2, 4, 2, 3)), rng.integers(0, 4, (2, 2, 3)), rng.random(4), {"ignore_index": 0}),
        (draw(4), np.array(3)),
        (draw((1, 4)), np.array([-100])),
    ]


def count_classes(name: str, input: Any) -> int:
    """Return the size of the axis of classes: the second, or the only one.

    Raises ValueError for a single number.
    """
    if not input.shape:
        raise ValueError(f"{name}: input is one number, but each class has one: (c), (n, c) or (n, c, d1, ...).")
    classes: int = input.shape[min(1, len(input.shape) - 1)]
    return classes


def check_classes(name: str, input: Any, target: Any, ignore_index: int | None) -> bool:
    """Tell whether every target is a class of the input; if not, the others are ignored ones.

    ignore_index  the one integer that may be no class, or None

    Raises TypeError for targets that are no integers, ValueError for a shape other than the input's without its axis of
    classes, IndexError for an integer that is neither a class nor ignore_index.
    """
    shape, classes = input.shape, count_classes(name, input)
    try:
        labels = target.data if isinstance(target, Tensor) else np.asarray(target)
    except StandsForMany:  # under vmap the classes of one example cannot be looked at
        return False
    expected = shape[:1] + shape[2:] if len(shape) > 1 else ()
    if labels.dtype.kind not in "iu":
        raise TypeError(f"{name}: target is {labels.dtype} of shape {labels.shape}, but for an input of shape {shape} "
                        f"it holds classes, integers 0 to {classes - 1}, in shape {expected}. Try: target.long().")
    if labels.shape != expected:
        hint = " For targets one-hot, try: target.argmax(1)." if labels.shape == shape else ""
        raise ValueError(f"{name}: input has shape {shape}, so classes have shape {expected}, but target has shape "
                         f"{labels.shape}.{hint}")
    if not labels.size or (labels.min() >= 0 and labels.max() < classes):
        if mode.tape is not None:  # a spelled step checks it too, since it takes the way of targets that are all known
            mode.tape.assumptions.append((labels, 0, classes))
        return True
    unknown = ((labels < 0) | (labels >= classes)) & (labels != ignore_index)
    if unknown.any():
        ignored = f"; only ignore_index={ignore_index} is ignored" if ignore_index is not None else ""
        raise IndexError(f"{name}: target holds {labels[unknown][0]}, but the classes of an input of shape {shape} are "
                         f"0 to {classes - 1}{ignored}.")
    return False


def check_weight(name: str, input: Any, weight: Any) -> None:
    """Raise ValueError unless there is a weight for each class, or None."""
    classes = count_classes(name, input)
    if weight is not None and weight.shape != (classes,):
        raise ValueError(f"{name}: weight has shape {weight.shape}, but an input of shape {input.shape} has {classes} "
                         f"classes; give one weight for each, in shape ({classes},).")


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: None = None, ignore_index: int = -100,
    reduce: None = None, reduction: str = "mean",
) -> Tensor:
    """Negative log-likelihood of the true classes.

    input         log-probabilities, as log_softmax gives them: (c), (n, c) or (n, c, d1, ...)
    target        classes, integers from 0 to c - 1: (), (n) or (n, d1, ...)
    weight        how much each class counts: (c)
    ignore_index  a target that does not count; it may lie outside of 0 to c - 1
    reduction     "mean" over what counts, by its weight; "sum"; or "none" for a loss for each target

    Raises IndexError for a target that is no class, ValueError and TypeError for other shapes, dtypes and reductions.
    The mean is nan if nothing counts.

    >>> from chalkgrad import tensor
    >>> nll_loss(tensor([[-0.5, -1.0], [-2.0, -0.25]]), tensor([0, 1]))
    tensor(0.375)
    """
    check_reduction("nll_loss", reduction, size_average, reduce)
    check_classes("nll_loss", input, target, ignore_index)
    check_weight("nll_loss", input, weight)
    losses, counts, _ = nll_of_each(input, target, weight, ignore_index=ignore_index)
    return reduced(losses, reduction, counts)


class NLLLoss(WeightedLoss):
    """Negative log-likelihood of the true classes, from log-probabilities; `weight` is a buffer.

    >>> import chalkgrad as cg
    >>> cg.nn.NLLLoss()(cg.tensor([[-0.5, -1.0]]), cg.tensor([1]))
    tensor(1.)
    """

    def __init__(
        self, weight: Tensor | None = None, size_average: None = None, ignore_index: int = -100, reduce: None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (n, c, ...), target (n, ...) -> loss ()."""
        return nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)

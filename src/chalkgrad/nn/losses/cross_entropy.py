"""Cross-entropy: how surprised a classifier is by the truth.

The surprise at something of probability p is -log p, and cross-entropy is its average (Shannon 1948). It is the loss of
nearly every classifier and language model: softmax and negative log-likelihood in one piece, which is exact where the
two in turn would round to 0, and whose derivative is as simple as can be: what was given, less what was true.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.choice import where
from ..activations.log_softmax import log_softmax
from .nll import check_classes, check_weight, nll_of_each
from .reduction import WeightedLoss, check_reduction, reduced

__all__ = ["CrossEntropyLoss", "check_smoothing", "cross_entropy", "mean_cross_entropy"]


@primitive
def mean_cross_entropy(logits, target):
    """Average over a batch what the true class was given: loss = -(1/n) Σᵢ log pᵢ[tᵢ] with p = softmax(logits).

    logits (n, c), target (n) -> loss ()

    Source: Shannon 1948, section 6; Bridle 1990 for the softmax.

    >>> from chalkgrad import tensor
    >>> mean_cross_entropy(tensor([[1.0, 1.0], [-1000.0, 1000.0]]), tensor([0, 1]))
    tensor(0.3466)
    """
    # only differences between logits count; with the largest of a row at 0, exp cannot overflow
    z     = logits - logits.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    rows  = np.arange(len(target))
    loss  = -log_p[rows, target].mean()
    return loss


@mean_cross_entropy.backward
def mean_cross_entropy_backward(grad_loss, log_p, rows, target):
    """
    1. loss = -(1/n) Σᵢ log pᵢ[tᵢ], and log pᵢ[j] = zᵢ[j] - log Σₘ exp zᵢ[m]
    2. ∂ log pᵢ[t] / ∂zᵢ[j] = 1{j=t} - pᵢ[j]: the log-sum-exp differentiates to the softmax
    3. ∂ loss / ∂zᵢ[j] = (pᵢ[j] - 1{j=tᵢ}) / n: what was given, less what was true
    """
    share       = grad_loss / len(rows)
    grad_logits = share * np.exp(log_p)
    grad_logits[rows, target] -= share
    return grad_logits


@mean_cross_entropy.examples
def mean_cross_entropy_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """A batch; large logits; a single row; a single class, which surprises nobody."""
    draw, target = rng.standard_normal, rng.integers(0, 4, 3)
    return [
        (draw((3, 4)), target),
        (1000 * draw((3, 4)), target),
        (draw((1, 4)), np.array([2])),
        (draw((3, 1)), np.array([0, 0, 0])),
    ]


def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: None = None, ignore_index: int = -100,
    reduce: None = None, reduction: str = "mean", label_smoothing: float = 0.0,
) -> Tensor:
    """Cross-entropy between what a model says and what is true.

    input            logits, any numbers: (c), (n, c) or (n, c, d1, ...)
    target           classes, integers from 0 to c - 1: (), (n) or (n, d1, ...);
                     or probabilities, floats in the shape of input, by which one may also differentiate
    weight           how much each class counts: (c)
    ignore_index     a class target that does not count; it may lie outside of 0 to c - 1
    reduction        "mean", "sum", or "none" for a loss for each example. The mean is over what counts, by the weight
                     of its class; over all examples alike for probabilities
    label_smoothing  the share of each target, 0 to 1, that is spread evenly over all classes (Szegedy et al. 2016,
                     section 7), so that no probability of exactly 1 is strived for

    Raises IndexError for a target that is no class, ValueError and TypeError for other shapes, dtypes and options.
    The mean is nan if nothing counts.

    >>> from chalkgrad import tensor
    >>> logits = tensor([[0.0, 0.0], [2.0, 0.0]])
    >>> cross_entropy(logits, tensor([1, 0]), reduction="none")
    tensor([0.6931, 0.1269])
    >>> cross_entropy(logits, tensor([1, 0]), reduction="none", label_smoothing=0.5)
    tensor([0.6931, 0.6269])
    >>> cross_entropy(logits, tensor([[0.5, 0.5], [1.0, 0.0]]))
    tensor(0.41)
    """
    check_reduction("cross_entropy", reduction, size_average, reduce)
    check_weight("cross_entropy", input, weight)
    check_smoothing("cross_entropy", label_smoothing)
    if target.dtype.kind == "f" and target.shape == input.shape:
        if ignore_index >= 0:
            raise ValueError(f"cross_entropy: ignore_index={ignore_index} is a class to be left out, but target holds "
                             "probabilities, which leaves none out.")
        return _of_probabilities(input, target, weight, reduction, label_smoothing)
    all_known = check_classes("cross_entropy", input, target, ignore_index)
    all_count = all_known and not 0 <= ignore_index < input.shape[-1]
    if all_count and input.ndim == 2 and weight is None and reduction == "mean" and not label_smoothing:
        loss: Tensor = mean_cross_entropy(input, target)
        return loss
    return _of_classes(input, target, weight, ignore_index, reduction, label_smoothing)


def check_smoothing(name: str, label_smoothing: float) -> None:
    """Raise ValueError unless it is a share."""
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"{name}: label_smoothing is a share, 0 to 1, but {label_smoothing} came.")


def _of_classes(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str, label_smoothing: float
) -> Tensor:
    """Cross-entropy of classes with all options, by way of the log-probabilities."""
    axis = min(1, input.ndim - 1)
    log_p = log_softmax(input, axis)
    losses, counts, kept = nll_of_each(log_p, target, weight, ignore_index=ignore_index)
    if label_smoothing:
        evenly = -_weigh(log_p, weight).mean(axis)
        losses = (1 - label_smoothing) * losses + label_smoothing * where(kept, evenly, 0)
    return reduced(losses, reduction, counts)


def _of_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, label_smoothing: float
) -> Tensor:
    """Cross-entropy of probabilities: the surprise at each class, by how often it comes."""
    axis = min(1, input.ndim - 1)
    if label_smoothing:
        target = (1 - label_smoothing) * target + label_smoothing / input.shape[axis]
    losses: Tensor = -(_weigh(target, weight) * log_softmax(input, axis)).sum(axis)
    return reduced(losses, reduction)


def _weigh(values: Tensor, weight: Tensor | None) -> Tensor:
    """Multiply each class by its weight: values (n, c, ...), weight (c)."""
    return values if weight is None else values * weight.reshape(-1, *[1] * (values.ndim - 2))


class CrossEntropyLoss(WeightedLoss):
    """Cross-entropy of logits and classes, or probabilities; `weight` is a buffer. The options are cross_entropy's.

    >>> import chalkgrad as cg
    >>> cg.nn.CrossEntropyLoss()(cg.zeros(3, 4), cg.tensor([0, 1, 2]))
    tensor(1.3863)
    """

    def __init__(
        self, weight: Tensor | None = None, size_average: None = None, ignore_index: int = -100, reduce: None = None,
        reduction: str = "mean", label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        check_smoothing("CrossEntropyLoss", label_smoothing)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (n, c, ...), target (n, ...) or (n, c, ...) -> loss ()."""
        return cross_entropy(
            input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )

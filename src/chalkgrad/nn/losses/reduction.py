"""What becomes of the losses of many examples: their mean, their sum, or nothing; and what losses check beforehand."""

from __future__ import annotations

from typing import Any, ClassVar

from ...engine.tensor import Tensor
from ..module import Buffer, Module

__all__ = [
    "Loss", "REDUCTIONS", "WeightedLoss", "as_float", "check_reduction", "check_same_shape", "reduced",
    "reduced_by_weight",
]

REDUCTIONS = ("none", "mean", "sum")


def check_reduction(
    name: str, reduction: str, size_average: None = None, reduce: None = None, known: tuple[str, ...] = REDUCTIONS
) -> None:
    """Raise ValueError unless `reduction` is one of those known, and the arguments that it has replaced are unset.

    >>> check_reduction("mse_loss", "average")
    Traceback (most recent call last):
    ValueError: mse_loss: reduction is 'none', 'mean' or 'sum', but 'average' came.
    """
    if reduction not in known:
        *others, last = map(repr, known)
        raise ValueError(f"{name}: reduction is {', '.join(others)} or {last}, but {reduction!r} came.")
    if size_average is not None or reduce is not None:
        raise ValueError(f"{name}: size_average and reduce are gone from use; say reduction='mean', 'sum' or 'none'.")


def check_same_shape(name: str, input: Any, target: Any) -> None:
    """Raise ValueError unless the two have one shape.

    (n,) against (n, 1) is the usual case: repeated to (n, n), it would compare every output with every target.
    """
    if input.shape != target.shape:
        raise ValueError(f"{name}: input has shape {input.shape}, but target {target.shape}; repeating one to fit "
                         "would compare what does not belong together. Try: target.reshape(input.shape).")


def as_float(target: Tensor, input: Tensor) -> Tensor:
    """Give whole numbers the dtype of the input, which they would drag along to float64."""
    return target if target.dtype.kind == "f" else target.to(input.dtype)


def reduced(losses: Tensor, reduction: str, counts: Tensor | None = None) -> Tensor:
    """Take the mean of losses, or their sum, or leave them as they are.

    counts  by how much each is to count in the mean, if not by 1; the losses are multiplied by it already

    >>> from chalkgrad import tensor
    >>> reduced(tensor([1.0, 6.0]), "mean"), reduced(tensor([1.0, 6.0]), "mean", counts=tensor([1.0, 3.0]))
    (tensor(3.5), tensor(1.75))
    """
    if reduction == "none":
        return losses
    if reduction == "mean" and counts is None:
        mean: Tensor = losses.mean()
        return mean
    total: Tensor = losses.sum()
    return total / counts.sum() if counts is not None and reduction == "mean" else total


def reduced_by_weight(name: str, losses: Tensor, weight: Tensor, reduction: str) -> Tensor:
    """Weigh every loss; the mean is that of the weights, Σ weight · loss / Σ weight.

    Raises ValueError unless there is a weight for each loss.

    >>> from chalkgrad import tensor
    >>> reduced_by_weight("l1_loss", tensor([1.0, 2.0]), tensor([1.0, 3.0]), "mean")
    tensor(1.75)
    """
    if weight.shape != losses.shape:
        raise ValueError(f"{name}: weight has shape {weight.shape}, but there is a loss for each of {losses.shape}; "
                         "give each its weight. Try: weight.broadcast_to(input.shape).")
    return reduced(losses * weight, reduction, weight)


class Loss(Module):
    """What all losses share: the reduction, and PyTorch's two older arguments for it, which are refused."""

    reductions: ClassVar[tuple[str, ...]] = REDUCTIONS

    def __init__(self, size_average: None = None, reduce: None = None, reduction: str = "mean") -> None:
        super().__init__()
        check_reduction(type(self).__name__, reduction, size_average, reduce, self.reductions)
        self.reduction = reduction


class WeightedLoss(Loss):
    """A loss with a `weight`, which is a buffer."""

    weight: Tensor | None

    def __init__(
        self, weight: Tensor | None = None, size_average: None = None, reduce: None = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", None if weight is None else Buffer(weight))

"""Linear cross-entropy: the last layer of a classifier and its loss in one call.

The layer makes a logit of each class, and cross-entropy looks at all of them; nobody else asks for the logits.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ..layers.linear import Linear, linear
from .cross_entropy import check_smoothing, cross_entropy
from .reduction import WeightedLoss

__all__ = ["LinearCrossEntropyLoss", "linear_cross_entropy"]


def linear_cross_entropy(
    input: Tensor, linear_weight: Tensor, target: Tensor, *, linear_bias: Tensor | None = None,
    weight: Tensor | None = None, reduction: str = "mean", ignore_index: int | None = None,
    label_smoothing: float = 0.0, options: None = None,
) -> Tensor:
    """Cross-entropy between what a linear layer makes of an input, and what is true.

    input            (i) or (n, i)
    linear_weight    a row for each of c classes: (c, i); or, for an input (n, i), (c, d1, ..., i): of k guesses at once
    target           classes, integers from 0 to c - 1: (), (n) or (n, d1, ...);
                     or probabilities, floats: (c), (n, c) or (n, c, d1, ...)
    linear_bias      (c) or (c, d1, ...)
    weight           how much each class counts: (c)
    reduction        "mean", "sum", or "none" for a loss for each example
    ignore_index     a class target that does not count; if not given, -100. Not for probabilities
    label_smoothing  the share of each target, 0 to 1, that is spread evenly over all classes

    Raises ShapeError for shapes that do not go together, ValueError for `options`, which choose among PyTorch's
    kernels, and what cross_entropy raises.

    >>> from chalkgrad import tensor
    >>> linear_cross_entropy(tensor([1.0, 0.0]), tensor([[2.0, 5.0], [0.0, 5.0]]), tensor(0))
    tensor(0.1269)
    """
    _refuse_options("linear_cross_entropy", options)
    _check(input, linear_weight, linear_bias)
    rows = None if linear_bias is None else linear_bias.reshape(-1)
    logits = linear(input, linear_weight.reshape(-1, input.shape[-1]), rows)
    logits = logits.reshape(*input.shape[:-1], *linear_weight.shape[:-1])
    if ignore_index is not None and target.shape == logits.shape:
        raise ValueError("linear_cross_entropy: ignore_index is a class to be left out, but target, in the shape of "
                         "the logits, holds probabilities, which leaves none out.")
    return cross_entropy(
        logits, target, weight, ignore_index=-100 if ignore_index is None else ignore_index, reduction=reduction,
        label_smoothing=label_smoothing,
    )


def _refuse_options(name: str, options: Any) -> None:
    if options is not None:
        raise ValueError(f"{name}: options choose among PyTorch's kernels, which divide the batch to save memory; here "
                         "it is not divided. Leave options out.")


def _check(input: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    """Raise ShapeError unless the layer fits its input."""
    name = "linear_cross_entropy"
    if input.ndim not in (1, 2) or weight.ndim < 2 or (input.ndim == 1 and weight.ndim > 2):
        raise ShapeError(f"{name}: input and linear_weight are (i) and (c, i), or (n, i) and (c, ..., i), but their "
                         f"shapes are {input.shape} and {weight.shape}.")
    if weight.shape[-1] != input.shape[-1]:
        raise ShapeError(f"{name}: `i` is {input.shape[-1]} in input, of shape {input.shape}, but {weight.shape[-1]} "
                         f"in linear_weight, of shape {weight.shape}.")
    if bias is not None and bias.shape != weight.shape[:-1]:
        raise ShapeError(f"{name}: for linear_weight of shape {weight.shape}, linear_bias is {weight.shape[:-1]}, but "
                         f"its shape is {bias.shape}.")


class LinearCrossEntropyLoss(WeightedLoss):
    """A linear layer to `num_classes` logits, and their cross-entropy; `weight` is a buffer.

    in_features      the length i of an input
    out_features     (d1, ...): the loss is of so many guesses for each example; () is one
    bias             whether the layer has one

    The other options are those of linear_cross_entropy.

    >>> import chalkgrad as cg
    >>> loss = cg.nn.LinearCrossEntropyLoss(5, 10, out_features=(2,))
    >>> loss(cg.zeros(3, 5), cg.zeros(3, 2).long()).item().__round__(4)
    2.3026
    """

    def __init__(
        self, in_features: int, num_classes: int, *, out_features: tuple[int, ...] = (), bias: bool = False,
        dtype: Any = np.float32, reduction: str = "mean", weight: Tensor | None = None,
        ignore_index: int | None = None, label_smoothing: float = 0.0, options: None = None,
    ) -> None:
        name = type(self).__name__
        _refuse_options(name, options)
        if weight is not None and weight.shape != (num_classes,):
            raise ValueError(f"{name}: there is one weight for each of {num_classes} classes, but weight has shape "
                             f"{weight.shape}.")
        check_smoothing(name, label_smoothing)
        super().__init__(weight, None, None, reduction)
        self.num_classes, self.out_features = num_classes, tuple(out_features)
        self.ignore_index, self.label_smoothing, self.options = ignore_index, label_smoothing, options
        self.linear = Linear(in_features, math.prod(self.out_features, start=num_classes), bias=bias, dtype=dtype)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (n, i), target (n, d1, ...) or (n, c, d1, ...) -> loss ()."""
        shape, bias = (self.num_classes, *self.out_features), self.linear.bias
        return linear_cross_entropy(
            input, self.linear.weight.reshape(*shape, self.linear.in_features), target,
            linear_bias=None if bias is None else bias.reshape(shape), weight=self.weight, reduction=self.reduction,
            ignore_index=self.ignore_index, label_smoothing=self.label_smoothing,
        )

    def extra_repr(self) -> str:
        """Say the sizes and options, as PyTorch does."""
        return (f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
                f"out_features={self.out_features}, bias={self.linear.bias is not None}, reduction={self.reduction}, "
                f"ignore_index={self.ignore_index}, label_smoothing={self.label_smoothing}, options={self.options}")

"""The linear model: where learning starts, and what every other model is measured against."""

from __future__ import annotations

import math

from ..engine.tensor import Tensor
from ..nn import Flatten, Linear, Module

__all__ = ["LinearModel"]


class LinearModel(Module):
    """One layer: every output is a weighted sum of all inputs.

    shape    the shape of one sample, such as (1, 8, 8)
    outputs  the number of classes, whose scores come out, or of targets

    Source: with softmax and cross-entropy, multinomial logistic regression; with a squared error, least squares.
    """

    def __init__(self, shape: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        self.flatten = Flatten()
        self.fc = Linear(math.prod(shape), outputs)

    def forward(self, x: Tensor) -> Tensor:
        """x (n, *shape) -> scores (n, outputs)."""
        y: Tensor = self.fc(self.flatten(x))
        return y

"""The multilayer perceptron: features of its own making between the input and the output."""

from __future__ import annotations

import math

from ..engine.tensor import Tensor
from ..nn import Flatten, Linear, Module, ReLU

__all__ = ["MLP"]


class MLP(Module):
    """Two layers with a ReLU between them: learned features, weighed.

    shape    the shape of one sample, such as (1, 8, 8)
    outputs  the number of classes, whose scores come out, or of targets
    hidden   the number of features

    Source: Rumelhart, Hinton & Williams 1986, Learning representations by back-propagating errors, with today's unit.
    """

    def __init__(self, shape: tuple[int, ...], outputs: int, hidden: int = 512) -> None:
        super().__init__()
        self.flatten = Flatten()
        self.fc1 = Linear(math.prod(shape), hidden)
        self.relu = ReLU()
        self.fc2 = Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """x (n, *shape) -> scores (n, outputs)."""
        h = self.relu(self.fc1(self.flatten(x)))
        y: Tensor = self.fc2(h)
        return y

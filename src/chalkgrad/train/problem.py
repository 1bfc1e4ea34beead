"""A problem: a dataset made ready for training, with what is to be made small and what is to be measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import Standardizer, datasets, standardize, train_val_test_split
from ..data.datasets import Data
from ..nn import CrossEntropyLoss, Module, MSELoss
from .metrics import accuracy, mean_absolute_error

__all__ = ["Problem", "prepare"]

Array = NDArray[Any]
Pair = tuple[Array, Array]
UNITS = {"celsius": "°F"}


@dataclass(frozen=True, eq=False)
class Problem:
    """A dataset, split and standardized.

    train, val, test  pairs of arrays (x, y): to learn from, to choose by, and for the one final test
    inputs            what x was standardized with, measured on the training rows
    targets           the same for the y of a regression; None for classes
    """

    data: Data
    train: Pair
    val: Pair
    test: Pair
    inputs: Standardizer
    targets: Standardizer | None

    @property
    def is_classification(self) -> bool:
        """Whether classes are to be told apart; if not, numbers are to be predicted."""
        return self.targets is None

    @property
    def measure(self) -> str:
        """What is reported beside the loss: the accuracy, or the mean error in the unit of the target."""
        return "accuracy" if self.is_classification else "error"

    @property
    def unit(self) -> str:
        """The unit of what a regression predicts."""
        return UNITS.get(self.data.name, "")

    def loss(self) -> Module:
        """Make the loss that this kind of problem is trained with."""
        return CrossEntropyLoss() if self.is_classification else MSELoss()

    def score(self, outputs: Array, target: Array) -> float:
        """Compute the measure from a model's outputs and the (standardized) targets."""
        if self.targets is None:
            return accuracy(outputs, target)
        return mean_absolute_error(self.targets.inverse_transform(outputs), self.targets.inverse_transform(target))


def prepare(name: str) -> Problem:
    """Load a dataset, split it, and standardize it by its training rows.

    The features of a table are standardized one by one; the pixels of an image all alike, since they share a scale.

    >>> problem = prepare("digits")
    >>> [x.shape for x, y in (problem.train, problem.val, problem.test)]
    [(1262, 1, 8, 8), (180, 1, 8, 8), (355, 1, 8, 8)]
    >>> x, _ = problem.train
    >>> bool(abs(x.mean()) < 1e-4), bool(abs(x.std() - 1) < 1e-4)
    (True, True)
    """
    data = datasets.load(name)
    train, val, test = train_val_test_split(data)
    x, y = train
    inputs = standardize(x.reshape(-1, 1) if x.ndim > 2 else x)
    targets = standardize(y) if data.task == "regression" else None

    def scaled(pair: Pair) -> Pair:
        x, y = pair
        return np.ascontiguousarray(inputs.transform(x)), y if targets is None else targets.transform(y)

    return Problem(data, scaled(train), scaled(val), scaled(test), inputs, targets)

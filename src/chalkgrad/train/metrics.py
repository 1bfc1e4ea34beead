"""Measures of how well a model does, beside its loss."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["accuracy", "confusion_matrix", "mean_absolute_error"]

Array = NDArray[Any]


def accuracy(scores: Array, target: Array) -> float:
    """The share of samples whose largest score is that of their class, from 0 to 1.

    scores (n, c), target (n) class numbers -> a number

    >>> accuracy(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]]), np.array([0, 1, 1, 1]))
    0.75
    """
    return float((scores.argmax(axis=1) == target).mean())


def confusion_matrix(predicted: Array, target: Array, classes: int) -> NDArray[np.int64]:
    """Count how often a sample of class i was taken for class j: row i, column j.

    predicted (n), target (n) class numbers -> counts (classes, classes)

    >>> confusion_matrix(np.array([0, 1, 0, 1]), np.array([0, 1, 1, 1]), classes=2)
    array([[1, 0],
           [1, 2]])
    """
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (target, predicted), 1)
    return counts


def mean_absolute_error(predicted: Array, target: Array) -> float:
    """The mean distance between what was predicted and what is true, in the unit of both.

    predicted (n, ...), target (n, ...) -> a number

    >>> mean_absolute_error(np.array([[20.0], [24.0]]), np.array([[21.0], [24.5]]))
    0.75
    """
    return float(np.abs(predicted - target).mean())

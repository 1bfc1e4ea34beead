"""Standardizing: features of mean 0 and standard deviation 1, measured on the training rows alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Standardizer", "standardize"]


@dataclass(frozen=True, eq=False)
class Standardizer:
    """The mean and standard deviation of every feature: z = (x - mean) / std.

    mean (...), std (...), in the units of the feature. Write both beside a model: it can be used only with them.
    """

    mean: NDArray[Any]
    std: NDArray[Any]

    def transform(self, x: Any) -> Any:
        """From the feature's units to standard deviations from the mean. x (n, ...) -> z (n, ...)

        An array gives an array, a Tensor a Tensor.
        """
        return (x - self.mean) / self.std

    def inverse_transform(self, z: Any) -> Any:
        """From standard deviations back to the feature's units, as for a predicted target. z (n, ...) -> x (n, ...)"""
        return z * self.std + self.mean


def standardize(x: NDArray[Any]) -> Standardizer:
    """Measure mean and standard deviation (dividing by n) over the rows of x, the training split's.

    x (n, ...) -> mean (...), std (...), of x's dtype, or float32 for integers

    Measure on the training rows only and use the result for all: with the others measured in, the test would no longer
    be of unseen data. A feature that is constant gets std 1, so that it becomes 0 instead of 0 / 0.

    Raises: TypeError for what is not an array; ValueError without rows or with values that are not finite.

    >>> x_train = np.array([[10.0, 7.0], [20.0, 7.0], [30.0, 7.0]])
    >>> scale = standardize(x_train)
    >>> scale.mean.tolist(), scale.std.round(3).tolist()
    ([20.0, 7.0], [8.165, 1.0])
    >>> scale.transform(x_train).round(3).tolist()
    [[-1.225, 0.0], [0.0, 0.0], [1.225, 0.0]]
    """
    if not isinstance(x, np.ndarray):
        raise TypeError(f"standardize: expected a NumPy array, got a {type(x).__name__}. Measure on the array itself.")
    if not x.ndim or not len(x) or not np.isfinite(x).all():
        raise ValueError(f"standardize: expected at least one row of finite values, got shape {x.shape} of {x.dtype}.")
    dtype = x.dtype if x.dtype.kind == "f" else np.float32
    # A long float32 sum loses digits, so both are summed in float64. Even then the mean of equal values may be off by a
    # rounding error, and their deviation not be 0, so a constant feature is known by its extremes.
    low, high = x.min(axis=0), x.max(axis=0)
    mean = np.where(low == high, low, x.mean(axis=0, dtype=np.float64))
    std = np.where(low == high, 1, x.std(axis=0, dtype=np.float64))
    return Standardizer(mean.astype(dtype), std.astype(dtype))

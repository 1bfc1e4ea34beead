"""What a program relied on when it was traced, and looks at again in every step."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["in_bounds"]


def in_bounds(numbers: np.ndarray[Any, Any], low: int, high: int) -> np.ndarray[Any, Any]:
    """Return classes or positions as they are. Raises IndexError if one of them is below `low`, or not below `high`.

    >>> in_bounds(np.array([0, 2]), 0, 3)
    array([0, 2])
    """
    least, most = (numbers.min(), numbers.max()) if numbers.size else (low, low)
    if least < low or most >= high:
        raise IndexError(f"Classes or positions from {low} to {high - 1} were expected, but {least} to {most} came.")
    return numbers

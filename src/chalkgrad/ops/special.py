"""Functions that NumPy does not have, as helpers for rules."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

__all__ = ["erf_of", "erf_series"]


@functools.cache
def erf_series() -> Any:
    """Taylor coefficients of erf around 0, 1/32, 2/32, ... 6: one row a point, order 0 to 8.

    The derivatives follow from erf'(g) = 2/√π exp(-g²) =: h₀ and h' = -2gh: hₙ₊₁ = -2 (g hₙ + n hₙ₋₁).
    """
    points = np.arange(6 * 32 + 1) / 32
    slopes = [2 / math.sqrt(math.pi) * np.exp(-(points**2))]
    slopes.append(-2 * points * slopes[0])
    for n in range(1, 7):
        slopes.append(-2 * (points * slopes[n] + n * slopes[n - 1]))
    values = np.array([math.erf(g) for g in points])
    return np.stack([values, *(s / math.factorial(n + 1) for n, s in enumerate(slopes))])


def erf_of(x: Any) -> Any:
    """Error function of an array, within 2e-15 of the true value in float64: Taylor from the nearest of 193 points.

    >>> float(erf_of(np.array(0.5))), math.erf(0.5)
    (0.5204998778130465, 0.5204998778130465)
    """
    series = erf_series().astype(x.dtype)
    size = np.clip(np.abs(x), 0, 6)  # beyond 6, erf is 1 to the last bit
    near = np.rint(size * 32)
    step = size - near / 32
    row  = np.nan_to_num(near).astype(np.intp)
    y    = series[8][row]
    for order in range(7, -1, -1):
        y = y * step + series[order][row]
    return np.copysign(y, x)

"""Functions that NumPy does not have, or has only in a slow form, as helpers for rules."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

__all__ = ["erf_near", "erf_of", "erf_series", "erf_taylor", "largest_along", "sum_along"]


def sum_along(x: Any, axis: int) -> Any:
    """Sum along one axis, which stays, with size 1.

    Along the last axis, a product with a column of ones gives the same sums in a fifth of the time of `x.sum`.

    >>> sum_along(np.array([[1.0, 2.0], [3.0, 4.0]]), -1)
    array([[3.],
           [7.]])
    """
    if x.ndim > 0 and axis in (-1, x.ndim - 1):
        return x @ np.ones_like(x, shape=(x.shape[-1], 1))
    return x.sum(axis=axis, keepdims=True)


def largest_along(x: Any, axis: int) -> Any:
    """Find the largest numbers along one axis, which stays, with size 1.

    Along the last axis, NumPy tells where the largest is in a quarter of the time that it takes to tell what it is.

    >>> largest_along(np.array([[1.0, 2.0], [4.0, 3.0]]), -1)
    array([[2.],
           [4.]])
    """
    if x.ndim > 0 and axis in (-1, x.ndim - 1):
        return np.take_along_axis(x, np.argmax(x, axis=-1, keepdims=True), axis=-1)
    return x.max(axis=axis, keepdims=True)


def erf_of(x: Any) -> Any:
    """Error function of an array, within 2e-15 of the true value in float64, and 3e-7 of it, relatively, in float32.

    >>> float(erf_of(np.array(0.5))), math.erf(0.5)
    (0.5204998778130465, 0.5204998778130465)
    """
    return erf_series(x) if x.dtype == np.float64 else erf_near(x)


def erf_near(x: Any) -> Any:
    """Error function in single precision: erf x = tanh(x P(x²)), where the polynomial P is nearly flat.

    P was fitted to artanh(erf x) / x on 0 ≤ x ≤ 4 so that the largest relative error of erf is as small as it can be
    with seven coefficients: 1e-7. Beyond 4, P goes on to grow, and tanh and erf are 1 to the last bit of float32.

    >>> x = np.linspace(0.01, 5, 500)
    >>> true = np.array([math.erf(each) for each in x])
    >>> float(np.abs(erf_near(x) / true - 1).max()) < 1e-7
    True
    """
    first, *others = (1.41890689e-7, -5.66897254e-6, 8.76395114e-5, -6.19788573e-4, -1.91828149e-4, 0.102769055,
                      1.12837927)
    x = np.clip(x, -5, 5)
    square = x * x
    p = first * square
    for coefficient in others[:-1]:  # Horner's rule
        p += coefficient
        p *= square
    p += others[-1]
    p *= x
    return np.tanh(p)


def erf_series(x: Any) -> Any:
    """Error function in double precision: the Taylor series around the nearest of 193 points."""
    series = erf_taylor().astype(x.dtype)
    size = np.clip(np.abs(x), 0, 6)  # beyond 6, erf is 1 to the last bit
    near = np.rint(size * 32)
    step = size - near / 32
    row  = np.nan_to_num(near).astype(np.intp)
    y    = series[8][row]
    for order in range(7, -1, -1):
        y = y * step + series[order][row]
    return np.copysign(y, x)


@functools.cache
def erf_taylor() -> Any:
    """Taylor coefficients of erf around 0, 1/32, 2/32, ... 6: one row for each order, from 0 to 8.

    The derivatives follow from erf'(g) = 2/√π exp(-g²) =: h₀ and h' = -2gh: hₙ₊₁ = -2 (g hₙ + n hₙ₋₁).
    """
    points = np.arange(6 * 32 + 1) / 32
    slopes = [2 / math.sqrt(math.pi) * np.exp(-(points**2))]
    slopes.append(-2 * points * slopes[0])
    for n in range(1, 7):
        slopes.append(-2 * (points * slopes[n] + n * slopes[n - 1]))
    values = np.array([math.erf(g) for g in points])
    return np.stack([values, *(s / math.factorial(n + 1) for n, s in enumerate(slopes))])

"""Functions that NumPy does not have, or has only in a slow form, as helpers for rules."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

__all__ = [
    "erf_near", "erf_of", "erf_series", "erf_solved", "erf_taylor", "erfc_of", "erfcx_of", "erfcx_taylor", "erfinv_of",
    "largest_along", "lgamma_of", "ndtri_of", "polygamma_of", "sum_along", "taylor",
]


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

    Where there are none, it gives zeros.
    """
    if 0 in x.shape:
        return np.zeros_like(x, shape=[1 if i == axis % x.ndim else n for i, n in enumerate(x.shape)])
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
    size = np.clip(np.abs(x), 0, 6)  # beyond 6, erf is 1 to the last bit
    return np.copysign(taylor(erf_taylor().astype(x.dtype), size), x)


def taylor(series: Any, x: Any) -> Any:
    """A function whose Taylor coefficients around 0, 1/32, 2/32, ... are known: the series around the nearest point."""
    near = np.rint(x * 32)
    step = x - near / 32
    row  = np.nan_to_num(near).astype(np.intp)
    y    = series[8][row]
    for order in range(7, -1, -1):
        y = y * step + series[order][row]
    return y


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


def erfc_of(x: Any) -> Any:
    """1 - erf x, to 1e-13 of itself also where erf x is nearly 1: exp(-x²) times a function that changes slowly.

    >>> float(erfc_of(np.array(10.0)) / math.erfc(10)) - 1 < 1e-13
    True
    """
    wide = x.astype(np.float64)
    tail = np.exp(-wide * wide) * erfcx_of(np.abs(wide))
    return np.where(wide < 0, 2 - tail, tail).astype(x.dtype if x.dtype.kind == "f" else np.float64)


def erfcx_of(x: Any) -> Any:
    """exp(x²) erfc x, which is neither too large nor too small for x > 0, where it falls as 1 / (x √π)."""
    wide = x.astype(np.float64)
    size = np.abs(wide)
    far = np.maximum(size, 26.5)
    u = 0.5 / (far * far)
    tail = (1 - u * (1 - 3 * u * (1 - 5 * u * (1 - 7 * u * (1 - 9 * u))))) / (far * math.sqrt(math.pi))
    y = np.where(size < 26.5, taylor(erfcx_taylor(), np.clip(size, 0, 26.5)), tail)
    y = np.where(wide < 0, 2 * np.exp(np.where(wide < 0, wide * wide, 0)) - y, y)
    return y.astype(x.dtype if x.dtype.kind == "f" else np.float64)


@functools.cache
def erfcx_taylor() -> Any:
    """Taylor coefficients of w(x) = exp(x²) erfc(x) around 0, 1/32, ... 26.5: one row for each order, from 0 to 8.

    The derivatives follow from w' = 2xw - 2/√π: wₙ₊₁ = 2x wₙ + 2n wₙ₋₁.
    """
    points = np.arange(27 * 32 - 15) / 32
    values = [np.array([math.erfc(g) * math.exp(g * g) for g in points])]
    values.append(2 * points * values[0] - 2 / math.sqrt(math.pi))
    for n in range(1, 8):
        values.append(2 * points * values[n] + 2 * n * values[n - 1])
    return np.stack([w / math.factorial(n) for n, w in enumerate(values)])


def erf_solved(p: Any, c: Any) -> Any:
    """The y ≥ 0 for which erf y = p and erfc y = c: a close guess (Winitzki 2008), then three of Halley's steps.

    Each of them cubes the error. With f = erf y - p, Newton's step is s = f/f'; f''/f' = -2y makes Halley's of it,
    s / (1 + ys). Where p is nearly 1, c knows the difference better.
    """
    a, log = 0.147, np.log(c) + np.log1p(p)
    middle = 2 / (math.pi * a) + log / 2
    y = np.sqrt(np.maximum(np.sqrt(middle * middle - log / a) - middle, 0))
    for _ in range(3):
        f = np.where(p < 0.5, erf_series(y) - p, c - erfc_of(y))
        step = f * (math.sqrt(math.pi) / 2) * np.exp(y * y)
        y = y - step / (1 + y * step)
    return y


def erfinv_of(x: Any) -> Any:
    """The y for which erf y = x.

    >>> float(erfinv_of(np.array(math.erf(0.5))))
    0.5
    """
    size = np.abs(x.astype(np.float64))
    p = np.minimum(size, 1 - 2**-53)
    y = np.where(size < 1, erf_solved(p, 1 - p), np.where(size == 1, np.inf, np.nan))
    return np.copysign(y, x).astype(x.dtype if x.dtype.kind == "f" else np.float64)


def ndtri_of(x: Any) -> Any:
    """The y below which a share x of the standard normal distribution lies: erfc(-y/√2) / 2 = x.

    >>> float(ndtri_of(np.array(0.5)))
    0.0
    """
    wide = x.astype(np.float64)
    tail = np.minimum(wide, 1 - wide)
    c = 2 * np.where(tail > 0, tail, 0.5)
    y = np.where(tail > 0, math.sqrt(2) * erf_solved(1 - c, c), np.where(tail == 0, np.inf, np.nan))
    return np.where(wide < 0.5, -y, y).astype(x.dtype if x.dtype.kind == "f" else np.float64)


# B₂ₖ of Bernoulli, for k = 1, 2, ..., in the series of Stirling and of Euler and Maclaurin; from FAR on, so many terms
# are exact to the last bits of a float64.
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
FAR = 10


def lgamma_of(x: Any) -> Any:
    """log |Γ(x)| of an array: by Lanczos's sum where x > 1/2, by reflection, Γ(x) Γ(1-x) = π / sin πx, elsewhere.

    >>> round(float(lgamma_of(np.array(5.0))), 12), round(math.log(24), 12)
    (3.178053830348, 3.178053830348)
    """
    wide = x.astype(np.float64)
    left = wide < 0.5
    z = np.where(left, 1 - wide, wide) - 1
    total = np.full_like(z, LANCZOS[0])
    for k, coefficient in enumerate(LANCZOS[1:], start=1):
        total += coefficient / (z + k)
    above = (z + 0.5) * (np.log(z + 7.5) - 1) - 7 + np.log(total) + math.log(2 * math.pi) / 2
    above = np.where(z == np.inf, np.inf, above)
    sine = np.abs(np.sin(math.pi * np.where(left, wide - np.rint(wide), 0.5)))
    y = np.where(left, np.log(math.pi / sine) - above, above)
    return np.where(np.isinf(wide), np.inf, y).astype(x.dtype if x.dtype.kind == "f" else np.float64)


# The coefficients of Lanczos's sum with g = 7 and nine terms (Godfrey 2001): Γ is exact to 1e-15 of itself.
LANCZOS = (
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
)


def polygamma_of(n: int, x: Any) -> Any:
    """The n-th derivative of d/dx log Γ(x), of an array: raise x to where a series is exact, and account for the steps.

    1. ψ(x) = ψ(x + 1) - 1/x, and so ψₙ(x) = ψₙ(x + 1) - (-1)ⁿ n! / xⁿ⁺¹
    2. far out, ψ(x) = log x - 1/2x - Σₖ B₂ₖ / (2k x²ᵏ)
    3. and, differentiated n times, ψₙ(x) = (-1)ⁿ⁺¹ ((n-1)!/xⁿ + n!/2xⁿ⁺¹ + Σₖ B₂ₖ (2k+n-1)! / ((2k)! x²ᵏ⁺ⁿ))

    >>> float(polygamma_of(1, np.array(1.0))), math.pi**2 / 6
    (1.6449340668482266, 1.6449340668482264)
    """
    z, sign = x.astype(np.float64), (-1) ** (n + 1)
    steps = np.zeros_like(z)
    while np.any(z < FAR):
        near = z < FAR
        steps = steps + np.where(near, 1 / np.where(near, z, 1) ** (n + 1), 0)
        z = z + near
    terms = [b * math.factorial(2 * k + n - 1) / math.factorial(2 * k) / z ** (2 * k + n)
             for k, b in enumerate(BERNOULLI, start=1)]
    first = math.factorial(n - 1) / z**n if n else -np.log(z)
    y = sign * (first + math.factorial(n) / (2 * z ** (n + 1)) + sum(terms) + math.factorial(n) * steps)
    if n == 0:  # at its poles on the left, ψ comes from -∞ on one side, from ∞ on the other
        y = np.where((x < 0) & (x == np.floor(x)), np.nan, y)
    return y.astype(x.dtype if x.dtype.kind == "f" else np.float64)

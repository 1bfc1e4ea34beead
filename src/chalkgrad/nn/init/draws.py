"""Draws: weights from the uniform, the normal and the truncated normal distribution."""

from __future__ import annotations

import math

import numpy as np

from ...engine.tape import no_grad
from ...engine.tensor import Tensor, wrap
from ...seeding import default_generator

__all__ = ["normal_", "trunc_normal_", "uniform_"]


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: np.random.Generator | None = None) -> Tensor:
    """Fill with numbers drawn evenly from [a, b).

    >>> import chalkgrad as cg
    >>> w = uniform_(cg.empty(1000), -1, 1)
    >>> bool(-1 <= w.data.min() < -0.9 and 0.9 < w.data.max() <= 1)
    True
    """
    _check_float(tensor)
    with no_grad():
        filled: Tensor = tensor.uniform_(a, b, generator=generator)
    return filled


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: np.random.Generator | None = None
) -> Tensor:
    """Fill with numbers drawn from the normal distribution.

    >>> import chalkgrad as cg
    >>> w = normal_(cg.empty(10_000), mean=5, std=2, generator=np.random.default_rng(0))
    >>> round(float(w.data.mean()), 1), round(float(w.data.std()), 1)
    (5.0, 2.0)
    """
    _check_float(tensor)
    with no_grad():
        filled: Tensor = tensor.normal_(mean, std, generator=generator)
    return filled


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
    generator: np.random.Generator | None = None,
) -> Tensor:
    """Fill with numbers drawn from the normal distribution, as it is between a and b.

    1. Of numbers that are drawn anew until they lie between a and b, each place there is as likely as before, over the
       probability of the interval: they have the density that is wanted.
    2. Where the interval holds little of the normal distribution, numbers are drawn evenly from it instead, and kept
       with the probability exp((c² - z²) / 2), z in units of std and c the least |z| there. That density is the same.
    3. Beyond z² = c² + 84 lies less than one number of 10¹⁸, so an interval need not be longer.

    Raises ValueError unless a < b and std > 0, TypeError for a tensor of integers.

    Source: Robert 1995, section 2, for the second step.

    >>> import chalkgrad as cg
    >>> w = trunc_normal_(cg.empty(10_000), std=0.5, a=-1, b=1, generator=np.random.default_rng(0)).data
    >>> bool(-1 <= w.min() < -0.99 and 0.99 < w.max() <= 1), round(float(w.std()), 1)
    (True, 0.4)
    """
    _check_float(tensor)
    if not a < b or not std > 0:
        raise ValueError(f"trunc_normal_ draws between a and b with a deviation of std, but a={a}, b={b}, std={std} "
                         "came; expected a < b and std > 0.")
    drawn = _truncated(tensor.data.size, (a - mean) / std, (b - mean) / std, generator or default_generator())
    # rounding to float32 must not lead out of the interval
    numbers = np.clip((mean + std * drawn).reshape(tensor.shape).astype(tensor.dtype), a, b)
    with no_grad():
        tensor.copy_(wrap(numbers, None))
    return tensor


def _truncated(count: int, low: float, high: float, generator: np.random.Generator) -> np.ndarray:
    """Draw standard normal numbers between two bounds."""
    evenly = not low <= 0 <= high or high - low < math.sqrt(2 * math.pi)
    nearest = min(max(low, 0.0), high)
    reach = math.sqrt(nearest**2 + 84)
    low, high = max(low, -reach), min(high, reach)
    drawn, left = np.empty(count), np.arange(count)
    while left.size:
        if evenly:
            z = generator.uniform(low, high, left.size)
            kept = generator.random(left.size) < np.exp((nearest**2 - z * z) / 2)
        else:
            z = generator.standard_normal(left.size)
            kept = (low <= z) & (z <= high)
        drawn[left[kept]] = z[kept]
        left = left[~kept]
    return drawn


def _check_float(tensor: Tensor) -> None:
    if tensor.dtype.kind != "f":
        raise TypeError(f"Random weights are floats, but this tensor is {tensor.dtype}; make it x.float().")

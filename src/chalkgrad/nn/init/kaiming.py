"""Kaiming's weights: larger, by what a ReLU takes away."""

from __future__ import annotations

import math

import numpy as np

from ...engine.tensor import Tensor
from .draws import normal_, uniform_
from .fans import fans
from .gain import calculate_gain

__all__ = ["kaiming_normal_", "kaiming_uniform_"]


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: np.random.Generator | None = None,
) -> Tensor:
    """Draw weights evenly from ±gain · √(3 / fan): the variance of kaiming_normal_, where it is derived.

    a             the slope below zero of the leaky ReLU that follows (0: a ReLU)
    mode          "fan_in" keeps the size of signals, "fan_out" that of gradients
    nonlinearity  what follows: "relu", "leaky_relu", or another that `calculate_gain` knows

    Raises ValueError if the tensor has fewer than two axes, or for a mode or nonlinearity that is not known.

    Source: He et al. 2015, eq. 10 and 14; numbers drawn evenly from ±b have variance b²/3.

    >>> import chalkgrad as cg
    >>> w = kaiming_uniform_(cg.empty(300, 500), generator=np.random.default_rng(0))
    >>> round(float(w.data.var()) * 500 / 2, 1)
    1.0
    """
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: np.random.Generator | None = None,
) -> Tensor:
    """Draw weights from the normal distribution with variance gain² / fan.

    1. A unit sums fan_in products: Var y = fan_in · Var w · E x², where x comes out of a ReLU and has no mean of zero.
    2. A ReLU keeps one half of a symmetric signal, so E x² = Var y_before / 2.
    3. Signals keep their size from layer to layer if ½ · fan_in · Var w = 1; gradients if ½ · fan_out · Var w = 1.
    4. With slope a below zero, ½ becomes ½ (1 + a²) = 1 / gain².

    Arguments and errors are those of kaiming_uniform_.

    Source: He et al. 2015, eq. 10 (forward), 14 (backward) and 15 (with a slope).

    >>> import chalkgrad as cg
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((400, 256))
    >>> for _ in range(20):  # layers deep, and the signal is as large as at the start
    ...     x = np.maximum(x, 0) @ kaiming_normal_(cg.empty(256, 256), generator=rng).data.T
    >>> bool(0.5 < x.var() < 2)
    True
    """
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    both = dict(zip(("fan_in", "fan_out"), fans(tensor), strict=True))
    if mode not in both:
        raise ValueError(f"mode is 'fan_in' or 'fan_out', but {mode!r} came.")
    return calculate_gain(nonlinearity, a) / math.sqrt(max(both[mode], 1))  # an empty tensor has no fan, and no numbers

"""Xavier's weights: as large as keeps signals and gradients the same size through layers that are about linear."""

from __future__ import annotations

import math

import numpy as np

from ...engine.tensor import Tensor
from .draws import normal_, uniform_
from .fans import fans

__all__ = ["xavier_normal_", "xavier_uniform_"]


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: np.random.Generator | None = None) -> Tensor:
    """Draw weights evenly from ±gain · √(6 / (fan_in + fan_out)).

    1. A unit sums fan_in products w x: Var y = fan_in · Var w · Var x. Signals keep their size at fan_in · Var w = 1.
    2. Backward, an input hears from fan_out units. Gradients keep their size at fan_out · Var w = 1.
    3. Both hold only where the fans are equal; the compromise between them is Var w = 2 / (fan_in + fan_out).
    4. Numbers drawn evenly from ±a have variance a²/3, hence a = √(6 / (fan_in + fan_out)).

    Raises ValueError if the tensor has fewer than two axes.

    Source: Glorot & Bengio 2010, eq. 16.

    >>> import chalkgrad as cg
    >>> w = xavier_uniform_(cg.empty(300, 500), generator=np.random.default_rng(0))
    >>> round(float(w.data.var()) * (500 + 300) / 2, 1)
    1.0
    """
    bound = math.sqrt(3) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: np.random.Generator | None = None) -> Tensor:
    """Draw weights from the normal distribution with variance gain² · 2 / (fan_in + fan_out).

    The variance is that of xavier_uniform_, where it is derived.

    Raises ValueError if the tensor has fewer than two axes.

    Source: Glorot & Bengio 2010, eq. 12.

    >>> import chalkgrad as cg
    >>> w = xavier_normal_(cg.empty(300, 500), generator=np.random.default_rng(0))
    >>> round(float(w.data.var()) * (500 + 300) / 2, 1)
    1.0
    """
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


def _xavier_std(tensor: Tensor, gain: float) -> float:
    fan_in, fan_out = fans(tensor)
    return gain * math.sqrt(2 / max(fan_in + fan_out, 1))

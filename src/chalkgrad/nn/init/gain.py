"""Gains: how much larger weights must be to make up for what an activation takes away."""

from __future__ import annotations

import math

__all__ = ["calculate_gain"]

GAINS = {
    **dict.fromkeys(["linear", "conv1d", "conv2d", "conv3d", "sigmoid"], 1.0),
    **dict.fromkeys(["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"], 1.0),
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor by which weights must be larger to make up for what an activation takes away.

    nonlinearity  the activation's name in `functional`, or "linear"
    param         the slope below zero of "leaky_relu", 0.01 if not given

    Raises ValueError for an activation that is not known.

    Source: He et al. 2015, eq. 15, for ReLU and its leaky kin, where half of the signal's power is lost at slope 0. The
    others are PyTorch's recommendations: tanh's 5/3 is about what it takes for the signal to keep its size.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal(100_000)
    >>> power_left = (np.maximum(x, 0) ** 2).mean()
    >>> round(float(power_left) * calculate_gain("relu") ** 2, 1)
    1.0
    >>> calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return math.sqrt(2 / (1 + slope**2))
    if nonlinearity not in GAINS:
        known = ", ".join(sorted([*GAINS, "leaky_relu"]))
        raise ValueError(f"There is no gain for nonlinearity={nonlinearity!r}; known are {known}.")
    return GAINS[nonlinearity]

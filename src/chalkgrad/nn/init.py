"""How weights start: random, and as large as keeps signals the same size through all layers."""

from __future__ import annotations

import math

import numpy as np

from ..engine.tape import no_grad
from ..engine.tensor import Tensor

__all__ = [
    "calculate_gain", "constant_", "kaiming_normal_", "kaiming_uniform_", "normal_", "ones_", "uniform_",
    "xavier_normal_", "xavier_uniform_", "zeros_",
]

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


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number.

    >>> import chalkgrad as cg
    >>> constant_(cg.empty(2), 0.5)
    tensor([0.5, 0.5])
    """
    with no_grad():
        filled: Tensor = tensor.fill_(val)
    return filled


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return constant_(tensor, 1)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    return constant_(tensor, 0)


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


def _xavier_std(tensor: Tensor, gain: float) -> float:
    fan_in, fan_out = _fans(tensor)
    return gain * math.sqrt(2 / max(fan_in + fan_out, 1))


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    fans = dict(zip(("fan_in", "fan_out"), _fans(tensor), strict=True))
    if mode not in fans:
        raise ValueError(f"mode is 'fan_in' or 'fan_out', but {mode!r} came.")
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fans[mode], 1))  # an empty tensor has no fan, and no numbers


def _fans(tensor: Tensor) -> tuple[int, int]:
    """Count the inputs of an output and the outputs of an input; a convolution has them once for each kernel place."""
    if tensor.ndim < 2:
        raise ValueError(f"Fans need a weight (outputs, inputs, ...), but this has shape {tensor.shape}; use uniform_.")
    places = math.prod(tensor.shape[2:])
    return tensor.shape[1] * places, tensor.shape[0] * places


def _check_float(tensor: Tensor) -> None:
    if tensor.dtype.kind != "f":
        raise TypeError(f"Random weights are floats, but this tensor is {tensor.dtype}; make it x.float().")

"""SELU: an ELU that brings its own numbers to zero mean and unit variance.

With the right slope and the right level, mean and variance of a layer are pulled to 0 and 1 as it is passed, so that
deep networks need no normalization (Klambauer, Unterthiner, Mayr & Hochreiter 2017).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.attach import in_place, overwriting
from .inplace import InPlace

__all__ = ["SELU", "selu", "selu_"]


@overwriting
@primitive
def selu(x):
    """λx above zero, λα (eˣ - 1) below, with λ = 1.0507... and α = 1.6733....

    x (...) -> y (...)

    The two numbers make mean 0 and variance 1 a fixed point for what is normally distributed.

    Source: Klambauer et al. 2017, eq. 2.

    >>> x = np.random.default_rng(0).standard_normal(1_000_000)
    >>> bool(abs(selu(x).mean()) < 0.01), bool(abs(selu(x).var() - 1) < 0.01)
    (True, True)
    """
    scale = 1.0507009873554804934193349852946
    level = scale * 1.6732632423543772848170429916717
    zeros = np.zeros_like(x)
    below = level * np.expm1(np.minimum(x, zeros))
    y     = scale * np.maximum(x, zeros) + below
    return y


@selu.backward
def selu_backward(grad_y, x, below, scale, level):
    """
    1. above zero the slope is λ
    2. below, ∂y/∂x = λα eˣ = λα (eˣ - 1) + λα = y + λα; at zero we take this one, as PyTorch does
    """
    grad_x = scale * (grad_y * (x > 0)) + grad_y * ((below + level) * (x <= 0))
    return grad_x


@selu.examples
def selu_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; a single number; so far out that the curve is level."""
    return [(rng.standard_normal((3, 4)),), (rng.standard_normal(()),), (np.array([-1000.0, 1000.0]),)]


selu_ = in_place(selu)


class SELU(InPlace):
    """y = λx above zero, λα (eˣ - 1) below; with inplace, y is written over x.

    >>> import chalkgrad as cg
    >>> cg.nn.SELU()(cg.tensor([-1.0, 1.0]))
    tensor([-1.1113,  1.0507])
    """

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        y: Tensor = selu(input, inplace=self.inplace)
        return y

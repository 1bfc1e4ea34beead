"""GELU: every number is kept in the proportion to which it is larger than chance.

A ReLU with its corner rounded off. Dropout keeps a number by chance; here x is multiplied by Φ(x), the probability that
a draw from the normal distribution lies below it, which is what such a choice would give on average (Hendrycks & Gimpel
2016). The transformers GPT and BERT are built with it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.error_function import erf
from ..module import Module

__all__ = ["GELU", "gelu", "gelu_exact", "gelu_tanh"]


@primitive
def gelu_exact(x):
    """Weigh x by how likely a normal draw is to lie below it: y = x Φ(x) = x (1 + erf(x/√2)) / 2.

    x (...) -> y (...)

    Source: Hendrycks & Gimpel 2016, section 2.

    >>> from chalkgrad import tensor
    >>> gelu_exact(tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.    ,  0.8413])
    """
    chance = 1 + erf(x / math.sqrt(2))
    chance *= 0.5
    y = x * chance
    return y


@gelu_exact.backward
def gelu_exact_backward(grad_y, x, chance):
    """
    1. y = x Φ(x), so ∂y/∂x = Φ(x) + x Φ'(x)
    2. Φ'(x) = exp(-x²/2) / √(2π): the density of the normal distribution
    """
    exponent = x * x
    exponent *= -0.5
    slope = x * np.exp(exponent)
    slope /= math.sqrt(2 * math.pi)
    slope += chance
    grad_x = grad_y * slope
    return grad_x


@gelu_exact.examples
def gelu_exact_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; a single number; so far out that all or nothing is kept."""
    return [(rng.standard_normal((3, 4)),), (rng.standard_normal(()),), (np.array([-1000.0, 0.0, 1000.0]),)]


@primitive
def gelu_tanh(x):
    """GELU with tanh in place of erf: y = x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, at most 5e-4 off.

    x (...) -> y (...)

    Source: Hendrycks & Gimpel 2016, section 2; GPT-2 has it in this form.

    >>> x = np.linspace(-5, 5, 1001)
    >>> float(np.abs(gelu_tanh(x) - gelu_exact(x)).max()) < 5e-4
    True
    """
    # x * x * x, since x**3 takes NumPy a hundred times as long
    u = 0.044715 * x * x
    u += 1
    u *= x
    u *= math.sqrt(2 / math.pi)
    chance = 1 + np.tanh(u)
    chance *= 0.5
    y = x * chance
    return y


@gelu_tanh.backward
def gelu_tanh_backward(grad_y, x, chance):
    """
    1. y = x c with c = (1 + tanh u)/2, so ∂y/∂x = c + x ∂c/∂u ∂u/∂x
    2. c is the sigmoid of 2u, so ∂c/∂u = 2 c (1 - c)
    3. ∂u/∂x = √(2/π) (1 + 3 · 0.044715 x²)
    4. ∂y/∂x = c (1 + 2 (1 - c) · x ∂u/∂x)
    """
    slope = 3 * 0.044715 * x * x
    slope += 1
    slope *= x
    slope *= 2 * math.sqrt(2 / math.pi)
    slope *= 1 - chance
    slope += 1
    slope *= chance
    grad_x = grad_y * slope
    return grad_x


@gelu_tanh.examples
def gelu_tanh_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; a single number; so far out that all or nothing is kept."""
    return [(rng.standard_normal((3, 4)),), (rng.standard_normal(()),), (np.array([-1000.0, 0.0, 1000.0]),)]


RULES = {"none": gelu_exact, "tanh": gelu_tanh}


def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """Weigh every number by how likely a normal draw is to lie below it, exactly or (approximate="tanh") nearly.

    Raises ValueError for any other `approximate`.

    >>> from chalkgrad import tensor
    >>> gelu(tensor([1.0, 3.0]), approximate="tanh")
    tensor([0.8412, 2.9964])
    """
    if approximate not in RULES:
        raise ValueError(f"gelu: approximate is 'none' or 'tanh', but {approximate!r} came.")
    y: Tensor = RULES[approximate](input)
    return y


class GELU(Module):
    """y = x Φ(x), exactly or (approximate="tanh") nearly.

    >>> import chalkgrad as cg
    >>> cg.nn.GELU()(cg.tensor([-1.0, 1.0]))
    tensor([-0.1587,  0.8413])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        if approximate not in RULES:
            raise ValueError(f"GELU: approximate is 'none' or 'tanh', but {approximate!r} came.")
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        return gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        """Say which of the two forms it is, as PyTorch does."""
        return f"approximate={self.approximate!r}"

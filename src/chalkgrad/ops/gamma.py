"""The gamma function, which goes on between the factorials, by its logarithm and the derivatives of that."""

import math

import numpy as np

from ..engine.primitive import primitive
from .attach import attach, attach_both, in_place
from .examples import drawn
from .special import lgamma_of, polygamma_of

__all__ = ["digamma", "lgamma", "mvlgamma", "polygamma", "psi"]


@primitive
def psi(x, *, n=0):
    """ψₙ, the derivative number n + 1 of log Γ(x); ψ₀ is the digamma function.

    x (...) -> y (...)

    Source: Abramowitz & Stegun 1964, 6.3 and 6.4.
    """
    y = polygamma_of(n, x)
    return y


@psi.backward
def psi_backward(grad_y, x, n):
    """By its definition, the derivative of ψₙ is ψₙ₊₁."""
    grad_x = grad_y * psi(x, n=n + 1)
    return grad_x


@psi.examples
def psi_examples(rng):
    """Rows; one number; none; a higher derivative; between the poles on the left."""
    return [*drawn(rng, 0.5, 3), (rng.uniform(0.5, 20, 3), {"n": 2}), (np.array([-0.5, -2.7]), {"n": 1})]


@primitive
def lgamma(x):
    """log |Γ(x)|, where Γ(n + 1) = n!.

    x (...) -> y (...)

    Source: Lanczos 1964.

    >>> round(float(lgamma(np.array(4.0))), 12), round(math.log(6), 12)
    (1.791759469228, 1.791759469228)
    """
    y = lgamma_of(x)
    return y


@lgamma.backward
def lgamma_backward(grad_y, x):
    """By the definition of the digamma function: ∂y/∂x = ψ(x)."""
    grad_x = grad_y * psi(x)
    return grad_x


@lgamma.examples
def lgamma_examples(rng):
    """Rows; one number; none; between the poles on the left."""
    return [*drawn(rng, 0.2, 5), (np.array([-0.5, -2.7]),)]


def digamma(input):
    """The derivative of log Γ(x).

    >>> from chalkgrad import tensor
    >>> digamma(tensor(1.0))  # less Euler's constant
    tensor(-0.5772)
    """
    return psi(input)


def polygamma(n, input):
    """The n-th derivative of the digamma function.

    Raises ValueError for an n below 0.

    >>> from chalkgrad import tensor
    >>> polygamma(1, tensor(1.0))  # π²/6
    tensor(1.6449)
    """
    if n < 0:
        raise ValueError(f"polygamma: the derivative number n is 0 or more, but {n} came.")
    return psi(input, n=n)


def mvlgamma(input, p):
    """The logarithm of the gamma function of p dimensions: p(p-1)/4 log π + Σ log Γ(x - i/2) for i from 0 to p - 1.

    >>> from chalkgrad import tensor
    >>> mvlgamma(tensor(3.0), 1), math.log(2)
    (tensor(0.6931), 0.6931471805599453)
    """
    if p < 1:
        raise ValueError(f"mvlgamma: there are p = 1 dimensions or more, but {p} came.")
    return sum((lgamma(input - i / 2) for i in range(1, p)), lgamma(input)) + p * (p - 1) / 4 * math.log(math.pi)


attach_both(digamma, lgamma, mvlgamma)
attach(polygamma=lambda self, n: polygamma(n, self), polygamma_=in_place(lambda self, n: polygamma(n, self)))

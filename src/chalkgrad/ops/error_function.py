"""The error function, which counts what lies within x of the mean of a normal distribution, and what undoes it."""

import math

import numpy as np

from ..engine.primitive import primitive
from .attach import attach_both
from .choice import clamp, where
from .examples import drawn
from .exponential import log, log1p
from .special import erf_of, erfc_of, erfcx_of, erfinv_of, ndtri_of

__all__ = ["erf", "erfc", "erfcx", "erfinv", "log_ndtr", "ndtr", "ndtri"]


@primitive
def erf(x):
    """The error function, 2/√π ∫₀ˣ exp(-t²) dt.

    x (...) -> y (...)
    """
    y = erf_of(x)
    return y


@erf.backward
def erf_backward(grad_y, x):
    """The derivative of an integral by its end is the integrand."""
    grad_x = grad_y * (2 / math.sqrt(math.pi) * np.exp(-x * x))
    return grad_x


@erf.examples
def erf_examples(rng):
    """Rows; one number; none; beyond 6, where it is 1, and 0."""
    return [*drawn(rng, -2, 2), (np.array([-7.0, 0.0, 7.0]),)]


@primitive
def erfc(x):
    """1 - erf x, exact also where that is nearly 0.

    x (...) -> y (...)
    """
    y = erfc_of(x)
    return y


@erfc.backward
def erfc_backward(grad_y, x):
    """What erf gains, this loses: ∂y/∂x = -2/√π exp(-x²)."""
    grad_x = grad_y * (-2 / math.sqrt(math.pi) * np.exp(-x * x))
    return grad_x


@erfc.examples
def erfc_examples(rng):
    """Rows; one number; none; far out, on both sides."""
    return [*drawn(rng, -2, 2), (np.array([-7.0, 0.0, 7.0]),)]


@primitive
def erfcx(x):
    """exp(x²) erfc x: what is left of erfc far out, once its fall to 0 is taken away.

    x (...) -> y (...)
    """
    y = erfcx_of(x)
    return y


@erfcx.backward
def erfcx_backward(grad_y, x, y):
    """By the product rule, ∂y/∂x = 2x exp(x²) erfc x - exp(x²) 2/√π exp(-x²) = 2xy - 2/√π."""
    grad_x = grad_y * (2 * x * y - 2 / math.sqrt(math.pi))
    return grad_x


@erfcx.examples
def erfcx_examples(rng):
    """Rows; one number; none; far out, and on the left."""
    return [*drawn(rng, 0, 5), (np.array([20.0, -1.5]),)]


@primitive
def erfinv(x):
    """The number whose error function is x, for x from -1 to 1.

    x (...) -> y (...)
    """
    y = erfinv_of(x)
    return y


@erfinv.backward
def erfinv_backward(grad_y, y):
    """erf y = x, so 2/√π exp(-y²) ∂y = ∂x."""
    grad_x = grad_y * (math.sqrt(math.pi) / 2 * np.exp(y * y))
    return grad_x


@erfinv.examples
def erfinv_examples(rng):
    """Rows; one number; none; near the ends."""
    return [*drawn(rng, -0.9, 0.9), (np.array([-0.95, 0.95]),)]


@primitive
def ndtri(x):
    """The number below which a share x of the standard normal distribution lies.

    x (...) -> y (...)

    >>> ndtri(np.array([0.5, 0.975])).round(4)
    array([0.  , 1.96])
    """
    y = ndtri_of(x)
    return y


@ndtri.backward
def ndtri_backward(grad_y, y):
    """The share below y grows with y as the density there: 1/√2π exp(-y²/2) ∂y = ∂x."""
    grad_x = grad_y * (math.sqrt(2 * math.pi) * np.exp(y * y / 2))
    return grad_x


@ndtri.examples
def ndtri_examples(rng):
    """Rows; one number; none; near the ends."""
    return [*drawn(rng, 0.1, 0.9), (np.array([0.05, 0.95]),)]


def ndtr(input):
    """The share of the standard normal distribution below x.

    >>> from chalkgrad import tensor
    >>> ndtr(tensor([-1.0, 0.0, 1.0]))
    tensor([0.1587, 0.5   , 0.8413])
    """
    return erfc(input * -math.sqrt(0.5)) / 2


def log_ndtr(input):
    """The logarithm of the share of the standard normal distribution below x, exact also far out.

    >>> from chalkgrad import tensor
    >>> log_ndtr(tensor([-100.0, 0.0]))
    tensor([-5.0055e+03, -6.9315e-01])
    """
    x = input * math.sqrt(0.5)
    left = log(erfcx(clamp(-x, min=0)) / 2) - x * x
    return where(input < -1, left, log1p(-erfc(clamp(x, min=-1)) / 2))


attach_both(erf, erfc, erfinv)

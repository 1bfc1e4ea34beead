"""Hyperbolic functions, and what undoes them; tanh stands with the activations."""

import numpy as np

from ..engine.primitive import primitive
from ..engine.tensor import implements
from .attach import attach_both
from .examples import drawn

__all__ = ["acosh", "arccosh", "arcsinh", "arctanh", "asinh", "atanh", "cosh", "sinh"]


@implements(np.sinh)
@primitive
def sinh(x):
    """Hyperbolic sine, (eˣ - e⁻ˣ) / 2.

    x (...) -> y (...)
    """
    y = np.sinh(x)
    return y


@sinh.backward
def sinh_backward(grad_y, x):
    """∂y/∂x = (eˣ + e⁻ˣ) / 2 = cosh x."""
    grad_x = grad_y * np.cosh(x)
    return grad_x


@sinh.examples
def sinh_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, -2, 2)


@implements(np.cosh)
@primitive
def cosh(x):
    """Hyperbolic cosine, (eˣ + e⁻ˣ) / 2.

    x (...) -> y (...)
    """
    y = np.cosh(x)
    return y


@cosh.backward
def cosh_backward(grad_y, x):
    """∂y/∂x = (eˣ - e⁻ˣ) / 2 = sinh x."""
    grad_x = grad_y * np.sinh(x)
    return grad_x


@cosh.examples
def cosh_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, -2, 2)


@implements(np.arcsinh)
@primitive
def asinh(x):
    """The number whose hyperbolic sine is x.

    x (...) -> y (...)
    """
    y = np.arcsinh(x)
    return y


@asinh.backward
def asinh_backward(grad_y, x):
    """sinh y = x, so cosh y ∂y = ∂x, where cosh y = √(x² + 1)."""
    grad_x = grad_y / np.sqrt(x * x + 1)
    return grad_x


@asinh.examples
def asinh_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, -2, 2)


@implements(np.arccosh)
@primitive
def acosh(x):
    """The number, not below 0, whose hyperbolic cosine is x.

    x (...) -> y (...)
    """
    y = np.arccosh(x)
    return y


@acosh.backward
def acosh_backward(grad_y, x):
    """cosh y = x, so sinh y ∂y = ∂x, where sinh y = √(x² - 1)."""
    grad_x = grad_y / np.sqrt(x * x - 1)
    return grad_x


@acosh.examples
def acosh_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, 1.5, 3)


@implements(np.arctanh)
@primitive
def atanh(x):
    """The number whose hyperbolic tangent is x.

    x (...) -> y (...)
    """
    y = np.arctanh(x)
    return y


@atanh.backward
def atanh_backward(grad_y, x):
    """tanh y = x, so (1 - tanh²y) ∂y = ∂x."""
    grad_x = grad_y / (1 - x * x)
    return grad_x


@atanh.examples
def atanh_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, -0.9, 0.9)


arcsinh, arccosh, arctanh = asinh, acosh, atanh

attach_both(acosh, asinh, atanh, cosh, sinh, arccosh=acosh, arcsinh=asinh, arctanh=atanh)

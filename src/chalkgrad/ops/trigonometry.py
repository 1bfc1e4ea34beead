"""Angles: sine, cosine, tangent, and what undoes them."""

import math

import numpy as np

from ..engine.primitive import primitive
from ..engine.tensor import implements
from .attach import attach_both
from .examples import drawn, drawn_pairs

__all__ = [
    "acos", "arccos", "arcsin", "arctan", "arctan2", "asin", "atan", "atan2", "cos", "deg2rad", "rad2deg", "sin",
    "sinc", "tan",
]


@implements(np.sin)
@primitive
def sin(x):
    """Sine of x in radians.

    x (...) -> y (...)
    """
    y = np.sin(x)
    return y


@sin.backward
def sin_backward(grad_y, x):
    """∂y/∂x = cos x."""
    grad_x = grad_y * np.cos(x)
    return grad_x


@sin.examples
def sin_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, -3, 3)


@implements(np.cos)
@primitive
def cos(x):
    """Cosine of x in radians.

    x (...) -> y (...)
    """
    y = np.cos(x)
    return y


@cos.backward
def cos_backward(grad_y, x):
    """∂y/∂x = -sin x."""
    grad_x = -grad_y * np.sin(x)
    return grad_x


@cos.examples
def cos_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, -3, 3)


@implements(np.tan)
@primitive
def tan(x):
    """Tangent of x in radians.

    x (...) -> y (...)
    """
    y = np.tan(x)
    return y


@tan.backward
def tan_backward(grad_y, y):
    """∂y/∂x = 1/cos²x = 1 + y²."""
    grad_x = grad_y * (1 + y * y)
    return grad_x


@tan.examples
def tan_examples(rng):
    """Rows; one number; none: all between two poles."""
    return drawn(rng, -1, 1)


@implements(np.arcsin)
@primitive
def asin(x):
    """The angle from -π/2 to π/2 whose sine is x.

    x (...) -> y (...)
    """
    y = np.arcsin(x)
    return y


@asin.backward
def asin_backward(grad_y, x):
    """sin y = x, so cos y ∂y = ∂x, where cos y = √(1 - x²)."""
    grad_x = grad_y / np.sqrt(1 - x * x)
    return grad_x


@asin.examples
def asin_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, -0.9, 0.9)


@implements(np.arccos)
@primitive
def acos(x):
    """The angle from 0 to π whose cosine is x.

    x (...) -> y (...)
    """
    y = np.arccos(x)
    return y


@acos.backward
def acos_backward(grad_y, x):
    """cos y = x, so -sin y ∂y = ∂x, where sin y = √(1 - x²)."""
    grad_x = -grad_y / np.sqrt(1 - x * x)
    return grad_x


@acos.examples
def acos_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, -0.9, 0.9)


@implements(np.arctan)
@primitive
def atan(x):
    """The angle from -π/2 to π/2 whose tangent is x.

    x (...) -> y (...)
    """
    y = np.arctan(x)
    return y


@atan.backward
def atan_backward(grad_y, x):
    """tan y = x, so (1 + tan²y) ∂y = ∂x."""
    grad_x = grad_y / (1 + x * x)
    return grad_x


@atan.examples
def atan_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, -3, 3)


@implements(np.arctan2)
@primitive
def atan2(a, b):
    """The angle of the point (b, a) as seen from the origin, from -π to π: that of a/b, but in all four quarters.

    a (...), b (...) -> y (...)
    """
    y = np.arctan2(a, b)
    return y


@atan2.backward
def atan2_backward(grad_y, a, b):
    """
    1. y = atan(a/b) up to a constant, so ∂y/∂a = (1/b) / (1 + a²/b²) = b / (a² + b²)
    2. ∂y/∂b = (-a/b²) / (1 + a²/b²) = -a / (a² + b²)
    3. at the origin there is no angle; the slope is taken as 0, as in PyTorch
    """
    square = a * a + b * b
    pull   = grad_y / (square + (square == 0))
    grad_a = pull * b
    grad_b = -pull * a
    return grad_a, grad_b


@atan2.examples
def atan2_examples(rng):
    """Both repeated; a number and rows; a quarter each; the origin."""
    a, b = np.array([1.0, 1.0, -1.0, -1.0]), np.array([1.0, -1.0, -1.0, 1.0])
    return [*drawn_pairs(rng, 1, 2), (a, b), (np.zeros(2), np.zeros(2))]


@implements(np.sinc)
@primitive
def sinc(x):
    """sin(πx) / (πx), and 1 at x = 0: the wave whose spectrum is a box.

    x (...) -> y (...)
    """
    y = np.sinc(x)
    return y


@sinc.backward
def sinc_backward(grad_y, x, y):
    """πxy = sin πx, so π (y + x ∂y/∂x) = π cos πx, and ∂y/∂x = (cos πx - y) / x; at 0, the top, it is 0."""
    grad_x = grad_y * (np.cos(math.pi * x) - y) / (x + (x == 0))
    return grad_x


@sinc.examples
def sinc_examples(rng):
    """Rows; one number; none; the top, where the second derivative is taken as 0 as in PyTorch."""
    return [*drawn(rng, 0.5, 3), (np.zeros(2),)]


@implements(np.deg2rad)
@primitive
def deg2rad(x):
    """Degrees as radians: 180° are π.

    x (...) -> y (...)
    """
    y = x * (math.pi / 180)
    return y


@deg2rad.backward
def deg2rad_backward(grad_y):
    """∂y/∂x = π/180."""
    grad_x = grad_y * (math.pi / 180)
    return grad_x


@deg2rad.examples
def deg2rad_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, -180, 180)


@implements(np.rad2deg)
@primitive
def rad2deg(x):
    """Radians as degrees: π are 180°.

    x (...) -> y (...)
    """
    y = x * (180 / math.pi)
    return y


@rad2deg.backward
def rad2deg_backward(grad_y):
    """∂y/∂x = 180/π."""
    grad_x = grad_y * (180 / math.pi)
    return grad_x


@rad2deg.examples
def rad2deg_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, -3, 3)


arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2

attach_both(
    acos, asin, atan, atan2, cos, deg2rad, rad2deg, sin, sinc, tan,
    arccos=acos, arcsin=asin, arctan=atan, arctan2=atan2,
)

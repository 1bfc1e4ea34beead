"""Functions of one element at a time."""

import math

import numpy as np

from ..engine.primitive import primitive
from ..engine.tensor import implements
from .attach import attach, in_place
from .special import erf_of

__all__ = [
    "abs", "ceil", "cos", "erf", "exp", "expm1", "floor", "log", "log1p", "round", "sign", "sin", "sqrt", "tan",
]


def _drawn(rng, low, high):
    """Rows, one number, and none at all, between low and high."""
    return [(rng.uniform(low, high, shape),) for shape in ((2, 3), (), (0, 2))]


@implements(np.exp)
@primitive
def exp(x):
    """e to the power x.

    x (...) -> y (...)
    """
    y = np.exp(x)
    return y


@exp.backward
def exp_backward(grad_y, y):
    """The exponential is its own derivative."""
    grad_x = grad_y * y
    return grad_x


@exp.examples
def exp_examples(rng):
    """Rows; one number; none."""
    return _drawn(rng, -2, 2)


@implements(np.expm1)
@primitive
def expm1(x):
    """e to the power x, less 1, exact also near x = 0.

    x (...) -> y (...)
    """
    y = np.expm1(x)
    return y


@expm1.backward
def expm1_backward(grad_y, y):
    """∂y/∂x = eˣ = y + 1."""
    grad_x = grad_y * (y + 1)
    return grad_x


@expm1.examples
def expm1_examples(rng):
    """Rows; one number; none."""
    return _drawn(rng, -2, 2)


@implements(np.log)
@primitive
def log(x):
    """Natural logarithm.

    x (...) -> y (...)
    """
    y = np.log(x)
    return y


@log.backward
def log_backward(grad_y, x):
    """∂y/∂x = 1/x."""
    grad_x = grad_y / x
    return grad_x


@log.examples
def log_examples(rng):
    """Rows; one number; none."""
    return _drawn(rng, 0.5, 3)


@implements(np.log1p)
@primitive
def log1p(x):
    """log(1 + x), exact also near x = 0.

    x (...) -> y (...)
    """
    y = np.log1p(x)
    return y


@log1p.backward
def log1p_backward(grad_y, x):
    """∂y/∂x = 1/(1 + x)."""
    grad_x = grad_y / (1 + x)
    return grad_x


@log1p.examples
def log1p_examples(rng):
    """Rows; one number; none."""
    return _drawn(rng, -0.5, 3)


@implements(np.sqrt)
@primitive
def sqrt(x):
    """Square root.

    x (...) -> y (...)
    """
    y = np.sqrt(x)
    return y


@sqrt.backward
def sqrt_backward(grad_y, y):
    """y² = x, so 2y ∂y = ∂x."""
    grad_x = grad_y / (2 * y)
    return grad_x


@sqrt.examples
def sqrt_examples(rng):
    """Rows; one number; none."""
    return _drawn(rng, 0.5, 3)


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
    return _drawn(rng, -3, 3)


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
    return _drawn(rng, -3, 3)


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
    return _drawn(rng, -1, 1)


@implements(np.abs)
@primitive
def abs(x):
    """Distance from zero.

    x (...) -> y (...)
    """
    y = np.abs(x)
    return y


@abs.backward
def abs_backward(grad_y, x):
    """The slope is the sign; at 0, where there is none, it is taken as 0."""
    grad_x = grad_y * np.sign(x)
    return grad_x


@abs.examples
def abs_examples(rng):
    """Rows; one number; none; the corner."""
    return [*_drawn(rng, 1, 2), (-rng.uniform(1, 2, 3),), (np.zeros(2),)]


@implements(np.sign)
@primitive
def sign(x):
    """-1, 0 or 1.

    x (...) -> y (...)
    """
    y = np.sign(x)
    return y


@sign.backward
def sign_backward(grad_y):
    """Flat between its jumps."""
    grad_x = np.zeros_like(grad_y)
    return grad_x


@sign.examples
def sign_examples(rng):
    """Both sides of 0; 0 itself."""
    return [(np.array([-1.5, 2.5]),), (np.zeros(2),)]


@implements(np.floor)
@primitive
def floor(x):
    """The nearest integer below.

    x (...) -> y (...)
    """
    y = np.floor(x)
    return y


@floor.backward
def floor_backward(grad_y):
    """Flat between its jumps."""
    grad_x = np.zeros_like(grad_y)
    return grad_x


@floor.examples
def floor_examples(rng):
    """Between integers; integers, where it jumps."""
    return [(rng.integers(-3, 3, (2, 3)) + 0.25,), (np.array([-1.0, 0.0, 1.0]),)]


@implements(np.ceil)
@primitive
def ceil(x):
    """The nearest integer above.

    x (...) -> y (...)
    """
    y = np.ceil(x)
    return y


@ceil.backward
def ceil_backward(grad_y):
    """Flat between its jumps."""
    grad_x = np.zeros_like(grad_y)
    return grad_x


@ceil.examples
def ceil_examples(rng):
    """Between integers; integers, where it jumps."""
    return [(rng.integers(-3, 3, (2, 3)) + 0.25,), (np.array([-1.0, 0.0, 1.0]),)]


@implements(np.round)
@primitive
def round(x, *, decimals=0):
    """The nearest number of that many decimals; halves go to the even one.

    x (...) -> y (...)
    """
    y = np.round(x, decimals)
    return y


@round.backward
def round_backward(grad_y):
    """Flat between its jumps."""
    grad_x = np.zeros_like(grad_y)
    return grad_x


@round.examples
def round_examples(rng):
    """Away from the halves; tenths; halves, where it jumps."""
    whole = rng.integers(-3, 3, (2, 3))
    return [(whole + 0.25,), (whole + 0.33, {"decimals": 1}), (np.array([-0.5, 0.5, 1.5]),)]


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
    return [*_drawn(rng, -2, 2), (np.array([-7.0, 0.0, 7.0]),)]


for _name in __all__:
    attach(**{_name: globals()[_name], f"{_name}_": in_place(globals()[_name])})
attach(__abs__=abs)

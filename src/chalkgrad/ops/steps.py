"""Steps: integers nearby, signs, and what is left over."""

import numpy as np

from ..engine.primitive import primitive
from ..engine.tensor import implements
from .attach import attach, attach_both
from .examples import drawn, drawn_pairs

__all__ = ["abs", "absolute", "ceil", "copysign", "fix", "floor", "frac", "round", "sgn", "sign", "trunc"]


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


@implements(np.trunc)
@primitive
def trunc(x):
    """The nearest integer on the way to 0.

    x (...) -> y (...)
    """
    y = np.trunc(x)
    return y


@trunc.backward
def trunc_backward(grad_y):
    """Flat between its jumps."""
    grad_x = np.zeros_like(grad_y)
    return grad_x


@trunc.examples
def trunc_examples(rng):
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
def frac(x):
    """What stands behind the decimal point, with the sign of x.

    x (...) -> y (...)
    """
    y = x - np.trunc(x)
    return y


@frac.backward
def frac_backward(grad_y):
    """∂y/∂x = 1: between its jumps, trunc is flat."""
    grad_x = grad_y
    return grad_x


@frac.examples
def frac_examples(rng):
    """Between integers; integers, where it jumps."""
    return [(rng.integers(-3, 3, (2, 3)) + 0.25,), (np.array([-1.0, 0.0, 1.0]),)]


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
    return [*drawn(rng, 1, 2), (-rng.uniform(1, 2, 3),), (np.zeros(2),)]


@implements(np.sign)
@primitive
def sign(x):
    """-1, 0 or 1.

    x (...) -> y (...)
    """
    if x.dtype == bool:
        y = x.copy()
    else:
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


@implements(np.copysign)
@primitive
def copysign(a, b):
    """The size of a with the sign of b; -0 has one too.

    a (...), b (...) -> y (...)
    """
    y = np.copysign(a, b)
    return y


@copysign.backward
def copysign_backward(grad_y, a, b):
    """y = |a| or -|a|: the slope by a is ±1, or 0 in the corner; b counts by its sign alone, which is flat."""
    grad_a = grad_y * (np.sign(a) * np.copysign(np.ones_like(grad_y), b))
    grad_b = np.zeros_like(grad_y)
    return grad_a, grad_b


@copysign.examples
def copysign_examples(rng):
    """Both repeated; a number and rows; other signs; the corner."""
    return [*drawn_pairs(rng, 1, 2), (np.array([1.0, -2.0]), np.array([-3.0, 3.0])), (np.zeros(2), np.ones(2))]


absolute, fix, sgn = abs, trunc, sign

attach_both(abs, ceil, copysign, floor, frac, round, sign, trunc, absolute=abs, fix=trunc, sgn=sign)
attach(__abs__=abs)

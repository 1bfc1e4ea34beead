"""Powers and roots."""

import numpy as np

from ..engine.primitive import primitive
from ..engine.tensor import Tensor, implements
from .attach import attach, attach_both, in_place
from .compare import flat
from .examples import drawn, drawn_pairs

__all__ = [
    "exponent_of", "float_power", "frexp", "hypot", "ldexp", "pow", "power", "power_of_arrays", "reciprocal",
    "rsqrt", "sqrt", "square",
]


@primitive
def power(x, *, exponent):
    """Raise every element to a fixed power.

    x (...) -> y (...)
    """
    if x.ndim:
        y = x**exponent
    else:
        y = np.power(x, exponent)  # of a number, which an array without axes is in a program, ** rounds otherwise
    return y


@power.backward
def power_backward(grad_y, x, exponent):
    """∂y/∂x = p xᵖ⁻¹; the power 0 is constant, also at x = 0, where xᵖ⁻¹ is not defined."""
    if exponent == 0:
        grad_x = np.zeros_like(grad_y)
    elif exponent == 2:
        grad_x = grad_y * (2 * x)
    elif x.ndim:
        grad_x = grad_y * (exponent * x ** (exponent - 1))
    else:
        grad_x = grad_y * (exponent * np.power(x, exponent - 1))
    return grad_x


@power.examples
def power_examples(rng):
    """A whole power; the square; a root; a negative power; the power 0 at 0; the powers 1 and 3 of 0."""
    draw = rng.uniform
    return [
        (draw(-2, 2, (2, 3)), {"exponent": 3}),
        (draw(-2, 2, (2, 3)), {"exponent": 2}),
        (draw(1, 2, ()), {"exponent": 0.5}),
        (draw(-2, -1, 3), {"exponent": -2}),
        (np.zeros(2), {"exponent": 0}),
        (np.zeros(2), {"exponent": 1}),
        (np.zeros(2), {"exponent": 3}),
    ]


@primitive
def power_of_arrays(a, b):
    """Raise a to the power b, element by element.

    a (...), b (...) -> y (...)
    """
    y = np.power(a, b)
    return y


@power_of_arrays.backward
def power_of_arrays_backward(grad_y, a, b, y):
    """
    1. ∂y/∂a = b aᵇ⁻¹, and 0 where a = b = 0
    2. y = exp(b log a), so ∂y/∂b = y log a; where a = 0 and b ≥ 0 it is 0, the limit of aᵇ log a
    """
    slope  = b * np.power(np.where((a == 0) & (b == 0), 1, a), b - 1)
    log_a  = np.log(np.where((a == 0) & (b >= 0), 1, a))
    grad_a = grad_y * slope
    grad_b = grad_y * (y * log_a)
    return grad_a, grad_b


@power_of_arrays.examples
def power_of_arrays_examples(rng):
    """Both repeated; a number as the power; the power 0."""
    draw = rng.uniform
    return [
        (draw(0.5, 2, (3, 1)), draw(-2, 2, 4)),
        (draw(0.5, 2, (2, 3)), draw(-2, 2, ())),
        (draw(0.5, 2, 2), np.zeros(2)),
    ]


@implements(np.power)
def pow(input, exponent):
    """Raise to a power: a number, an array or a Tensor.

    >>> from chalkgrad import tensor
    >>> pow(tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    if isinstance(exponent, int | float) and not isinstance(exponent, bool):
        return power(_counted(input), exponent=exponent.item() if isinstance(exponent, np.generic) else exponent)
    return power_of_arrays(input, exponent)


@implements(np.float_power)
def float_power(input, exponent):
    """Raise to a power in float64, whatever the dtype.

    >>> from chalkgrad import tensor
    >>> float_power(tensor([1, 2, 3]), -2)
    tensor([1.    , 0.25  , 0.1111], dtype=float64)
    """
    return pow(_as_float64(input), _as_float64(exponent))


def _counted(x):
    """Take booleans for whole numbers, whose powers are whole numbers, too."""
    return x.astype(np.int64) if isinstance(x, Tensor | np.ndarray) and x.dtype == np.bool_ else x


def _as_float64(x):
    return x.astype(np.float64) if isinstance(x, Tensor | np.ndarray) else x


@implements(np.square)
def square(input):
    """x².

    >>> from chalkgrad import tensor
    >>> square(tensor([-2.0, 3.0]))
    tensor([4., 9.])
    """
    return power(_counted(input), exponent=2)


@implements(np.reciprocal)
@primitive
def reciprocal(x):
    """1/x.

    x (...) -> y (...)
    """
    y = 1 / x
    return y


@reciprocal.backward
def reciprocal_backward(grad_y, y):
    """∂y/∂x = -1/x² = -y²."""
    grad_x = -grad_y * (y * y)
    return grad_x


@reciprocal.examples
def reciprocal_examples(rng):
    """Rows; one number; none; below 0."""
    return [*drawn(rng, 0.5, 3), (rng.uniform(-3, -0.5, 2),)]


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
    return drawn(rng, 0.5, 3)


@primitive
def rsqrt(x):
    """1/√x.

    x (...) -> y (...)
    """
    y = 1 / np.sqrt(x)
    return y


@rsqrt.backward
def rsqrt_backward(grad_y, y):
    """∂y/∂x = -1/2 x^(-3/2) = -y³/2."""
    grad_x = grad_y * (-0.5 * (y * y * y))
    return grad_x


@rsqrt.examples
def rsqrt_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, 0.5, 3)


@implements(np.hypot)
@primitive
def hypot(a, b):
    """√(a² + b²), without overflow: the long side of a triangle with a right angle.

    a (...), b (...) -> y (...)
    """
    y = np.hypot(a, b)
    return y


@hypot.backward
def hypot_backward(grad_y, a, b, y):
    """y² = a² + b², so y ∂y = a ∂a + b ∂b."""
    grad_a = grad_y * (a / y)
    grad_b = grad_y * (b / y)
    return grad_a, grad_b


@hypot.examples
def hypot_examples(rng):
    """Both repeated; a number and rows; below 0."""
    return [*drawn_pairs(rng, 1, 2), (np.array([-3.0]), np.array([4.0]))]


def exponent_of(x):
    """The whole power of 2 that is just above the size of a number."""
    return np.frexp(x)[1]


def frexp(input):
    """Take numbers apart into a mantissa, from 1/2 to 1 in size, and a power of 2: x = m 2ⁿ; a pair (m, n).

    >>> from chalkgrad import tensor
    >>> frexp(tensor([6.0, -0.5]))
    (tensor([ 0.75, -0.5 ]), tensor([3, 0], dtype=int32))
    """
    exponent = flat(exponent_of)(input)
    return ldexp(input, -exponent), exponent


def ldexp(input, other):
    """x 2ⁿ.

    >>> from chalkgrad import tensor
    >>> ldexp(tensor([1.0, 3.0]), tensor([2, -1]))
    tensor([4. , 1.5])
    """
    return input * pow(2.0, other)


attach_both(float_power, hypot, ldexp, pow, reciprocal, rsqrt, sqrt, square)
attach(__pow__=pow, __rpow__=lambda self, other: pow(other, self), __ipow__=in_place(pow), frexp=frexp)

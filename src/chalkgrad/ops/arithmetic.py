"""Sums, products, quotients, and the matrix product."""

from typing import Any

import numpy as np

from ..engine.primitive import Primitive, primitive
from ..engine.tensor import implements
from .attach import attach, attach_both, in_place
from .steps import trunc

__all__ = [
    "Scaled", "add", "div", "divide", "floor_divide", "fmod", "matmul", "matmul_2d", "mul", "multiply", "neg",
    "negative", "positive", "remainder", "rsub", "sub", "subtract", "true_divide",
]


@implements(np.add)
@primitive
def add(a, b):
    """Add two arrays, repeating the smaller where its axes have size 1.

    a (...), b (...) -> y (...)
    """
    y = a + b
    return y


@add.backward
def add_backward(grad_y):
    """Raising either summand raises the sum as much: ∂y/∂a = ∂y/∂b = 1."""
    grad_a = grad_y
    grad_b = grad_y
    return grad_a, grad_b


@add.examples
def add_examples(rng):
    """Both repeated; a number and rows; no rows."""
    draw = rng.standard_normal
    return [(draw((3, 1)), draw(4)), (draw(()), draw((2, 3))), (draw((0, 3)), draw(3))]


@implements(np.subtract)
@primitive
def subtract(a, b):
    """Subtract b from a.

    a (...), b (...) -> y (...)
    """
    y = a - b
    return y


@subtract.backward
def subtract_backward(grad_y):
    """∂y/∂a = 1 and ∂y/∂b = -1."""
    grad_a = grad_y
    grad_b = -grad_y
    return grad_a, grad_b


@subtract.examples
def subtract_examples(rng):
    """Both repeated; a number and rows; no rows."""
    draw = rng.standard_normal
    return [(draw((3, 1)), draw(4)), (draw(()), draw((2, 3))), (draw((0, 3)), draw(3))]


@implements(np.multiply)
@primitive
def multiply(a, b):
    """Multiply element by element.

    a (...), b (...) -> y (...)
    """
    y = a * b
    return y


@multiply.backward
def multiply_backward(grad_y, a, b):
    """Each factor's pull on the product is the other factor: ∂y/∂a = b, ∂y/∂b = a."""
    grad_a = grad_y * b
    grad_b = grad_y * a
    return grad_a, grad_b


@multiply.examples
def multiply_examples(rng):
    """Both repeated; a number and rows; no rows; zeros."""
    draw = rng.standard_normal
    return [(draw((3, 1)), draw(4)), (draw(()), draw((2, 3))), (draw((0, 3)), draw(3)), (np.zeros(2), np.zeros(2))]


@implements(np.divide)
@primitive
def divide(a, b):
    """Divide element by element.

    a (...), b (...) -> y (...)
    """
    y = a / b
    return y


@divide.backward
def divide_backward(grad_y, a, b):
    """∂y/∂a = 1/b, and ∂y/∂b = -a/b²."""
    grad_a = grad_y / b
    grad_b = -grad_a * (a / b)
    return grad_a, grad_b


@divide.examples
def divide_examples(rng):
    """Both repeated; a number and rows; zero divided; a negative divisor."""
    draw = rng.uniform
    return [
        (draw(-1, 1, (3, 1)), draw(1, 2, 4)),
        (draw(-1, 1, ()), draw(1, 2, (2, 3))),
        (np.zeros(2), draw(1, 2, 2)),
        (draw(-1, 1, 2), draw(-2, -1, 2)),
    ]


@implements(np.negative)
@primitive
def negative(x):
    """Turn the sign.

    x (...) -> y (...)
    """
    y = -x
    return y


@negative.backward
def negative_backward(grad_y):
    """∂y/∂x = -1."""
    grad_x = -grad_y
    return grad_x


@negative.examples
def negative_examples(rng):
    """Rows; one number."""
    return [(rng.standard_normal((2, 3)),), (rng.standard_normal(()),)]


@implements(np.floor_divide)
@primitive
def floor_divide(a, b):
    """Count the whole steps of b that lead up to a: ⌊a/b⌋.

    a (...), b (...) -> y (...)
    """
    y = a // b
    return y


@floor_divide.backward
def floor_divide_backward(grad_y):
    """Flat between its jumps."""
    grad_a = np.zeros_like(grad_y)
    grad_b = np.zeros_like(grad_y)
    return grad_a, grad_b


@floor_divide.examples
def floor_divide_examples(rng):
    """Both repeated, away from the jumps; a negative divisor."""
    whole = rng.integers(-3, 4, (3, 1))
    return [(whole + 0.5, np.array([1.0, 2.0])), (whole + 0.5, np.array(-1.0))]


@implements(np.remainder)
@primitive
def remainder(a, b):
    """What is left of a after whole steps of b; it has the sign of b.

    a (...), b (...) -> y (...)
    """
    y = a % b
    return y


@remainder.backward
def remainder_backward(grad_y, a, b):
    """y = a - ⌊a/b⌋ b, where the floor is flat: ∂y/∂a = 1, ∂y/∂b = -⌊a/b⌋."""
    grad_a = grad_y
    grad_b = -grad_y * (a // b)
    return grad_a, grad_b


@remainder.examples
def remainder_examples(rng):
    """Both repeated, away from the jumps; a negative divisor."""
    whole = rng.integers(-3, 4, (3, 1))
    return [(whole + 0.5, np.array([1.0, 2.0])), (whole + 0.5, np.array(-1.0))]


@implements(np.fmod)
@primitive
def fmod(a, b):
    """What is left of a after whole steps of b towards 0; it has the sign of a.

    a (...), b (...) -> y (...)
    """
    y = np.fmod(a, b)
    return y


@fmod.backward
def fmod_backward(grad_y, a, b):
    """y = a - trunc(a/b) b, where trunc is flat: ∂y/∂a = 1, ∂y/∂b = -trunc(a/b)."""
    grad_a = grad_y
    grad_b = -grad_y * np.trunc(a / b)
    return grad_a, grad_b


@fmod.examples
def fmod_examples(rng):
    """Both repeated, away from the jumps; a negative divisor."""
    whole = rng.integers(-3, 4, (3, 1))
    return [(whole + 0.5, np.array([1.0, 2.0])), (whole + 0.5, np.array(-1.0))]


def div(input, other, *, rounding_mode=None):
    """Divide; with a rounding mode, count the whole steps, rounded to 0 ("trunc") or down ("floor").

    Raises ValueError for another rounding mode.

    >>> from chalkgrad import tensor
    >>> [div(tensor([7, -7]), 2, rounding_mode=mode) for mode in (None, "trunc", "floor")]
    [tensor([ 3.5, -3.5]), tensor([ 3, -3]), tensor([ 3, -4])]
    """
    match rounding_mode:
        case None:
            return divide(input, other)
        case "floor":
            return floor_divide(input, other)
        case "trunc":
            whole = floor_divide(input - fmod(input, other), other)  # exact for integers, where a/b is not
            return whole if whole.dtype.kind != "f" else trunc(divide(input, other))
    raise ValueError(f'div: rounding_mode is None, "trunc" or "floor", but {rounding_mode!r} came.')


@primitive
def matmul_2d(a, b):
    """Multiply matrices, or stacks of them.

    a (..., n, k), b (..., k, m) -> y (..., n, m)
    """
    y = a @ b
    return y


@matmul_2d.backward
def matmul_2d_backward(grad_y, a, b):
    """
    1. y_ij = Σ_k a_ik b_kj
    2. ∂loss/∂a_ik = Σ_j g_ij b_kj: a row of g against a row of b
    3. ∂loss/∂b_kj = Σ_i a_ik g_ij: a column of a against a column of g
    """
    grad_a = grad_y @ np.swapaxes(b, -1, -2)
    grad_b = np.swapaxes(a, -1, -2) @ grad_y
    return grad_a, grad_b


@matmul_2d.examples
def matmul_2d_examples(rng):
    """Two matrices; a stack and one matrix; both stacks repeated; an inner size of 0."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)), draw((3, 4))),
        (draw((5, 2, 3)), draw((3, 4))),
        (draw((5, 1, 2, 3)), draw((2, 3, 1))),
        (draw((2, 0)), draw((0, 3))),
    ]


@implements(np.matmul)
def matmul(input, other):
    """Matrix product with NumPy's and PyTorch's rules: a vector is a row on the left, a column on the right.

    >>> from chalkgrad import tensor
    >>> matmul(tensor([[1.0, 2.0], [3.0, 4.0]]), tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    left, right = np.ndim(input) == 1, np.ndim(other) == 1
    if not (left or right):
        return matmul_2d(input, other)
    y = matmul_2d(input[None, :] if left else input, other[:, None] if right else other)
    y = y[..., 0] if right else y
    return y[..., 0] if left and right else y[..., 0, :] if left else y


@implements(np.dot)
def _dot(a, b):
    """The matrix product, where NumPy's two ways of saying it agree."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return multiply(a, b)
    if np.ndim(b) > 2:
        raise ValueError(f"np.dot of shapes {np.shape(a)} and {np.shape(b)} pairs each matrix with each; say a @ b.")
    return matmul(a, b)


def positive(input):
    """The tensor itself; booleans have no sign."""
    if input.dtype == bool:
        raise TypeError("positive: booleans have no sign; make them numbers first, as in x.long().")
    return input


class Scaled(Primitive):
    """A sum whose second part may be multiplied first: add(x, y, alpha=2) is x + 2y, as in PyTorch."""

    def bind(self, inputs: tuple[Any, ...], options: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Take `alpha` out of the options."""
        alpha = options.pop("alpha", 1)
        (a, b), options = super().bind(inputs, options)
        return [a, b if alpha == 1 else alpha * b], options


add.__class__ = subtract.__class__ = Scaled


def rsub(input, other, *, alpha=1):
    """other - alpha · input.

    >>> from chalkgrad import tensor
    >>> rsub(tensor([1.0, 2.0]), 1)
    tensor([ 0., -1.])
    """
    return subtract(other, input, alpha=alpha)


def _reflected(operation):
    return lambda self, other: operation(other, self)


OPERATORS: dict[str, Any] = {
    "add": add, "sub": subtract, "mul": multiply, "truediv": divide, "matmul": matmul, "floordiv": floor_divide,
    "mod": remainder,
}
for _name, _operation in OPERATORS.items():
    _function = getattr(_operation, "apply", _operation)  # the bare function: a Primitive's own call costs a step more
    attach(**{f"__{_name}__": _function, f"__r{_name}__": _reflected(_function), f"__i{_name}__": in_place(_function)})

mul, neg, sub, true_divide = multiply, negative, subtract, divide

attach_both(
    add, div, divide, floor_divide, fmod, multiply, negative, remainder, subtract,
    mul=multiply, neg=negative, sub=subtract, true_divide=divide,
)
attach(__neg__=negative, __pos__=positive, matmul=matmul, positive=positive)

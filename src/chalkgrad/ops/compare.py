"""Comparisons, logic and positions: what carries no derivative."""

import math
from typing import Any

import numpy as np

from ..engine.tape import mode
from ..engine.tensor import NUMPY, Tensor, wrap
from ..law.errors import StandsForMany
from ..law.words import retold
from .attach import attach, attach_both, in_place

__all__ = [
    "all", "all_axes", "allclose", "any", "argmax", "argmin", "bincount", "bitwise_and", "bitwise_left_shift",
    "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "count_nonzero", "eq", "equal", "flat", "gcd",
    "ge", "greater", "greater_equal", "gt", "heaviside", "is_nonzero", "isclose", "isfinite", "isinf", "isnan",
    "isneginf", "isposinf", "isreal", "lcm", "le", "less", "less_equal", "logical_and", "logical_not", "logical_or",
    "logical_xor", "lt", "ne", "nextafter", "not_equal", "numbers_of", "plain", "signbit", "with_numbers",
]


def plain(value):
    """Take an array out of its wrapping, and turn a NumPy scalar into a number, which leaves float32 as it is."""
    if isinstance(value, Tensor):
        return value.data
    return value.item() if isinstance(value, np.generic) else value


def numbers_of(tensor):
    """The array of a Tensor, to check the numbers in it; of all examples, where it stands for many."""
    try:
        return plain(tensor)
    except StandsForMany as many:
        return numbers_of(many.tensor.inner)


def flat(function):
    """Let a NumPy function take Tensors and give a Tensor without a history."""

    def on_tensors(*inputs, **options):
        try:
            given = dict(enumerate(map(plain, inputs))) | {name: plain(option) for name, option in options.items()}
        except StandsForMany as many:
            return many.tensor.lift_flat(on_tensors, function, inputs, options)
        try:
            named = {name: given[name] for name in options}
            made = np.asarray(function(*(given[i] for i in range(len(inputs))), **named))
        except (TypeError, ValueError) as error:
            if (told := retold(function.__name__, error)) is None:
                raise
            raise told from error
        if mode.tape is not None:
            mode.tape.record("engine", function, given, {"y": made})
        return wrap(made, None)

    return on_tensors


def all_axes(input, dim):
    """The axes of a reduction as NumPy says them: none named is all, and a number may be told that it has an axis 0."""
    dim = tuple(dim) if isinstance(dim, list) else dim
    return None if dim == () or (input.ndim == 0 and dim in (0, -1, (0,), (-1,))) else dim


FLAT: tuple[Any, ...] = (
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.bitwise_and, np.bitwise_or,
    np.bitwise_xor, np.left_shift, np.right_shift, np.invert, np.logical_and, np.logical_or, np.logical_xor,
    np.logical_not, np.argmax, np.argmin, np.argsort, np.isnan, np.isfinite, np.isinf, np.isposinf, np.isneginf,
    np.isclose, np.all, np.any, np.zeros_like, np.ones_like, np.empty_like, np.rint, np.signbit, np.heaviside,
    np.nextafter, np.gcd, np.lcm, np.allclose, np.array_equal, np.bincount, np.count_nonzero,
)
NUMPY.update({function: flat(function) for function in FLAT})
NUMPY[np.shape] = lambda x: x.shape
NUMPY[np.ndim] = lambda x: x.ndim
NUMPY[np.size] = lambda x: math.prod(x.shape)


def eq(input, other):
    """Where two are equal.

    >>> from chalkgrad import tensor
    >>> eq(tensor([1.0, 2.0]), tensor([1.0, 3.0])), tensor([1, 2]) == 2
    (tensor([ True, False]), tensor([False,  True]))
    """
    return flat(np.equal)(input, other)


def ne(input, other):
    """Where two are not equal."""
    return flat(np.not_equal)(input, other)


def with_numbers(comparison):
    """Let `==` compare with Tensors, arrays and numbers; with anything else, it is Python's: None is not equal.

    >>> from chalkgrad import tensor
    >>> tensor([1, 2]) == 1, tensor([1, 2]) == None, tensor([1, 2]) != "one"
    (tensor([ True, False]), False, True)
    """

    def compare(self, other):
        known = isinstance(other, Tensor | np.ndarray | np.generic | int | float)
        return comparison(self, other) if known else NotImplemented

    return compare


def lt(input, other):
    """Where the input is smaller."""
    return flat(np.less)(input, other)


def le(input, other):
    """Where the input is smaller or equal."""
    return flat(np.less_equal)(input, other)


def gt(input, other):
    """Where the input is larger."""
    return flat(np.greater)(input, other)


def ge(input, other):
    """Where the input is larger or equal."""
    return flat(np.greater_equal)(input, other)


def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Where two differ by at most atol + rtol · |other|.

    >>> from chalkgrad import tensor
    >>> isclose(tensor([1.0, 2.0]), tensor([1.000001, 2.1]))
    tensor([ True, False])
    """
    if rtol < 0 or atol < 0:
        raise ValueError(f"isclose: tolerances are 0 or more, but rtol={rtol} and atol={atol} came.")
    return flat(np.isclose)(input, other, rtol=rtol, atol=atol, equal_nan=equal_nan)


def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Tell whether two differ nowhere by more than atol + rtol · |other|."""
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


def equal(input, other):
    """Tell whether two have the same shape and the same elements.

    >>> from chalkgrad import ones, zeros
    >>> equal(ones(2), zeros(2) + 1), equal(ones(2), ones(1))
    (True, False)
    """
    return bool(flat(np.array_equal)(input, other))


def logical_and(input, other):
    """Where both hold; a number holds unless it is 0."""
    return flat(np.logical_and)(input, other)


def logical_or(input, other):
    """Where one of two holds, or both."""
    return flat(np.logical_or)(input, other)


def logical_xor(input, other):
    """Where one of two holds, but not both."""
    return flat(np.logical_xor)(input, other)


def logical_not(input):
    """Where it does not hold.

    >>> from chalkgrad import tensor
    >>> logical_not(tensor([0.0, 2.0]))
    tensor([ True, False])
    """
    return flat(np.logical_not)(input)


def bitwise_and(input, other):
    """The bits that both integers have; of booleans, whether both hold.

    >>> from chalkgrad import tensor
    >>> bitwise_and(tensor([6]), 3), tensor([6]) | 3, tensor([6]) ^ 3, tensor([6]) << 1
    (tensor([2]), tensor([7]), tensor([5]), tensor([12]))
    """
    return flat(np.bitwise_and)(input, other)


def bitwise_or(input, other):
    """The bits that one of two integers has, or both."""
    return flat(np.bitwise_or)(input, other)


def bitwise_xor(input, other):
    """The bits that one of two integers has, but not both."""
    return flat(np.bitwise_xor)(input, other)


def bitwise_not(input):
    """The bits that an integer does not have; of booleans, whether they do not hold."""
    return flat(np.invert)(input)


def bitwise_left_shift(input, other):
    """Move the bits up: input · 2ⁿ."""
    return flat(np.left_shift)(input, other)


def bitwise_right_shift(input, other):
    """Move the bits down: ⌊input / 2ⁿ⌋."""
    return flat(np.right_shift)(input, other)


def gcd(input, other):
    """The largest integer that divides both."""
    return flat(np.gcd)(input, other)


def lcm(input, other):
    """The smallest integer that both divide."""
    return flat(np.lcm)(input, other)


def isnan(input):
    """Where there is no number."""
    return flat(np.isnan)(input)


def isfinite(input):
    """Where there is a number, and no infinity."""
    return flat(np.isfinite)(input)


def isinf(input):
    """Where there is an infinity."""
    return flat(np.isinf)(input)


def isposinf(input):
    """Where there is the infinity above."""
    return flat(np.isposinf)(input)


def isneginf(input):
    """Where there is the infinity below."""
    return flat(np.isneginf)(input)


def isreal(input):
    """Where there is a number without an imaginary part: everywhere, here."""
    return flat(np.isreal)(input)


def signbit(input):
    """Where the sign is minus, that of -0 included."""
    return flat(np.signbit)(input)


def heaviside(input, values):
    """0 below 0 and 1 above; at 0 what `values` says.

    >>> from chalkgrad import tensor
    >>> heaviside(tensor([-1.5, 0.0, 2.0]), tensor(0.5))
    tensor([0. , 0.5, 1. ])
    """
    return flat(np.heaviside)(input, values).to(input.dtype)


def nextafter(input, other):
    """The next number that the dtype knows on the way to another."""
    return flat(np.nextafter)(input, other)


def all(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """Whether every element holds, along an axis, several, or of all.

    >>> from chalkgrad import tensor
    >>> all(tensor([[True, False], [True, True]]), 1)
    tensor([False,  True])
    """
    return flat(np.all)(input, axis=all_axes(input, axis if dim is None else dim), keepdims=keepdim or keepdims)


def any(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """Whether some element holds, along an axis, several, or of all."""
    return flat(np.any)(input, axis=all_axes(input, axis if dim is None else dim), keepdims=keepdim or keepdims)


def count_nonzero(input, dim=None):
    """Count what is not 0, along an axis, several, or of all."""
    return flat(np.count_nonzero)(input, axis=all_axes(input, dim))


def argmax(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """Where the largest element is: the first one, if several are equal.

    >>> from chalkgrad import tensor
    >>> argmax(tensor([[1.0, 5.0], [7.0, 2.0]]), 1)
    tensor([1, 0])
    """
    return flat(np.argmax)(input, axis=all_axes(input, axis if dim is None else dim), keepdims=keepdim or keepdims)


def argmin(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """Where the smallest element is: the first one, if several are equal."""
    return flat(np.argmin)(input, axis=all_axes(input, axis if dim is None else dim), keepdims=keepdim or keepdims)


def bincount(input, weights=None, minlength=0):
    """Count how often 0, 1, 2, ... occur, or add up the weights of each.

    >>> from chalkgrad import tensor
    >>> bincount(tensor([0, 2, 2])), bincount(tensor([0, 2, 2]), tensor([0.5, 1.0, 2.0]), 4)
    (tensor([1, 0, 2]), tensor([0.5, 0. , 3. , 0. ]))
    """
    if weights is None:
        return flat(np.bincount)(input, minlength=minlength)
    counts = flat(np.bincount)(input, weights=weights, minlength=minlength)
    return counts.to(weights.dtype) if weights.dtype.kind == "f" else counts


def is_nonzero(input):
    """Tell whether the one number that a tensor holds is not 0."""
    return bool(input.item())


greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne

OPERATORS: dict[str, Any] = {
    "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor, "lshift": np.left_shift,
    "rshift": np.right_shift,
}
for _name, _function in OPERATORS.items():
    _ours = flat(_function)
    attach(**{f"__{_name}__": _ours, f"__i{_name}__": in_place(_ours),
              f"__r{_name}__": lambda self, other, function=_ours: function(other, self)})
attach(
    __eq__=with_numbers(eq), __ge__=flat(np.greater_equal), __gt__=flat(np.greater), __invert__=flat(np.invert),
    __le__=flat(np.less_equal), __lt__=flat(np.less), __ne__=with_numbers(ne),
)
attach_both(
    bitwise_and, bitwise_left_shift, bitwise_not, bitwise_or, bitwise_right_shift, bitwise_xor, eq, gcd, ge, gt,
    heaviside, lcm, le, logical_and, logical_not, logical_or, logical_xor, lt, ne, nextafter,
    greater=gt, greater_equal=ge, less=lt, less_equal=le, not_equal=ne,
)
attach(
    all=all, allclose=allclose, any=any, argmax=argmax, argmin=argmin, bincount=bincount, count_nonzero=count_nonzero,
    equal=equal, is_nonzero=is_nonzero, isclose=isclose, isfinite=isfinite, isinf=isinf, isnan=isnan,
    isneginf=isneginf, isposinf=isposinf, isreal=isreal, signbit=signbit,
)

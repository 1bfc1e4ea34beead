"""What carries no derivative: comparisons, positions, new tensors, and other kinds of numbers."""

from typing import Any

import numpy as np

from ..engine.primitive import primitive
from ..engine.tape import mode
from ..engine.tensor import NUMPY, Tensor, implements, wrap
from ..law.errors import GradError
from ..seeding import default_generator
from .attach import attach

__all__ = [
    "arange", "argmax", "argmin", "astype", "clone", "converted", "draw_integers", "draw_normal", "draw_order",
    "draw_uniform", "empty", "eye", "flat", "from_numpy", "full", "full_like", "is_tensor", "linspace", "ones",
    "ones_like", "rand", "rand_like", "randint", "randn", "randn_like", "randperm", "size", "tensor", "tensor_of", "to",
    "zeros", "zeros_like",
]


def _plain(value):
    """Take an array out of its wrapping, and turn a NumPy scalar into a number, which leaves float32 as it is."""
    if isinstance(value, Tensor):
        return value.data
    return value.item() if isinstance(value, np.generic) else value


def flat(function):
    """Let a NumPy function take Tensors and give a Tensor without a history."""

    def on_tensors(*inputs, **options):
        given = dict(enumerate(map(_plain, inputs))) | {name: _plain(option) for name, option in options.items()}
        made = np.asarray(function(*(given[i] for i in range(len(inputs))), **{name: given[name] for name in options}))
        if mode.tape is not None:
            mode.tape.record("engine", function, given, {"y": made})
        return wrap(made, None)

    return on_tensors


COMPARISONS = {
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
}
FLAT: tuple[Any, ...] = (
    *COMPARISONS.values(), np.invert, np.logical_and, np.logical_or, np.logical_not,
    np.argmax, np.argmin, np.argsort, np.isnan, np.isfinite, np.isinf, np.all, np.any, np.zeros_like, np.ones_like,
    np.empty_like, np.rint, np.signbit, np.allclose, np.array_equal, np.bincount, np.count_nonzero,
)
attach(**{f"__{name}__": flat(function) for name, function in COMPARISONS.items()}, __invert__=flat(np.invert))
NUMPY.update({function: flat(function) for function in FLAT})
NUMPY[np.full_like] = lambda x, fill_value, **options: flat(np.full_like)(x, _constant(fill_value), **options)
NUMPY[np.shape] = lambda x: x.shape
NUMPY[np.ndim] = lambda x: x.ndim
NUMPY[np.size] = lambda x: x.data.size


def argmax(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """Where the largest element is: the first one, if several are equal.

    >>> argmax(tensor([[1.0, 5.0], [7.0, 2.0]]), 1)
    tensor([1, 0])
    """
    return flat(np.argmax)(input, axis=axis if dim is None else dim, keepdims=keepdim or keepdims)


def argmin(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """Where the smallest element is: the first one, if several are equal."""
    return flat(np.argmin)(input, axis=axis if dim is None else dim, keepdims=keepdim or keepdims)


@primitive
def astype(x, *, dtype):
    """The same numbers in another dtype, in memory of their own.

    x (...) -> y (...)
    """
    y = x.astype(dtype)
    return y


@astype.backward
def astype_backward(grad_y):
    """A change of dtype changes no number; the engine brings the gradient back to the dtype of x."""
    grad_x = grad_y
    return grad_x


@astype.examples
def astype_examples(rng):
    """The wider kind; a number that has that kind already."""
    return [(rng.standard_normal((2, 3)), {"dtype": np.float64}), (rng.standard_normal(()), {"dtype": np.float64})]


@implements(np.copy)
@primitive
def clone(x):
    """A copy in memory of its own.

    x (...) -> y (...)
    """
    y = x.copy()
    return y


@clone.backward
def clone_backward(grad_y):
    """∂y/∂x = 1."""
    grad_x = grad_y
    return grad_x


@clone.examples
def clone_examples(rng):
    """Rows; columns of rows, which lie apart in memory; one number."""
    draw = rng.standard_normal
    return [(draw((2, 3)),), (draw((2, 3)).T,), (draw(()),)]


def converted(self, dtype):
    """A copy in another dtype; integers and booleans have no history, since they cannot change by a little."""
    dtype = np.dtype(dtype)
    return astype(self if dtype.kind == "f" else self.detach(), dtype=dtype)


def to(self, dtype):
    """The same numbers in another dtype; the tensor itself, if it has that dtype already."""
    return self if self.dtype == np.dtype(dtype) else converted(self, dtype)


def tensor(data, dtype=None, requires_grad=False):
    """Make a tensor of numbers, nested lists, or an array, which are copied.

    Numbers written in Python are float32 (or int64, or bool), as in PyTorch; an array keeps its dtype.

    >>> tensor([1, 2]).dtype, tensor([1.0, 2.0]).dtype, tensor(np.zeros(2)).dtype
    (dtype('int64'), dtype('float32'), dtype('float64'))
    """
    made = Tensor(data, requires_grad, dtype=dtype)
    if mode.tape is not None and not hasattr(data, "dtype"):
        mode.tape.record("engine", np.array, {0: _frozen(data), 1: made.dtype}, {"y": made.data})
    return made


def _frozen(data):
    return tuple(_frozen(item) for item in data) if isinstance(data, tuple | list) else data


def tensor_of(value):
    """The Tensor itself, or a new one of numbers."""
    return value if isinstance(value, Tensor) else tensor(value)


def from_numpy(array):
    """Make a tensor that shares memory with an array."""
    return wrap(array, None)


def is_tensor(value):
    """Tell whether a value is a Tensor."""
    return isinstance(value, Tensor)


def _sizes(sizes):
    return tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], tuple | list) else sizes


def _made(function, *given, requires_grad=False):
    """Make a tensor by a NumPy function; a tape writes down how, so that a spelled program makes it too."""
    array = function(*given)
    if mode.tape is not None:
        mode.tape.record("engine", function, dict(enumerate(given)), {"y": array})
    return wrap(array, None).requires_grad_(requires_grad)


def _drawn(draw, generator, *given, requires_grad=False):
    """Make a tensor of random numbers; a spelled program draws them from the generator that it is handed."""
    generator = generator or default_generator()
    array = draw(generator, *given)
    if mode.tape is not None:
        mode.tape.record("random", draw, dict(enumerate((generator, *given))), {"y": array})
    return wrap(array, None).requires_grad_(requires_grad)


def draw_uniform(generator, size, dtype):
    """Draw evenly from [0, 1)."""
    return np.asarray(generator.random(size, dtype))


def draw_normal(generator, size, dtype):
    """Draw from the normal distribution with mean 0 and variance 1."""
    return np.asarray(generator.standard_normal(size, dtype))


def draw_integers(generator, low, high, size, dtype):
    """Draw integers evenly from [low, high)."""
    return np.asarray(generator.integers(low, high, size, dtype))


def draw_order(generator, n):
    """Draw an order of the numbers 0 to n - 1."""
    return generator.permutation(n)


def zeros(*size, dtype=np.float32, requires_grad=False):
    """A tensor of zeros."""
    return _made(np.zeros, _sizes(size), np.dtype(dtype), requires_grad=requires_grad)


def ones(*size, dtype=np.float32, requires_grad=False):
    """A tensor of ones."""
    return _made(np.ones, _sizes(size), np.dtype(dtype), requires_grad=requires_grad)


def empty(*size, dtype=np.float32, requires_grad=False):
    """A tensor whose values are yet to be written."""
    return _made(np.empty, _sizes(size), np.dtype(dtype), requires_grad=requires_grad)


def full(size, fill_value, dtype=None, requires_grad=False):
    """A tensor of one value."""
    return _made(np.full, size, fill_value, np.dtype(dtype or Tensor(fill_value).dtype), requires_grad=requires_grad)


def eye(n, m=None, dtype=np.float32, requires_grad=False):
    """Ones on the diagonal, zeros beside it."""
    return _made(np.eye, n, m, 0, np.dtype(dtype), requires_grad=requires_grad)


def arange(start, end=None, step=1, dtype=None, requires_grad=False):
    """Numbers from start up to, but without, end; from 0, if only one is given.

    >>> arange(3), arange(0.0, 1.0, 0.5)
    (tensor([0, 1, 2]), tensor([0. , 0.5]))
    """
    start, end = (0, start) if end is None else (start, end)
    floats = any(isinstance(n, float) for n in (start, end, step))
    kind = np.dtype(dtype or (np.float32 if floats else np.int64))
    return _made(np.arange, start, end, step, kind, requires_grad=requires_grad)


def linspace(start, end, steps, dtype=np.float32, requires_grad=False):
    """Evenly spaced numbers from start to end, both included."""
    return _made(np.linspace, start, end, steps, True, False, np.dtype(dtype), requires_grad=requires_grad)


def rand(*size, generator=None, dtype=np.float32, requires_grad=False):
    """Numbers drawn evenly from [0, 1)."""
    return _drawn(draw_uniform, generator, _sizes(size), np.dtype(dtype), requires_grad=requires_grad)


def randn(*size, generator=None, dtype=np.float32, requires_grad=False):
    """Numbers drawn from the normal distribution with mean 0 and variance 1."""
    return _drawn(draw_normal, generator, _sizes(size), np.dtype(dtype), requires_grad=requires_grad)


def rand_like(input, dtype=None, generator=None, requires_grad=False):
    """Numbers drawn evenly from [0, 1), in the shape and dtype of another tensor."""
    return rand(input.shape, generator=generator, dtype=dtype or input.dtype, requires_grad=requires_grad)


def randn_like(input, dtype=None, generator=None, requires_grad=False):
    """Numbers drawn from the normal distribution, in the shape and dtype of another tensor."""
    return randn(input.shape, generator=generator, dtype=dtype or input.dtype, requires_grad=requires_grad)


def randint(low, high, size, generator=None, dtype=np.int64):
    """Integers drawn evenly from [low, high)."""
    return _drawn(draw_integers, generator, low, high, tuple(size), np.dtype(dtype))


def randperm(n, generator=None):
    """The numbers 0 to n - 1 in a random order."""
    return _drawn(draw_order, generator, n)


def zeros_like(input, dtype=None, requires_grad=False):
    """Zeros in the shape and dtype of another tensor."""
    return _made(np.zeros_like, _plain(input), np.dtype(dtype or input.dtype), requires_grad=requires_grad)


def ones_like(input, dtype=None, requires_grad=False):
    """Ones in the shape and dtype of another tensor."""
    return _made(np.ones_like, _plain(input), np.dtype(dtype or input.dtype), requires_grad=requires_grad)


def full_like(input, fill_value, dtype=None, requires_grad=False):
    """One value in the shape and dtype of another tensor."""
    kind = np.dtype(dtype or input.dtype)
    return _made(np.full_like, _plain(input), _constant(fill_value), kind, requires_grad=requires_grad)


def _constant(fill_value):
    """Take the number out of a Tensor, unless a gradient would be lost."""
    if isinstance(fill_value, Tensor) and fill_value.requires_grad:
        raise GradError("full_like: `fill_value` has no derivative, but requires one. Detach it, or add it to zeros.")
    return _plain(fill_value)


class _Size(int):
    """How many numbers there are; called, as in PyTorch, the shape, or the size of one axis."""

    shape: tuple[int, ...]

    def __call__(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]


def size(self):
    """Count the numbers, as NumPy's `x.size`; `x.size()` and `x.size(0)` are PyTorch's.

    >>> from chalkgrad import zeros
    >>> zeros(2, 3).size, zeros(2, 3).size(), zeros(2, 3).size(-1)
    (6, (2, 3), 3)
    """
    count = _Size(self.data.size)
    count.shape = self.shape
    return count


def _fill(self, source):
    """Write a tensor, or one number, over this one."""
    source = tensor(source, self.dtype) if isinstance(source, int | float) else tensor_of(source)
    return self.become(clone(np.broadcast_to(source, self.shape)))


def _normal(self, mean=0.0, std=1.0, *, generator=None):
    """Write numbers drawn from the normal distribution over this tensor."""
    return self.become(randn_like(self, generator=generator) * std + mean)


def _uniform(self, a=0.0, b=1.0, *, generator=None):
    """Write numbers drawn evenly from [a, b) over this tensor."""
    return self.become(rand_like(self, generator=generator) * (b - a) + a)


attach(
    all=lambda self, dim=None, **options: flat(np.all)(self, axis=dim, **options),
    any=lambda self, dim=None, **options: flat(np.any)(self, axis=dim, **options),
    argmax=argmax,
    argmin=argmin,
    astype=converted,
    bool=lambda self: to(self, np.bool_),
    clone=clone,
    copy=clone,
    copy_=_fill,
    double=lambda self: to(self, np.float64),
    fill_=_fill,
    float=lambda self: to(self, np.float32),
    long=lambda self: to(self, np.int64),
    normal_=_normal,
    numel=lambda self: self.data.size,
    size=property(size),
    to=to,
    uniform_=_uniform,
    zero_=lambda self: self.become(zeros(self.shape, dtype=self.dtype)),
)

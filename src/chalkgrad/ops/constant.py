"""New tensors: of given numbers, of one number, in steps."""

import numpy as np

from ..engine.tape import mode
from ..engine.tensor import NUMPY, Tensor, wrap
from ..law.errors import GradError, StandsForMany
from .attach import attach
from .compare import flat, plain

__all__ = [
    "arange", "as_tensor", "asarray", "empty", "empty_like", "eye", "from_numpy", "full", "full_like", "is_tensor",
    "linspace", "logspace", "ones", "ones_like", "scalar_tensor", "sizes_of", "tensor", "tensor_of", "zeros",
    "zeros_like",
]

NUMPY[np.full_like] = lambda x, fill_value, **options: flat(np.full_like)(x, _constant(fill_value), **options)


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


def as_tensor(data, dtype=None):
    """Make a tensor of numbers without a copy, if that can be: of an array, it shares the memory.

    >>> x = tensor([1.0])
    >>> as_tensor(x) is x, as_tensor([1, 2], dtype=np.float32)
    (True, tensor([1., 2.]))
    """
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    if isinstance(data, np.ndarray) and (dtype is None or data.dtype == dtype):
        return from_numpy(data)
    return tensor(data, dtype)


def from_numpy(array):
    """Make a tensor that shares memory with an array."""
    return wrap(array, None)


def is_tensor(value):
    """Tell whether a value is a Tensor."""
    return isinstance(value, Tensor)


def asarray(obj, *, dtype=None, copy=None, requires_grad=False):
    """Make a tensor of numbers, an array or a tensor; a copy, if `copy` says so, or if there is no other way.

    Raises ValueError if copy=False and there is no other way.

    >>> x = np.ones(2)
    >>> asarray(x).data is x, asarray(x, copy=True).data is x
    (True, False)
    """
    made = tensor(obj, dtype) if copy else as_tensor(obj, dtype)
    if copy is False and made.data is not (obj.data if isinstance(obj, Tensor) else obj):
        raise ValueError(f"asarray: a {type(obj).__name__} does not become a tensor of {made.dtype} without a copy.")
    return made.requires_grad_() if requires_grad else made


def scalar_tensor(s, dtype=np.float32, requires_grad=False):
    """Make a tensor without axes of one number."""
    return tensor(s, dtype, requires_grad)


def sizes_of(sizes):
    """The shape that is given size by size, or as one sequence.

    >>> sizes_of((2, 3)), sizes_of(([2, 3],))
    ((2, 3), (2, 3))
    """
    return tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], tuple | list) else sizes


def _number(value):
    """Take the one number out of a Tensor."""
    return value.item() if isinstance(value, Tensor | np.generic) else value


def _as_kind(kind, *values):
    """Take the numbers out of Tensors; steps in integers start and end at integers."""
    numbers = map(_number, values)
    return [int(number) for number in numbers] if kind.kind in "iu" else list(numbers)


def _made(function, *given, requires_grad=False):
    """Make a tensor by a NumPy function; a tape writes down how, so that a spelled program makes it too."""
    array = function(*given)
    if mode.tape is not None:
        mode.tape.record("engine", function, dict(enumerate(given)), {"y": array})
    return wrap(array, None).requires_grad_(requires_grad)


def zeros(*size, dtype=None, requires_grad=False):
    """A tensor of zeros: float32, unless another dtype is named."""
    return _made(np.zeros, sizes_of(size), np.dtype(dtype or np.float32), requires_grad=requires_grad)


def ones(*size, dtype=None, requires_grad=False):
    """A tensor of ones: float32, unless another dtype is named."""
    return _made(np.ones, sizes_of(size), np.dtype(dtype or np.float32), requires_grad=requires_grad)


def empty(*size, dtype=None, requires_grad=False):
    """A tensor whose values are yet to be written: float32, unless another dtype is named."""
    return _made(np.empty, sizes_of(size), np.dtype(dtype or np.float32), requires_grad=requires_grad)


def full(size, fill_value, dtype=None, requires_grad=False):
    """A tensor of one value.

    >>> full((2,), 3), full((), 0.5)
    (tensor([3, 3]), tensor(0.5))
    """
    fill_value = _number(fill_value)
    kind = np.dtype(dtype or Tensor(fill_value).dtype)
    return _made(np.full, sizes_of((size,)), fill_value, kind, requires_grad=requires_grad)


def eye(n, m=None, dtype=None, requires_grad=False):
    """Ones on the diagonal, zeros beside it.

    Raises ValueError for a size below 0.
    """
    if n < 0 or (m is not None and m < 0):
        raise ValueError(f"eye: sizes are 0 or more, but {n} and {m} came.")
    return _made(np.eye, n, m, 0, np.dtype(dtype or np.float32), requires_grad=requires_grad)


def arange(start, end=None, step=1, dtype=None, requires_grad=False):
    """Numbers from start up to, but without, end; from 0, if only one is given.

    >>> arange(3), arange(0.0, 1.0, 0.5), arange(3, 0, -2)
    (tensor([0, 1, 2]), tensor([0. , 0.5]), tensor([3, 1]))
    """
    start, end = (0, start) if end is None else (start, end)
    start, end, step = _as_kind(np.dtype(float), start, end, step)
    floats = any(isinstance(n, float) for n in (start, end, step))
    kind = np.dtype(dtype or (np.float32 if floats else np.int64))
    return _made(np.arange, *_as_kind(kind, start, end, step), kind, requires_grad=requires_grad)


def linspace(start, end, steps, dtype=None, requires_grad=False):
    """Evenly spaced numbers from start to end, both included.

    >>> linspace(0, 1, 5)
    tensor([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    kind = np.dtype(dtype or np.float32)
    start, end = _as_kind(kind, start, end)
    if kind.kind != "f":  # NumPy would round down, and PyTorch rounds to 0
        return _made(np.linspace, start, end, steps, True, False, np.dtype(np.float64)).to(kind)
    return _made(np.linspace, start, end, steps, True, False, kind, requires_grad=requires_grad)


def logspace(start, end, steps, base=10.0, dtype=None, requires_grad=False):
    """Powers of the base, whose exponents are evenly spaced from start to end, both included.

    >>> logspace(0, 3, 4)
    tensor([   1.,   10.,  100., 1000.])
    """
    kind = np.dtype(dtype or np.float32)
    start, end = _as_kind(kind, start, end)
    return _made(np.logspace, start, end, steps, True, base, kind, requires_grad=requires_grad)


def _like(input):
    """The array whose shape a new one is to have; where a Tensor stands for many, that of one of them."""
    try:
        return plain(input)
    except StandsForMany:
        return np.broadcast_to(np.zeros((), input.dtype), input.shape)


def zeros_like(input, dtype=None, requires_grad=False):
    """Zeros in the shape and dtype of another tensor."""
    return _made(np.zeros_like, _like(input), np.dtype(dtype or input.dtype), requires_grad=requires_grad)


def ones_like(input, dtype=None, requires_grad=False):
    """Ones in the shape and dtype of another tensor."""
    return _made(np.ones_like, _like(input), np.dtype(dtype or input.dtype), requires_grad=requires_grad)


def empty_like(input, dtype=None, requires_grad=False):
    """A tensor in the shape and dtype of another, whose values are yet to be written."""
    return _made(np.empty_like, _like(input), np.dtype(dtype or input.dtype), requires_grad=requires_grad)


def full_like(input, fill_value, dtype=None, requires_grad=False):
    """One value in the shape and dtype of another tensor."""
    kind = np.dtype(dtype or input.dtype)
    return _made(np.full_like, _like(input), _constant(fill_value), kind, requires_grad=requires_grad)


def _constant(fill_value):
    """Take the number out of a Tensor, unless a gradient would be lost."""
    if isinstance(fill_value, Tensor) and fill_value.requires_grad:
        raise GradError("full_like: `fill_value` has no derivative, but requires one. Detach it, or add it to zeros.")
    return plain(fill_value)


def _new(function):
    """Let a function that makes tensors of a size be a method: the dtype is that of the tensor, if none is named."""
    return lambda self, *size, dtype=None, **options: function(*size, dtype=dtype or self.dtype, **options)


attach(
    new_empty=_new(empty),
    new_full=_new(full),
    new_ones=_new(ones),
    new_tensor=lambda self, data, dtype=None, requires_grad=False: tensor(data, dtype or self.dtype, requires_grad),
    new_zeros=_new(zeros),
)

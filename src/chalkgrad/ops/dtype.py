"""Other kinds of numbers, and copies."""

import numpy as np

from ..engine.primitive import primitive
from ..engine.tensor import Tensor, implements
from .attach import attach
from .constant import tensor, tensor_of, zeros

__all__ = ["astype", "can_cast", "clone", "contiguous", "converted", "fill", "promote_types", "result_type", "to"]


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


DEVICES = {"cuda", "meta", "mps", "xpu"}


def to(self, *args, device="cpu", dtype=None, non_blocking=False, copy=False):
    """The same numbers in another dtype, named or that of another tensor; the tensor itself, if it has that dtype.

    args  to(dtype), to(other) or to("cpu", dtype); then non_blocking, which changes nothing here, and copy
    copy  make a copy also if the dtype is the same

    Raises TypeError for another device than the CPU.

    >>> from chalkgrad import float64
    >>> tensor([1.0]).to(float64), tensor([1]).to(tensor([0.5])), tensor([1]).to("cpu")
    (tensor([1.], dtype=float64), tensor([1.]), tensor([1]))
    """
    given = list(args)
    if given and isinstance(given[0], str) and given[0].partition(":")[0] in {"cpu"} | DEVICES:
        device = given.pop(0)
    if str(device).partition(":")[0] != "cpu":
        raise TypeError(f"to: {device!r} is a device that is not here; all is computed on the CPU.")
    dtype = given.pop(0) if given and not isinstance(given[0], bool) else dtype
    copy = given[1] if len(given) > 1 else copy
    dtype = np.dtype(dtype.dtype if isinstance(dtype, Tensor) else self.dtype if dtype is None else dtype)
    return converted(self, dtype) if self.dtype != dtype else clone(self) if copy else self


def contiguous(input):
    """The tensor itself if its rows lie one after the other in memory; if not, a copy in which they do."""
    return input if input.is_contiguous() else clone(input)


def promote_types(type1, type2):
    """The dtype that two have together: integers take that of the float that they meet.

    >>> promote_types(np.int64, np.float32), promote_types(np.uint8, np.int32)
    (dtype('float32'), dtype('int32'))
    """
    floats = [kind for kind in map(np.dtype, (type1, type2)) if kind.kind == "f"]
    return floats[0] if len(floats) == 1 else np.promote_types(type1, type2)


def can_cast(from_, to):
    """Tell whether a dtype may be written over another without changing its kind: a float is never made an integer.

    >>> can_cast(np.float64, np.float32), can_cast(np.float32, np.int64), can_cast(np.int32, np.bool_)
    (True, False, False)
    """
    order = "bui" if np.dtype(to).kind != "f" else "buif"
    return np.dtype(from_).kind == "b" or (np.dtype(from_).kind in order and np.dtype(to).kind != "b")


def result_type(tensor1, tensor2):
    """The dtype of what is computed from two: tensors, or numbers, which change no float.

    >>> result_type(tensor([1, 2]), 1.0), result_type(tensor([1.0]), 2)
    (dtype('float32'), dtype('float32'))
    """
    kinds = [value.dtype if hasattr(value, "dtype") else tensor(value).dtype for value in (tensor1, tensor2)]
    weak = [not hasattr(value, "dtype") for value in (tensor1, tensor2)]
    if weak[0] != weak[1] and "biuf".index(kinds[weak.index(True)].kind) <= "biuf".index(kinds[weak.index(False)].kind):
        return kinds[weak.index(False)]
    return promote_types(*kinds)


def _filled(self, value):
    """Write a tensor, or one number, over this one."""
    value = tensor(value, self.dtype) if isinstance(value, int | float) else tensor_of(value)
    return self.become(clone(np.broadcast_to(value, self.shape)))


def _copy(self, src, non_blocking=False):
    """Write a tensor over this one; there is nothing to wait for."""
    return _filled(self, src)


def fill(input, value):
    """A tensor of the same shape and dtype, filled with one value: a number, or a tensor without axes."""
    return _filled(zeros(input.shape, dtype=input.dtype), value)


def _kind(dtype):
    return lambda self: to(self, dtype)


attach(
    astype=converted,
    bool=_kind(np.bool_),
    byte=_kind(np.uint8),
    char=_kind(np.int8),
    clone=clone,
    contiguous=contiguous,
    copy=clone,
    copy_=_copy,
    cpu=lambda self: self,
    double=_kind(np.float64),
    fill=fill,
    fill_=_filled,
    float=_kind(np.float32),
    int=_kind(np.int32),
    is_contiguous=lambda self: self.data.flags.c_contiguous,
    long=_kind(np.int64),
    short=_kind(np.int16),
    to=to,
    type=lambda self, dtype: to(self, dtype),
    type_as=lambda self, other: to(self, other.dtype),
    zero_=lambda self: self.become(zeros(self.shape, dtype=self.dtype)),
)

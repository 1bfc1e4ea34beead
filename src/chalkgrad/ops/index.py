"""Picking elements, and putting gradients back where they were picked."""

import numpy as np

from ..engine.primitive import primitive
from ..engine.tape import mode
from ..engine.tensor import Tensor, implements
from ..law.errors import StandsForMany
from .attach import attach
from .shape import reshape

__all__ = [
    "along", "array_of", "getitem", "has_arrays", "last_written", "put", "scatter", "scatter_along", "take",
    "take_along_axis", "take_along_dim", "zeros_with",
]


def has_arrays(index):
    """Tell whether an index picks by arrays, which may name an element twice."""
    return any(isinstance(i, np.ndarray | tuple) for i in (index if isinstance(index, tuple) else (index,)))


def zeros_with(values, index, shape):
    """Zeros of a shape, to which values are added at an index: an element named twice gets the sum."""
    full = np.zeros_like(values, shape=shape)
    if has_arrays(index):
        np.add.at(full, index, values)
    else:
        full[index] = values
    return full


def last_written(index, shape):
    """Mark the writes that stand: where an index names an element twice, the last one does."""
    order = np.zeros(shape, np.intp)
    writes = np.arange(order[index].size).reshape(order[index].shape)
    order[index] = writes
    return order[index] == writes


@primitive
def scatter(x, *, index, shape):
    """Add x into zeros of a shape: the counterpart of x[index].

    x (...) -> y (*)
    """
    y = zeros_with(x, index, shape)
    return y


@scatter.backward
def scatter_backward(grad_y, index):
    """Each value stands where the index put it, so it gets the gradient from there."""
    grad_x = grad_y[index]
    return grad_x


@scatter.examples
def scatter_examples(rng):
    """A slice; an element named twice; a mask; one number."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)), {"index": slice(1, 3), "shape": (4, 3)}),
        (draw((3, 2)), {"index": np.array([0, 0, 1]), "shape": (3, 2)}),
        (draw(2), {"index": np.array([True, False, True]), "shape": (3,)}),
        (draw(()), {"index": 1, "shape": (3,)}),
    ]


@primitive
def getitem(x, *, index):
    """Pick elements by integers, slices, None, masks and arrays, as NumPy does.

    x (...) -> y (*)
    """
    shape = x.shape
    y = x[index]
    return y


@getitem.backward
def getitem_backward(grad_y, shape, index):
    """An element that was picked twice moves the loss twice: gradients add up, by np.add.at, not by assignment."""
    grad_x = scatter(grad_y, index=index, shape=shape)
    return grad_x


@getitem.examples
def getitem_examples(rng):
    """A row; every second column backwards; elements picked twice; two arrays; a mask; a new axis; nothing."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)), {"index": 1}),
        (draw((3, 4)), {"index": (slice(None), slice(None, None, -2))}),
        (draw((3, 4)), {"index": np.array([0, 0, 2])}),
        (draw((3, 4)), {"index": (np.array([[0], [0]]), np.array([1, 1, 3]))}),
        (draw((2, 2)), {"index": np.array([[True, False], [True, True]])}),
        (draw(3), {"index": (Ellipsis, None)}),
        (draw(3), {"index": slice(2, 2)}),
    ]


@primitive
def put(x, value, *, index):
    """A copy of x with some elements replaced.

    x (...), value (*) -> y (...)
    """
    y = x.copy()
    y[index] = value
    return y


@put.backward
def put_backward(grad_y, index):
    """What was written over has no say in the loss any more; what was written gets the gradient of its place."""
    grad_x = np.empty_like(grad_y)  # grad_y.copy() would be a scalar of NumPy's, if y is a single number
    grad_x[...] = grad_y
    grad_x[index] = 0
    grad_value = grad_y[index]
    if has_arrays(index):
        grad_value = grad_value * last_written(index, grad_y.shape)
    return grad_x, grad_value


@put.examples
def put_examples(rng):
    """A row; one number repeated over a block; a row named twice, where the last one stands; a mask; a number."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)), draw(4), {"index": 1}),
        (draw((3, 4)), draw(()), {"index": (slice(1, 3), slice(None, 2))}),
        (draw((3, 4)), draw((3, 4)), {"index": np.array([0, 0, 2])}),
        (draw(3), draw(2), {"index": np.array([True, False, True])}),
        (draw(()), draw(()), {"index": ()}),
    ]


def along(index, axis, shape):
    """Spell "take along an axis" as an ordinary index: the positions on the other axes are their own."""
    own = [np.arange(n).reshape([-1 if i == a else 1 for a in range(len(shape))]) for i, n in enumerate(shape)]
    own[axis] = index
    return tuple(own)


def take(x, index, axis):
    """x at an index array along an axis, the others in step: np.take_along_axis, for Tensors too."""
    return x[along(index, axis, x.shape)]


@primitive
def scatter_along(x, *, index, axis, shape):
    """Add x into zeros of a shape, at positions given along one axis.

    x (...) -> y (*)
    """
    y = zeros_with(x, along(index, axis, shape), shape)
    return y


@scatter_along.backward
def scatter_along_backward(grad_y, index, axis):
    """Each value stands where the index put it, so it gets the gradient from there."""
    grad_x = take(grad_y, index, axis)
    return grad_x


@scatter_along.examples
def scatter_along_examples(rng):
    """A column each; an element named twice; the same positions for every row."""
    draw = rng.standard_normal
    return [
        (draw((3, 1)), {"index": np.array([[0], [2], [1]]), "axis": 1, "shape": (3, 4)}),
        (draw((2, 2)), {"index": np.array([[1, 1], [0, 2]]), "axis": -1, "shape": (2, 3)}),
        (draw((3, 2)), {"index": np.array([[1, 1]]), "axis": 1, "shape": (3, 4)}),
    ]


@primitive
def take_along_axis(x, *, index, axis):
    """Pick elements along one axis, the other axes in step.

    x (...) -> y (*)
    """
    shape = x.shape
    y = take(x, index, axis)
    return y


@take_along_axis.backward
def take_along_axis_backward(grad_y, shape, index, axis):
    """Gradients go back to where the elements were picked, and add up if one was picked twice."""
    grad_x = scatter_along(grad_y, index=index, axis=axis, shape=shape)
    return grad_x


@take_along_axis.examples
def take_along_axis_examples(rng):
    """A column each; an element picked twice; the same positions for every row."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)), {"index": np.array([[0], [2], [1]]), "axis": 1}),
        (draw((2, 3)), {"index": np.array([[1, 1], [0, 2]]), "axis": -1}),
        (draw((3, 4)), {"index": np.array([[1, 1]]), "axis": 1}),
    ]


def take_along_dim(input, indices, dim=None, *, axis=None):
    """Pick elements along one axis, the other axes in step; from the row of all, if no axis is named.

    >>> from chalkgrad import tensor
    >>> take_along_dim(tensor([[1.0, 2.0], [3.0, 4.0]]), tensor([[1], [0]]), 1)
    tensor([[2.],
            [3.]])
    """
    dim = axis if dim is None else dim
    if dim is None:
        return getitem(reshape(input, -1), index=array_of(reshape(indices, -1)))
    return take_along_axis(input, index=array_of(indices), axis=dim)


@implements(np.take_along_axis)
def _np_take_along_axis(arr, indices, axis=-1):
    return take_along_axis(arr, index=array_of(indices), axis=axis)


def array_of(index):
    """An index as rules take it: Tensors out of their wrapping, and lists as tuples, which are constants.

    The dots behind a lone list keep it apart from several numbers.

    >>> array_of([0, 0, 1]), array_of((slice(None), [2, 2]))
    (((0, 0, 1), Ellipsis), (slice(None, None, None), (2, 2)))
    """
    if isinstance(index, tuple):
        parts = tuple([_frozen(i) if isinstance(i, list | tuple) else array_of(i) for i in index])
        return (*parts, Ellipsis) if len(parts) == 1 and isinstance(parts[0], tuple) else parts
    if isinstance(index, list):
        return array_of((index,))
    return _array(index) if isinstance(index, Tensor) else index


def _array(index):
    """The array of an index; one that stands for many is left to be lifted."""
    try:
        return index.data
    except StandsForMany:
        return index.detach()


def _frozen(index):
    """A list, and the lists in it, as tuples; with a Tensor or an array in it, as an array."""
    if any(isinstance(i, Tensor | np.ndarray) for i in index):
        return np.array([i.data if isinstance(i, Tensor) else i for i in index])
    return tuple(_frozen(i) if isinstance(i, list) else i for i in index)


@implements(np.add.at)
def _add_at(full, index, values):
    """NumPy changes the array; so we do, and the history of what was added comes along."""
    full.become(full.snapshot() + scatter(values, index=array_of(index), shape=full.shape))


def _getitem(self, index):
    index = _index(index)
    if isinstance(index, tuple) and len(index) > 2 and _lie_apart(index):
        whole, rest = _numbers_first(index)
        return _getitem(_getitem(self, whole), rest)
    return getitem.apply(self, index=_to_view(index, self.ndim))


def _index(index):
    """An index as rules take it; while a tape asks for it, its masks let another number of elements through."""
    if mode.tape is not None and mode.tape.resized:
        parts = index if isinstance(index, tuple) else (index,)
        parts = tuple(Tensor(_resized(i.data)) if isinstance(i, Tensor) and i.dtype == bool else i for i in parts)
        index = parts if isinstance(index, tuple) else parts[0]
    return array_of(index)


def _resized(mask):
    """Take the first True out of a mask; where there is none, put one in."""
    mask = mask.copy()
    mask.reshape(-1)[mask.argmax()] ^= True
    return mask


def _to_view(index, ndim):
    """x[i, j] is a number of its own in NumPy, x[i, j, ...] an array without axes that shares its memory."""
    parts = index if isinstance(index, tuple) else (index,)
    whole = len(parts) == ndim > 0 and all(isinstance(part, int | np.integer) and part is not True for part in parts)
    return (*parts, Ellipsis) if whole else index


def _lie_apart(index):
    """Tell whether something else stands between the numbers and the arrays of an index.

    NumPy then counts the numbers among the arrays, and puts their axes in front; PyTorch takes the numbers out first.
    """
    kinds = ["n" if _is_number(part) else "a" if isinstance(part, np.ndarray | tuple) else " " for part in index]
    return "n" in kinds and "a" in kinds and " " in "".join(kinds).strip()


def _is_number(part):
    return isinstance(part, int | np.integer) and not isinstance(part, bool)


def _numbers_first(index):
    """An index as two: the numbers, and the rest for what they leave.

    >>> _numbers_first((0, slice(None), (1, 2)))
    ((0, slice(None, None, None), slice(None, None, None)), (slice(None, None, None), (1, 2)))
    """
    whole = [part if _is_number(part) or part is Ellipsis else slice(None) for part in index if part is not None
             for _ in range(part.ndim if getattr(part, "dtype", None) == np.bool_ else 1)]
    return tuple(whole), tuple([part for part in index if not _is_number(part)])


def _setitem(self, index, value):
    index = _index(index)
    if isinstance(index, tuple) and len(index) > 2 and _lie_apart(index):
        whole, rest = _numbers_first(index)
        return _setitem(_getitem(self, whole), rest, value)
    recorded = self.requires_grad or (isinstance(value, Tensor) and value.requires_grad)
    if (recorded and mode.grad_enabled) or mode.tape is not None:
        self.become(put(self, value, index=index))
    else:
        self.data[index] = value.data if isinstance(value, Tensor) else value
        self.version[0] += 1
    return None


attach(__getitem__=_getitem, __setitem__=_setitem, take_along_dim=take_along_dim)

"""Picking and placing by index tensors along one axis: gather, take, put, and the index_ family; see also scatter.py.

An index along an axis is turned into places in the row of all elements, and what is picked, written or added there is
left to the rules of index.py. What a place names twice adds up in gradients; of what is written there, the last stands.
"""

import functools

import numpy as np

from ..engine.tensor import Tensor, implements
from .attach import attach, attach_both
from .compare import flat, numbers_of
from .index import array_of, getitem
from .index import put as written
from .index import scatter as placed
from .shape import places, reshape

__all__ = [
    "added", "as_row", "gather", "index_add", "index_copy", "index_fill", "index_put", "index_select", "positions",
    "positions_in", "put", "select_scatter", "slice_scatter", "take",
]


def positions(index, axis, shape):
    """Places in the row of all elements of an array, for indices along one axis; on the others, each its own.

    They are in a row too, since np.add.at is 25 times as fast on rows.

    >>> positions(np.array([[2], [0]]), 1, (2, 3))
    array([2, 3])
    """
    if not shape or not index.size:
        return np.zeros(index.size, np.intp)
    fits = index.ndim == len(shape) and all(i == axis or a <= b for i, (a, b) in enumerate(zip(index.shape, shape)))
    if not fits:
        raise ValueError(f"An index of shape {index.shape} goes beyond the axes of shape {shape}, other than {axis}.")
    if index.dtype.kind not in "iu":
        raise TypeError(f"An index holds whole numbers, but {index.dtype} came; x.long() drops the decimals.")
    if index.min() < 0 or index.max() >= shape[axis]:
        raise IndexError(f"The index holds numbers from {index.min()} to {index.max()}, but axis {axis} of shape "
                         f"{shape} has places from 0 to {shape[axis] - 1}.")
    place, stride = np.zeros(index.shape, np.intp), 1
    for i in range(len(shape) - 1, -1, -1):
        own = np.arange(index.shape[i]).reshape([-1 if a == i else 1 for a in range(len(shape))])
        place += (index if i == axis else own) * stride
        stride *= shape[i]
    return place.reshape(-1)


def positions_in(input, dim, index):
    """The same for a Tensor of indices; a tape writes down how they are found."""
    return array_of(flat(positions)(index, places(dim, input.ndim)[0], tuple(input.shape)))


def gather(input, dim, index, *, sparse_grad=False):
    """Pick along one axis: y[i, j] = x[index[i, j], j] for dim=0. The result has the shape of the index.

    Raises IndexError for an index that names no place; ValueError where the index is larger than the input.

    >>> from chalkgrad import tensor
    >>> gather(tensor([[1.0, 2.0], [3.0, 4.0]]), 1, tensor([[1], [0]]))
    tensor([[2.],
            [3.]])
    """
    if sparse_grad:
        raise ValueError("gather: there are no sparse gradients here; leave sparse_grad out.")
    return reshape(getitem(reshape(input, -1), index=positions_in(input, dim, index)), index.shape)


def as_row(function):
    """Let a number be a row of one while a function along an axis works on it, as PyTorch does."""

    @functools.wraps(function)
    def on_any(input, dim, index, *others, **options):
        if input.ndim:
            return function(input, dim, index, *others, **options)
        rows = [reshape(each, 1) if isinstance(each, Tensor) else each for each in others]
        return reshape(function(reshape(input, 1), dim, index, *rows, **options), ())

    return on_any


def _slices(input, dim, index):
    """The index that names whole slices along an axis."""
    axis, = places(dim, input.ndim)
    index = index if isinstance(index, Tensor) else Tensor(index)
    if index.ndim > 1 or index.dtype.kind not in "iu":
        raise ValueError(f"The index is a row of whole numbers, but {index.dtype} of shape {index.shape} came.")
    array = numbers_of(index)
    if array.size and not 0 <= array.min() <= array.max() < input.shape[axis]:
        raise IndexError(f"The index holds numbers from {array.min()} to {array.max()}, but axis {axis} of shape "
                         f"{input.shape} has places from 0 to {input.shape[axis] - 1}.")
    return (*(slice(None),) * axis, array_of(index if index.ndim else reshape(index, 1)))


@as_row
def index_select(input, dim, index):
    """Whole slices along one axis, in the order of an index: x[:, index] for dim=1.

    Raises IndexError for an index that names no slice.

    >>> from chalkgrad import tensor
    >>> index_select(tensor([[1, 2, 3], [4, 5, 6]]), 1, tensor([2, 0]))
    tensor([[3, 1],
            [6, 4]])
    """
    return getitem(input, index=_slices(input, dim, index))


@as_row
def index_add(input, dim, index, source, *, alpha=1):
    """A copy to which slices are added: y[:, index[j]] += alpha · source[:, j] for dim=1, each time that it is named.

    >>> from chalkgrad import tensor, zeros
    >>> index_add(zeros(3), 0, tensor([2, 0, 2]), tensor([1.0, 2.0, 3.0]), alpha=10)
    tensor([20.,  0., 40.])
    """
    axis, = places(dim, input.ndim)
    shape = (*input.shape[:axis], index.numel(), *input.shape[axis + 1 :])
    if source.shape != shape:
        raise ValueError(f"index_add: a source of shape {shape} was expected, but {source.shape} came.")
    source = source if alpha == 1 else alpha * source
    return input + placed(source, index=_slices(input, dim, index), shape=tuple(input.shape))


@as_row
def index_copy(input, dim, index, source):
    """A copy with slices replaced: y[:, index[j]] = source[:, j] for dim=1; the last stands, if one is named twice."""
    return written(input, source, index=_slices(input, dim, index))


@as_row
def index_fill(input, dim, index, value):
    """A copy with whole slices of one value.

    >>> from chalkgrad import tensor, zeros
    >>> index_fill(zeros(2, 3), 1, tensor([0, 2]), 7)
    tensor([[7., 0., 7.],
            [7., 0., 7.]])
    """
    return written(input, value, index=_slices(input, dim, index))


def index_put(input, indices, values, accumulate=False):
    """A copy with the elements at x[indices] replaced, or, if they accumulate, with the values added to them.

    indices  a tuple of tensors of whole numbers or of booleans; None stands for a whole axis
    """
    index = array_of(tuple([slice(None) if each is None else each for each in indices]))
    if not accumulate:
        return written(input, values, index=index)
    return input + placed(values, index=index, shape=tuple(input.shape))


def take(input, index):
    """Elements by their place in the row of all.

    >>> from chalkgrad import tensor
    >>> take(tensor([[1, 2], [3, 4]]), tensor([0, -1]))
    tensor([1, 4])
    """
    return reshape(getitem(reshape(input, -1), index=array_of(reshape(index, -1))), index.shape)


@implements(np.take)
def _np_take(a, indices, axis=None):
    """NumPy's form; the indices may have any shape."""
    before = () if axis is None else (slice(None),) * (axis % a.ndim)
    return getitem(reshape(a, -1) if axis is None else a, index=array_of((*before, indices)))


def added(input, row_places, src):
    """Zeros like the input, as one row, to which a source is added at places in it."""
    return placed(src, index=row_places, shape=(int(np.prod(input.shape, dtype=np.int64)),))


def put(input, index, source, accumulate=False):
    """A copy with elements replaced by their place in the row of all, or, if they accumulate, with the source added.

    >>> from chalkgrad import tensor
    >>> put(tensor([[1, 2], [3, 4]]), tensor([0, 3]), tensor([9, 8])).tolist()
    [[9, 2], [3, 8]]
    """
    row, source, where = reshape(input, -1), reshape(source, -1), array_of(reshape(index, -1))
    row = row + added(input, where, source) if accumulate else written(row, source, index=where)
    return reshape(row, input.shape)


def select_scatter(input, src, dim, index):
    """A copy with one slice along an axis replaced: y[:, index] = src for dim=1."""
    return _over_part(input, src, dim, int(index))


def slice_scatter(input, src, dim=0, start=None, end=None, step=1):
    """A copy with a stretch along an axis replaced: y[:, start:end:step] = src for dim=1.

    >>> from chalkgrad import tensor, zeros
    >>> slice_scatter(zeros(4), tensor([1.0, 2.0]), 0, 1, 3)
    tensor([0., 1., 2., 0.])
    """
    return _over_part(input, src, dim, slice(start, end, step))


def _over_part(input, src, dim, part):
    axis, = places(dim, input.ndim)
    index = (*(slice(None),) * axis, part)
    shape = np.broadcast_to(0, input.shape)[index].shape
    if src.shape != shape:
        raise ValueError(f"What is written over has shape {shape}, but the source has shape {src.shape}.")
    return written(input, src, index=index)


attach_both(index_add, index_copy, index_fill, index_put, put)
attach(
    gather=gather, index_select=index_select, select_scatter=select_scatter, slice_scatter=slice_scatter, take=take,
)

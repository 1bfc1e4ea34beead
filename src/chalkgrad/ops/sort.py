"""Order: sorting, the largest few, what is there only once, and where something would stand."""

from typing import Any, NamedTuple

import numpy as np

from ..engine.tensor import Tensor, implements
from .attach import attach
from .axes import part_along
from .compare import flat
from .index import array_of, take_along_axis
from .pick import settled
from .shape import places, reshape, squeeze

__all__ = [
    "Found", "argsort", "bucketize", "first_places", "kth_place", "kthvalue", "msort", "ordered_places",
    "searchsorted", "sort", "topk", "unique", "unique_consecutive", "where_to_stand",
]


class Found(NamedTuple):
    """Values, and where along the axis each was found."""

    values: Any
    indices: Any


def ordered_places(x, axis, descending):
    """Where the elements are, in order along an axis; equal ones stay in theirs, and what is no number is the largest.

    >>> ordered_places(np.array([3, 1, 3]), 0, True)
    array([0, 2, 1])
    """
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    # the reverse of the reverse is in descending order, and leaves equal elements as they stand
    back = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(back, axis)


def argsort(input, dim=-1, descending=False, stable=False):
    """Where the elements are, in order along an axis. The order of equal ones is kept, also if not asked for.

    >>> from chalkgrad import tensor
    >>> argsort(tensor([3.0, 1.0, 2.0]))
    tensor([1, 2, 0])
    """
    axis, = places(dim, input.ndim)
    if not input.ndim:
        return reshape(argsort(reshape(input, 1), 0), ())
    return flat(ordered_places)(input, axis, bool(descending))


def sort(input, dim=-1, descending=False, stable=False):
    """Put the elements along an axis in order: a pair (values, indices). The order of equal ones is kept.

    The gradient of each value goes back to where it was found.

    >>> from chalkgrad import tensor
    >>> sort(tensor([3.0, 1.0, 2.0]), descending=True)
    Found(values=tensor([3., 2., 1.]), indices=tensor([0, 2, 1]))
    """
    order = argsort(input, dim, descending, stable)
    return Found(_found(input, order, dim), order)


def _found(input, order, dim):
    if not input.ndim:
        return reshape(input, ())
    return take_along_axis(input, index=array_of(order), axis=places(dim, input.ndim)[0])


def msort(input):
    """Put the elements along the first axis in order.

    >>> from chalkgrad import tensor
    >>> msort(tensor([[3, 1], [2, 4]])).tolist()
    [[2, 1], [3, 4]]
    """
    return sort(input, 0).values


implements(np.sort)(lambda a, axis=-1: sort(a, axis).values)


def topk(input, k, dim=-1, largest=True, sorted=True):
    """The k largest elements along an axis, or smallest: a pair (values, indices). They are in order in any case.

    >>> from chalkgrad import tensor
    >>> topk(tensor([1.0, 4.0, 3.0]), 2)
    Found(values=tensor([4., 3.]), indices=tensor([1, 2]))
    """
    axis, = places(dim, input.ndim)
    size = input.shape[axis] if input.ndim else 1
    if not 0 <= k <= size:
        raise ValueError(f"topk: k={k} came, but axis {dim} of shape {input.shape} has {size} elements.")
    if not input.ndim:
        return Found(*(reshape(each, ()) for each in topk(reshape(input, 1), 1)))
    order = flat(first_places)(input, axis, bool(largest), int(k))
    return Found(_found(input, order, axis), order)


def first_places(x, axis, largest, k):
    """Where the k largest elements are along an axis, or smallest, in order: picked out first, and then sorted.

    >>> first_places(np.array([1, 5, 3, 4]), 0, True, 2)
    array([1, 3])
    """
    n = x.shape[axis]
    if not 0 < k < n:
        return ordered_places(x, axis, largest)[part_along(axis, 0, k, 1)]
    start = n - k if largest else 0
    found = np.argpartition(x, start if largest else k - 1, axis=axis)[part_along(axis, start, k, 1)]
    order = ordered_places(np.take_along_axis(x, found, axis), axis, largest)
    return np.take_along_axis(found, order, axis)


def kthvalue(input, k, dim=-1, keepdim=False):
    """The k-th smallest element along an axis, counted from 1: a pair (values, indices).

    >>> from chalkgrad import tensor
    >>> kthvalue(tensor([5.0, 1.0, 3.0]), 2)
    Found(values=tensor(3.), indices=tensor(2))
    """
    axis, = places(dim, input.ndim)
    size = input.shape[axis] if input.ndim else 1
    if not 1 <= k <= size:
        raise ValueError(f"kthvalue: k={k} came, but axis {dim} of shape {input.shape} has {size} elements.")
    if not input.ndim:
        return Found(*sort(input))
    order = flat(kth_place)(input, axis, int(k))
    values = _found(input, order, axis)
    return Found(values, order) if keepdim else Found(squeeze(values, axis), squeeze(order, axis))


def kth_place(x, axis, k):
    """Where the k-th smallest element is; the axis stays, with size 1.

    >>> kth_place(np.array([5, 1, 3]), 0, 2)
    array([2])
    """
    return np.argpartition(x, k - 1, axis=axis)[part_along(axis, k - 1, 1, 1)]


def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """What there is, each once, in order; of an axis, its slices.

    return_inverse  also where each element is in the result
    return_counts   also how often each is there

    >>> from chalkgrad import tensor
    >>> unique(tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    array = settled(input, "unique")
    axis = None if dim is None else places(dim, input.ndim)[0]
    if array.ndim == 0:
        array = array.reshape(1) if axis is not None else array
    made, inverse, counts = np.unique(array, return_inverse=True, return_counts=True, axis=axis, equal_nan=False)
    inverse = inverse.reshape(input.shape if axis is None else -1)
    return _asked(made, inverse, counts, return_inverse, return_counts)


def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """What there is, where equal ones that stand beside each other count as one; of an axis, its slices.

    >>> from chalkgrad import tensor
    >>> unique_consecutive(tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])
    """
    array = settled(input, "unique_consecutive")
    axis = 0 if dim is None else places(dim, input.ndim)[0]
    lines = np.moveaxis(array.reshape(-1) if dim is None or not array.ndim else array, axis, 0)
    rows = lines.reshape(len(lines), int(np.prod(lines.shape[1:], dtype=np.int64)))
    new = np.ones(len(rows), np.bool_)
    new[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    starts = np.flatnonzero(new)
    inverse = np.cumsum(new) - 1
    counts = np.diff(np.append(starts, len(rows)))
    inverse = inverse.reshape(input.shape) if dim is None else inverse
    return _asked(np.moveaxis(lines[new], 0, axis), inverse, counts, return_inverse, return_counts)


def _asked(made, inverse, counts, return_inverse, return_counts):
    found = (made, *[inverse] * bool(return_inverse), *[counts] * bool(return_counts))
    found = tuple(Tensor(np.ascontiguousarray(each)) if each.ndim else Tensor(each) for each in found)
    return found if len(found) > 1 else found[0]


def where_to_stand(row, values, right):
    """Where values would stand in rows that are in order: how many stand before them, also for stacks of rows.

    Values and row are put into one order: of equal ones, those of the row come first if `right`, else last. Then the
    elements of the row are counted from the left.

    >>> where_to_stand(np.array([1, 3, 5]), np.array([3, 9]), False)
    array([1, 3])
    """
    if row.ndim == 1:
        return np.asarray(np.searchsorted(row, values, "right" if right else "left"))
    n = values.shape[-1]
    both = np.concatenate((row, values) if right else (values, row), axis=-1)
    order = np.argsort(both, axis=-1, kind="stable")
    first = row.shape[-1] if right else 0
    is_row = (order < first) if right else (order >= n)
    before = np.cumsum(is_row, axis=-1)
    stand = np.empty_like(before)
    np.put_along_axis(stand, order, before, axis=-1)
    return stand[..., first : first + n]


def searchsorted(sorted_sequence, input, *, out_int32=False, right=False, side=None, sorter=None):
    """Where numbers would stand in a row that is in order; of equal ones, on the left, or on the right.

    sorted_sequence  (..., n): one row for all, or one for each row of the input
    sorter           what puts the row in order, if it is not; as from argsort
    out_int32        int32 instead of int64

    >>> from chalkgrad import tensor
    >>> searchsorted(tensor([1.0, 3.0, 5.0]), tensor([3.0, 9.0])), searchsorted(tensor([1.0, 3.0]), 3.0, right=True)
    (tensor([1, 3]), tensor(2))
    """
    if side not in (None, "left", "right"):
        raise ValueError(f'searchsorted: side is "left" or "right", but {side!r} came.')
    if right and side == "left":
        raise ValueError('searchsorted: right=True and side="left" contradict each other.')
    row = sorted_sequence if sorter is None else take_along_axis(
        sorted_sequence.detach(), index=array_of(sorter), axis=-1)
    if row.ndim > 1 and (not isinstance(input, Tensor) or input.shape[:-1] != row.shape[:-1]):
        raise ValueError(f"searchsorted: rows of shape {row.shape} want an input of the same shape but for the last "
                         f"axis, but {getattr(input, 'shape', 'a number')} came.")
    found = flat(where_to_stand)(row, input, bool(right or side == "right"))
    return found.to(np.int32) if out_int32 else found


def bucketize(input, boundaries, *, out_int32=False, right=False):
    """The number of the stretch between boundaries that each element falls into.

    >>> from chalkgrad import tensor
    >>> bucketize(tensor([3.0, 9.0]), tensor([1.0, 3.0, 5.0]))
    tensor([1, 3])
    """
    if boundaries.ndim != 1:
        raise ValueError(f"bucketize: the boundaries are one row, but their shape is {boundaries.shape}.")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


attach(
    argsort=argsort, kthvalue=kthvalue, msort=msort, sort=sort, topk=topk, unique=unique,
    unique_consecutive=unique_consecutive,
)

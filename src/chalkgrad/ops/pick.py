"""Picking by values: what a mask lets through, and where it is. How much that is follows from the data."""

import numpy as np

from ..engine.tape import mode
from ..engine.tensor import Tensor
from ..law.errors import SpellError
from .attach import attach, attach_both
from .choice import where as chosen
from .compare import flat, numbers_of
from .gather import take
from .shape import broadcast_to, reshape

__all__ = [
    "argwhere", "isin", "masked_scatter", "masked_select", "nonzero", "places_of", "settled", "unravel_index", "where",
]


def settled(input, name):
    """The array of a Tensor, of which a result is made whose size follows from the values; no program can hold that."""
    if mode.tape is not None:
        raise SpellError(f"{name}: the size of the result follows from the values, and a program has fixed sizes. "
                         "Multiply by a mask, or pick by it, x[mask], which a program can do.")
    return input.data


def nonzero(input, *, as_tuple=False):
    """Where the elements are that are not 0: a row of coordinates for each, or, as a tuple, one tensor for each axis.

    >>> from chalkgrad import tensor
    >>> nonzero(tensor([[1, 0], [0, 2]])).tolist(), nonzero(tensor([0, 3, 4]), as_tuple=True)
    ([[0, 0], [1, 1]], (tensor([1, 2]),))
    """
    array = settled(input, "nonzero")
    if as_tuple:
        return tuple(Tensor(where) for where in np.nonzero(np.atleast_1d(array)))
    return Tensor(np.argwhere(array))


def argwhere(input):
    """Where the elements are that are not 0: a row of coordinates for each."""
    return nonzero(input)


def where(condition, input=None, other=None):
    """The input where the condition holds, the other elsewhere; given the condition alone, where it holds.

    >>> from chalkgrad import tensor
    >>> where(tensor([True, False]), tensor([1.0, 2.0]), 0.0), where(tensor([True, False]))
    (tensor([1., 0.]), (tensor([0]),))
    """
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    return chosen(condition, input, other)


def masked_select(input, mask):
    """A row of the elements that a mask lets through; both are repeated to the shape that they have together.

    >>> from chalkgrad import tensor
    >>> masked_select(tensor([[1, 2], [3, 4]]), tensor([True, False]))
    tensor([1, 3])
    """
    if mask.dtype != bool:
        raise TypeError(f"masked_select: a mask holds booleans, but {mask.dtype} came; compare, as in x > 0.")
    shape = np.broadcast_shapes(input.shape, mask.shape)
    return reshape(broadcast_to(input, shape)[broadcast_to(mask, shape)], -1)


def places_of(mask):
    """For each element, how many that a mask lets through stand before it.

    >>> places_of(np.array([[True, False], [True, True]]))
    array([[0, 1],
           [1, 2]])
    """
    return np.reshape(np.cumsum(mask.reshape(-1)) - mask.reshape(-1), mask.shape)


def masked_scatter(input, mask, source):
    """A copy in which the elements of a source stand, one after the other, where a mask holds.

    >>> from chalkgrad import tensor, zeros
    >>> masked_scatter(zeros(2, 2), tensor([[True, False], [True, True]]), tensor([1.0, 2.0, 3.0, 4.0]))
    tensor([[1., 0.],
            [2., 3.]])
    """
    if mask.dtype != bool or input.dtype != source.dtype:
        raise TypeError(f"masked_scatter: a mask of booleans was expected, and a source like the input, but a mask of "
                        f"{mask.dtype}, an input of {input.dtype} and a source of {source.dtype} came.")
    shape = np.broadcast_shapes(input.shape, mask.shape)
    mask = broadcast_to(mask, shape)
    count, size = int(np.count_nonzero(numbers_of(mask), axis=tuple(range(-mask.ndim, 0))).max()), source.numel()
    if count > size:
        raise ValueError(f"masked_scatter: the mask holds {count} times, but {size} numbers came for it.")
    if not size:
        return broadcast_to(input, shape) + 0
    order = flat(np.minimum)(flat(places_of)(mask), size - 1)  # what is not let through picks anything
    return chosen(mask, take(source, order), input)


def isin(elements, test_elements, *, assume_unique=False, invert=False):
    """Tell of each element whether it is one of others; inverted, whether it is none of them.

    >>> from chalkgrad import tensor
    >>> isin(tensor([1, 2, 3]), tensor([2, 4]))
    tensor([False,  True, False])
    """
    return flat(np.isin)(elements, test_elements, assume_unique=assume_unique, invert=invert)


def unravel_index(indices, shape):
    """Coordinates of places in the row of all elements of a tensor of a shape: one tensor for each axis.

    >>> from chalkgrad import tensor
    >>> unravel_index(tensor([5, 0]), (2, 3))
    (tensor([1, 0]), tensor([2, 0]))
    """
    shape, stride, found = (shape,) if isinstance(shape, int) else tuple(shape), 1, []
    array, count = numbers_of(indices), int(np.prod(shape, dtype=np.int64))
    if array.size and not 0 <= array.min() <= array.max() < count:
        raise IndexError(f"unravel_index: shape {shape} has places from 0 to {count - 1}, but the indices go from "
                         f"{array.min()} to {array.max()}.")
    for size in shape[::-1]:
        found.append(indices // stride % size)
        stride *= size
    return tuple(found[::-1])


attach_both(masked_scatter)
attach(
    argwhere=argwhere, isin=isin, masked_select=masked_select, nonzero=nonzero,
    where=lambda self, condition, other: chosen(condition, self, other),
)

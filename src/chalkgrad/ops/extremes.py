"""The largest and the smallest of many."""

from typing import Any, NamedTuple

import numpy as np

from ..engine.primitive import primitive
from ..engine.tensor import Tensor, implements
from .attach import attach
from .choice import maximum, minimum
from .compare import flat
from .index import array_of, scatter_along, take_along_axis
from .reduce import along_first, reducing, spread
from .scan import lifted

__all__ = [
    "Bounds", "Extremes", "amax", "amin", "aminmax", "cummax", "cummin", "last_extreme_place", "max",
    "max_along", "min", "min_along",
]


@implements(np.max, np.amax)
@primitive
def amax(x, *, axis=None, keepdims=False):
    """The largest element along an axis, several, or of all.

    x (...) -> y (*)
    """
    shape = x.shape
    y = x.max(axis=axis, keepdims=keepdims)
    return y


@amax.backward
def amax_backward(grad_y, x, y, shape, axis, keepdims):
    """The largest element gets the gradient; several equally large ones share it evenly, as in PyTorch."""
    ties = x == spread(y, shape, axis, keepdims)
    share = ties / ties.sum(axis=axis, keepdims=True)
    grad_x = spread(grad_y, shape, axis, keepdims) * share.astype(grad_y.dtype)
    return grad_x


@amax.examples
def amax_examples(rng):
    """Everything; columns, kept; two axes, one from the end; one number; a tie."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)),),
        (draw((2, 3)), {"axis": 0, "keepdims": True}),
        (draw((2, 3, 4)), {"axis": (0, -1)}),
        (draw(()),),
        (np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 1.0]]), {"axis": 1}),
    ]


@implements(np.min, np.amin)
@primitive
def amin(x, *, axis=None, keepdims=False):
    """The smallest element along an axis, several, or of all.

    x (...) -> y (*)
    """
    shape = x.shape
    y = x.min(axis=axis, keepdims=keepdims)
    return y


@amin.backward
def amin_backward(grad_y, x, y, shape, axis, keepdims):
    """The smallest element gets the gradient; several equally small ones share it evenly, as in PyTorch."""
    ties = x == spread(y, shape, axis, keepdims)
    share = ties / ties.sum(axis=axis, keepdims=True)
    grad_x = spread(grad_y, shape, axis, keepdims) * share.astype(grad_y.dtype)
    return grad_x


@amin.examples
def amin_examples(rng):
    """Everything; columns, kept; two axes, one from the end; one number; a tie."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)),),
        (draw((2, 3)), {"axis": 0, "keepdims": True}),
        (draw((2, 3, 4)), {"axis": (0, -1)}),
        (draw(()),),
        (np.array([[1.0, 1.0, 3.0], [2.0, 1.0, 1.0]]), {"axis": 1}),
    ]


@primitive
def max_along(x, *, axis, keepdims=False):
    """The largest element along an axis, and where it is: the first one, if several are equal.

    x (...) -> values (*), indices (*)
    """
    shape = x.shape
    place = x.argmax(axis=axis, keepdims=True)
    found = np.take_along_axis(x, place, axis)
    values = found if keepdims else np.squeeze(found, axis)
    indices = place if keepdims else np.squeeze(place, axis)
    return values, indices


@max_along.backward
def max_along_backward(grad_values, place, shape, axis, keepdims):
    """Only the element that was picked had a say in the loss."""
    grad_picked = grad_values if keepdims else np.expand_dims(grad_values, axis)
    grad_x = scatter_along(grad_picked, index=place, axis=axis, shape=shape)
    return grad_x


@max_along.examples
def max_along_examples(rng):
    """Rows; columns, kept; a tie, of which the first is taken."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)), {"axis": -1}),
        (draw((2, 3)), {"axis": 0, "keepdims": True}),
        (np.array([1.0, 3.0, 3.0]), {"axis": 0}),
    ]


@primitive
def min_along(x, *, axis, keepdims=False):
    """The smallest element along an axis, and where it is: the first one, if several are equal.

    x (...) -> values (*), indices (*)
    """
    shape = x.shape
    place = x.argmin(axis=axis, keepdims=True)
    found = np.take_along_axis(x, place, axis)
    values = found if keepdims else np.squeeze(found, axis)
    indices = place if keepdims else np.squeeze(place, axis)
    return values, indices


@min_along.backward
def min_along_backward(grad_values, place, shape, axis, keepdims):
    """Only the element that was picked had a say in the loss."""
    grad_picked = grad_values if keepdims else np.expand_dims(grad_values, axis)
    grad_x = scatter_along(grad_picked, index=place, axis=axis, shape=shape)
    return grad_x


@min_along.examples
def min_along_examples(rng):
    """Rows; columns, kept; a tie, of which the first is taken."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)), {"axis": -1}),
        (draw((2, 3)), {"axis": 0, "keepdims": True}),
        (np.array([1.0, 1.0, 3.0]), {"axis": 0}),
    ]


reducing(amax, amin)
implements(np.maximum.reduce)(along_first(amax))
implements(np.minimum.reduce)(along_first(amin))


class Extremes(NamedTuple):
    """Values, and where along the axis they were found."""

    values: Any
    indices: Any


class Bounds(NamedTuple):
    """The smallest value and the largest."""

    min: Any
    max: Any


def last_extreme_place(x, axis, largest):
    """Where the largest element up to each place is, or the smallest: the last of equal ones, and the last nan, if any.

    >>> last_extreme_place(np.array([1, 3, 2, 3]), 0, True)
    array([0, 1, 1, 3])
    """
    extreme = np.maximum.accumulate(x, axis=axis) if largest else np.minimum.accumulate(x, axis=axis)
    place = np.arange(x.shape[axis]).reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])
    return np.maximum.accumulate(np.where((x == extreme) | np.isnan(x), place, 0), axis=axis)


def max(input, dim=None, keepdim=False, *, other=None, axis=None, keepdims=False):
    """The largest element; along `dim`, a pair (values, indices); along `axis`, as NumPy says it, the values alone.

    >>> from chalkgrad import tensor
    >>> max(tensor([[1.0, 5.0], [7.0, 2.0]]), 1)
    Extremes(values=tensor([5., 7.]), indices=tensor([1, 0]))
    """
    if isinstance(dim, Tensor) or other is not None:
        return maximum(input, dim if other is None else other)
    if dim is None:
        return amax(input, axis=axis, keepdims=keepdims or keepdim)
    return Extremes(*lifted(max_along, input, dim, keepdims=keepdim))


def min(input, dim=None, keepdim=False, *, other=None, axis=None, keepdims=False):
    """The smallest element; along `dim`, a pair (values, indices); along `axis`, the values alone."""
    if isinstance(dim, Tensor) or other is not None:
        return minimum(input, dim if other is None else other)
    if dim is None:
        return amin(input, axis=axis, keepdims=keepdims or keepdim)
    return Extremes(*lifted(min_along, input, dim, keepdims=keepdim))


def aminmax(input, *, dim=None, keepdim=False):
    """The smallest element and the largest, along an axis or of all: a pair (min, max).

    >>> from chalkgrad import tensor
    >>> aminmax(tensor([3.0, 1.0, 2.0]))
    Bounds(min=tensor(1.), max=tensor(3.))
    """
    return Bounds(amin(input, axis=dim, keepdims=keepdim), amax(input, axis=dim, keepdims=keepdim))


def cummax(input, dim):
    """The largest element up to each place along an axis: a pair (values, indices); of equal ones, the last is named.

    >>> from chalkgrad import tensor
    >>> cummax(tensor([1.0, 3.0, 2.0, 3.0]), 0)
    Extremes(values=tensor([1., 3., 3., 3.]), indices=tensor([0, 1, 1, 3]))
    """
    return Extremes(*lifted(_running, input, dim, largest=True))


def cummin(input, dim):
    """The smallest element up to each place along an axis: a pair (values, indices); of equal ones, the last."""
    return Extremes(*lifted(_running, input, dim, largest=False))


def _running(x, axis, largest):
    index = flat(last_extreme_place)(x, axis, largest)
    return take_along_axis(x, index=array_of(index), axis=axis), index


attach(amax=amax, amin=amin, aminmax=aminmax, cummax=cummax, cummin=cummin, max=max, min=min)

"""Picking elements, and putting gradients back where they were picked."""

import numpy as np

from ..engine.primitive import primitive
from ..engine.tape import mode
from ..engine.tensor import Tensor, implements

__all__ = ["take_along_dim"]


def has_arrays(index):
    """Tell whether an index picks by arrays, which may name an element twice."""
    return any(isinstance(i, np.ndarray | list) for i in (index if isinstance(index, tuple) else (index,)))


def zeros_with(values, index, shape):
    """Zeros of a shape, to which values are added at an index: an element named twice gets the sum."""
    full = np.zeros_like(values, shape=shape)
    if has_arrays(index):
        np.add.at(full, index, values)
    else:
        full[index] = values
    return full


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
    grad_x = grad_y.copy()
    grad_x[index] = 0
    grad_value = grad_y[index]
    return grad_x, grad_value


def along(index, axis, shape):
    """Spell "take along an axis" as an ordinary index: the positions on the other axes are their own."""
    own = [np.arange(n).reshape([-1 if i == a else 1 for a in range(len(shape))]) for i, n in enumerate(shape)]
    own[axis] = index
    return tuple(own)


def take(x, index, axis):
    """x at an index array along an axis, the others in step: np.take_along_axis, for Tensors too."""
    return x[along(index, axis, index.shape)]


@primitive
def scatter_along(x, *, index, axis, shape):
    """Add x into zeros of a shape, at positions given along one axis.

    x (...) -> y (*)
    """
    y = zeros_with(x, along(index, axis, index.shape), shape)
    return y


@scatter_along.backward
def scatter_along_backward(grad_y, index, axis):
    """Each value stands where the index put it, so it gets the gradient from there."""
    grad_x = take(grad_y, index, axis)
    return grad_x


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


@implements(np.take_along_axis)
def take_along_dim(input, indices, dim):
    """Pick elements along one axis, the other axes in step.

    >>> from chalkgrad import tensor
    >>> take_along_dim(tensor([[1.0, 2.0], [3.0, 4.0]]), tensor([[1], [0]]), 1)
    tensor([[2.],
            [3.]])
    """
    return take_along_axis(input, index=array_of(indices), axis=dim)


def array_of(index):
    """An index as NumPy wants it: lists become arrays, Tensors are taken out of their wrapping."""
    if isinstance(index, tuple):
        return tuple(array_of(i) for i in index)
    if isinstance(index, Tensor):
        return index.data
    return np.array(index) if isinstance(index, list) else index


def _getitem(self, index):
    return getitem.apply(self, index=array_of(index))


def _setitem(self, index, value):
    index = array_of(index)
    recorded = self.requires_grad or (isinstance(value, Tensor) and value.requires_grad)
    if (recorded and mode.grad_enabled) or mode.tape is not None:
        self.become(put(self, value, index=index))
    else:
        self.data[index] = value.data if isinstance(value, Tensor) else value
        self.version[0] += 1


Tensor.__getitem__    = _getitem
Tensor.__setitem__    = _setitem
Tensor.take_along_dim = take_along_dim

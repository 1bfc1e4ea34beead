"""Maxima: which pixel of each window is the largest, and where on its image it lies.

Shared by the poolings that can say so, and by unpooling, which puts pixels back. A pixel is named by its index in the
flat image: row · width + column, and so on for other numbers of axes. Like the rules that call them, these helpers take
arrays and Tensors, and travel into spelled programs.
"""

import math

import numpy as np

from ...ops.index import scatter

__all__ = ["flat_indices", "largest", "largest_along", "pick", "put_back", "seen_at"]


def seen_at(x, pixels, axis):
    """Pick from an axis of x the pixels that lie at these positions, shaped to meet x: all axes but this one repeat.

    >>> seen_at(np.array([[1, 2, 3], [4, 5, 6]]), np.array([[2, 0]]), -1)
    array([[3, 1],
           [6, 4]])
    """
    if pixels.size == pixels.shape[axis]:  # the same positions everywhere, which takes a quarter of the time
        return x[(..., pixels.reshape(-1), *(slice(None),) * (-1 - axis))]
    return np.take_along_axis(x, pixels, axis)


def largest_along(x, windows, axis):
    """Find the largest pixel of each window on one axis, and its position: the first of several, but the last nan.

    windows  (k, ...): the k positions that each window sees, in order, each shaped to meet x

    >>> largest_along(np.array([1, 4, 4, 2]), np.array([[0, 2], [1, 3]]), -1)
    (array([4, 4]), array([1, 2]))
    """
    top = seen_at(x, windows[0], axis)
    at  = np.zeros_like(top, dtype=np.int64) + windows[0]
    for pixels in windows[1:]:
        value  = seen_at(x, pixels, axis)
        better = (value > top) | (value != value)  # nan is better than any number, as in PyTorch
        at     = np.maximum(at, better * pixels)  # what comes later lies further on
        top    = np.maximum(top, value)
    return top, at


def largest(x, windows):
    """Find the largest pixel of each window, and its index: the first of several, but the last nan.

    windows  for each of the last axes, the positions that its windows see: (k, p), or with axes like those of x between

    The axes are gone through one after the other, the last one first: the largest pixel of a window is the largest of
    those that are the largest of their row. That takes k + k steps for k x k pixels.

    >>> largest(np.array([[1, 4, 0], [4, 2, 5]]), [np.array([[0], [1]]), np.array([[0, 1], [1, 2]])])
    (array([[4, 5]]), array([[1, 5]]))
    """
    y, step = x, 1
    for axis in range(-1, -len(windows) - 1, -1):
        each  = windows[axis]
        shape = each.shape[1:-1] or (1,) * (x.ndim - len(windows))
        each  = each.reshape(len(each), *shape, *[each.shape[-1] if a == axis else 1 for a in range(-len(windows), 0)])
        y, at = largest_along(y, each, axis)
        if axis == -1:
            indices = at
        else:
            indices = np.take_along_axis(indices, at, axis) + at * step
        step = step * x.shape[axis]
    return y, indices


def flat_indices(indices, axes, size):
    """Turn indices in images, which have so many axes and pixels, into those in the row of all pixels of all images.

    >>> flat_indices(np.array([[0, 3], [1, 2]]), axes=1, size=4)
    array([0, 3, 5, 6])
    """
    images = math.prod(indices.shape[:-axes])
    start  = np.arange(images).reshape(*indices.shape[:-axes], *(1,) * axes) * size
    return (indices + start).reshape(-1)


def put_back(values, indices, sizes):
    """Add values to images of zeros, each to the pixel of its index; the transpose of `pick`.

    >>> put_back(np.array([[1.0, 2.0]]), np.array([[3, 1]]), (2, 2))
    array([[0., 2.],
           [0., 1.]])
    """
    axes, size = len(sizes), math.prod(sizes)
    images = values.shape[:-axes]
    row = scatter(values.reshape(-1), index=flat_indices(indices, axes, size), shape=(math.prod(images) * size,))
    return row.reshape(*images, *sizes)


def pick(x, indices, axes):
    """Pick the pixels of these indices from images, the last axes of x.

    >>> pick(np.array([[5.0, 6.0], [7.0, 8.0]]), np.array([[3, 1]]), axes=2)
    array([[8., 6.]])
    """
    return x.reshape(-1)[flat_indices(indices, axes, math.prod(x.shape[-axes:]))].reshape(indices.shape)

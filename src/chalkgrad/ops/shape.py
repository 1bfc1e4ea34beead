"""The same elements in another arrangement."""

from operator import index

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..engine.primitive import primitive
from ..engine.tensor import Tensor, implements
from .attach import attach

__all__ = [
    "broadcast_to", "cat", "concatenate", "flatten", "flip", "flipped", "ints", "joined", "movedim", "pad", "padded",
    "permute", "permuted", "places", "repeated", "reshape", "reshaped", "squeeze", "stack", "swapaxes", "transpose",
    "unsqueeze",
]


@primitive
def reshaped(x, *, shape):
    """The same elements, in the same order, in another shape.

    x (...) -> y (*)
    """
    old = x.shape
    y = x.reshape(shape)
    return y


@reshaped.backward
def reshaped_backward(grad_y, old):
    """Nothing was computed, so the gradient only takes its old shape again."""
    grad_x = grad_y.reshape(old)
    return grad_x


@reshaped.examples
def reshaped_examples(rng):
    """Rows of another length; columns of rows, which must be copied; one number; nothing."""
    draw = rng.standard_normal
    return [
        (draw((2, 6)), {"shape": (3, -1)}),
        (draw((2, 3)).T, {"shape": (6,)}),
        (draw((1, 1)), {"shape": ()}),
        (draw((0, 3)), {"shape": (3, 0)}),
    ]


@primitive
def permuted(x, *, axes):
    """The axes in another order.

    x (...) -> y (*)
    """
    back = np.argsort([axis % x.ndim for axis in axes])
    y = np.transpose(x, axes)
    return y


@permuted.backward
def permuted_backward(grad_y, back):
    """The axes go back to where they were."""
    grad_x = np.transpose(grad_y, back)
    return grad_x


@permuted.examples
def permuted_examples(rng):
    """Round in a circle; axes counted from the end; one number."""
    draw = rng.standard_normal
    return [
        (draw((2, 3, 4)), {"axes": (1, 2, 0)}),
        (draw((2, 3, 4)), {"axes": (-1, 0, 1)}),
        (draw(()), {"axes": ()}),
    ]


@primitive
def repeated(x, *, shape):
    """Axes of size 1, and missing ones, repeated to a larger shape, without a copy.

    x (...) -> y (*)
    """
    y = np.broadcast_to(x, shape)
    return y


@repeated.backward
def repeated_backward(grad_y):
    """The engine sums over what was repeated, here as for every operation."""
    grad_x = grad_y
    return grad_x


@repeated.examples
def repeated_examples(rng):
    """A new axis and an old one; the shape that it has; one number."""
    draw = rng.standard_normal
    return [
        (draw((3, 1)), {"shape": (2, 3, 4)}),
        (draw((2, 3)), {"shape": (2, 3)}),
        (draw(()), {"shape": (2,)}),
    ]


@primitive
def flipped(x, *, axis=None):
    """The order of the elements turned round along an axis, several, or all.

    x (...) -> y (...)
    """
    y = np.flip(x, axis)
    return y


@flipped.backward
def flipped_backward(grad_y, axis):
    """Turned round twice is as it was."""
    grad_x = np.flip(grad_y, axis)
    return grad_x


@flipped.examples
def flipped_examples(rng):
    """All axes; the last; two."""
    draw = rng.standard_normal
    return [(draw((2, 3)),), (draw((2, 3)), {"axis": -1}), (draw((2, 3, 4)), {"axis": (0, 2)})]


@primitive
def padded(x, *, widths, value=0):
    """One value around x: widths is a pair (before, after) for every axis.

    x (...) -> y (*)
    """
    inside = tuple([slice(before, before + n) for (before, after), n in zip(widths, x.shape)])
    y = np.full_like(x, value, shape=[before + n + after for (before, after), n in zip(widths, x.shape)])
    y[inside] = x
    return y


@padded.backward
def padded_backward(grad_y, inside):
    """What lies around x is constant; the gradient of x is what lies inside."""
    grad_x = grad_y[inside]
    return grad_x


@padded.examples
def padded_examples(rng):
    """All sides; one side; none; around nothing."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)), {"widths": ((1, 2), (3, 1))}),
        (draw((2, 3)), {"widths": ((0, 0), (0, 1))}),
        (draw(3), {"widths": ((0, 0),)}),
        (draw((0, 2)), {"widths": ((1, 1), (0, 0))}),
    ]


@primitive
def joined(a, b, *, axis=0):
    """Two arrays one after the other along an axis.

    a (...), b (...) -> y (...)
    """
    cut = a.shape[axis]
    y = np.concatenate((a, b), axis=axis)
    return y


@joined.backward
def joined_backward(grad_y, cut, axis):
    """Each part gets the gradient of its own stretch."""
    whole = np.moveaxis(grad_y, axis, 0)
    grad_a = np.moveaxis(whole[:cut], 0, axis)
    grad_b = np.moveaxis(whole[cut:], 0, axis)
    return grad_a, grad_b


@joined.examples
def joined_examples(rng):
    """Rows below rows; columns beside columns; nothing and something."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)), draw((1, 3))),
        (draw((2, 3)), draw((2, 2)), {"axis": -1}),
        (draw((0, 2)), draw((3, 2))),
    ]


def ints(arguments):
    """Sizes or axes given one by one, or as one sequence.

    >>> ints((2, 3)), ints(([2, 3],)), ints((4,))
    ((2, 3), (2, 3), (4,))
    """
    first = arguments[0] if len(arguments) == 1 else None
    try:
        return tuple([index(i) for i in (first if isinstance(first, tuple | list | np.ndarray) else arguments)])
    except TypeError as error:
        raise TypeError(f"Sizes and axes are whole numbers, but {arguments!r} came.") from error


def places(dims, ndim):
    """Axes counted from the front; a number has one axis in this respect, which is 0 or -1, as in PyTorch.

    >>> places((0, -1), 3), places(-1, 0)
    ((0, 2), (0,))
    """
    return normalize_axis_tuple(dims, max(ndim, 1))


@implements(np.reshape)
def reshape(input, *sizes, shape=()):
    """Give the same elements another shape; -1 stands for what is left over.

    >>> from chalkgrad import arange
    >>> reshape(arange(6), 2, -1).shape
    (2, 3)
    """
    return reshaped(input, shape=ints(sizes or (shape,)))


def permute(input, *order, dims=None):
    """Put the axes in the order `dims`."""
    return permuted(input, axes=ints(order or (dims,)))


@implements(np.swapaxes)
def swapaxes(input, axis0, axis1):
    """Exchange two axes."""
    axes = list(range(np.ndim(input)))
    if axes:  # a number has none to exchange
        axes[axis0], axes[axis1] = axes[axis1], axes[axis0]
    return permuted(input, axes=tuple(axes))


@implements(np.transpose)
def transpose(input, *dims, dim0=None, dim1=None, axes=None):
    """Exchange two axes, as in PyTorch; put all in order, as in NumPy; reverse them, if none is named.

    >>> from chalkgrad import zeros
    >>> transpose(zeros(2, 3, 4), 0, 1).shape, transpose(zeros(2, 3, 4), (2, 0, 1)).shape
    ((3, 2, 4), (4, 2, 3))
    """
    if len(dims) == 2:
        return swapaxes(input, *dims)
    if dim0 is not None or dim1 is not None:
        return swapaxes(input, *dims, *(dim for dim in (dim0, dim1) if dim is not None))
    dims = dims or (axes,)
    return permuted(input, axes=tuple(range(np.ndim(input)))[::-1] if dims[0] is None else ints(dims))


@implements(np.moveaxis)
def movedim(input, source, destination):
    """Move an axis, or several, to another place; the others keep their order.

    >>> from chalkgrad import zeros
    >>> movedim(zeros(2, 3, 4), 0, -1).shape, movedim(zeros(2, 3, 4), (0, 1), (1, 2)).shape
    ((3, 4, 2), (4, 2, 3))
    """
    n = np.ndim(input)
    source, destination = places(source, n), places(destination, n)
    order = [axis for axis in range(n) if axis not in source]
    for place, axis in sorted(zip(destination, source, strict=True)) if n else ():
        order.insert(place, axis)
    return permuted(input, axes=tuple(order))


@implements(np.ravel)
def flatten(input, start_dim=0, end_dim=-1):
    """Run the axes from start_dim to end_dim together into one.

    >>> from chalkgrad import zeros
    >>> flatten(zeros(2, 3, 4), 1).shape
    (2, 12)
    """
    shape = input.shape or (1,)
    start, end = normalize_axis_tuple((start_dim, end_dim), len(shape), allow_duplicate=True)
    if start > end:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim} in shape {input.shape}.")
    size = int(np.prod(shape[start : end + 1], dtype=np.int64))
    return reshaped(input, shape=(*shape[:start], size, *shape[end + 1:]))


@implements(np.expand_dims)
def unsqueeze(input, dim=None, *, axis=None):
    """Add an axis of size 1 that becomes axis `dim`, or several."""
    dims = ints((dim if axis is None else axis,))
    shape = list(input.shape)
    for place in sorted(normalize_axis_tuple(dims, len(shape) + len(dims))):
        shape.insert(place, 1)
    return reshaped(input, shape=tuple(shape))


@implements(np.squeeze)
def squeeze(input, dim=None, axis=None):
    """Drop axes of size 1: those of `dim`, or all; one of another size is left alone, as in PyTorch."""
    dim, n = axis if dim is None else dim, np.ndim(input)
    dims = range(n) if dim is None else places(dim, n)
    return reshaped(input, shape=tuple(size for i, size in enumerate(input.shape) if i not in dims or size != 1))


@implements(np.broadcast_to)
def broadcast_to(input, shape):
    """Repeat axes of size 1 to a larger shape, without a copy; -1 keeps an axis as it is."""
    return repeated(input, shape=_grown(input, ints((shape,))))


def _grown(input, shape):
    own = (1,) * (len(shape) - input.ndim) + input.shape
    return tuple([n if size == -1 else size for size, n in zip(shape, own)])


@implements(np.flip)
def flip(input, *axes, dims=None, axis=None):
    """Turn the order round along the axes `dims`, or along all."""
    given = axes or (dims if axis is None else axis,)
    return flipped(input, axis=None if given[0] is None else places(ints(given), np.ndim(input))[:np.ndim(input)])


@implements(np.concatenate)
def concatenate(tensors, axis=0):
    """Join arrays along an axis that they have; a row without elements goes with all shapes, as in PyTorch."""
    if not len(tensors):
        raise ValueError("concatenate: at least one array is needed, but none came.")
    try:
        if any(t.ndim != 1 for t in tensors):
            tensors = [t for t in tensors if t.shape != (0,)] or tensors[:1]
    except AttributeError as error:
        raise TypeError(f"Tensors can be joined, but one of these is none: {tensors!r:.200}.") from error
    return _join(tensors, axis) if len(tensors) > 1 else np.copy(tensors[0])


def _join(tensors, axis):
    """Join by halves: one after the other would copy the first ones again and again."""
    if len(tensors) == 1:
        return tensors[0]
    half = len(tensors) // 2
    return joined(_join(tensors[:half], axis), _join(tensors[half:], axis), axis=axis)


def cat(tensors, dim=0):
    """Join tensors along an axis that they have.

    >>> from chalkgrad import ones, zeros
    >>> cat([ones(2), zeros(1)])
    tensor([1., 1., 0.])
    """
    if isinstance(tensors, Tensor):
        raise TypeError(f"cat: a list or tuple of tensors was expected, but one of shape {tensors.shape} came.")
    return concatenate(tensors, axis=dim)


@implements(np.stack)
def stack(tensors, dim=0, *, axis=None):
    """Join tensors along a new axis.

    >>> from chalkgrad import ones, zeros
    >>> stack([ones(2), zeros(2)])
    tensor([[1., 1.],
            [0., 0.]])
    """
    dim = dim if axis is None else axis
    return concatenate([unsqueeze(t, dim) for t in tensors], axis=dim)


@implements(np.pad)
def pad(input, pad_width):
    """Put zeros around: `pad_width` is a pair (before, after) for every axis, as in NumPy."""
    return padded(input, widths=tuple((int(a), int(b)) for a, b in pad_width))


attach(
    T=property(lambda self: transpose(self)),
    broadcast_to=broadcast_to,
    expand=lambda self, *shape: broadcast_to(self, ints(shape)),
    flatten=flatten,
    flip=flip,
    mT=property(lambda self: swapaxes(self, -1, -2)),
    movedim=movedim,
    permute=permute,
    reshape=reshape,
    squeeze=squeeze,
    swapaxes=swapaxes,
    t=lambda self: transpose(self),
    transpose=transpose,
    unsqueeze=unsqueeze,
    view=reshape,
)

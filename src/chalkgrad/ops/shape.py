"""The same elements in another arrangement."""

import numpy as np

from ..engine.primitive import primitive
from ..engine.tensor import Tensor, implements

__all__ = [
    "broadcast_to", "cat", "concatenate", "flatten", "flip", "movedim", "pad", "permute", "reshape", "squeeze", "stack",
    "swapaxes", "transpose", "unsqueeze",
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


@primitive
def permuted(x, *, axes):
    """The axes in another order.

    x (...) -> y (*)
    """
    back = np.argsort(axes)
    y = np.transpose(x, axes)
    return y


@permuted.backward
def permuted_backward(grad_y, back):
    """The axes go back to where they were."""
    grad_x = np.transpose(grad_y, back)
    return grad_x


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


@primitive
def padded(x, *, widths):
    """Zeros around x: widths is a pair (before, after) for every axis.

    x (...) -> y (*)
    """
    inside = tuple([slice(before, before + n) for (before, after), n in zip(widths, x.shape)])
    y = np.zeros_like(x, shape=[before + n + after for (before, after), n in zip(widths, x.shape)])
    y[inside] = x
    return y


@padded.backward
def padded_backward(grad_y, inside):
    """The zeros are constants; the gradient of x is what lies inside them."""
    grad_x = grad_y[inside]
    return grad_x


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


def _ints(arguments):
    """Sizes or axes given one by one, or as one sequence."""
    first = arguments[0] if len(arguments) == 1 else None
    return tuple(int(i) for i in (first if isinstance(first, tuple | list) else arguments))


@implements(np.reshape)
def reshape(input, *shape, **named):
    """Give the same elements another shape; -1 stands for what is left over.

    >>> from chalkgrad import arange
    >>> reshape(arange(6), 2, -1).shape
    (2, 3)
    """
    return reshaped(input, shape=_ints(shape or (named.pop("shape"),)))


def permute(input, *dims):
    """Put the axes in the order `dims`."""
    return permuted(input, axes=_ints(dims))


@implements(np.swapaxes)
def swapaxes(input, axis0, axis1):
    """Exchange two axes."""
    axes = list(range(np.ndim(input)))
    axes[axis0], axes[axis1] = axes[axis1], axes[axis0]
    return permuted(input, axes=tuple(axes))


@implements(np.transpose)
def transpose(input, *axes, **named):
    """Exchange two axes, as in PyTorch; put all in order, as in NumPy; reverse them, if none is named.

    >>> from chalkgrad import zeros
    >>> transpose(zeros(2, 3, 4), 0, 1).shape, transpose(zeros(2, 3, 4), (2, 0, 1)).shape
    ((3, 2, 4), (4, 2, 3))
    """
    axes = axes or ((named["axes"],) if named.get("axes") is not None else ())
    if len(axes) == 2:
        return swapaxes(input, *axes)
    order = _ints(axes) if axes and axes[0] is not None else tuple(range(np.ndim(input)))[::-1]
    return permuted(input, axes=order)


@implements(np.moveaxis)
def movedim(input, source, destination):
    """Move an axis to another place; the others keep their order."""
    axes = list(range(np.ndim(input)))
    axes.insert(destination % len(axes), axes.pop(source))
    return permuted(input, axes=tuple(axes))


def flatten(input, start_dim=0, end_dim=-1):
    """Run the axes from start_dim to end_dim together into one.

    >>> from chalkgrad import zeros
    >>> flatten(zeros(2, 3, 4), 1).shape
    (2, 12)
    """
    shape = input.shape or (1,)
    start, end = start_dim % len(shape), end_dim % len(shape)
    if start > end:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim} in shape {input.shape}.")
    size = int(np.prod(shape[start : end + 1], dtype=np.int64))
    return reshaped(input, shape=shape[:start] + (size,) + shape[end + 1 :])


@implements(np.expand_dims)
def unsqueeze(input, dim):
    """Add an axis of size 1 before `dim`."""
    shape, n = list(input.shape), np.ndim(input)
    shape.insert(dim % (n + 1), 1)
    return reshaped(input, shape=tuple(shape))


@implements(np.squeeze)
def squeeze(input, dim=None, axis=None):
    """Drop axes of size 1: those of `dim`, or all; one of another size is left alone, as in PyTorch."""
    dim = axis if dim is None else dim
    dims = range(np.ndim(input)) if dim is None else [d % np.ndim(input) for d in (dim if isinstance(dim, tuple) else (dim,))]
    return reshaped(input, shape=tuple(n for i, n in enumerate(input.shape) if i not in dims or n != 1))


@implements(np.broadcast_to)
def broadcast_to(input, shape):
    """Repeat axes of size 1 to a larger shape, without a copy."""
    return repeated(input, shape=tuple(shape))


@implements(np.flip)
def flip(input, dims=None):
    """Turn the order round along `dims`."""
    return flipped(input, axis=dims if dims is None or isinstance(dims, int) else tuple(dims))


@implements(np.concatenate)
def concatenate(tensors, axis=0):
    """Join arrays along an axis that they have."""
    first, *others = tensors
    for other in others:
        first = joined(first, other, axis=axis)
    return first


def cat(tensors, dim=0):
    """Join tensors along an axis that they have.

    >>> from chalkgrad import ones, zeros
    >>> cat([ones(2), zeros(1)])
    tensor([1., 1., 0.])
    """
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


for _name in ("reshape", "permute", "transpose", "swapaxes", "movedim", "flatten", "unsqueeze", "squeeze", "flip"):
    setattr(Tensor, _name, globals()[_name])
Tensor.view      = reshape
Tensor.expand    = lambda self, *shape: broadcast_to(self, _grown(self, _ints(shape)))
Tensor.T         = property(transpose)
Tensor.mT        = property(lambda self: swapaxes(self, -1, -2))


def _grown(self, shape):
    """-1 keeps an axis as it is."""
    own = (1,) * (len(shape) - self.ndim) + self.shape
    return tuple(n if size == -1 else size for size, n in zip(shape, own))

"""The same elements again and again, or turned in a circle."""

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..engine.primitive import primitive
from ..engine.tensor import Tensor, implements
from .attach import attach
from .shape import broadcast_to, flip, ints, permuted, places, reshape, swapaxes

__all__ = ["fliplr", "flipud", "repeat", "repeat_interleave", "roll", "rolled", "rot90", "tile"]


def repeat(input, *repeats):
    """Put a tensor beside itself: so many times along each axis; axes may be added in front. As np.tile.

    >>> from chalkgrad import tensor
    >>> tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    times = ints(repeats)
    if len(times) < input.ndim or min(times, default=0) < 0:
        raise ValueError(f"repeat: {times} came for shape {input.shape}; each axis is repeated 0 times or more.")
    shape = (1,) * (len(times) - input.ndim) + input.shape
    pairs = [size for pair in zip(times, shape) for size in pair]
    alone = [size for n in shape for size in (1, n)]
    wide = broadcast_to(reshape(input, alone), pairs)
    return reshape(wide, [count * n for count, n in zip(times, shape)])


def tile(input, *times, dims=None):
    """Put a tensor beside itself: so many times along each of the last axes.

    >>> from chalkgrad import tensor
    >>> tile(tensor([[1, 2], [3, 4]]), (2,)).tolist()
    [[1, 2, 1, 2], [3, 4, 3, 4]]
    """
    times = ints(times or (dims,))
    return repeat(input, (1,) * (input.ndim - len(times)) + times)


def repeat_interleave(input, repeats, dim=None, *, output_size=None):
    """Repeat each element, right behind itself, along an axis; in one row, if no axis is named.

    repeats      one number, or one for each element of the axis
    output_size  how long the axis becomes, which is checked

    >>> from chalkgrad import tensor
    >>> repeat_interleave(tensor([1, 2]), 2), repeat_interleave(tensor([1, 2]), tensor([3, 1]))
    (tensor([1, 1, 2, 2]), tensor([1, 1, 1, 2]))
    """
    if dim is None:
        input, dim = reshape(input, -1), 0
    axis, = places(dim, input.ndim)
    input = input if input.ndim else reshape(input, 1)
    counts = repeats.tolist() if isinstance(repeats, Tensor) else repeats
    counts = counts[0] if isinstance(counts, list | tuple) and len(counts) == 1 else counts
    if (np.ndim(counts) and len(counts) != input.shape[axis]) or np.min(counts, initial=0) < 0:
        raise ValueError(f"repeat_interleave: {counts} came for axis {dim} of shape {input.shape}.")
    made = _each_again(input, counts, axis) if not np.ndim(counts) else _by_counts(input, counts, axis)
    if output_size is not None and output_size != made.shape[axis]:
        raise ValueError(f"repeat_interleave: output_size is {output_size}, but it came to {made.shape[axis]}.")
    return made


def _each_again(input, count, axis):
    shape = input.shape
    wide = broadcast_to(reshape(input, *shape[: axis + 1], 1, *shape[axis + 1 :]),
                        (*shape[: axis + 1], count, *shape[axis + 1 :]))
    return reshape(wide, (*shape[:axis], shape[axis] * count, *shape[axis + 1 :]))


def _by_counts(input, counts, axis):
    places = tuple([place for place, count in enumerate(counts) for _ in range(count)])
    return input[(*(slice(None),) * axis, places or slice(0, 0))]


@implements(np.repeat)
def _repeated(a, repeats, axis=None):
    return repeat_interleave(a, repeats, axis)


@implements(np.tile)
def _tiled(A, reps):
    return tile(A, reps)


@primitive
def rolled(x, *, shift, axis):
    """Move all elements on along an axis, or several; what falls off one end comes in at the other.

    x (...) -> y (...)
    """
    y = np.roll(x, shift, axis)
    return y


@rolled.backward
def rolled_backward(grad_y, shift, axis):
    """Each gradient goes back by as much."""
    back = tuple([-n for n in shift])
    grad_x = np.roll(grad_y, back, axis)
    return grad_x


@rolled.examples
def rolled_examples(rng):
    """One axis; two, one of them by more than its size; by nothing; nothing."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)), {"shift": (1,), "axis": (1,)}),
        (draw((2, 3)), {"shift": (-1, 4), "axis": (0, -1)}),
        (draw(3), {"shift": (0,), "axis": (0,)}),
        (draw((0, 2)), {"shift": (1,), "axis": (0,)}),
    ]


def roll(input, shifts, dims=None):
    """Move all elements on along an axis, or several; along the row of all of them, if no axis is named.

    >>> from chalkgrad import tensor
    >>> roll(tensor([1, 2, 3]), 1), roll(tensor([[1, 2], [3, 4]]), 1).tolist()
    (tensor([3, 1, 2]), [[4, 1], [2, 3]])
    """
    shifts, row = ints((shifts,)), dims is None or dims == ()
    dims = (0,) if row else ints((dims,))
    if len(dims) != len(shifts):
        raise ValueError(f"roll: {len(shifts)} shifts came for {len(dims)} axes.")
    if row:
        return reshape(rolled(reshape(input, -1), shift=shifts, axis=dims), input.shape)
    return rolled(input, shift=shifts, axis=normalize_axis_tuple(dims, input.ndim))


@implements(np.roll)
def _np_roll(a, shift, axis=None):
    return roll(a, shift, axis)


def fliplr(input):
    """Turn the order round along the second axis."""
    if input.ndim < 2:
        raise ValueError(f"fliplr: two axes are needed, but the shape is {input.shape}.")
    return flip(input, 1)


def flipud(input):
    """Turn the order round along the first axis."""
    if not input.ndim:
        raise ValueError("flipud: a number has no axis; x.reshape(1) has one.")
    return flip(input, 0)


def rot90(input, k=1, dims=(0, 1)):
    """Turn the plane of two axes by k quarters, from the first axis towards the second.

    >>> from chalkgrad import tensor
    >>> rot90(tensor([[1, 2], [3, 4]])).tolist()
    [[2, 4], [1, 3]]
    """
    one, other = places(dims, input.ndim)
    match k % 4:
        case 0:
            return permuted(input, axes=tuple(range(input.ndim)))
        case 1:
            return swapaxes(flip(input, other), one, other)
        case 2:
            return flip(input, one, other)
    return flip(swapaxes(input, one, other), other)


implements(np.fliplr)(fliplr)
implements(np.flipud)(flipud)
implements(np.rot90)(lambda m, k=1, axes=(0, 1): rot90(m, k, axes))
attach(
    fliplr=fliplr, flipud=flipud, repeat=repeat, repeat_interleave=repeat_interleave, roll=roll, rot90=rot90, tile=tile,
)

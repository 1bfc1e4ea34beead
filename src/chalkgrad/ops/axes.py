"""Axes by other names: as another tensor has them, taken apart, put in front, or seen through a window."""

import weakref

import numpy as np

from ..engine.primitive import primitive
from ..engine.tape import mode
from ..engine.tensor import implements
from ..law.errors import GradError
from ..law.shapes import unbroadcast
from .attach import attach
from .shape import broadcast_to, ints, movedim, places, reshape, squeeze, swapaxes, transpose, unsqueeze

__all__ = [
    "adjoint", "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_shapes", "broadcast_tensors", "expand_as",
    "moveaxis", "part_along", "ravel", "several", "sum_to_size", "swapdims", "t", "unflatten", "unfold_axis",
    "view_as", "windows", "windows_of",
]


def ravel(input):
    """All elements in one row.

    >>> from chalkgrad import zeros
    >>> ravel(zeros(2, 3)).shape
    (6,)
    """
    return reshape(input, -1) if input.ndim != 1 else reshape(input, input.shape)


def view_as(input, other):
    """The same elements in the shape of another tensor."""
    return reshape(input, other.shape)


def unflatten(input, dim, sizes):
    """Take one axis apart into several: the reverse of flatten. One size may be -1.

    >>> from chalkgrad import zeros
    >>> unflatten(zeros(2, 12), 1, (3, -1)).shape
    (2, 3, 4)
    """
    place, = places(dim, input.ndim)
    n, sizes = input.shape[place], ints((sizes,))
    known = int(np.prod([size for size in sizes if size != -1], dtype=np.int64))
    sizes = tuple(n // known if size == -1 and known else size for size in sizes)
    if int(np.prod(sizes, dtype=np.int64)) != n:
        raise ValueError(f"unflatten: axis {dim} of shape {input.shape} cannot be taken apart into sizes {sizes}.")
    return reshape(input, (*input.shape[:place], *sizes, *input.shape[place + 1 :]))


def expand_as(input, other):
    """Repeat axes of size 1 to the shape of another tensor."""
    return broadcast_to(input, other.shape)


def broadcast_shapes(*shapes):
    """The shape that arrays of these shapes have together.

    >>> broadcast_shapes((3, 1), (4,), 1)
    (3, 4)
    """
    return np.broadcast_shapes(*[(shape,) if isinstance(shape, int) else tuple(shape) for shape in shapes])


def several(tensors):
    """Tensors given one by one, or as one list of them.

    >>> several((1, 2)), several(([1, 2],))
    ((1, 2), (1, 2))
    """
    return tuple(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else tensors


def broadcast_tensors(*tensors):
    """Repeat tensors to the shape that they have together.

    >>> from chalkgrad import zeros
    >>> [y.shape for y in broadcast_tensors(zeros(3, 1), zeros(4))]
    [(3, 4), (3, 4)]
    """
    tensors = several(tensors)
    shape = np.broadcast_shapes(*[tensor.shape for tensor in tensors])
    return tuple(broadcast_to(tensor, shape) for tensor in tensors)


def t(input):
    """The transpose of a matrix; a row or a number stays as it is."""
    if input.ndim > 2:
        raise ValueError(f"t: a matrix was expected, but the shape is {input.shape}; x.mT exchanges the last two axes.")
    return transpose(input)


def adjoint(input):
    """The transposes of a stack of matrices."""
    return swapaxes(input, -1, -2)


def swapdims(input, dim0, dim1):
    """Exchange two axes."""
    return swapaxes(input, dim0, dim1)


def moveaxis(input, source, destination):
    """Move an axis, or several, to another place; the others keep their order."""
    return movedim(input, source, destination)


def _several(one):
    """Let a function of one tensor take several, or a list of them, and return as many."""

    def each(*tensors):
        tensors = several(tensors)
        return one(tensors[0]) if len(tensors) == 1 else tuple(map(one, tensors))

    each.__doc__, each.__name__ = one.__doc__, one.__name__
    return each


@_several
def atleast_1d(input):
    """A number becomes a row of one."""
    return input if input.ndim else reshape(input, 1)


@_several
def atleast_2d(input):
    """Axes of size 1 are put in front, until there are two."""
    return input if input.ndim >= 2 else reshape(input, 1, -1)


@_several
def atleast_3d(input):
    """Axes of size 1 are added until there are three: a row (n) becomes (1, n, 1), a matrix (n, m) becomes (n, m, 1).

    >>> from chalkgrad import zeros
    >>> atleast_3d(zeros(4)).shape, atleast_3d(zeros(2, 3)).shape
    ((1, 4, 1), (2, 3, 1))
    """
    return input if input.ndim >= 3 else unsqueeze(input, -1) if input.ndim == 2 else reshape(input, 1, -1, 1)


implements(np.atleast_1d)(atleast_1d)
implements(np.atleast_2d)(atleast_2d)


def part_along(axis, start, length, step):
    """The index of every `step`-th element along an axis.

    >>> np.arange(10)[part_along(0, 1, 5, 2)]
    array([1, 3, 5])
    """
    return (*[slice(None)] * axis, slice(start, start + length, step))


def windows_of(x, axis, size, step):
    """Windows of an array along an axis, as a new last axis.

    A copy, though it could be a view: an element stands in several windows, and a view in which it does cannot be
    written to.
    """
    seen = np.lib.stride_tricks.sliding_window_view(x, size, axis)
    return seen[part_along(axis, 0, seen.shape[axis], step)].copy()


@primitive
def windows(x, *, axis, size, step):
    """Stretches of one size along an axis, one every `step`, each as a row of a new last axis.

    x (...) -> y (*)
    """
    shape = x.shape
    y = windows_of(x, axis, size, step)
    return y


@windows.backward
def windows_backward(grad_y, shape, axis, size, step):
    """An element stands in several windows, and gets the sum of their gradients: one offset in the window at a time."""
    grad_x = np.zeros_like(grad_y, shape=shape)
    length = step * (grad_y.shape[axis] - 1) + 1
    for offset in range(size):
        grad_x[part_along(axis, offset, length, step)] += grad_y[..., offset]
    return grad_x


@windows.examples
def windows_examples(rng):
    """Overlapping; with gaps, along the first axis; a single one."""
    draw = rng.standard_normal
    return [
        (draw((2, 5)), {"axis": 1, "size": 3, "step": 1}),
        (draw((7, 2)), {"axis": 0, "size": 2, "step": 3}),
        (draw(3), {"axis": 0, "size": 3, "step": 2}),
    ]


@implements(np.lib.stride_tricks.sliding_window_view)
def _sliding(x, window_shape, axis):
    return windows(x, axis=axis, size=window_shape, step=1)


def unfold_axis(input, dimension, size, step):
    """Tensor.unfold: stretches of one size along an axis, one every `step`, as a new last axis.

    >>> from chalkgrad import arange
    >>> arange(5).unfold(0, 3, 2)
    tensor([[0, 1, 2],
            [2, 3, 4]])
    """
    if not input.ndim:
        return reshape(input, 1)[:size]
    axis, = places(dimension, input.ndim)
    if step < 1 or not 0 <= size <= input.shape[axis]:
        raise ValueError(f"unfold: windows of {size}, one every {step}, do not fit into axis {dimension} of shape "
                         f"{input.shape}.")
    return windows(input, axis=axis, size=size, step=step)


def sum_to_size(input, *size):
    """Sum over what was broadcast, down to a shape that broadcasts to this one.

    >>> from chalkgrad import ones
    >>> sum_to_size(ones(2, 3), 1, 3)
    tensor([[2., 2., 2.]])
    """
    shape = ints(size)
    if np.broadcast_shapes(shape, input.shape) != input.shape:
        raise ValueError(f"sum_to_size: a tensor of shape {input.shape} is not made by broadcasting one of {shape}.")
    return unbroadcast(input, shape) if shape != input.shape or not shape else input


def _turning(operation):
    """Let a tensor take the shape of a view of itself; its memory stays where it is.

    Who knew the tensor as a view, or as what it is a view of, knows the one that it was from now on.
    """

    def turn(self, *dims):
        if self.requires_grad and self.node is None and mode.grad_enabled:
            raise GradError("A leaf that requires a gradient was changed in place; do it under no_grad().")
        was = self.detach()
        was.node, was.requires_grad, was.view_of = self.node, self.requires_grad, self.view_of
        made = operation(was, *dims)
        for view in [reference() for reference in self.views or ()]:
            if view is not None:
                view.view_of = (was, *view.view_of[1:])
        if was.view_of is not None:
            base = was.view_of[0]
            base.views = [weakref.ref(was) if each() is self else each for each in base.views]
        was.views, self.views = [*(self.views or ()), weakref.ref(self)], None
        self.data, self.node, self.view_of = made.data, made.node, made.view_of
        return self

    return turn


attach(
    H=property(t), adjoint=adjoint, expand_as=expand_as, mH=property(adjoint), moveaxis=moveaxis, ravel=ravel,
    reshape_as=view_as, sum_to_size=sum_to_size, swapdims=swapdims, t=t, unflatten=unflatten, unfold=unfold_axis,
    squeeze_=_turning(squeeze), swapaxes_=_turning(swapaxes), swapdims_=_turning(swapaxes), t_=_turning(t),
    transpose_=_turning(transpose), unsqueeze_=_turning(unsqueeze), view_as=view_as,
)

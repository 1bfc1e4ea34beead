"""Triangles and diagonals of matrices."""

import numpy as np

from ..engine.primitive import primitive
from ..engine.tensor import implements
from .attach import attach, attach_both, in_place
from .choice import where
from .compare import flat
from .reduce import sum
from .shape import flatten, places

__all__ = [
    "diag", "diag_embed", "diagflat", "diagonal", "diagonal_mask", "diagonal_of", "diagonal_scatter", "embedded",
    "fill_diagonal_", "lower", "part_of_diagonal", "put_diagonal", "trace", "tril", "tril_indices", "tril_places",
    "triu", "triu_indices", "triu_places", "upper", "with_diagonal",
]


@primitive
def lower(x, *, diagonal=0):
    """What is on and below a diagonal of each matrix; zeros above.

    x (..., n, m) -> y (..., n, m)
    """
    y = np.tril(x, diagonal)
    return y


@lower.backward
def lower_backward(grad_y, diagonal):
    """What was replaced by a zero has no say in the loss."""
    grad_x = np.tril(grad_y, diagonal)
    return grad_x


@lower.examples
def lower_examples(rng):
    """A matrix; a stack, without the diagonal; all of it."""
    draw = rng.standard_normal
    return [(draw((3, 4)),), (draw((2, 3, 3)), {"diagonal": -1}), (draw((2, 3)), {"diagonal": 5})]


@primitive
def upper(x, *, diagonal=0):
    """What is on and above a diagonal of each matrix; zeros below.

    x (..., n, m) -> y (..., n, m)
    """
    y = np.triu(x, diagonal)
    return y


@upper.backward
def upper_backward(grad_y, diagonal):
    """What was replaced by a zero has no say in the loss."""
    grad_x = np.triu(grad_y, diagonal)
    return grad_x


@upper.examples
def upper_examples(rng):
    """A matrix; a stack, without the diagonal; all of it."""
    draw = rng.standard_normal
    return [(draw((3, 4)),), (draw((2, 3, 3)), {"diagonal": 1}), (draw((2, 3)), {"diagonal": -5})]


def _matrix(name, input):
    if input.ndim < 2:
        raise ValueError(f"{name}: a matrix was expected, but the shape is {input.shape}.")


def tril(input, diagonal=0):
    """What is on and below a diagonal of each matrix, counted upwards from the main one; zeros above.

    >>> from chalkgrad import ones
    >>> tril(ones(2, 3))
    tensor([[1., 0., 0.],
            [1., 1., 0.]])
    """
    _matrix("tril", input)
    return lower(input, diagonal=diagonal)


def triu(input, diagonal=0):
    """What is on and above a diagonal of each matrix, counted upwards from the main one; zeros below."""
    _matrix("triu", input)
    return upper(input, diagonal=diagonal)


implements(np.tril)(lambda m, k=0: tril(m, k))
implements(np.triu)(lambda m, k=0: triu(m, k))


def tril_places(row, col, offset, dtype):
    """Coordinates of what tril leaves, row by row."""
    return np.stack(np.tril_indices(row, offset, col)).astype(dtype)


def triu_places(row, col, offset, dtype):
    """Coordinates of what triu leaves, row by row."""
    return np.stack(np.triu_indices(row, offset, col)).astype(dtype)


def tril_indices(row, col, offset=0, *, dtype=np.int64):
    """Coordinates of what tril leaves of a matrix with so many rows and columns: a row for each of the two axes.

    >>> tril_indices(2, 2).tolist()
    [[0, 1, 1], [0, 0, 1]]
    """
    return flat(tril_places)(row, col, offset, np.dtype(dtype))


def triu_indices(row, col, offset=0, *, dtype=np.int64):
    """Coordinates of what triu leaves of a matrix with so many rows and columns: a row for each of the two axes.

    >>> triu_indices(2, 2).tolist()
    [[0, 0, 1], [0, 1, 1]]
    """
    return flat(triu_places)(row, col, offset, np.dtype(dtype))


def diagonal_of(x, offset, axis1, axis2):
    """A diagonal as a view that can be written to; np.diagonal's cannot."""
    y = np.diagonal(x, offset, axis1, axis2)
    if isinstance(y, np.ndarray) and x.flags.writeable:
        y.flags.writeable = True
    return y


def with_diagonal(x, src, offset, axis1, axis2):
    """A copy of x with another diagonal of the matrices along two axes, which is the last axis of the source.

    >>> with_diagonal(np.zeros((2, 3), int), np.array([1, 2]), 1, 0, 1)
    array([[0, 1, 0],
           [0, 0, 2]])
    """
    order = (*[i for i in range(x.ndim) if i not in (axis1, axis2)], axis1, axis2)
    rows = np.arange(src.shape[-1]) + max(0, -offset)
    y = np.transpose(x, order).copy()
    y[..., rows, rows + offset] = src
    return np.transpose(y, np.argsort(order))


@primitive
def part_of_diagonal(x, *, offset, axis1, axis2):
    """A diagonal of the matrices along two axes, as a last axis.

    x (...) -> y (*)
    """
    shape = x.shape
    y = diagonal_of(x, offset, axis1, axis2)
    return y


@part_of_diagonal.backward
def part_of_diagonal_backward(grad_y, shape, offset, axis1, axis2):
    """What was picked gets its gradient; everything else had no say."""
    grad_x = with_diagonal(np.zeros_like(grad_y, shape=shape), grad_y, offset, axis1, axis2)
    return grad_x


@part_of_diagonal.examples
def part_of_diagonal_examples(rng):
    """The main one; one above it, of a wide matrix; of a stack along other axes; beyond the corner."""
    draw = rng.standard_normal
    return [
        (draw((3, 3)), {"offset": 0, "axis1": 0, "axis2": 1}),
        (draw((2, 4)), {"offset": 1, "axis1": 0, "axis2": 1}),
        (draw((3, 2, 4)), {"offset": -1, "axis1": 2, "axis2": 0}),
        (draw((2, 2)), {"offset": 5, "axis1": 0, "axis2": 1}),
    ]


@implements(np.diagonal)
def _np_diagonal(a, offset=0, axis1=0, axis2=1):
    return diagonal(a, offset, axis1, axis2)


def diagonal(input, offset=0, dim1=0, dim2=1):
    """A diagonal of the matrices along two axes, as a last axis: a view. It lies `offset` above the main one.

    >>> from chalkgrad import tensor
    >>> diagonal(tensor([[1, 2], [3, 4]])), diagonal(tensor([[1, 2], [3, 4]]), 1)
    (tensor([1, 4]), tensor([2]))
    """
    axis1, axis2 = _two_axes("diagonal", dim1, dim2, input.ndim)
    return part_of_diagonal(input, offset=offset, axis1=axis1, axis2=axis2)


def _two_axes(name, dim1, dim2, ndim):
    one, other = places(dim1, ndim)[0], places(dim2, ndim)[0]
    if one == other:
        raise ValueError(f"{name}: dim1={dim1} and dim2={dim2} are the same axis; two are needed.")
    return one, other


@primitive
def embedded(x, *, shape, offset, axis1, axis2):
    """Zeros of a shape, with x on a diagonal of the matrices along two axes.

    x (...) -> y (*)
    """
    y = with_diagonal(np.zeros_like(x, shape=shape), x, offset, axis1, axis2)
    return y


@embedded.backward
def embedded_backward(grad_y, offset, axis1, axis2):
    """Each element gets the gradient of where it was put."""
    grad_x = np.diagonal(grad_y, offset, axis1, axis2)
    return grad_x


@embedded.examples
def embedded_examples(rng):
    """One row; a stack, below the diagonal."""
    draw = rng.standard_normal
    return [
        (draw(2), {"shape": (2, 2), "offset": 0, "axis1": 0, "axis2": 1}),
        (draw((3, 2)), {"shape": (3, 3, 3), "offset": -1, "axis1": 0, "axis2": 2}),
    ]


def diag_embed(input, offset=0, dim1=-2, dim2=-1):
    """Matrices with the rows of a tensor on a diagonal, and zeros elsewhere.

    >>> from chalkgrad import tensor
    >>> diag_embed(tensor([1, 2]), 1).tolist()
    [[0, 1, 0], [0, 0, 2], [0, 0, 0]]
    """
    axis1, axis2 = _two_axes("diag_embed", dim1, dim2, input.ndim + 1)
    n = input.shape[-1] + abs(offset)
    shape = list(input.shape[:-1])
    for axis in sorted((axis1, axis2)):
        shape.insert(axis, n)
    return embedded(input, shape=tuple(shape), offset=offset, axis1=axis1, axis2=axis2)


def diag(input, diagonal=0):
    """A square matrix with a row on its diagonal; given a matrix, its diagonal.

    >>> from chalkgrad import tensor
    >>> diag(tensor([1, 2])).tolist(), diag(tensor([[1, 2], [3, 4]]))
    ([[1, 0], [0, 2]], tensor([1, 4]))
    """
    if input.ndim not in (1, 2):
        raise ValueError(f"diag: a row or a matrix was expected, but the shape is {input.shape}; for stacks there are "
                         "diagonal and diag_embed.")
    return diag_embed(input, diagonal) if input.ndim == 1 else _np_diagonal(input, diagonal)


def diagflat(input, offset=0):
    """A square matrix with all elements on its diagonal."""
    return diag_embed(flatten(input), offset)


def trace(input):
    """The sum of the diagonal of a matrix.

    >>> from chalkgrad import tensor
    >>> trace(tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    if input.ndim != 2:
        raise ValueError(f"trace: a matrix was expected, but the shape is {input.shape}.")
    return sum(diagonal(input))


@primitive
def put_diagonal(x, src, *, offset, axis1, axis2):
    """A copy of x with another diagonal of the matrices along two axes.

    x (...), src (*) -> y (...)
    """
    y = with_diagonal(x, src, offset, axis1, axis2)
    return y


@put_diagonal.backward
def put_diagonal_backward(grad_y, offset, axis1, axis2):
    """What was written over has no say in the loss any more; what was written gets the gradient of its place."""
    grad_src = np.diagonal(grad_y, offset, axis1, axis2)
    grad_x = with_diagonal(grad_y, np.zeros_like(grad_src), offset, axis1, axis2)
    return grad_x, grad_src


@put_diagonal.examples
def put_diagonal_examples(rng):
    """A matrix; a stack, above the diagonal."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)), draw(2), {"offset": 0, "axis1": 0, "axis2": 1}),
        (draw((2, 3, 3)), draw((2, 2)), {"offset": 1, "axis1": 1, "axis2": 2}),
    ]


def diagonal_scatter(input, src, offset=0, dim1=0, dim2=1):
    """A copy with another diagonal of the matrices along two axes, which is the last axis of the source.

    >>> from chalkgrad import ones, zeros
    >>> diagonal_scatter(zeros(2, 2), ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    axis1, axis2 = _two_axes("diagonal_scatter", dim1, dim2, input.ndim)
    shape = np.diagonal(np.broadcast_to(0, input.shape), offset, axis1, axis2).shape
    if src.shape != shape:
        raise ValueError(f"diagonal_scatter: the diagonal has shape {shape}, but the source {src.shape}.")
    return put_diagonal(input, src, offset=offset, axis1=axis1, axis2=axis2)


def diagonal_mask(shape, wrap):
    """Whether an element is on the diagonal, from the first corner to the last; it begins anew below, if it wraps."""
    mask = np.zeros(shape, np.bool_)
    np.fill_diagonal(mask, True, wrap)
    return mask


def fill_diagonal_(self, fill_value, wrap=False):
    """Write one value over the diagonal.

    wrap  begin anew below it, one row later, if the matrix is tall

    >>> from chalkgrad import zeros
    >>> zeros(2, 2).fill_diagonal_(5)
    tensor([[5., 0.],
            [0., 5.]])
    """
    if self.ndim < 2 or (self.ndim > 2 and len({*self.shape}) > 1):
        raise ValueError(f"fill_diagonal_: a matrix was expected, or axes of one size, but the shape is {self.shape}.")
    mask = flat(diagonal_mask)(tuple(self.shape), wrap)
    return in_place(lambda x: where(mask, fill_value, x))(self)


implements(np.diag)(lambda v, k=0: diag(v, k))
implements(np.diagflat)(lambda v, k=0: diagflat(v, k))
implements(np.trace)(lambda a, offset=0, axis1=0, axis2=1: sum(diagonal(a, offset, axis1, axis2), -1))
attach_both(tril, triu)
attach(
    diag=diag, diag_embed=diag_embed, diagflat=diagflat, diagonal=diagonal, diagonal_scatter=diagonal_scatter,
    fill_diagonal_=fill_diagonal_, trace=trace,
)

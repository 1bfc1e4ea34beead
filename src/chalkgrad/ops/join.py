"""Several arrays into one, by other ways than along an axis that they have: beside, below and behind each other."""

import itertools

import numpy as np

from ..engine.tensor import implements
from .axes import atleast_1d, atleast_2d, atleast_3d, broadcast_tensors, several
from .shape import cat, padded, reshape, stack

__all__ = [
    "block_diag", "cartesian_prod", "column_stack", "combinations", "concat", "dstack", "hstack", "meshgrid",
    "row_stack", "vstack",
]


def concat(tensors, dim=0):
    """Join tensors along an axis that they have."""
    return cat(tensors, dim)


def hstack(tensors):
    """Join beside each other: along the second axis, or along the only one.

    >>> from chalkgrad import ones, zeros
    >>> hstack([ones(2, 1), zeros(2, 2)]).shape
    (2, 3)
    """
    tensors = _each(atleast_1d, tensors)
    return cat(tensors, 0 if tensors[0].ndim == 1 else 1)


def vstack(tensors):
    """Join below each other: along the first axis of at least two."""
    return cat(_each(atleast_2d, tensors), 0)


implements(np.hstack)(hstack)
implements(np.vstack)(vstack)


def row_stack(tensors):
    """Join below each other; the same as vstack."""
    return vstack(tensors)


def dstack(tensors):
    """Join behind each other: along the third axis."""
    return cat(_each(atleast_3d, tensors), 2)


def column_stack(tensors):
    """Join beside each other; a row of numbers stands upright, as a column.

    >>> from chalkgrad import tensor
    >>> column_stack([tensor([1, 2]), tensor([3, 4])])
    tensor([[1, 3],
            [2, 4]])
    """
    return cat([t if t.ndim > 1 else reshape(t, -1, 1) for t in tensors], 1)


implements(np.dstack)(dstack)
implements(np.column_stack)(column_stack)


def _each(function, tensors):
    if not len(tensors):
        raise ValueError("At least one tensor is needed to be joined, but none came.")
    return [function(each) for each in tensors]


def block_diag(*tensors):
    """Matrices along the diagonal of a larger one, zeros elsewhere.

    >>> from chalkgrad import ones, tensor
    >>> block_diag(ones(1, 2), tensor(3.0))
    tensor([[1., 1., 0.],
            [0., 0., 3.]])
    """
    blocks = [atleast_2d(each) for each in tensors]
    width, before, rows = sum(block.shape[1] for block in blocks), 0, []
    for block in blocks:
        if block.ndim > 2:
            raise ValueError(f"block_diag: matrices were expected, but one has shape {block.shape}.")
        after = width - before - block.shape[1]
        rows.append(padded(block, widths=((0, 0), (before, after))))
        before += block.shape[1]
    return cat(rows)


def meshgrid(*tensors, indexing="ij"):
    """The coordinates of all points of a grid, one tensor for each axis.

    indexing  "ij": the first axis of the results goes along the first tensor; "xy": along the second, as on a plane

    >>> from chalkgrad import tensor
    >>> meshgrid(tensor([1, 2]), tensor([3, 4]))
    (tensor([[1, 1],
             [2, 2]]), tensor([[3, 4],
             [3, 4]]))
    """
    tensors = several(tensors)
    if indexing not in ("ij", "xy"):
        raise ValueError(f'meshgrid: indexing is "ij" or "xy", but {indexing!r} came.')
    places = list(range(len(tensors)))
    if indexing == "xy":
        places[:2] = places[:2][::-1]
    wrong = [each.shape for each in tensors if each.ndim > 1]
    if wrong:
        raise ValueError(f"meshgrid: rows of numbers were expected, but one has shape {wrong[0]}.")
    shapes = [[-1 if i == place else 1 for i in range(len(tensors))] for place in places]
    return broadcast_tensors(*[reshape(each, shape) for each, shape in zip(tensors, shapes)])


def cartesian_prod(*tensors):
    """All combinations of an element of each: one row for each of them.

    >>> from chalkgrad import tensor
    >>> cartesian_prod(tensor([1, 2]), tensor([3, 4])).tolist()
    [[1, 3], [1, 4], [2, 3], [2, 4]]
    """
    if len(tensors) == 1:
        return tensors[0]
    return stack([reshape(each, -1) for each in meshgrid(*tensors)], 1)


def combinations(input, r=2, with_replacement=False):
    """All choices of r elements of a row, in the order in which they stand there: one row for each choice.

    >>> from chalkgrad import tensor
    >>> combinations(tensor([1, 2, 3])).tolist()
    [[1, 2], [1, 3], [2, 3]]
    """
    if input.ndim != 1:
        raise ValueError(f"combinations: a row was expected, but the shape is {input.shape}.")
    if r == 0:
        return input[:0]
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    chosen = [*choose(range(len(input)), r)]
    return input[(tuple(chosen),)] if chosen else reshape(input[:0], 0, r)

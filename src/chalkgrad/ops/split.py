"""One array cut into several along an axis: all of them are views of it."""

import numpy as np

from ..engine.tensor import Tensor, implements
from .attach import attach
from .shape import ints, places

__all__ = [
    "array_split", "chunk", "cut", "dsplit", "hsplit", "narrow", "select", "size_along", "split", "split_with_sizes",
    "tensor_split", "unbind", "vsplit",
]


def size_along(tensor, dim):
    """The size of an axis. Raises IndexError if there is no such axis; a number has none."""
    if not tensor.ndim:
        raise IndexError("A number has no axes, and so cannot be cut along one.")
    return tensor.shape[places(dim, tensor.ndim)[0]]


def split(tensor, split_size_or_sections, dim=0):
    """Cut into pieces of one size, the last of which may be smaller, or into pieces of the sizes in a list.

    >>> from chalkgrad import arange
    >>> split(arange(5), 2), split(arange(5), [1, 4])
    ((tensor([0, 1]), tensor([2, 3]), tensor([4])), (tensor([0]), tensor([1, 2, 3, 4])))
    """
    n, sizes = size_along(tensor, dim), split_size_or_sections
    if isinstance(sizes, int | np.integer):
        if sizes < 1 and not (sizes == n == 0):
            raise ValueError(f"split: pieces of size {sizes} came; a piece has at least 1.")
        sizes = [min(sizes, n - start) for start in range(0, n, sizes or 1)] or [0]
    if sum(sizes) != n or min(sizes, default=0) < 0:
        raise ValueError(f"split: pieces of sizes {list(sizes)} do not make up axis {dim} of shape {tensor.shape}.")
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return tuple(cut(tensor, dim, slice(start, start + size)) for start, size in zip(starts, sizes))


def cut(tensor, dim, part):
    """Take a slice, or one index, along an axis."""
    size_along(tensor, dim)  # says so, if there is no such axis
    return tensor[(*(slice(None),) * places(dim, tensor.ndim)[0], part)]


def split_with_sizes(tensor, split_sizes, dim=0):
    """Cut into pieces of these sizes."""
    return split(tensor, list(split_sizes), dim)


def chunk(input, chunks, dim=0):
    """Cut into so many pieces, all of one size but the last; into fewer, if that many do not fit.

    >>> from chalkgrad import arange
    >>> [len(piece) for piece in chunk(arange(10), 4)]
    [3, 3, 3, 1]
    """
    if chunks < 1:
        raise ValueError(f"chunk: {chunks} pieces came; there is at least 1.")
    if size_along(input, dim) == 0:
        return split(input, [0] * chunks, dim)
    return split(input, max(1, -(-size_along(input, dim) // chunks)), dim)


def tensor_split(input, indices_or_sections, dim=0):
    """Cut into so many pieces, the first of which may be larger by 1, or before each of the places in a list.

    >>> from chalkgrad import arange
    >>> [len(piece) for piece in tensor_split(arange(10), 4)], [len(piece) for piece in tensor_split(arange(5), (1, 4))]
    ([3, 3, 2, 2], [1, 3, 1])
    """
    if not input.ndim:
        raise ValueError("tensor_split: a number has no axis to cut; x.reshape(1) has one.")
    given = indices_or_sections.tolist() if isinstance(indices_or_sections, Tensor) else indices_or_sections
    n = size_along(input, dim)
    if isinstance(given, int | np.integer):
        if given < 1:
            raise ValueError(f"tensor_split: {given} pieces came; there is at least 1.")
        size, larger = divmod(n, given)
        given = [i * size + min(i, larger) for i in range(1, given)]
    return tuple(cut(input, dim, slice(a, b)) for a, b in zip([None, *given], [*given, None]))


@implements(np.array_split)
def array_split(ary, indices_or_sections, axis=0):
    """Cut as NumPy does; the same as tensor_split."""
    return tensor_split(ary, indices_or_sections, axis)


def _even(name, input, given, dim):
    """Cut into parts of one size, as those do that are called after a direction."""
    given = given[0] if len(given) == 1 else given
    if isinstance(given, int) and (given < 1 or size_along(input, dim) % given):
        raise ValueError(f"{name}: axis {dim} of shape {input.shape} cannot be cut into {given} equal parts.")
    return tensor_split(input, given, dim)


def _enough(name, input, least):
    if input.ndim < least:
        raise ValueError(f"{name}: at least {least} axes are needed, but the shape is {input.shape}.")


def hsplit(input, *indices_or_sections):
    """Cut across: along the second axis, or along the only one."""
    _enough("hsplit", input, 1)
    return _even("hsplit", input, indices_or_sections, 0 if input.ndim == 1 else 1)


def vsplit(input, *indices_or_sections):
    """Cut along the first axis of at least two."""
    _enough("vsplit", input, 2)
    return _even("vsplit", input, indices_or_sections, 0)


def dsplit(input, *indices_or_sections):
    """Cut along the third axis."""
    _enough("dsplit", input, 3)
    return _even("dsplit", input, indices_or_sections, 2)


def unbind(input, dim=0):
    """Take apart along an axis, which is gone.

    >>> from chalkgrad import tensor
    >>> unbind(tensor([[1, 2], [3, 4]]), 1)
    (tensor([1, 3]), tensor([2, 4]))
    """
    return tuple(cut(input, dim, i) for i in range(size_along(input, dim)))


def select(input, dim, index):
    """One index along an axis, which is gone: x[:, index] for dim=1."""
    return cut(input, places(dim, input.ndim)[0], index)


def narrow(input, dim, start, length):
    """A stretch of `length` along an axis, from `start` on.

    Raises ValueError if the axis does not reach that far.

    >>> from chalkgrad import arange
    >>> narrow(arange(5), 0, 1, 3)
    tensor([1, 2, 3])
    """
    n = size_along(input, dim)
    if isinstance(start, Tensor) and (start.ndim or start.dtype.kind not in "iu"):
        raise TypeError(f"narrow: start is one whole number, but {start.dtype} of shape {start.shape} came.")
    start, length = ints((start, length))
    first = start + n if start < 0 else start
    if not 0 <= first <= first + length <= n:
        raise ValueError(f"narrow: {length} from {start} on do not fit into axis {dim} of shape {input.shape}.")
    return cut(input, dim, slice(first, first + length))


attach(
    chunk=chunk, dsplit=dsplit, hsplit=hsplit, narrow=narrow, select=select, split=split,
    split_with_sizes=split_with_sizes, tensor_split=tensor_split, unbind=unbind, vsplit=vsplit,
)

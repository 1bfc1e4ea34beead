"""Bringing elements to places along an axis: the last one stands there, or one is made of all that meet."""

import numpy as np

from ..engine.primitive import primitive
from ..engine.tensor import Tensor, implements
from .attach import attach_both
from .choice import where
from .compare import flat
from .gather import added, as_row, positions_in
from .index import array_of, zeros_with
from .index import put as written
from .shape import places, reshape

__all__ = [
    "extreme_at", "index_reduce", "largest_at", "product_at", "scatter", "scatter_add", "scatter_reduce",
    "smallest_at", "times_at",
]


def largest_at(x, index, src):
    """A copy of x in which the larger ones of the source stand at their places."""
    y = x.copy()
    np.maximum.at(y, index, src)
    return y


def smallest_at(x, index, src):
    """A copy of x in which the smaller ones of the source stand at their places."""
    y = x.copy()
    np.minimum.at(y, index, src)
    return y


def times_at(x, index, src):
    """A copy of x that is multiplied by the source at its places, for each time that one is named."""
    y = x.copy()
    np.multiply.at(y, index, src)
    return y


@primitive
def extreme_at(x, src, *, index, largest=True):
    """The larger, or smaller, one of what stands in a row and of all that comes to its place.

    x (n), src (...) -> y (n)
    """
    size = x.shape
    y = largest_at(x, index, src) if largest else smallest_at(x, index, src)
    return y


@extreme_at.backward
def extreme_at_backward(grad_y, x, src, y, size, index):
    """Those that won share the gradient of their place evenly, as in PyTorch."""
    own    = x == y
    came   = src == y[index]
    share  = grad_y / (own + zeros_with(came.astype(grad_y.dtype), index, size))
    grad_x = share * own
    grad_src = share[index] * came
    return grad_x, grad_src


@extreme_at.examples
def extreme_at_examples(rng):
    """The largest; the smallest, a place named twice; a tie."""
    draw = rng.standard_normal
    return [
        (draw(4), draw((2, 2)), {"index": np.array([[0, 1], [3, 0]])}),
        (draw(3), draw(4), {"index": np.array([2, 2, 0, 2]), "largest": False}),
        (np.array([1.0, 2.0]), np.array([1.0, 1.0]), {"index": np.array([0, 0])}),
    ]


@primitive
def product_at(x, src, *, index):
    """What stands in a row, times all that comes to its place.

    x (n), src (...) -> y (n)
    """
    size = x.shape
    y = times_at(x, index, src)
    return y


@product_at.backward
def product_at_backward(grad_y, x, src, size, index):
    """
    1. the derivative of a product by one factor is the product of the others
    2. so divide the product by the factor; a factor of 0 is taken for 1 while that is done
    3. where another factor is 0, the product of the others is 0
    """
    is_0, came_0 = x == 0, src == 0
    zeros    = is_0 + zeros_with(came_0.astype(grad_y.dtype), index, size)
    full_x   = x + is_0
    full_src = src + came_0
    whole    = grad_y * times_at(full_x, index, full_src)
    grad_x   = whole / full_x * (zeros == is_0)
    grad_src = whole[index] / full_src * (zeros[index] == came_0)
    return grad_x, grad_src


@product_at.examples
def product_at_examples(rng):
    """A place each; one named three times; a factor of 0, and two of them."""
    draw = rng.standard_normal
    return [
        (draw(4), draw((2, 2)), {"index": np.array([[0, 1], [3, 2]])}),
        (draw(3), draw(4), {"index": np.array([2, 2, 0, 2])}),
        (np.array([0.0, 2.0, 3.0]), np.array([5.0, 0.0, 0.0, 0.0]), {"index": np.array([0, 1, 2, 2])}),
    ]


@implements(np.maximum.at)
def _maximum_at(full, index, src):
    full.become(extreme_at(full.snapshot(), src, index=array_of(index)))


@implements(np.minimum.at)
def _minimum_at(full, index, src):
    full.become(extreme_at(full.snapshot(), src, index=array_of(index), largest=False))


@implements(np.multiply.at)
def _multiply_at(full, index, src):
    full.become(product_at(full.snapshot(), src, index=array_of(index)))


def scatter(input, dim, index, src=None, value=None, *, reduce=None):
    """A copy with some elements replaced: y[index[i, j], j] = src[i, j] for dim=0.

    src     a tensor at least as large as the index, or one number
    reduce  "add" or "multiply": what is there stays, and the source is added to it, or multiplied

    Where the index names a place twice, the last one stands, and it alone has a gradient.

    >>> from chalkgrad import tensor, zeros
    >>> scatter(zeros(2, 3), 1, tensor([[2], [0]]), tensor([[5.0], [6.0]]))
    tensor([[0., 0., 5.],
            [6., 0., 0.]])
    """
    src = value if src is None else src
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise ValueError(f'scatter: reduce is "add" or "multiply", but {reduce!r} came.')
        src = src if isinstance(src, Tensor) else _full_of(src, index, input)
        return scatter_reduce(input, dim, index, src, "sum" if reduce == "add" else "prod")
    row = written(reshape(input, -1), _row_of(src, index, input), index=positions_in(input, dim, index))
    return reshape(row, input.shape)


def _full_of(value, index, like):
    return flat(np.full)(tuple(index.shape), value, like.dtype)


def _row_of(src, index, input):
    """The part of a source that an index speaks of, in a row."""
    if not isinstance(src, Tensor):
        return src
    if src.dtype != input.dtype:
        raise TypeError(f"The source is {src.dtype}, but the input {input.dtype}; make them alike: src.to(x.dtype).")
    if src.ndim and src.shape != index.shape:
        src = src[tuple([slice(n) for n in index.shape])] if index.ndim else src
    return reshape(src, -1)


def scatter_add(input, dim, index, src):
    """A copy to which elements are added: y[index[i, j], j] += src[i, j] for dim=0, for each time that it is named.

    >>> from chalkgrad import tensor, zeros
    >>> scatter_add(zeros(3), 0, tensor([2, 0, 2]), tensor([1.0, 2.0, 3.0]))
    tensor([2., 0., 4.])
    """
    row = added(input, positions_in(input, dim, index), _row_of(src, index, input))
    return input + reshape(row, input.shape)


def _counts(index, size):
    return np.bincount(index, minlength=size)


def scatter_reduce(input, dim, index, src, reduce, *, include_self=True):
    """Bring elements to the places that an index names along one axis, and make one of all that meet there.

    reduce        "sum", "mean", "prod", "amax" or "amin"
    include_self  whether what stands there takes part; where nothing comes, it stays in any case

    >>> from chalkgrad import tensor
    >>> scatter_reduce(tensor([1.0, 2.0]), 0, tensor([0, 0]), tensor([3.0, 5.0]), "mean")
    tensor([3., 2.])
    """
    neutral = {"sum": 0, "mean": 0, "prod": 1, "amax": -np.inf, "amin": np.inf}
    if reduce not in neutral:
        raise ValueError(f"scatter_reduce: reduce is one of {', '.join(neutral)}, but {reduce!r} came.")
    row_places = positions_in(input, dim, index)
    row = reshape(input, -1)
    counts = flat(_counts)(row_places, row.shape[0])
    start = row if include_self else where(counts > 0, _lowest(neutral[reduce], row.dtype), row)
    if reduce in ("sum", "mean"):
        sums = reshape(scatter_add(reshape(start, input.shape), dim, index, src), -1)
        made = sums if reduce == "sum" else _over(sums, counts + include_self)
    else:
        came = _row_of(src, index, input)
        made = product_at(start, came, index=row_places) if reduce == "prod" else extreme_at(
            start, came, index=row_places, largest=reduce == "amax")
    return reshape(made, input.shape)


def _lowest(neutral, dtype):
    """What changes nothing: for integers, the outermost one instead of an infinity."""
    if dtype.kind == "b":
        return neutral > 0
    if dtype.kind in "iu" and np.isinf(neutral):
        return int(np.iinfo(dtype).max if neutral > 0 else np.iinfo(dtype).min)
    return neutral


def _over(sums, counts):
    counts = where(counts > 0, counts, 1)
    return sums / counts.to(sums.dtype) if sums.dtype.kind == "f" else sums // counts.to(sums.dtype)


@as_row
def index_reduce(input, dim, index, source, reduce, *, include_self=True):
    """Bring whole slices to the places that an index names along one axis, and make one of all that meet there.

    reduce  "prod", "mean", "amax" or "amin"
    """
    axis, = places(dim, input.ndim)
    upright = reshape(index, [-1 if i == axis else 1 for i in range(input.ndim)])
    return scatter_reduce(input, dim, upright.expand(*source.shape), source, reduce, include_self=include_self)


attach_both(index_reduce, scatter, scatter_add, scatter_reduce)

"""Many elements into one: sums, means, extremes."""

from typing import Any, NamedTuple

import numpy as np

from ..engine.primitive import primitive
from ..engine.tensor import Tensor, implements
from .attach import attach
from .choice import maximum, minimum
from .index import scatter_along

__all__ = [
    "Extremes", "amax", "amin", "count", "logsumexp", "max", "max_along", "mean", "min", "min_along", "root",
    "spread", "std", "sum", "var", "variance",
]


def spread(grad, shape, axis, keepdims):
    """Hand the gradient of a reduced array to every element that it was made from."""
    if axis is not None and not keepdims:
        axes = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))}
        grad = grad.reshape(tuple([1 if i in axes else n for i, n in enumerate(shape)]))
    return np.broadcast_to(grad, shape)


def count(shape, axis):
    """Count the elements that go into each result of a reduction."""
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return int(np.prod([shape[a] for a in axes], dtype=np.int64))


@implements(np.sum)
@primitive
def sum(x, *, axis=None, keepdims=False):
    """Add up along an axis, several, or all.

    x (...) -> y (*)
    """
    shape = x.shape
    y = x.sum(axis=axis, keepdims=keepdims)
    return y


@sum.backward
def sum_backward(grad_y, shape, axis, keepdims):
    """Every summand raises the sum as much: ∂y/∂xᵢ = 1."""
    grad_x = spread(grad_y, shape, axis, keepdims)
    return grad_x


@sum.examples
def sum_examples(rng):
    """Everything; columns, kept; two axes, one from the end; one number; no rows."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)),),
        (draw((2, 3)), {"axis": 0, "keepdims": True}),
        (draw((2, 3, 4)), {"axis": (0, -1)}),
        (draw(()),),
        (np.zeros((0, 3)), {"axis": 0}),
    ]


@implements(np.mean)
@primitive
def mean(x, *, axis=None, keepdims=False):
    """Average along an axis, several, or all.

    x (...) -> y (*)
    """
    shape = x.shape
    y = x.mean(axis=axis, keepdims=keepdims)
    return y


@mean.backward
def mean_backward(grad_y, shape, axis, keepdims):
    """y = (1/n) Σᵢ xᵢ, so ∂y/∂xᵢ = 1/n."""
    n = count(shape, axis)
    grad_x = spread(grad_y / n, shape, axis, keepdims)
    return grad_x


@mean.examples
def mean_examples(rng):
    """Everything; columns, kept; two axes, one from the end; one number."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)),),
        (draw((2, 3)), {"axis": 0, "keepdims": True}),
        (draw((2, 3, 4)), {"axis": (0, -1)}),
        (draw(()),),
    ]


@implements(np.max, np.amax)
@primitive
def amax(x, *, axis=None, keepdims=False):
    """The largest element along an axis, several, or of all.

    x (...) -> y (*)
    """
    shape = x.shape
    y = x.max(axis=axis, keepdims=keepdims)
    return y


@amax.backward
def amax_backward(grad_y, x, y, shape, axis, keepdims):
    """The largest element gets the gradient; several equally large ones share it evenly, as in PyTorch."""
    ties = x == spread(y, shape, axis, keepdims)
    share = ties / ties.sum(axis=axis, keepdims=True)
    grad_x = spread(grad_y, shape, axis, keepdims) * share.astype(grad_y.dtype)
    return grad_x


@amax.examples
def amax_examples(rng):
    """Everything; columns, kept; two axes, one from the end; one number; a tie."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)),),
        (draw((2, 3)), {"axis": 0, "keepdims": True}),
        (draw((2, 3, 4)), {"axis": (0, -1)}),
        (draw(()),),
        (np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 1.0]]), {"axis": 1}),
    ]


@implements(np.min, np.amin)
@primitive
def amin(x, *, axis=None, keepdims=False):
    """The smallest element along an axis, several, or of all.

    x (...) -> y (*)
    """
    shape = x.shape
    y = x.min(axis=axis, keepdims=keepdims)
    return y


@amin.backward
def amin_backward(grad_y, x, y, shape, axis, keepdims):
    """The smallest element gets the gradient; several equally small ones share it evenly, as in PyTorch."""
    ties = x == spread(y, shape, axis, keepdims)
    share = ties / ties.sum(axis=axis, keepdims=True)
    grad_x = spread(grad_y, shape, axis, keepdims) * share.astype(grad_y.dtype)
    return grad_x


@amin.examples
def amin_examples(rng):
    """Everything; columns, kept; two axes, one from the end; one number; a tie."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)),),
        (draw((2, 3)), {"axis": 0, "keepdims": True}),
        (draw((2, 3, 4)), {"axis": (0, -1)}),
        (draw(()),),
        (np.array([[1.0, 1.0, 3.0], [2.0, 1.0, 1.0]]), {"axis": 1}),
    ]


@primitive
def max_along(x, *, axis, keepdims=False):
    """The largest element along an axis, and where it is: the first one, if several are equal.

    x (...) -> values (*), indices (*)
    """
    shape = x.shape
    place = x.argmax(axis=axis, keepdims=True)
    found = np.take_along_axis(x, place, axis)
    values = found if keepdims else np.squeeze(found, axis)
    indices = place if keepdims else np.squeeze(place, axis)
    return values, indices


@max_along.backward
def max_along_backward(grad_values, place, shape, axis, keepdims):
    """Only the element that was picked had a say in the loss."""
    grad_picked = grad_values if keepdims else np.expand_dims(grad_values, axis)
    grad_x = scatter_along(grad_picked, index=place, axis=axis, shape=shape)
    return grad_x


@max_along.examples
def max_along_examples(rng):
    """Rows; columns, kept; a tie, of which the first is taken."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)), {"axis": -1}),
        (draw((2, 3)), {"axis": 0, "keepdims": True}),
        (np.array([1.0, 3.0, 3.0]), {"axis": 0}),
    ]


@primitive
def min_along(x, *, axis, keepdims=False):
    """The smallest element along an axis, and where it is: the first one, if several are equal.

    x (...) -> values (*), indices (*)
    """
    shape = x.shape
    place = x.argmin(axis=axis, keepdims=True)
    found = np.take_along_axis(x, place, axis)
    values = found if keepdims else np.squeeze(found, axis)
    indices = place if keepdims else np.squeeze(place, axis)
    return values, indices


@min_along.backward
def min_along_backward(grad_values, place, shape, axis, keepdims):
    """Only the element that was picked had a say in the loss."""
    grad_picked = grad_values if keepdims else np.expand_dims(grad_values, axis)
    grad_x = scatter_along(grad_picked, index=place, axis=axis, shape=shape)
    return grad_x


@min_along.examples
def min_along_examples(rng):
    """Rows; columns, kept; a tie, of which the first is taken."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)), {"axis": -1}),
        (draw((2, 3)), {"axis": 0, "keepdims": True}),
        (np.array([1.0, 1.0, 3.0]), {"axis": 0}),
    ]


@primitive
def logsumexp(x, *, axis=None, keepdims=False):
    """log Σ exp x, without overflow: the largest element is taken out of the sum.

    x (...) -> y (*)
    """
    shape = x.shape
    top = x.max(axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)  # ∞ - ∞ would be no number
    e = np.exp(x - top)
    total = e.sum(axis=axis, keepdims=True)
    kept = np.log(total) + top
    y = kept.sum(axis=axis, keepdims=keepdims)
    return y


@logsumexp.backward
def logsumexp_backward(grad_y, e, total, shape, axis, keepdims):
    """∂/∂xᵢ log Σ exp xⱼ = exp xᵢ / Σ exp xⱼ: the softmax."""
    grad_x = spread(grad_y, shape, axis, keepdims) * (e / total)
    return grad_x


@logsumexp.examples
def logsumexp_examples(rng):
    """Everything; columns, kept; two axes, one from the end; one number; what float32 cannot raise e to."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)),),
        (draw((2, 3)), {"axis": 0, "keepdims": True}),
        (draw((2, 3, 4)), {"axis": (0, -1)}),
        (draw(()),),
        (100 + draw((2, 3)), {"axis": 1}),
    ]


@implements(np.var)
@primitive
def variance(x, *, axis=None, ddof=0, keepdims=False):
    """Mean squared distance from the mean, over n - ddof.

    x (...) -> y (*)
    """
    shape = x.shape
    n = count(shape, axis) - ddof
    away = x - x.mean(axis=axis, keepdims=True)
    y = (away * away).sum(axis=axis, keepdims=keepdims) / n
    return y


@variance.backward
def variance_backward(grad_y, away, n, shape, axis, keepdims):
    """∂y/∂xᵢ = 2(xᵢ - mean)/n; what xᵢ does to the mean cancels, since the distances add up to 0."""
    grad_x = spread(grad_y, shape, axis, keepdims) * (2 * away / n)
    return grad_x


@variance.examples
def variance_examples(rng):
    """Everything; columns, kept, over n - 1; two axes, one from the end; one number."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)),),
        (draw((2, 3)), {"axis": 0, "ddof": 1, "keepdims": True}),
        (draw((2, 3, 4)), {"axis": (0, -1)}),
        (draw(()),),
    ]


def var(input, dim=None, *, correction=1, keepdim=False):
    """Variance with Bessel's correction, as in PyTorch; correction=0 divides by n, as NumPy does.

    >>> from chalkgrad import tensor
    >>> var(tensor([1.0, 2.0, 3.0]))
    tensor(1.)
    """
    return variance(input, axis=dim, ddof=correction, keepdims=keepdim)


@primitive
def root(variance):
    """Square root of a variance, the standard deviation.

    variance (...) -> y (...)
    """
    y = np.sqrt(variance)
    return y


@root.backward
def root_backward(grad_y, y):
    """y² = v, so 2y ∂y = ∂v; where nothing varies, y has a corner, and the slope is taken as 0, as in PyTorch."""
    grad_variance = grad_y * (y > 0) / (2 * y + (y == 0))
    return grad_variance


@root.examples
def root_examples(rng):
    """Rows; one number; no variance at all."""
    return [(rng.uniform(0.5, 2, (2, 3)),), (rng.uniform(0.5, 2, ()),), (np.zeros(2),)]


def std(input, dim=None, *, correction=1, keepdim=False):
    """Square root of the variance, with Bessel's correction, as in PyTorch."""
    return root(var(input, dim, correction=correction, keepdim=keepdim))


implements(np.std)(lambda x, **options: root(variance(x, **options)))


def _along_first(reduction):
    """What a ufunc's reduce does: it runs along the first axis unless told otherwise."""
    return lambda x, axis=0, **options: reduction(x, axis=axis, **options)


implements(np.add.reduce)(_along_first(sum))
implements(np.maximum.reduce)(_along_first(amax))
implements(np.minimum.reduce)(_along_first(amin))


class Extremes(NamedTuple):
    """Values, and where along the axis they were found."""

    values: Any
    indices: Any


def max(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """The largest element; along `dim`, a pair (values, indices); along `axis`, as NumPy says it, the values alone.

    >>> from chalkgrad import tensor
    >>> max(tensor([[1.0, 5.0], [7.0, 2.0]]), 1)
    Extremes(values=tensor([5., 7.]), indices=tensor([1, 0]))
    """
    if isinstance(dim, Tensor):
        return maximum(input, dim)
    if dim is None:
        return amax(input, axis=axis, keepdims=keepdims or keepdim)
    return Extremes(*max_along(input, axis=dim, keepdims=keepdim))


def min(input, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """The smallest element; along `dim`, a pair (values, indices); along `axis`, the values alone."""
    if isinstance(dim, Tensor):
        return minimum(input, dim)
    if dim is None:
        return amin(input, axis=axis, keepdims=keepdims or keepdim)
    return Extremes(*min_along(input, axis=dim, keepdims=keepdim))


attach(amax=amax, amin=amin, logsumexp=logsumexp, max=max, mean=mean, min=min, std=std, sum=sum, var=var)

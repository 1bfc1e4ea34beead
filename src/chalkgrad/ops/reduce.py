"""Many elements into one: sums, products, means."""

from typing import Any

import numpy as np

from ..engine.primitive import Primitive, primitive
from ..engine.tensor import implements
from .attach import attach
from .choice import where
from .compare import all_axes, isnan
from .scan import running_product, shifted

__all__ = [
    "Reduction", "along_first", "count", "logsumexp", "mean", "nanmean", "nansum", "prod", "product", "reducing",
    "spread", "sum",
]


class Reduction(Primitive):
    """A reduction that takes its axes as PyTorch says them, and a dtype to convert the input to before."""

    def bind(self, inputs: tuple[Any, ...], options: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Take `dtype` out of the options, and name the axes as NumPy does."""
        dtype = options.pop("dtype", None)
        (x,), options = super().bind(inputs, options)
        axis = options.get("axis")
        if axis == () or (axis is not None and not x.ndim):
            options["axis"] = all_axes(x, axis)
        return [x if dtype is None or x.dtype == dtype else x.astype(dtype)], options


def reducing(*operations):
    """Let operations take their axes as PyTorch says them.

    >>> from chalkgrad import tensor
    >>> sum(tensor([1.0, 2.0]), dim=()), sum(tensor(3.0), dim=0), sum(tensor([True, True]), dtype=np.float64)
    (tensor(3.), tensor(3.), tensor(2., dtype=float64))
    """
    for operation in operations:
        operation.__class__ = Reduction


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


@primitive
def product(x, *, axis=None, keepdims=False):
    """Multiply along an axis, or all.

    x (...) -> y (*)
    """
    shape = x.shape
    y = x.prod(axis=axis, keepdims=keepdims)
    return y


@product.backward
def product_backward(grad_y, x, shape, axis, keepdims):
    """
    1. ∂y/∂xᵢ is the product of all the others; y/xᵢ is not, if there is a 0
    2. so it is the product of those before xᵢ times the product of those after it
    """
    row, along = (x.reshape(-1), 0) if axis is None else (x, axis)
    before = shifted(running_product(row, axis=along), along)
    after  = np.flip(shifted(running_product(np.flip(row, along), axis=along), along), along)
    grad_x = spread(grad_y, shape, axis, keepdims) * (before * after).reshape(shape)
    return grad_x


@product.examples
def product_examples(rng):
    """Everything; columns, kept; one number; a zero; two zeros."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)),),
        (draw((2, 3)), {"axis": 0, "keepdims": True}),
        (draw(()),),
        (np.array([2.0, 0.0, 3.0]), {"axis": 0}),
        (np.array([0.0, 2.0, 0.0]),),
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


reducing(sum, mean, product, logsumexp)


@implements(np.prod)
def prod(input, dim=None, keepdim=False, *, dtype=None, axis=None, keepdims=False):
    """Multiply along an axis, or all.

    dtype  what to convert the input to before

    Raises ValueError for several axes.

    >>> from chalkgrad import tensor
    >>> prod(tensor([[1.0, 2.0], [3.0, 4.0]]), 1)
    tensor([ 2., 12.])
    """
    dim = axis if dim is None else dim
    if isinstance(dim, tuple | list) and len(dim) > 1:
        raise ValueError(f"prod: one axis or all are multiplied, but {dim} came; flatten these axes first.")
    return product(input, axis=dim[0] if isinstance(dim, tuple | list) and dim else dim, keepdims=keepdim or keepdims,
                   dtype=dtype)


def nansum(input, dim=None, keepdim=False, *, dtype=None):
    """Add up what is a number, along an axis, several, or all.

    >>> from chalkgrad import tensor
    >>> nansum(tensor([1.0, float("nan"), 2.0]))
    tensor(3.)
    """
    return sum(where(isnan(input), 0, input), axis=dim, keepdims=keepdim, dtype=dtype)


def nanmean(input, dim=None, keepdim=False, *, dtype=None):
    """Average what is a number, along an axis, several, or all.

    >>> from chalkgrad import tensor
    >>> nanmean(tensor([1.0, float("nan"), 2.0]))
    tensor(1.5)
    """
    return nansum(input, dim, keepdim, dtype=dtype) / sum(~isnan(input), axis=dim, keepdims=keepdim)


def along_first(reduction):
    """What a ufunc's reduce does: it runs along the first axis unless told otherwise."""
    return lambda x, axis=0, **options: reduction(x, axis=axis, **options)


implements(np.add.reduce)(along_first(sum))
implements(np.multiply.reduce)(along_first(prod))

attach(logsumexp=logsumexp, mean=mean, nanmean=nanmean, nansum=nansum, prod=prod, sum=sum)

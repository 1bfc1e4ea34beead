"""Running sums, products and extremes along an axis, and what is made of neighbors."""

import numpy as np

from ..engine.primitive import primitive
from ..engine.tensor import implements
from .attach import attach, attach_both
from .shape import concatenate, reshape

__all__ = [
    "carried_back", "cumprod", "cumsum", "cumulative_trapezoid", "diff", "lifted", "logcumsumexp", "running_logsumexp",
    "running_product", "running_sum", "shifted", "trapezoid", "trapz", "without_first", "without_last",
]


def lifted(operation, input, dim, **options):
    """Run an operation along one axis; a number is made a row for it, since PyTorch lets it have an axis 0."""
    if np.ndim(input):
        return operation(input, axis=dim, **options)
    made = operation(reshape(input, 1), axis=dim, **options)
    return tuple(reshape(y, ()) for y in made) if isinstance(made, tuple) else reshape(made, ())


def without_first(x, axis):
    """All but the first element along an axis."""
    return np.moveaxis(np.moveaxis(x, axis, 0)[1:], 0, axis)


def without_last(x, axis):
    """All but the last element along an axis."""
    return np.moveaxis(np.moveaxis(x, axis, 0)[:-1], 0, axis)


def shifted(x, axis):
    """Every element one place further along an axis, and a 1 in the first place; the last one falls out.

    >>> shifted(np.array([2.0, 3.0, 4.0]), 0)
    array([1., 2., 3.])
    """
    first = np.ones_like(np.moveaxis(np.moveaxis(x, axis, 0)[:1], 0, axis))
    return np.concatenate((first, without_last(x, axis)), axis=axis)


def carried_back(g, factor, axis):
    """sᵢ = gᵢ + fᵢ sᵢ₊₁, from the last place along an axis, which has no factor, to the first.

    >>> carried_back(np.array([1.0, 1.0, 1.0]), np.array([2.0, 3.0]), 0)
    array([9., 4., 1.])
    """
    g, factor = np.moveaxis(g, axis, 0), np.moveaxis(factor, axis, 0)
    rows = [g[-1]] if len(g) else []
    for i in range(len(g) - 2, -1, -1):
        rows.append(g[i] + factor[i] * rows[-1])
    return np.moveaxis(np.stack(rows[::-1]), 0, axis) if rows else np.moveaxis(g, 0, axis)


@primitive
def running_sum(x, *, axis):
    """Running sums along an axis: yᵢ = x₁ + ... + xᵢ.

    x (...) -> y (...)
    """
    y = np.cumsum(x, axis=axis)
    return y


@running_sum.backward
def running_sum_backward(grad_y, axis):
    """xᵢ is in yᵢ and in all that follow, so its gradient is the running sum of theirs from the far end."""
    grad_x = np.flip(np.cumsum(np.flip(grad_y, axis), axis=axis), axis)
    return grad_x


@running_sum.examples
def running_sum_examples(rng):
    """Rows; columns; one number; none."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)), {"axis": 1}),
        (draw((3, 2)), {"axis": 0}),
        (draw(1), {"axis": -1}),
        (draw((0, 2)), {"axis": 0}),
    ]


@primitive
def running_product(x, *, axis):
    """Running products along an axis: yᵢ = x₁ · ... · xᵢ.

    x (...) -> y (...)
    """
    y = np.cumprod(x, axis=axis)
    return y


@running_product.backward
def running_product_backward(grad_y, x, y, axis):
    """
    1. xᵢ is in yₖ for all k ≥ i, so ∂loss/∂xᵢ = Σ_{k≥i} gₖ x₁ ... xᵢ₋₁ · xᵢ₊₁ ... xₖ
    2. what stands before xᵢ is the same in all of them: yᵢ₋₁
    3. the rest is sᵢ = gᵢ + xᵢ₊₁ (gᵢ₊₁ + xᵢ₊₂ (...)) = gᵢ + xᵢ₊₁ sᵢ₊₁; no number is divided by, so zeros do no harm
    """
    grad_x = shifted(y, axis) * carried_back(grad_y, without_first(x, axis), axis)
    return grad_x


@running_product.examples
def running_product_examples(rng):
    """Rows; columns; one number; none; two zeros."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)), {"axis": 1}),
        (draw((3, 2)), {"axis": 0}),
        (draw(1), {"axis": -1}),
        (draw((0, 2)), {"axis": 0}),
        (np.array([2.0, 0.0, 3.0, 0.0, 4.0]), {"axis": 0}),
    ]


@primitive
def running_logsumexp(x, *, axis):
    """Running sums of exponentials, by their logarithms, without overflow: yᵢ = log(exp x₁ + ... + exp xᵢ).

    x (...) -> y (...)
    """
    y = np.logaddexp.accumulate(x, axis=axis)
    return y


@running_logsumexp.backward
def running_logsumexp_backward(grad_y, x, y, axis):
    """
    1. ∂yₖ/∂xᵢ = exp(xᵢ - yₖ) for all k ≥ i, so ∂loss/∂xᵢ = exp(xᵢ - yᵢ) Σ_{k≥i} gₖ exp(yᵢ - yₖ)
    2. the sum is sᵢ = gᵢ + exp(yᵢ - yᵢ₊₁) sᵢ₊₁, where y never falls, so that nothing overflows
    """
    lowest = float(np.finfo(y.dtype).min)
    top    = np.maximum(y, np.full_like(y, lowest))  # -∞ - (-∞) would be no number
    fall   = np.exp(without_last(top, axis) - without_first(top, axis))
    grad_x = np.exp(x - top) * carried_back(grad_y, fall, axis)
    return grad_x


@running_logsumexp.examples
def running_logsumexp_examples(rng):
    """Rows; columns; one number; what float32 cannot raise e to."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)), {"axis": 1}),
        (draw((3, 2)), {"axis": 0}),
        (draw(1), {"axis": -1}),
        (100 + draw((2, 3)), {"axis": 1}),
    ]


def _converted(input, dtype):
    return input if dtype is None or input.dtype == dtype else input.astype(dtype)


@implements(np.cumsum)
def cumsum(input, dim=None, *, dtype=None, axis=None):
    """Running sums along an axis.

    dtype  what to convert the input to before

    >>> from chalkgrad import tensor
    >>> cumsum(tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 3., 6.])
    """
    return lifted(running_sum, _converted(input, dtype), axis if dim is None else dim)


@implements(np.cumprod)
def cumprod(input, dim=None, *, dtype=None, axis=None):
    """Running products along an axis.

    dtype  what to convert the input to before

    >>> from chalkgrad import tensor
    >>> cumprod(tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 2., 6.])
    """
    return lifted(running_product, _converted(input, dtype), axis if dim is None else dim)


@implements(np.logaddexp.accumulate)
def logcumsumexp(input, dim=None, *, axis=0):
    """The logarithms of running sums of exponentials.

    >>> from chalkgrad import tensor
    >>> logcumsumexp(tensor([1000.0, 1000.0]), 0)
    tensor([1000.    , 1000.6932])
    """
    return lifted(running_logsumexp, input, axis if dim is None else dim)


def diff(input, n=1, dim=-1, prepend=None, append=None):
    """What each element has more than the one before it along an axis; n times over.

    prepend, append  what to put before and behind first

    Raises ValueError for an n below 0, or a tensor without axes.

    >>> from chalkgrad import tensor
    >>> diff(tensor([1.0, 3.0, 6.0])), diff(tensor([1.0, 3.0, 6.0]), n=2)
    (tensor([2., 3.]), tensor([1.]))
    """
    if n < 0 or not input.ndim:
        raise ValueError(f"diff: n is 0 or more, and there is an axis; but n={n} and shape {input.shape} came.")
    parts = [part for part in (prepend, input, append) if part is not None]
    x = concatenate(parts, dim) if n and len(parts) > 1 else input
    for _ in range(n):
        after, before = without_first(x, dim), without_last(x, dim)
        x = after ^ before if x.dtype == bool else after - before
    return x


def trapezoid(y, x=None, *, dx=None, dim=-1):
    """The area below a curve along an axis, by straight lines between its points: Σ (yᵢ + yᵢ₊₁)/2 · (xᵢ₊₁ - xᵢ).

    x   where the points are; dx how far they are apart, 1 if neither is given

    >>> from chalkgrad import tensor
    >>> trapezoid(tensor([1.0, 2.0, 3.0])), trapezoid(tensor([1.0, 2.0, 3.0]), tensor([0.0, 1.0, 3.0]))
    (tensor(4.), tensor(6.5))
    """
    return _areas(y, x, dx, dim).sum(dim)


def cumulative_trapezoid(y, x=None, *, dx=None, dim=-1):
    """The area below a curve up to each of its points but the first, by straight lines between them.

    >>> from chalkgrad import tensor
    >>> cumulative_trapezoid(tensor([1.0, 2.0, 3.0]))
    tensor([1.5, 4. ])
    """
    return cumsum(_areas(y, x, dx, dim), dim)


def _areas(y, x, dx, dim):
    """The areas between each two points next to each other."""
    if x is not None and dx is not None:
        raise ValueError("trapezoid: x and dx both say where the points are; give one of them.")
    width = dx
    if x is not None:
        width = diff(x, dim=dim if x.ndim > 1 else -1)
        if x.ndim == 1 < y.ndim:
            width = reshape(width, *(-1 if i == dim % y.ndim else 1 for i in range(y.ndim)))
    height = (without_first(y, dim) + without_last(y, dim)) / 2
    return height if width is None else height * width


trapz = trapezoid

attach_both(cumprod, cumsum)
attach(diff=diff, logcumsumexp=logcumsumexp)

"""Choices between two, element by element: by size, by a condition, by bounds."""

import numpy as np

from ..engine.primitive import primitive
from ..engine.tensor import Tensor, implements
from .attach import attach, attach_both
from .examples import drawn_pairs

__all__ = [
    "clamp", "clamp_between", "clamp_max", "clamp_min", "clip", "clipped", "fmax", "fmin", "masked_fill", "maximum",
    "minimum", "nan_to_num", "where",
]


@implements(np.maximum)
@primitive
def maximum(a, b):
    """The larger of two, element by element.

    a (...), b (...) -> y (...)
    """
    y = np.maximum(a, b)
    return y


@maximum.backward
def maximum_backward(grad_y, a, b):
    """The larger one gets all of the gradient; equal ones share it, as in PyTorch."""
    tie    = (a == b) * 0.5
    grad_a = grad_y * ((a > b) + tie).astype(grad_y.dtype)
    grad_b = grad_y * ((a < b) + tie).astype(grad_y.dtype)
    return grad_a, grad_b


@maximum.examples
def maximum_examples(rng):
    """Both repeated; a number and rows; ties."""
    draw = rng.standard_normal
    return [(draw((3, 1)), draw(4)), (draw(()), draw((2, 3))), (np.array([1.0, 2.0]), np.array([1.0, 3.0]))]


@implements(np.minimum)
@primitive
def minimum(a, b):
    """The smaller of two, element by element.

    a (...), b (...) -> y (...)
    """
    y = np.minimum(a, b)
    return y


@minimum.backward
def minimum_backward(grad_y, a, b):
    """The smaller one gets all of the gradient; equal ones share it, as in PyTorch."""
    tie    = (a == b) * 0.5
    grad_a = grad_y * ((a < b) + tie).astype(grad_y.dtype)
    grad_b = grad_y * ((a > b) + tie).astype(grad_y.dtype)
    return grad_a, grad_b


@minimum.examples
def minimum_examples(rng):
    """Both repeated; a number and rows; ties."""
    draw = rng.standard_normal
    return [(draw((3, 1)), draw(4)), (draw(()), draw((2, 3))), (np.array([1.0, 2.0]), np.array([1.0, 3.0]))]


@implements(np.fmax)
@primitive
def fmax(a, b):
    """The larger of two, and the other one where one is no number.

    a (...), b (...) -> y (...)
    """
    y = np.fmax(a, b)
    return y


@fmax.backward
def fmax_backward(grad_y, a, b):
    """The one that was taken gets the gradient: a, if they are equal, as in PyTorch."""
    first  = ((a >= b) | np.isnan(b)).astype(grad_y.dtype)
    grad_a = grad_y * first
    grad_b = grad_y * (1 - first)
    return grad_a, grad_b


@fmax.examples
def fmax_examples(rng):
    """Both repeated; a number and rows; a tie."""
    return [*drawn_pairs(rng, -1, 1), (np.array([1.0, 2.0]), np.array([1.0, 3.0]))]


@implements(np.fmin)
@primitive
def fmin(a, b):
    """The smaller of two, and the other one where one is no number.

    a (...), b (...) -> y (...)
    """
    y = np.fmin(a, b)
    return y


@fmin.backward
def fmin_backward(grad_y, a, b):
    """The one that was taken gets the gradient: a, if they are equal, as in PyTorch."""
    first  = ((a <= b) | np.isnan(b)).astype(grad_y.dtype)
    grad_a = grad_y * first
    grad_b = grad_y * (1 - first)
    return grad_a, grad_b


@fmin.examples
def fmin_examples(rng):
    """Both repeated; a number and rows; a tie."""
    return [*drawn_pairs(rng, -1, 1), (np.array([1.0, 2.0]), np.array([1.0, 3.0]))]


@primitive
def clipped(x, *, min=None, max=None):
    """Bring every element into [min, max], two numbers; a bound of None is no bound.

    x (...) -> y (...)
    """
    y = np.clip(x, min, max)
    return y


@clipped.backward
def clipped_backward(grad_y, x, min, max):
    """The slope is 1 inside and on the bounds, 0 beyond them."""
    grad_x = grad_y
    if min is not None:
        grad_x = grad_x * (x >= min)
    if max is not None:
        grad_x = grad_x * (x <= max)
    return grad_x


@clipped.examples
def clipped_examples(rng):
    """Between two bounds; one bound; on the bounds."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)), {"min": -0.5, "max": 0.5}),
        (draw((3, 4)), {"max": 0.0}),
        (np.array([-1.0, 0.0, 1.0]), {"min": -1.0, "max": 1.0}),
    ]


@primitive
def clamp_between(x, low=None, high=None):
    """Bring every element into [low, high], bounds of its own; where they cross, high counts.

    x (...), low (...), high (...) -> y (...)
    """
    raised = np.maximum(x, x if low is None else low)
    y      = np.minimum(raised, raised if high is None else high)
    return y


@clamp_between.backward
def clamp_between_backward(grad_y, x, raised, low, high):
    """The gradient goes to the one of the three that was taken; on a bound, to x, as in PyTorch."""
    below  = np.zeros_like(grad_y, dtype=bool) if low is None else x < low
    above  = np.zeros_like(grad_y, dtype=bool) if high is None else raised > high
    grad_high = grad_y * above
    grad_rest = grad_y * ~above
    grad_low  = grad_rest * below
    grad_x    = grad_rest * ~below
    return grad_x, grad_low, grad_high


@clamp_between.examples
def clamp_between_examples(rng):
    """Two bounds, repeated; one bound; bounds that cross; on the bounds."""
    draw, low, high = rng.standard_normal, np.array([-0.5, 0.0, 0.5]), np.array([0.5, 0.2, 0.7])
    return [
        (draw((4, 3)), low, high),
        (draw((4, 3)), None, high),
        (draw((4, 3)), high, low),
        (low, low, low + 1),
    ]


@implements(np.clip)
def clamp(input, min=None, max=None):
    """Bring every element into [min, max]: numbers, or tensors with bounds for each element. None is no bound.

    Raises ValueError if there are no bounds.

    >>> from chalkgrad import tensor
    >>> clamp(tensor([-2.0, 0.5, 2.0]), -1, tensor([1.0, 0.0, 3.0]))
    tensor([-1.,  0.,  2.])
    """
    if isinstance(min, ARRAYS) or isinstance(max, ARRAYS):
        return clamp_between.apply(input, min, max)
    if min is None and max is None:
        raise ValueError("clamp: at least one of the bounds min and max is a number or a tensor, but both are None.")
    return clipped.apply(input, min=min, max=max)


ARRAYS = (Tensor, np.ndarray)


def clamp_min(input, min):
    """Raise every element to at least `min`."""
    return clamp(input, min)


def clamp_max(input, max):
    """Lower every element to at most `max`."""
    return clamp(input, None, max)


@implements(np.nan_to_num)
@primitive
def nan_to_num(x, *, nan=0.0, posinf=None, neginf=None):
    """Put numbers in place of nan and the infinities: if none are given, 0 and the largest that there are.

    x (...) -> y (...)
    """
    y = np.nan_to_num(x, nan=0.0 if nan is None else nan, posinf=posinf, neginf=neginf)
    return y


@nan_to_num.backward
def nan_to_num_backward(grad_y, x):
    """What was replaced has no say any more."""
    grad_x = grad_y * np.isfinite(x)
    return grad_x


@nan_to_num.examples
def nan_to_num_examples(rng):
    """Numbers; none of them numbers."""
    return [(rng.standard_normal((2, 3)),), (np.array([np.nan, np.inf, -np.inf]), {"posinf": 1.0})]


@implements(np.where)
@primitive
def where(condition, a, b):
    """a where the condition holds, b elsewhere.

    condition (...), a (...), b (...) -> y (...)
    """
    y = np.where(condition, a, b)
    return y


@where.backward
def where_backward(grad_y, condition):
    """Only the one that was taken had a say in the loss."""
    grad_a = np.where(condition, grad_y, 0)
    grad_b = np.where(condition, 0, grad_y)
    return grad_a, grad_b


@where.examples
def where_examples(rng):
    """Each repeated another way; a number; never a."""
    draw = rng.standard_normal
    return [
        (draw((2, 1, 1)) > 0, draw((3, 1)), draw(4)),
        (draw((2, 3)) > 0, draw(()), draw((2, 3))),
        (np.zeros(3, np.bool_), draw(3), draw(3)),
    ]


def masked_fill(input, mask, value):
    """One value where the mask holds, the input elsewhere.

    >>> from chalkgrad import tensor
    >>> masked_fill(tensor([1.0, 2.0]), tensor([False, True]), 0.0)
    tensor([1., 0.])
    """
    if np.ndim(value):
        raise ValueError(f"masked_fill: one value was expected, but it has shape {np.shape(value)}.")
    if isinstance(value, Tensor):
        value = value.to(input.dtype)
    elif input.dtype.kind != "f":
        value = np.asarray(value).astype(input.dtype)[()]  # of the dtype of the input, as in PyTorch
    return where.apply(mask, value, input)


clip = clamp

attach_both(clamp, clamp_max, clamp_min, masked_fill, nan_to_num, clip=clamp)
attach(fmax=fmax, fmin=fmin, maximum=maximum, minimum=minimum)

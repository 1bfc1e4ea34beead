"""Choices between two, element by element."""

import numpy as np

from ..engine.primitive import primitive
from ..engine.tensor import implements
from .attach import attach, in_place

__all__ = ["clamp", "masked_fill", "maximum", "minimum", "where"]


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


@implements(np.clip)
@primitive
def clamp(x, *, min=None, max=None):
    """Bring every element into [min, max]; a bound of None is no bound.

    x (...) -> y (...)
    """
    y = np.clip(x, min, max)
    return y


@clamp.backward
def clamp_backward(grad_y, x, min, max):
    """The slope is 1 inside and on the bounds, 0 beyond them."""
    grad_x = grad_y
    if min is not None:
        grad_x = grad_x * (x >= min)
    if max is not None:
        grad_x = grad_x * (x <= max)
    return grad_x


@clamp.examples
def clamp_examples(rng):
    """Between two bounds; one bound; bounds that are arrays; on the bounds."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)), {"min": -0.5, "max": 0.5}),
        (draw((3, 4)), {"max": 0.0}),
        (draw((2, 2)), {"min": np.array([-0.5, 0.5])}),
        (np.array([-1.0, 0.0, 1.0]), {"min": -1.0, "max": 1.0}),
    ]


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
    return where(mask, value, input)


attach(
    clamp=clamp,
    clamp_=in_place(clamp),
    clip=clamp,
    clip_=in_place(clamp),
    masked_fill=masked_fill,
    masked_fill_=in_place(masked_fill),
    maximum=maximum,
    minimum=minimum,
)

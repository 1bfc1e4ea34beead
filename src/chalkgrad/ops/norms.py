"""Lengths of whole tensors, or along some of their axes."""

import numpy as np

from ..engine.primitive import primitive
from .attach import attach
from .distance import length, slope
from .reduce import reducing, spread
from .shape import movedim, unsqueeze
from .spectrum import svdvals

__all__ = ["dist", "norm", "p_norm"]


@primitive
def p_norm(x, *, p, axis=None, keepdims=False):
    """The p-norm along an axis, several, or of all: (Σ |xᵢ|^p)^(1/p); for p = ∞ the largest |xᵢ|.

    x (...) -> y (*)
    """
    shape = x.shape
    size = length(x, p, axis)
    y = size.sum(axis=axis, keepdims=keepdims)
    return y


@p_norm.backward
def p_norm_backward(grad_y, x, size, p, shape, axis, keepdims):
    """y^p = Σ |xᵢ|^p, so y^(p - 1) ∂y = |xᵢ|^(p - 1) sign(xᵢ) ∂xᵢ."""
    grad_x = spread(grad_y, shape, axis, keepdims) * slope(x, size, p, axis)
    return grad_x


@p_norm.examples
def p_norm_examples(rng):
    """Euclid's of everything; sums of columns, kept; another p, of two axes; the largest; a number; a count; zeros."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)), {"p": 2}),
        (draw((2, 3)), {"p": 1, "axis": 0, "keepdims": True}),
        (draw((2, 3, 4)), {"p": 3, "axis": (0, -1)}),
        (draw((2, 3)), {"p": float("inf"), "axis": 1}),
        (draw(()), {"p": 1.5}),
        (draw(3), {"p": 0}),
        (np.zeros(2), {"p": 2}),
    ]


reducing(p_norm)


def norm(input, p="fro", dim=None, keepdim=False, dtype=None):
    """The p-norm along an axis, several, or of all; "fro" is p = 2, "nuc" the sum of the singular values of matrices.

    dtype  what to convert the input to before

    Raises ValueError for another name of a norm.

    >>> from chalkgrad import tensor
    >>> norm(tensor([3.0, -4.0])), norm(tensor([[3.0, -4.0]]), 1, dim=1), norm(tensor([3.0, -4.0]), float("inf"))
    (tensor(5.), tensor([7.]), tensor(4.))
    """
    if p == "nuc":
        return _nuclear(input if dtype is None else input.to(dtype), (-2, -1) if dim is None else dim, keepdim)
    if isinstance(p, str) and p != "fro":
        raise ValueError(f'norm: p is a number, "fro" or "nuc", but {p!r} came.')
    return p_norm(input, p=2 if p in ("fro", None) else p, axis=dim, keepdims=keepdim, dtype=dtype)


def _nuclear(matrices, dim, keepdim):
    """The sum of the singular values: how far a matrix turns and stretches in all directions together."""
    y = svdvals(movedim(matrices, dim, (-2, -1))).sum(-1)
    return unsqueeze(y, [axis % matrices.ndim for axis in dim]) if keepdim else y


def dist(input, other, p=2):
    """The p-norm of the difference of two tensors.

    >>> from chalkgrad import tensor
    >>> dist(tensor([1.0, 2.0]), tensor([4.0, 6.0]))
    tensor(5.)
    """
    return p_norm(input - other, p=p)


attach(dist=dist, norm=norm)

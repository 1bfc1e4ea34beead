"""Lengths of vectors, and distances: between two points, among points, and between two sets of points.

The p-norm of a vector is ‖v‖ = (Σᵢ |vᵢ|^p)^(1/p): p = 2 is the length as the crow flies, p = 1 that of a walk along the
streets of a grid (Minkowski 1896). At both ends, p = ∞ is the largest |vᵢ|, and p = 0 counts those that are not 0.
"""

import math

import numpy as np

from ..engine.primitive import primitive
from ..law.errors import ShapeError

__all__ = ["cdist", "distance", "distances_among", "distances_between", "length", "pdist", "slope"]

MODES = "use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist"


def length(v, p, axis=-1):
    """The p-norm along an axis, or several, which stay with size 1.

    >>> v = np.array([3.0, 0.0, -4.0])
    >>> [float(length(v, p)[0]) for p in (0, 1, 2, math.inf)]
    [2.0, 7.0, 5.0, 4.0]
    """
    size = np.abs(v)
    if p == 0:
        return (size != 0).astype(v.dtype).sum(axis=axis, keepdims=True)
    if p == 1:
        return size.sum(axis=axis, keepdims=True)
    if p == 2:
        return np.sqrt((v * v).sum(axis=axis, keepdims=True))
    if p == math.inf:
        return size.max(axis=axis, keepdims=True)
    if p == -math.inf:
        return size.min(axis=axis, keepdims=True)
    with np.errstate(divide="ignore"):  # for p < 0 a zero is infinitely much, and makes the length 0, as it should
        return (size ** p).sum(axis=axis, keepdims=True) ** (1 / p)


def slope(v, size, p, axis=-1):
    """The derivative of the p-norm by v: ∂‖v‖/∂vᵢ = sign(vᵢ) (|vᵢ|/‖v‖)^(p - 1); 0 where there is none.

    It follows from ‖v‖^p = Σᵢ |vᵢ|^p, since p ‖v‖^(p - 1) ∂‖v‖ = p |vᵢ|^(p - 1) sign(vᵢ) ∂vᵢ. For p = ∞ the largest
    |vᵢ| has all of it, and several equally large ones share it, as in PyTorch.

    >>> v = np.array([3.0, 0.0, -4.0])
    >>> slope(v, length(v, 2), 2)
    array([ 0.6,  0. , -0.8])
    """
    if p == 0:
        return np.zeros_like(v)
    if p == 1:
        return np.sign(v)
    safe = size + (size == 0)
    if p == 2:
        return v / safe
    if abs(p) == math.inf:
        hit = (np.abs(v) == size).astype(v.dtype)
        return np.sign(v) * hit / hit.sum(axis=axis, keepdims=True)
    part = np.abs(v) / safe + (v == 0)  # 0 to a negative power would be infinite, and times sign(0) = 0 no number
    return np.sign(v) * part ** (p - 1) * (size > 0)


@primitive
def distance(a, b, *, p=2.0, eps=1e-6, keepdims=False):
    """How far it is from one point to another, along the last axis: y = ‖a - b + eps‖.

    a (..., d), b (..., d) -> y (*)

    p    of the norm
    eps  added to each difference, so that there is a slope also where a = b

    Source: Minkowski 1896; eps is PyTorch's.

    >>> distance(np.array([0.0, 0.0]), np.array([3.0, 4.0]), eps=0.0), distance(np.ones(2), np.zeros(2), p=1.0, eps=0.0)
    (array(5.), array(2.))
    """
    v    = a - b + eps
    size = length(v, p)
    y    = size if keepdims else size.reshape(size.shape[:-1])
    return y


@distance.backward
def distance_backward(grad_y, v, size, p):
    """v = a - b + eps, so ∂y/∂a = ∂‖v‖/∂v, the slope of the norm, and ∂y/∂b is minus that."""
    grad_a = grad_y.reshape(size.shape) * slope(v, size, p)
    grad_b = -grad_a
    return grad_a, grad_b


@distance.examples
def distance_examples(rng):
    """Points; one against many, by a walk; the largest difference, kept; other powers; a point to itself."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)), draw((3, 4))),
        (draw((2, 1, 3)), draw((4, 3)), {"p": 1.0}),
        (draw((3, 4)), draw((3, 4)), {"p": math.inf, "keepdims": True}),
        (draw(4), draw(4), {"p": 3.5, "eps": 0.0}),
        (draw((2, 4)), draw((2, 4)), {"p": -1.0}),
        (np.ones(3), np.ones(3), {"eps": 0.1}),
        (draw(4), draw(4), {"p": 0.0}),
    ]


@primitive
def distances_among(x, *, p=2.0):
    """How far it is from each of n points to each later one: y = (‖x₀ - x₁‖, ‖x₀ - x₂‖, …, ‖x₁ - x₂‖, …).

    x (n, d) -> y (pairs)

    Source: PyTorch's pdist.

    >>> distances_among(np.array([[0.0], [3.0], [7.0]]))
    array([3., 7., 4.])
    """
    one, other = np.triu_indices(len(x), 1)
    v    = x[one] - x[other]
    size = length(v, p)
    y    = size.reshape(len(one))
    return y


@distances_among.backward
def distances_among_backward(grad_y, x, v, size, one, other, p):
    """
    1. y of the pair (i, j) is ‖xᵢ - xⱼ‖: its slope s is that by xᵢ, and -s that by xⱼ
    2. xᵢ is the one of the pairs (i, j), and the other of the pairs (j, i): written into a square, the slopes of the
       first stand in row i, those of the second in column i
    """
    square = np.zeros_like(v, shape=(len(x), *x.shape))
    square[one, other] = grad_y[:, None] * slope(v, size, p)
    grad_x = square.sum(axis=1) - square.sum(axis=0)
    return grad_x


@distances_among.examples
def distances_among_examples(rng):
    """Points; by a walk; another power; two equal points, by the largest difference; a point alone."""
    draw = rng.standard_normal
    return [
        (draw((4, 3)),),
        (draw((3, 2)), {"p": 1.0}),
        (draw((3, 2)), {"p": 2.5}),
        (np.ones((2, 3)), {"p": math.inf}),
        (draw((1, 3)),),
    ]


@primitive
def distances_between(a, b, *, p=2.0):
    """How far it is from each point of one set to each of another: y[i, j] = ‖a[i] - b[j]‖.

    a (..., n, d), b (..., m, d) -> y (..., n, m)

    Source: PyTorch's cdist.

    >>> distances_between(np.array([[0.0], [1.0]]), np.array([[3.0], [5.0], [7.0]]))
    array([[3., 5., 7.],
           [2., 4., 6.]])
    """
    v    = a[..., :, None, :] - b[..., None, :, :]
    size = length(v, p)
    y    = size.reshape(size.shape[:-1])
    return y


@distances_between.backward
def distances_between_backward(grad_y, v, size, p):
    """
    1. y[i, j] = ‖v‖ with v = a[i] - b[j], so its slope by a[i] is that of the norm, and by b[j] minus that
    2. a[i] has a distance to every j, and b[j] to every i: each gets the sum
    """
    grad_v = grad_y[..., None] * slope(v, size, p)
    grad_a = grad_v.sum(axis=-2)
    grad_b = -grad_v.sum(axis=-3)
    return grad_a, grad_b


@distances_between.examples
def distances_between_examples(rng):
    """Points; batches of them against one set; other powers; a point against itself."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)), draw((2, 4))),
        (draw((2, 3, 4)), draw((2, 4)), {"p": 1.0}),
        (draw((3, 4)), draw((2, 4)), {"p": 3.0}),
        (draw((3, 4)), draw((2, 4)), {"p": math.inf}),
        (np.ones((1, 2)), np.ones((1, 2))),
    ]


def pdist(input, p=2.0):
    """Distances between all pairs of n points (n, d), as a row of n(n - 1)/2.

    Raises ShapeError for anything but (n, d), ValueError for p < 0.

    >>> from chalkgrad import tensor
    >>> pdist(tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 4.0]]))
    tensor([5., 4., 3.])
    """
    if input.ndim != 2:
        raise ShapeError(f"pdist: points (n, d) are expected, but input has shape {input.shape}.")
    _check_p("pdist", p)
    return distances_among(input, p=p)


def cdist(x1, x2, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """Distances between all points of two sets: x1 (..., n, d), x2 (..., m, d) -> (..., n, m).

    compute_mode  a name of PyTorch's for how it goes about it; here differences are taken in any case

    Raises ShapeError if one of them has fewer than two axes, or points of another size; ValueError for p < 0, or
    another name.

    >>> from chalkgrad import tensor
    >>> cdist(tensor([[0.0, 0.0]]), tensor([[3.0, 4.0], [0.0, 2.0]]))
    tensor([[5., 2.]])
    """
    if x1.ndim < 2 or x2.ndim < 2 or x1.shape[-1] != x2.shape[-1]:
        raise ShapeError(f"cdist: (..., n, d) and (..., m, d) are expected, but x1 is {x1.shape} and x2 {x2.shape}.")
    _check_p("cdist", p)
    if compute_mode not in (None, *MODES):
        raise ValueError(f"cdist: compute_mode is one of {', '.join(MODES)}, but {compute_mode!r} came.")
    return distances_between(x1, x2, p=p)


def _check_p(name, p):
    if p < 0:
        raise ValueError(f"{name}: p is 0 or more, but {p} came.")

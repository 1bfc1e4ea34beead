"""Slopes of a function that is known at points, from its values at the points next to each other."""

from ..engine.tensor import Tensor
from .constant import full
from .convert import is_floating_point
from .scan import diff
from .shape import concatenate, movedim, reshape

__all__ = ["gradient"]


def gradient(input, *, spacing=None, dim=None, edge_order=1):
    """Estimate the slope along each axis, or each of `dim`, from a parabola through every three points: a tuple.

    spacing     how far the points are apart, 1 if not given: a number, one for each axis, or coordinates for each
    edge_order  2 to take the slope at both ends from the parabola there, 1 from the straight line to the next point

    Raises ValueError for another order, too few points, or a spacing that does not fit.

    Source: Fornberg 1988, for points that are not evenly spaced.

    >>> from chalkgrad import tensor
    >>> gradient(tensor([1.0, 4.0, 9.0, 16.0]), edge_order=2)
    (tensor([2., 4., 6., 8.]),)
    """
    axes = tuple(range(input.ndim)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if len({axis % max(input.ndim, 1) for axis in axes}) < len(axes):
        raise ValueError(f"gradient: dim={dim} names an axis of shape {input.shape} twice.")
    spacing = 1 if spacing is None else spacing
    spacings = tuple(spacing) if isinstance(spacing, tuple | list) else (spacing,) * len(axes)
    if edge_order not in (1, 2):
        raise ValueError(f"gradient: edge_order is 1 or 2, but {edge_order} came.")
    if len(spacings) != len(axes):
        raise ValueError(f"gradient: {len(axes)} spacings were expected, one for each axis, but {len(spacings)} came.")
    return tuple(_slope(input, step, axis, edge_order) for step, axis in zip(spacings, axes))


def _slope(input, spacing, axis, edge_order):
    """
    1. the slope of a parabola through f(x - s), f(x) and f(x + t), times st(s + t), is, in the middle,
       s² f(x + t) + (t² - s²) f(x) - t² f(x - s)
    2. and at the end, with s and t for the first two steps, (s + t)² f(x + s) - (t² + 2st) f(x) - s² f(x + s + t)
    """
    f = movedim(input, axis, 0)
    if len(f) <= edge_order:
        raise ValueError(f"gradient: axis {axis} of shape {input.shape} needs at least {edge_order + 1} points.")
    if isinstance(spacing, Tensor) and spacing.shape != (len(f),) and spacing.ndim:
        raise ValueError(f"gradient: {len(f)} coordinates were expected, but their shape is {spacing.shape}.")
    rows = isinstance(spacing, Tensor) and spacing.ndim
    dtype = input.dtype if is_floating_point(input) else None
    steps = diff(spacing) if rows else full((len(f) - 1,), float(spacing), dtype)
    steps = reshape(steps, -1, *(1,) * (f.ndim - 1))
    s, t = steps[:-1], steps[1:]
    inside = (s * s * f[2:] + (t * t - s * s) * f[1:-1] - t * t * f[:-2]) / (s * t * (s + t))
    first = _end(f, steps, (0, 1, 2), edge_order)
    last = _end(f, steps, (-1, -2, -3), edge_order)
    return movedim(concatenate([first, inside, last]), 0, axis)


def _end(f, steps, places, edge_order):
    """The slope at the first of three points, which may go backwards."""
    a, b = places[:2]
    forward = 1 if a == 0 else -1
    s = steps[a] * forward
    if edge_order == 1:
        return ((f[b] - f[a]) / s)[None]
    t = steps[b] * forward
    return ((-(t * t + 2 * s * t) * f[a] + (s + t) ** 2 * f[b] - s * s * f[places[2]]) / (s * t * (s + t)))[None]

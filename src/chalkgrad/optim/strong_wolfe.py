"""The strong Wolfe conditions: how far to go along a direction so that it was worth it, and no farther.

A step is long enough if the slope has become much flatter, and short enough if the loss has fallen by a fair part of
what the slope promised. A search first steps out until such a point must lie behind it, and then closes in
(Nocedal & Wright 2006, section 3.5).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["Point", "cubic_minimum", "strong_wolfe"]


class Point(NamedTuple):
    """A point on the line: how far along it lies, the loss there, its gradient, and the slope along the line."""

    t: float
    loss: float
    grad: Any
    slope: float


def cubic_minimum(one: Point, other: Point, low: float, high: float) -> float:
    """Return where the cubic that has the losses and slopes of two points is least, between two bounds.

    Where it has no minimum, the middle.

    Source: Nocedal & Wright 2006, eq. 3.59.

    >>> def at(t):  # (t - 1)² (t + 2), which has its minimum at 1
    ...     return Point(t, (t - 1) ** 2 * (t + 2), None, 3 * t * t - 3)
    >>> round(cubic_minimum(at(0.25), at(3.0), 0.0, 4.0), 6)
    1.0
    """
    left, right = sorted((one, other), key=lambda point: point.t)
    d1 = left.slope + right.slope - 3 * (left.loss - right.loss) / (left.t - right.t)
    square = d1 * d1 - left.slope * right.slope
    if not square >= 0:
        return (low + high) / 2
    d2 = math.sqrt(square)
    width = right.slope - left.slope + 2 * d2
    if width == 0:
        return (low + high) / 2
    return min(max(right.t - (right.t - left.t) * ((right.slope + d2 - d1) / width), low), high)


def strong_wolfe(
    at: Callable[[float], Point], start: Point, t: float, reach: float, tolerance_change: float, most: int,
    c1: float = 1e-4, c2: float = 0.9,
) -> tuple[Point, int]:
    """Find a point that fulfils the strong Wolfe conditions; returns it, and how many points were looked at.

    at     computes the point at a distance
    start  the point at 0, from which the line goes down
    t      the first distance to try
    reach  the largest component of the direction: at distances closer than tolerance_change / reach it gives up
    most   the number of points, beside the first, after which the best one so far is taken

    loss(t) ≤ loss(0) + c₁ t slope(0), and |slope(t)| ≤ c₂ |slope(0)|.

    Source: Nocedal & Wright 2006, eq. 3.7, Algorithms 3.5 and 3.6.

    >>> def at(t):  # (t - 3)², from t = 0 down
    ...     return Point(t, (t - 3) ** 2, None, 2 * (t - 3))
    >>> point, count = strong_wolfe(at, at(0.0), 0.001, 1.0, 1e-9, 25)
    >>> round(point.t, 6), count, point.loss <= 9 - 1e-4 * point.t * 6, abs(point.slope) <= 0.9 * 6
    (1.0, 4, True, True)
    """
    bracket, count = _step_out(at, start, t, most, c1, c2)
    if len(bracket) == 1:
        return bracket[0], count
    low, stuck = _lower(bracket), False
    while count <= most:
        left, right = sorted(point.t for point in bracket)
        if (right - left) * reach < tolerance_change:
            break
        t = cubic_minimum(bracket[0], bracket[1], left, right)
        margin = 0.1 * (right - left)
        near = min(right - t, t - left) < margin
        if near and (stuck or not left < t < right):  # so near to an end it would hardly get on
            t, near = (right - margin if abs(t - right) < abs(t - left) else left + margin), False
        stuck = near
        new, count = at(t), count + 1
        best, worst = bracket[low], bracket[1 - low]
        if new.loss > start.loss + c1 * t * start.slope or new.loss >= best.loss:
            bracket[1 - low] = new
            low = _lower(bracket)
            continue
        bracket[low] = new
        if abs(new.slope) <= -c2 * start.slope:
            break
        if new.slope * (worst.t - best.t) >= 0:
            bracket[1 - low] = best
    return bracket[low], count


def _step_out(
    at: Callable[[float], Point], start: Point, t: float, most: int, c1: float, c2: float
) -> tuple[list[Point], int]:
    """Go on until a point is right, and return it alone; or until two are found that have one between them."""
    before, new, count = start, at(t), 1
    while count <= most:
        if new.loss > start.loss + c1 * new.t * start.slope or (count > 2 and new.loss >= before.loss):
            return [before, new], count
        if abs(new.slope) <= -c2 * start.slope:
            return [new], count
        if new.slope >= 0:
            return [before, new], count
        t = cubic_minimum(before, new, new.t + 0.01 * (new.t - before.t), 10 * new.t)
        before, new, count = new, at(t), count + 1
    return [start, new], count


def _lower(bracket: list[Point]) -> int:
    return 0 if bracket[0].loss <= bracket[1].loss else 1

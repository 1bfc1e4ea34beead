"""Charts for the report: numbers become points and ticks here, and the template draws them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Chart", "Curve", "Tick", "chart"]

# The drawing's size, and the room around the plot for its ticks and labels, in units of the SVG.
WIDTH, HEIGHT = 420.0, 250.0
LEFT, RIGHT, TOP, BOTTOM = 48.0, 12.0, 14.0, 34.0
STEPS = (1, 2, 2.5, 5, 10)  # between ticks, times a power of ten


@dataclass(frozen=True)
class Tick:
    """A place on an axis, in units of the SVG, and what is written there."""

    at: float
    label: str


@dataclass(frozen=True)
class Curve:
    """A line through the plot: `points` as SVG wants them, "48.0,216.0 52.1,180.4 ..."."""

    name: str
    points: str
    end: tuple[float, float]


@dataclass(frozen=True)
class Chart:
    """Curves over the epochs, all that the template needs to draw them."""

    title: str
    curves: list[Curve]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    top: float = TOP
    bottom: float = HEIGHT - BOTTOM


def chart(title: str, series: Mapping[str, Sequence[float]], *, percent: bool = False) -> Chart:
    """Lay out curves by name, a value for each epoch, the first being epoch 1.

    Values that span more than two powers of ten get a logarithmic axis; `percent` shows 1 as 100 %.

    >>> drawing = chart("loss", {"train": [2.0, 1.0], "validation": [2.0, 1.5]})
    >>> [tick.label for tick in drawing.x_ticks], [tick.label for tick in drawing.y_ticks]
    (['1', '2'], ['0', '0.5', '1', '1.5', '2'])
    """
    values = [value for points in series.values() for value in points]
    epochs = max(len(points) for points in series.values())
    x = _scale(1, max(epochs, 2), LEFT, WIDTH - RIGHT)
    ticks, transform = _logarithmic(values) if _spans_decades(values) else (_linear(values, percent), float)
    places = [transform(value) for value, _ in ticks] + [transform(value) for value in values]
    y = _scale(min(places), max(places), HEIGHT - BOTTOM, TOP)
    return Chart(
        title=title,
        curves=[_curve(name, points, x, lambda value: y(transform(value))) for name, points in series.items()],
        x_ticks=[Tick(x(epoch), f"{epoch:g}") for epoch in _whole_steps(1, epochs)],
        y_ticks=[Tick(y(transform(value)), label) for value, label in ticks],
    )


def _curve(
    name: str, values: Sequence[float], x: Callable[[float], float], y: Callable[[float], float]
) -> Curve:
    places = [(x(epoch), y(value)) for epoch, value in enumerate(values, start=1)]
    return Curve(name, " ".join(f"{a:.1f},{b:.1f}" for a, b in places), places[-1])


def _scale(low: float, high: float, start: float, stop: float) -> Callable[[float], float]:
    """Return the straight line that takes low to start and high to stop."""
    span = (high - low) or 1.0
    return lambda value: start + (value - low) / span * (stop - start)


def _spans_decades(values: Sequence[float]) -> bool:
    return min(values) > 0 and max(values) / min(values) > 100


def _linear(values: Sequence[float], percent: bool) -> list[tuple[float, str]]:
    """Four to six round numbers around the values; a loss is seen against 0, an accuracy against 100 %."""
    low, high = (min(values), 1.0) if percent else (min(0.0, *values), max(values))
    step = _round_step((high - low) / 4 or 0.25 * abs(high) or 0.25)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [i * step for i in range(first, last + 1)]
    return [(tick, f"{100 * tick:g} %" if percent else f"{tick:.6g}") for tick in ticks]


def _round_step(rough: float) -> float:
    """The first step of 1, 2, 2.5 or 5 times a power of ten that is not below `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in STEPS if step * power >= rough * (1 - 1e-9))


def _logarithmic(values: Sequence[float]) -> tuple[list[tuple[float, str]], Callable[[float], float]]:
    """Powers of ten around the values, not more than seven of them."""
    first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    stride = math.ceil((last - first) / 6)
    exponents = range(first, last + stride, stride)
    return [(10.0**exponent, _power(exponent)) for exponent in exponents], math.log10


def _power(exponent: int) -> str:
    """Write a power of ten: 0.01, 1, 100, and beyond these 10⁻⁵.

    >>> _power(-2), _power(-5), _power(3)
    ('0.01', '10⁻⁵', '10³')
    """
    if -3 <= exponent <= 2:
        return f"{10.0**exponent:g}"
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _whole_steps(first: int, last: int) -> list[int]:
    """At most eight epochs to label: the first, and round ones after it."""
    step = max(1, math.ceil(_round_step(max(1, (last - first) / 6))))
    return sorted({first, *range(step, last + 1, step)})

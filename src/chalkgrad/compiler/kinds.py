"""How a value of the whole batch follows from the values of its parts, found out by trying.

A line is run on the whole batch and on its parts, with numbers that are drawn anew, in double precision. If the
results for the parts, put one behind the other, are the result for the whole, the line can be run part by part;
likewise if they add up to it. Numbers drawn at random do not agree by chance; where a line cannot be told, it is run
on the whole batch.
"""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from .facts import run
from .lines import Line, is_array

__all__ = [
    "Kind", "OWN", "SUM", "WHOLE", "ZERO", "ZeroedNumPy", "compare", "difference", "is_linear", "parts_of",
    "release", "try_line", "vary",
]


@dataclass(frozen=True)
class Kind:
    """whole: the same for all parts.  split: one behind the other along `axis`.  sum: the parts add up to the whole.
    own: what each part has for itself, such as its length.  zero: zeros, which are a sum as well as the same.
    """

    how: str
    axis: int = 0


class ZeroedNumPy:
    """NumPy, whose empty arrays are zeros here: what happens to lie in them would be taken for a result."""

    empty, empty_like = staticmethod(np.zeros), staticmethod(np.zeros_like)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


BENDS = {  # functions that are straight lines, but for some places
    "abs", "absolute", "argmax", "argmin", "ceil", "clip", "fabs", "floor", "fmax", "fmin", "heaviside", "max",
    "maximum",
    "min", "minimum", "median", "rint", "round", "sign", "sort", "where",
}
MAKERS = {"empty", "empty_like", "zeros", "zeros_like"}
WHOLE, SUM, OWN, ZERO = Kind("whole"), Kind("sum"), Kind("own"), Kind("zero")


def difference(whole: Any, part: Any, count: int) -> Kind | None:
    """Tell by the shapes alone what kind of a value it must be; None if they do not fit."""
    if isinstance(whole, tuple | list) and any(map(is_array, whole)):
        return None
    if not is_array(whole):
        return WHOLE if type(whole) is type(part) and whole == part else OWN
    if np.shape(whole) == np.shape(part):
        return WHOLE
    axes = [i for i, (n, m) in enumerate(zip(whole.shape, part.shape)) if n != m]
    fits = whole.ndim == part.ndim and len(axes) == 1 and part.shape[axes[0]] * count == whole.shape[axes[0]]
    return Kind("split", axes[0]) if fits else None


def vary(value: Any, rng: np.random.Generator, rare: int | None = None) -> Any:
    """Draw other numbers: floats that there were, in another order, a little larger or smaller and in float64.

    So what was a probability stays one. Whole numbers are drawn from the least to the greatest that there were, so that
    a class that was absent comes too; in every third place stands the one that is `rare`.
    """
    if not is_array(value):
        return value
    if value.dtype == bool:  # more are true towards the end of every axis, as may be in another batch
        score = sum(place / n for place, n in zip(np.indices(value.shape), value.shape)) + 0.3 * rng.random(value.shape)
        return np.asarray(score > 0.6 * np.mean(score))
    if value.dtype.kind in "iu" and value.size:
        drawn = np.asarray(rng.integers(value.min(), value.max(), value.shape, value.dtype, endpoint=True))
        limits = np.iinfo(value.dtype)
        if rare is not None and limits.min <= rare <= limits.max:
            drawn.reshape(-1)[::3] = rare
        return drawn
    turned = np.roll(value.reshape(-1)[::-1], int(rng.integers(value.size)) if value.size else 0).reshape(value.shape)
    if value.dtype.kind != "f":
        return turned.copy()
    at = rng.integers(len(_pool()) // 2)
    noise = np.resize(_pool()[at : at + max(value.size, 1)], value.shape)
    return np.asarray(turned * noise) if np.any(value) else noise - 1


@functools.cache
def _pool() -> Any:
    """Draw the factors once; taken from a random place on, they are as good as new ones."""
    return np.exp(0.3 * np.random.default_rng(0).standard_normal(1 << 17))


def release() -> None:
    """Let go of the factors, a megabyte, when a program is divided."""
    _pool.cache_clear()


def parts_of(value: Any, kind: Kind, own: Any, count: int, rng: np.random.Generator) -> list[Any]:
    """Take a value of the whole batch apart."""
    if kind.how == "split":
        return [part.copy() for part in np.split(value, count, kind.axis)]
    if kind.how == "sum":
        # large ones of both signs, so that a bound, which no sum may meet, is met
        size = 100 * max(float(np.abs(value).max(initial=0)), 1.0)
        drawn = [size * rng.standard_normal(np.shape(value)) for _ in range(count - 1)]
        return [*drawn, value - sum(drawn)]
    if kind.how == "own":
        return [own] * count
    return [value.copy() if is_array(value) else value for _ in range(count)]


def try_line(
    line: Line, part: Line, kinds: dict[str, Kind], values: dict[str, Any], own: dict[str, Any], known: dict[str, Any],
    count: int,
) -> dict[str, tuple[Kind, float]] | None:
    """Run a line on the whole batch and on parts; return the kind of each result and the factor that it lacks."""
    found = _try(line, part, kinds, values, own, known, count, even=False)
    sizes = [_size(values[name]) for name in line.reads | line.changes if name in kinds and _is_float(values[name])]
    if found is not None and min(sizes, default=1) <= 1e-3 * max(sizes, default=1):
        # what is small now may be large in another batch, and must not escape notice beside what is large
        found = found if _try(line, part, kinds, values, own, known, count, even=True) == found else None
    if found is None or not any(_is_label(values[name], kinds[name]) for name in line.reads & kinds.keys()):
        return found
    # such as the class that a loss ignores, which no row of this batch may have
    rare = [_try(line, part, kinds, values, own, known, count, even=False, rare=number) for number in _literals(line)]
    return found if all(again in (found, {}) for again in rare) else None


def _try(
    line: Line, part: Line, kinds: dict[str, Kind], values: dict[str, Any], own: dict[str, Any], known: dict[str, Any],
    count: int, even: bool, rare: int | None = None,
) -> dict[str, tuple[Kind, float]] | None:
    """Try once; with a `rare` number a line may not run even on the whole batch, and then there is nothing to find."""
    rng = np.random.default_rng(0)
    names = [name for name in sorted(line.reads | line.changes) if name in kinds]
    whole = {name: values[name] if _is_fixed(values[name], kinds[name]) else vary(values[name], rng, rare)
             for name in names}
    if even:
        whole |= {name: np.asarray(value / _size(value)) for name, value in whole.items() if _is_float(value)}
    taken = {name: parts_of(whole[name], kinds[name], own.get(name), count, rng) for name in names}
    results = {**known, **whole}
    try:
        run(line, results)
    except Exception:
        return None if rare is None else {}
    try:
        shares = [{**known, **{name: taken[name][i] for name in names}} for i in range(count)]
        for share in shares:
            run(part, share)
    except Exception:  # a line that does not run on parts is no line for parts
        return None
    found = {}
    same = all(kinds[name] == WHOLE for name in names)
    for name in sorted(line.binds | line.changes):
        kind = compare(results.get(name), [share.get(name) for share in shares], count)
        again = name in line.changes or isinstance(line.node, ast.For | ast.If)  # and may go on with what it made
        if kind is None or (kind[1] != 1 and again):
            return None
        if not same and not _is_proof(results[name], kind[0], line):
            return None
        found[name] = kind
    return found


def _is_label(value: Any, kind: Kind) -> bool:
    return is_array(value) and value.dtype.kind in "iu" and kind.how == "split"


def _literals(line: Line) -> set[int]:
    """Collect the whole numbers in a line's text, with their signs."""
    signed = [part for part in ast.walk(line.node) if isinstance(part, ast.UnaryOp)]
    inner = {id(part.operand) for part in signed}
    found = [part for part in ast.walk(line.node) if isinstance(part, ast.Constant) and id(part) not in inner]
    values = [ast.unparse(part) for part in [*signed, *found]]
    return {int(text) for text in values if text.lstrip("-").isdecimal()}


def _is_float(value: Any) -> bool:
    return is_array(value) and value.dtype.kind == "f"


def _size(value: Any) -> float:
    """Return the largest of the numbers that are finite, without regard to signs; 1 if there are only zeros."""
    return float(np.abs(value).max(initial=0, where=np.isfinite(value))) or 1.0


def _is_fixed(value: Any, kind: Kind) -> bool:
    """Tell what is not to be varied: lengths, and what all parts share that is no float, such as an order of axes."""
    return kind == OWN or (kind == WHOLE and not (is_array(value) and value.dtype.kind == "f"))


def _is_proof(value: Any, kind: Kind, line: Line) -> bool:
    """Tell whether agreement means anything: a count, or a test, of both parts may agree by chance, and so do zeros."""
    if kind == ZERO:
        return any(part.attr in MAKERS for part in ast.walk(line.node) if isinstance(part, ast.Attribute))
    return not is_array(value) or value.dtype.kind == "f" or kind.how in ("split", "own")


def is_linear(line: Line, known: dict[str, Any]) -> bool:
    """Tell whether a line does nothing that a trial could miss, as it shows for some numbers alone: bounds, signs."""
    calls = [part.func for part in ast.walk(line.node) if isinstance(part, ast.Call)]
    named = [function.id for function in calls if isinstance(function, ast.Name)]
    texts = [text for name in named if name in known for text in _names_in(known[name])]
    own = [part.attr for part in ast.walk(line.node) if isinstance(part, ast.Attribute)]
    return not BENDS & {*own, *texts} and not any(isinstance(part, ast.Compare) for part in ast.walk(line.node))


@functools.cache
def _names_in(function: Any) -> frozenset[str]:
    """Name what a helper uses, and what the helpers use that it calls."""
    names: set[str] = set()
    waiting, seen = [function], {function}
    while waiting:
        code, known = getattr(waiting[-1], "__code__", None), getattr(waiting.pop(), "__globals__", {})
        names |= {*code.co_names} if code else set()
        inner = [known.get(name) for name in code.co_names] if code else []
        new = [each for each in inner if hasattr(each, "__code__") and each not in seen]
        seen.update(new)
        waiting += new
    return frozenset(names)


def compare(whole: Any, parts: list[Any], count: int) -> tuple[Kind, float] | None:
    """Tell how the results for the parts make up that for the whole, and by which factor they are too large."""
    kind = difference(whole, parts[0], count)
    if kind is None or not is_array(whole):
        return None if kind is None else (kind, 1)
    whole, parts = np.asarray(whole), [np.asarray(part) for part in parts]
    if kind.how == "whole" and not np.any(whole) and not any(map(np.any, parts)):
        return ZERO, 1
    for factor in (1, 1 / count) if whole.dtype.kind == "f" else (1,):
        if kind.how == "split" and _close(np.concatenate(parts, kind.axis) * factor, whole):
            return kind, factor
        if kind.how == "whole" and all(_close(part * factor, whole) for part in parts):
            return kind, factor
        if kind.how == "whole" and _close(sum(parts) * factor, whole):
            return SUM, factor
    alike = kind.how == "split" and all(np.array_equal(part, parts[0]) for part in parts)
    return (OWN, 1) if alike else None  # such as np.arange(len(x)), which every part counts from 0


def _close(one: Any, other: Any) -> bool:
    if other.dtype.kind != "f":
        return bool(np.array_equal(one, other))
    within = 1e-9 if other.dtype == np.float64 else 1e-5
    with np.errstate(all="ignore"):
        finite = np.isfinite(other)
        same = np.array_equal(np.isfinite(one), finite)
        if same and finite.all() and finite.size:  # to pick all out of an array takes as long as all the rest
            return bool(np.abs(one - other).max() <= within * np.abs(other).max())
        if not same or not finite.any():
            return same
        return bool(np.abs(one - other)[finite].max() <= within * np.abs(other[finite]).max())

"""Shapes in words: the shape line of a rule, errors explained from it, and sums over what was broadcast."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from .errors import ShapeError
from .words import in_words

__all__ = ["ShapeLine", "explain", "match", "parse", "repeats", "unbroadcast"]

ShapeLine = tuple[dict[str, list[str]], dict[str, list[str]]]
ITEM = re.compile(r"(\w+) \(([^()]*(?:\([^()]*\)[^()]*)*)\)")


def parse(doc: str | None) -> ShapeLine | None:
    """Read the shape line of a docstring: the axes of every input and of every output.

    >>> parse("Multiply.  x (n, i), weight (o, i) -> y (n, o)")
    ({'x': ['n', 'i'], 'weight': ['o', 'i']}, {'y': ['n', 'o']})
    """
    for line in (doc or "").splitlines():
        left, arrow, right = line.partition("->")
        if arrow and ITEM.search(left) and ITEM.search(right):
            inputs, outputs = ({n: [a.strip() for a in axes.split(",") if a.strip()] for n, axes in ITEM.findall(side)}
                               for side in (left, right))
            return inputs, outputs
    return None


def match(axes: list[str], shape: tuple[int, ...]) -> list[tuple[str, int]] | None:
    """Pair the names of axes with sizes; `...` takes what the others leave. None if the counts do not fit.

    `*` alone says nothing about a shape.

    >>> match(["...", "c"], (2, 3, 4))
    [('c', 4)]
    """
    if axes == ["*"]:
        return []
    if "..." in axes:
        before, after = axes[: axes.index("...")], axes[axes.index("...") + 1 :]
        if len(before) + len(after) > len(shape):
            return None
        pairs = [*zip(before, shape, strict=False), *zip(after, shape[len(shape) - len(after) :], strict=True)]
    elif len(axes) != len(shape):
        return None
    else:
        pairs = [*zip(axes, shape, strict=True)]
    return [(axis, size) for axis, size in pairs if axis.isidentifier()]


def explain(primitive: Any, arrays: Sequence[Any], error: Exception) -> Exception:
    """Say in the words of the shape line why NumPy failed; called only then, so that correct code pays nothing."""
    line = parse(primitive.__doc__)
    inputs = line[0] if line else {}
    given = [(n, a) for n, a in zip(primitive.rule.inputs, arrays, strict=True) if hasattr(a, "shape")]
    problem = _conflict(inputs, given) or _stranger(primitive.rule.inputs, arrays, error)
    table = [f"    {n:<8} ({', '.join(inputs.get(n, ['?']))}) = {a.shape} {a.dtype}" for n, a in given]
    advice = re.search(r"^\s*Try: (.*?)\n\s*\n", (primitive.__doc__ or "") + "\n\n", re.DOTALL | re.MULTILINE)
    hint = ["  Try: " + " ".join(advice[1].split())] if advice else []
    text = "\n".join([f"{primitive.name}: {problem or in_words(error)}", *table, *hint])
    if isinstance(error, AttributeError):
        return TypeError(text)
    if problem or isinstance(error, ValueError):
        return ShapeError(text)
    # NumPy's own kinds of error want more arguments than a text; the built-in kind beneath says as much
    kind = next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins")
    return cast("Exception", kind(text))


def _stranger(names: Sequence[str], arrays: Sequence[Any], error: Exception) -> str | None:
    """Name the input that is no array, if that is what went wrong."""
    for name, value in zip(names, arrays, strict=True):
        if isinstance(error, AttributeError) and value is error.obj and not hasattr(value, "shape"):
            return f"`{name}` is {value!r:.40}, of type {type(value).__name__}, but an array was expected."
    return None


def _conflict(inputs: dict[str, list[str]], given: list[tuple[str, Any]]) -> str | None:
    """Find the first axis whose sizes contradict each other."""
    sizes: dict[str, tuple[int, str]] = {}
    for name, array in given:
        pairs = match(inputs[name], array.shape) if name in inputs else []
        if pairs is None:
            return f"`{name}` has {array.ndim} axes but ({', '.join(inputs[name])}) was expected."
        for axis, size in pairs:
            known, where = sizes.setdefault(axis, (size, name))
            if known != size:
                return f"`{axis}` is {known} in {where} but {size} in {name}."
    return None


def repeats(shape: tuple[int, ...], larger: tuple[int, ...]) -> bool:
    """Tell whether broadcasting repeats an array of one shape to the other.

    >>> repeats((3,), (2, 3)), repeats((2, 1), (2, 3)), repeats((2, 3), (3, 2))
    (True, True, False)
    """
    return len(shape) <= len(larger) and all(n in (1, m) for n, m in zip(shape[::-1], larger[::-1], strict=False))


def unbroadcast(grad: Any, shape: tuple[int, ...]) -> Any:
    """Sum over the axes along which an input of this shape was repeated: each repetition had its part in the loss."""
    extra = grad.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(extra + i for i, n in enumerate(shape) if n == 1 and grad.shape[extra + i] != 1)
    summed = grad.sum(axis=axes, keepdims=extra == 0)
    return summed if summed.shape == shape else summed.reshape(shape)

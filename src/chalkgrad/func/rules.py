"""How an operation is done for many at once: mostly, its shape line says so.

`x (..., i), weight (o, i) -> y (..., o)` takes any number of axes in front; so it takes a batch there, as long as the
weights are not batched too. An axis that is counted from the front moves on by one. Operations with shapes or places
among their options have a line of their own in `lifted.py`. What is left is done one after the other, and stacked.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..law.arguments import bind
from ..law.shapes import parse
from ..ops import broadcast_to, reshape, stack
from .batched import Batched, many
from .lifted import FLAT, LIFTED, moved

__all__ = ["lift", "lift_flat"]

# Options that do not count axes; with any other but `axis`, a shape line alone is not trusted.
FREE = {
    "alpha", "atol", "beta", "c", "ceil_mode", "count", "count_include_pad", "decimals", "delta", "dilation",
    "divisor_override", "downscale_factor", "dropout_p", "dtype", "eps", "exponent", "full", "full_matrices",
    "gamma", "groups", "hermitian", "is_causal", "kernel_size", "lambd", "log_input", "log_target", "margin",
    "max", "max_val", "min", "min_val", "n", "nan", "negative_slope", "neginf", "norm_type", "num_pieces",
    "output_padding", "output_size", "p", "padding", "padding_idx", "places", "posinf", "rtol", "scale",
    "scale_grad_by_freq", "sizes", "stride", "threshold", "upper", "upscale_factor", "value",
}
ALONE = {"fractional_max_pool"}  # there is one batch for its `...`, or none
BESIDE_AXIS = {"axis", "keepdims", "ddof", "dtype", "correction", "descending", "eps", "p", "stable"}


def lift(
    apply: Callable[..., Any], primitive: Any, inputs: Sequence[Any], options: dict[str, Any]
) -> Any:
    """Do an operation for all parts of what is Batched, of the innermost vmap first."""
    inputs, options = bind(primitive.rule, tuple(inputs), options, lambda option, whose: option)
    options = {**(primitive.rule.function.__kwdefaults__ or {}), **options}
    level, size = _innermost(inputs, options)
    mine = [isinstance(x, Batched) and x.level == level for x in inputs]
    inner = [x.inner if m else x for x, m in zip(inputs, mine, strict=True)]
    if options.get("reduction", "none") != "none":
        return _reduced(apply, inputs, options)
    made = NotImplemented
    if primitive.name in LIFTED:
        made = LIFTED[primitive.name](apply, inner, mine, level=level, **options)
    elif any(mine) and not _has(level, options.values()) and _leads(primitive, tuple(mine)):
        made = _led(apply, primitive, inner, mine, options)
    if made is NotImplemented:
        made = _one_by_one(apply, size, inputs, options, level)
    return tuple(many(y, level) for y in made) if isinstance(made, tuple) else many(made, level)


def lift_flat(apply: Callable[..., Any], function: Any, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
    """Do what carries no derivative for all parts: an element at a time, along an axis, or one after the other."""
    level, size = _innermost(inputs, options)
    mine = [isinstance(x, Batched) and x.level == level for x in inputs]
    inner = [x.inner if m else x for x, m in zip(inputs, mine, strict=True)]
    made = NotImplemented
    if isinstance(function, np.ufunc) or function is np.isclose:
        made = apply(*_aligned(inner, mine, [["..."] if hasattr(x, "ndim") else None for x in inner])[0], **options)
    elif function in FLAT and mine == [True, *[False] * (len(inner) - 1)]:
        made = FLAT[function](apply, *inner, **options)
    if made is NotImplemented:
        made = _one_by_one(apply, size, inputs, options, level)
    return many(made, level)


def _innermost(inputs: Sequence[Any], options: dict[str, Any]) -> tuple[int, int]:
    """Find the innermost vmap that has a part in a call, and how many examples it has."""
    found = [*_leaves(inputs), *_leaves(options.values())]
    last = max(found, key=lambda each: each.level)
    return last.level, last.inner.shape[0]


def _leaves(values: Any) -> Iterator[Batched]:
    """List what is Batched among values, tuples and lists taken apart."""
    for value in values:
        if isinstance(value, Batched):
            yield value
        elif isinstance(value, tuple | list):
            yield from _leaves(value)


def _has(level: int, values: Any) -> bool:
    return any(each.level == level for each in _leaves(values))


@functools.cache
def _lines(primitive: Any) -> tuple[list[list[str]], list[list[str]]] | None:
    """The axes of every input, as the shape line has them, and of every output."""
    line = parse(primitive.__doc__)
    if line is None or any(name not in line[0] for name in primitive.rule.inputs):
        return None
    return [line[0][name] for name in primitive.rule.inputs], list(line[1].values())


@functools.cache
def _leads(primitive: Any, mine: tuple[bool, ...]) -> bool:
    """Tell whether the shape line of a rule lets a batch stand in front."""
    lines = _lines(primitive)
    if lines is None or primitive.name in ALONE:
        return False
    if not all(axes[:1] == ["..."] for axes, m in zip(lines[0], mine, strict=True) if m):
        return False
    known = {*primitive.rule.options}
    if all(axes[:1] == ["..."] for axes in lines[1]):
        return known <= FREE | {"axis"}
    if "reduction" in known:  # here it is "none"
        return True
    return "axis" in known and known <= BESIDE_AXIS and all(axes == ["*"] for axes in lines[1])


def _led(apply: Callable[..., Any], primitive: Any, inner: list[Any], mine: list[bool], options: dict[str, Any]) -> Any:
    """Let the batch stand in front of all that has axes to spare there."""
    lines = _lines(primitive)
    assert lines is not None
    axes = [line if line[:1] == ["..."] and hasattr(x, "shape") else None for line, x in zip(lines[0], inner)]
    aligned, count = _aligned(inner, mine, axes)
    if any(line == ["*"] and getattr(x, "ndim", 0) > count for line, x in zip(lines[0], inner)):
        return NotImplemented  # it has more axes than an example, so it would meet the batch
    if primitive.rule.options or any(line != ["..."] for line in lines[0]):  # it may not broadcast
        aligned = [x if a is None else _given(x, m, aligned, mine) for x, m, a in zip(aligned, mine, axes)]
    return _along(apply, aligned, count, options) if "axis" in options else apply(*aligned, **options)


def _aligned(inner: list[Any], mine: list[bool], axes: list[Any]) -> tuple[list[Any], int]:
    """Put axes of size 1 behind the batch, so that `...` has as many axes in all inputs, which meet from the right.

    axes  the axes of each input, as the shape line has them; None for one that is left as it is

    Returns the inputs, and how many axes there are without the batch.
    """
    free = [None if a is None else x.ndim - m - len(a) + 1 for x, m, a in zip(inner, mine, axes, strict=True)]
    most = max(f for f in free if f is not None)
    aligned = [
        reshape(x, (*x.shape[:m], *[1] * (most - f), *x.shape[m:])) if f is not None and f < most else x
        for x, m, f in zip(inner, mine, free, strict=True)
    ]
    return aligned, most + next(len(a) - 1 for a, m in zip(axes, mine) if m)


def _given(x: Any, m: bool, others: list[Any], mine: list[bool]) -> Any:
    """Give every example a copy of its own, if there is but one for all."""
    size = next(other.shape[0] for other, m in zip(others, mine) if m)
    return x if m else broadcast_to(x, (size, *x.shape))


def _along(apply: Callable[..., Any], aligned: list[Any], count: int, options: dict[str, Any]) -> Any:
    """Count axes from the front of one of many: each is one further on. A number is told that it has an axis."""
    if not count:
        made = apply(*(reshape(x, (-1, 1)) if getattr(x, "ndim", 0) else x for x in aligned), **{**options, "axis": 1})
        return tuple(reshape(y, (-1,)) for y in made) if isinstance(made, tuple) else reshape(made, (-1,))
    return apply(*aligned, **{**options, "axis": moved(options["axis"], count)})


def _reduced(apply: Callable[..., Any], inputs: Sequence[Any], options: dict[str, Any]) -> Any:
    """A loss of each: the losses of all elements, and then their mean or sum, which leaves the batch alone."""
    losses = apply(*inputs, **{**options, "reduction": "none"})
    return losses.mean() if options["reduction"] == "mean" else losses.sum()


def _one_by_one(
    apply: Callable[..., Any], size: int, inputs: Sequence[Any], options: dict[str, Any], level: int
) -> Any:
    """Do it for one after the other, and stack what comes out."""
    def pick(value: Any, i: int) -> Any:
        if isinstance(value, tuple | list):
            return type(value)(pick(each, i) for each in value)
        return value.inner[i] if isinstance(value, Batched) and value.level == level else value

    made = [apply(*pick(tuple(inputs), i), **{k: pick(v, i) for k, v in options.items()}) for i in range(size)]
    if len({getattr(one, "shape", ()) for one in made}) > 1:
        raise ValueError("vmap: the size of what comes out follows from the numbers, and differs between examples: "
                         f"{', '.join(str(one.shape) for one in made[:3])}. Use a mask of a fixed size instead.")
    return tuple(map(stack, zip(*made, strict=True))) if isinstance(made[0], tuple) else stack(made)

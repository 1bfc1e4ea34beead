"""Operations with shapes, places or weights of their own, done for many at once: one function for each.

Each is handed the call for all, the inputs with the batch as first axis of those that are `mine`, and the options. It
returns NotImplemented for what is to be done one after the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..ops import broadcast_to, reshape
from ..ops.extremes import last_extreme_place
from ..ops.sort import ordered_places
from .batched import Batched

__all__ = ["FLAT", "LIFTED", "moved"]

Apply = Callable[..., Any]


def moved(axis: Any, count: int) -> Any:
    """Count axes from the front of one of many: each is one further on.

    >>> moved(0, 2), moved(-1, 2), moved((0, -1), 3), moved(None, 2)
    (1, 2, (1, 3), (1, 2))
    """
    if axis is None:
        return tuple(range(1, count + 1))
    if isinstance(axis, tuple):
        return tuple(_within(a, count) + 1 for a in axis)
    return _within(axis, count) + 1


def _within(axis: int, count: int) -> int:
    if not -count <= axis < count:
        raise IndexError(f"There is no axis {axis} in an example, which has {count}.")
    return axis % count


def _reshaped(apply: Apply, inner: list[Any], mine: list[bool], *, shape: Any, **_: Any) -> Any:
    """Keep the batch, and reshape what is behind it."""
    (x,) = inner
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if -1 in shape:
        rest = math.prod(n for n in shape if n != -1)
        shape = tuple(math.prod(x.shape[1:]) // max(rest, 1) if n == -1 else n for n in shape)
    return apply(x, shape=(x.shape[0], *shape))


def _permuted(apply: Apply, inner: list[Any], mine: list[bool], *, axes: Any, **_: Any) -> Any:
    """Keep the batch in front."""
    (x,) = inner
    axes = tuple(range(x.ndim - 1))[::-1] if axes is None else axes
    return apply(x, axes=(0, *(_within(axis, x.ndim - 1) + 1 for axis in axes)))


def _repeated(apply: Apply, inner: list[Any], mine: list[bool], *, shape: Any, **_: Any) -> Any:
    """Broadcast each: new axes come behind the batch."""
    (x,) = inner
    x = reshape(x, (x.shape[0], *[1] * (len(shape) + 1 - x.ndim), *x.shape[1:]))
    return apply(x, shape=(x.shape[0], *shape))


def _padded(apply: Apply, inner: list[Any], mine: list[bool], *, widths: Any, level: int, **options: Any) -> Any:
    """Pad the batch by nothing."""
    return apply(*inner, widths=((0, 0), *widths), **options)


def _joined(apply: Apply, inner: list[Any], mine: list[bool], *, axis: int, **_: Any) -> Any:
    """Join each with each."""
    inner = _all_given(inner, mine)
    return apply(*inner, axis=moved(axis, inner[0].ndim - 1))


def _all_given(inner: list[Any], mine: list[bool]) -> list[Any]:
    """Give every example a copy of its own of what there is but one of."""
    size = next(x.shape[0] for x, m in zip(inner, mine, strict=True) if m)
    return [x if m else broadcast_to(x, (size, *x.shape)) for x, m in zip(inner, mine, strict=True)]


def _getitem(apply: Apply, inner: list[Any], mine: list[bool], *, index: Any, level: int, **_: Any) -> Any:
    """The index of one, behind all of the batch. Unless arrays in it stand together, NumPy puts their axes in front."""
    (x,) = inner
    index = index if isinstance(index, tuple) else (index,)
    if not mine[0] or any(isinstance(each, Batched) for each in index):
        return NotImplemented
    arrays = [i for i, each in enumerate(index) if hasattr(each, "ndim") or isinstance(each, tuple)]
    places = [i for i, each in enumerate(index) if i in arrays or isinstance(each, int)]  # an int is one of them
    if arrays and places[-1] - places[0] >= len(places):
        return NotImplemented
    return apply(x, index=(slice(None), *index))


def _take_along_axis(
    apply: Apply, inner: list[Any], mine: list[bool], *, index: Any, axis: int, level: int, **_: Any
) -> Any:
    """Each by an index of its own, or all by one."""
    own = isinstance(index, Batched) and index.level == level
    x, index = _all_given([inner[0], index.inner if own else index], [*mine, own])
    return apply(x, index=index, axis=moved(axis, index.ndim - 1))


def _linear(apply: Apply, inner: list[Any], mine: list[bool], **_: Any) -> Any:
    """Each has weights of its own: a product for each, in one batch of products."""
    x, weight, bias = inner
    if not mine[1]:
        if bias is None or not mine[2]:
            return apply(x, weight, bias)
        y = apply(x, weight, None)
    elif mine[0] and x.ndim == 2:
        y = (x[:, None] @ weight.swapaxes(-1, -2))[:, 0]
    else:
        flat = x.reshape(x.shape[0], -1, x.shape[-1]) if mine[0] else x.reshape(1, -1, x.shape[-1])
        y = flat @ weight.swapaxes(-1, -2)
        y = y.reshape(weight.shape[0], *x.shape[1 if mine[0] else 0 : -1], weight.shape[1])
    if bias is None:
        return y
    axes = y.ndim - 1 - (mine[0] or mine[1])  # of one example, without that of the outputs
    return y + (bias.reshape(bias.shape[0], *[1] * axes, -1) if mine[2] else bias)


def _nll_of_each(apply: Apply, inner: list[Any], mine: list[bool], *, level: int, **options: Any) -> Any:
    """Rows are independent: those of all stand one below the other."""
    if mine[2]:
        return NotImplemented
    log_p, target = _all_given(inner[:2], mine[:2])
    if log_p.ndim == 2:  # of one row each
        return apply(log_p, target, inner[2], **options)
    b, n = log_p.shape[:2]
    made = apply(_merged(log_p), _merged(target), inner[2], **options)
    return tuple(y.reshape(b, n, *y.shape[1:]) for y in made)


def _merged(x: Any) -> Any:
    """Let the rows of all stand one below the other."""
    return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])


def _product(apply: Apply, inner: list[Any], mine: list[bool], *, axis: Any, keepdims: bool, **_: Any) -> Any:
    """All of one example are a row, since a product is along one axis."""
    (x,) = inner
    if axis is None or x.ndim == 1:
        y = apply(x.reshape(x.shape[0], -1), axis=1)
        return y.reshape(x.shape[0], *[1] * (x.ndim - 1)) if keepdims else y
    return apply(x, axis=moved(axis, x.ndim - 1), keepdims=keepdims)


def _rolled(apply: Apply, inner: list[Any], mine: list[bool], *, shift: Any, axis: Any, **_: Any) -> Any:
    """Along axes; as a row of all elements, one after the other."""
    (x,) = inner
    return NotImplemented if axis is None else apply(x, shift=shift, axis=moved(axis, x.ndim - 1))


def _sloped(apply: Apply, inner: list[Any], mine: list[bool], **_: Any) -> Any:
    """A slope for each channel, which is the second axis: the rows of all stand one below the other."""
    x, weight = inner
    if mine[1]:
        return NotImplemented
    return apply(x, weight) if math.prod(weight.shape) == 1 else apply(_merged(x), weight).reshape(x.shape)


LIFTED: dict[str, Callable[..., Any]] = {
    "getitem": _getitem, "joined": _joined, "linear": _linear, "nll_of_each": _nll_of_each, "padded": _padded,
    "permuted": _permuted, "product": _product, "repeated": _repeated, "reshaped": _reshaped, "rolled": _rolled,
    "sloped": _sloped, "take_along_axis": _take_along_axis,
}


# ---------------------------------------------------------------------------- functions without a derivative, of arrays


def _elementwise(apply: Apply, x: Any, **options: Any) -> Any:
    return apply(x, **options)


def _along(apply: Apply, x: Any, axis: Any = None, **options: Any) -> Any:
    if x.ndim == 1:
        return reshape(apply(reshape(x, (-1, 1)), axis=1), (-1,))
    if axis is None and options.get("keepdims"):
        return NotImplemented
    return apply(reshape(x, (x.shape[0], -1)), axis=1) if axis is None else apply(
        x, axis=moved(axis, x.ndim - 1), **options)


def _along_axis(apply: Apply, x: Any, axis: int, *more: Any) -> Any:
    return apply(x, moved(axis, x.ndim - 1), *more)


FLAT: dict[Any, Callable[..., Any]] = {
    **dict.fromkeys((np.isposinf, np.isneginf), _elementwise),
    **dict.fromkeys((np.argmax, np.argmin, np.argsort, np.all, np.any, np.count_nonzero, np.sum), _along),
    **dict.fromkeys((ordered_places, last_extreme_place), _along_axis),
}

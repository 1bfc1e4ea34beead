"""What stands in the middle of many numbers, or at another part of them in order; what occurs most often."""

from typing import Any, NamedTuple

import numpy as np

from ..engine.tensor import Tensor
from .attach import attach
from .blend import lerp
from .choice import clamp, nan_to_num, where
from .compare import bincount, flat, isnan
from .constant import tensor
from .extremes import amax, amin
from .index import array_of, take_along_axis
from .reduce import sum
from .scan import lifted
from .shape import movedim, reshape, squeeze, unsqueeze
from .steps import ceil, floor, round

__all__ = [
    "Representative", "histc", "median", "middle_place", "mode", "most_frequent_place", "nanmedian", "nanquantile",
    "quantile",
]


class Representative(NamedTuple):
    """Values that stand for many, and where along the axis they were found."""

    values: Any
    indices: Any


def middle_place(x, axis, skip):
    """Where the median is along an axis, which stays with size 1: of two in the middle, the smaller one.

    skip  leave out what is no number; otherwise, the first such one is found
    """
    order = np.argsort(x, axis=axis, kind="stable")  # what is no number comes last
    numbers = np.sum(~np.isnan(x), axis=axis, keepdims=True)
    n = x.shape[axis]
    middle = np.where((numbers == n) | skip, (np.maximum(numbers, 1) - 1) // 2, numbers)
    return np.take_along_axis(order, middle, axis)


def most_frequent_place(x, axis):
    """Where the most frequent element is along an axis, which stays with size 1: the last one of the smallest such."""
    order = np.argsort(x, axis=axis, kind="stable")
    found = np.moveaxis(np.take_along_axis(x, order, axis), axis, 0)
    place = np.arange(len(found)).reshape(-1, *(1,) * (x.ndim - 1))
    starts = np.concatenate((np.ones_like(found[:1], dtype=bool), found[1:] != found[:-1]))
    length = place - np.maximum.accumulate(np.where(starts, place, 0))  # of the run of equal ones up to here, less 1
    last = np.moveaxis(np.argmax(length, axis=0, keepdims=True), 0, axis)
    return np.take_along_axis(order, last, axis)


def _picked(input, dim, keepdim, place, *options):
    """The elements at the places that a function finds along an axis, and these places."""

    def along(x, axis):
        index = flat(place)(x, axis, *options)
        made = take_along_axis(x, index=array_of(index), axis=axis), index
        return made if keepdim else tuple(squeeze(y, axis) for y in made)

    if input.ndim and not input.shape[dim]:
        raise ValueError(f"There is nothing to choose from: axis {dim} of shape {input.shape} has no elements.")
    return Representative(*lifted(along, input, dim))


def median(input, dim=None, keepdim=False):
    """The element in the middle, of two there the smaller; along an axis, a pair (values, indices).

    >>> from chalkgrad import tensor
    >>> median(tensor([3.0, 1.0, 2.0, 9.0]))
    tensor(2.)
    >>> median(tensor([[3.0, 1.0, 2.0]]), 1)
    Representative(values=tensor([2.]), indices=tensor([2]))
    """
    return _median(input, dim, keepdim, False)


def nanmedian(input, dim=None, keepdim=False):
    """The element in the middle of those that are numbers; along an axis, a pair (values, indices).

    >>> from chalkgrad import tensor
    >>> nanmedian(tensor([3.0, float("nan"), 1.0, 2.0]))
    tensor(2.)
    """
    return _median(input, dim, keepdim, True)


def _median(input, dim, keepdim, skip):
    if dim is not None:
        return _picked(input, dim, keepdim, middle_place, skip)
    if not input.numel():
        return sum(input) * float("nan")
    x = reshape(input, -1)
    middle = _picked(x.detach(), 0, False, middle_place, skip).values
    if x.dtype.kind != "f":
        return middle
    equal = x == middle  # those that share the gradient evenly, as in PyTorch
    nothing = sum(where(equal, nan_to_num(x) - nan_to_num(middle), 0))  # 0, but not its gradient
    return middle + nothing / clamp(sum(equal), min=1)


def mode(input, dim=-1, keepdim=False):
    """What occurs most often along an axis, the smallest of several such: a pair (values, indices).

    >>> from chalkgrad import tensor
    >>> mode(tensor([3.0, 1.0, 3.0, 2.0]))
    Representative(values=tensor(3.), indices=tensor(2))
    """
    return _picked(input, dim, keepdim, most_frequent_place)


def quantile(input, q, dim=None, keepdim=False, *, interpolation="linear"):
    """What a share q of the elements is smaller than, along an axis or of all; a row of shares gives a new first axis.

    interpolation  what to take between two elements: "linear", "lower", "higher", "midpoint" or "nearest"

    Raises ValueError for another interpolation, or a q outside [0, 1].

    >>> from chalkgrad import tensor
    >>> quantile(tensor([4.0, 1.0, 3.0, 2.0]), 0.5), quantile(tensor([1.0, 2.0]), tensor([0.0, 0.25]))
    (tensor(2.5), tensor([1.  , 1.25]))
    """
    return _quantile(input, q, dim, keepdim, interpolation, False)


def nanquantile(input, q, dim=None, keepdim=False, *, interpolation="linear"):
    """What a share q of the elements that are numbers is smaller than, along an axis or of all.

    >>> from chalkgrad import tensor
    >>> nanquantile(tensor([4.0, float("nan"), 2.0]), 0.5)
    tensor(3.)
    """
    return _quantile(input, q, dim, keepdim, interpolation, True)


INTERPOLATIONS = ("higher", "linear", "lower", "midpoint", "nearest")


def _quantile(input, q, dim, keepdim, interpolation, skip):
    if interpolation not in INTERPOLATIONS:
        raise ValueError(f"quantile: interpolation is one of {', '.join(INTERPOLATIONS)}, but {interpolation!r} came.")
    if isinstance(q, int | float) and not 0 <= q <= 1:
        raise ValueError(f"quantile: q is a share from 0 to 1, but {q} came.")
    q = q if isinstance(q, Tensor) else tensor(q, input.dtype)
    x = movedim(input, dim, -1) if dim is not None and input.ndim else reshape(input, -1)
    x = take_along_axis(x, index=array_of(flat(np.argsort)(x, axis=-1)), axis=-1)  # what is no number comes last
    numbers = flat(np.sum)(~isnan(x), axis=-1, keepdims=True)
    n = x.shape[-1]
    rank = reshape(q, -1) * clamp(numbers - 1, min=0).to(x.dtype)
    rank = rank if skip else where(numbers == n, rank, n - 1)
    y = movedim(_between(x, rank, interpolation), -1, 0)  # q first
    if keepdim:
        y = unsqueeze(y, dim % input.ndim + 1) if dim is not None and input.ndim else reshape(y, -1, *(1,) * input.ndim)
    return y if q.ndim else y[0]


def _between(x, rank, interpolation):
    """The elements at fractional places along the last axis."""
    rounded = {"higher": ceil, "nearest": round}.get(interpolation, floor)(rank)
    below = _at(x, rounded)
    if interpolation not in ("linear", "midpoint"):
        return below
    return lerp(below, _at(x, ceil(rank)), 0.5 if interpolation == "midpoint" else rank - rounded.detach())


def _at(x, place):
    return take_along_axis(x, index=array_of(place.detach().long()), axis=-1)


def histc(input, bins=100, min=0, max=0):
    """Count the elements in bins of one width from min to max; from the smallest to the largest, if both are 0.

    Raises ValueError for no bins, or bounds that are crossed.

    >>> from chalkgrad import tensor
    >>> histc(tensor([0.0, 1.0, 1.5, 4.0]), bins=4)
    tensor([1., 2., 0., 1.])
    """
    if bins < 1 or min > max:
        raise ValueError(f"histc: at least one bin from min up to max is needed, but not {bins} from {min} to {max}.")
    x = reshape(input.detach(), -1)
    low, high = (amin(x), amax(x)) if min == max == 0 and x.numel() else (min, max)
    alike = low == high  # then one to either side
    low, high = low - 1 * alike, high + 1 * alike
    inside = (x >= low) & (x <= high)
    place = clamp(floor((where(inside, x, low) - low) / (high - low) * bins), max=bins - 1).long()
    return bincount(place, inside.to(input.dtype), minlength=bins)


attach(
    histc=histc, median=median, mode=mode, nanmedian=nanmedian, nanquantile=nanquantile, quantile=quantile,
)

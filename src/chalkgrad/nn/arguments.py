"""Arguments: what a module is made with is held to the annotations of its `__init__`, where these are plain numbers.

A size that is None or a text would otherwise show much later, in the middle of a computation, and in words about
arrays.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["checked"]

WORDS = {"int": "a whole number", "float": "a number", "None": "None"}
NEGATIVE = "negative dimensions are not allowed"  # NumPy's word for an array of such a size


def checked(make: Callable[..., None]) -> Callable[..., None]:
    """Let an `__init__` refuse what does not go with its annotations, in words.

    >>> import chalkgrad as cg
    >>> cg.nn.Linear(3.0, 2)
    Traceback (most recent call last):
    TypeError: Linear: in_features is a whole number, but 3.0 came.
    >>> cg.nn.Linear(3, -2)
    Traceback (most recent call last):
    ValueError: Linear: out_features=-2 is below 0, and cannot be a size.
    """

    @functools.wraps(make)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        given = _given(make, self, args, kwargs)
        for name, parts in _numbers(make).items():
            if name in given and not any(_fits(given[name], part) for part in parts):
                words = " or ".join(WORDS[part] for part in parts)
                raise TypeError(f"{type(self).__name__}: {name} is {words}, but {given[name]!r:.40} came.")
        try:
            make(self, *args, **kwargs)
        except (AttributeError, ValueError) as error:
            if not (words := _wrong(error, given)):
                raise
            kind = TypeError if isinstance(error, AttributeError) else ValueError
            raise kind(f"{type(self).__name__}: {words}.") from error

    return __init__


def _wrong(error: AttributeError | ValueError, given: dict[str, Any]) -> str:
    """Say which argument an error is about, if it is one: a size below 0, or what is no array."""
    if str(error) == NEGATIVE:
        below = [f"{name}={value}" for name, value in given.items() if _fits(value, "int") and value < 0]
        return f"{', '.join(below)} is below 0, and cannot be a size"
    lacking = [name for name, value in given.items() if isinstance(error, AttributeError) and value is error.obj]
    return f"{lacking[-1]} is {given[lacking[-1]]!r:.40}, but an array was expected" if len(lacking) == 1 else ""


@functools.cache
def _signature(make: Callable[..., None]) -> inspect.Signature:
    return inspect.signature(make)


@functools.cache
def _numbers(make: Callable[..., None]) -> dict[str, list[str]]:
    """List the arguments that are numbers, or perhaps None, and what each may be."""
    split = {name: str(each.annotation).split(" | ") for name, each in _signature(make).parameters.items()}
    return {name: parts for name, parts in split.items() if {"None"} < {*parts, "None"} <= WORDS.keys()}


def _given(make: Callable[..., None], self: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Name the arguments; none, if they do not fit, which Python will say."""
    try:
        return _signature(make).bind(self, *args, **kwargs).arguments
    except TypeError:
        return {}


def _fits(value: Any, part: str) -> bool:
    """Tell whether a value is of a kind; as in Python, a whole number is a number."""
    if part == "None":
        return value is None
    kinds = (int, np.integer) if part == "int" else (int, np.integer, float, np.floating)
    return isinstance(value, kinds) and not (part == "int" and isinstance(value, bool))

"""Arguments and results of any structure, taken apart into Tensors and what is left of them without the Tensors."""

from __future__ import annotations

import collections
import dataclasses
import enum
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..law.errors import SpellError

__all__ = ["FEW", "Held", "Leaf", "assemble", "parts_of", "plain", "take_apart"]

# What equals only what it is; 0.0 and nan do not: 0.0 equals -0.0, and nan not even itself.
EXACT = frozenset((bool, int, str, bytes, type(None), type(...), range))
ARRAYS, INEXACT = (Tensor, np.ndarray), (float, complex, np.inexact)  # to make a union takes longer than to ask
SIMPLE = (bool, int, float, str, bytes, type(None), type(...), complex, range, np.generic, np.dtype, enum.Enum, type,
          re.Pattern)
FEW = 16  # Tensors among which one is looked for that comes twice; more would take too long
_ONE: dict[tuple[type, str], Any] = {}  # a type and the text of a number -> the one that stands for all of them


class Leaf:
    """Marks the place of a Tensor: (Leaf, 2) is the third of all Tensors."""


class Held:
    """An object that is what it is, whatever it holds; two are equal if they are the same object."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return type(other) is Held and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def plain(value: Any) -> tuple[Any, ...]:
    """Return (type, value) such that only what cannot be told apart is equal.

    >>> plain(2) == plain(2.0), plain(1) == plain(True), plain(0.0) == plain(-0.0)
    (False, False, False)
    >>> plain(float("nan")) == plain(float("nan"))
    True
    """
    kind = type(value)
    if kind in EXACT or (kind is float and value and value == value):
        return kind, value
    if isinstance(value, INEXACT):
        text = repr(value)
        return kind, _ONE.setdefault((kind, text), value), text
    return kind, value


def take_apart(value: Any, leaves: list[Any], objects: list[Any] | None = None) -> Any:
    """Return `value` with a Leaf in place of every Tensor or array, which are added to `leaves`.

    Lists, tuples, dicts, namedtuples and dataclasses are taken apart. Other objects are held, and added to `objects`;
    a Tensor that comes twice is then the same Leaf. Without `objects`, they raise SpellError.

    >>> leaves = []
    >>> structure = take_apart({"a": (np.zeros(2), 3)}, leaves)
    >>> len(leaves), assemble(structure, ["x"])
    (1, {'a': ('x', 3)})
    """
    kind = type(value)
    if isinstance(value, ARRAYS):
        if objects is not None and leaves:
            for place, leaf in enumerate(leaves[:FEW]):
                if leaf is value:
                    return Leaf, place
        leaves.append(value)
        return Leaf, len(leaves) - 1
    if kind is tuple or kind is list:
        return kind, tuple([take_apart(item, leaves, objects) for item in value])
    if kind is dict or kind is collections.OrderedDict:
        items = tuple([take_apart(item, leaves, objects) for item in value.values()])
        return kind, items, tuple([plain(key) for key in value])
    if isinstance(value, SIMPLE):
        return plain(value)
    if kind is slice:
        return kind, tuple([take_apart(item, leaves, objects) for item in (value.start, value.stop, value.step)])
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return kind, tuple([take_apart(item, leaves, objects) for item in value]), kind._fields
    if dataclasses.is_dataclass(kind):
        names = tuple(vars(value) if hasattr(value, "__dict__") else [f.name for f in dataclasses.fields(kind)])
        return kind, tuple([take_apart(getattr(value, name), leaves, objects) for name in names]), names
    if kind is Held:
        value = value.value
    if objects is None:
        raise SpellError(f"The function returns an object of type {kind.__name__}, which would stay what it was in the "
                         "first call. Return Tensors and numbers, in lists, tuples, dicts, namedtuples or dataclasses.")
    objects.append(value)
    return Held, Held(value)


def assemble(structure: Any, leaves: list[Any]) -> Any:
    """Put a value together again.

    >>> Point = collections.namedtuple("Point", "x y")
    >>> assemble(take_apart(Point(1, [2.5, None]), []), [])
    Point(x=1, y=[2.5, None])
    """
    kind, content = structure[:2]
    if kind is Leaf:
        return leaves[content]
    if kind is Held:
        return content.value
    if kind is list:
        return [assemble(item, leaves) for item in content]
    if kind is tuple:
        return tuple([assemble(item, leaves) for item in content])
    if kind is slice:
        return slice(*[assemble(item, leaves) for item in content])
    if kind is dict or kind is collections.OrderedDict:
        return kind((key[1], assemble(item, leaves)) for key, item in zip(structure[2], content))
    if issubclass(kind, tuple):
        return kind._make(assemble(item, leaves) for item in content)
    return _record(structure, leaves) if dataclasses.is_dataclass(kind) else content


def _record(structure: Any, leaves: list[Any]) -> Any:
    """Make a dataclass without running what its author does at the start: that was done once."""
    kind, content, names = structure
    made = object.__new__(kind)
    for name, item in zip(names, content):
        object.__setattr__(made, name, assemble(item, leaves))
    return made


def parts_of(structure: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield what a value is made of, with its place as Python writes it.

    >>> list(parts_of(take_apart({"a": [4]}, []), "x"))
    [("x['a'][0]", (<class 'int'>, 4))]
    """
    kind, content = structure[:2]
    if kind in (list, tuple, slice):
        words = [f"{path}[{i}]" for i in range(len(content))]
    elif kind in (dict, collections.OrderedDict):
        words = [f"{path}[{key[1]!r}]" for key in structure[2]]
    elif kind not in (Leaf, Held) and (issubclass(kind, tuple) or dataclasses.is_dataclass(kind)):
        words = [f"{path}.{name}" for name in structure[2]]
    else:
        yield path, structure
        return
    for word, item in zip(words, content):
        yield from parts_of(item, word)

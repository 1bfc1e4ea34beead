"""What the code of a function names: globals and attributes; and whose code it is."""

from __future__ import annotations

import dis
import functools
import os
import sys
import types
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Mentions", "asks", "classes_of", "follows", "mentions", "reads"]

# Code that does the same whatever happens around it: ours, NumPy's and Python's own
FIXED = tuple(f"{folder}{os.sep}" for folder in (
    Path(__file__).parents[1], Path(str(np.__file__)).parent, Path(os.__file__).parent))


class Mentions(NamedTuple):
    """What code names.

    globals     names that are looked up outside of the function
    attributes  names after a dot; those in quotes, if the code asks for attributes by getattr or hasattr; "*" if it
                may read any
    """

    globals: frozenset[str]
    attributes: frozenset[str]


@functools.lru_cache(1024)
def mentions(code: types.CodeType) -> Mentions:
    """Read what code names, the functions that it defines included.

    >>> mentions((lambda model: model.norm(SCALE)).__code__)
    Mentions(globals=frozenset({'SCALE'}), attributes=frozenset({'norm'}))
    """
    outer, attributes = set(), set()
    for line in dis.get_instructions(code):
        if line.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS", "STORE_GLOBAL"):
            outer.add(line.argval)
        elif line.opname in ("LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR", "STORE_ATTR"):
            attributes.add(line.argval)
    if (outer | attributes) & {"vars", "__dict__", "asdict", "astuple", "fields", "attrgetter"}:
        attributes.add("*")
    if outer & {"getattr", "hasattr", "setattr"}:
        attributes |= {f"'{text}'" for text in code.co_consts if isinstance(text, str) and text.isidentifier()}
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            named = mentions(inner)
            outer, attributes = outer | named.globals, attributes | named.attributes
    return Mentions(frozenset(outer), frozenset(attributes))


@functools.lru_cache(1024)
def asks(code: types.CodeType, name: str) -> bool:
    """Tell whether code, or a function that it defines, does more with a name than to test it.

    >>> [asks(f.__code__, "m") for f in (lambda: 1 if m else 2, lambda: m is None, lambda: m.a, lambda m: m(2))]
    [False, False, True, True]
    """
    lines = [line for line in dis.get_instructions(code) if line.opname not in ("CACHE", "TO_BOOL", "NOT_TAKEN")]
    for line, *after in zip(lines, lines[1:], lines[2:]):
        test = [each.opname for each in after]
        tested = test[0].startswith(("POP_", "JUMP_IF")) or test == ["LOAD_CONST", "IS_OP"]
        if line.opname.startswith("LOAD_") and line.argval == name and not tested:
            return True
    return any(asks(inner, name) for inner in code.co_consts if isinstance(inner, types.CodeType))


@functools.lru_cache(1024)
def _is_fixed(file: str) -> bool:
    """Tell whether a file belongs to chalkgrad, NumPy or Python, or was installed: such code is taken as it is."""
    if file.startswith("<"):  # <stdin>, <doctest ...>, <frozen ...>
        return file.startswith("<frozen")
    path = str(Path(file).absolute())
    return path.startswith(FIXED) or f"{os.sep}site-packages{os.sep}" in path


@functools.lru_cache(1024)
def reads(kind: type) -> frozenset[str]:
    """Name the attributes that the methods of a class name, those of its bases included."""
    functions = [each for base in kind.__mro__ for each in vars(base).values() if isinstance(each, types.FunctionType)]
    return frozenset().union(*(mentions(function.__code__).attributes for function in functions))


def follows(value: Any) -> bool:
    """Tell whether the code of a function, a class or a module is its user's, who may change what it names."""
    if isinstance(value, types.FunctionType):
        return not _is_fixed(value.__code__.co_filename)
    if isinstance(value, types.ModuleType):
        file = getattr(value, "__file__", None)
        return file is not None and not _is_fixed(file)
    own = [each for each in vars(value).values() if isinstance(each, types.FunctionType)]
    if own:
        return any(follows(each) for each in own)
    module = sys.modules.get(value.__module__)
    return value.__module__ == "__main__" or (module is not None and follows(module))


def classes_of(kind: type) -> list[type]:
    """List a class and its bases, as far as they are their user's."""
    return [each for each in kind.__mro__ if each is not object and follows(each)]

"""What differs between two calls, in words."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

__all__ = ["GRAPH", "differences", "distance"]

GRAPH = "the recording of a graph"
MOST = 3  # differences; more are counted
SHOWN = (bool, int, float, complex, str, bytes, type(None), np.generic)
HOOKS = re.compile(r"(.*)\._forward_(?:pre_)?hooks\[\d+\]")


def differences(new: dict[str, Any], old: dict[str, Any]) -> list[str]:
    """Say how what is found in a call differs from what another was compiled for, the outermost first.

    >>> differences({"argument p": (int, 3)}, {"argument p": (int, 2)})
    ['argument p is 3 instead of 2']
    >>> differences({"model.training": (bool, False), "model.0.training": (bool, False)},
    ...             {"model.training": (bool, True), "model.0.training": (bool, True)})
    ['module model was put into eval mode']
    """
    places = sorted((path for path in {**old, **new} if old.get(path) != new.get(path)), key=lambda path: (
        path.count(".") + path.count("["), list({**new, **old}).index(path)))
    said: dict[str, str] = {}
    for path in places:
        if not any(_is_said(path, before) for before in said):
            said[path] = _told(path, new.get(path), old.get(path))
    found = list(dict.fromkeys(said.values()))
    return found if len(found) <= MOST else [*found[:MOST], f"{len(found) - MOST} more differences"]


def distance(new: dict[str, Any], old: dict[str, Any]) -> int:
    """Count in how much two calls differ: in what is there, and in shape, type or value of what is in both."""
    both = [(new[path], old[path]) for path in new.keys() & old.keys() if new[path] != old[path]]
    return 3 * len(new.keys() ^ old.keys()) + sum(1 for pair in both for a, b in zip(*pair) if a != b)


def _is_said(path: str, before: str) -> bool:
    """What is inside of another object differs as well, and so does the mode of what is inside of a module."""
    outer, mode, _ = before.partition(".training")
    return path.startswith((f"{before}.", f"{before}[")) or bool(
        mode and path.startswith(f"{outer}.") and path.endswith(".training"))


def _told(path: str, new: Any, old: Any) -> str:
    hooked = HOOKS.fullmatch(path)
    if hooked:
        return f"module {hooked[1]} has {'other hooks' if new and old else 'a new hook' if new else 'a hook less'}"
    if path.endswith(".training") and new and new[0] is bool:
        return f"module {path.removesuffix('.training')} was put into {'training' if new[1] else 'eval'} mode"
    if path.startswith("the memory of "):
        return f"{path} was {'made' if all(new[1]) else 'cleared'}"
    if path == GRAPH:
        return "a graph is recorded now" if new[1] else "no graph is recorded now, as under no_grad()"
    if new is None or old is None:
        verbs = ("came", "did not come") if path.startswith("argument ") else ("is new", "is gone")
        return f"{path} {verbs[new is None]}"
    if new[0] == old[0] == "tensor":
        return _tensor(path, new[1:], old[1:])
    one, other = _value(new), _value(old)
    if one != other:
        return f"{path} is {one} instead of {other}"
    return f"{path} is another {one}" if new[0] == old[0] else (
        f"{path} is {one} ({_name(new[0])}) instead of {other} ({_name(old[0])})")


def _tensor(path: str, new: Any, old: Any) -> str:
    (_, shape, dtype, learned, *rest), (_, shape_0, dtype_0, learned_0, *rest_0) = new, old
    if shape != shape_0:
        return f"{path} has shape {shape} instead of {shape_0}"
    if dtype != dtype_0:
        return f"{path} is {dtype} instead of {dtype_0}"
    if learned != learned_0:
        return f"{path} requires {'a gradient now' if learned else 'no gradient any more'}"
    return f"{path} {'has other hooks, or another history' if rest != rest_0 else 'is another Tensor'}"


def _value(fact: Any) -> str:
    kind, value = fact[:2]
    if kind == "tensor":
        return "a Tensor"
    if kind == "the same as":
        return f"the same as {value}"
    if isinstance(kind, type) and issubclass(kind, list | tuple | dict | set) and isinstance(value, int):
        return f"a {kind.__name__} of {value}"
    return f"{value!r:.60}" if isinstance(kind, type) and issubclass(kind, SHOWN) else _name(kind)


def _name(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind))

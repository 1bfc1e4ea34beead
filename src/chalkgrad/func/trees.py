"""Trees: Tensors in tuples, lists and dicts, as functions take and return them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..engine.tensor import Tensor

__all__ = ["leaves", "tree_map", "with_prefix"]


def tree_map(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Call a function on every leaf of a tree, and on what stands there in others of the same build.

    >>> tree_map(lambda a, b: a + b, {"x": (1, [2])}, {"x": (10, [20])})
    {'x': (11, [22])}
    """
    if isinstance(tree, dict):
        return {key: tree_map(function, each, *(other[key] for other in others)) for key, each in tree.items()}
    if isinstance(tree, tuple | list):
        made = [tree_map(function, *each) for each in zip(tree, *others, strict=True)]
        return type(tree)(*made) if hasattr(tree, "_fields") else type(tree)(made)
    return function(tree, *others)


def with_prefix(prefix: Any, tree: Any, what: str) -> Any:
    """Spread a tree that may end early over one that goes on: one number over all that stands there.

    Raises ValueError if the two are not of one build.

    >>> with_prefix((0, None), ("a", ["b", "c"]), "in_dims")
    (0, [None, None])
    """
    if prefix is None or isinstance(prefix, int):
        return tree_map(lambda _: prefix, tree)
    if isinstance(tree, dict) and isinstance(prefix, dict) and prefix.keys() == tree.keys():
        return {key: with_prefix(prefix[key], tree[key], what) for key in tree}
    if isinstance(tree, tuple | list) and isinstance(prefix, tuple | list) and len(prefix) == len(tree):
        return type(tree)(with_prefix(one, other, what) for one, other in zip(prefix, tree, strict=True))
    raise ValueError(f"vmap: {what} is {prefix!r}, which is not of the build of what it is for: a number or None for "
                     f"all "
                     "of it, or a tuple, list or dict like it.")


def leaves(tree: Any) -> list[Tensor]:
    """List the Tensors of a tree.

    Raises TypeError for anything else in it.
    """
    found: list[Tensor] = []

    def note(leaf: Any) -> None:
        if not isinstance(leaf, Tensor):
            raise TypeError(f"Expected Tensors, in tuples, lists and dicts, but a {type(leaf).__name__} came: "
                            f"{leaf!r:.40}.")
        found.append(leaf)

    tree_map(note, tree)
    return found

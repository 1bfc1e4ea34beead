"""Leaving out what nobody reads: a rule computes some things together, and not all of them are wanted everywhere."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterable

from .blocks import Block
from .variables import uses

__all__ = ["without_unused"]


def without_unused(blocks: list[Block], returns: Iterable[str]) -> list[Block]:
    """Leave out assignments of names that are never read; where some of several are read, the others become `_`.

    What draws random numbers stays: the draws that come after depend on it.
    """
    while True:
        read = {use.name for block in blocks for use in uses(block) if not use.stores}.union(
            returns, *(step.given for block in blocks for step in block.steps))
        fewer = [dataclasses.replace(block, lines=_kept(block.lines, read)) for block in blocks]
        if fewer == blocks:
            return [block for block in blocks if block.lines or block.steps]
        blocks = fewer


def _kept(lines: list[tuple[str, str]], read: set[str]) -> list[tuple[str, str]]:
    """Go through the lines of a block, and leave out a line together with the comments right above it.

    >>> _kept([("n = 2", ""), ("# why", ""), ("a = b + n", ""), ("c, d = e", "")], {"n", "c"})
    [('n = 2', ''), ('c, _ = e', '')]
    """
    kept, above = list[tuple[str, str]](), list[tuple[str, str]]()
    for text, shape in lines:
        if text.startswith("#"):
            above.append((text, shape))
            continue
        text = text if text.startswith(" ") or text.endswith(":") else _less(text, read)
        kept += [*above, (text, shape)] if text else []
        above = []
    return kept


def _less(text: str, read: set[str]) -> str:
    """Write an assignment without the names that are not read; "" if none is."""
    statement = ast.parse(text).body[0]
    if not isinstance(statement, ast.Assign):
        return text
    target = statement.targets[0]
    names = target.elts if isinstance(target, ast.Tuple) else [target]
    draws = any(isinstance(node, ast.Name) and node.id == "rng" for node in ast.walk(statement.value))
    if not all(isinstance(name, ast.Name) for name in names):
        return text
    texts = [name.id if name.id in read else "_" for name in names if isinstance(name, ast.Name)]
    if set(texts) == {"_"}:
        return text if draws else ""
    before, sign, value = text.partition(" = ")
    return f"{', '.join(texts)}{sign}{value}" if len(texts) > 1 and before.count(",") == len(texts) - 1 else text

"""Which variables the lines of a block read and write, and the same lines under other names."""

from __future__ import annotations

import ast
import dataclasses
import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

from .blocks import Block

__all__ = ["Use", "comprehended", "hidden", "renamed", "stored", "uses"]

class Use(NamedTuple):
    """One place where a name stands: the line within the block, and the bytes that it takes there."""

    name: str
    stores: bool
    line: int
    start: int
    end: int


def uses(block: Block) -> tuple[Use, ...]:
    """List all names that a block reads and writes, in the order in which they are evaluated."""
    return _uses("\n".join(text for text, _ in block.lines))


@functools.lru_cache(4096)
def _uses(text: str) -> tuple[Use, ...]:
    return tuple(_walk(ast.parse(text), frozenset()))


def hidden(blocks: list[Block]) -> set[str]:
    """Name what must not be the name of a variable, since comprehensions of blocks hide it."""
    return set[str]().union(*(comprehended(ast.parse("\n".join(text for text, _ in b.lines))) for b in blocks))


def stored(blocks: list[Block]) -> set[str]:
    """Name what blocks give a value."""
    return {use.name for block in blocks for use in uses(block) if use.stores}


def comprehended(node: ast.AST) -> set[str]:
    """Name what the comprehensions within a syntax tree bind; it is seen nowhere else."""
    targets = [part.target for part in ast.walk(node) if isinstance(part, ast.comprehension)]
    return {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}


def _walk(node: Any, bound: frozenset[str]) -> Iterator[Use]:
    """Visit a syntax tree: what is assigned is computed first. What a comprehension binds is its own."""
    match node:
        case ast.Name(id=name):
            if name not in bound:
                stores = not isinstance(node.ctx, ast.Load)
                yield Use(name, stores, node.lineno - 1, node.col_offset, node.end_col_offset or 0)
            return
        case ast.Assign(targets=targets, value=value):
            parts: list[Any] = [value, *targets]
        case ast.AugAssign(target=target, value=value):
            yield from (use._replace(stores=False) for use in _walk(target, bound))
            parts = [value, target]
        case ast.For(target=target, iter=source, body=body, orelse=other):
            parts = [source, target, *body, *other]
        case _:
            parts = [*ast.iter_child_nodes(node)]
    if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp):
        bound |= comprehended(node)
    for part in parts:
        yield from _walk(part, bound)


def renamed(block: Block, names: dict[str, str]) -> Block:
    """Return a block whose variables are called otherwise."""
    rows = [row.encode() for text, _ in block.lines for row in text.split("\n")]
    found = {use[2:]: use.name for use in uses(block) if use.name in names}
    for (line, start, end), name in sorted(found.items(), reverse=True):
        rows[line] = rows[line][:start] + names[name].encode() + rows[line][end:]
    lines, at = list[tuple[str, str]](), 0
    for text, shape in block.lines:
        count = text.count("\n") + 1
        lines.append((b"\n".join(rows[at : at + count]).decode(), shape))
        at += count
    steps = [step._replace(given=[names.get(name, name) for name in step.given]) for step in block.steps]
    return dataclasses.replace(block, lines=lines, steps=steps)

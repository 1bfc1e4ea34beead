"""What the writer makes and the layout puts on the page: the lines of one computation, and what is told about them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = ["Block", "Step", "make_array"]


class Step(NamedTuple):
    """One update of an optimizer: rule(*given, *rest), where given[place] is the gradient."""

    rule: str
    given: list[str]
    place: int
    rest: list[str]


@dataclass
class Block:
    """The lines of one computation, as (code, shape); a block without a title goes on where the one above ended.

    kind   forward, backward or update
    title  what is computed, by its name in the program; `said` is what the comment says of it
    story  the sentences that tell how; they are told once for each `code`, and so are the comments between the lines
    scope  the path of the module that it belongs to
    owner  the node whose forward or backward it is, or belongs to
    apart  whether a blank line stands above it, though it has no title
    """

    kind: str
    title: str = ""
    story: list[str] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    code: Any = None
    said: str = "{}"
    scope: str = ""
    owner: Any = None
    apart: bool = False


def make_array(blocks: list[Block], name: str) -> None:
    """Let the line that binds a name make an array of it; an argument is one.

    >>> block = Block("forward", lines=[("y = x * 2", "()"), ("a, b = y, 1", "()")])
    >>> for name in "yxa":
    ...     make_array([block], name)
    >>> [text for text, _ in block.lines]
    ['y = np.asarray(x * 2)', 'a, b = y, 1', 'a = np.asarray(a)']
    """
    for block in reversed(blocks):
        for i, (text, shape) in reversed([*enumerate(block.lines)]):
            if text.startswith(f"{name} = "):
                made = text.removeprefix(f"{name} = ")
                block.lines[i] = (text if made.startswith("np.asarray(") else f"{name} = np.asarray({made})", shape)
                return
            if any(isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Store)
                   for part in ast.walk(ast.parse(text))):
                block.lines.insert(i + 1, (f"{name} = np.asarray({name})", shape))
                return

"""The tape: every computation of a step, in order, with the arrays that went in and came out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..engine.tape import TAPES, mode
from ..law.code import Code

__all__ = ["Call", "Tape", "taping"]


class Call(NamedTuple):
    """One computation: which code ran, on which values (by parameter name), and what came out (by local name).

    kind   forward, backward, update, write (an array was changed in place), random, or engine (a sum over what was
           broadcast, gradients that meet, a cast, a comparison)
    made   what came out; of what was changed in place, what it held before
    scope  the path of the module whose forward was running, such as "encoder.0.attn"
    owner  the node that ran forward or backward; for the engine's own, the edge whose gradient it made
    edges  where a backward's results went, in order
    """

    kind: str
    code: Code | Callable[..., Any]
    given: dict[Any, Any]
    made: dict[str, Any]
    scope: str
    owner: Any
    edges: tuple[Any, ...]


class Tape:
    """The list of all computations of a step. Arrays are told apart by identity, so the tape keeps them alive.

    resized  whether masks let one element less through than they would, to see which numbers follow from how many
    """

    resized = False

    def __init__(self, scopes: dict[int, str] | None = None) -> None:
        self.calls: list[Call] = []
        self.assumptions: list[tuple[Any, int, int]] = []  # (array, low, high): low <= array < high was relied on
        self.scopes, self.scope = scopes or {}, ""

    def record(self, kind: str, code: Any, given: Any, made: Any, owner: Any = None, edges: Any = ()) -> None:
        """Write a computation down."""
        self.calls.append(Call(kind, code, given, made, self.scope, owner, tuple(edges)))


@contextmanager
def taping(tape: Tape) -> Iterator[Tape]:
    """Write every computation of this thread down on `tape`."""
    if mode.tape is not None:
        raise RuntimeError("A tape is running already in this thread; spell one step at a time.")
    mode.tape = tape
    TAPES.append(tape)
    try:
        yield tape
    finally:
        mode.tape = None
        TAPES.remove(tape)

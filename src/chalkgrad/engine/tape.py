"""Modes of the engine, a thread each: whether a graph is recorded, and the tape that writes every computation down."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator, contextmanager
from typing import Any, NamedTuple

from ..law.code import Code

__all__ = ["Call", "Tape", "enable_grad", "mode", "no_grad", "taping"]


class Call(NamedTuple):
    """One computation: which code ran, on which values (by parameter name), and what came out (by local name).

    kind   forward, backward, update, random, or engine (a sum over what was broadcast, gradients that meet, a cast)
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
    """The list of all computations of a step, in order. Arrays are told apart by identity, so the tape keeps them."""

    def __init__(self, scopes: dict[int, str] | None = None) -> None:
        self.calls: list[Call] = []
        self.assumptions: list[tuple[Any, int, int]] = []  # (array, low, high): low <= array < high was relied on
        self.scopes, self.scope = scopes or {}, ""

    def record(self, kind: str, code: Any, given: Any, made: Any, owner: Any = None, edges: Any = ()) -> None:
        self.calls.append(Call(kind, code, given, made, self.scope, owner, tuple(edges)))


class _Mode(threading.local):
    def __init__(self) -> None:  # runs once in every thread
        self.grad_enabled = True
        self.outer: list[bool] = []  # what held outside of the no_grad and enable_grad blocks that are open
        self.tape: Tape | None = None


mode = _Mode()
TAPES: list[Tape] = []  # those of all threads: while it is empty, an operation need not ask its thread for one


class _GradMode(ContextDecorator):
    enabled: bool

    def __enter__(self) -> None:
        mode.outer.append(mode.grad_enabled)
        mode.grad_enabled = self.enabled

    def __exit__(self, *exception: object) -> None:
        mode.grad_enabled = mode.outer.pop()


class no_grad(_GradMode):
    """Compute without recording a graph; a context manager and a decorator."""

    enabled = False


class enable_grad(_GradMode):
    """Record the graph again inside a `no_grad` block; a context manager and a decorator."""

    enabled = True


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

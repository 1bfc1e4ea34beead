"""Modes of the engine, a thread each: whether a graph is recorded, and whether a tape writes every computation down."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ContextDecorator
from typing import Any, Self

__all__ = ["SWITCHED", "TAPES", "enable_grad", "mode", "no_grad"]


class _Mode(threading.local):
    def __init__(self) -> None:  # runs once in every thread
        self.grad_enabled = True
        self.outer: list[bool] = []  # what held outside of the no_grad and enable_grad blocks that are open
        self.tape: Any = None  # a spell.tape.Tape, or None
        self.deriving = False  # whether a rule runs on Tensors, for its second derivative


mode = _Mode()
# While these are empty, an operation need not ask its thread, which takes longer.
TAPES: list[Any] = []  # of all threads
SWITCHED: list[None] = []  # a place for each no_grad or enable_grad block that is open, in any thread


class _GradMode(ContextDecorator):
    enabled: bool

    def __new__(cls, function: Callable[..., Any] | None = None) -> Self:  # handed a function by a bare @no_grad
        return super().__new__(cls) if function is None else cls()(function)  # type: ignore[return-value]

    def __enter__(self) -> None:
        SWITCHED.append(None)
        mode.outer.append(mode.grad_enabled)
        mode.grad_enabled = self.enabled

    def __exit__(self, *exception: object) -> None:
        mode.grad_enabled = mode.outer.pop()
        SWITCHED.pop()


class no_grad(_GradMode):
    """Compute without recording a graph; a context manager and a decorator."""

    enabled = False


class enable_grad(_GradMode):
    """Record the graph again inside a `no_grad` block; a context manager and a decorator."""

    enabled = True

"""Modes of the engine, a thread each: whether a graph is recorded, and whether a tape writes every computation down."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ContextDecorator
from typing import Any, Self

__all__ = ["TAPES", "enable_grad", "mode", "no_grad"]


class _Mode(threading.local):
    def __init__(self) -> None:  # runs once in every thread
        self.grad_enabled = True
        self.outer: list[bool] = []  # what held outside of the no_grad and enable_grad blocks that are open
        self.tape: Any = None  # a spell.tape.Tape, or None


mode = _Mode()
TAPES: list[Any] = []  # those of all threads: while it is empty, an operation need not ask its thread for one


class _GradMode(ContextDecorator):
    enabled: bool

    def __new__(cls, function: Callable[..., Any] | None = None) -> Self:
        made = super().__new__(cls)
        return made if function is None else made(function)  # type: ignore[return-value]  # @no_grad, without brackets

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

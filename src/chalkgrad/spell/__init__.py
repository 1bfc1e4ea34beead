"""Spelling a training step out: the same rules, copied line by line into one ordinary NumPy program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .names import SpellError
from .program import Program
from .trace import trace

__all__ = ["Program", "SpellError", "spell"]


def spell(step: Callable[..., Any], *batch: Any, model: Any, optimizer: Any = None, title: str = "") -> Program:
    """Run `step(*batch)` once and write down all that it computes: forward, backward and update, as plain NumPy.

    step       a function of Tensors that returns the loss; it may run backward and optimizer.step()
    batch      arrays or Tensors, of the shapes that the program is for
    model      the module whose parameters and buffers the step reads, and whose paths give the names
    optimizer  the optimizer that the step uses

    The model, the optimizer and the default generator are left as they were.

    Raises SpellError for what cannot be frozen, such as an array from outside that is no argument of the step.
    """
    return Program(trace(step, batch, model, optimizer), title or f"One training step of {type(model).__name__}.")

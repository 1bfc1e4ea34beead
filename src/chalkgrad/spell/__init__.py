"""Spelling a training step out: the same rules, copied line by line into one ordinary NumPy program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..law.errors import SpellError
from ..law.rule import reading
from .check import check
from .program import Program
from .trace import trace

__all__ = ["Program", "SpellError", "spell"]


DETAILS = "statements", "rules"


@reading()
def spell(
    step: Callable[..., Any], *batch: Any, model: Any, optimizer: Any = None, title: str = "",
    detail: str = "statements",
) -> Program:
    """Run `step(*batch)` once and write down all that it computes: forward, backward and update, as plain NumPy.

    step       a function of Tensors that returns the loss; it may run backward and optimizer.step()
    batch      arrays or Tensors, of the shapes that the program is for
    model      the module whose parameters and buffers the step reads, and whose paths give the names
    optimizer  the optimizer that the step uses, or a list of them
    detail     "statements": every statement of a rule where it runs; "rules": each rule once, as a function, and calls

    Blocks of the model that repeat, such as the layers of a transformer, become one function, and one for the backward.

    The step runs twice, the second time on a batch with other rows, and more often where masks pick rows; model,
    optimizer and default generator are left as they were. The program then runs as often from the same start, and must
    come to the same numbers.

    Raises SpellError for what cannot be frozen, such as an array from outside that is no argument of the step, or a
    number that is read off a Tensor. Raises ValueError for a detail that is not one of the two.
    """
    if detail not in DETAILS:
        raise ValueError(f"detail is 'statements' or 'rules', but {detail!r} came.")
    traced = trace(step, batch, model, _listed(optimizer))
    program = Program(traced, title or f"One training step of {type(model).__name__}.", detail=detail, fold=True)
    check(program, traced)
    return program


def _listed(optimizer: Any) -> list[Any]:
    if optimizer is None:
        return []
    return list(optimizer) if isinstance(optimizer, list | tuple) else [optimizer]

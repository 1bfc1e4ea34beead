"""What can go wrong, by kind: each message says what came, what was expected, and what to try."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

__all__ = ["GradError", "RuleError", "ShapeError", "SpellError", "StandsForMany", "nearest"]


MANY = 20  # names; more are not listed


class RuleError(TypeError):
    """A rule breaks the law of names or the grammar; raised where it is declared, with the file and the line."""


class ShapeError(ValueError):
    """Arrays of these shapes cannot meet in this operation."""


class GradError(RuntimeError):
    """A gradient was asked for that cannot be had: the graph is gone, was changed, or never reached the tensor."""


class StandsForMany(TypeError):
    """The array of a Tensor was asked for that stands for many, one for each example of a `vmap`.

    An operation that meets it is lifted: it is done for all of them at once. Anything else has no answer.
    """

    def __init__(self, tensor: Any) -> None:
        super().__init__("Under vmap a Tensor stands for many, so its numbers cannot be looked at or changed in place. "
                         "Choose by where(condition, a, b) instead of `if`, and write y = y + b instead of y += b.")
        self.tensor = tensor


class SpellError(ValueError):
    """A step that cannot be frozen into a program; the message says what stands in the way."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Say what may have been meant.

    >>> nearest("x_hatt", ["mean", "rstd", "x_hat"])
    'Did you mean `x_hat`? Known: mean, rstd, x_hat.'
    """
    known = list(known)
    close = get_close_matches(name, known, n=3)
    guess = f"Did you mean `{close[0]}`? " if close else ""
    if len(known) > MANY:
        return guess + (f"Near it: {', '.join(close)}." if len(close) > 1 else "")
    return f"{guess}Known: {', '.join(known) or 'nothing'}."

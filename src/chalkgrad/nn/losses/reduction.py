"""What becomes of the losses of many examples: their mean, their sum, or nothing; and what losses check beforehand."""

from __future__ import annotations

from typing import Any

__all__ = ["check_reduction", "check_same_shape"]

REDUCTIONS = ("none", "mean", "sum")


def check_reduction(name: str, reduction: str) -> None:
    """Raise ValueError unless `reduction` is one of the three.

    >>> check_reduction("mse_loss", "average")
    Traceback (most recent call last):
    ValueError: mse_loss: reduction is 'none', 'mean' or 'sum', but 'average' came.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"{name}: reduction is 'none', 'mean' or 'sum', but {reduction!r} came.")


def check_same_shape(name: str, input: Any, target: Any) -> None:
    """Raise ValueError unless the two have one shape.

    (n,) against (n, 1) is the usual case: repeated to (n, n), it would compare every output with every target.
    """
    if input.shape != target.shape:
        raise ValueError(f"{name}: input has shape {input.shape}, but target {target.shape}; repeating one to fit "
                         "would compare what does not belong together. Try: target.reshape(input.shape).")

"""What layers do while they are made: check what they are told, and draw their weights evenly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...engine.tensor import Tensor
from .. import init
from ..module import Module

__all__ = ["check_dtypes", "check_sizes", "check_switches", "draw_evenly"]


def check_sizes(kind: str, sizes: dict[str, Any]) -> None:
    """Raise TypeError for what is no whole number, and ValueError for what is below 1."""
    for name, size in sizes.items():
        if not isinstance(size, int | np.integer) or isinstance(size, bool):
            raise TypeError(f"{kind}: {name} is a whole number from 1, but {size!r} came.")
        if size < 1:
            raise ValueError(f"{kind}: {name} is a whole number from 1, but {size!r} came.")


def check_switches(kind: str, switches: dict[str, Any]) -> None:
    """Raise TypeError for what is neither True nor False."""
    for name, switch in switches.items():
        if not isinstance(switch, bool):
            raise TypeError(f"{kind}: {name} is True or False, but {switch!r} came.")


def check_dtypes(kind: str, weight: Tensor, given: Sequence[Tensor | None]) -> None:
    """Raise TypeError for numbers of another dtype than the weights."""
    for value in given:
        if value is not None and value.dtype != weight.dtype:
            raise TypeError(f"{kind}: the weights are {weight.dtype}, but {value.dtype} came. Convert either: "
                            f"x.to({weight.dtype}), module.to({value.dtype}).")


def draw_evenly(module: Module, size: int) -> None:
    """Draw all parameters of a module from ±1/√size, where size is how many numbers a unit adds up."""
    bound = 1 / math.sqrt(size)
    for parameter in module.parameters():
        init.uniform_(parameter, -bound, bound)

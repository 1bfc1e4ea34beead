"""The few computations of the engine between the rules, as one would write them by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .tape import Call

__all__ = ["engine_line"]


def engine_line(call: Call, texts: dict[Any, str], copied: Callable[[Any], str]) -> str:
    """Write what the engine computed as an expression; a function that is not NumPy's is copied, by its name."""
    name = getattr(call.code, "__name__", "")
    match name:
        case "unbroadcast":
            return _sum(texts["grad"], call.given["grad"].shape, call.given["shape"])
        case "_add":
            return f"{texts['grad']} + {texts['other']}"
        case "_astype":
            return f"{texts['grad']}.astype({texts['dtype']})"
        case "_as_float32":
            return f"{texts['y']}.astype(np.float32)"
    given = [text if isinstance(key, int) else f"{key}={text}" for key, text in texts.items()]
    called = f"np.{name}" if getattr(np, name, None) is call.code else copied(call.code)
    return f"{called}({', '.join(given if 0 in texts else texts.values())})"


def _sum(text: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """The sum over what was broadcast: the same numbers as law.shapes.unbroadcast.

    >>> _sum("g", (32, 10), (10,)), _sum("g", (32, 10), (1, 10)), _sum("g", (2, 32, 10), (32, 1))
    ('g.sum(axis=0)', 'g.sum(axis=0, keepdims=True)', 'g.sum(axis=(0, 2)).reshape(32, 1)')
    """
    extra = len(shape) - len(wanted)
    axes = [*range(extra), *(extra + i for i, n in enumerate(wanted) if n == 1 and shape[extra + i] != 1)]
    axis = axes[0] if len(axes) == 1 else tuple(axes)
    if not extra:
        return f"{text}.sum(axis={axis}, keepdims=True)"
    left = tuple(n for i, n in enumerate(shape) if i not in axes)
    summed = f"{text}.sum(axis={axis})"
    return summed if left == wanted else f"{summed}.reshape({', '.join(map(str, wanted)) or '()'})"

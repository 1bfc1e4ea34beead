"""What the engine costs on top of the numbers: tiny arrays, where the overhead is all there is.

add     a + b on 8x8, with the graph recorded
chain   150 operations on 8x8, forward and backward
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["RIVALS", "workloads"]

RIVALS = ["chalkgrad", "torch"]
Work = tuple[Callable[[], Any], Callable[[], float]]


def workloads(rival: str) -> dict[str, Work]:
    """Build the workloads in one framework, from the same numbers; `numpy` is the bare operation, for comparison."""
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((8, 8), np.float32) for _ in range(2)]
    if rival == "numpy":
        a, b = arrays
        return {"add": (lambda: a + b, lambda: float((a + b).sum()))}
    if rival == "torch":
        import torch

        torch.set_num_threads(1)
        return _workloads(*(torch.tensor(array, requires_grad=True) for array in arrays), torch.sin)
    import chalkgrad

    return _workloads(*(chalkgrad.tensor(array, requires_grad=True) for array in arrays), chalkgrad.sin)


def _workloads(a: Any, b: Any, sin: Callable[[Any], Any]) -> dict[str, Work]:
    def chain() -> Any:
        y = a
        for _ in range(50):
            y = sin(y + b) * a
        return y.sum()

    def check() -> float:
        a.grad = b.grad = None
        chain().backward()
        return float(a.grad.sum() + b.grad.sum())

    return {"add": (lambda: a + b, lambda: float((a + b).sum())), "chain": (lambda: chain().backward(), check)}

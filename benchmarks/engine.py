"""What the engine costs on top of the numbers: tiny arrays, where the overhead is all there is.

add     a + b on 8x8, with the graph recorded
chain   150 operations on 8x8, forward and backward
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from .harness.work import Work, Workloads, eager_framework

__all__ = ["KIND", "workloads"]

KIND = "part"


def workloads(rival: str) -> Workloads:
    """Name the operations, and what builds each in one framework."""
    return {"add": partial(_add, rival), "chain": partial(_chain, rival)}


def _leaves(framework: Any) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    a, b = (framework.tensor(rng.standard_normal((8, 8), np.float32)).requires_grad_() for _ in range(2))
    return a, b


def _add(rival: str) -> Work:
    a, b = _leaves(eager_framework(rival))
    return Work(lambda: a + b, lambda: float((a + b).sum()))


def _chain(rival: str) -> Work:
    framework = eager_framework(rival)
    a, b = _leaves(framework)
    sin = framework.sin

    def run() -> None:
        y = a
        for _ in range(50):
            y = sin(y + b) * a
        y.sum().backward()

    def check() -> float:
        a.grad = b.grad = None
        run()
        return float(a.grad.sum() + b.grad.sum())

    return Work(run, check)

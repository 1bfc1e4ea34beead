"""One Adam step on a matrix of a million parameters, the gradient given: nothing but memory and arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["RIVALS", "workloads"]

RIVALS = ["chalkgrad", "torch"]


def workloads(rival: str) -> dict[str, tuple[Callable[[], Any], Callable[[], float]]]:
    """Build the step in one framework, from the same numbers."""
    if rival == "torch":
        import torch as framework

        framework.set_num_threads(1)
    else:
        import chalkgrad as framework  # type: ignore[no-redef]
    rng = np.random.default_rng(0)
    start, gradient = (rng.standard_normal((1024, 1024), np.float32) for _ in range(2))
    weight = framework.nn.Parameter(framework.tensor(start))
    weight.grad = framework.tensor(gradient)
    optimizer = framework.optim.Adam([weight])

    def check() -> float:
        for _ in range(20):
            optimizer.step()
        return float((weight.detach() * weight.detach()).mean())

    return {"adam-1m": (optimizer.step, check)}

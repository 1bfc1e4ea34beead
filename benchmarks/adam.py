"""One Adam step on a matrix of a million parameters, the gradient given: nothing but memory and arithmetic."""

from __future__ import annotations

from functools import partial

import numpy as np

from .harness.work import Work, Workloads, eager_framework

__all__ = ["KIND", "workloads"]

KIND = "part"


def workloads(rival: str) -> Workloads:
    """Name the step, and what builds it in one framework."""
    return {"adam-1m": partial(_step, rival)}


def _step(rival: str) -> Work:
    framework = eager_framework(rival)
    rng = np.random.default_rng(0)
    start, gradient = (rng.standard_normal((1024, 1024), np.float32) for _ in range(2))
    weight = framework.nn.Parameter(framework.tensor(start))
    weight.grad = framework.tensor(gradient)
    optimizer = framework.optim.Adam([weight])

    def check() -> float:
        for _ in range(20):
            optimizer.step()
        return float((weight.detach() * weight.detach()).mean())

    return Work(optimizer.step, check)

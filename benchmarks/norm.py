"""Layer norm of a transformer's size, 2048 rows of 128, forward and backward: many passes over a megabyte."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from .harness.work import Work, Workloads, eager_framework

__all__ = ["KIND", "workloads"]

KIND = "part"


def workloads(rival: str) -> Workloads:
    """Name the layer, and what builds it in one framework."""
    return {"layer-norm": partial(_layer, rival)}


def _layer(rival: str) -> Work:
    framework = eager_framework(rival)
    x = framework.tensor(np.random.default_rng(0).standard_normal((2048, 128), np.float32)).requires_grad_()
    norm = framework.nn.LayerNorm(128)

    def work() -> Any:
        x.grad = norm.weight.grad = norm.bias.grad = None
        y = norm(x)
        (y * y).sum().backward()
        return y

    return Work(work, lambda: (work(), float(norm.weight.grad.sum()))[1])

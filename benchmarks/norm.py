"""Layer norm of a transformer's size, 2048 rows of 128, forward and backward: many passes over a megabyte."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["RIVALS", "workloads"]

RIVALS = ["chalkgrad", "torch"]


def workloads(rival: str) -> dict[str, tuple[Callable[[], Any], Callable[[], float]]]:
    """Build the layer in one framework, from the same numbers."""
    if rival == "torch":
        import torch as framework

        framework.set_num_threads(1)
    else:
        import chalkgrad as framework  # type: ignore[no-redef]
    x = framework.tensor(np.random.default_rng(0).standard_normal((2048, 128), np.float32)).requires_grad_()
    norm = framework.nn.LayerNorm(128)

    def work() -> Any:
        x.grad = norm.weight.grad = norm.bias.grad = None
        y = norm(x)
        (y * y).sum().backward()
        return y

    return {"layer-norm": (work, lambda: (work(), float(norm.weight.grad.sum()))[1])}

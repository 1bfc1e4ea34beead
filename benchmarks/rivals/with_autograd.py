"""HIPS autograd: NumPy's own functions, traced. It has no layers, and no convolution that one would train with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import value_and_grad

from ..harness.work import Missing
from ..training import Task
from .models import LOSSES
from .optimizers import rule
from .words import Words

__all__ = ["step"]

WORKLOADS = ("moons-mlp", "mnist-mlp-64", "mnist-mlp-512", "vae")


def step(name: str, start: dict[str, Any], task: Task) -> Callable[[], Any]:
    """Build the step; the gradient is that of a dict of arrays."""
    if name not in WORKLOADS:
        raise Missing
    update, words = rule(*task.optimizer), Words(anp)
    params = {path: array.copy() for path, array in start.items()}
    state = {path: (np.zeros_like(array), np.zeros_like(array)) for path, array in params.items()}
    gradient = value_and_grad(lambda params: LOSSES[name](words, params, *task.batch))
    t = 0

    def run() -> Any:
        nonlocal t
        t += 1
        found, grads = gradient(params)
        for path, array in params.items():
            params[path], *state[path] = update(array, grads[path], *state[path], t)
        return found

    return run

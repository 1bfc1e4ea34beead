"""MyGrad, with its memory guard off, as its documentation advises for speed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mygrad as mg
import numpy as np
from mygrad.nnet.activations import relu
from mygrad.nnet.layers import conv_nd, max_pool
from mygrad.nnet.losses import softmax_crossentropy

from ..harness.work import Missing
from ..training import Task
from .models import LOSSES
from .optimizers import rule
from .words import Words

__all__ = ["step"]

WORKLOADS = ("moons-mlp", "mnist-mlp-64", "mnist-mlp-512", "lenet5", "cnn", "vae")


class InMyGrad(Words):
    """What MyGrad has of its own."""

    def __init__(self) -> None:
        super().__init__(mg)
        self.relu, self.cross_entropy = relu, softmax_crossentropy

    def conv(self, x: Any, weight: Any, bias: Any, padding: int = 0) -> Any:
        return conv_nd(x, weight, stride=1, padding=padding) + bias.reshape(1, -1, 1, 1)

    def max_pool(self, x: Any) -> Any:
        return max_pool(x, (2, 2), 2)


def step(name: str, start: dict[str, Any], task: Task) -> Callable[[], Any]:
    """Build the step; a tensor's array is replaced by the updated one."""
    if name not in WORKLOADS:
        raise Missing
    mg.turn_memory_guarding_off()
    update, words = rule(*task.optimizer), InMyGrad()
    params = {path: mg.tensor(array) for path, array in start.items()}
    state = {path: (np.zeros_like(array), np.zeros_like(array)) for path, array in start.items()}
    t = 0

    def run() -> Any:
        nonlocal t
        t += 1
        found = LOSSES[name](words, params, *task.batch)
        found.backward()
        for path, param in params.items():
            param.data[...], *state[path] = update(param.data, param.grad, *state[path], t)
            param.null_grad()
        return found

    return run

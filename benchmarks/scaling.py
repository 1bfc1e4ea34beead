"""How the time of a step grows with its batch, its width and the length of its rows.

A workload is called model/dimension/size; the other sizes are those that the model has among the training steps, less
those of the GPT, which are smaller here.
"""

from __future__ import annotations

from functools import partial

from . import gpt_mini, lenet5, mnist_mlp
from .harness.work import Workloads
from .training import Task, cross_entropy, images, steps

__all__ = ["KIND", "workloads"]

KIND = "scaling"
ADAM = ("Adam", {"lr": 3e-4})


def mlp(batch: int = 64, width: int = 256) -> Task:
    """The network of mnist_mlp.py."""
    return Task(partial(mnist_mlp.model, width=width), images(batch), cross_entropy, ADAM)


def lenet(batch: int = 64, width: int = 1) -> Task:
    """LeNet-5, so many times as wide."""
    return Task(partial(lenet5.model, times=width), images(batch), cross_entropy, ADAM)


def gpt(batch: int = 8, width: int = 128, length: int = 64) -> Task:
    """The GPT of gpt_mini.py."""
    return gpt_mini.task(width=width, length=length, count=batch)


SERIES = {
    "mlp": (mlp, {"batch": (16, 64, 256, 1024), "width": (64, 256, 1024)}),
    "lenet5": (lenet, {"batch": (8, 32, 128, 512), "width": (1, 2, 4)}),
    "gpt-mini": (gpt, {"batch": (2, 8, 32), "width": (64, 128, 256), "length": (32, 64, 128, 256)}),
}


def workloads(rival: str) -> Workloads:
    """Name the steps, and what builds each in one framework."""
    return steps(rival, {
        f"{model}/{dimension}/{size}": task(**{dimension: size})
        for model, (task, dimensions) in SERIES.items() for dimension, sizes in dimensions.items() for size in sizes
    })

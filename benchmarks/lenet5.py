"""One Adam step of LeNet-5 (LeCun et al. 1998), as it is built today, with ReLU and maxima: 64 images of 28 x 28."""

from __future__ import annotations

from typing import Any

from .harness.work import Workloads
from .training import Task, cross_entropy, images, steps

__all__ = ["KIND", "model", "workloads"]

KIND = "training"


def model(framework: Any, times: int = 1) -> Any:
    """Build the network, with so many times the channels and features of the paper's."""
    nn, few, many = framework.nn, 6 * times, 16 * times
    return nn.Sequential(
        nn.Conv2d(1, few, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(few, many, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(many * 5 * 5, 120 * times), nn.ReLU(), nn.Linear(120 * times, 84 * times), nn.ReLU(),
        nn.Linear(84 * times, 10),
    )  # fmt: skip


def workloads(rival: str) -> Workloads:
    """Name the step, and what builds it in one framework."""
    return steps(rival, {"lenet5": Task(model, images(64), cross_entropy, ("Adam", {"lr": 1e-3}))})

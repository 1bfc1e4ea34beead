"""One Adam step of two convolutions, to 32 channels and to 64, on 64 images of 28 x 28."""

from __future__ import annotations

from typing import Any

from .harness.work import Workloads
from .training import Task, cross_entropy, images, steps

__all__ = ["KIND", "model", "workloads"]

KIND = "training"


def model(framework: Any) -> Any:
    """Build the network."""
    nn = framework.nn
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 10),
    )  # fmt: skip


def workloads(rival: str) -> Workloads:
    """Name the step, and what builds it in one framework."""
    return steps(rival, {"cnn": Task(model, images(64), cross_entropy, ("Adam", {"lr": 1e-3}))})

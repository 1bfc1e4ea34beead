"""One Adam step of the network that everybody starts with: 784-256-128-10, ReLU, cross-entropy, batch 64 and 512."""

from __future__ import annotations

from typing import Any

from .harness.work import Workloads
from .training import Task, cross_entropy, images, steps

__all__ = ["KIND", "model", "workloads"]

KIND = "training"


def model(framework: Any, width: int = 256) -> Any:
    """Build the network; the second hidden layer has half the width of the first."""
    nn = framework.nn
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, width), nn.ReLU(), nn.Linear(width, width // 2), nn.ReLU(),
        nn.Linear(width // 2, 10),
    )  # fmt: skip


def workloads(rival: str) -> Workloads:
    """Name the steps, and what builds each in one framework."""
    adam = ("Adam", {"lr": 3e-4})
    return steps(rival, {f"mnist-mlp-{b}": Task(model, images(b), cross_entropy, adam) for b in (64, 512)})

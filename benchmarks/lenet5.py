"""One Adam step of LeNet-5 (LeCun et al. 1998), as it is built today, with ReLU and maxima: 64 images of 28 x 28."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .training import RIVALS, Task, cross_entropy, images, steps

__all__ = ["RIVALS", "workloads"]


def model(framework: Any) -> Any:
    """Build the network."""
    nn = framework.nn
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(16 * 5 * 5, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def workloads(rival: str) -> dict[str, tuple[Callable[[], Any], Callable[[], float]]]:
    """Build the step in one framework, from the same numbers."""
    return steps(rival, {"lenet5": Task(model, images(64), cross_entropy, ("Adam", {"lr": 1e-3}))})

"""One Adam step of two convolutions, to 32 channels and to 64, on 64 images of 28 x 28."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .training import RIVALS, Task, cross_entropy, images, steps

__all__ = ["RIVALS", "workloads"]


def model(framework: Any) -> Any:
    """Build the network."""
    nn = framework.nn
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 10),
    )  # fmt: skip


def workloads(rival: str) -> dict[str, tuple[Callable[[], Any], Callable[[], float]]]:
    """Build the step in one framework, from the same numbers."""
    return steps(rival, {"cnn": Task(model, images(64), cross_entropy, ("Adam", {"lr": 1e-3}))})

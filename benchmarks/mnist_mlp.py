"""One Adam step of the network that everybody starts with: 784-256-128-10, ReLU, cross-entropy, batch 64 and 512."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .training import RIVALS, Task, cross_entropy, images, steps

__all__ = ["RIVALS", "workloads"]


def model(framework: Any) -> Any:
    """Build the network."""
    nn = framework.nn
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    )


def workloads(rival: str) -> dict[str, tuple[Callable[[], Any], Callable[[], float]]]:
    """Build the steps in one framework, from the same numbers."""
    adam = ("Adam", {"lr": 3e-4})
    return steps(rival, {f"mnist-mlp-{b}": Task(model, images(b), cross_entropy, adam) for b in (64, 512)})

"""One SGD step of a 2-16-16-1 network on 100 points of two moons, with the hinge loss: overhead is all there is."""

from __future__ import annotations

from typing import Any

import numpy as np

from .harness.work import Workloads
from .training import Batch, Task, steps

__all__ = ["KIND", "model", "workloads"]

KIND = "training"


def model(framework: Any) -> Any:
    """Build the network."""
    nn = framework.nn
    return nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))


def moons() -> Batch:
    """Draw points (100, 2) on two half circles, and on which of them each lies, -1 or 1 (100, 1)."""
    rng = np.random.default_rng(0)
    angle, side = rng.uniform(0, np.pi, 100), rng.choice([-1.0, 1.0], 100)
    x = np.stack([np.cos(angle) - side / 2, side * (np.sin(angle) - 0.25)], 1) + 0.1 * rng.standard_normal((100, 2))
    return x.astype(np.float32), side.astype(np.float32)[:, None]


def hinge(framework: Any, model: Any, x: Any, side: Any) -> Any:
    """Want every score on the right side, by 1 at least."""
    return framework.nn.functional.relu(1 - side * model(x)).mean()


def workloads(rival: str) -> Workloads:
    """Name the step, and what builds it in one framework."""
    return steps(rival, {"moons-mlp": Task(model, moons(), hinge, ("SGD", {"lr": 0.05}))})

"""One Adam step of a convolutional autoencoder on 64 images of 28 x 28: halved twice, and doubled twice again.

The way back is two transposed convolutions, kernels of 4 with stride 2 (as in Radford, Metz & Chintala 2016).
"""

from __future__ import annotations

from typing import Any

from .harness.work import Workloads
from .training import Batch, Task, images, steps

__all__ = ["KIND", "model", "workloads"]

KIND = "training"


def model(framework: Any) -> Any:
    """Build the network: images (b, 1, 28, 28) -> images of the same shape, by way of (b, 32, 7, 7)."""
    nn = framework.nn
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
        nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1), nn.ReLU(),
        nn.ConvTranspose2d(16, 1, 4, stride=2, padding=1),
    )


def batch() -> Batch:
    """Draw images (64, 1, 28, 28); what is fed in is also what should come out."""
    drawn = images(64)[0]
    return drawn, drawn.copy()


def squares(framework: Any, model: Any, x: Any, target: Any) -> Any:
    """Compare pixels."""
    return framework.nn.functional.mse_loss(model(x), target)


def workloads(rival: str) -> Workloads:
    """Name the step, and what builds it in one framework."""
    return steps(rival, {"autoencoder": Task(model, batch(), squares, ("Adam", {"lr": 1e-3}))})

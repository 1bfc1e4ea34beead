"""One Adam step of a variational autoencoder (Kingma & Welling 2014), 784-400-20 and back, on 128 images.

The noise is given, so that all rivals draw the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .harness.work import Workloads
from .training import Batch, Task, steps

__all__ = ["KIND", "model", "workloads"]

KIND = "training"


def model(framework: Any) -> Any:
    """Build the network: images (b, 784) and noise (b, 20) -> logits (b, 784), mean and log-variance (b, 20)."""
    nn = framework.nn

    class VAE(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.mean, self.logvar = nn.Linear(784, 400), nn.Linear(400, 20), nn.Linear(400, 20)
            self.decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784))

        def forward(self, x: Any, noise: Any) -> Any:
            h = nn.functional.relu(self.hidden(x))
            mean, logvar = self.mean(h), self.logvar(h)
            return self.decoder(mean + (0.5 * logvar).exp() * noise), mean, logvar

    return VAE()


def batch() -> Batch:
    """Draw images (128, 784) of numbers from 0 to 1, and noise (128, 20)."""
    rng = np.random.default_rng(0)
    return rng.random((128, 784), np.float32), rng.standard_normal((128, 20), np.float32)


def bound(framework: Any, model: Any, x: Any, noise: Any) -> Any:
    """Estimate the negative evidence lower bound of an image (appendix B of the paper)."""
    logits, mean, logvar = model(x, noise)
    likelihood = framework.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    divergence = -0.5 * (1 + logvar - mean * mean - logvar.exp()).sum()
    return (likelihood + divergence) / len(x)


def workloads(rival: str) -> Workloads:
    """Name the step, and what builds it in one framework."""
    return steps(rival, {"vae": Task(model, batch(), bound, ("Adam", {"lr": 1e-3}))})

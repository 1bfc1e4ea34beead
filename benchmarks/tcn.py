"""One Adam step of a temporal convolutional network (Bai et al. 2018): 32 channels, 32 rows of 256 numbers.

Four blocks of two causal convolutions each, with gaps of 1, 2, 4 and 8, say after every number which one comes next.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .harness.work import Workloads
from .training import Batch, Task, steps

__all__ = ["KIND", "model", "workloads"]

KIND = "training"


def model(framework: Any) -> Any:
    """Build the network: rows (b, 1, t) -> the next numbers (b, 1, t)."""
    nn = framework.nn

    class Causal(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self, dilation: int) -> None:
            super().__init__()
            self.ahead = 2 * dilation
            self.conv, self.relu = nn.Conv1d(32, 32, 3, padding=self.ahead, dilation=dilation), nn.ReLU()

        def forward(self, x: Any) -> Any:
            return self.relu(self.conv(x)[:, :, : -self.ahead])  # what looks ahead is at the end

    class Block(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self, dilation: int) -> None:
            super().__init__()
            self.path, self.relu = nn.Sequential(Causal(dilation), Causal(dilation)), nn.ReLU()

        def forward(self, x: Any) -> Any:
            return self.relu(x + self.path(x))

    return nn.Sequential(nn.Conv1d(1, 32, 1), *(Block(dilation) for dilation in (1, 2, 4, 8)), nn.Conv1d(32, 1, 1))


def rows() -> Batch:
    """Draw rows (32, 1, 256), and after each number the next one."""
    drawn = np.random.default_rng(0).standard_normal((32, 1, 257), np.float32)
    return drawn[:, :, :-1].copy(), drawn[:, :, 1:].copy()


def squares(framework: Any, model: Any, x: Any, target: Any) -> Any:
    """Compare numbers."""
    return framework.nn.functional.mse_loss(model(x), target)


def workloads(rival: str) -> Workloads:
    """Name the step, and what builds it in one framework."""
    return steps(rival, {"tcn": Task(model, rows(), squares, ("Adam", {"lr": 1e-3}))})

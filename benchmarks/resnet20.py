"""One SGD step with momentum of ResNet-20 (He et al. 2016, section 4.2) on 32 images of 3 x 32 x 32.

Where a stage halves the image, the shortcut is a convolution of one pixel with stride 2 (the paper's option B).
"""

from __future__ import annotations

from typing import Any

from .harness.work import Workloads
from .training import Task, cross_entropy, images, steps

__all__ = ["KIND", "model", "workloads"]

KIND = "training"


def model(framework: Any) -> Any:
    """Build the network: three stages of three blocks each, of 16, 32 and 64 channels."""
    nn = framework.nn

    def normed(c: int, k: int, kernel: int, stride: int) -> list[Any]:
        return [nn.Conv2d(c, k, kernel, stride, padding=kernel // 2, bias=False), nn.BatchNorm2d(k)]

    class Block(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self, c: int, k: int, stride: int) -> None:
            super().__init__()
            self.path = nn.Sequential(*normed(c, k, 3, stride), nn.ReLU(), *normed(k, k, 3, 1))
            self.shortcut = nn.Sequential(*(normed(c, k, 1, stride) if stride > 1 else []))
            self.relu = nn.ReLU()

        def forward(self, x: Any) -> Any:
            return self.relu(self.path(x) + self.shortcut(x))

    blocks = [Block(c if first else k, k, stride if first else 1)
              for c, k, stride in ((16, 16, 1), (16, 32, 2), (32, 64, 2)) for first in (True, False, False)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
    return nn.Sequential(*normed(3, 16, 3, 1), nn.ReLU(), *blocks, *head)


def workloads(rival: str) -> Workloads:
    """Name the step, and what builds it in one framework."""
    sgd = ("SGD", {"lr": 0.001, "momentum": 0.9, "weight_decay": 1e-4})
    return steps(rival, {"resnet20": Task(model, images(32, 3, 32), cross_entropy, sgd)})

"""WarmupCosineLR: up along a line for the first steps, and down along half a cosine for the rest.

It is how transformers are trained: at first Adam's mean squares come from few gradients, and the steps had better be
short; at the end short steps settle (Goyal et al. 2017 for the start, Loshchilov & Hutter 2017 for the end).
"""

from __future__ import annotations

import math

from ..optimizer import Optimizer
from .scheduler import LRScheduler, at_least_one

__all__ = ["WarmupCosineLR"]


class WarmupCosineLR(LRScheduler):
    """Rise to the rate in `warmup` steps, fall to `eta_min` by step `total`, and stay there.

    η = η₀ (t + 1) / warmup while t < warmup, then η_min + ½ (η₀ - η_min) (1 + cos(π (t - warmup) / (total - warmup))).
    Call `step` after every batch. PyTorch has none like it.

    Raises ValueError unless 0 ≤ warmup < total are whole numbers.

    >>> from chalkgrad.optim.lr_scheduler.path import lr_path
    >>> [round(lr, 3) for lr in lr_path(WarmupCosineLR, 8, warmup=2, total=6)]
    [0.5, 1.0, 1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    >>> [round((t + 1) / 2 if t < 2 else (1 + math.cos(math.pi * min((t - 2) / 4, 1))) / 2, 3) for t in range(8)]
    [0.5, 1.0, 1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """

    def __init__(
        self, optimizer: Optimizer, warmup: int, total: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.warmup = at_least_one("WarmupCosineLR: warmup", warmup, least=0)
        self.total = at_least_one("WarmupCosineLR: total", total, least=warmup + 1)
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of every group at `last_epoch`."""
        t = self.last_epoch
        if t < self.warmup:
            return [lr * (t + 1) / self.warmup for lr in self.base_lrs]
        share = min((t - self.warmup) / (self.total - self.warmup), 1)
        height = (1 + math.cos(math.pi * share)) / 2
        return [self.eta_min + (lr - self.eta_min) * height for lr in self.base_lrs]

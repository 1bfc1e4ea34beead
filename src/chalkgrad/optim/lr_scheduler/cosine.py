"""CosineAnnealingLR: the rate falls along half a cosine, slowly at first and at the end."""

from __future__ import annotations

import math

from ..optimizer import Optimizer
from .scheduler import LRScheduler, at_least_one

__all__ = ["CosineAnnealingLR"]


class CosineAnnealingLR(LRScheduler):
    """Lower the rate along half a cosine, slowly at first and at the end, to `eta_min` after `T_max` epochs.

    Source: Loshchilov & Hutter 2017 (SGDR), equation 5, without restarts:
    η_t = η_min + ½ (η_max - η_min) (1 + cos(π t / T_max)).
    After T_max the rate goes up again, as the cosine does.

    >>> from chalkgrad.optim.lr_scheduler.path import lr_path
    >>> [round(lr, 3) for lr in lr_path(CosineAnnealingLR, 5, T_max=4)]
    [1.0, 0.854, 0.5, 0.146, 0.0]
    >>> [round(0.5 * (1 + math.cos(math.pi * t / 4)), 3) for t in range(5)]
    [1.0, 0.854, 0.5, 0.146, 0.0]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max, self.eta_min = at_least_one("CosineAnnealingLR: T_max", T_max), eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of every group at `last_epoch` from the rate before: (η_t - η_min) grows with 1 + cos."""
        if self._is_initial:
            return self.rates()
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            # the rate before was η_min, of which no multiple leads up again
            rise = (1 - math.cos(math.pi / self.T_max)) / 2
            return [lr + (base - self.eta_min) * rise for lr, base in zip(self.rates(), self.base_lrs, strict=True)]
        share = self._height(self.last_epoch) / self._height(self.last_epoch - 1)
        return [self.eta_min + (lr - self.eta_min) * share for lr in self.rates()]

    def _get_closed_form_lr(self) -> list[float]:
        return [self.eta_min + (lr - self.eta_min) * self._height(self.last_epoch) / 2 for lr in self.base_lrs]

    def _height(self, t: int) -> float:
        return 1 + math.cos(math.pi * t / self.T_max)

"""StepLR: long steps, then shorter ones: the rate falls by a factor every so many epochs."""

from __future__ import annotations

from ..optimizer import Optimizer
from .scheduler import LRScheduler, at_least_one

__all__ = ["StepLR"]


class StepLR(LRScheduler):
    """Multiply the rate by `gamma` every `step_size` epochs: η = η₀ · γ^⌊t / step_size⌋.

    >>> from chalkgrad.optim.lr_scheduler.path import lr_path
    >>> lr_path(StepLR, 5, step_size=2, gamma=0.5)
    [1.0, 1.0, 0.5, 0.5, 0.25]
    >>> [0.5 ** (t // 2) for t in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size, self.gamma = at_least_one("StepLR: step_size", step_size), gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of every group at `last_epoch` from the rate before."""
        if self.last_epoch == 0 or self.last_epoch % self.step_size != 0:
            return self.rates()
        return [lr * self.gamma for lr in self.rates()]

    def _get_closed_form_lr(self) -> list[float]:
        return [lr * self.gamma ** (self.last_epoch // self.step_size) for lr in self.base_lrs]

"""PolynomialLR: the rate falls to 0 along a power of the epochs that are left."""

from __future__ import annotations

from ..optimizer import Optimizer
from .scheduler import LRScheduler

__all__ = ["PolynomialLR"]


class PolynomialLR(LRScheduler):
    """Let the rate fall to 0 in `total_iters` epochs: η = η₀ · (1 - min(t / n, 1))^power.

    >>> from chalkgrad.optim.lr_scheduler.path import lr_path
    >>> [round(lr, 4) for lr in lr_path(PolynomialLR, 6, total_iters=4, power=2.0)]
    [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]
    >>> [(1 - min(t / 4, 1)) ** 2.0 for t in range(6)]
    [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]
    """

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of every group at `last_epoch` from the rate before."""
        if self._is_initial or self.last_epoch > self.total_iters:
            return self.rates()
        left, before = (1.0 - epoch / self.total_iters for epoch in (self.last_epoch, self.last_epoch - 1))
        return [lr * (left / before) ** self.power for lr in self.rates()]

    def _get_closed_form_lr(self) -> list[float]:
        left = 1.0 - min(self.total_iters, self.last_epoch) / self.total_iters
        return [lr * left**self.power for lr in self.base_lrs]

"""ConstantLR: a share of the rate for the first epochs, and then all of it."""

from __future__ import annotations

from ..optimizer import Optimizer
from .scheduler import LRScheduler

__all__ = ["ConstantLR"]


class ConstantLR(LRScheduler):
    """Multiply the rate by `factor` until `total_iters` epochs are over: η = η₀ · factor while t < total_iters.

    Raises ValueError unless 0 ≤ factor ≤ 1.

    >>> from chalkgrad.optim.lr_scheduler.path import lr_path
    >>> lr_path(ConstantLR, 4, factor=0.5, total_iters=2)
    [0.5, 0.5, 1.0, 1.0]
    >>> [1.0 * (0.5 if t < 2 else 1) for t in range(4)]
    [0.5, 0.5, 1.0, 1.0]
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if not 0 <= factor <= 1:
            raise ValueError(f"ConstantLR: factor is {factor}, but a number from 0 to 1 was expected.")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of every group at `last_epoch` from the rate before."""
        if self.last_epoch == 0:
            return [lr * self.factor for lr in self.rates()]
        if self.last_epoch != self.total_iters:
            return self.rates()
        if self.factor == 0:  # of which no multiple leads up again
            return list(self.base_lrs)
        return [lr * (1.0 / self.factor) for lr in self.rates()]

    def _get_closed_form_lr(self) -> list[float]:
        return [lr * (self.factor + (self.last_epoch >= self.total_iters) * (1 - self.factor)) for lr in self.base_lrs]

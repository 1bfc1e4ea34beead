"""ExponentialLR: the rate falls by the same share every epoch."""

from __future__ import annotations

from ..optimizer import Optimizer
from .scheduler import LRScheduler

__all__ = ["ExponentialLR"]


class ExponentialLR(LRScheduler):
    """Multiply the rate by `gamma` every epoch: η = η₀ · γᵗ.

    >>> from chalkgrad.optim.lr_scheduler.path import lr_path
    >>> lr_path(ExponentialLR, 4, gamma=0.5)
    [1.0, 0.5, 0.25, 0.125]
    >>> [0.5 ** t for t in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of every group at `last_epoch` from the rate before."""
        return self.rates() if self._is_initial else [lr * self.gamma for lr in self.rates()]

    def _get_closed_form_lr(self) -> list[float]:
        return [lr * self.gamma**self.last_epoch for lr in self.base_lrs]

"""TimeBasedLR: the rate falls as one over the time, as fast as it may and still get anywhere."""

from __future__ import annotations

from ..optimizer import Optimizer
from .scheduler import LRScheduler

__all__ = ["TimeBasedLR"]


class TimeBasedLR(LRScheduler):
    """Divide the rate by the epochs: η = η₀ / (1 + decay · t).

    1. The rates add up to infinity, as the harmonic series does, so that any place can be reached. A faster fall, such
       as t⁻ᵖ with p > 1, has a finite sum, beyond which no parameter gets.
    2. Their squares add up to a finite number, so that the noise of the gradients dies out. That takes p > ½.

    Raises ValueError for a decay below 0.

    Source: Robbins & Monro 1951. PyTorch has none like it.

    >>> from chalkgrad.optim.lr_scheduler.path import lr_path
    >>> [round(lr, 4) for lr in lr_path(TimeBasedLR, 5, decay=0.5)]
    [1.0, 0.6667, 0.5, 0.4, 0.3333]
    >>> [round(1 / (1 + 0.5 * t), 4) for t in range(5)]
    [1.0, 0.6667, 0.5, 0.4, 0.3333]
    """

    def __init__(self, optimizer: Optimizer, decay: float, last_epoch: int = -1) -> None:
        if not decay >= 0:
            raise ValueError(f"TimeBasedLR: decay is {decay}, but a number of at least 0 was expected.")
        self.decay = decay
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of every group at `last_epoch` from the rate before."""
        if self._is_initial:
            return self.rates()
        share = (1 + self.decay * (self.last_epoch - 1)) / (1 + self.decay * self.last_epoch)
        return [lr * share for lr in self.rates()]

    def _get_closed_form_lr(self) -> list[float]:
        return [lr / (1 + self.decay * self.last_epoch) for lr in self.base_lrs]

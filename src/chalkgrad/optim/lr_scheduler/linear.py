"""LinearLR: the rate goes from one share of itself to another along a straight line, such as up at the start."""

from __future__ import annotations

from ..optimizer import Optimizer
from .scheduler import LRScheduler

__all__ = ["LinearLR"]


class LinearLR(LRScheduler):
    """Go from `start_factor` to `end_factor` of the rate in `total_iters` epochs.

    η = η₀ · (start + (end - start) · min(t / total_iters, 1)).

    Raises ValueError unless 0 < start_factor ≤ 1 and 0 ≤ end_factor ≤ 1.

    >>> from chalkgrad.optim.lr_scheduler.path import lr_path
    >>> lr_path(LinearLR, 6, start_factor=0.5, end_factor=1.0, total_iters=4)
    [0.5, 0.625, 0.75, 0.875, 1.0, 1.0]
    >>> [0.5 + (1.0 - 0.5) * min(t / 4, 1) for t in range(6)]
    [0.5, 0.625, 0.75, 0.875, 1.0, 1.0]
    """

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1.0 / 3, end_factor: float = 1.0, total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(f"LinearLR: start_factor is {start_factor}, but a number above 0, and at most 1, was "
                             "expected.")
        if not 0 <= end_factor <= 1:
            raise ValueError(f"LinearLR: end_factor is {end_factor}, but a number from 0 to 1 was expected.")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of every group at `last_epoch` from the rate before."""
        if self.last_epoch == 0:
            return [lr * self.start_factor for lr in self.rates()]
        if self._is_initial or self.last_epoch > self.total_iters:
            return self.rates()
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return [lr * (1.0 + rise / before) for lr in self.rates()]

    def _get_closed_form_lr(self) -> list[float]:
        rise = self.end_factor - self.start_factor
        share = self.start_factor + rise * min(self.total_iters, self.last_epoch) / self.total_iters
        return [lr * share for lr in self.base_lrs]

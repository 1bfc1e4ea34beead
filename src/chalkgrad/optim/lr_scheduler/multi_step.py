"""MultiStepLR: the rate falls by a factor at the epochs that are named."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable

from ..optimizer import Optimizer
from .scheduler import LRScheduler

__all__ = ["MultiStepLR"]


class MultiStepLR(LRScheduler):
    """Multiply the rate by `gamma` at every milestone: η = η₀ · γ^(milestones up to t).

    milestones  epochs; one that is named twice counts twice

    >>> from chalkgrad.optim.lr_scheduler.path import lr_path
    >>> lr_path(MultiStepLR, 6, milestones=[2, 5], gamma=0.5)
    [1.0, 1.0, 0.5, 0.5, 0.5, 0.25]
    >>> [0.5 ** sum(milestone <= t for milestone in [2, 5]) for t in range(6)]
    [1.0, 1.0, 0.5, 0.5, 0.5, 0.25]
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of every group at `last_epoch` from the rate before."""
        if self.last_epoch not in self.milestones:
            return self.rates()
        return [lr * self.gamma ** self.milestones[self.last_epoch] for lr in self.rates()]

    def _get_closed_form_lr(self) -> list[float]:
        passed = bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return [lr * self.gamma**passed for lr in self.base_lrs]

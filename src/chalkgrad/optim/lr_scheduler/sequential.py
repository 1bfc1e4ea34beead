"""SequentialLR: one schedule, and after some epochs the next."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from ..optimizer import Optimizer
from .scheduler import LRScheduler
from .several import Several

__all__ = ["SequentialLR"]


class SequentialLR(Several):
    """Follow the first schedule up to the first milestone, then the second from its beginning, and so on.

    milestones  the epochs at which the next schedule takes over: one fewer than there are schedules

    Raises TypeError for what is no schedule; ValueError for another number of milestones, for schedules of other
    optimizers, and for ReduceLROnPlateau, whose step takes a loss.

    >>> from chalkgrad import ones
    >>> from chalkgrad.optim import SGD
    >>> from chalkgrad.optim.lr_scheduler import ConstantLR, ExponentialLR
    >>> optimizer = SGD([ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = SequentialLR(optimizer, [ConstantLR(optimizer, 0.1, 9), ExponentialLR(optimizer, 0.5)], [2])
    >>> for epoch in range(5):
    ...     optimizer.step()
    ...     print(schedule.get_last_lr()[0], end=" ")
    ...     schedule.step()
    0.1 0.1 1.0 0.5 0.25
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int], last_epoch: int = -1
    ) -> None:
        self._take(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(f"SequentialLR: {len(schedulers)} schedulers need {len(schedulers) - 1} milestones, but "
                             f"{len(milestones)} came.")
        self._milestones, self.last_epoch = list(milestones), last_epoch + 1
        self.set([group["initial_lr"] for group in optimizer.param_groups])
        self.undo()  # each schedule has set its own first rates
        self._present().start()
        self._last_lr = self.rates()

    def _present(self) -> LRScheduler:
        return self._schedulers[bisect_right(self._milestones, self.last_epoch)]

    def start(self) -> None:
        """Set the first rates, as if none had been set yet."""
        self.last_epoch = 0
        self._present().start()
        self._last_lr = self.rates()

    def restart(self) -> None:
        """Go back to epoch 0, and to the rates there."""
        self.last_epoch = 0
        self._present().restart()
        self._last_lr = self.rates()

    def step(self) -> None:
        """Go on to the next epoch, and at a milestone to the next schedule."""
        self.last_epoch += 1
        scheduler = self._present()
        if self.last_epoch in self._milestones:
            scheduler.restart()
        else:
            scheduler.step()
        self._last_lr = self.rates()

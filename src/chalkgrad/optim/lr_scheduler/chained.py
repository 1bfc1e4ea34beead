"""ChainedScheduler: several schedules at once, each of which changes the rate that the one before it left."""

from __future__ import annotations

from collections.abc import Sequence

from ..optimizer import Optimizer
from .scheduler import LRScheduler
from .several import Several

__all__ = ["ChainedScheduler"]


class ChainedScheduler(Several):
    """Step several schedules, one after the other, every epoch.

    Raises TypeError for what is no schedule; ValueError for none, for those of other optimizers, and for
    ReduceLROnPlateau, whose step takes a loss.

    >>> from chalkgrad import ones
    >>> from chalkgrad.optim import SGD
    >>> from chalkgrad.optim.lr_scheduler import ConstantLR, ExponentialLR
    >>> optimizer = SGD([ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = ChainedScheduler([ConstantLR(optimizer, 0.5, 2), ExponentialLR(optimizer, 0.5)])
    >>> for epoch in range(4):
    ...     optimizer.step()
    ...     print(schedule.get_last_lr()[0], end=" ")
    ...     schedule.step()
    0.5 0.25 0.25 0.125
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self._take(schedulers, optimizer)
        self._last_lr = self.rates()

    def start(self) -> None:
        """Set the first rates of a part of a SequentialLR: as in PyTorch, by a step of each that is not its first."""
        for scheduler in self._schedulers:
            scheduler.advance()
        self._last_lr = self.rates()

    def restart(self) -> None:
        """Go back to epoch 0, and to the rates there; as if each schedule were alone, so the last one decides."""
        for scheduler in self._schedulers:
            scheduler.restart()
        self._last_lr = self.rates()

    def step(self) -> None:
        """Step all schedules, in order."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self.rates()

"""CosineAnnealingWarmRestarts: down along half a cosine, up at once, and down again, longer every time.

At the end of every run the rate is small and the parameters have settled; the jump shakes them out of a poor valley,
and the runs' ends are models of which a mean can be taken (Loshchilov & Hutter 2017).
"""

from __future__ import annotations

import math

from ..optimizer import Optimizer
from .scheduler import LRScheduler, at_least_one

__all__ = ["CosineAnnealingWarmRestarts"]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Lower the rate along half a cosine for T_0 epochs, then for T_0 · T_mult, and so on.

    η = η_min + ½ (η₀ - η_min) (1 + cos(π T_cur / T_i)), where T_cur epochs of this run of T_i are over.

    Raises ValueError unless T_0 and T_mult are whole numbers of at least 1.

    Source: Loshchilov & Hutter 2017, eq. 5.

    >>> from chalkgrad.optim.lr_scheduler.path import lr_path
    >>> [round(lr, 3) for lr in lr_path(CosineAnnealingWarmRestarts, 7, T_0=2, T_mult=2)]
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]
    >>> [round(0.5 * (1 + math.cos(math.pi * t / T)), 3) for T in (2, 4) for t in range(T)]
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146]
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_0 = self.T_i = at_least_one("CosineAnnealingWarmRestarts: T_0", T_0)
        self.T_mult = at_least_one("CosineAnnealingWarmRestarts: T_mult", T_mult)
        self.eta_min, self.T_cur = eta_min, float(last_epoch)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of every group, T_cur epochs after the last restart."""
        height = 1 + math.cos(math.pi * self.T_cur / self.T_i)
        return [self.eta_min + (lr - self.eta_min) * height / 2 for lr in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go on by an epoch, or to the epoch that is named, which may be a fraction: 2.5 is in the midst of the third.

        Raises ValueError for an epoch below 0.
        """
        if epoch is None and self.last_epoch >= 0:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            epoch = epoch or 0
            self._go_to(epoch)
        self._step_count += 1
        self.last_epoch = math.floor(epoch)
        self._set_from(self.get_lr)

    advance = step

    def _go_to(self, epoch: float) -> None:
        """Find the run that an epoch lies in: n runs take T_0 (T_multⁿ - 1) / (T_mult - 1) epochs."""
        if epoch < 0:
            raise ValueError(f"CosineAnnealingWarmRestarts: epoch is {epoch}, but a number of at least 0 was expected.")
        if epoch < self.T_0:
            self.T_cur, self.T_i = epoch, self.T_0
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            n = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**n - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**n

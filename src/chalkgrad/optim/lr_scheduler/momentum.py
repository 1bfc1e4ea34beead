"""What schedules share that lower the momentum while the rate is high: it is in the group, alone or as β₁."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .scheduler import LRScheduler, for_each_group

__all__ = ["MomentumCycle"]


class MomentumCycle(LRScheduler):
    """A schedule that may change the momentum as well as the rate: both make steps longer."""

    cycle_momentum: bool
    use_beta1: bool

    def _find_momentum(self, base: Any, most: Any, fresh: bool) -> tuple[list[float], list[float]]:
        """See where the optimizer has its momentum, note its bounds in the groups, and start with the upper one.

        Raises ValueError if it has none.
        """
        optimizer = self.optimizer
        if not {"momentum", "betas"} & optimizer.defaults.keys():
            raise ValueError(f"{type(self).__name__}: {type(optimizer).__name__} has neither a momentum nor betas to "
                             "cycle; give cycle_momentum=False.")
        self.use_beta1 = "betas" in optimizer.defaults
        bases = for_each_group("base_momentum", optimizer, base)
        mosts = for_each_group("max_momentum", optimizer, most)
        if fresh:
            self._set_momentum(mosts)
            for group, low, high in zip(optimizer.param_groups, bases, mosts, strict=True):
                group["max_momentum"], group["base_momentum"] = high, low
        return bases, mosts

    def _set_momentum(self, momenta: Iterable[float]) -> None:
        for group, momentum in zip(self.optimizer.param_groups, momenta, strict=True):
            if self.use_beta1:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum

"""OneCycleLR: up to a rate that would be too high for long, and down to almost nothing, once in the whole training.

The high rate in the middle regularises, and lets a network learn in a fraction of the epochs (Smith & Topin 2019). Call
`step` after every batch.
"""

from __future__ import annotations

import math
from typing import Any

from ..optimizer import Optimizer
from .momentum import MomentumCycle
from .scheduler import at_least_one, for_each_group

__all__ = ["OneCycleLR"]


class OneCycleLR(MomentumCycle):
    """Go from max_lr / div_factor to max_lr, and down to a final_div_factor-th of where it began.

    max_lr           the highest rate, or a list with one for each group
    total_steps      how many steps there are in all, or
    epochs, steps_per_epoch  two numbers whose product it is
    pct_start        the share of the steps in which the rate rises
    anneal_strategy  "cos" along half a cosine, "linear" along a line
    cycle_momentum   lower the momentum, or β₁, while the rate is high; a compiled step is compiled for each anew
    base_momentum, max_momentum  its bounds
    div_factor       how many times smaller than max_lr the first rate is
    final_div_factor how many times smaller than the first rate the last one is
    three_phase      go down to the first rate as fast as up, and then on to the last one

    Raises TypeError if `optimizer` is none; ValueError for arguments that cannot be, and for a step after the last.

    Source: Smith & Topin 2019; the cosine, and no third phase, are PyTorch's defaults.

    >>> from chalkgrad.optim.lr_scheduler.path import lr_path
    >>> [round(lr, 3) for lr in lr_path(OneCycleLR, 9, max_lr=1.0, total_steps=10, anneal_strategy="linear")]
    [0.04, 0.52, 1.0, 0.857, 0.714, 0.571, 0.429, 0.286, 0.143]
    >>> first, last = 1 / 25, 1 / 25 / 1e4
    >>> [round(first + (1 - first) * t / 2 if t < 2 else 1 + (last - 1) * (t - 2) / 7, 3) for t in range(9)]
    [0.04, 0.52, 1.0, 0.857, 0.714, 0.571, 0.429, 0.286, 0.143]
    """

    def __init__(
        self, optimizer: Optimizer, max_lr: float | list[float], total_steps: int | None = None,
        epochs: int | None = None, steps_per_epoch: int | None = None, pct_start: float = 0.3,
        anneal_strategy: str = "cos", cycle_momentum: bool = True, base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95, div_factor: float = 25.0, final_div_factor: float = 1e4,
        three_phase: bool = False, last_epoch: int = -1,
    ) -> None:
        self.optimizer = self.checked(optimizer)
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start is {pct_start!r}, but a float from 0 to 1 was expected.")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"OneCycleLR: anneal_strategy is {anneal_strategy!r}, but 'cos' or 'linear' was expected.")
        self._anneal_func_type, self.cycle_momentum = anneal_strategy, cycle_momentum
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        highest = for_each_group("max_lr", optimizer, max_lr)
        if cycle_momentum:
            self._find_momentum(base_momentum, max_momentum, last_epoch == -1)
        if last_epoch == -1:
            for group, high in zip(optimizer.param_groups, highest, strict=True):
                first = high / div_factor
                group.update(initial_lr=first, max_lr=high, min_lr=first / final_div_factor)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of every group at `last_epoch`, and set the momentum."""
        if self.last_epoch > self.total_steps:
            raise ValueError(f"OneCycleLR: step {self.last_epoch} came, but total_steps is {self.total_steps}.")
        phase, share = self._phase()
        groups = self.optimizer.param_groups
        if self.cycle_momentum:
            start, end = phase["start_momentum"], phase["end_momentum"]
            self._set_momentum([self._between(group[start], group[end], share) for group in groups])
        return [self._between(group[phase["start_lr"]], group[phase["end_lr"]], share) for group in groups]

    def _phase(self) -> tuple[dict[str, Any], float]:
        """Find the phase that `last_epoch` lies in, and the share of it that is over."""
        start = 0.0
        for phase in self._schedule_phases[:-1]:
            if self.last_epoch <= phase["end_step"]:
                break
            start = phase["end_step"]
        else:
            phase = self._schedule_phases[-1]
        length = phase["end_step"] - start
        return phase, (self.last_epoch - start) / length if length else 1.0

    def _between(self, start: float, end: float, share: float) -> float:
        if self._anneal_func_type == "linear":
            return (end - start) * share + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)


def _total(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total_steps is not None:
        return at_least_one("OneCycleLR: total_steps", total_steps)
    if epochs is None or steps_per_epoch is None:
        raise ValueError("OneCycleLR needs total_steps, or both epochs and steps_per_epoch.")
    return at_least_one("OneCycleLR: epochs", epochs) * at_least_one("OneCycleLR: steps_per_epoch", steps_per_epoch)


def _phases(total: int, rising: float, three: bool) -> list[dict[str, Any]]:
    """List the phases, under PyTorch's names; what they go from and to is in the groups."""
    names = "end_step", "start_lr", "end_lr", "start_momentum", "end_momentum"
    up = (float(rising * total) - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
    back = (float(2 * rising * total) - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum")
    out = (total - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum")
    down = (total - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")
    return [dict(zip(names, phase)) for phase in ((up, back, out) if three else (up, down))]

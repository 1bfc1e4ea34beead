"""CyclicLR: the rate goes up and down between two bounds, so that neither has to be the right one.

A high rate does harm for a while, and good in the long run: it carries the parameters out of narrow valleys and over
saddles (Smith 2017). Call `step` after every batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import ClassVar

from ..optimizer import Optimizer
from .momentum import MomentumCycle
from .scheduler import for_each_group

__all__ = ["CyclicLR"]

# The height of a cycle, 1 at first: by the number of the cycle, or of the step, and gamma.
HEIGHTS: dict[str, tuple[str, Callable[[float, float], float]]] = {
    "triangular": ("cycle", lambda cycle, gamma: 1.0),
    "triangular2": ("cycle", lambda cycle, gamma: 1 / (2.0 ** (cycle - 1))),
    "exp_range": ("iterations", lambda step, gamma: gamma**step),
}


class CyclicLR(MomentumCycle):
    """Go from base_lr to max_lr along a line, and back, over and over.

    base_lr, max_lr  the bounds, or lists with one for each group
    step_size_up     steps from base_lr to max_lr
    step_size_down   steps back, as many unless given
    mode             "triangular"; "triangular2" halves the height with every cycle; "exp_range" multiplies it by
                     gamma with every step
    scale_fn         another height: a function of the number of the cycle, from 1 on, or of the step
    scale_mode       which of the two it is a function of: "cycle" or "iterations"
    cycle_momentum   lower the momentum, or β₁, while the rate is high; a compiled step is compiled for each anew
    base_momentum, max_momentum  its bounds

    Raises TypeError if `optimizer` is none; ValueError for a mode that is not known, or an optimizer without momentum.

    Source: Smith 2017, section 3. With c = ⌊1 + t / (up + down)⌋ and x = t / (up + down) - (c - 1) the share of the
    cycle that is over, η = base + (max - base) · height · (x / r if x ≤ r else (1 - x) / (1 - r)) with
    r = up / (up + down).

    >>> from chalkgrad.optim.lr_scheduler.path import lr_path
    >>> lr_path(CyclicLR, 9, base_lr=0.0, max_lr=1.0, step_size_up=2, mode="triangular2")
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.25, 0.5, 0.25, 0.0]
    >>> [0.5 ** (t // 4) * (x / 0.5 if x <= 0.5 else (1 - x) / 0.5) for t, x in enumerate([0, 0.25, 0.5, 0.75] * 2)]
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.25, 0.5, 0.25]
    """

    functions: ClassVar[tuple[str, ...]] = ("_scale_fn_custom",)

    def __init__(
        self, optimizer: Optimizer, base_lr: float | list[float], max_lr: float | list[float],
        step_size_up: int = 2000, step_size_down: int | None = None, mode: str = "triangular", gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None, scale_mode: str = "cycle", cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8, max_momentum: float | list[float] = 0.9, last_epoch: int = -1,
    ) -> None:
        self.optimizer = self.checked(optimizer)
        if mode not in HEIGHTS and scale_fn is None:
            raise ValueError(f"CyclicLR: mode is {mode!r}, but one of {', '.join(HEIGHTS)}, or a scale_fn, was "
                             "expected.")
        if scale_mode not in ("cycle", "iterations"):
            raise ValueError(f"CyclicLR: scale_mode is {scale_mode!r}, but 'cycle' or 'iterations' was expected.")
        base_lrs = for_each_group("base_lr", optimizer, base_lr)
        self.max_lrs = for_each_group("max_lr", optimizer, max_lr)
        self.total_size = float(step_size_up) + float(step_size_up if step_size_down is None else step_size_down)
        self.step_ratio = float(step_size_up) / self.total_size
        self.mode, self.gamma, self._scale_fn_custom = mode, gamma, scale_fn
        self.scale_mode = scale_mode if scale_fn is not None else HEIGHTS[mode][0]
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.base_momentums, self.max_momentums = self._find_momentum(base_momentum, max_momentum, last_epoch == -1)
        if last_epoch == -1:
            self.set(base_lrs)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """Compute the height of a cycle by its number, or by that of the step."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        return HEIGHTS[self.mode][1](x, self.gamma)

    def get_lr(self) -> list[float]:
        """Compute the rate of every group at `last_epoch`, and set the momentum."""
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        share = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        height = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            bounds = zip(self.base_momentums, self.max_momentums, strict=True)
            self._set_momentum([most - (most - base) * share * height for base, most in bounds])
        return [base + (most - base) * share * height for base, most in zip(self.base_lrs, self.max_lrs, strict=True)]

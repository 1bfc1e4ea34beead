"""ReduceLROnPlateau: the rate falls when the loss no longer does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import SupportsFloat

from ..optimizer import Optimizer
from .scheduler import LRScheduler, for_each_group

__all__ = ["ReduceLROnPlateau"]

WORST = {"min": math.inf, "max": -math.inf}


class ReduceLROnPlateau(LRScheduler):
    """Multiply the rate by `factor` when a measure has not improved for more than `patience` epochs.

    mode            "min" for a loss, "max" for a score
    factor          below 1
    threshold       what counts as better: by this share of the best ("rel"), or by this much ("abs")
    threshold_mode  "rel" or "abs"
    cooldown        epochs after a change in which nothing counts
    min_lr          the least rate, or a list with one for each group
    eps             a smaller change of the rate is left out

    Raises TypeError if `optimizer` is none, ValueError for a factor of 1 or more, or a mode that is not known.

    >>> from chalkgrad import ones
    >>> from chalkgrad.optim import SGD
    >>> optimizer = SGD([ones(1, requires_grad=True)], lr=1.0)
    >>> scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in [5.0, 4.0, 4.0, 4.0, 3.0, 3.0, 3.0]:
    ...     scheduler.step(loss)
    ...     print(scheduler.get_last_lr()[0], end=" ")
    1.0 1.0 1.0 0.5 0.5 0.5 0.25
    """

    def __init__(
        self, optimizer: Optimizer, mode: str = "min", factor: float = 0.1, patience: int = 10,
        threshold: float = 1e-4, threshold_mode: str = "rel", cooldown: int = 0,
        min_lr: Sequence[float] | float = 0, eps: float = 1e-8,
    ) -> None:
        if not factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor is {factor}, but a number below 1 was expected.")
        if mode not in WORST:
            raise ValueError(f"ReduceLROnPlateau: mode is {mode!r}, but 'min' or 'max' was expected.")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"ReduceLROnPlateau: threshold_mode is {threshold_mode!r}, but 'rel' or 'abs' was "
                             "expected.")
        self.optimizer = self.checked(optimizer)
        self.default_min_lr = None if isinstance(min_lr, list | tuple) else min_lr
        self.min_lrs = for_each_group("min_lr", optimizer, min_lr)
        self.factor, self.patience, self.cooldown, self.eps = factor, patience, cooldown, eps
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self.best = self.mode_worse = WORST[mode]
        self.last_epoch = self.cooldown_counter = self.num_bad_epochs = 0
        self._last_lr = self.rates()

    @property
    def in_cooldown(self) -> bool:
        """Whether the rate has just been changed, and nothing counts yet."""
        return self.cooldown_counter > 0

    def step(self, metrics: SupportsFloat | None = None) -> None:
        """Look at the measure after an epoch, and lower the rates if it has not improved for too long.

        Raises TypeError if no measure came, RuntimeError if there are more groups than least rates.
        """
        if metrics is None:
            raise TypeError("ReduceLROnPlateau.step takes the measure that it follows, such as the loss of validation.")
        current = float(metrics)
        self.last_epoch += 1
        self.num_bad_epochs += 1
        if self._is_better(current):
            self.best, self.num_bad_epochs = current, 0
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self.set(self._lowered())
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = self.rates()

    def _is_better(self, current: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "rel":
            return sign * current < sign * self.best * (1.0 - sign * self.threshold)
        return sign * current < sign * self.best - self.threshold

    def _lowered(self) -> list[float]:
        rates = self.rates()
        if len(rates) != len(self.min_lrs):  # a group was added
            if self.default_min_lr is None:
                raise RuntimeError(f"ReduceLROnPlateau: the optimizer has {len(rates)} groups by now, but there are "
                                   f"{len(self.min_lrs)} least rates. Set min_lrs to a list with one for each.")
            self.min_lrs = [self.default_min_lr] * len(rates)
        lowered = [max(rate * self.factor, least) for rate, least in zip(rates, self.min_lrs, strict=True)]
        return [new if old - new > self.eps else old for old, new in zip(rates, lowered, strict=True)]

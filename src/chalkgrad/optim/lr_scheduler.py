"""Schedules of the learning rate: long steps at first, to get there, and short ones at the end, to settle.

Call `scheduler.step()` once an epoch, after the optimizer's steps. As in PyTorch the next rate is computed from the
present one, so that several schedulers can act on one optimizer.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

from ..law.errors import nearest
from .optimizer import Optimizer

__all__ = ["CosineAnnealingLR", "LRScheduler", "StepLR"]

# What PyTorch saves beside: notes for its warnings.
NOTES = ("_get_lr_called_within_step", "_is_initial", "_step_count", "verbose")


class LRScheduler:
    """The base of all schedules: a subclass says in `get_lr` what the rate of each group is at `last_epoch`.

    last_epoch  the number of epochs that are over; -1 starts afresh, and any other number goes on from there, with
                the rates in the groups and the first rates, which groups of a resumed optimizer hold as `initial_lr`

    Raises TypeError if `optimizer` is none, ValueError if there is no `initial_lr` to go on from.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(self).__name__} schedules an Optimizer, but a {type(optimizer).__name__} came.")
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise ValueError(f"{type(self).__name__}: to go on after epoch {last_epoch}, group {i} needs its first "
                                 "rate as `initial_lr`. Load the optimizer's state first, or start with last_epoch=-1.")
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._is_initial = True
        self.step()
        self._is_initial = False

    def get_lr(self) -> list[float]:
        """Compute the rate of every group at `last_epoch`."""
        raise NotImplementedError(f"{type(self).__name__} has no get_lr, which says the rate of every group.")

    def step(self) -> None:
        """Go on to the next epoch, and set the rate of every group."""
        self.last_epoch += 1
        for group, lr in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = lr
        self._last_lr = self._lrs()

    def get_last_lr(self) -> list[float]:
        """Return the rates that the last step set, one for each group."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of all that the schedule knows, under PyTorch's names."""
        return copy.deepcopy({name: value for name, value in vars(self).items() if name != "optimizer"})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state; the rates themselves are in the optimizer's.

        Raises ValueError if it is the state of another schedule, and then changes nothing.
        """
        name, own = type(self).__name__, self.state_dict()
        for key in state_dict:
            if key not in own and key not in NOTES:
                raise ValueError(f"{name}: the state to load has `{key}`, which it does not. {nearest(key, own)}")
        missing = [key for key in own if key not in state_dict and key not in NOTES]
        if missing:
            raise ValueError(f"{name}: the state to load lacks `{', '.join(missing)}`.")
        ours, theirs = len(self.base_lrs), len(state_dict["base_lrs"])
        if ours != theirs:
            raise ValueError(f"{name}: the state to load is for {theirs} groups, but the optimizer has {ours}.")
        vars(self).update({key: copy.deepcopy(state_dict[key]) for key in own if key not in NOTES})

    def _lrs(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]


class StepLR(LRScheduler):
    """Multiply the rate by `gamma` every `step_size` epochs.

    >>> from chalkgrad import ones
    >>> from chalkgrad.optim import SGD
    >>> optimizer = SGD([ones(1, requires_grad=True)], lr=1.0)
    >>> scheduler = StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for epoch in range(5):
    ...     optimizer.step()
    ...     print(scheduler.get_last_lr()[0], end=" ")
    ...     scheduler.step()
    1.0 1.0 0.5 0.5 0.25
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size, self.gamma = _at_least_one("StepLR: step_size", step_size), gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of every group at `last_epoch`."""
        if self.last_epoch == 0 or self.last_epoch % self.step_size != 0:
            return self._lrs()
        return [lr * self.gamma for lr in self._lrs()]


class CosineAnnealingLR(LRScheduler):
    """Lower the rate along half a cosine, slowly at first and at the end, to `eta_min` after `T_max` epochs.

    Source: Loshchilov & Hutter 2017 (SGDR), equation 5, without restarts:
    η_t = η_min + ½ (η_max - η_min) (1 + cos(π t / T_max)).
    After T_max the rate goes up again, as the cosine does.

    >>> from chalkgrad import ones
    >>> from chalkgrad.optim import SGD
    >>> optimizer = SGD([ones(1, requires_grad=True)], lr=1.0)
    >>> scheduler = CosineAnnealingLR(optimizer, T_max=4)
    >>> for epoch in range(5):
    ...     optimizer.step()
    ...     print(round(scheduler.get_last_lr()[0], 3), end=" ")
    ...     scheduler.step()
    1.0 0.854 0.5 0.146 0.0
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max, self.eta_min = _at_least_one("CosineAnnealingLR: T_max", T_max), eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of every group at `last_epoch` from the rate before: (η_t - η_min) grows with 1 + cos."""
        if self._is_initial:
            return self._lrs()
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            # the rate before was η_min, of which no multiple leads up again
            rise = (1 - math.cos(math.pi / self.T_max)) / 2
            return [lr + (base - self.eta_min) * rise for lr, base in zip(self._lrs(), self.base_lrs, strict=True)]
        share = self._height(self.last_epoch) / self._height(self.last_epoch - 1)
        return [self.eta_min + (lr - self.eta_min) * share for lr in self._lrs()]

    def _height(self, t: int) -> float:
        return 1 + math.cos(math.pi * t / self.T_max)


def _at_least_one(what: str, value: int) -> int:
    """Return a number of epochs, or raise ValueError if it is none."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{what} is {value!r}, but a whole number of epochs, at least 1, was expected.")
    return value

"""What schedules that are made of schedules share."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from .plateau import ReduceLROnPlateau
from .scheduler import LRScheduler

__all__ = ["Several"]


class Several(LRScheduler):
    """A schedule that is made of other schedules of the same optimizer."""

    _schedulers: list[LRScheduler]

    def _take(self, schedulers: Sequence[Any], optimizer: Any) -> None:
        """Take schedules; raise TypeError or ValueError for what is none, needs a loss, or acts elsewhere."""
        name = type(self).__name__
        if not schedulers:
            raise ValueError(f"{name} got no schedulers, of which it would be made.")
        for i, scheduler in enumerate(schedulers):
            if not isinstance(scheduler, LRScheduler):
                raise TypeError(f"{name}: scheduler {i} is a {type(scheduler).__name__}, but an LRScheduler was "
                                "expected.")
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(f"{name}: scheduler {i} is ReduceLROnPlateau, whose step takes a loss, which is not "
                                 "handed on. Step it beside the others.")
            if scheduler.optimizer is not (optimizer or schedulers[0].optimizer):
                raise ValueError(f"{name}: scheduler {i}, {type(scheduler).__name__}, schedules another optimizer.")
        self.optimizer, self._schedulers = schedulers[0].optimizer, list(schedulers)

    def undo(self) -> None:
        """Take back the step that schedules make when they are made."""
        for scheduler in self._schedulers:
            if isinstance(scheduler, Several):
                scheduler.undo()
            else:
                scheduler.last_epoch -= 1

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of all that the schedules know, under PyTorch's names."""
        state = {name: value for name, value in vars(self).items() if name not in ("optimizer", "_schedulers")}
        return {**copy.deepcopy(state), "_schedulers": [scheduler.state_dict() for scheduler in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state. Raises ValueError if it is that of other schedules, and then changes nothing."""
        self._check_state(state_dict)
        for scheduler, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            scheduler.load_state_dict(state)
        known = vars(self).keys() - {"_schedulers"}
        vars(self).update({key: copy.deepcopy(value) for key, value in state_dict.items() if key in known})

    def _check_state(self, state_dict: Mapping[str, Any]) -> None:
        super()._check_state({key: value for key, value in state_dict.items() if key != "_step_count"})
        ours, theirs = len(self._schedulers), len(state_dict["_schedulers"])
        if ours != theirs:
            raise ValueError(f"{type(self).__name__}: the state to load is of {theirs} schedulers, but there are "
                             f"{ours}.")
        for scheduler, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            scheduler._check_state(state)

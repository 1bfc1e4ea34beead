"""LRScheduler: what all schedules share: the first rates, the epoch, and the rates that are set in the optimizer.

Call `scheduler.step()` once an epoch, after the optimizer's steps. As in PyTorch most schedules compute the next rate
from the present one, so that several can act on one optimizer.
"""

from __future__ import annotations

import copy
import types
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from ...engine.tape import no_grad
from ...engine.tensor import Tensor
from ...law.errors import nearest
from ..optimizer import Group, Optimizer

__all__ = ["LRScheduler", "at_least_one", "for_each_group", "rate_of"]

NOTES = ("_get_lr_called_within_step", "_is_initial", "verbose")  # what PyTorch saves for its warnings
UNSAVED = ("optimizer", "_versions")


class LRScheduler:
    """The base of all schedules: a subclass says in `get_lr` what the rate of each group is at `last_epoch`.

    last_epoch  the number of epochs that are over; -1 starts afresh, and any other number goes on from there, with
                the rates in the groups and the first rates, which groups of a resumed optimizer hold as `initial_lr`

    Raises TypeError if `optimizer` is none, ValueError if there is no `initial_lr` to go on from.
    """

    functions: ClassVar[tuple[str, ...]] = ()  # attributes that hold functions, which are not saved
    _get_lr_called_within_step: bool = False  # schedules that were written for PyTorch ask
    optimizer: Optimizer
    last_epoch: int

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = self.checked(optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", rate_of(group))
            elif "initial_lr" not in group:
                raise ValueError(f"{type(self).__name__}: to go on after epoch {last_epoch}, group {i} needs its first "
                                 "rate as `initial_lr`. Load the optimizer's state first, or start with last_epoch=-1.")
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._versions = self._count_changes()
        self.start()

    def get_lr(self) -> list[float]:
        """Compute the rate of every group at `last_epoch`, from the rates before."""
        raise NotImplementedError(f"{type(self).__name__} has no get_lr, which says the rate of every group.")

    def _get_closed_form_lr(self) -> list[float]:
        """Compute the rate of every group at `last_epoch` from the first rates alone."""
        return self.get_lr()

    def start(self) -> None:
        """Set the first rates."""
        self._step_count, self._is_initial = 0, True
        self.step()
        self._is_initial = False

    def restart(self) -> None:
        """Go back to epoch 0, and to the rates there."""
        self.last_epoch = 0
        self._set_from(self._get_closed_form_lr)

    def step(self) -> None:
        """Go on to the next epoch, and set the rate of every group."""
        if self._step_count == 1 and not self.optimizer._opt_called and self._versions == self._count_changes():
            warnings.warn(f"{type(self).__name__}.step() came before the first optimizer.step(), so that the first "
                          "rate is passed over. Step the optimizer first.", UserWarning, stacklevel=2)
        self.advance()

    def advance(self) -> None:
        """Go on to the next epoch without asking whether it is time."""
        self._step_count += 1
        self.last_epoch += 1
        self._set_from(self.get_lr)

    def _set_from(self, compute: Callable[[], Sequence[float]]) -> None:
        self._get_lr_called_within_step = True
        try:
            self.set(compute())
        finally:
            self._get_lr_called_within_step = False

    def set(self, rates: Sequence[float]) -> None:
        """Set the rate of every group; a rate that is a Tensor is changed in place."""
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            if isinstance(group["lr"], Tensor):
                with no_grad():
                    group["lr"].fill_(rate)
            else:
                group["lr"] = rate
        self._last_lr = self.rates()

    def rates(self) -> list[float]:
        """Return the rate of every group by now."""
        return [rate_of(group) for group in self.optimizer.param_groups]

    def get_last_lr(self) -> list[float]:
        """Return the rates that the last step set, one for each group."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of all that the schedule knows, under PyTorch's names.

        Of functions nothing is saved, of other callables their attributes.
        """
        state = {name: value for name, value in vars(self).items() if name not in UNSAVED}
        return copy.deepcopy(state | {name: _saved(state[name]) for name in self.functions})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state; the rates themselves are in the optimizer's.

        Raises ValueError if it is the state of another schedule, and then changes nothing.
        """
        self._check_state(state_dict)
        for name in self.functions:
            _restore(getattr(self, name), state_dict[name])
        known = {name for name in vars(self) if name not in (*UNSAVED, *NOTES, *self.functions)}
        vars(self).update({key: copy.deepcopy(value) for key, value in state_dict.items() if key in known})

    def _check_state(self, state_dict: Mapping[str, Any]) -> None:
        name, own = type(self).__name__, self.state_dict()
        for key in state_dict:
            if key not in own and key not in NOTES:
                raise ValueError(f"{name}: the state to load has `{key}`, which it does not. {nearest(key, own)}")
        missing = [key for key in own if key not in state_dict and key not in NOTES]
        if missing:
            raise ValueError(f"{name}: the state to load lacks `{', '.join(missing)}`.")
        ours, theirs = len(self.rates()), len(state_dict["_last_lr"])
        if ours != theirs:
            raise ValueError(f"{name}: the state to load is for {theirs} groups, but the optimizer has {ours}.")

    def _count_changes(self) -> list[int]:
        """Count how often each parameter was changed: a compiled step changes them without the optimizer's step."""
        return [param.version[0] for group in self.optimizer.param_groups for param in group["params"]]

    @classmethod
    def checked(cls, optimizer: Any) -> Optimizer:
        """Return an optimizer, or raise TypeError for what is none."""
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{cls.__name__} schedules an Optimizer, but a {type(optimizer).__name__} came.")
        return optimizer


def rate_of(group: Group) -> float:
    """Read the rate of a group, which may be a Tensor."""
    rate: float = group["lr"].data.item() if isinstance(group["lr"], Tensor) else group["lr"]
    return rate


def for_each_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """Return a list with a value for every group: one for all of them, or a list as it is; else raise ValueError."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [value] * groups
    if len(value) != groups:
        raise ValueError(f"{name} has {len(value)} values, but the optimizer has {groups} groups; give one for each, "
                         "or one for all.")
    return list(value)


def at_least_one(what: str, value: int, least: int = 1) -> int:
    """Return a number of epochs, or raise ValueError if it is none."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{what} is {value!r}, but a whole number of epochs, at least {least}, was expected.")
    return value


def _saved(functions: Any) -> Any:
    if isinstance(functions, list):
        return [_saved(function) for function in functions]
    plain = isinstance(functions, types.FunctionType) or not hasattr(functions, "__dict__")
    return None if plain else dict(vars(functions))


def _restore(functions: Any, saved: Any) -> None:
    if isinstance(functions, list):
        for function, attributes in zip(functions, saved, strict=True):
            _restore(function, attributes)
    elif saved is not None:
        vars(functions).update(copy.deepcopy(saved))

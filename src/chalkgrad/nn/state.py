"""Loading a state: values go into tensors by name, and everything is checked before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..engine.tape import no_grad
from ..engine.tensor import Tensor, wrap
from .parameter import Parameter, Uninitialized

__all__ = ["IncompatibleKeys", "load"]


class IncompatibleKeys(NamedTuple):
    """The names that no value was found for, and those that there was no use for."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def load(targets: dict[str, Tensor], state: Mapping[str, Any], *, strict: bool, assign: bool) -> IncompatibleKeys:
    """Copy values, Tensors or arrays, into the tensors of the same names; with `assign`, let these take them over.

    Raises RuntimeError, with all that does not fit; with `strict` a name that only one side has does not fit either.

    >>> weight = Parameter(np.zeros(2))
    >>> load({"weight": weight}, {"weight": np.ones(3), "wait": np.ones(2)}, strict=True, assign=False)
    Traceback (most recent call last):
    RuntimeError: The state does not fit, so nothing was changed:
      weight: the shape is (3,), but (2,) is expected
      wait: this name is not known here
    """
    missing = [name for name in targets if name not in state]
    unexpected = [name for name in state if name not in targets]
    values = {name: _readable(state[name]) for name in targets if name in state}
    problems = [problem for name, value in values.items() for problem in _problems(name, targets[name], value, assign)]
    if strict:
        problems += [f"{name}: there is no value for it" for name in missing]
        problems += [f"{name}: this name is not known here" for name in unexpected]
    if problems:
        raise RuntimeError("\n  ".join(["The state does not fit, so nothing was changed:", *problems]))
    for name, value in values.items():
        target = targets[name]
        if isinstance(value, Uninitialized):  # then so is the target, and stays it
            continue
        if isinstance(target, Uninitialized):
            target.materialize(value.shape)
        (_take_over if assign else _copy)(target, value)
    return IncompatibleKeys(missing, unexpected)


def _readable(value: Any) -> Any:
    """Return what has a shape and a dtype: a Tensor as it is, and the array of another library as NumPy's."""
    return value if isinstance(value, Tensor) else np.asarray(value)


def _problems(name: str, target: Tensor, value: Any, assign: bool) -> list[str]:
    lazy = isinstance(target, Uninitialized)
    if isinstance(value, Uninitialized):
        return [] if lazy else [f"{name}: the value has no shape and no numbers yet"]
    problems = []
    if not lazy and value.shape != target.shape:
        problems.append(f"{name}: the shape is {value.shape}, but {target.shape} is expected")
    fits = value.dtype.kind == target.dtype.kind if assign else np.can_cast(value.dtype, target.dtype, "same_kind")
    if not fits:
        problems.append(f"{name}: the numbers are {value.dtype}, but {target.dtype} is expected")
    if not assign and not lazy and not target.data.flags.writeable:
        problems.append(f"{name}: the array it is to be copied into is read-only; load with assign=True")
    return problems


def _copy(target: Tensor, value: Any) -> None:
    with no_grad():
        target.become(value if isinstance(value, Tensor) else wrap(value, None))


def _take_over(target: Tensor, value: Any) -> None:
    """Let a tensor live in the memory of the value; whoever holds the tensor, such as a second module, sees it too."""
    shared = Parameter(value, requires_grad=False)  # copies if the memory cannot be written to
    target.data, target.version, target.grad = shared.data, shared.version, None

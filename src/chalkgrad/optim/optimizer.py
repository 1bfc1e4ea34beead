"""Optimizer: what all algorithms share: parameters in groups, options for each group, a state for each parameter.

An algorithm is a subclass: it names its options and its state, and updates one parameter by an update rule.
"""

from __future__ import annotations

import copy
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from ..engine.tape import enable_grad
from ..engine.tensor import Tensor, wrap
from ..law.errors import nearest
from ..ops.constant import zeros, zeros_like

__all__ = ["Group", "Optimizer", "Params"]

Group = dict[str, Any]
Params = Iterable[Tensor] | Iterable[tuple[str, Tensor]] | Iterable[Group]
# PyTorch's choices among its kernels. Here there is one way to compute a step, and the update rule shows it.
KERNELS = ("capturable", "differentiable", "foreach", "fused")
# What a group may hold beside options: a `name` is for whoever reads the groups, and schedules keep notes of their own.
LABELS = ("name", "param_names", "params")
NOTES = ("base_momentum", "initial_lr", "max_lr", "max_momentum", "min_lr", "swa_lr")
PLAIN = frozenset({bool, float, int, str, tuple, type(None)})  # what an option usually is, and may stay


class Optimizer:
    """The base of all optimizers.

    params    Tensors, pairs (name, Tensor), or dicts: groups with a list `params` and options of their own
    defaults  the options of groups that do not say otherwise
    others    options that PyTorch would take, and that are refused here unless they are unset

    param_groups  a list of dicts; change an option there, and it holds from the next step
    state         what the algorithm remembers of each parameter, under PyTorch's names

    Raises TypeError or ValueError for no parameters, one that came twice, a tensor that operations have made (only
    leaves keep a gradient), an option that is not known, or one that cannot be.

    >>> from chalkgrad import ones
    >>> from chalkgrad.optim import SGD
    >>> weight, bias = ones(2, requires_grad=True), ones(1, requires_grad=True)
    >>> optimizer = SGD([{"params": [weight], "lr": 0.5}, {"params": [bias]}], lr=0.25)
    >>> (weight.sum() + bias.sum()).backward()
    >>> optimizer.step()
    >>> weight.tolist(), bias.tolist()
    ([0.5, 0.5], [0.75])
    """

    scalars: ClassVar[tuple[str, ...]] = ("step",)  # what in the state is one number for a whole parameter

    def __init__(self, params: Params, defaults: Group, others: Group | None = None) -> None:
        self.defaults = defaults
        self.refuse(others or {})
        self.param_groups: list[Group] = []
        self.state: defaultdict[Tensor, dict[str, Tensor]] = defaultdict(dict)
        self._opt_called = False  # whether there was a step; schedulers ask
        entries = self._listed(params)
        if not entries:
            raise ValueError(f"{self._name} got no parameters. Was model.parameters() read once already?")
        for group in entries if isinstance(entries[0], Mapping) else [{"params": entries}]:
            self.add_param_group(group)

    # What an algorithm says for itself

    def check(self, group: Group) -> None:
        """Raise ValueError for an option that cannot be."""

    def state_names(self, group: Group, param: Tensor) -> list[str]:
        """Name what a parameter of this group has in `state` once it has been updated."""
        return []

    def start(self, name: str, param: Tensor, group: Group) -> Tensor:
        """Make what `name` in the state of a parameter is before its first update."""
        start: Tensor = zeros() if name in self.scalars else zeros_like(param)
        return start

    def update(self, param: Tensor, grad: Tensor, options: Group) -> None:
        """Update one parameter by the algorithm's rule."""
        raise NotImplementedError(f"{self._name} has no update, which says how one parameter changes.")

    def memory(self, param: Tensor, group: Group) -> dict[str, Tensor]:
        """Return the state of a parameter; what it lacks is started."""
        state = self.state[param]
        for name in self.state_names(group, param):
            if name not in state:
                state[name] = self.start(name, param, group)
        return state

    # What everybody calls

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        closure  computes the loss and its gradients anew; the step returns the loss
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group in self.param_groups:
            for param in group["params"]:
                self._check_gradient(param)  # of all, before any is changed
        self._opt_called = True
        for group in self.param_groups:
            options = {k: v if type(v := group[k]) in PLAIN else _number(v) for k in self.defaults}
            for param in group["params"]:
                if param.grad is not None:
                    self.update(param, param.grad, options)
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or set them to zero."""
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is not None:
                    param.grad = None if set_to_none else param.grad.detach().zero_()

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Add parameters with options of their own: {"params": [...], "lr": 0.01}."""
        if not isinstance(param_group, Mapping) or "params" not in param_group:
            raise TypeError(f"{self._name} takes a group as a dict with `params`, but got {param_group!r:.60}.")
        given = param_group["params"]
        entries = [given] if isinstance(given, Tensor) else self._listed(given)
        named = [entry for entry in entries if isinstance(entry, tuple) and len(entry) == 2]
        if named and len(named) < len(entries):
            raise ValueError(f"{self._name}: some parameters of a group have names, others do not; name all or none.")
        params = [entry[1] for entry in named] if named else entries
        if self.param_groups and bool(named) != ("param_names" in self.param_groups[0]):
            raise ValueError(f"{self._name}: the parameters of some groups have names, those of others do not; name "
                             "all or none.")
        self._check_params(params)
        names = {"param_names": [entry[0] for entry in named]} if named else {}
        self.param_groups.append(self._complete({**param_group, **names}, params))

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of the state and the options, in PyTorch's layout: parameters are numbered in order.

        >>> from chalkgrad import ones
        >>> from chalkgrad.optim import SGD
        >>> SGD([ones(2, requires_grad=True)], lr=0.1).state_dict()["param_groups"][0]["params"]
        [0]
        """
        number = {param: i for i, param in enumerate(self._params())}
        state = {number[param]: values for param, values in self.state.items()}
        groups = [{**group, "params": [number[param] for param in group["params"]]} for group in self.param_groups]
        return copy.deepcopy({"state": state, "param_groups": groups})

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the state and the options of `state_dict`, ours or PyTorch's; arrays may stand for Tensors.

        Raises ValueError if it does not fit these parameters or this algorithm, and then changes nothing.
        """
        missing = [key for key in ("state", "param_groups") if key not in state_dict]
        if missing:
            raise ValueError(f"{self._name}: the state to load lacks `{', '.join(missing)}`.")
        groups = self._read_groups(state_dict["param_groups"])
        state = self._read_state(state_dict, groups)
        self.param_groups, self.state = groups, state

    def __repr__(self) -> str:
        lines = [f"{self._name} ("]
        for i, group in enumerate(self.param_groups):
            lines += [f"Parameter Group {i}", *(f"    {k}: {group[k]}" for k in sorted(group) if k != "params"), ""]
        return "\n".join([*lines[:-1], ")"])

    # What keeps it right

    @property
    def _name(self) -> str:
        return type(self).__name__

    def _params(self) -> list[Tensor]:
        return [param for group in self.param_groups for param in group["params"]]

    def _listed(self, params: Any) -> list[Any]:
        if isinstance(params, set):
            raise TypeError(f"{self._name}: a set has no order, and the state is saved in order; give a list.")
        if isinstance(params, Tensor | Mapping | str) or not isinstance(params, Iterable):
            raise TypeError(f"{self._name} takes a list of Tensors or of dicts, such as model.parameters(), but got a "
                            f"{type(params).__name__}.")
        return list(params)

    def _check_params(self, params: list[Any]) -> None:
        seen = set(self._params())
        for i, param in enumerate(params):
            if not isinstance(param, Tensor):
                raise TypeError(f"{self._name} changes Tensors, but parameter {i} is a {type(param).__name__}. "
                                "Give model.parameters().")
            if not param.is_leaf:
                raise ValueError(f"{self._name}: parameter {i} was made by an operation, and only leaves keep a "
                                 "gradient. Give the tensors that it was made from, or detach it: x.detach().")
            if param in seen:
                raise ValueError(f"{self._name}: parameter {i}, of shape {param.shape}, came twice, and would be "
                                 "updated twice a step.")
            seen.add(param)

    def _check_gradient(self, param: Tensor) -> None:
        grad = param.grad
        if grad is not None and (not isinstance(grad, Tensor) or grad.shape != param.shape):
            raise ValueError(f"{self._name}: a parameter of shape {param.shape} has the gradient {grad!r:.60}; it must "
                             "be a Tensor of the same shape.")

    def _complete(self, group: Mapping[str, Any], params: list[Tensor]) -> Group:
        """Check a group, and give it the options that it does not name."""
        known = {k: v for k, v in group.items() if k in self.defaults or k in LABELS or k in NOTES}
        self.refuse({k: v for k, v in group.items() if k not in known})
        complete = {**self.defaults, **known, "params": params}
        self.check(complete)
        return complete

    def refuse(self, others: Group) -> None:
        """Raise TypeError for options that are not known; what chooses among PyTorch's kernels may be unset."""
        for name, value in others.items():
            if name not in KERNELS:
                raise TypeError(f"{self._name} has no option `{name}`. {nearest(name, self.defaults)}")
            if value:
                raise TypeError(f"{self._name}: {name}={value!r} chooses a kernel of PyTorch's, and there is only one "
                                "way to compute a step here. Leave it out.")

    def require(self, name: str, value: Any, below: float = math.inf, most: float = math.inf) -> None:
        """Raise ValueError for an option that is not a number of at least 0, below a bound, and at most another.

        A learning rate may be a Tensor of one element, which is read at every step.
        """
        if name == "lr" and isinstance(value, Tensor) and value.data.size == 1:
            value = _number(value)
        number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
        if not number or not (0 <= value < below and value <= most):
            bound = f" and below {below}" if below < math.inf else f" and at most {most}" if most < math.inf else ""
            raise ValueError(f"{self._name}: {name} is {value!r}, but a number of at least 0{bound} was expected.")

    def pair(self, name: str, value: Any) -> tuple[float, float]:
        """Return an option that is a pair of numbers of at least 0, or raise ValueError."""
        if not isinstance(value, tuple | list) or len(value) != 2:
            raise ValueError(f"{self._name}: {name} is {value!r}, but a pair of numbers was expected.")
        for i, number in enumerate(value):
            self.require(f"{name}[{i}]", number)
        return float(value[0]), float(value[1])

    def _read_groups(self, saved: list[Group]) -> list[Group]:
        ours, theirs = ([len(group["params"]) for group in groups] for groups in (self.param_groups, saved))
        if ours != theirs:
            raise ValueError(f"{self._name} has groups of {ours} parameters, but the state to load has {theirs}.")
        groups = []
        for group, other in zip(self.param_groups, saved, strict=True):
            names = {"param_names": group["param_names"]} if "param_names" in group else {}
            options = {k: v for k, v in other.items() if k != "param_names"}
            groups.append(self._complete({**options, **names}, group["params"]))
        return groups

    def _read_state(
        self, saved: Mapping[str, Any], groups: list[Group]
    ) -> defaultdict[Tensor, dict[str, Tensor]]:
        state: defaultdict[Tensor, dict[str, Tensor]] = defaultdict(dict)
        numbers = [number for group in saved["param_groups"] for number in group["params"]]
        owners = [(param, group) for group in groups for param in group["params"]]
        known = dict(zip(numbers, owners, strict=True))
        for number, values in saved["state"].items():
            if number not in known:
                raise ValueError(f"{self._name}: the state to load speaks of parameter {number}, which is in no group.")
            param, group = known[number]
            present = {name: value for name, value in values.items() if value is not None}
            missing = [name for name in self.state_names(group, param) if present and name not in present]
            if missing:
                raise ValueError(f"{self._name}: the state to load lacks `{', '.join(missing)}` of parameter {number}.")
            for name, value in present.items():
                state[param][name] = self._read(number, name, value, self.start(name, param, group))
        return state

    def _read(self, number: Any, name: str, value: Any, like: Tensor) -> Tensor:
        """Copy one value of the state, which has the shape and the dtype that it would start with."""
        array = np.asarray(value.data if isinstance(value, Tensor) else value).astype(like.dtype)
        if array.shape != like.shape:
            raise ValueError(f"{self._name}: `{name}` of parameter {number} has shape {array.shape} in the state to "
                             f"load, but {like.shape} was expected.")
        return wrap(array, None)


def _number(value: Any) -> Any:
    """Take the number out of a Tensor or a NumPy scalar, which would drag float32 arrays along to float64."""
    if isinstance(value, Tensor):
        return value.data.item()
    return value.item() if isinstance(value, np.generic) else value

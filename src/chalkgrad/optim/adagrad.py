"""Adagrad: the more a parameter has been told, the shorter are its steps.

Features that come rarely, such as rare words, are worth long steps when they come; frequent ones are known already.
Each parameter divides its learning rate by the root of all its squared gradients so far, which never shrinks again
(Duchi, Hazan & Singer 2011).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..ops.constant import full_like
from ..ops.update import update_rule
from .optimizer import Group, Optimizer, Params

__all__ = ["Adagrad", "adagrad"]


@update_rule
def adagrad(param, grad, total, t, *, lr, lr_decay=0, eps=1e-10, weight_decay=0, maximize=False):
    """Divide the gradient by the root of the sum of all squares so far: θ ← θ - lr · g / (√Σ g² + ε).

    total  the sum of g²
    t      the number of steps, an array without axes

    With lr_decay the learning rate is lr / (1 + (t - 1) · lr_decay). Weight decay adds the gradient of
    ½ weight_decay · |θ|² to g.

    Source: Duchi, Hazan & Singer 2011, figure 1, with a diagonal matrix; the decay is PyTorch's.

    >>> from chalkgrad import tensor, zeros
    >>> param, total, t = zeros(1), zeros(1), zeros()
    >>> for g in [3.0, 4.0]:
    ...     adagrad(param, tensor([g]), total, t, lr=0.5)
    >>> total, param  # -0.5 · 3/3 - 0.5 · 4/5
    (tensor([25.]), tensor([-0.9]))
    """
    g = -grad if maximize else grad
    if weight_decay != 0:
        g = g + weight_decay * param
    t += 1
    total += g * g
    size = np.sqrt(total)
    size += eps
    rate = lr / (1 + (float(t) - 1) * lr_decay)
    param -= rate * g / size


class Adagrad(Optimizer):
    """A learning rate for each parameter that falls as it learns, with PyTorch's options.

    lr            about the length of the first step
    lr_decay      lets the learning rate fall with the steps as well: lr / (1 + (t - 1) · lr_decay)
    weight_decay  pulls parameters towards 0, as a penalty would
    initial_accumulator_value  where the sum of squares starts
    eps           keeps the step finite where the gradient has been zero
    maximize      go uphill

    State: `step` (t), and `sum` of the squared gradients.

    >>> from chalkgrad import tensor
    >>> x = tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = Adagrad([x], lr=0.25)
    >>> (tensor([1000.0, 0.001]) * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.75, 0.75], requires_grad=True)

    >>> from chalkgrad.optim.rosenbrock import rosenbrock_path
    >>> rosenbrock_path(Adagrad, 200, lr=0.5)[::100].round(2).tolist()
    [[-1.5, 2.0], [-1.35, 1.83], [-1.27, 1.61]]
    """

    def __init__(
        self, params: Params, lr: float = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
        initial_accumulator_value: float = 0, eps: float = 1e-10, *, maximize: bool = False, **others: Any,
    ) -> None:
        options = {"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
                   "initial_accumulator_value": initial_accumulator_value, "maximize": maximize}
        super().__init__(params, options, others)

    def check(self, group: Group) -> None:
        """Raise ValueError for an option that cannot be."""
        for name in ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"):
            self.require(name, group[name])

    def state_names(self, group: Group, param: Tensor) -> list[str]:
        """Name what a parameter of this group has in `state` once it has been updated."""
        return ["step", "sum"]

    def start(self, name: str, param: Tensor, group: Group) -> Tensor:
        """Make what `name` in the state of a parameter is before its first update."""
        start = group["initial_accumulator_value"]
        return full_like(param, start) if name == "sum" else super().start(name, param, group)

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Add parameters with options of their own; as in PyTorch their state is there before the first step."""
        super().add_param_group(param_group)
        for param in self.param_groups[-1]["params"]:
            self.memory(param, self.param_groups[-1])

    def update(self, param: Tensor, grad: Tensor, options: Group) -> None:
        """Update one parameter."""
        state = self.memory(param, options)
        rest = {name: options[name] for name in ("lr", "lr_decay", "eps", "weight_decay", "maximize")}
        adagrad(param, grad, state["sum"], state["step"], **rest)

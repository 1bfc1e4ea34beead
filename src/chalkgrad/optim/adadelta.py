"""Adadelta: steps in the units of the parameter, so that there is no learning rate to choose.

A gradient has the units of the loss over those of the parameter, and so a step along it has the wrong ones. Adadelta
divides by the root mean square of the gradients and multiplies by that of its own steps so far (Zeiler 2012).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..ops.update import update_rule
from .optimizer import Group, Optimizer, Params

__all__ = ["Adadelta", "adadelta"]


@update_rule
def adadelta(param, grad, v, d, t, *, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0, maximize=False):
    """Step by the gradient, times the usual size of a step over that of a gradient: Δθ = √(d + ε) / √(v + ε) · g.

    v, d  running means of g² and of Δθ², zeros at first
    t     the number of steps, an array without axes

    ε is what starts it: as long as there was no step, d = 0.

    Source: Zeiler 2012, Algorithm 1, which has no lr: it is 1 there. Weight decay adds the gradient of
    ½ weight_decay · |θ|² to g.

    >>> from chalkgrad import tensor, zeros
    >>> param, v, d = zeros(2), zeros(2), zeros(2)
    >>> adadelta(param, tensor([1000.0, 0.1]), v, d, zeros(), rho=0.75, eps=1e-6)
    >>> param  # √ε / √(1 - ρ), whatever the gradient
    tensor([-0.002, -0.002])
    """
    g = -grad if maximize else grad
    if weight_decay != 0:
        g = g + weight_decay * param
    t += 1
    v *= rho
    v += (1 - rho) * g * g
    step = np.sqrt(d + eps)
    step /= np.sqrt(v + eps)
    step *= g
    d *= rho
    d += (1 - rho) * step * step
    param -= lr * step


class Adadelta(Optimizer):
    """Steps in the units of the parameters, with PyTorch's options.

    lr            scales the steps; the paper has none
    rho           how much of the running means is kept at each step
    eps           the square of what the first steps are about as long as
    weight_decay  pulls parameters towards 0, as a penalty would
    maximize      go uphill

    State: `step` (t), `square_avg` (v), `acc_delta` (d).

    >>> from chalkgrad.optim.rosenbrock import rosenbrock_path
    >>> rosenbrock_path(Adadelta, 200, lr=10.0)[::100].round(2).tolist()
    [[-1.5, 2.0], [-1.31, 1.61], [-1.11, 1.17]]
    """

    def __init__(
        self, params: Params, lr: float = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0, *,
        maximize: bool = False, **others: Any,
    ) -> None:
        options = {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(params, options, others)

    def check(self, group: Group) -> None:
        """Raise ValueError for an option that cannot be."""
        for name in ("lr", "eps", "weight_decay"):
            self.require(name, group[name])
        self.require("rho", group["rho"], most=1)

    def state_names(self, group: Group, param: Tensor) -> list[str]:
        """Name what a parameter of this group has in `state` once it has been updated."""
        return ["step", "square_avg", "acc_delta"]

    def update(self, param: Tensor, grad: Tensor, options: Group) -> None:
        """Update one parameter."""
        state = self.memory(param, options)
        adadelta(param, grad, state["square_avg"], state["acc_delta"], state["step"], **options)

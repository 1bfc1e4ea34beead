"""ASGD: gradient descent that also keeps the mean of where it has been.

Near the minimum the steps of SGD go to and fro around it, and the mean of the points lies nearer to it than any of them
(Polyak & Juditsky 1992). The mean is in the optimizer's state; the parameters themselves are those of SGD.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ..engine.tensor import Tensor
from ..ops.constant import full, ones
from ..ops.update import update_rule
from .optimizer import Group, Optimizer, Params

__all__ = ["ASGD", "asgd"]


@update_rule
def asgd(
    param, grad, ax, mu, eta, t, *, lr, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0, maximize=False
):
    """Step down, and average the points: θ ← (1 - λ η) θ - η g, and θ̄ ← θ̄ + μ (θ - θ̄).

    ax   the mean θ̄, zeros at first
    mu   the weight of the newest point, a one at first,
    eta  the learning rate of this step, lr at first, and
    t    the number of steps: arrays without axes

    ηₜ = lr / (1 + λ lr t)^α falls slowly, and μₜ = 1 / max(1, t - t₀): until step t₀ the mean is the point itself.

    Source: Polyak & Juditsky 1992 for the mean; Xu 2011 for the rates, with α = ¾. λ is a decay that belongs to the
    algorithm; weight decay adds the gradient of ½ weight_decay · |θ|² to g as elsewhere.

    >>> from chalkgrad import ones, tensor, zeros
    >>> param, ax, mu, eta, t = tensor([1.0]), zeros(1), ones(()), tensor(0.5), zeros()
    >>> for g in [4.0, -4.0, 4.0, -4.0]:
    ...     asgd(param, tensor([g]), ax, mu, eta, t, lr=0.5, lambd=0.0, t0=0)
    ...     print(param.item(), ax.item())
    -1.0 -1.0
    1.0 1.0
    -1.0 0.0
    1.0 0.3333333432674408
    """
    g = -grad if maximize else grad
    if weight_decay != 0:
        g = g + weight_decay * param
    t += 1
    param *= 1 - lambd * float(eta)
    param -= float(eta) * g
    ax *= 1 - float(mu)
    ax += float(mu) * param
    eta[...] = lr / (1 + lambd * lr * float(t)) ** alpha
    mu[...] = 1 / np.maximum(float(t) - t0, 1)


class ASGD(Optimizer):
    """Averaged stochastic gradient descent, with PyTorch's options.

    lr            how far to step at first, in units of the gradient
    lambd         λ: how fast the learning rate falls, and how much a parameter decays
    alpha         the power by which the learning rate falls
    t0            the step after which points are averaged
    weight_decay  pulls parameters towards 0, as a penalty would
    maximize      go uphill

    State: `step` (t), `eta`, `mu`, `ax` (the mean).

    >>> from chalkgrad.optim.rosenbrock import rosenbrock_path
    >>> rosenbrock_path(ASGD, 200, lr=0.001)[::100].round(2).tolist()
    [[-1.5, 2.0], [-1.36, 1.87], [-1.31, 1.71]]
    """

    scalars: ClassVar[tuple[str, ...]] = ("step", "eta", "mu")

    def __init__(
        self, params: Params, lr: float = 1e-2, lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6,
        weight_decay: float = 0, *, maximize: bool = False, **others: Any,
    ) -> None:
        options = {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay,
                   "maximize": maximize}
        super().__init__(params, options, others)

    def check(self, group: Group) -> None:
        """Raise ValueError for an option that cannot be."""
        for name in ("lr", "lambd", "alpha", "t0", "weight_decay"):
            self.require(name, group[name])

    def state_names(self, group: Group, param: Tensor) -> list[str]:
        """Name what a parameter of this group has in `state` once it has been updated."""
        return ["step", "eta", "mu", "ax"]

    def start(self, name: str, param: Tensor, group: Group) -> Tensor:
        """Make what `name` in the state of a parameter is before its first update."""
        if name == "step" or name == "ax":
            return super().start(name, param, group)
        start: Tensor = ones(()) if name == "mu" else full((), float(group["lr"]))
        return start

    def update(self, param: Tensor, grad: Tensor, options: Group) -> None:
        """Update one parameter."""
        state = self.memory(param, options)
        asgd(param, grad, state["ax"], state["mu"], state["eta"], state["step"], **options)

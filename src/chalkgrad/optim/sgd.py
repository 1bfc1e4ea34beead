"""SGD: go downhill, a step against the gradient of a batch; with momentum, go on in the direction of before.

The gradient of a few examples is a noisy estimate of the whole (Robbins & Monro 1951). Momentum averages the noise out
and gathers speed along a valley, where the gradients agree (Polyak 1964).
"""

from __future__ import annotations

from typing import Any

from ..engine.tensor import Tensor
from ..ops.constant import zeros_like
from ..ops.update import update_rule
from .optimizer import Group, Optimizer, Params

__all__ = ["SGD", "momentum", "sgd"]


@update_rule
def sgd(param, grad, *, lr, weight_decay=0, maximize=False):
    """Step against the gradient: θ ← θ - lr · g.

    Source: Robbins & Monro 1951. Weight decay adds the gradient of ½ weight_decay · |θ|² to g.

    >>> from chalkgrad import tensor
    >>> param = tensor([1.0, 2.0])
    >>> sgd(param, tensor([2.0, -4.0]), lr=0.25)
    >>> param
    tensor([0.5, 3. ])
    """
    g = -grad if maximize else grad
    if weight_decay != 0:
        g = g + weight_decay * param
    param -= lr * g


@update_rule
def momentum(param, grad, velocity, *, lr, mu, dampening=0, weight_decay=0, nesterov=False, maximize=False):
    """Gather speed: u ← μ u + g, and θ ← θ - lr · u.

    Source: Polyak 1964; Sutskever et al. 2013, equations 1 and 2. As in PyTorch the learning rate multiplies the
    velocity and is no part of it; in the papers, v ← μ v - lr · g and θ ← θ + v. While the learning rate stays the
    same, v = -lr · u, and both take the same steps:

    >>> from chalkgrad import tensor
    >>> param, velocity = tensor([1.0]), tensor([0.0])
    >>> theta, v = 1.0, 0.0
    >>> for _ in range(4):  # down the parabola x², whose slope is 2x
    ...     momentum(param, 2 * param, velocity, lr=0.25, mu=0.5)
    ...     v = 0.5 * v - 0.25 * (2 * theta)
    ...     theta = theta + v
    >>> param.item(), theta
    (-0.25, -0.25)

    With `nesterov` the step is θ ← θ - lr · (g + μ u). This is equations 3 and 4, which take the slope where the
    velocity leads, at θ + μ v; here that point is the parameter:

    >>> param, velocity = tensor([1.0]), tensor([0.0])
    >>> theta, v = 1.0, 0.0
    >>> for _ in range(4):
    ...     momentum(param, 2 * param, velocity, lr=0.25, mu=0.5, nesterov=True)
    ...     v = 0.5 * v - 0.25 * (2 * (theta + 0.5 * v))
    ...     theta = theta + v
    >>> param.item(), theta + 0.5 * v
    (-0.06640625, -0.06640625)
    """
    g = -grad if maximize else grad
    if weight_decay != 0:
        g = g + weight_decay * param
    velocity *= mu
    if dampening == 0:
        velocity += g
    else:
        velocity += (1 - dampening) * g
    if nesterov:
        param -= lr * (g + mu * velocity)
    else:
        param -= lr * velocity


class SGD(Optimizer):
    """Stochastic gradient descent, with PyTorch's options.

    lr            how far to step, in units of the gradient
    momentum      the share of its velocity that a parameter keeps, 0 ≤ μ < 1 in practice
    dampening     the share of the gradient that the velocity does not take; the first gradient it takes whole
    weight_decay  pulls parameters towards 0, as a penalty of ½ weight_decay · |θ|² would
    nesterov      look ahead; needs a momentum and no dampening
    maximize      go uphill

    State: `momentum_buffer`, the velocity, if there is a momentum.

    >>> from chalkgrad import tensor
    >>> x = tensor(3.0, requires_grad=True)
    >>> optimizer = SGD([x], lr=0.25)
    >>> for _ in range(3):
    ...     optimizer.zero_grad()
    ...     (x ** 2).backward()
    ...     optimizer.step()
    >>> x.item()  # each step halves it: x - 0.25 · 2x
    0.375

    >>> from chalkgrad.optim.rosenbrock import rosenbrock_path
    >>> rosenbrock_path(SGD, 200, lr=0.001, momentum=0.9)[::100].round(2).tolist()
    [[-1.5, 2.0], [-0.59, 0.35], [0.63, 0.4]]
    """

    def __init__(
        self, params: Params, lr: float = 1e-3, momentum: float = 0, dampening: float = 0, weight_decay: float = 0,
        nesterov: bool = False, *, maximize: bool = False, **others: Any,
    ) -> None:
        options = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
                   "nesterov": nesterov, "maximize": maximize}
        super().__init__(params, options, others)

    def check(self, group: Group) -> None:
        """Raise ValueError for an option that cannot be."""
        for name in ("lr", "momentum", "dampening", "weight_decay"):
            self.require(name, group[name])
        if group["nesterov"] and (group["momentum"] == 0 or group["dampening"] != 0):
            raise ValueError("SGD: nesterov needs a momentum above 0 and no dampening, but they are "
                             f"{group['momentum']} and {group['dampening']}.")

    def state_names(self, group: Group, param: Tensor) -> list[str]:
        """Name what a parameter of this group has in `state` once it has been updated."""
        return ["momentum_buffer"] if group["momentum"] != 0 else []

    def update(self, param: Tensor, grad: Tensor, options: Group) -> None:
        """Update one parameter."""
        rest = {name: options[name] for name in ("lr", "weight_decay", "maximize")}
        if options["momentum"] == 0:
            sgd(param, grad, **rest)
            return
        state, dampening = self.state[param], options["dampening"]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = zeros_like(param)
            dampening = 0.0  # there is no velocity yet that the first gradient could be weighed against
        momentum(param, grad, state["momentum_buffer"], mu=options["momentum"], dampening=dampening,
                 nesterov=options["nesterov"], **rest)

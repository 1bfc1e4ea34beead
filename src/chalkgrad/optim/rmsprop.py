"""RMSprop: step by the gradient over its usual size, so that every parameter has its own pace.

It made Rprop, which looks at nothing but signs, fit for mini-batches: the size to divide by has to change slowly from
one batch to the next (Tieleman & Hinton 2012). With a mean of the gradients in place of the gradient, it is Adam.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..ops.update import update_rule
from .optimizer import Group, Optimizer, Params

__all__ = ["RMSprop", "rmsprop", "rmsprop_centered", "rmsprop_centered_momentum", "rmsprop_momentum"]


@update_rule
def rmsprop(param, grad, v, t, *, lr, alpha=0.99, eps=1e-8, weight_decay=0, maximize=False):
    """Divide the gradient by its root mean square: θ ← θ - lr · g / (√v + ε).

    v  the running mean of g², zeros at first
    t  the number of steps, an array without axes

    Source: Tieleman & Hinton 2012, lecture 6e, where α is 0.9. As in PyTorch v is not corrected for its start at zero:
    the first step is 1/√(1 - α) = 10 times as long as lr. Weight decay adds the gradient of ½ weight_decay · |θ|² to g.

    >>> from chalkgrad import tensor, zeros
    >>> param = tensor([1.0, 1.0])
    >>> rmsprop(param, tensor([1000.0, 0.001]), zeros(2), zeros(), lr=0.0625, alpha=0.75)
    >>> param  # the gradients differ a million times, the steps of 2 lr do not
    tensor([0.875, 0.875])
    """
    g = -grad if maximize else grad
    if weight_decay != 0:
        g = g + weight_decay * param
    t += 1
    v *= alpha
    v += (1 - alpha) * g * g
    size = np.sqrt(v)
    size += eps
    param -= lr * g / size


@update_rule
def rmsprop_momentum(param, grad, v, velocity, t, *, lr, mu, alpha=0.99, eps=1e-8, weight_decay=0, maximize=False):
    """Gather speed in what RMSprop would step by: u ← μ u + g / (√v + ε), and θ ← θ - lr · u.

    v, velocity  the running mean of g², and u, zeros at first
    t            the number of steps, an array without axes

    Source: Tieleman & Hinton 2012, lecture 6e, which says that the momentum helps less than it usually does.

    >>> from chalkgrad import tensor, zeros
    >>> param, v, velocity, t = zeros(1), zeros(1), zeros(1), zeros()
    >>> for _ in range(2):
    ...     rmsprop_momentum(param, tensor([2.0]), v, velocity, t, lr=0.5, mu=0.5, alpha=0.0)
    >>> velocity, param
    (tensor([1.5]), tensor([-1.25]))
    """
    g = -grad if maximize else grad
    if weight_decay != 0:
        g = g + weight_decay * param
    t += 1
    v *= alpha
    v += (1 - alpha) * g * g
    size = np.sqrt(v)
    size += eps
    velocity *= mu
    velocity += g / size
    param -= lr * velocity


@update_rule
def rmsprop_centered(param, grad, v, m, t, *, lr, alpha=0.99, eps=1e-8, weight_decay=0, maximize=False):
    """Divide the gradient by its standard deviation: θ ← θ - lr · g / (√(v - m²) + ε).

    v, m  running means of g² and of g, zeros at first
    t     the number of steps, an array without axes

    Where gradients agree, their deviation is small, and the steps are long.

    Source: Graves 2013, eq. 38 to 41, where ε stands under the root.

    >>> from chalkgrad import tensor, zeros
    >>> param = zeros(1)
    >>> rmsprop_centered(param, tensor([2.0]), zeros(1), zeros(1), zeros(), lr=0.5, alpha=0.5)
    >>> param  # v = 2, m = 1, and the deviation is 1
    tensor([-1.])
    """
    g = -grad if maximize else grad
    if weight_decay != 0:
        g = g + weight_decay * param
    t += 1
    v *= alpha
    v += (1 - alpha) * g * g
    m += (1 - alpha) * (g - m)
    size = np.sqrt(v - m * m)
    size += eps
    param -= lr * g / size


@update_rule
def rmsprop_centered_momentum(
    param, grad, v, m, velocity, t, *, lr, mu, alpha=0.99, eps=1e-8, weight_decay=0, maximize=False
):
    """Gather speed in what the centered RMSprop would step by: u ← μ u + g / (√(v - m²) + ε), and θ ← θ - lr · u.

    v, m, velocity  running means of g² and of g, and u, zeros at first
    t               the number of steps, an array without axes

    Source: Graves 2013, eq. 38 to 41, where ε stands under the root.

    >>> from chalkgrad import tensor, zeros
    >>> param, v, m, velocity, t = zeros(1), zeros(1), zeros(1), zeros(1), zeros()
    >>> rmsprop_centered_momentum(param, tensor([2.0]), v, m, velocity, t, lr=0.5, mu=0.5, alpha=0.5)
    >>> param
    tensor([-1.])
    """
    g = -grad if maximize else grad
    if weight_decay != 0:
        g = g + weight_decay * param
    t += 1
    v *= alpha
    v += (1 - alpha) * g * g
    m += (1 - alpha) * (g - m)
    size = np.sqrt(v - m * m)
    size += eps
    velocity *= mu
    velocity += g / size
    param -= lr * velocity


class RMSprop(Optimizer):
    """Steps in units of the root mean square of the gradient, with PyTorch's options.

    lr            how far to step where the gradient has its usual size
    alpha         how much of the running mean of g² is kept at each step
    eps           keeps the step finite where the gradient has been zero
    weight_decay  pulls parameters towards 0, as a penalty would
    momentum      the share of its velocity that a parameter keeps
    centered      divide by the standard deviation of the gradient instead
    maximize      go uphill

    State: `step` (t), `square_avg` (v), `momentum_buffer` with a momentum, and `grad_avg` (m) if centered.

    >>> from chalkgrad import tensor
    >>> x = tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = RMSprop([x], lr=0.0625, alpha=0.75)
    >>> (tensor([1000.0, 0.001]) * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.875, 0.875], requires_grad=True)

    >>> from chalkgrad.optim.rosenbrock import rosenbrock_path
    >>> rosenbrock_path(RMSprop, 200, lr=0.05, momentum=0.5)[::100].round(2).tolist()
    [[-1.5, 2.0], [-1.23, 1.53], [-0.9, 0.82]]
    """

    def __init__(
        self, params: Params, lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0,
        momentum: float = 0, centered: bool = False, *, maximize: bool = False, **others: Any,
    ) -> None:
        options = {"lr": lr, "alpha": alpha, "eps": eps, "weight_decay": weight_decay, "momentum": momentum,
                   "centered": centered, "maximize": maximize}
        super().__init__(params, options, others)

    def check(self, group: Group) -> None:
        """Raise ValueError for an option that cannot be."""
        for name in ("lr", "eps", "weight_decay", "momentum"):
            self.require(name, group[name])
        self.require("alpha", group["alpha"], below=1)

    def state_names(self, group: Group, param: Tensor) -> list[str]:
        """Name what a parameter of this group has in `state` once it has been updated."""
        return ["step", "square_avg", *["momentum_buffer"] * (group["momentum"] > 0), *["grad_avg"] * group["centered"]]

    def update(self, param: Tensor, grad: Tensor, options: Group) -> None:
        """Update one parameter."""
        state = self.memory(param, options)
        rest = {name: options[name] for name in ("lr", "alpha", "eps", "weight_decay", "maximize")}
        means = [state["square_avg"], *([state["grad_avg"]] if options["centered"] else [])]
        if options["momentum"] > 0:
            rule = rmsprop_centered_momentum if options["centered"] else rmsprop_momentum
            rule(param, grad, *means, state["momentum_buffer"], state["step"], mu=options["momentum"], **rest)
        else:
            rule = rmsprop_centered if options["centered"] else rmsprop
            rule(param, grad, *means, state["step"], **rest)

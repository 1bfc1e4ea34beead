"""NAdam: Adam that looks ahead, as Nesterov's momentum does.

Adam steps by the mean m of the gradients so far. At the next step m will have faded by β₁ and taken in a new gradient;
NAdam steps by that mean already now, with the gradient at hand in the place of the next (Dozat 2016).
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from ..engine.tensor import Tensor
from ..ops.constant import ones
from ..ops.update import update_rule
from .adam import Adam
from .optimizer import Group, Optimizer, Params

__all__ = ["NAdam", "nadam"]


@update_rule
def nadam(
    param, grad, m, v, mu_product, t, *,
    lr, beta1=0.9, beta2=0.999, eps=1e-8, momentum_decay=4e-3, weight_decay=0, decoupled=False, maximize=False,
):
    """Step by what the mean gradient is about to become: θ ← θ - lr · (c₁ g + c₂ m) / (√v̂ + ε).

    m, v        running means of g and of g², zeros at first
    mu_product  μ₁ μ₂ ⋯ μₜ, a one at first, and
    t           the number of steps: arrays without axes
    decoupled   take weight decay as AdamW does, and not as Adam

    c₁ = (1 - μₜ) / (1 - μ₁⋯μₜ) and c₂ = μₜ₊₁ / (1 - μ₁⋯μₜ₊₁), with a momentum that grows from about β₁/2 to β₁:
    μₜ = β₁ (1 - ½ · 0.96^(t · momentum_decay)).

    Source: Dozat 2016, Algorithm 2. As in PyTorch, m is the running mean with β₁ itself.

    >>> from chalkgrad import ones, tensor, zeros
    >>> param, m, v = zeros(1), zeros(1), zeros(1)
    >>> nadam(param, tensor([2.0]), m, v, ones(()), zeros(), lr=1.0, beta1=0.5, momentum_decay=0.0)
    >>> mu, g, mean = 0.25, 2.0, 1.0  # and √v̂ = 2
    >>> round(param.item(), 4), round(-((1 - mu) / (1 - mu) * g + mu / (1 - mu * mu) * mean) / 2, 4)
    (-1.1333, -1.1333)
    """
    g = -grad if maximize else grad
    if decoupled:
        param *= 1 - lr * weight_decay
    elif weight_decay != 0:
        g = g + weight_decay * param
    t += 1
    mu = beta1 * (1 - 0.5 * 0.96 ** (float(t) * momentum_decay))
    mu_next = beta1 * (1 - 0.5 * 0.96 ** ((float(t) + 1) * momentum_decay))
    mu_product *= mu
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * g * g
    size = np.sqrt(v)
    size /= math.sqrt(1 - beta2 ** float(t))
    size += eps
    c1 = (1 - mu) / (1 - float(mu_product))
    c2 = mu_next / (1 - float(mu_product) * mu_next)
    param -= lr * c1 * g / size
    param -= lr * c2 * m / size


class NAdam(Adam):
    """Adam with Nesterov's momentum, with PyTorch's options.

    lr, betas, eps, maximize  as in Adam
    weight_decay              pulls parameters towards 0: in the gradient as in Adam, or
    decoupled_weight_decay    by the same share of each parameter, as in AdamW
    momentum_decay            how fast the momentum grows from about β₁/2 to β₁

    State: `step` (t), `mu_product`, `exp_avg` (m), `exp_avg_sq` (v).

    >>> from chalkgrad import tensor
    >>> x = tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = NAdam([x], lr=0.25)
    >>> (tensor([1000.0, 0.01]) * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([0.7359, 0.7359], requires_grad=True)

    >>> from chalkgrad.optim.rosenbrock import rosenbrock_path
    >>> rosenbrock_path(NAdam, 200, lr=0.2)[::100].round(2).tolist()
    [[-1.5, 2.0], [-1.07, 1.13], [-0.48, 0.24]]
    """

    scalars: ClassVar[tuple[str, ...]] = ("step", "mu_product")

    def __init__(
        self, params: Params, lr: float = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False, *,
        maximize: bool = False, **others: Any,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
                   "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize}
        Optimizer.__init__(self, params, options, others)

    def check(self, group: Group) -> None:
        """Raise ValueError for an option that cannot be."""
        super().check(group)
        self.require("momentum_decay", group["momentum_decay"])

    def state_names(self, group: Group, param: Tensor) -> list[str]:
        """Name what a parameter of this group has in `state` once it has been updated."""
        return ["step", "mu_product", "exp_avg", "exp_avg_sq"]

    def start(self, name: str, param: Tensor, group: Group) -> Tensor:
        """Make what `name` in the state of a parameter is before its first update."""
        return ones(()) if name == "mu_product" else super().start(name, param, group)

    def update(self, param: Tensor, grad: Tensor, options: Group) -> None:
        """Update one parameter."""
        state = self.memory(param, options)
        nadam(param, grad, state["exp_avg"], state["exp_avg_sq"], state["mu_product"], state["step"],
              decoupled=options["decoupled_weight_decay"], momentum_decay=options["momentum_decay"],
              **self.shared(options))

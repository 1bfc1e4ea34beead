"""Lion: every parameter makes a step of the same length, and the mean gradient says in which direction.

It was found by a program that searched among programs (Chen et al. 2023). It remembers half of what Adam does; since
its steps are as long as they can be, lr is three to ten times smaller than Adam's, and weight decay as much larger.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..ops.update import update_rule
from .adam import Adam
from .optimizer import Group, Optimizer, Params

__all__ = ["Lion", "lion"]


@update_rule
def lion(param, grad, m, *, lr, beta1=0.9, beta2=0.99, weight_decay=0, maximize=False):
    """Step by the sign of a mean gradient, and decay: θ ← θ - lr · (sign(c) + λ θ), where c = β₁ m + (1 - β₁) g.

    m  the running mean of g with β₂, zeros at first

    The mean that is kept remembers longer than the one that is stepped by: β₂ > β₁.

    Source: Chen et al. 2023, Algorithm 2.

    >>> from chalkgrad import tensor, zeros
    >>> param, m = tensor([1.0, 1.0]), zeros(2)
    >>> lion(param, tensor([1000.0, -0.001]), m, lr=0.25, weight_decay=0.5)
    >>> param  # ∓ lr, less lr · λ
    tensor([0.625, 1.125])
    """
    g = -grad if maximize else grad
    if weight_decay != 0:
        param *= 1 - lr * weight_decay
    c = beta1 * m
    c += (1 - beta1) * g
    m *= beta2
    m += (1 - beta2) * g
    param -= lr * np.sign(c)


class Lion(Adam):
    """Steps of one length; options and state are named as Adam's, PyTorch having no Lion.

    lr            the length of the steps
    betas         how much of m goes into a step, and how much of it is kept
    weight_decay  pulls parameters towards 0, by the same share of each
    maximize      go uphill

    State: `exp_avg` (m).

    >>> from chalkgrad.optim.rosenbrock import rosenbrock_path
    >>> rosenbrock_path(Lion, 200, lr=0.02)[::100].round(2).tolist()
    [[-1.5, 2.0], [-1.26, 1.64], [0.14, -0.0]]
    """

    def __init__(
        self, params: Params, lr: float = 1e-4, betas: tuple[float, float] = (0.9, 0.99), weight_decay: float = 0, *,
        maximize: bool = False, **others: Any,
    ) -> None:
        options = {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize}
        Optimizer.__init__(self, params, options, others)

    def state_names(self, group: Group, param: Tensor) -> list[str]:
        """Name what a parameter of this group has in `state` once it has been updated."""
        return ["exp_avg"]

    def update(self, param: Tensor, grad: Tensor, options: Group) -> None:
        """Update one parameter."""
        m, (beta1, beta2) = self.memory(param, options)["exp_avg"], options["betas"]
        lion(param, grad, m, lr=options["lr"], beta1=beta1, beta2=beta2, weight_decay=options["weight_decay"],
             maximize=options["maximize"])

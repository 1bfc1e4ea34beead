"""Adamax: Adam that measures a gradient by the largest it has lately been, and not by its mean square.

With the p-th power in the place of the square, and p growing without end, the root of the mean becomes a maximum. It
needs no correction for its start, and no step is longer than lr (Kingma & Ba 2015, section 7.1).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..ops.update import update_rule
from .adam import Adam
from .optimizer import Group, Optimizer, Params

__all__ = ["Adamax", "adamax"]


@update_rule
def adamax(param, grad, m, u, t, *, lr, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0, maximize=False):
    """Divide the mean gradient by the largest size of late: u ← max(β₂ u, |g| + ε), and θ ← θ - lr · m̂ / u.

    m  the running mean of g, zeros at first
    u  the largest |g|, which fades by β₂ a step, zeros at first
    t  the number of steps, an array without axes

    Source: Kingma & Ba 2015, Algorithm 2, which has no ε: it keeps the step finite where the gradient has been zero.
    Weight decay adds the gradient of ½ weight_decay · |θ|² to g.

    >>> from chalkgrad import tensor, zeros
    >>> param, m, u, t = zeros(1), zeros(1), zeros(1), zeros()
    >>> for g in [4.0, 1.0]:
    ...     adamax(param, tensor([g]), m, u, t, lr=0.5, beta1=0.5, beta2=0.5, eps=0.0)
    ...     print(u.item(), round(param.item(), 3))
    4.0 -0.5
    2.0 -1.0
    """
    g = -grad if maximize else grad
    if weight_decay != 0:
        g = g + weight_decay * param
    t += 1
    m *= beta1
    m += (1 - beta1) * g
    u[...] = np.maximum(beta2 * u, np.abs(g) + eps)
    param -= lr / (1 - beta1 ** float(t)) * m / u


class Adamax(Adam):
    """Adam by the largest gradient of late, with PyTorch's options.

    lr            the longest step that a parameter takes
    betas         how much of the running mean of g, and of the largest |g|, is kept at each step
    eps           keeps the step finite where the gradient has been zero
    weight_decay  pulls parameters towards 0, as a penalty would
    maximize      go uphill

    State: `step` (t), `exp_avg` (m), `exp_inf` (u).

    >>> from chalkgrad.optim.rosenbrock import rosenbrock_path
    >>> rosenbrock_path(Adamax, 200, lr=0.2)[::100].round(2).tolist()
    [[-1.5, 2.0], [-1.31, 1.73], [-1.2, 1.44]]
    """

    def __init__(
        self, params: Params, lr: float = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, *, maximize: bool = False, **others: Any,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        Optimizer.__init__(self, params, options, others)

    def state_names(self, group: Group, param: Tensor) -> list[str]:
        """Name what a parameter of this group has in `state` once it has been updated."""
        return ["step", "exp_avg", "exp_inf"]

    def update(self, param: Tensor, grad: Tensor, options: Group) -> None:
        """Update one parameter."""
        state = self.memory(param, options)
        adamax(param, grad, state["exp_avg"], state["exp_inf"], state["step"], **self.shared(options))

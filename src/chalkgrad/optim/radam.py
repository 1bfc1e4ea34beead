"""RAdam: Adam that does not trust its √v before it has seen enough gradients.

After a few steps v is the mean of a few squares, and m / √v may be anything; that is why Adam is often warmed up. RAdam
knows how uncertain √v is: at first it steps by the mean gradient alone, then by as much of Adam's step as is sure
(Liu et al. 2020).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..ops.update import update_rule
from .adam import Adam
from .optimizer import Group, Optimizer, Params

__all__ = ["RAdam", "radam"]


@update_rule
def radam(
    param, grad, m, v, t, *, lr, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0, decoupled=False, maximize=False
):
    """Step by r · m̂ / √v̂ where v is known well enough, ρ > 5, and by m̂ before: θ ← θ - lr · r · m̂ / (√v̂ + ε).

    m, v       running means of g and of g², zeros at first
    t          the number of steps, an array without axes
    decoupled  take weight decay as AdamW does, and not as Adam

    ρ is how many gradients v is the mean of: ρ∞ = 2 / (1 - β₂) - 1 in the long run, and
    ρ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ) so far. The variance of 1/√v̂ goes with ρ, and
    r = √((ρ - 4)(ρ - 2) ρ∞ / ((ρ∞ - 4)(ρ∞ - 2) ρ)) brings it down to what it will be.

    Source: Liu et al. 2020, Algorithm 2. As in PyTorch √v̂ is (√v + ε) / √(1 - β₂ᵗ), and the threshold is 5 and not 4.

    >>> from chalkgrad import tensor, zeros
    >>> param, m, v, t = zeros(1), zeros(1), zeros(1), zeros()
    >>> for _ in range(6):
    ...     before = param.item()
    ...     radam(param, tensor([100.0]), m, v, t, lr=0.5)
    ...     print(round(param.item() - before, 3), end=" ")
    -50.0 -50.0 -50.0 -50.0 -50.0 -0.013
    >>> rho_inf = 2 / (1 - 0.999) - 1
    >>> rho = rho_inf - 2 * 6 * 0.999 ** 6 / (1 - 0.999 ** 6)
    >>> r = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
    >>> round(rho, 3), round(-0.5 * r, 3)
    (5.994, -0.013)
    """
    g = -grad if maximize else grad
    if decoupled:
        param *= 1 - lr * weight_decay
    elif weight_decay != 0:
        g = g + weight_decay * param
    t += 1
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * g * g
    correction1 = 1 - beta1 ** float(t)
    correction2 = 1 - beta2 ** float(t)
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * float(t) * beta2 ** float(t) / correction2
    sure = float(length > 5)
    # where it is not sure, rho is 5, so that there is a root, and neither r nor the size counts
    rho, rho_inf = float(np.maximum(length, 5)), float(np.maximum(longest, 5))
    r = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
    size = np.sqrt(v)
    size += eps
    size *= sure
    size += 1 - sure
    pace = sure * r * math.sqrt(correction2) + (1 - sure)
    param -= lr / correction1 * pace * m / size


class RAdam(Adam):
    """Adam that warms itself up, with PyTorch's options.

    lr, betas, eps, maximize  as in Adam
    weight_decay              pulls parameters towards 0: in the gradient as in Adam, or
    decoupled_weight_decay    by the same share of each parameter, as in AdamW

    State: `step` (t), `exp_avg` (m), `exp_avg_sq` (v).

    >>> from chalkgrad.optim.rosenbrock import rosenbrock_path
    >>> rosenbrock_path(RAdam, 200, lr=0.001)[::100].round(2).tolist()
    [[-1.5, 2.0], [-1.45, 2.0], [-1.43, 2.02]]
    """

    def __init__(
        self, params: Params, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, decoupled_weight_decay: bool = False, *, maximize: bool = False, **others: Any,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
                   "decoupled_weight_decay": decoupled_weight_decay}
        Optimizer.__init__(self, params, options, others)

    def state_names(self, group: Group, param: Tensor) -> list[str]:
        """Name what a parameter of this group has in `state` once it has been updated."""
        return ["step", "exp_avg", "exp_avg_sq"]

    def update(self, param: Tensor, grad: Tensor, options: Group) -> None:
        """Update one parameter."""
        state = self.memory(param, options)
        radam(param, grad, state["exp_avg"], state["exp_avg_sq"], state["step"],
              decoupled=options["decoupled_weight_decay"], **self.shared(options))

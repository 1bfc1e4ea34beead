"""LAMB: Adam whose steps are as large as a layer's weights, so that large batches may take large steps.

It is LARS with Adam's step in the place of the gradient; with it, BERT was trained in 76 minutes in the place of three
days (You et al. 2020).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..ops.update import update_rule
from .adam import Adam
from .lars import norm, trust_ratio
from .optimizer import Group, Optimizer, Params

__all__ = ["LAMB", "lamb"]


@update_rule
def lamb(param, grad, m, v, t, *, lr, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0, maximize=False):
    """Bring Adam's step to the size of the weights: x ← x - lr · ‖x‖ / ‖u‖ · u, where u = m̂ / (√v̂ + ε) + λ x.

    m, v  running means of g and of g², zeros at first
    t     the number of steps, an array without axes

    Source: You et al. 2020, Algorithm 2, with φ(z) = z. The ratio is 1 where weights or step are all zero.

    >>> from chalkgrad import tensor, zeros
    >>> param = tensor([3.0, 4.0])
    >>> lamb(param, tensor([0.0, 100.0]), zeros(2), zeros(2), zeros(), lr=0.1)
    >>> param  # a tenth of ‖x‖ = 5, however large the gradient is
    tensor([3. , 3.5])
    """
    g = -grad if maximize else grad
    t += 1
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * g * g
    # m and v started at zero; after t steps they are too small by these factors
    correction1 = 1 - beta1 ** float(t)
    correction2 = 1 - beta2 ** float(t)
    u = m / correction1 / (np.sqrt(v) / math.sqrt(correction2) + eps) + weight_decay * param
    param -= lr * trust_ratio(norm(param), norm(u), 1.0) * u


class LAMB(Adam):
    """Adam with a rate for every layer; options and state are named as Adam's, PyTorch having no LAMB.

    lr            the share of its norm by which a layer moves in a step
    betas         how much of the running means of g and of g² is kept at each step
    eps           keeps the step finite where the gradient has been zero
    weight_decay  λ, which is part of the step before it is scaled
    maximize      go uphill

    State: `step` (t), `exp_avg` (m), `exp_avg_sq` (v).

    >>> from chalkgrad.optim.rosenbrock import rosenbrock_path
    >>> rosenbrock_path(LAMB, 200, lr=0.02)[::100].round(2).tolist()
    [[-1.5, 2.0], [-0.49, 0.25], [-0.08, 0.01]]
    """

    def __init__(
        self, params: Params, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-6,
        weight_decay: float = 0, *, maximize: bool = False, **others: Any,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        Optimizer.__init__(self, params, options, others)

    def state_names(self, group: Group, param: Tensor) -> list[str]:
        """Name what a parameter of this group has in `state` once it has been updated."""
        return ["step", "exp_avg", "exp_avg_sq"]

    def update(self, param: Tensor, grad: Tensor, options: Group) -> None:
        """Update one parameter."""
        state = self.memory(param, options)
        lamb(param, grad, state["exp_avg"], state["exp_avg_sq"], state["step"], **self.shared(options))

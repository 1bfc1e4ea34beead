"""Adam: step by the mean of the gradients over their usual size, so that every parameter has its own pace.

Where the gradients agree, m / √v is near ±1 and the step is as long as `lr` says, whatever the scale of the loss; where
they contradict each other, m is near 0 and the step is short (Kingma & Ba 2015).
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from ..engine.tensor import Tensor
from ..ops.update import Update, update_rule
from .amsgrad import amsgrad
from .optimizer import Group, Optimizer, Params

__all__ = ["Adam", "adam"]


@update_rule
def adam(param, grad, m, v, t, *, lr, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0, maximize=False):
    """Follow the mean gradient m̂, measured in units of its root mean square √v̂: θ ← θ - lr · m̂ / (√v̂ + ε).

    m, v  running means of g and of g², zeros at first
    t     the number of steps, an array without axes

    Source: Kingma & Ba 2015, Algorithm 1. Weight decay adds the gradient of ½ weight_decay · |θ|² to g. As in PyTorch,
    √v̂ is computed as √v / √(1 - β₂ᵗ), which differs by rounding alone:

    >>> from chalkgrad import tensor
    >>> param, m, v, t = (tensor(np.zeros(())) for _ in range(4))
    >>> adam(param, tensor(np.array(2.0)), m, v, t, lr=0.1, eps=0.5)
    >>> lr, beta1, beta2, eps, g = 0.1, 0.9, 0.999, 0.5, 2.0
    >>> m, v = (1 - beta1) * g, (1 - beta2) * g ** 2  # after one step from zero
    >>> m_hat, v_hat = m / (1 - beta1), v / (1 - beta2)
    >>> math.isclose(param.item(), -lr * m_hat / (math.sqrt(v_hat) + eps))
    True

    Section 2 of the paper moves both corrections into the learning rate, and divides by √v + ε̂. That is the same
    only if ε̂ = ε √(1 - β₂ᵗ), which grows with t. Code that adds a constant to √v is another algorithm: at t = 1 it acts
    as an ε that is 1 / √(1 - β₂) = 32 times as large.

    >>> lr_1 = lr * math.sqrt(1 - beta2) / (1 - beta1)
    >>> math.isclose(param.item(), -lr_1 * m / (math.sqrt(v) + eps * math.sqrt(1 - beta2)))
    True
    >>> round(param.item(), 3), round(-lr_1 * m / (math.sqrt(v) + eps), 3)
    (-0.08, -0.011)
    """
    g = -grad if maximize else grad
    if weight_decay != 0:
        g = g + weight_decay * param
    t += 1
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * g * g
    # m and v started at zero; after t steps they are too small by these factors
    correction1 = 1 - beta1 ** float(t)
    correction2 = 1 - beta2 ** float(t)
    size = np.sqrt(v)
    size /= math.sqrt(correction2)
    size += eps
    param -= lr / correction1 * m / size


class Adam(Optimizer):
    """Adaptive moment estimation, with PyTorch's options.

    lr            about the longest step that a parameter takes
    betas         how much of the running means of g and of g² is kept at each step
    eps           keeps the step finite where the gradient has been zero
    weight_decay  pulls parameters towards 0, as a penalty would; it is scaled like the gradient, so see AdamW
    amsgrad       divide by the largest √v so far
    maximize      go uphill
    decoupled_weight_decay  keep the decay out of the gradient: this is AdamW

    State: `step` (t), `exp_avg` (m), `exp_avg_sq` (v), and `max_exp_avg_sq` with `amsgrad`.

    >>> from chalkgrad import tensor
    >>> x = tensor([1.0, 1.0], requires_grad=True)
    >>> optimizer = Adam([x], lr=0.25)
    >>> (tensor([1000.0, 0.001]) * x).sum().backward()
    >>> optimizer.step()
    >>> x  # the slopes differ a million times, the first steps do not
    tensor([0.75, 0.75], requires_grad=True)

    >>> from chalkgrad.optim.rosenbrock import rosenbrock_path
    >>> rosenbrock_path(Adam, 200, lr=0.2)[::100].round(2).tolist()
    [[-1.5, 2.0], [-1.03, 1.06], [-0.11, 0.01]]
    """

    rules: ClassVar[dict[bool, Update]] = {False: adam}  # by decoupled_weight_decay; adamw.py adds the other

    def __init__(
        self, params: Params, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, amsgrad: bool = False, *, maximize: bool = False,
        decoupled_weight_decay: bool = False, **others: Any,
    ) -> None:
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
                   "maximize": maximize, "decoupled_weight_decay": decoupled_weight_decay}
        super().__init__(params, options, others)

    def check(self, group: Group) -> None:
        """Raise ValueError for an option that cannot be."""
        for name in ("lr", "eps", "weight_decay"):
            if name in group:
                self.require(name, group[name])
        group["betas"] = self.pair("betas", group["betas"])
        for name, beta in zip(("beta1", "beta2"), group["betas"]):
            self.require(name, beta, below=1)

    def state_names(self, group: Group, param: Tensor) -> list[str]:
        """Name what a parameter of this group has in `state` once it has been updated."""
        return ["step", "exp_avg", "exp_avg_sq", *["max_exp_avg_sq"] * group["amsgrad"]]

    def update(self, param: Tensor, grad: Tensor, options: Group) -> None:
        """Update one parameter."""
        state, decoupled = self.memory(param, options), options["decoupled_weight_decay"]
        m, v, t = state["exp_avg"], state["exp_avg_sq"], state["step"]
        if options["amsgrad"]:
            amsgrad(param, grad, m, v, state["max_exp_avg_sq"], t, decoupled=decoupled, **self.shared(options))
        else:
            self.rules[decoupled](param, grad, m, v, t, **self.shared(options))

    @staticmethod
    def shared(options: Group) -> Group:
        """Return the options that all rules of Adam's kind have, under their names there."""
        beta1, beta2 = options["betas"]
        return {"lr": options["lr"], "beta1": beta1, "beta2": beta2, "eps": options["eps"],
                "weight_decay": options["weight_decay"], "maximize": options["maximize"]}

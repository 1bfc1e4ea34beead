"""LARS: every layer steps by the same share of its weights, so that large batches may take large steps.

A large batch allows a large learning rate, but the layers do not agree on it: the gradient may be a thousandth of the
weights in one, and as large as they are in another. LARS gives each its own rate, by the ratio of the norms
(You, Gitman & Ginsburg 2017).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..ops.update import update_rule
from .optimizer import Group, Optimizer, Params

__all__ = ["LARS", "lars", "norm", "trust_ratio"]


def norm(x):
    """The root of the sum of all squares of an array."""
    return float(np.sqrt((x * x).sum()))


def trust_ratio(size, step, coefficient):
    """The part of the size of the weights over the size of their step; 1 if either is 0, so that zeros can move."""
    return float(np.where(size * step > 0, coefficient * size / (step + (step == 0)), 1.0))


@update_rule
def lars(param, grad, velocity, *, lr, momentum=0.9, weight_decay=0, trust_coefficient=0.001, maximize=False):
    """Scale the rate of a layer by its weights over its gradient: λ = η ‖w‖ / (‖g‖ + β ‖w‖).

    velocity  v ← μ v + lr · λ · (g + β w), zeros at first; and w ← w - v

    η is the trust coefficient, β the weight decay, μ the momentum.

    Source: You, Gitman & Ginsburg 2017, Algorithm 1. λ is 1 where weights or gradients are all zero. As in the paper
    the velocity holds the learning rate, other than in PyTorch's SGD.

    >>> from chalkgrad import tensor, zeros
    >>> param = tensor([3.0, 4.0])
    >>> lars(param, tensor([0.0, 100.0]), zeros(2), lr=1.0, momentum=0.0, trust_coefficient=0.1)
    >>> param  # a tenth of ‖w‖ = 5, however large the gradient is
    tensor([3. , 3.5])
    """
    g = -grad if maximize else grad
    rate = trust_ratio(norm(param), norm(g) + weight_decay * norm(param), trust_coefficient)
    velocity *= momentum
    velocity += lr * rate * (g + weight_decay * param)
    param -= velocity


class LARS(Optimizer):
    """Momentum with a rate for every layer; options are named as SGD's, PyTorch having no LARS.

    lr                 multiplies the rates of all layers
    momentum           the share of its velocity that a parameter keeps
    weight_decay       pulls parameters towards 0, as a penalty would
    trust_coefficient  η: the share of its norm by which a layer moves in a step at lr = 1
    maximize           go uphill

    It is usual to leave biases and the parameters of norms to another optimizer, such as SGD.

    State: `momentum_buffer` (v).

    >>> from chalkgrad.optim.rosenbrock import rosenbrock_path
    >>> rosenbrock_path(LARS, 200, lr=1.0, trust_coefficient=0.01)[::100].round(2).tolist()
    [[-1.5, 2.0], [0.16, 0.01], [0.98, 0.91]]
    """

    def __init__(
        self, params: Params, lr: float = 1e-3, momentum: float = 0.9, weight_decay: float = 0,
        trust_coefficient: float = 0.001, *, maximize: bool = False, **others: Any,
    ) -> None:
        options = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay,
                   "trust_coefficient": trust_coefficient, "maximize": maximize}
        super().__init__(params, options, others)

    def check(self, group: Group) -> None:
        """Raise ValueError for an option that cannot be."""
        for name in ("lr", "momentum", "weight_decay", "trust_coefficient"):
            self.require(name, group[name])

    def state_names(self, group: Group, param: Tensor) -> list[str]:
        """Name what a parameter of this group has in `state` once it has been updated."""
        return ["momentum_buffer"]

    def update(self, param: Tensor, grad: Tensor, options: Group) -> None:
        """Update one parameter."""
        lars(param, grad, self.memory(param, options)["momentum_buffer"], **options)

"""AdamW: Adam whose weight decay stays out of the gradient.

Added to the gradient, the decay would be divided by √v like the rest of it: weights with large gradients would hardly
decay. Here every weight shrinks by the same share (Loshchilov & Hutter 2019).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..ops.update import update_rule
from .adam import Adam
from .optimizer import Group, Params

__all__ = ["AdamW", "adamw"]


@update_rule
def adamw(param, grad, m, v, t, *, lr, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=1e-2, maximize=False):
    """Shrink the parameter, then step as Adam does: θ ← (1 - lr · weight_decay) θ - lr · m̂ / (√v̂ + ε).

    m, v  running means of g and of g², zeros at first
    t     the number of steps, an array without axes

    Source: Loshchilov & Hutter 2019, Algorithm 2. As in PyTorch the learning rate scales the decay too: lr is their
    η_t α, and their λ is α · weight_decay.

    >>> from chalkgrad import tensor, zeros
    >>> param, m, v = tensor([4.0, 4.0]), zeros(2), zeros(2)
    >>> adamw(param, tensor([0.0, 100.0]), m, v, zeros(), lr=0.25, weight_decay=0.5)
    >>> param  # both decay by 1/8; the gradient of the second adds a step of lr
    tensor([3.5 , 3.25])
    """
    g = -grad if maximize else grad
    if weight_decay != 0:
        param *= 1 - lr * weight_decay
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


Adam.rules[True] = adamw  # the two differ by where the decay goes, and by nothing else


class AdamW(Adam):
    """Adam with decoupled weight decay; options and state are Adam's, and `weight_decay` is 0.01 unless given.

    >>> from chalkgrad import tensor
    >>> x = tensor([4.0], requires_grad=True)
    >>> optimizer = AdamW([x], lr=0.25, weight_decay=0.5)
    >>> (0 * x).sum().backward()
    >>> optimizer.step()
    >>> x
    tensor([3.5], requires_grad=True)

    >>> from chalkgrad.optim.rosenbrock import rosenbrock_path
    >>> rosenbrock_path(AdamW, 200, lr=0.2, weight_decay=0.1)[::100].round(2).tolist()
    [[-1.5, 2.0], [0.05, 0.0], [0.33, 0.11]]
    """

    def __init__(
        self, params: Params, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False, **others: Any,
    ) -> None:
        decoupled = {"decoupled_weight_decay": True, **others}
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, **decoupled)

    def check(self, group: Group) -> None:
        """Raise ValueError for an option that cannot be."""
        super().check(group)
        if not group["decoupled_weight_decay"]:
            raise ValueError("AdamW: decoupled_weight_decay is False, and then it is Adam: take the class that you "
                             "mean.")

"""Adafactor: Adam's pace for every weight of a matrix, from memory for its rows and columns alone.

Adam remembers two numbers for each weight. Adafactor keeps no mean of the gradients, and of their squares the mean of
each row and of each column, from whose product it makes the rest (Shazeer & Stern 2018).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..ops.constant import zeros
from ..ops.update import update_rule
from .optimizer import Group, Optimizer, Params

__all__ = ["Adafactor", "adafactor", "adafactor_vector", "rms"]


def rms(x):
    """The root mean square of all numbers of an array."""
    return float(np.sqrt((x * x).mean()))


@update_rule
def adafactor(
    param, grad, rows, columns, t, *, lr, beta2_decay=-0.8, eps1=None, eps2=1e-3, d=1.0, weight_decay=0, maximize=False
):
    """Step by U = G / √V̂, no longer than d, in units of the parameter: X ← X - α · U / max(1, RMS(U) / d).

    rows, columns  running means of g² over the rows and over the columns, (..., n, 1) and (..., 1, m), zeros at first
    t              the number of steps, an array without axes

    V̂ = rows · columns / mean(rows) is the matrix of rank 1 that has these means; it is right where V is such a matrix.
    The share of the new square, 1 - β̂₂ₜ = t^beta2_decay, is 1 at first, so that nothing is corrected for its start.
    The step is relative, α = max(ε₂, RMS(X)) · ρ with ρ = min(lr, 1/√t): a weight changes by a share of its size.

    Source: Shazeer & Stern 2018, Algorithm 4, with the schedules of Algorithm 6. As in PyTorch ε₁ (the dtype's
    resolution if not given) is the least of √V̂, where the paper adds it to g²; and weight decay is AdamW's.

    >>> from chalkgrad import tensor, zeros
    >>> param, grad = tensor([[1.0, 1.0], [1.0, 1.0]]), tensor([[1.0, 2.0], [10.0, 20.0]])
    >>> adafactor(param, grad, zeros(2, 1), zeros(1, 2), zeros(), lr=0.25)
    >>> param  # g² has rank 1, so U is 1 everywhere
    tensor([[0.75, 0.75],
            [0.75, 0.75]])
    """
    g = -grad if maximize else grad
    least = float(np.finfo(param.dtype).eps) if eps1 is None else eps1
    t += 1
    share = float(t) ** beta2_decay
    alpha = max(eps2, rms(param)) * min(lr, 1 / math.sqrt(float(t)))
    if weight_decay != 0:
        param *= 1 - lr * weight_decay
    rows += share * ((g * g).mean(axis=-1, keepdims=True) - rows)
    columns += share * ((g * g).mean(axis=-2, keepdims=True) - columns)
    v = rows @ columns
    v /= np.maximum(rows.mean(axis=-2, keepdims=True), least)
    u = g / np.sqrt(np.maximum(v, least * least))
    param -= alpha / max(1, rms(u) / d) * u


@update_rule
def adafactor_vector(
    param, grad, v, t, *, lr, beta2_decay=-0.8, eps1=None, eps2=1e-3, d=1.0, weight_decay=0, maximize=False
):
    """Do what Adafactor does with a vector, which has no rows and columns: v is the running mean of g² itself.

    v  the running mean of g², zeros at first
    t  the number of steps, an array without axes

    Source: Shazeer & Stern 2018, Algorithm 5; the rest is as for matrices.

    >>> from chalkgrad import tensor, zeros
    >>> param = tensor([2.0, -2.0])
    >>> adafactor_vector(param, tensor([1.0, 10.0]), zeros(2), zeros(), lr=0.25)
    >>> param  # a quarter of the RMS of the parameter
    tensor([ 1.5, -2.5])
    """
    g = -grad if maximize else grad
    least = float(np.finfo(param.dtype).eps) if eps1 is None else eps1
    t += 1
    alpha = max(eps2, rms(param)) * min(lr, 1 / math.sqrt(float(t)))
    if weight_decay != 0:
        param *= 1 - lr * weight_decay
    v += float(t) ** beta2_decay * (g * g - v)
    u = g / np.sqrt(np.maximum(v, least * least))
    param -= alpha / max(1, rms(u) / d) * u


class Adafactor(Optimizer):
    """Adaptive steps from little memory, with PyTorch's options.

    lr            the largest relative step: a share of the parameter's root mean square
    beta2_decay   the power of t, at most 0, by which the share of a new square falls
    eps           ε₁, the least root mean square of a gradient, or None for the dtype's resolution; and ε₂, that of a
                  parameter
    d             the most that the root mean square of a step may be, at least 1
    weight_decay  pulls parameters towards 0, by the same share of each
    maximize      go uphill

    State: `step` (t), and `row_var` and `col_var`, or `variance` (v) of what has fewer than two axes.

    >>> from chalkgrad.optim.rosenbrock import rosenbrock_path
    >>> rosenbrock_path(Adafactor, 200, lr=0.1)[::100].round(2).tolist()
    [[-1.5, 2.0], [-1.17, 1.25], [-0.9, 0.82]]
    """

    def __init__(
        self, params: Params, lr: float = 1e-2, beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3), d: float = 1.0, weight_decay: float = 0.0, *,
        maximize: bool = False, **others: Any,
    ) -> None:
        options = {"lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay,
                   "maximize": maximize}
        super().__init__(params, options, others)

    def check(self, group: Group) -> None:
        """Raise ValueError for an option that cannot be."""
        for name in ("lr", "d", "weight_decay"):
            self.require(name, group[name])
        if not group["beta2_decay"] <= 0:
            raise ValueError(f"Adafactor: beta2_decay is {group['beta2_decay']}, but a number of at most 0 was "
                             "expected.")
        if group["d"] < 1:
            raise ValueError(f"Adafactor: d is {group['d']}, but a number of at least 1 was expected.")
        eps = group["eps"]
        least = isinstance(eps, tuple | list) and len(eps) == 2 and eps[0] is None  # that of the dtype
        eps1, eps2 = self.pair("eps", (0.0, eps[1]) if least else eps)
        group["eps"] = (None if least else eps1, eps2)

    def state_names(self, group: Group, param: Tensor) -> list[str]:
        """Name what a parameter of this group has in `state` once it has been updated."""
        return ["step", "row_var", "col_var"] if param.ndim > 1 else ["step", "variance"]

    def start(self, name: str, param: Tensor, group: Group) -> Tensor:
        """Make what `name` in the state of a parameter is before its first update."""
        shape = param.shape
        if name == "row_var":
            shape = (*shape[:-1], 1)
        if name == "col_var":
            shape = (*shape[:-2], 1, shape[-1])
        if name == "step":
            return super().start(name, param, group)
        start: Tensor = zeros(*shape, dtype=param.dtype)
        return start

    def update(self, param: Tensor, grad: Tensor, options: Group) -> None:
        """Update one parameter."""
        state = self.memory(param, options)
        t, *variances = (state[name] for name in self.state_names(options, param))
        rest = {name: options[name] for name in ("lr", "beta2_decay", "d", "weight_decay", "maximize")}
        eps1, eps2 = options["eps"]
        rule = adafactor if param.ndim > 1 else adafactor_vector
        rule(param, grad, *variances, t, eps1=eps1, eps2=eps2, **rest)

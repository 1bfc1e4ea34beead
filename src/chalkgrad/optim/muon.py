"""Muon: momentum whose steps turn a matrix in all directions alike.

The momentum of a weight matrix is nearly of low rank: a few directions take all of the step. Muon steps by the nearest
matrix with singular values of 1 instead, which it finds by five rounds of an odd polynomial, without a decomposition
(Jordan et al. 2024). It moves matrices alone; give the rest of the parameters to AdamW.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..ops.update import update_rule
from .optimizer import Group, Optimizer, Params

__all__ = ["Muon", "muon", "orthogonalized"]

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ADJUSTMENTS = (None, "original", "match_rms_adamw")


def orthogonalized(matrix, ns_coefficients, ns_steps, eps):
    """Bring all singular values of a matrix near to 1, and leave its singular vectors: U Σ Vᵀ → about U Vᵀ.

    1. Odd powers leave the vectors alone: X Xᵀ X = U Σ Vᵀ V Σ Uᵀ U Σ Vᵀ = U Σ³ Vᵀ.
    2. So X ← a X + b (X Xᵀ) X + c (X Xᵀ)² X changes each singular value by p(σ) = a σ + b σ³ + c σ⁵.
    3. Over their root of squares, the singular values are at most 1, and p is chosen to drive what is in (0, 1] to
       about 1 in five rounds. It does so fast, a = p'(0) being large, and stays between 0.7 and 1.2.

    Source: Jordan et al. 2024, which has the coefficients.

    >>> matrix = np.random.default_rng(0).standard_normal((4, 6))
    >>> u, s, v = np.linalg.svd(matrix, full_matrices=False)
    >>> new = u.T @ orthogonalized(matrix, COEFFICIENTS, 5, 1e-7) @ v.T
    >>> print(s.round(1), np.diag(new).round(1), bool(abs(new - np.diag(np.diag(new))).max() < 1e-6))
    [3.  2.2 1.7 0.8] [1.1 0.7 1.1 0.8] True
    """
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / np.maximum(np.sqrt((x * x).sum()), eps)
    a, b, c = ns_coefficients
    for _ in range(ns_steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


@update_rule
def muon(
    param, grad, m, *,
    lr, weight_decay=0.1, momentum=0.95, nesterov=True, ns_coefficients=(3.4445, -4.7750, 2.0315), eps=1e-7, ns_steps=5,
    adjust_lr_fn=None,
):
    """Decay, and step by the momentum, made orthogonal: θ ← (1 - lr · λ) θ - lr · √max(1, rows / columns) · O(m).

    m  the running mean of g, zeros at first

    λ is the weight decay. With `nesterov` the step is by what the mean is about to become: O((1 - μ) g + μ m). A matrix
    of n rows with orthonormal columns has a root mean square of 1/√n; "match_rms_adamw" scales it to 0.2, which is
    about what AdamW's steps have, so that both take the same learning rate.

    Source: Jordan et al. 2024; Liu et al. 2025, eq. 4, for "match_rms_adamw".

    >>> from chalkgrad import tensor, zeros
    >>> param = zeros(2, 2)
    >>> muon(param, tensor([[100.0, 0.0], [0.0, 1.0]]), zeros(2, 2), lr=0.5, weight_decay=0.0)
    >>> bool((np.diag(param.data) < -0.3).all())  # about as far in both directions
    True
    """
    m += (1 - momentum) * (grad - m)
    ahead = grad + momentum * (m - grad) if nesterov else m
    direction = orthogonalized(ahead, ns_coefficients, ns_steps, eps)
    scale = math.sqrt(max(1, param.shape[0] / param.shape[1]))
    if adjust_lr_fn == "match_rms_adamw":
        scale = 0.2 * math.sqrt(max(param.shape))
    param *= 1 - lr * weight_decay
    param -= lr * scale * direction


class Muon(Optimizer):
    """Momentum, orthogonalized by a Newton-Schulz iteration, with PyTorch's options; for matrices alone.

    lr               how far to step: about the spectral norm of the change
    weight_decay     pulls parameters towards 0, by the same share of each
    momentum         how much of the running mean of the gradients is kept at each step
    nesterov         look ahead
    ns_coefficients  a, b and c of the polynomial
    eps              the least norm that a matrix is divided by
    ns_steps         how often the polynomial is applied, below 100
    adjust_lr_fn     "original" (also None) multiplies lr by √max(1, rows / columns); "match_rms_adamw" by
                     0.2 √max(rows, columns)

    Raises ValueError for a parameter that is not a matrix.

    It computes in the dtype of the parameter, where PyTorch orthogonalizes in bfloat16, to about two digits.

    State: `momentum_buffer` (m).

    >>> from chalkgrad.optim.rosenbrock import rosenbrock_path
    >>> rosenbrock_path(Muon, 200, lr=0.05, weight_decay=0.0)[::100].round(2).tolist()
    [[-1.5, 2.0], [0.32, 0.09], [1.03, 1.11]]
    """

    def __init__(
        self, params: Params, lr: float = 1e-3, weight_decay: float = 0.1, momentum: float = 0.95,
        nesterov: bool = True, ns_coefficients: tuple[float, float, float] = COEFFICIENTS, eps: float = 1e-7,
        ns_steps: int = 5, adjust_lr_fn: str | None = None, **others: Any,
    ) -> None:
        options = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
                   "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn}
        super().__init__(params, options, others)

    def check(self, group: Group) -> None:
        """Raise ValueError for an option that cannot be, or a parameter that is not a matrix."""
        for name in ("lr", "weight_decay", "momentum", "eps"):
            self.require(name, group[name])
        self.require("ns_steps", group["ns_steps"], below=100)
        if len(group["ns_coefficients"]) != 3:
            raise ValueError(f"Muon: ns_coefficients is {group['ns_coefficients']}, but three numbers were expected.")
        group["ns_coefficients"] = tuple(group["ns_coefficients"])
        if group["adjust_lr_fn"] not in ADJUSTMENTS:
            raise ValueError(f"Muon: adjust_lr_fn is {group['adjust_lr_fn']!r}, but one of {ADJUSTMENTS} was expected.")
        for param in group["params"]:
            if param.ndim != 2:
                raise ValueError(f"Muon moves matrices, but a parameter of shape {param.shape} came; give what is no "
                                 "matrix to AdamW.")

    def state_names(self, group: Group, param: Tensor) -> list[str]:
        """Name what a parameter of this group has in `state` once it has been updated."""
        return ["momentum_buffer"]

    def update(self, param: Tensor, grad: Tensor, options: Group) -> None:
        """Update one parameter."""
        muon(param, grad, self.memory(param, options)["momentum_buffer"], **options)

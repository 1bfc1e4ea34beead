"""Update rules for frameworks that bring none: arrays in, new arrays out, with PyTorch's defaults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["rule"]


def rule(name: str, options: dict[str, float]) -> Callable[..., Any]:
    """Return the rule of an optimizer with its options put in: (param, grad, m, v, t) -> (param, m, v)."""
    return lambda *arrays: RULES[name](*arrays, **options)


def sgd(param: Any, grad: Any, m: Any, v: Any, t: Any, lr: float, momentum: float = 0.0,
        weight_decay: float = 0.0) -> Any:
    if weight_decay:
        grad = grad + weight_decay * param
    if momentum:
        grad = m = momentum * m + grad
    return param - lr * grad, m, v


def adam(param: Any, grad: Any, m: Any, v: Any, t: Any, lr: float, weight_decay: float = 0.0) -> Any:
    """Kingma & Ba 2015, algorithm 1; with a decay apart from the gradient, it is AdamW (Loshchilov & Hutter 2019)."""
    if weight_decay:
        param = param * (1 - lr * weight_decay)
    m = 0.9 * m + 0.1 * grad
    v = 0.999 * v + 0.001 * grad * grad
    return param - lr / (1 - 0.9**t) * m / ((v / (1 - 0.999**t)) ** 0.5 + 1e-8), m, v


def adamw(*arrays: Any, lr: float) -> Any:
    return adam(*arrays, lr=lr, weight_decay=0.01)


RULES = {"SGD": sgd, "Adam": adam, "AdamW": adamw}

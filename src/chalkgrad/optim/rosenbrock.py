"""Rosenbrock's valley: a function of two numbers on which the path of an optimizer can be watched."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from .optimizer import Optimizer

__all__ = ["rosenbrock", "rosenbrock_path"]


def rosenbrock(point: Tensor) -> Tensor:
    """Compute f(x, y) = (1 - x)² + 100 (y - x²)² of the point [[x, y]]; it is 0 at (1, 1), and nowhere else.

    The valley along y = x² is easy to find, and hard to follow: its floor falls slowly, and its walls are steep.

    Source: Rosenbrock 1960.

    >>> rosenbrock(Tensor([[1.0, 1.0]])).item(), rosenbrock(Tensor([[-1.0, 2.0]])).item()
    (0.0, 104.0)
    """
    x, y = point[0, 0], point[0, 1]
    value: Tensor = (1 - x) ** 2 + 100 * (y - x * x) ** 2
    return value


def rosenbrock_path(optimizer_class: type[Optimizer], steps: int = 100, **options: Any) -> Any:
    """Return the points, an array (steps + 1, 2), at which an optimizer is from its start at (-1.5, 2) on.

    The point is a matrix of one row, since some optimizers move nothing else. Plot the path on the heights of the
    valley to see what an optimizer is like.

    >>> from chalkgrad.optim import SGD
    >>> rosenbrock_path(SGD, 2, lr=0.001).tolist()
    [[-1.5, 2.0], [-1.345, 2.05], [-1.46995455, 2.001805]]
    """
    point = Tensor(np.array([[-1.5, 2.0]]), requires_grad=True)
    optimizer = optimizer_class([point], **options)
    path = [point.data[0].copy()]

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = rosenbrock(point)
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)
        path.append(point.data[0].copy())
    return np.array(path)

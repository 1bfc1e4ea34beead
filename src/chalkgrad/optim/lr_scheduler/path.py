"""The path of a learning rate: what a schedule does, to be looked at or plotted."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.tensor import Tensor
from ..sgd import SGD
from .scheduler import LRScheduler

__all__ = ["lr_path"]


def lr_path(scheduler_class: type[LRScheduler], epochs: int = 10, **options: Any) -> list[float]:
    """Return the rates of so many epochs, of which the first would be 1 without a schedule.

    >>> from chalkgrad.optim.lr_scheduler import StepLR
    >>> lr_path(StepLR, 4, step_size=2)
    [1.0, 1.0, 0.1, 0.1]
    """
    optimizer = SGD([Tensor(np.zeros(1), requires_grad=True)], lr=1.0, momentum=0.9)
    scheduler, rates = scheduler_class(optimizer, **options), []
    for _ in range(epochs):
        optimizer.step()
        rates += scheduler.get_last_lr()
        scheduler.step()
    return rates

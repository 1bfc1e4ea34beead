"""LambdaLR: any function of the epoch times the first rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from ..optimizer import Optimizer
from .scheduler import LRScheduler, for_each_group

__all__ = ["LambdaLR"]


class LambdaLR(LRScheduler):
    """Multiply the first rate by what a function says of the epoch: η = η₀ · f(t).

    lr_lambda  the function, or a list of functions, one for each group; what is callable and has attributes is saved
               with them, a plain function is not

    Raises TypeError for what cannot be called.

    >>> from chalkgrad.optim.lr_scheduler.path import lr_path
    >>> lr_path(LambdaLR, 4, lr_lambda=lambda t: 1 / (t + 1) if t < 2 else 0.25)
    [1.0, 0.5, 0.25, 0.25]
    """

    functions: ClassVar[tuple[str, ...]] = ("lr_lambdas",)

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.lr_lambdas = for_each_group("lr_lambda", self.checked(optimizer), lr_lambda)
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(f"{type(self).__name__}: lr_lambda is a function of the epoch, but a "
                                f"{type(function).__name__} came.")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of every group at `last_epoch`."""
        return [lr * function(self.last_epoch) for function, lr in zip(self.lr_lambdas, self.base_lrs, strict=True)]

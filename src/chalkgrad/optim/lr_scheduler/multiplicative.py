"""MultiplicativeLR: any function of the epoch times the rate before."""

from __future__ import annotations

from .lambda_lr import LambdaLR

__all__ = ["MultiplicativeLR"]


class MultiplicativeLR(LambdaLR):
    """Multiply the rate before by what a function says of the epoch: ηₜ = ηₜ₋₁ · f(t), from the second epoch on.

    lr_lambda  as in LambdaLR

    >>> from chalkgrad.optim.lr_scheduler.path import lr_path
    >>> lr_path(MultiplicativeLR, 4, lr_lambda=lambda t: 0.5 if t != 2 else 1.0)
    [1.0, 0.5, 0.5, 0.25]
    """

    def get_lr(self) -> list[float]:
        """Compute the rate of every group at `last_epoch` from the rate before."""
        if self._is_initial:
            return self.rates()
        return [lr * function(self.last_epoch) for function, lr in zip(self.lr_lambdas, self.rates(), strict=True)]

    def _get_closed_form_lr(self) -> list[float]:
        return list(self.base_lrs)  # as at epoch 0, which is where it is asked for

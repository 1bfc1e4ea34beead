"""Derivatives on demand: `grad`, under PyTorch's name."""

from .engine.backward import grad
from .engine.tape import enable_grad, mode, no_grad

__all__ = ["enable_grad", "grad", "is_grad_enabled", "no_grad"]


def is_grad_enabled() -> bool:
    """Tell whether operations are recorded in this thread."""
    return mode.grad_enabled

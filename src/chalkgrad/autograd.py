"""Derivatives on demand: `grad`, under PyTorch's name."""

from .engine.backward import grad
from .engine.tape import enable_grad, no_grad

__all__ = ["enable_grad", "grad", "no_grad"]

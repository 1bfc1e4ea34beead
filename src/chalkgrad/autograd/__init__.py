"""Derivatives on demand, under PyTorch's names: gradients, Jacobians, Hessians, and the check of derivatives."""

from ..engine.backward import grad
from ..engine.tape import enable_grad, no_grad
from . import functional
from .gradcheck import GradcheckError, gradcheck, gradgradcheck
from .modes import backward, inference_mode, is_grad_enabled, set_grad_enabled

__all__ = [
    "GradcheckError", "backward", "enable_grad", "functional", "grad", "gradcheck", "gradgradcheck", "inference_mode",
    "is_grad_enabled", "no_grad", "set_grad_enabled",
]

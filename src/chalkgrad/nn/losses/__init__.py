"""Losses: how wrong a prediction is, as one number."""

from .bce import BCELoss
from .bce_with_logits import BCEWithLogitsLoss
from .cross_entropy import CrossEntropyLoss
from .l1 import L1Loss
from .mse import MSELoss
from .nll import NLLLoss

__all__ = ["BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "L1Loss", "MSELoss", "NLLLoss"]

"""Schedules of the learning rate: long steps at first, to get there, and short ones at the end, to settle."""

from .chained import ChainedScheduler
from .constant import ConstantLR
from .cosine import CosineAnnealingLR
from .cyclic import CyclicLR
from .exponential import ExponentialLR
from .lambda_lr import LambdaLR
from .linear import LinearLR
from .multi_step import MultiStepLR
from .multiplicative import MultiplicativeLR
from .one_cycle import OneCycleLR
from .plateau import ReduceLROnPlateau
from .polynomial import PolynomialLR
from .scheduler import LRScheduler
from .sequential import SequentialLR
from .step import StepLR
from .time_based import TimeBasedLR
from .warm_restarts import CosineAnnealingWarmRestarts
from .warmup_cosine import WarmupCosineLR

__all__ = [
    "ChainedScheduler", "ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CyclicLR", "ExponentialLR",
    "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR", "MultiplicativeLR", "OneCycleLR", "PolynomialLR",
    "ReduceLROnPlateau", "SequentialLR", "StepLR", "TimeBasedLR", "WarmupCosineLR",
]

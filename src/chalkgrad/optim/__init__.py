"""Optimizers, one algorithm a file: the paper's box as an update rule, and the class that keeps its state."""

from . import lr_scheduler
from .adagrad import Adagrad
from .adam import Adam
from .adamw import AdamW
from .nadam import NAdam
from .optimizer import Optimizer
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = ["Adagrad", "Adam", "AdamW", "NAdam", "Optimizer", "RMSprop", "SGD", "lr_scheduler"]

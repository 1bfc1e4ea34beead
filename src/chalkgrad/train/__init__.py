"""Training: the loop, what is measured, and the run folder that is left."""

from .errors import Diverged, RunError
from .metrics import accuracy, confusion_matrix, mean_absolute_error
from .outcome import Outcome
from .run import Run, resume, start
from .session import Session
from .settings import Settings, choose
from .trainer import Callback, Trainer

__all__ = [
    "Callback",
    "Diverged",
    "Outcome",
    "Run",
    "RunError",
    "Session",
    "Settings",
    "Trainer",
    "accuracy",
    "choose",
    "confusion_matrix",
    "mean_absolute_error",
    "resume",
    "start",
]

"""One AdamW step of a GPT that keeps two cores busy: 6 layers, 12 heads, 384 features, 8 rows of 128 letters."""

from __future__ import annotations

from . import gpt_mini
from .harness.work import Workloads
from .training import steps

__all__ = ["KIND", "workloads"]

KIND = "training"


def workloads(rival: str) -> Workloads:
    """Name the step, and what builds it in one framework."""
    return steps(rival, {"gpt-small-step": gpt_mini.task(layers=6, width=384, length=128, count=8)})

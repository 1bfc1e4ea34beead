"""Every schedule with every option worth trying: what parity, copies, spelling and compiling are tested with."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

__all__ = ["OWN", "RESUMABLE", "SCHEDULERS", "Decay", "Options", "advance", "build", "each_schedule", "halve"]

Options = dict[str, Any]


def halve(epoch: int) -> float:
    """A function for LambdaLR."""
    return 0.5 ** (epoch // 4)


def wave(epoch: int) -> float:
    """A function for MultiplicativeLR."""
    return 0.75 if epoch % 2 else 1.25


class Decay:
    """A function with an attribute, which is saved."""

    def __init__(self, by: float) -> None:
        self.by = by

    def __call__(self, epoch: float) -> float:
        return 1 / (1 + self.by * epoch)


COSINE = ("CosineAnnealingLR", {"T_max": 10})
EXPONENTIAL = ("ExponentialLR", {"gamma": 0.9})
LINEAR = ("LinearLR", {"start_factor": 0.1, "total_iters": 5})
SCHEDULERS: list[tuple[str, Options]] = [
    ("StepLR", {"step_size": 1}),
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 10, "gamma": 0.5}),
    ("CosineAnnealingLR", {"T_max": 50}),
    ("CosineAnnealingLR", {"T_max": 50, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 10, "eta_min": 0.01}),  # up and down again
    ("CosineAnnealingLR", {"T_max": 1}),
    ("MultiStepLR", {"milestones": [3, 10, 10, 30]}),
    ("MultiStepLR", {"milestones": [], "gamma": 0.5}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.5, "total_iters": 10}),
    ("ConstantLR", {"factor": 1.0, "total_iters": 0}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 10}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 20, "power": 2.5}),
    ("LambdaLR", {"lr_lambda": halve}),
    ("LambdaLR", {"lr_lambda": [halve, Decay(0.1)]}),
    ("MultiplicativeLR", {"lr_lambda": wave}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.001}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4, "cycle_momentum": False}),
    ("CyclicLR", {"base_lr": [0.01, 0.02], "max_lr": [0.1, 0.3], "step_size_up": 4, "step_size_down": 7,
                  "mode": "triangular2", "cycle_momentum": False}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 5, "mode": "exp_range", "gamma": 0.95,
                  "cycle_momentum": False}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 5, "scale_fn": Decay(0.5), "cycle_momentum": False}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 5, "scale_fn": halve, "scale_mode": "iterations",
                  "cycle_momentum": False}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 60, "cycle_momentum": False}),
    ("OneCycleLR", {"max_lr": [0.1, 0.3], "epochs": 6, "steps_per_epoch": 10, "pct_start": 0.25, "three_phase": True,
                    "anneal_strategy": "linear", "div_factor": 10.0, "final_div_factor": 100.0,
                    "cycle_momentum": False}),
    ("ReduceLROnPlateau", {"patience": 2}),
    ("ReduceLROnPlateau", {"mode": "max", "patience": 0, "cooldown": 3, "factor": 0.5, "min_lr": [0.01, 0.001]}),
    ("ReduceLROnPlateau", {"threshold": 0.5, "threshold_mode": "abs", "patience": 1, "min_lr": 0.02}),
    ("ReduceLROnPlateau", {"mode": "max", "threshold": 0.3, "threshold_mode": "abs", "patience": 1, "eps": 0.01}),
    ("SequentialLR", {"schedulers": [LINEAR, COSINE], "milestones": [5]}),
    ("SequentialLR", {"schedulers": [("ConstantLR", {}), ("StepLR", {"step_size": 3}), EXPONENTIAL],
                      "milestones": [4, 20]}),
    ("SequentialLR", {"schedulers": [("PolynomialLR", {}), ("MultiStepLR", {"milestones": [0, 4]}),
                                     ("CosineAnnealingWarmRestarts", {"T_0": 4})], "milestones": [7, 17]}),
    ("ChainedScheduler", {"schedulers": [LINEAR, EXPONENTIAL]}),
    ("ChainedScheduler", {"schedulers": [COSINE, ("MultiStepLR", {"milestones": [4]}), ("ConstantLR", {})]}),
    ("SequentialLR", {"schedulers": [("ChainedScheduler", {"schedulers": [LINEAR, EXPONENTIAL]}), COSINE],
                      "milestones": [9]}),
    ("TimeBasedLR", {"decay": 0.1}),
    ("WarmupCosineLR", {"warmup": 5, "total": 30, "eta_min": 0.001}),
    ("WarmupCosineLR", {"warmup": 0, "total": 30}),
]  # fmt: skip
OWN = {"TimeBasedLR", "WarmupCosineLR"}  # PyTorch has none like them
# What goes on from `last_epoch` and the rates in the groups alone.
RESUMABLE = [(name, options) for name, options in SCHEDULERS
             if name not in ("OneCycleLR", "CyclicLR", "ReduceLROnPlateau", "SequentialLR", "ChainedScheduler")]
each_schedule = pytest.mark.parametrize(
    "name, options", SCHEDULERS, ids=[f"{name}-{i}" for i, (name, _) in enumerate(SCHEDULERS)]
)


def build(module: Any, optimizer: Any, name: str, options: Options, **more: Any) -> Any:
    """Make a schedule of either library; schedules that it is made of are made first."""
    if "schedulers" not in options:
        return getattr(module, name)(optimizer, **options, **more)
    parts = [build(module, optimizer, *part) for part in options["schedulers"]]
    first = [parts] if name == "ChainedScheduler" else [optimizer, parts]
    with warnings.catch_warnings():  # PyTorch steps what is chained, and warns that it came too early
        warnings.simplefilter("ignore")
        return getattr(module, name)(*first, **{key: value for key, value in options.items() if key != "schedulers"})


def advance(schedule: Any, epoch: int) -> None:
    """Step a schedule at the end of an epoch; a loss falls at first, and then goes to and fro."""
    if type(schedule).__name__ == "ReduceLROnPlateau":
        schedule.step(max(10 - epoch, 3 + epoch % 3))
    else:
        schedule.step()

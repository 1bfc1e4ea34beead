"""Every optimizer with every option worth trying: what parity, spelling and compiling are tested with."""

from __future__ import annotations

from typing import Any

import pytest

from chalkgrad import Tensor, nn

__all__ = ["CASES", "NAMES", "OPTIMIZERS", "OWN", "STATEFUL", "Options", "each_optimizer", "movable"]

Options = dict[str, Any]

ADAM: list[Options] = [
    {},
    {"lr": 0.1},
    {"lr": 0.1, "betas": (0.5, 0.75)},
    {"lr": 0.1, "betas": (0.0, 0.0)},
    {"lr": 0.1, "eps": 0.1},
    {"lr": 0.1, "weight_decay": 0.1},
    {"lr": 0.1, "weight_decay": 0.0},
    {"lr": 0.1, "maximize": True},
    {"lr": 0.1, "amsgrad": True},
    {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1, "betas": (0.5, 0.5)},
    {"lr": 0.1, "amsgrad": True, "weight_decay": 0.1, "maximize": True, "eps": 0.1, "betas": (0.7, 0.8)},
]
OPTIMIZERS: dict[str, list[Options]] = {
    "SGD": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "maximize": True},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.5},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1},
        {"lr": 0.1, "momentum": 0.9, "maximize": True},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "maximize": True},
    ],
    "Adam": [
        *ADAM,
        {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True},
        {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True, "amsgrad": True},
    ],
    "AdamW": ADAM,
    "RMSprop": [
        {},
        {"lr": 0.1, "alpha": 0.5},
        {"lr": 0.1, "alpha": 0.0},
        {"lr": 0.1, "eps": 0.1},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "maximize": True},
        {"lr": 0.1, "momentum": 0.9, "alpha": 0.5},
        {"lr": 0.1, "centered": True},
        {"lr": 0.1, "centered": True, "weight_decay": 0.1, "maximize": True},
        {"lr": 0.1, "centered": True, "momentum": 0.5, "alpha": 0.75},
        {"lr": 0.1, "centered": True, "momentum": 0.5, "weight_decay": 0.1, "maximize": True, "eps": 0.1},
        {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.1, "maximize": True, "eps": 0.1},
    ],
    "NAdam": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "betas": (0.5, 0.75)},
        {"lr": 0.1, "betas": (0.0, 0.0)},
        {"lr": 0.1, "eps": 0.1},
        {"lr": 0.1, "momentum_decay": 0.5},
        {"lr": 0.1, "momentum_decay": 0.0},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True},
        {"lr": 0.1, "maximize": True},
        {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True, "betas": (0.7, 0.8)},
    ],
    "Adagrad": [
        {},
        {"lr": 0.1, "lr_decay": 0.5},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "initial_accumulator_value": 0.5},
        {"lr": 0.1, "eps": 0.1},
        {"lr": 0.1, "maximize": True},
        {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 2.0, "maximize": True},
    ],
    "Adadelta": [
        {},
        {"lr": 0.5, "rho": 0.5},
        {"lr": 0.5, "rho": 1.0},
        {"eps": 0.1, "weight_decay": 0.1},
        {"eps": 0.01, "rho": 0.75, "weight_decay": 0.1, "maximize": True},
    ],
    "Rprop": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "etas": (0.25, 2.0)},
        {"lr": 0.1, "step_sizes": (0.05, 0.12)},
        {"lr": 0.1, "etas": (0.75, 1.5), "step_sizes": (1e-3, 1.0), "maximize": True},
    ],
    "ASGD": [
        {},
        {"lr": 0.1, "lambd": 0.5},
        {"lr": 0.1, "t0": 2},
        {"lr": 0.1, "t0": 0, "alpha": 0.5, "lambd": 0.1},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "t0": 1, "weight_decay": 0.1, "maximize": True},
    ],
    "Adamax": [
        {},
        {"lr": 0.1, "betas": (0.5, 0.75)},
        {"lr": 0.1, "betas": (0.0, 0.0)},
        {"lr": 0.1, "eps": 0.1},
        {"lr": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "weight_decay": 0.1, "maximize": True, "betas": (0.7, 0.8)},
    ],
    "RAdam": [
        {},
        {"lr": 0.01, "betas": (0.5, 0.99)},
        {"lr": 0.01, "betas": (0.0, 0.0)},
        {"lr": 0.01, "betas": (0.5, 0.9)},
        {"lr": 0.01, "eps": 0.1, "betas": (0.9, 0.95)},
        {"lr": 0.01, "weight_decay": 0.1},
        {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True},
        {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True, "betas": (0.7, 0.99)},
    ],
    "Adafactor": [
        {},
        {"lr": 0.1, "beta2_decay": -1.0},
        {"lr": 0.1, "d": 1.5},
        {"lr": 0.6, "eps": (0.1, 0.5)},
        {"lr": 0.1, "eps": (None, 10.0), "weight_decay": 0.1},
        {"lr": 0.1, "eps": (1e-30, 1e-3), "weight_decay": 0.1, "maximize": True, "d": 2.0, "beta2_decay": -0.5},
    ],
    "Muon": [
        {},
        {"lr": 0.1},
        {"lr": 0.1, "weight_decay": 0.0, "momentum": 0.5},
        {"lr": 0.1, "nesterov": False},
        {"lr": 0.1, "ns_steps": 6, "ns_coefficients": (3.4, -4.7, 2.0)},
        {"lr": 0.1, "adjust_lr_fn": "original", "eps": 10.0},
        {"lr": 0.1, "adjust_lr_fn": "match_rms_adamw", "weight_decay": 0.5},
    ],
    "Lion": [
        {},
        {"lr": 0.1, "betas": (0.5, 0.75)},
        {"lr": 0.1, "betas": (0.0, 0.0), "weight_decay": 0.1},
        {"lr": 0.1, "weight_decay": 0.1, "maximize": True},
    ],
    "LAMB": [
        {},
        {"lr": 0.1, "betas": (0.5, 0.75)},
        {"lr": 0.1, "eps": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "betas": (0.0, 0.0), "weight_decay": 0.1, "maximize": True},
    ],
    "LARS": [
        {},
        {"lr": 1.0, "momentum": 0.5, "trust_coefficient": 0.1},
        {"lr": 1.0, "momentum": 0.0, "weight_decay": 0.1},
        {"lr": 1.0, "weight_decay": 0.1, "maximize": True, "trust_coefficient": 0.02},
    ],
}  # fmt: skip
OWN = {"LAMB", "LARS", "Lion"}  # PyTorch has none like them
CASES = [(name, options) for name, several in OPTIMIZERS.items() for options in several]
NAMES = [f"{name}-{'-'.join(options) or 'defaults'}-{i}" for i, (name, options) in enumerate(CASES)]
each_optimizer = pytest.mark.parametrize("name, options", CASES, ids=NAMES)
# One set of options or several for each state that there may be.
STATEFUL = [
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("Adam", {"lr": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.1}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.9, "alpha": 0.5}),
    ("RMSprop", {"centered": True, "momentum": 0.5, "weight_decay": 0.1, "maximize": True}),
    *((name, OPTIMIZERS[name][-1]) for name in OPTIMIZERS if name not in ("SGD", "Adam", "AdamW", "RMSprop")),
]


def movable(name: str, model: nn.Module) -> list[Tensor]:
    """List the parameters that an optimizer can move, and freeze the others: Muon takes matrices alone."""
    for param in model.parameters():
        param.requires_grad_(name != "Muon" or param.ndim == 2)
    return [param for param in model.parameters() if param.requires_grad]

"""Settings: all that decides the numbers of a run, with defaults for each dataset."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from .. import models
from ..data import datasets
from ..law.errors import nearest
from .errors import RunError

__all__ = ["DEFAULTS", "Settings", "choose", "from_dict"]

# What was found to work on the validation rows. The inputs are standardized, so one rate suits all datasets.
LEARNING_RATES = {
    "cnn": {"adam": 0.002, "adamw": 0.002, "sgd": 0.1},
    "linear": {"adam": 0.05, "adamw": 0.05, "sgd": 0.05},
    "mlp": {"adam": 0.002, "adamw": 0.002, "sgd": 0.1},
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "celsius": {"model": "linear", "epochs": 20, "batch_size": 5},
    "digits": {"model": "mlp", "epochs": 30, "batch_size": 32, "weight_decay": 1e-3},
    "iris": {"model": "mlp", "epochs": 20, "batch_size": 15, "weight_decay": 1e-3},
    "moons": {"model": "mlp", "epochs": 20, "batch_size": 20},
}
# A squared error has no bound, and the first long steps of SGD would throw a network off.
EXCEPTIONS: dict[tuple[str, str], dict[str, Any]] = {("celsius", "mlp"): {"optimizer": "adam", "epochs": 60}}
OPTIMIZERS = ["adam", "adamw", "sgd"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a run's numbers follow from: two runs with the same settings end with the same weights, bit for bit.

    weight_decay  pulls the weights towards 0, by weight_decay times themselves in every gradient
    lr_step       every so many epochs the learning rate ...
    lr_gamma      ... is multiplied by this. Neither depends on `epochs`, so a run that is extended afterwards is the
                  same as one that was asked for at once.
    seed          decides the first weights, the order of the data, and what dropout hides. It does not decide which
                  rows are held out for the test: runs are compared on the same ones.

    Raises: RunError for what cannot be.
    """

    dataset: str
    model: str
    epochs: int
    batch_size: int
    optimizer: str
    lr: float
    weight_decay: float = 0.0
    lr_step: int = 10
    lr_gamma: float = 0.3
    seed: int = 0

    def __post_init__(self) -> None:
        _known("dataset", self.dataset, datasets.names())
        _known("model", self.model, models.names())
        _known("optimizer", self.optimizer, OPTIMIZERS)
        for name, least in {"epochs": 1, "batch_size": 1, "lr_step": 1, "seed": 0}.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise RunError(f"{_shown(name)} is a whole number, at least {least}, but {value!r} came.")
        for name in ("lr", "lr_gamma"):
            value = getattr(self, name)
            if not _is_number(value) or not 0 < value < math.inf:
                raise RunError(f"{_shown(name)} is a number above 0, but {value!r} came.")
        if not _is_number(self.weight_decay) or not 0 <= self.weight_decay < math.inf:
            raise RunError(f"weight decay is a number, at least 0, but {self.weight_decay!r} came.")


def choose(dataset: str, **given: Any) -> Settings:
    """Complete settings for a dataset: what is not given, or None, takes its default.

    Raises: RunError for a dataset, a model or an optimizer that is not there, and for values that cannot be.

    >>> choose("digits", epochs=5, seed=None)
    Settings(dataset='digits', model='mlp', epochs=5, batch_size=32, optimizer='sgd', lr=0.1, ...)
    >>> choose("digits", optimizer="adam").lr
    0.002
    >>> choose("digit")
    Traceback (most recent call last):
    chalkgrad.train.errors.RunError: There is no dataset 'digit'. Did you mean `digits`? Known: ...
    """
    _known("dataset", dataset, datasets.names())
    given = {name: value for name, value in given.items() if value is not None}
    model = given.get("model", DEFAULTS[dataset]["model"])
    _known("model", model, models.names())
    values = {"optimizer": "sgd", **DEFAULTS[dataset], **EXCEPTIONS.get((dataset, model), {}), **given}
    _known("optimizer", values["optimizer"], OPTIMIZERS)
    return Settings(dataset=dataset, **{"lr": LEARNING_RATES[model][values["optimizer"]], **values})


def from_dict(values: dict[str, Any]) -> Settings:
    """Read settings back from a dict of exactly their fields.

    Raises: RunError if some are missing, unknown, or cannot be.
    """
    expected = {field.name for field in fields(Settings)}
    if values.keys() != expected:
        wrong = sorted(values.keys() ^ expected)
        raise RunError(f"the settings do not have the fields expected; look at {', '.join(wrong)}.")
    return Settings(**values)


def _known(what: str, name: object, known: Any) -> None:
    if name not in known:
        raise RunError(f"There is no {what} {name!r}. {nearest(str(name), sorted(known))}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(name: str) -> str:
    return {"lr": "the learning rate", "batch_size": "the batch size"}.get(name, name.replace("_", " "))

"""Models: small networks, one a file, built to fit a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..law.errors import nearest
from ..nn import Module
from .cnn import CNN
from .linear import LinearModel
from .mlp import MLP

if TYPE_CHECKING:
    from ..data.datasets import Data

__all__ = ["CNN", "LinearModel", "MLP", "build", "describe", "names"]

MODELS: dict[str, type[LinearModel | MLP | CNN]] = {"cnn": CNN, "linear": LinearModel, "mlp": MLP}


def names() -> list[str]:
    """List the names that `build` knows.

    >>> names()
    ['cnn', 'linear', 'mlp']
    """
    return sorted(MODELS)


def describe(name: str) -> str:
    """Say in one line what a model is.

    >>> describe("linear")
    'One layer: every output is a weighted sum of all inputs.'
    """
    return (MODELS[name].__doc__ or "").partition("\n")[0]


def build(name: str, data: Data) -> Module:
    """Build a model for a dataset: for the shape of a sample, with an output for each class or target.

    Raises: ValueError for a name that is not in `names()`, or if the model does not fit the data.

    >>> from chalkgrad.data import datasets
    >>> model = build("mlp", datasets.load("iris"))
    >>> model.fc2.weight.shape
    (3, 512)
    >>> build("cnn", datasets.load("moons"))
    Traceback (most recent call last):
    ValueError: moons: cnn needs images (c, h, w), but a sample has shape (2,). Try mlp.
    """
    if name not in MODELS:
        raise ValueError(f"There is no model {name!r}. {nearest(name, names())}")
    outputs = len(data.class_names) or data.y.shape[1]
    try:
        return MODELS[name](data.x.shape[1:], outputs)
    except ValueError as error:
        raise ValueError(f"{data.name}: {error}") from None

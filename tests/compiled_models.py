"""Models to compile, whose parts do not all look alike, and how what they leave behind is compared."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn
from chalkgrad.compiler import variant

__all__ = ["CLASSES", "MODELS", "assert_same", "batches", "state", "undivided", "two_of"]

VOCABULARY, CLASSES, ROWS, LENGTH = 11, 5, 6, 4


def undivided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep batches whole: sums are then taken in the same order, so numbers agree to the last bit."""
    monkeypatch.setattr(variant, "threads", lambda: 1)
    cg.manual_seed(0)


class Reader(nn.Module):
    """An embedding, something that goes through a sequence, and a linear layer on its last step."""

    def __init__(self, middle: nn.Module, width: int) -> None:
        super().__init__()
        self.embedding, self.middle = nn.Embedding(VOCABULARY, width), middle
        self.drop, self.head = nn.Dropout(0.2), nn.Linear(width, CLASSES)

    def forward(self, x: cg.Tensor) -> cg.Tensor:
        h = self.middle(self.embedding(x))
        h = h[0] if isinstance(h, tuple) else h
        return self.head(self.drop(h[:, -1]))


class Signal(nn.Sequential):
    """Layers that take a channel."""

    def forward(self, x: cg.Tensor) -> cg.Tensor:
        return super().forward(x.reshape(len(x), 1, -1))


def dense() -> nn.Module:
    return nn.Sequential(nn.Linear(7, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.3), nn.Linear(12, CLASSES))


def blocks() -> nn.Module:
    return nn.Sequential(*[nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True) for _ in range(2)])


MODELS: dict[str, Callable[[], nn.Module]] = {
    "dense": dense,
    "convolution": lambda: Signal(nn.Conv1d(1, 3, 3), nn.Tanh(), nn.Flatten(), nn.Linear(15, CLASSES)),
    "lstm": lambda: Reader(nn.LSTM(8, 8, batch_first=True), 8),
    "transformer": lambda: Reader(blocks(), 8),
}


def batches(name: str, count: int) -> list[tuple[cg.Tensor, cg.Tensor]]:
    """Draw inputs and classes."""
    rng = np.random.default_rng(1)
    words = name in ("lstm", "transformer")
    return [(cg.tensor(rng.integers(0, VOCABULARY, (ROWS, LENGTH)) if words else
                       rng.standard_normal((ROWS, 7)).astype(np.float32)),
             cg.tensor(rng.integers(0, CLASSES, ROWS))) for _ in range(count)]


def state(model: nn.Module) -> dict[str, Any]:
    """Copy all numbers of a model, gradients included."""
    found = {name: tensor.data.copy() for name, tensor in (*model.named_parameters(), *model.named_buffers())}
    grads = {f"{name}.grad": param.grad for name, param in model.named_parameters()}
    return found | {name: None if grad is None else grad.data.copy() for name, grad in grads.items()}


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Compare to the last bit; what has no gradient has none on both sides."""
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert (value is None) == (other[name] is None), name
        if value is not None:
            assert value.dtype == other[name].dtype and np.array_equal(value, other[name]), name


def two_of(name: str) -> tuple[nn.Module, nn.Module]:
    """Build a model twice, with the same numbers in it."""
    cg.manual_seed(3)
    model = MODELS[name]()
    return model, copy.deepcopy(model)

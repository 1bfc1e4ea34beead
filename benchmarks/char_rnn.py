"""One Adam step of a language model of letters, as an LSTM and as a GRU: 65 letters, 256 cells, 32 rows of 64."""

from __future__ import annotations

from typing import Any

from .harness.work import Workloads
from .training import Task, cross_entropy, steps, tokens

__all__ = ["KIND", "model", "workloads"]

KIND = "training"


def model(framework: Any, kind: str) -> Any:
    """Build the network: letters (b, t) -> scores of the next ones (b, t, 65)."""
    nn = framework.nn

    class Letters(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(65, 64)
            self.cells = getattr(nn, kind)(64, 256, batch_first=True)
            self.head = nn.Linear(256, 65)

        def forward(self, x: Any) -> Any:
            return self.head(self.cells(self.embedding(x))[0])

    return Letters()


def workloads(rival: str) -> Workloads:
    """Name the steps, and what builds each in one framework."""
    adam = ("Adam", {"lr": 1e-3})
    return steps(rival, {
        f"char-{kind.lower()}": Task(lambda framework, kind=kind: model(framework, kind), tokens(32, 64, 65),
                                     cross_entropy, adam)
        for kind in ("LSTM", "GRU")
    })  # fmt: skip

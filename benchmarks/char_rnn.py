"""One Adam step of a language model of letters, as an LSTM and as a GRU: 65 letters, 256 cells, 32 rows of 64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .training import RIVALS, Task, cross_entropy, steps, tokens

__all__ = ["RIVALS", "workloads"]


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


def workloads(rival: str) -> dict[str, tuple[Callable[[], Any], Callable[[], float]]]:
    """Build the steps in one framework, from the same numbers."""
    adam = ("Adam", {"lr": 1e-3})
    return steps(rival, {
        f"char-{kind.lower()}": Task(lambda framework, kind=kind: model(framework, kind), tokens(32, 64, 65),
                                     cross_entropy, adam)
        for kind in ("LSTM", "GRU")
    })  # fmt: skip

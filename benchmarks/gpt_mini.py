"""One AdamW step of a small GPT: 4 layers, 4 heads, 128 features, 32 rows of 64 letters out of 65.

The norms come first, the activation is GELU, nothing is dropped, and the table of letters is the head as well
(Radford et al. 2019).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .harness.work import Workloads
from .training import Task, cross_entropy, steps, tokens

__all__ = ["KIND", "model", "task", "workloads"]

KIND = "training"


def model(framework: Any, layers: int = 4, width: int = 128, length: int = 64) -> Any:
    """Build the network: letters (b, length) -> scores of the next ones (b, length, 65). Heads have 32 features."""
    nn = framework.nn

    class GPT(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(65, width)
            self.position = nn.Parameter(framework.zeros(length, width))
            self.layers = nn.ModuleList(
                [nn.TransformerEncoderLayer(width, width // 32, 4 * width, 0.0, "gelu", batch_first=True,
                                            norm_first=True) for _ in range(layers)]
            )
            self.norm = nn.LayerNorm(width)
            self.register_buffer("ahead", framework.tensor(np.triu(np.ones((length, length), bool), 1)))

        def forward(self, x: Any) -> Any:
            h = self.embedding(x) + self.position
            for layer in self.layers:
                h = layer(h, self.ahead, is_causal=True)  # PyTorch wants the mask, and then does not use it
            return nn.functional.linear(self.norm(h), self.embedding.weight)

    return GPT()


def task(layers: int = 4, width: int = 128, length: int = 64, count: int = 32) -> Task:
    """Train it on so many rows of letters."""
    return Task(lambda framework: model(framework, layers, width, length), tokens(count, length, 65), cross_entropy,
                ("AdamW", {"lr": 3e-4}))


def workloads(rival: str) -> Workloads:
    """Name the step, and what builds it in one framework."""
    return steps(rival, {"gpt-mini": task()})

"""One AdamW step of a small GPT: 4 layers, 4 heads, 128 features, 32 rows of 64 letters out of 65.

The norms come first, the activation is GELU, nothing is dropped, and the table of letters is the head as well
(Radford et al. 2019).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .training import RIVALS, Task, cross_entropy, steps, tokens

__all__ = ["RIVALS", "workloads"]


def model(framework: Any) -> Any:
    """Build the network: letters (b, 64) -> scores of the next ones (b, 64, 65)."""
    nn = framework.nn

    class GPT(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(65, 128)
            self.position = nn.Parameter(framework.zeros(64, 128))
            self.layers = nn.ModuleList(
                [nn.TransformerEncoderLayer(128, 4, 512, 0.0, "gelu", batch_first=True, norm_first=True)
                 for _ in range(4)]
            )
            self.norm = nn.LayerNorm(128)
            self.register_buffer("ahead", framework.tensor(np.triu(np.ones((64, 64), bool), 1)))

        def forward(self, x: Any) -> Any:
            h = self.embedding(x) + self.position
            for layer in self.layers:
                h = layer(h, self.ahead, is_causal=True)  # PyTorch wants the mask, and then does not use it
            return nn.functional.linear(self.norm(h), self.embedding.weight)

    return GPT()


def workloads(rival: str) -> dict[str, tuple[Callable[[], Any], Callable[[], float]]]:
    """Build the step in one framework, from the same numbers."""
    return steps(rival, {"gpt-mini": Task(model, tokens(32, 64, 65), cross_entropy, ("AdamW", {"lr": 3e-4}))})

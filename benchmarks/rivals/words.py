"""The words of models.py for frameworks that look like NumPy: what is the same in JAX and in autograd."""

from __future__ import annotations

from typing import Any

__all__ = ["Words"]


class Words:
    """Built on a namespace that has NumPy's names, `np`."""

    def __init__(self, np: Any) -> None:
        self.np = np
        self.exp, self.log1p, self.abs, self.transpose = np.exp, np.log1p, np.abs, np.transpose

    def linear(self, x: Any, weight: Any, bias: Any) -> Any:
        return x @ weight.T + bias

    def relu(self, x: Any) -> Any:
        return self.np.maximum(x, 0)

    def embedding(self, table: Any, places: Any) -> Any:
        return table[places]

    def layer_norm(self, x: Any, weight: Any, bias: Any) -> Any:
        centred = x - x.mean(-1, keepdims=True)
        return centred / ((centred * centred).mean(-1, keepdims=True) + 1e-5) ** 0.5 * weight + bias

    def log_softmax(self, scores: Any) -> Any:
        shifted = scores - scores.max(-1, keepdims=True)
        return shifted - self.np.log(self.np.exp(shifted).sum(-1, keepdims=True))

    def cross_entropy(self, scores: Any, target: Any) -> Any:
        log_p = self.log_softmax(scores.reshape(-1, scores.shape[-1]))
        return -log_p[self.np.arange(log_p.shape[0]), target.reshape(-1)].mean()

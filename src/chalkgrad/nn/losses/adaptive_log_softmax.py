"""AdaptiveLogSoftmaxWithLoss: a softmax over very many classes, of which few are frequent.

A language has a million words, but a few thousand of them make up most of what is said. So a first softmax chooses
among these and a few clusters, and only where a cluster is meant, a second one among its words, from fewer features the
rarer they are (Grave, Joulin, Cissé, Grangier & Jégou 2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ...engine.tensor import Tensor
from ...ops.choice import where
from ...ops.constant import zeros_like
from ...ops.shape import cat
from ..activations.log_softmax import log_softmax
from ..containers import ModuleList, Sequential
from ..layers.linear import Linear
from ..module import Module
from .nll import nll_of_each

__all__ = ["ASMOutput", "AdaptiveLogSoftmaxWithLoss"]


class ASMOutput(NamedTuple):
    """What the module returns: the log-probability of each true class, and minus their mean."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """log p(c) = log p_head(c) for frequent classes c, log p_head(cluster of c) + log p_cluster(c) for others.

    Class 0 is the most frequent. A call returns the log-probabilities of the targets, and minus their mean, the loss.

    in_features  the size of the input's last axis
    n_classes    how many classes there are
    cutoffs      where clusters begin: classes below the first stand in the head; increasing, from 1 to n_classes - 1
    div_value    by what the number of features is divided from cluster to cluster
    head_bias    whether the head has a bias

    A cluster that no target is in gets a gradient of zeros, where PyTorch leaves none.

    Raises ValueError for other cutoffs, a div_value that is not above 0, or shapes that do
    not fit; IndexError for a target that is no class.

    Source: Grave et al. 2017.

    >>> import chalkgrad as cg
    >>> module = cg.nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs=[5, 10])
    >>> output, loss = module(cg.ones(4, 8), cg.tensor([0, 7, 12, 19]))
    >>> output.shape, loss.shape, module.log_prob(cg.ones(4, 8)).shape
    ((4,), (), (4, 20))
    """

    def __init__(
        self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0, head_bias: bool = False,
        dtype: Any = np.float32,
    ) -> None:
        super().__init__()
        bounds = [0, *cutoffs, n_classes]
        if len(bounds) < 3 or any(int(b) != b for b in bounds) or any(a >= b for a, b in pairwise(bounds)):
            raise ValueError(f"AdaptiveLogSoftmaxWithLoss: cutoffs are increasing integers from 1 to {n_classes - 1}, "
                             f"but {list(cutoffs)} came.")
        if not div_value > 0:
            raise ValueError(f"AdaptiveLogSoftmaxWithLoss: div_value is a number above 0, but {div_value} came.")
        self.in_features, self.n_classes, self.cutoffs = in_features, n_classes, [*cutoffs, n_classes]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = self.cutoffs[0], len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, dtype)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            narrow = int(in_features // div_value ** (i + 1))
            layers = Linear(in_features, narrow, False, dtype), Linear(narrow, high - low, False, dtype)
            self.tail.append(Sequential(*layers))

    def reset_parameters(self) -> None:
        """Draw new weights."""
        for module in self.modules():
            if isinstance(module, Linear):
                module.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> ASMOutput:
        """input_ (n, in_features), target_ (n) -> output (n), loss ()."""
        self._check(input_, target_)
        rows, labels = (input_, target_) if target_.ndim else (input_.unsqueeze(0), target_.unsqueeze(0))
        column, inner = labels, zeros_like(rows[:, 0])
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            mask = (labels >= low) & (labels < high)
            column = where(mask, self.shortlist_size + i, column)
            # only the rows whose class is in the cluster pass through it
            found = zeros_like(inner)
            found[mask] = _log_p_of(self.tail[i](rows[mask]), labels[mask] - low)
            inner = inner + found
        output = _log_p_of(self.head(rows), column) + inner
        loss = -output.mean()
        return ASMOutput(output if target_.ndim else output.squeeze(0), loss)

    def _check(self, input: Tensor, target: Tensor) -> None:
        if target.ndim > 1 or input.ndim != target.ndim + 1 or input.shape[:-1] != target.shape:
            raise ValueError(f"AdaptiveLogSoftmaxWithLoss: input has shape {input.shape} and target {target.shape}, "
                             "but (n, in_features) and (n), or (in_features) and (), were expected.")
        if target.data.size and not 0 <= target.data.min() <= target.data.max() < self.n_classes:
            raise IndexError(f"AdaptiveLogSoftmaxWithLoss: target holds numbers from {target.data.min()} to "
                             f"{target.data.max()}, but classes are 0 to {self.n_classes - 1}.")

    def log_prob(self, input: Tensor) -> Tensor:
        """Log-probabilities of all classes: input (n, in_features) -> y (n, n_classes)."""
        head, first = log_softmax(self.head(input), 1), self.shortlist_size
        log_p = [head[:, :first]]
        for i, tail in enumerate(self.tail, first):
            log_p.append(head[:, i : i + 1] + log_softmax(tail(input), 1))
        y: Tensor = cat(log_p, 1)
        return y

    def predict(self, input: Tensor) -> Tensor:
        """The likeliest class of each row: input (n, in_features) -> y (n)."""
        y: Tensor = self.log_prob(input).argmax(1)
        return y


def _log_p_of(scores: Tensor, labels: Tensor) -> Tensor:
    """Log-probability of one class in each row: scores (n, c), labels (n) -> y (n)."""
    losses, _, _ = nll_of_each(log_softmax(scores, 1), labels)
    y: Tensor = -losses
    return y

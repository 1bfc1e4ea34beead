"""InfoNCE: to tell what belongs together from what does not.

Nothing need be labelled: two views of one thing belong together, and the rest of the batch does not. Picking the right
one among them is a classification whose loss bounds from below what the two views know of each other (van den Oord, Li
& Vinyals 2018). SimCLR and CLIP learn with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .reduction import Loss, check_reduction, check_same_shape, reduced

__all__ = ["InfoNCELoss", "info_nce", "info_nce_loss"]


@primitive
def info_nce(query, key, *, temperature=0.1):
    """How surprising it is that query i belongs to key i, among all keys.

    query (n, d), key (n, d) -> losses (n)

    lossᵢ = -log softmax(⟨qᵢ, kⱼ⟩ / temperature)ᵢ, the softmax over all j

    Source: van den Oord, Li & Vinyals 2018, eq. 4, with exp(⟨q, k⟩ / temperature) as the density ratio.

    >>> info_nce(np.eye(2), np.eye(2), temperature=1.0)
    array([0.31326169, 0.31326169])
    """
    scores = query @ key.T / temperature
    # only differences between scores count; with the largest of a row at 0, exp cannot overflow
    z      = scores - scores.max(axis=1, keepdims=True)
    log_p  = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    rows   = np.arange(len(query))
    losses = -log_p[rows, rows]
    return losses


@info_nce.backward
def info_nce_backward(grad_losses, query, key, log_p, rows, temperature):
    """
    1. as in cross-entropy, ∂lossᵢ/∂scoreᵢⱼ = pᵢⱼ - 1{j=i}
    2. scores = Q Kᵀ / temperature, so by Q it is that times K / temperature, and by K its transpose times Q
    """
    share = grad_losses / temperature
    slope = np.expand_dims(share, 1) * np.exp(log_p)
    slope[rows, rows] -= share
    grad_query = slope @ key
    grad_key   = slope.T @ query
    return grad_query, grad_key


@info_nce.examples
def info_nce_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Pairs; cold, with large scores; a single pair, which nothing can be taken for."""
    draw = rng.standard_normal
    return [
        (draw((4, 3)), draw((4, 3)), {"temperature": 1.0}),
        (10 * draw((3, 2)), draw((3, 2)), {"temperature": 0.5}),
        (draw((1, 3)), draw((1, 3))),
    ]


def info_nce_loss(
    query: Tensor, key: Tensor, temperature: float = 0.1, normalize: bool = True, reduction: str = "mean"
) -> Tensor:
    """Cross-entropy of finding, for each query, its key among all of the batch.

    query, key   vectors, of which those in the same place belong together: (n, d)
    temperature  what scores are divided by, above 0: the lower, the more the nearest wrong ones count
    normalize    give all vectors the length 1 before, so that the scores are cosines (Chen et al. 2020, eq. 1)
    reduction    "mean", "sum", or "none" for the loss of each query

    Raises ValueError for other shapes, another reduction, or a temperature that is not above 0.

    >>> from chalkgrad import tensor
    >>> info_nce_loss(tensor([[1.0, 0.0], [0.0, 2.0]]), tensor([[3.0, 0.0], [0.0, 4.0]]), temperature=1.0)
    tensor(0.3133)
    """
    check_reduction("info_nce_loss", reduction)
    check_same_shape("info_nce_loss: query as input, key as target", query, key)
    if query.ndim != 2:
        raise ValueError(f"info_nce_loss: query has shape {query.shape}, but (n, d), a row for each, was expected.")
    if not temperature > 0:
        raise ValueError(f"info_nce_loss: temperature is above 0, but {temperature} came.")
    if normalize:
        query, key = _unit(query), _unit(key)
    return reduced(info_nce(query, key, temperature=temperature), reduction)


def _unit(x: Tensor) -> Tensor:
    """Give each row the length 1; the addend leaves a row of zeros what it is."""
    unit: Tensor = x / ((x * x).sum(1, keepdim=True) + 1e-12).sqrt()
    return unit


class InfoNCELoss(Loss):
    """lossᵢ = -log softmax(⟨qᵢ, kⱼ⟩ / temperature)ᵢ, by default for vectors brought to the length 1.

    >>> import chalkgrad as cg
    >>> cg.nn.InfoNCELoss(temperature=1.0)(cg.eye(2), cg.eye(2))
    tensor(0.3133)
    """

    def __init__(self, temperature: float = 0.1, normalize: bool = True, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.temperature, self.normalize = temperature, normalize

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        """query (n, d), key (n, d) -> loss ()."""
        return info_nce_loss(query, key, self.temperature, self.normalize, self.reduction)

"""CosineEmbedding: vectors of what is alike are to point the same way, the others not.

Whether two vectors point the same way is told by the cosine between them, however long they are; so are words compared
by their embeddings. Pulling and pushing by it is as old as the Siamese network (Bromley et al. 1993).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .reduction import Loss, check_reduction, reduced

__all__ = ["CosineEmbeddingLoss", "cosine_embedding", "cosine_embedding_loss"]


@primitive
def cosine_embedding(input1, input2, target, *, margin=0.0):
    """1 - cos where target is 1, max(0, cos - margin) where it is -1; cos = ⟨x₁, x₂⟩ / (|x₁| |x₂|) along the last axis.

    input1 (..., d), input2 (..., d), target (...) -> losses (...)

    To each squared length 1e-12 is added, as in PyTorch: the cosine of a vector of zeros is 0.

    Source: Bromley et al. 1993.

    >>> from chalkgrad import tensor
    >>> cosine_embedding(tensor([[1.0, 0.0], [1.0, 0.0]]), tensor([[0.0, 2.0], [2.0, 0.0]]), tensor([1, -1]))
    tensor([1., 1.])
    """
    alike   = target == 1
    unalike = target == -1
    square1 = (input1 * input1).sum(axis=-1) + 1e-12
    square2 = (input2 * input2).sum(axis=-1) + 1e-12
    lengths = np.sqrt(square1 * square2)
    cosine  = (input1 * input2).sum(axis=-1) / lengths
    beyond  = cosine - margin
    losses  = (1 - cosine) * alike + np.maximum(beyond, np.zeros_like(beyond)) * unalike
    return losses


@cosine_embedding.backward
def cosine_embedding_backward(grad_losses, input1, input2, alike, unalike, square1, square2, lengths, cosine, beyond):
    """
    1. ∂loss/∂cos = -1 where alike; 1 where not, as long as cos - margin is not below 0
    2. ∂⟨x₁, x₂⟩/∂x₁ = x₂, and ∂|x₁|⁻¹/∂x₁ = -x₁ |x₁|⁻³
    3. ∂cos/∂x₁ = x₂ / (|x₁| |x₂|) - cos · x₁ / |x₁|²: what of x₂ is not along x₁; turning counts, growing does not
    """
    grad_cosine = grad_losses * (unalike * (beyond >= 0)) - grad_losses * alike
    across = np.expand_dims(grad_cosine / lengths, -1)
    along1 = np.expand_dims(grad_cosine * cosine / square1, -1)
    along2 = np.expand_dims(grad_cosine * cosine / square2, -1)
    grad_input1 = across * input2 - along1 * input1
    grad_input2 = across * input1 - along2 * input2
    return grad_input1, grad_input2


@cosine_embedding.examples
def cosine_embedding_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Alike, not, and neither; a margin, one vector against many; a single pair; equal vectors."""
    draw = rng.standard_normal
    return [
        (draw((4, 3)), draw((4, 3)), np.array([1, -1, -1, 0])),
        (draw(3), draw((4, 3)), np.array([1, -1, -1, -1]), {"margin": 0.25}),
        (draw(3), draw(3), np.array(1)),
        (np.ones((2, 3)), np.ones((2, 3)), np.array([1, -1])),
    ]


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0, size_average: None = None,
    reduce: None = None, reduction: str = "mean",
) -> Tensor:
    """How far vectors of what is alike are from pointing the same way, and the others from not doing so.

    input1, input2  vectors: (d) or (n, d)
    target          1 where the two are alike, -1 where not: () or (n)
    margin          the cosine, -1 to 1, up to which others may come near for nothing
    reduction       "mean", "sum", or "none" for the losses themselves

    Raises ValueError for shapes that do not fit, or another reduction.

    >>> from chalkgrad import tensor
    >>> cosine_embedding_loss(tensor([[1.0, 0.0]]), tensor([[1.0, 1.0]]), tensor([1]))
    tensor(0.2929)
    """
    check_reduction("cosine_embedding_loss", reduction, size_average, reduce)
    if target.ndim > 1 or not input1.ndim == input2.ndim == target.ndim + 1:
        raise ValueError(f"cosine_embedding_loss: input1 has shape {input1.shape}, input2 {input2.shape} and target "
                         f"{target.shape}, but (n, d), (n, d) and (n), or (d), (d) and () were expected.")
    return reduced(cosine_embedding(input1, input2, target.detach(), margin=margin), reduction)


class CosineEmbeddingLoss(Loss):
    """loss = 1 - cos where target is 1, max(0, cos - margin) where it is -1, for the cosine between two vectors.

    >>> import chalkgrad as cg
    >>> cg.nn.CosineEmbeddingLoss()(cg.tensor([[1.0, 0.0]]), cg.tensor([[1.0, 1.0]]), cg.tensor([1]))
    tensor(0.2929)
    """

    def __init__(
        self, margin: float = 0.0, size_average: None = None, reduce: None = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """input1 (n, d), input2 (n, d), target (n) -> loss ()."""
        return cosine_embedding_loss(input1, input2, target, self.margin, reduction=self.reduction)

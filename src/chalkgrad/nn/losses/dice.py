"""Dice: how much two regions overlap.

Where one voxel in a thousand is tumour, saying "none" is right nearly everywhere. Dice (1945) measured how often two
species are met together by twice the meetings over both counts; V-Net learns to segment by making just that large
(Milletari, Navab & Ahmadi 2016).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .reduction import Loss, as_float, check_reduction, check_same_shape, reduced

__all__ = ["DiceLoss", "dice", "dice_loss"]


@primitive
def dice(p, g, *, eps=1e-6):
    """1 less the overlap of each example: loss = 1 - (2 Σ p g + eps) / (Σ p² + Σ g² + eps).

    p (n, ...), g (n, ...) -> losses (n)

    eps lets two empty regions overlap wholly.

    Source: Milletari, Navab & Ahmadi 2016, section 3, without the eps; Dice 1945.

    >>> dice(np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]), eps=1e-9)
    array([0.33333333, 0.        ])
    """
    axes   = tuple(range(1, p.ndim))
    shared = 2 * (p * g).sum(axis=axes, keepdims=True) + eps
    both   = (p * p + g * g).sum(axis=axes, keepdims=True) + eps
    losses = (1 - shared / both).reshape(p.shape[0])
    return losses


@dice.backward
def dice_backward(grad_losses, p, g, shared, both):
    """
    1. with the overlap D = shared/both, ∂shared/∂p = 2g and ∂both/∂p = 2p
    2. ∂D/∂p = (2g · both - 2p · shared) / both² = 2 (g - D p) / both; and g enters as p does
    """
    overlap = shared / both
    share   = -2 * grad_losses.reshape(both.shape) / both
    grad_p  = share * (g - overlap * p)
    grad_g  = share * (p - overlap * g)
    return grad_p, grad_g


@dice.examples
def dice_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Pictures of yes and no; rows of probabilities; regions without anything."""
    return [
        (rng.random((2, 3, 4)), rng.integers(0, 2, (2, 3, 4)) * 1.0),
        (rng.random((3, 4)), rng.random((3, 4)), {"eps": 1.0}),
        (np.zeros((2, 3)), np.zeros((2, 3)), {"eps": 1.0}),
    ]


def dice_loss(input: Tensor, target: Tensor, eps: float = 1e-6, reduction: str = "mean") -> Tensor:
    """1 less the overlap of predicted and true regions, for each example along the first axis.

    input      probabilities, as a sigmoid or softmax gives them: (n, ...)
    target     1 inside of the region, 0 outside: the shape of input
    eps        what lets two empty regions overlap wholly, above 0
    reduction  "mean", "sum", or "none" for the loss of each example

    Raises ValueError if the shapes differ or have fewer than two axes, for another reduction, or an eps not above 0.

    >>> from chalkgrad import tensor
    >>> dice_loss(tensor([[1.0, 1.0, 0.0]]), tensor([[1, 0, 0]]))
    tensor(0.3333)
    """
    check_reduction("dice_loss", reduction)
    check_same_shape("dice_loss", input, target)
    if input.ndim < 2:
        raise ValueError(f"dice_loss: input has shape {input.shape}, but an axis of examples and one of places were "
                         "expected: (n, ...). Try: input.unsqueeze(0), target.unsqueeze(0).")
    if not eps > 0:
        raise ValueError(f"dice_loss: eps is above 0, since two empty regions would be 0/0, but {eps} came.")
    return reduced(dice(input, as_float(target, input), eps=eps), reduction)


class DiceLoss(Loss):
    """loss = 1 - 2 Σ p g / (Σ p² + Σ g²), for probabilities p and a region g.

    >>> import chalkgrad as cg
    >>> cg.nn.DiceLoss()(cg.tensor([[1.0, 1.0, 0.0]]), cg.tensor([[1, 0, 0]]))
    tensor(0.3333)
    """

    def __init__(self, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (n, ...), target (n, ...) -> loss ()."""
        return dice_loss(input, target, self.eps, self.reduction)

"""PairwiseDistance: how far each vector is from its partner."""

from __future__ import annotations

from ...engine.tensor import Tensor
from ...ops.distance import distance
from ..module import Module

__all__ = ["PairwiseDistance", "pairwise_distance"]


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """Distance ‖x1 - x2 + eps‖ along the last axis, by the p-norm.

    x1, x2   (..., d)
    eps      added to each difference, so that there is a slope also where the vectors are equal
    keepdim  leave the last axis, with size 1

    >>> from chalkgrad import tensor
    >>> pairwise_distance(tensor([[0.0, 0.0]]), tensor([[3.0, 4.0], [0.0, 2.0]]))
    tensor([5., 2.])
    """
    y: Tensor = distance(x1, x2, p=p, eps=eps, keepdims=keepdim)
    return y


class PairwiseDistance(Module):
    """Distance ‖x1 - x2 + eps‖ along the last axis; the arguments are explained at `pairwise_distance`.

    >>> import chalkgrad as cg
    >>> cg.nn.PairwiseDistance(p=1.0)(cg.tensor([[0.0, 0.0]]), cg.tensor([[3.0, 4.0]]))
    tensor([7.])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """x1 (..., d), x2 (..., d) -> y (...)."""
        return pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)

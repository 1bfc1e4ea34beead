"""Softmax2d: at each place of an image, the probabilities of a choice among channels.

What is in this pixel? Each channel has a score for one answer; a softmax over the channels is taken at each place
alone.
"""

from __future__ import annotations

from ...engine.tensor import Tensor
from ..module import Module
from .softmax import softmax

__all__ = ["Softmax2d"]


class Softmax2d(Module):
    """yᵢ = exp xᵢ / Σⱼ exp xⱼ over the channels, the third axis from the end.

    Source: Bridle 1990.

    Raises ValueError for other inputs than (c, h, w) and (n, c, h, w).

    >>> import chalkgrad as cg
    >>> cg.nn.Softmax2d()(cg.zeros(1, 4, 1, 1)).reshape(-1)
    tensor([0.25, 0.25, 0.25, 0.25])
    """

    def forward(self, input: Tensor) -> Tensor:
        """input (n, c, h, w) -> y (n, c, h, w)."""
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: input is {input.shape}, but images are (n, c, h, w) or (c, h, w).")
        return softmax(input, -3)

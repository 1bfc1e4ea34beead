"""ArcTan: between -π/2 and π/2, with a slope that fades slowly.

It bends like tanh but nears its bounds as 1/x does, not exponentially, as softsign; the derivation stands beside the
function, in ops/trigonometry.py.
"""

from __future__ import annotations

from ...engine.tensor import Tensor
from ...ops.trigonometry import atan
from ..module import Module

__all__ = ["ArcTan"]


class ArcTan(Module):
    """y = arctan x, with the slope 1 / (1 + x²).

    Source: folklore.

    >>> import chalkgrad as cg
    >>> cg.nn.ArcTan()(cg.tensor([0.0, 1.0]))
    tensor([0.    , 0.7854])
    """

    def forward(self, x: Tensor) -> Tensor:
        """x (...) -> y (...)."""
        y: Tensor = atan(x)
        return y

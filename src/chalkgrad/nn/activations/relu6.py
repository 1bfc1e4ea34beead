"""ReLU6: a ReLU that is full at 6.

With bounds on both sides, few bits are enough to say where between them a number lies: good for networks on phones
(Krizhevsky 2010; Sandler et al. 2018, MobileNetV2).
"""

from __future__ import annotations

from typing import ClassVar

from ...engine.tensor import Tensor
from .hardtanh import Hardtanh, hardtanh

__all__ = ["ReLU6", "relu6"]


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6).

    >>> from chalkgrad import tensor
    >>> relu6(tensor([-1.0, 3.0, 7.0]))
    tensor([0., 3., 6.])
    """
    return hardtanh(input, 0.0, 6.0, inplace)


class ReLU6(Hardtanh):
    """y = min(max(x, 0), 6); with inplace, y is written over x.

    >>> import chalkgrad as cg
    >>> cg.nn.ReLU6()(cg.tensor([-1.0, 7.0]))
    tensor([0., 6.])
    """

    shown: ClassVar[tuple[str, ...]] = ()

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

"""Softmin: the smaller a number, the likelier it is chosen.

A softmax of the numbers turned round: what to call it if they are costs, or energies, as with Boltzmann (1868).
"""

from __future__ import annotations

from typing import Any

from ...engine.tensor import Tensor
from .softmax import Softmax, check_axis, softmax

__all__ = ["Softmin", "softmin"]


def softmin(input: Tensor, dim: int | None = None, dtype: Any = None) -> Tensor:
    """Turn costs along `dim` into probabilities, which add up to 1.

    dtype  what to convert the input to before, so that small differences survive

    Raises ValueError if dim is None: PyTorch warns, and takes the first or the second axis by a rule that few know.

    >>> from chalkgrad import tensor
    >>> softmin(tensor([0.0, 0.0, 1000.0]), dim=0)
    tensor([0.5, 0.5, 0. ])
    """
    check_axis("softmin", dim, input)
    return softmax(-input, dim, dtype)


class Softmin(Softmax):
    """yᵢ = exp(-xᵢ) / Σⱼ exp(-xⱼ) along the axis `dim`.

    Source: Boltzmann 1868.

    >>> import chalkgrad as cg
    >>> cg.nn.Softmin(dim=-1)(cg.zeros(1, 4))
    tensor([[0.25, 0.25, 0.25, 0.25]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        return softmin(input, self.dim)

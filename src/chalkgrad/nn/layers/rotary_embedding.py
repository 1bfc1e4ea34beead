"""RotaryEmbedding: turn queries and keys by an angle that grows with their position.

Two vectors that are turned by different angles have a scalar product that depends on the difference of the angles. So
attention sees how far two positions are apart, wherever they stand, and nothing has to be learned for it (Su et al.
2021). Features are turned in pairs, each pair at a speed of its own, from one radian a position down to 1/base.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ..module import Module

__all__ = ["RotaryEmbedding", "halves", "rotary_angles", "rotary_embedding", "turned"]


def rotary_angles(positions, dim, base):
    """Compute by which angle the i-th pair is turned at each position: θ = position · base^(-2i/dim), (t, dim/2).

    Source: Su et al. 2021, eq. 15.

    >>> rotary_angles(np.array([0, 1, 2]), 4, base=100.0)
    array([[0. , 0. ],
           [1. , 0.1],
           [2. , 0.2]])
    """
    return positions[:, None] * base ** (-np.arange(0, dim, 2) / dim)


def halves(dim, interleaved):
    """Name the first and the second feature of all pairs: neighbours, or one from each half.

    >>> halves(4, interleaved=False)
    (slice(0, 2, 1), slice(2, 4, 1))
    """
    if interleaved:
        return slice(0, dim, 2), slice(1, dim, 2)
    return slice(0, dim // 2, 1), slice(dim // 2, dim, 1)


def turned(x, cos, sin, first, second):
    """Turn the plane of each pair by the angle whose cosine and sine are given.

    >>> turned(np.array([[1.0, 0.0]]), np.array([[0.0]]), np.array([[1.0]]), *halves(2, True))  # a quarter turn
    array([[0., 1.]])
    """
    y = np.empty_like(x)
    y[..., first]  = x[..., first] * cos - x[..., second] * sin
    y[..., second] = x[..., first] * sin + x[..., second] * cos
    return y


@primitive
def rotary_embedding(x, *, base=10000.0, offset=0, interleaved=True):
    """Turn each pair: (a, b) becomes (a cos θ - b sin θ, a sin θ + b cos θ), with θ = position · base^(-2i/c).

    x (..., t, c) -> y (..., t, c)

    base         how slow the slowest pair turns: one radian in about so many positions
    offset       the position that x starts at
    interleaved  pairs are neighbours; else the first half of the features is paired with the second

    Source: Su et al. 2021, eq. 34.

    >>> from chalkgrad import tensor
    >>> rotary_embedding(tensor([[1.0, 0.0], [1.0, 0.0]]))
    tensor([[1.    , 0.    ],
            [0.5403, 0.8415]])
    """
    t, c  = x.shape[-2:]
    first, second = halves(c, interleaved)
    angle = rotary_angles(np.arange(offset, offset + t), c, base)
    cos   = np.cos(angle).astype(x.dtype)
    sin   = np.sin(angle).astype(x.dtype)
    y     = turned(x, cos, sin, first, second)
    return y


@rotary_embedding.backward
def rotary_embedding_backward(grad_y, cos, sin, first, second):
    """
    1. y = R x with the rotation R by θ in each plane, so ∂loss/∂x = Rᵀ ∂loss/∂y
    2. Rᵀ is the rotation back, by -θ: the same with sin(-θ) = -sin θ
    """
    grad_x = turned(grad_y, cos, -sin, first, second)
    return grad_x


@rotary_embedding.examples
def rotary_embedding_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """A sequence; heads, from the 8th position on; halves; a single position, which is not turned."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)),),
        (draw((2, 2, 3, 4)), {"base": 10.0, "offset": 7}),
        (draw((2, 3, 6)), {"base": 100.0, "interleaved": False}),
        (draw((1, 2)),),
    ]


class RotaryEmbedding(Module):
    """Turn queries or keys (..., t, dim) by their positions: call it on both, before attention.

    dim          the features of a head, an even number
    base         how slow the slowest pair turns: one radian in about so many positions
    interleaved  whether pairs are neighbours (0, 1), (2, 3), ..., as in the paper; else the first half of the features
                 is paired with the second, as in many published weights

    Nothing is learned, and there is no state.

    Raises ValueError for an odd dim or a base that is not above 0.

    >>> import chalkgrad as cg
    >>> rope, x = RotaryEmbedding(4), cg.randn(2, 5, 4)
    >>> bool(cg.allclose(rope(x)[:, 1:], rope(x[:, 1:], offset=1)))
    True
    """

    def __init__(self, dim: int, base: float = 10000.0, interleaved: bool = True) -> None:
        super().__init__()
        if not isinstance(dim, int) or dim < 2 or dim % 2:
            raise ValueError(f"RotaryEmbedding: dim is an even number from 2 up, since features go in pairs, but "
                             f"{dim!r} came.")
        if not base > 0 or not math.isfinite(base):
            raise ValueError(f"RotaryEmbedding: base is a number above 0, but {base!r} came.")
        self.dim, self.base, self.interleaved = dim, base, interleaved

    def forward(self, x: Tensor, offset: int = 0) -> Tensor:
        """x (..., t, dim) -> y (..., t, dim); the first position is `offset`, for a sequence that goes on.

        Raises ShapeError for another number of features.
        """
        if x.ndim < 2 or x.shape[-1] != self.dim:
            raise ShapeError(f"RotaryEmbedding: x has shape {x.shape}, but (..., positions, {self.dim}) was expected.")
        y: Tensor = rotary_embedding(x, base=self.base, offset=offset, interleaved=self.interleaved)
        return y

    def extra_repr(self) -> str:
        """Say the sizes and options."""
        return f"{self.dim}, base={self.base}, interleaved={self.interleaved}"

"""LocalResponseNorm: what a channel says is damped by how loud its neighbours are.

Neurons inhibit their neighbours, so that the strongest stand out. It was part of the network that started the rise of
deep learning in 2012 (Krizhevsky, Sutskever & Hinton 2012); batch normalization has taken its place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ..module import Module

__all__ = ["LocalResponseNorm", "local_response_norm", "local_response_norm_of", "neighbours"]


def neighbours(x, before, after):
    """Add up each channel, as many `before` it and as many `after` it, as far as there are.

    >>> neighbours(np.array([[1, 10, 100, 1000]]), before=0, after=2)
    array([[ 111, 1110, 1100, 1000]])
    """
    c     = x.shape[1]
    total = x.copy()
    for k in range(1, min(before, c - 1) + 1):
        total[:, k:] += x[:, :-k]
    for k in range(1, min(after, c - 1) + 1):
        total[:, :-k] += x[:, k:]
    return total


@primitive
def local_response_norm_of(x, *, size, alpha=1e-4, beta=0.75, k=1.0):
    """Divide each channel by a power of the squares around it: yᵢ = xᵢ / (k + (α/size) Σⱼ xⱼ²)^β.

    x (n, c, ...) -> y (n, c, ...)

    size  of the window of channels j: ⌊size/2⌋ before channel i, and the rest from i on

    Source: Krizhevsky, Sutskever & Hinton 2012, section 3.3. As in PyTorch α is divided by size, also where the window
    hangs out.

    >>> local_response_norm_of(np.array([[[1.0], [2.0], [3.0]]]), size=2, alpha=2.0, beta=1.0, k=0.0)[0, :, 0]
    array([1.        , 0.4       , 0.23076923])
    """
    before = size // 2
    after  = (size - 1) // 2
    power  = k + alpha / size * neighbours(x * x, before, after)
    scale  = power ** -beta
    y      = x * scale
    return y


@local_response_norm_of.backward
def local_response_norm_of_backward(grad_y, x, y, power, scale, before, after, size, alpha, beta):
    """
    1. yᵢ = xᵢ sᵢ^-β with sᵢ = k + (α/size) Σⱼ xⱼ², over the window of i
    2. xⱼ moves yⱼ directly, by sⱼ^-β, and every sᵢ whose window it is in: ∂sᵢ/∂xⱼ = 2 (α/size) xⱼ
    3. ∂yᵢ/∂sᵢ = -β xᵢ sᵢ^(-β-1) = -β yᵢ/sᵢ
    4. ∂loss/∂xⱼ = gⱼ sⱼ^-β - 2β (α/size) xⱼ Σᵢ gᵢ yᵢ/sᵢ, over the i whose windows j is in: as many before j as a
       window has after its channel, and the other way round
    """
    grad_x  = grad_y * scale
    grad_x -= 2 * beta * alpha / size * x * neighbours(grad_y * y / power, after, before)
    return grad_x


@local_response_norm_of.examples
def local_response_norm_of_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Pictures; an even window of a few rows; a window larger than all channels; one channel by itself; nothing."""
    draw = rng.standard_normal
    return [
        (draw((2, 5, 2, 2)), {"size": 3, "alpha": 0.5}),
        (draw((2, 4, 3)), {"size": 2, "alpha": 0.7, "beta": 1.5, "k": 2.0}),
        (draw((1, 3, 2)), {"size": 9, "alpha": 2.0}),
        (draw((2, 1, 3)), {"size": 1, "alpha": 2.0, "beta": 0.5}),
        (np.zeros((0, 3, 2)), {"size": 2}),
    ]


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Divide each channel by a power of the squares around it; the arguments are explained at `local_response_norm_of`.

    input (n, c, ...) -> y (n, c, ...)

    Raises ShapeError for fewer than three axes, ValueError for an empty window.

    >>> from chalkgrad import ones
    >>> local_response_norm(ones(1, 3, 1), 3, alpha=3.0, beta=1.0)
    tensor([[[0.3333],
             [0.25  ],
             [0.3333]]])
    """
    if input.ndim < 3:
        raise ShapeError(f"local_response_norm: (n, c, ...) with three axes or more is expected, not {input.shape}.")
    if size < 1:
        raise ValueError(f"local_response_norm: size is the number of channels in a window, 1 or more, not {size}.")
    if not input.numel():
        nothing: Tensor = input.clone()  # of integers, too
        return nothing
    y: Tensor = local_response_norm_of(input, size=size, alpha=alpha, beta=beta, k=k)
    return y


class LocalResponseNorm(Module):
    """yᵢ = xᵢ / (k + (alpha/size) Σⱼ xⱼ²)^beta, over the `size` channels j around channel i.

    Raises ShapeError for fewer than three axes, ValueError for an empty window.

    >>> import chalkgrad as cg
    >>> cg.nn.LocalResponseNorm(2)(cg.randn(5, 8, 28, 28)).shape
    (5, 8, 28, 28)
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor) -> Tensor:
        """input (n, c, ...) -> y (n, c, ...)."""
        return local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """Say the window and the numbers, as PyTorch does."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"

"""RMSNorm: each example is brought to one length, and then every feature to a spread that is learned.

LayerNorm also moves the mean to 0. That can be left out: it is the length that keeps a deep network in step, and there
is less to compute (Zhang & Sennrich 2019). Most large language models since have it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ...ops.special import sum_along
from .. import init
from ..module import Module, Parameter

__all__ = ["RMSNorm", "rms_norm", "rms_norm_over"]


@primitive
def rms_norm_over(x, weight=None, *, eps):
    """Divide every row by its root mean square, and scale it: y = weight · x / √(mean x² + eps).

    x (..., c), weight (c) -> y (..., c)

    eps  keeps a row of zeros from a division by 0

    Source: Zhang & Sennrich 2019, eq. 4.

    >>> from chalkgrad import tensor
    >>> rms_norm_over(tensor([[1.0, 7.0], [0.0, 0.0]]), eps=1e-6)
    tensor([[0.2, 1.4],
            [0. , 0. ]])
    """
    c     = x.shape[-1]
    rstd  = 1 / np.sqrt(sum_along(x * x, -1) / c + eps)
    x_hat = x * rstd
    if weight is None:
        y = x_hat.copy()  # x_hat is remembered, but y is handed out, and may be changed
    else:
        y = x_hat * weight
    return y


@rms_norm_over.backward
def rms_norm_over_backward(grad_y, weight, x_hat, rstd, c):
    """
    1. y = weight · x̂, so ∂loss/∂weight = g · x̂, and ĝ = ∂loss/∂x̂ = g · weight
    2. x̂ᵢ = xᵢ · rstd with rstd = 1/√(mean x² + eps), and ∂rstd/∂xⱼ = -rstd³ xⱼ/c = -rstd² x̂ⱼ/c
    3. ∂x̂ᵢ/∂xⱼ = rstd · (1{i=j} - x̂ᵢ x̂ⱼ/c)
    4. ∂loss/∂xⱼ = Σᵢ ĝᵢ ∂x̂ᵢ/∂xⱼ = rstd · (ĝⱼ - x̂ⱼ (1/c) Σᵢ ĝᵢ x̂ᵢ):
       the gradient loses its part along x̂, since stretching a row changes nothing
    """
    grad_weight = grad_y * x_hat
    if weight is None:
        scale = np.ones_like(x_hat, shape=c)
    else:
        scale = weight
    along_x_hat = grad_weight @ scale[:, None] / c
    grad_x      = grad_y * scale
    grad_x -= x_hat * along_x_hat
    grad_x *= rstd
    return grad_x, grad_weight


@rms_norm_over.examples
def rms_norm_over_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Rows; rows within rows, without a weight; a single row; a row of zeros."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)), draw(4), {"eps": 1e-6}),
        (draw((2, 3, 4)), None, {"eps": 1e-3}),
        (100 + draw(4), draw(4), {"eps": 1e-6}),
        (np.zeros((1, 4)), draw(4), {"eps": 0.1}),
    ]


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """Bring the last axes, those of `normalized_shape`, to a root mean square of 1.

    input   (..., *normalized_shape)
    weight  normalized_shape
    eps     keeps zeros from a division by 0; if not given, the distance from 1 to the next number of input's dtype

    Raises ShapeError if one of these has another shape.

    >>> from chalkgrad import tensor
    >>> rms_norm(tensor([[1.0, 7.0], [5.0, 5.0]]), (2, 2))
    tensor([[0.2, 1.4],
            [1. , 1. ]])
    """
    sizes = tuple(normalized_shape)
    if not sizes or input.shape[-len(sizes):] != sizes:
        raise ShapeError(f"rms_norm: normalized_shape is {sizes}, but input has shape {input.shape}, which does not "
                         "end in it. It names the sizes of the last axes, one or more.")
    if weight is not None and weight.shape != sizes:
        raise ShapeError(f"rms_norm: weight has shape {weight.shape}, but normalized_shape is {sizes}.")
    if input.dtype.kind != "f":
        raise TypeError(f"rms_norm: input is {input.dtype}, but floats are normalized. Try: input.float().")
    eps = float(np.finfo(input.dtype).eps) if eps is None else eps
    if len(sizes) > 1:
        flat = None if weight is None else weight.reshape(-1)
        rows: Tensor = rms_norm_over(input.reshape(*input.shape[:-len(sizes)], math.prod(sizes)), flat, eps=eps)
        y: Tensor = rows.reshape(input.shape)
        return y
    y = rms_norm_over(input, weight, eps=eps)
    return y


class RMSNorm(Module):
    """y = weight · x / √(mean x² + eps), over the last axes, those of `normalized_shape`.

    `weight` starts as ones, in normalized_shape; elementwise_affine=False leaves it out. If eps is None, it is the
    distance from 1 to the next number of the input's dtype.

    >>> import chalkgrad as cg
    >>> cg.nn.RMSNorm(2)(cg.tensor([[1.0, 7.0], [-500.0, 500.0]]))
    tensor([[ 0.2,  1.4],
            [-1. ,  1. ]], grad_fn=<rms_norm_over #...>)
    """

    weight: Parameter | None

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float | None = None, elementwise_affine: bool = True,
        dtype: Any = np.float32,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        if not shape:
            raise ValueError("RMSNorm: normalized_shape is empty; it names the sizes of the last axes, one or more.")
        self.normalized_shape, self.eps, self.elementwise_affine = shape, eps, elementwise_affine
        self.weight = Parameter(np.empty(shape, dtype)) if elementwise_affine else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weights to ones."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """x (..., *normalized_shape) -> y (..., *normalized_shape)."""
        return rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """Say the sizes and options, as PyTorch does."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"

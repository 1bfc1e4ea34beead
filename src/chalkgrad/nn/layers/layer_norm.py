"""LayerNorm: each example gets mean 0 and variance 1 by itself, and then a mean and a spread that are learned.

It takes from a layer the burden of following the scale of the one before, as BatchNorm does, but looks at one example
alone: so it works with any batch, and at every step of a sequence (Ba, Kiros & Hinton 2016). Every transformer has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ...ops.special import sum_along
from .. import init
from ..module import Module, Parameter

__all__ = ["LayerNorm", "layer_norm", "layer_norm_over"]


@primitive
def layer_norm_over(x, weight=None, bias=None, *, eps=1e-5):
    """Give every row mean 0 and variance 1, scale and shift it: y = weight · (x - mean) / √(variance + eps) + bias.

    x (..., c), weight (c), bias (c) -> y (..., c)

    eps  keeps a row whose numbers are all equal from a division by 0

    Source: Ba, Kiros & Hinton 2016, eq. 3 and 4, for each row of its own.

    >>> from chalkgrad import tensor
    >>> layer_norm_over(tensor([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]]))
    tensor([[-1.2247,  0.    ,  1.2247],
            [ 0.    ,  0.    ,  0.    ]])
    """
    c        = x.shape[-1]
    away     = x - sum_along(x, -1) / c
    variance = sum_along(away * away, -1) / c
    rstd     = 1 / np.sqrt(variance + eps)
    x_hat    = away * rstd
    if weight is None:
        y = x_hat.copy()  # x_hat is remembered, but y is handed out, and may be changed
    else:
        y = x_hat * weight
    if bias is not None:
        y += bias
    return y


@layer_norm_over.backward
def layer_norm_over_backward(grad_y, weight, x_hat, rstd, c):
    """
    1. y = weight · x̂ + bias, so ∂loss/∂bias = g, ∂loss/∂weight = g · x̂, and ĝ = ∂loss/∂x̂ = g · weight
    2. x̂ᵢ = (xᵢ - mean) · rstd with rstd = 1/√(variance + eps), and the mean and the variance depend on every xⱼ
    3. ∂mean/∂xⱼ = 1/c, and ∂rstd/∂xⱼ = -rstd³ (xⱼ - mean)/c = -rstd² x̂ⱼ/c
    4. ∂x̂ᵢ/∂xⱼ = rstd · (1{i=j} - 1/c - x̂ᵢ x̂ⱼ/c)
    5. ∂loss/∂xⱼ = Σᵢ ĝᵢ ∂x̂ᵢ/∂xⱼ = rstd · (ĝⱼ - (1/c) Σᵢ ĝᵢ - x̂ⱼ (1/c) Σᵢ ĝᵢ x̂ᵢ):
       the gradient loses its part along 1 and along x̂, since shifting or stretching a row changes nothing
    """
    grad_bias   = grad_y
    grad_weight = grad_y * x_hat
    if weight is None:
        scale = np.ones_like(x_hat, shape=c)
    else:
        scale = weight
    along_ones  = grad_y @ scale[:, None] / c
    along_x_hat = grad_weight @ scale[:, None] / c
    grad_x      = grad_y * scale
    grad_x -= along_ones
    grad_x -= x_hat * along_x_hat
    grad_x *= rstd
    return grad_x, grad_weight, grad_bias


@layer_norm_over.examples
def layer_norm_over_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Rows; rows within rows, without a bias; a single row; neither weight nor bias; a row of equal numbers."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)), draw(4), draw(4)),
        (draw((2, 3, 4)), draw(4), None, {"eps": 1e-3}),
        (draw(4), draw(4), draw(4)),
        (100 + draw((3, 4)), None, None),
        (np.ones((1, 4)), draw(4), draw(4), {"eps": 0.1}),
    ]


def layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalize over the last axes, those of `normalized_shape`.

    input         (..., *normalized_shape)
    weight, bias  normalized_shape

    Raises ShapeError if one of these has another shape.

    >>> from chalkgrad import tensor
    >>> layer_norm(tensor([[1.0, 3.0], [5.0, 7.0]]), (2, 2))
    tensor([[-1.3416, -0.4472],
            [ 0.4472,  1.3416]])
    """
    sizes = tuple(normalized_shape)
    if not sizes or input.shape[-len(sizes):] != sizes:
        raise ShapeError(f"layer_norm: normalized_shape is {sizes}, but input has shape {input.shape}, which does not "
                         "end in it. It names the sizes of the last axes, one or more.")
    for name, tensor in {"weight": weight, "bias": bias}.items():
        if tensor is not None and tensor.shape != sizes:
            raise ShapeError(f"layer_norm: {name} has shape {tensor.shape}, but normalized_shape is {sizes}.")
    if len(sizes) > 1:
        flat = [None if tensor is None else tensor.reshape(-1) for tensor in (weight, bias)]
        flattened = layer_norm_over(input.reshape(*input.shape[:-len(sizes)], -1), *flat, eps=eps)
        rows: Tensor = flattened.reshape(input.shape)
        return rows
    y: Tensor = layer_norm_over(input, weight, bias, eps=eps)
    return y


class LayerNorm(Module):
    """y = weight · (x - mean) / √(variance + eps) + bias, over the last axes, those of `normalized_shape`.

    `weight` starts as ones and `bias` as zeros, both in normalized_shape; elementwise_affine=False leaves out both.

    >>> import chalkgrad as cg
    >>> cg.nn.LayerNorm(2)(cg.tensor([[1.0, 3.0], [-500.0, 500.0]]))
    tensor([[-1.,  1.],
            [-1.,  1.]], grad_fn=<layer_norm_over #...>)
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float = 1e-5, elementwise_affine: bool = True,
        bias: bool = True, dtype: Any = np.float32,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        if not shape:
            raise ValueError("LayerNorm: normalized_shape is empty; it names the sizes of the last axes, one or more.")
        self.normalized_shape, self.eps, self.elementwise_affine = shape, eps, elementwise_affine
        self.weight = Parameter(np.empty(shape, dtype)) if elementwise_affine else None
        self.bias = Parameter(np.empty(shape, dtype)) if elementwise_affine and bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weights to ones and the biases to zeros."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """input (..., *normalized_shape) -> y (..., *normalized_shape)."""
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Say the sizes and options, as PyTorch does."""
        return (f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
                f"bias={self.bias is not None}")

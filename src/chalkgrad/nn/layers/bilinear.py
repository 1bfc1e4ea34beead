"""Bilinear: every output is a weighted sum of all products of a number here with a number there.

A linear layer over two inputs side by side lets each have its say, but neither can change what the other means. Where
they are multiplied, it can: style and content of a letter, for one (Tenenbaum & Freeman 2000).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ..module import Module, Parameter
from .making import draw_evenly

__all__ = ["Bilinear", "bilinear", "multiply_pairs"]


@primitive
def multiply_pairs(x1, x2, weight, bias=None):
    """Weigh all products of two inputs and add the bias: y_o = Σ_ij w_oij x1_i x2_j + b_o.

    x1 (n, i), x2 (n, j), weight (o, i, j), bias (o) -> y (n, o)

    Source: Tenenbaum & Freeman 2000, eq. 1, the symmetric model.

    >>> from chalkgrad import tensor
    >>> multiply_pairs(tensor([[1.0, 2.0]]), tensor([[3.0, 4.0]]), tensor([[[0.0, 1.0], [1.0, 0.0]]]))
    tensor([[10.]])
    """
    outputs, first, second = weight.shape
    rows = np.swapaxes(weight, 0, 1).reshape(first, outputs * second)
    mixed = (x1 @ rows).reshape(len(x1), outputs, second)  # what the first input makes of the weights of the second
    y = (mixed @ x2[:, :, None])[:, :, 0]
    if bias is not None:
        y = y + bias
    return y


@multiply_pairs.backward
def multiply_pairs_backward(grad_y, x1, x2, rows, mixed, outputs, first, second):
    """
    1. y_no = Σ_j m_noj x2_nj + b_o with m_noj = Σ_i x1_ni w_oij
    2. ∂loss/∂x2_nj = Σ_o g_no m_noj, and ∂loss/∂m_noj = g_no x2_nj
    3. m is linear in both: ∂loss/∂x1_ni = Σ_oj ∂loss/∂m_noj w_oij, and ∂loss/∂w_oij = Σ_n x1_ni ∂loss/∂m_noj
    4. ∂loss/∂b_o = Σ_n g_no; this sum is the engine's, since b was repeated for every row
    """
    grad_x2     = (grad_y[:, None] @ mixed)[:, 0]
    grad_mixed  = (grad_y[:, :, None] * x2[:, None]).reshape(len(x1), outputs * second)
    grad_x1     = grad_mixed @ rows.T
    grad_weight = np.swapaxes((x1.T @ grad_mixed).reshape(first, outputs, second), 0, 1)
    grad_bias   = grad_y
    return grad_x1, grad_x2, grad_weight, grad_bias


@multiply_pairs.examples
def multiply_pairs_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Rows; the same without a bias; a single row of one number each."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)), draw((3, 2)), draw((5, 4, 2)), draw(5)),
        (draw((3, 4)), draw((3, 2)), draw((5, 4, 2)), None),
        (draw((1, 1)), draw((1, 1)), draw((1, 1, 1)), draw(1)),
    ]


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Weigh all products of two inputs and add the bias: y_o = Σ_ij w_oij x1_i x2_j + b_o.

    input1 (..., i), input2 (..., j), weight (o, i, j), bias (o) -> y (..., o)

    Raises ShapeError unless the inputs have the same axes but for the last, and the weight fits both.

    >>> from chalkgrad import tensor
    >>> bilinear(tensor([1.0, 2.0]), tensor([3.0, 4.0]), tensor([[[0.0, 1.0], [1.0, 0.0]]]))
    tensor([10.])
    """
    if input1.ndim < 1 or input2.ndim < 1 or input1.shape[:-1] != input2.shape[:-1]:
        raise ShapeError("bilinear: the inputs have the same axes but for the last, (..., i) and (..., j), but "
                         f"{input1.shape} and {input2.shape} came.")
    if weight.ndim != 3 or weight.shape[1:] != (input1.shape[-1], input2.shape[-1]):
        raise ShapeError(f"bilinear: for inputs {input1.shape} and {input2.shape} the weight is (outputs, "
                         f"{input1.shape[-1]}, {input2.shape[-1]}), but {weight.shape} came.")
    count = math.prod(input1.shape[:-1])
    rows = multiply_pairs(
        input1.reshape(count, input1.shape[-1]), input2.reshape(count, input2.shape[-1]), weight, bias)
    y: Tensor = rows.reshape(*input1.shape[:-1], weight.shape[0])
    return y


class Bilinear(Module):
    """y = x1ᵀ W x2 + b, with `weight` (out_features, in1_features, in2_features) and `bias` (out_features).

    Both start evenly spread in ±1/√in1_features, as in PyTorch. Raises ValueError for an in1_features below 1.

    >>> import chalkgrad as cg
    >>> Bilinear(4, 3, 2)(cg.ones(5, 4), cg.ones(5, 3)).shape
    (5, 2)
    """

    bias: Parameter | None

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True, dtype: Any = np.float32
    ) -> None:
        super().__init__()
        if in1_features < 1:
            raise ValueError(f"Bilinear: in1_features is a whole number from 1, but {in1_features} came.")
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        self.weight = Parameter(np.empty((out_features, in1_features, in2_features), dtype))
        self.bias = Parameter(np.empty(out_features, dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        draw_evenly(self, self.in1_features)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        """input1 (..., in1_features), input2 (..., in2_features) -> y (..., out_features)."""
        return bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Say the sizes, as PyTorch does."""
        return (f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
                f"out_features={self.out_features}, bias={self.bias is not None}")

"""Linear: every output is a weighted sum of all inputs, plus a bias.

The oldest layer there is (Rosenblatt 1958). All that a network learns sits in weights, and nearly all weights sit in
this layer, or in its sliding cousin, the convolution.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .. import init
from ..module import Module, Parameter

__all__ = ["Linear", "linear"]


@primitive
def linear(x, weight, bias=None):
    """Weigh the inputs and add the bias: y = x Wᵀ + b.

    x (..., i), weight (o, i), bias (o) -> y (..., o)

    Try: flatten what comes in to rows of i numbers, x.reshape(len(x), -1), or make the layer for what comes in.

    Source: PyTorch's convention, in which `weight` has a row for each output.

    >>> from chalkgrad import tensor
    >>> linear(tensor([[1.0, 2.0]]), tensor([[3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]), tensor([0.5, 0.5, 0.5]))
    tensor([[11.5, 17.5, 23.5]])
    """
    if x.ndim <= 2:
        y = x @ weight.T
    else:
        # all rows at once: a stack of small products would take half as long again
        y = (x.reshape(-1, x.shape[-1]) @ weight.T).reshape(*x.shape[:-1], weight.shape[0])
    if bias is not None:
        y = y + bias
    return y


@linear.backward
def linear_backward(grad_y, x, weight):
    """
    1. y_no = Σ_i x_ni w_oi + b_o
    2. ∂loss/∂x_ni = Σ_o g_no w_oi: each input hears from every output, as loudly as it is weighed there
    3. ∂loss/∂w_oi = Σ_n g_no x_ni: a weight matters where its input was large and its output is wanted otherwise
    4. ∂loss/∂b_o = Σ_n g_no; this sum is the engine's, since b was repeated for every row
    """
    if x.ndim == 2:
        grad_x      = grad_y @ weight
        grad_weight = grad_y.T @ x
    else:
        rows        = grad_y.reshape(-1, grad_y.shape[-1])
        grad_x      = (rows @ weight).reshape(x.shape)
        grad_weight = rows.T @ x.reshape(-1, x.shape[-1])
    grad_bias = grad_y
    return grad_x, grad_weight, grad_bias


@linear.examples
def linear_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """A batch; the same without a bias; rows within rows; a single vector."""
    draw = rng.standard_normal
    return [
        (draw((3, 4)), draw((2, 4)), draw(2)),
        (draw((3, 4)), draw((2, 4)), None),
        (draw((2, 3, 4)), draw((5, 4)), draw(5)),
        (draw(4), draw((2, 4)), draw(2)),
    ]


class Linear(Module):
    """y = x Wᵀ + b, with `weight` (out_features, in_features) and `bias` (out_features).

    Both start evenly spread in ±1/√in_features, as in PyTorch.

    >>> import chalkgrad as cg
    >>> cg.nn.Linear(4, 2)(cg.ones(3, 4)).shape
    (3, 2)
    """

    bias: Parameter | None

    def __init__(self, in_features: int, out_features: int, bias: bool = True, dtype: Any = np.float32) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(np.empty((out_features, in_features), dtype))
        self.bias = Parameter(np.empty(out_features, dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """input (..., in_features) -> y (..., out_features)."""
        y: Tensor = linear(input, self.weight, self.bias)
        return y

    def extra_repr(self) -> str:
        """Say the sizes, as PyTorch does."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"

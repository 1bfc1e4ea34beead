"""DropConnect: while a network learns, weights fall out at random, each for itself, where dropout takes whole units.

It is the more general of the two: a unit that dropout takes is a unit whose weights have all fallen out (Wan et al.
2013).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from .dropout import check, dropped
from .linear import Linear, linear

__all__ = ["DropConnect", "connect", "drop_connect"]


@primitive
def connect(x, mask, weight, bias=None, *, p):
    """Weigh the inputs by the weights that the mask leaves to each row: y_n = ((W ∘ M_n) x_n + b ∘ m_n) / (1 - p).

    x (n, i), mask (n, o, k), weight (o, i), bias (o) -> y (n, o)

    mask  which weights stay for each row: k is i + 1, and the last is for the bias
    p     the probability with which a weight was drawn to fall out; if it is 1, y is zeros

    Source: Wan et al. 2013, section 3 and algorithm 1: a mask for every example, and for biases too. Scaling up in
    training is dropout's way (Srivastava et al. 2014, section 10); the paper instead draws from a Gaussian afterwards.

    >>> from chalkgrad import tensor
    >>> connect(tensor([[1.0, 2.0]]), tensor([[[True, False, True]]]), tensor([[3.0, 4.0]]), tensor([1.0]), p=0.5)
    tensor([[8.]])
    """
    scale = 1 / (1 - p) if p < 1 else 0
    width = x.shape[-1]
    left  = mask[:, :, :width] * (weight * scale)
    y     = (left @ x[:, :, None])[:, :, 0]
    if bias is not None:
        y = y + mask[:, :, width] * (bias * scale)
    return y


@connect.backward
def connect_backward(grad_y, x, mask, left, scale, width):
    """
    1. y_no = s Σ_i m_noi w_oi x_ni + s m_no b_o, where s is the scale, and m is 1 for what stays and 0 for the rest
    2. ∂loss/∂x_ni = Σ_o g_no · s m_noi w_oi: an input hears from the outputs that it still reaches
    3. ∂loss/∂w_oi = s Σ_n g_no m_noi x_ni: a weight learns from the rows that it was left to
    4. ∂loss/∂b_o = s Σ_n g_no m_no; this sum is the engine's, since b was repeated for every row
    """
    told        = grad_y * scale
    grad_x      = (grad_y[:, None] @ left)[:, 0]
    grad_weight = (mask[:, :, :width] * (told[:, :, None] * x[:, None])).sum(axis=0)
    grad_bias   = told * mask[:, :, width]
    return grad_x, grad_weight, grad_bias


@connect.examples
def connect_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Rows; the same without a bias; all fallen out."""
    draw = rng.standard_normal
    mask = rng.random((3, 2, 5)) >= 0.25
    return [
        (draw((3, 4)), mask, draw((2, 4)), draw(2), {"p": 0.25}),
        (draw((3, 4)), mask, draw((2, 4)), None, {"p": 0.25}),
        (draw((3, 4)), mask & False, draw((2, 4)), draw(2), {"p": 1}),
    ]


def drop_connect(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, p: float = 0.5, training: bool = True
) -> Tensor:
    """Apply a linear layer, each weight of which falls out with probability p, for each row anew, if in training.

    input (..., i), weight (o, i), bias (o) -> y (..., o)

    What stays is divided by 1 - p. A mask is as large as the weight for every row.

    Raises ValueError for a p outside [0, 1], ShapeError for shapes that do not fit.

    >>> import chalkgrad as cg
    >>> y = drop_connect(cg.ones(1000, 1), cg.ones(1, 1), p=0.2)
    >>> sorted(set(y.reshape(-1).tolist()))
    [0.0, 1.25]
    """
    check(p)
    if not training or p == 0:
        plain: Tensor = linear(input, weight, bias)
        return plain
    if input.ndim < 1 or weight.ndim != 2 or input.shape[-1] != weight.shape[1]:
        raise ShapeError(f"drop_connect: the input is (..., i) and the weight (o, i), but {input.shape} and "
                         f"{weight.shape} came.")
    rows = input.reshape(-1, input.shape[-1])
    made = dropped(connect, rows, (len(rows), len(weight), weight.shape[1] + 1), p, False, None, weight, bias)
    y: Tensor = made.reshape(*input.shape[:-1], len(weight))
    return y


class DropConnect(Linear):
    """A linear layer, each weight of which falls out with probability p, for each row anew; in eval mode, none does.

    `weight` and `bias` are those of Linear. Raises ValueError for a p outside [0, 1]. PyTorch has no such layer.

    >>> import chalkgrad as cg
    >>> DropConnect(4, 2, p=1)(cg.ones(1, 4)).detach()
    tensor([[0., 0.]])
    """

    def __init__(
        self, in_features: int, out_features: int, p: float = 0.5, bias: bool = True, dtype: Any = np.float32
    ) -> None:
        check(p)
        super().__init__(in_features, out_features, bias, dtype)
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """x (..., in_features) -> y (..., out_features)."""
        return drop_connect(x, self.weight, self.bias, self.p, self.training)

    def extra_repr(self) -> str:
        """Say the sizes and the probability."""
        return f"{super().extra_repr()}, p={self.p}"

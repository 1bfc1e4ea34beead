"""GroupNorm: in each example, groups of channels get mean 0 and variance 1, and then a mean and a spread of their own.

BatchNorm needs a batch large enough to take statistics of; where the examples are so large that only a few fit into
memory, it fails. Groups of channels of one example hold numbers enough, and do as well (Wu & He 2018). One group is a
layer norm over everything but the batch; as many groups as channels are instance normalization.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ...ops.special import sum_along
from .. import init
from ..module import Module, Parameter
from .batch_norm import check_channels

__all__ = ["GroupNorm", "check_groups", "group_norm", "group_norm_over"]


@primitive
def group_norm_over(x, weight=None, bias=None, *, num_groups, eps=1e-5):
    """Give every group of channels mean 0 and variance 1: y = weight · (x - mean) / √(variance + eps) + bias.

    x (n, c, ...), weight (c), bias (c) -> y (n, c, ...), mean (n, g), var (n, g)

    num_groups  g, of c/g channels that follow each other
    eps         keeps a group whose numbers are all equal from a division by 0

    mean, var  of the groups, the variance over m - 1, not over the count m of numbers in a group: what InstanceNorm
               keeps running averages of. One does not differentiate by these

    Source: Wu & He 2018, eq. 1, 2, 6 and 7.

    >>> y, mean, var = group_norm_over(np.array([[1.0, 3.0, 5.0, 5.0]]), num_groups=2)
    >>> y.round(3), mean, var
    (array([[-1.,  1.,  0.,  0.]]), array([[2., 5.]]), array([[2., 0.]]))
    """
    n, c   = x.shape[:2]
    pixels = math.prod(x.shape[2:])
    m      = max(c // num_groups * pixels, 1)
    groups = x.reshape(n, num_groups, c // num_groups * pixels)
    mean   = sum_along(groups, -1) / m
    away   = groups - mean
    power  = sum_along(away * away, -1) / m
    rstd   = 1 / np.sqrt(power + eps)
    scale  = rstd if weight is None else weight.reshape(num_groups, -1) * rstd
    away   = away.reshape(n, num_groups, c // num_groups, pixels)
    y      = away * scale[..., None]
    if bias is not None:
        y += bias.reshape(num_groups, -1, 1)
    y    = y.reshape(x.shape)
    mean = mean.reshape(n, num_groups)
    var  = power.reshape(n, num_groups) * (m / max(m - 1, 1))
    return y, mean, var


@group_norm_over.backward
def group_norm_over_backward(grad_y, weight, away, rstd, scale, m, c, num_groups):
    """
    1. y = weight · x̂ + bias in each channel, so ∂loss/∂bias = Σᵢ gᵢ and ∂loss/∂weight = Σᵢ gᵢ x̂ᵢ, summed over the
       pixels i of the channel and over the examples
    2. x̂ᵢ = (xᵢ - mean) · rstd, and both depend on all the m numbers xⱼ of the group:
       ∂x̂ᵢ/∂xⱼ = rstd · (1{i=j} - 1/m - x̂ᵢ x̂ⱼ/m), as in BatchNorm
    3. with ĝᵢ = weight · gᵢ, ∂loss/∂xⱼ = rstd · (ĝⱼ - (1/m) Σᵢ ĝᵢ - x̂ⱼ (1/m) Σᵢ ĝᵢ x̂ᵢ), over the group
    4. these sums are those of step 1 before they are added up over the examples, times the weights: so the pixels are
       summed once, and what the large arrays meet are numbers of channels and groups
    """
    g           = grad_y.reshape(away.shape)
    along_ones  = sum_along(g, -1)[..., 0]
    along_x_hat = sum_along(g * away, -1)[..., 0] * rstd
    grad_bias   = along_ones.sum(axis=0).reshape(c)
    grad_weight = along_x_hat.sum(axis=0).reshape(c)
    if weight is not None:
        share       = weight.reshape(num_groups, -1)
        along_ones  = along_ones * share
        along_x_hat = along_x_hat * share
    shift   = along_ones.sum(axis=-1, keepdims=True) * rstd / m
    stretch = along_x_hat.sum(axis=-1, keepdims=True) * rstd * rstd / m
    grad_x  = g * scale[..., None]
    grad_x -= away * stretch[..., None]
    grad_x -= shift[..., None]
    grad_x  = grad_x.reshape(grad_y.shape)
    return grad_x, grad_weight, grad_bias


@group_norm_over.examples
def group_norm_over_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Pictures; a group a channel, without a bias; rows, with neither; equal numbers; no examples."""
    draw = rng.standard_normal
    return [
        (draw((2, 6, 3, 2)), draw(6), draw(6), {"num_groups": 3}),
        (draw((2, 3, 4)), draw(3), None, {"num_groups": 3, "eps": 1e-3}),
        (100 + draw((3, 4)), None, None, {"num_groups": 1}),
        (np.ones((2, 2, 3)), draw(2), draw(2), {"num_groups": 1, "eps": 0.1}),
        (np.zeros((0, 2, 3)), draw(2), draw(2), {"num_groups": 2}),
    ]


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Normalize groups of channels, in each example.

    input         (n, c) or (n, c, ...)
    num_groups    into how many groups the channels are divided
    weight, bias  (c)

    Raises ShapeError if the channels do not match; ValueError if they cannot be divided so, or for a single example
    whose groups hold a single number.

    >>> from chalkgrad import tensor
    >>> group_norm(tensor([[1.0, 3.0, 10.0, 30.0]]), 2)
    tensor([[-1.,  1., -1.,  1.]])
    """
    check_channels("group_norm", input, *(each.numel() for each in (weight, bias) if each is not None))
    check_groups("group_norm", input.shape[1], num_groups)
    if input.numel() == num_groups:
        raise ValueError(f"group_norm: groups of one number have no variance; input has shape {input.shape}, and is to "
                         f"have {num_groups} groups.")
    y: Tensor = group_norm_over(input, weight, bias, num_groups=num_groups, eps=eps)[0]
    return y


def check_groups(name: str, channels: int, num_groups: int) -> None:
    """Raise ValueError unless the channels can be divided into so many groups."""
    if num_groups < 1 or channels % num_groups:
        raise ValueError(f"{name}: {channels} channels cannot be divided into {num_groups} groups of one size.")


class GroupNorm(Module):
    """y = weight · (x - mean) / √(variance + eps) + bias, over each group of channels of each example.

    affine, bias  whether there are `weight` and `bias`, (c), which start as ones and zeros

    Raises ValueError if the channels cannot be divided into so many groups.

    >>> import chalkgrad as cg
    >>> cg.nn.GroupNorm(2, 4, affine=False)(cg.tensor([[1.0, 3.0, 10.0, 30.0]]))
    tensor([[-1.,  1., -1.,  1.]])
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, dtype: Any = np.float32, *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_groups("GroupNorm", num_channels, num_groups)
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self.weight = Parameter(np.empty(num_channels, dtype)) if affine else None
        self.bias = Parameter(np.empty(num_channels, dtype)) if affine and bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weights to ones and the biases to zeros."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """input (n, c, ...) -> y (n, c, ...)."""
        if input.ndim < 2 or input.shape[1] != self.num_channels:
            raise ShapeError(f"GroupNorm: (n, {self.num_channels}, ...) is expected, but input is {input.shape}.")
        return group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Say the sizes and options, as PyTorch does."""
        return (f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
                f"bias={self.bias is not None}")

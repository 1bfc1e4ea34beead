"""PReLU: a leaky ReLU that learns how leaky it is.

One slope below zero for each channel, or one for all, is learned with the rest of the network; with it, networks first
did better than people on ImageNet (He, Zhang, Ren & Sun 2015).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...ops.attach import attach
from ..init import constant_
from ..module import Module
from ..parameter import Parameter

__all__ = ["PReLU", "per_channel", "prelu", "sloped"]


def per_channel(weight, x):
    """Shape the weights so that each meets its channel, the second axis of x; a lone one meets everything."""
    if weight.size == 1:
        return weight.reshape(())
    return weight.reshape(-1, *[1] * (x.ndim - 2))


@primitive
def sloped(x, weight):
    """Keep what is above zero, and below multiply by the channel's weight: y = max(x, 0) + weight · min(x, 0).

    x (...), weight (*) -> y (...)

    Source: He et al. 2015, eq. 1.

    >>> sloped(np.array([[-1.0, -1.0], [2.0, 2.0]]), np.array([0.5, 0.25]))
    array([[-0.5 , -0.25],
           [ 2.  ,  2.  ]])
    """
    zeros = np.zeros_like(x)
    slope = per_channel(weight, x)
    below = np.minimum(x, zeros)
    y     = np.maximum(x, zeros) + slope * below
    return y


@sloped.backward
def sloped_backward(grad_y, x, weight, slope, below):
    """
    1. above zero ∂y/∂x = 1, below it is the weight; at the corner we take the latter, as PyTorch does
    2. ∂y/∂weight = min(x, 0), summed over all that share a weight: over all axes but that of the channels
    """
    grad_x = grad_y * (x > 0) + slope * (grad_y * (x <= 0))
    heard  = grad_y * below
    axes   = tuple(range(x.ndim)) if weight.size == 1 else (0, *range(2, x.ndim))
    grad_weight = heard.sum(axis=axes).reshape(weight.shape)
    return grad_x, grad_weight


@sloped.examples
def sloped_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """A weight for each channel of rows, and of images; one for all; a single number."""
    draw = rng.standard_normal
    return [(draw((3, 4)), draw(4)), (draw((2, 3, 2, 2)), draw(3)), (draw((3, 4)), draw(1)), (draw(()), draw(()))]


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """max(x, 0) + weight · min(x, 0), with one weight, or one for each channel.

    input   (n, c, ...), or any shape if there is one weight
    weight  (c), (1) or ()

    Raises ValueError if there are neither as many weights as channels, nor one.

    >>> from chalkgrad import tensor
    >>> prelu(tensor([[-1.0, -1.0]]), tensor([0.5, 0.25]))
    tensor([[-0.5 , -0.25]])
    """
    channels = input.shape[1] if input.ndim > 1 else 1
    if weight.ndim > 1 or weight.numel() not in (1, channels):
        raise ValueError(f"prelu: weight has shape {weight.shape}, but an input of shape {input.shape} has {channels} "
                         f"channels; ({channels},) or (1,) was expected.")
    y: Tensor = sloped(input, weight)
    return y


class PReLU(Module):
    """y = max(x, 0) + weight · min(x, 0), with `weight` (num_parameters), which is learned.

    >>> import chalkgrad as cg
    >>> cg.nn.PReLU()(cg.tensor([-1.0, 1.0])).detach()
    tensor([-0.25,  1.  ])
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, dtype: Any = np.float32) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(np.empty(num_parameters, dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set all weights to `init` again."""
        constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        """input (n, c, ...) -> y (n, c, ...)."""
        return prelu(input, self.weight)

    def extra_repr(self) -> str:
        """Say how many weights there are, as PyTorch does."""
        return f"num_parameters={self.num_parameters}"


attach(prelu=prelu)

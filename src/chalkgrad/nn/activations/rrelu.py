"""RReLU: a leaky ReLU whose slope is drawn anew for each number.

Like dropout, chance keeps a network from relying on details; in use, the mean slope takes its place (Xu, Wang, Chen &
Li 2015, who found it in a competition on plankton).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tape import mode
from ...engine.tensor import Tensor
from ...ops.attach import in_place
from ...seeding import default_generator
from .inplace import InPlace
from .leaky_relu import leaky_relu

__all__ = ["RReLU", "check", "draw_slopes", "leak", "rrelu", "rrelu_"]


def draw_slopes(generator, shape, lower, upper):
    """Draw the slopes below zero, evenly between two bounds."""
    slopes = generator.random(shape, np.float32)
    slopes *= upper - lower
    slopes += lower
    return slopes


@primitive
def leak(x, slopes):
    """Keep what is above zero, and multiply what is below by a slope of its own: y = max(x, 0) + slope · min(x, 0).

    x (...), slopes (...) -> y (...)

    Source: Xu et al. 2015, section 2.4.

    >>> from chalkgrad import tensor
    >>> leak(tensor([-1.0, -1.0, 2.0]), tensor([0.25, 0.5, 0.5]))
    tensor([-0.25, -0.5 ,  2.  ])
    """
    zeros = np.zeros_like(x)
    y     = np.maximum(x, zeros) + slopes * np.minimum(x, zeros)
    return y


@leak.backward
def leak_backward(grad_y, x, slopes):
    """
    1. above zero the slope is 1, below it is the one that was drawn
    2. at zero there is a corner, and we take the slope from below, as PyTorch does
    """
    grad_x = grad_y * (x > 0) + slopes * (grad_y * (x <= 0))
    return grad_x


@leak.examples
def leak_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Both signs; a single number."""
    return [(rng.standard_normal(shape), rng.random(shape, np.float32)) for shape in ((3, 4), ())]


def rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """Leaky ReLU with slopes drawn from [lower, upper), by the default generator; if not training, with their mean.

    inplace  write the result over the input

    Raises ValueError if lower is above upper.

    >>> from chalkgrad import tensor
    >>> rrelu(tensor([-1.0, 1.0]), 0.25, 0.75)
    tensor([-0.5,  1. ])
    """
    check("rrelu", lower, upper)
    if not training:
        y: Tensor = leaky_relu(input, negative_slope=(lower + upper) / 2, inplace=inplace)
        return y
    source = default_generator()
    slopes = draw_slopes(source, input.shape, lower, upper)
    if mode.tape is not None:
        given = {"generator": source, "shape": input.shape, "lower": lower, "upper": upper}
        mode.tape.record("random", draw_slopes, given, {"slopes": slopes})
    y = in_place(leak)(input, slopes) if inplace else leak(input, slopes)
    return y


def rrelu_(input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Tensor:
    """The same, written over the input.

    >>> from chalkgrad import tensor
    >>> x = tensor([-1.0, 1.0])
    >>> rrelu_(x, 0.25, 0.75) is x
    True
    """
    return rrelu(input, lower, upper, training, inplace=True)


def check(name: str, lower: float, upper: float) -> None:
    """Raise ValueError unless the bounds are in order."""
    if not lower <= upper:
        raise ValueError(f"{name}: slopes are drawn from lower up to upper, but {lower} and {upper} came.")


class RReLU(InPlace):
    """y = x above zero, slope · x below: slopes drawn from [lower, upper) in training, their mean in eval mode.

    With inplace, y is written over x. Raises ValueError if lower is above upper.

    >>> import chalkgrad as cg
    >>> cg.nn.RReLU(0.25, 0.75).eval()(cg.tensor([-1.0, 1.0]))
    tensor([-0.5,  1. ])
    """

    shown = ("lower", "upper")

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        check("RReLU", lower, upper)
        self.lower, self.upper = lower, upper

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        return rrelu(input, self.lower, self.upper, self.training, self.inplace)

"""AlphaDropout: dropout for SELU networks, which leaves mean and variance what they are.

A network with the SELU activation brings its activations to mean 0 and variance 1 by itself, and zeros at random would
disturb that. So what falls out is set to the value that SELU tends to for very negative inputs, α′, and everything is
then moved and stretched back to mean 0 and variance 1 (Klambauer et al. 2017).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .channel_dropout import drop_channels
from .dropout import Dropping, check, dropped

__all__ = [
    "AlphaDropout", "FeatureAlphaDropout", "alpha_drop", "alpha_dropout", "feature_alpha_dropout", "saturation",
]


def saturation():
    """Return α′ = -λα, the value that SELU tends to, for the λ and α of Klambauer et al. 2017, eq. 2 and appendix A.

    >>> saturation()
    -1.7580993408473766
    """
    return -1.0507009873554804934193349852946 * 1.6732632423543772848170429916717


@primitive
def alpha_drop(x, mask, *, p):
    """Keep x where the mask says so, put α′ elsewhere, and bring mean and variance back: y = a · (x or α′) + b.

    x (...), mask (...) -> y (...)

    p  the probability with which the mask was drawn to drop an element; if it is 1, y is zeros

    With q = 1 - p, and x of mean 0 and variance 1, what is kept or dropped has mean p α′ and variance q + p q α′²; so
    a = 1/√(q + p q α′²) and b = -a p α′.

    Source: Klambauer et al. 2017, section 2, "New Dropout Technique".

    >>> from chalkgrad import tensor
    >>> alpha_drop(tensor([1.0, 2.0, 3.0]), tensor([True, False, True]), p=0.5)
    tensor([ 1.6656, -0.7792,  3.4384])
    """
    a = 1 / math.sqrt((1 - p) * (1 + p * saturation() ** 2)) if p < 1 else 0
    b = a * p * -saturation()
    y = a * np.where(mask, x, saturation()) + b
    return y


@alpha_drop.backward
def alpha_drop_backward(grad_y, mask, a):
    """What was kept was multiplied by a, so its gradient is too; what was dropped had no say in the loss."""
    grad_x = grad_y * a * mask
    return grad_x


@alpha_drop.examples
def alpha_drop_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Some dropped; all dropped; whole rows dropped."""
    x = rng.standard_normal((3, 4))
    return [
        (x, rng.random((3, 4)) >= 0.25, {"p": 0.25}),
        (x, np.zeros((3, 4), bool), {"p": 1}),
        (x, np.array([[True], [False], [True]]), {"p": 0.5}),
    ]


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Set each element to α′ with probability p, and bring mean and variance back; if not training, change nothing.

    input (...) -> y (...)

    inplace  write the result over the input

    Raises ValueError for a p outside [0, 1], TypeError for what are no floats.

    >>> import chalkgrad as cg
    >>> _ = cg.manual_seed(0)
    >>> y = alpha_dropout(cg.randn(100_000), p=0.2, training=True)
    >>> abs(round(float(y.mean()), 1)), round(float(y.std()), 1)
    (0.0, 1.0)
    """
    check(p)
    if not training or p == 0:
        return input
    return dropped(alpha_drop, input, input.shape, p, inplace)


def feature_alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Do as `alpha_dropout`, with whole channels: one draw for each of the first two axes.

    input (n, c, ...) -> y (n, c, ...)

    Raises ValueError for a p outside [0, 1], ShapeError for less than two axes, TypeError for what are no floats.

    >>> import chalkgrad as cg
    >>> y = feature_alpha_dropout(cg.ones(4, 3, 5), 0.5, training=True)
    >>> bool((y == y[:, :, :1]).all())
    True
    """
    return drop_channels(alpha_drop, input, p, training, inplace)


class AlphaDropout(Dropping):
    """Set each element to SELU's limit α′ with probability p, and bring mean and variance back; see `alpha_dropout`.

    In eval mode, change nothing.

    >>> import chalkgrad as cg
    >>> AlphaDropout(0.5).eval()(cg.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        y: Tensor = alpha_dropout(input, self.p, self.training, self.inplace)
        return y


class FeatureAlphaDropout(Dropping):
    """Do as AlphaDropout, with whole channels; see `feature_alpha_dropout`. In eval mode, change nothing.

    >>> import chalkgrad as cg
    >>> FeatureAlphaDropout(1)(cg.ones(1, 1, 2))
    tensor([[[0., 0.]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """input (n, c, ...) -> y (n, c, ...)."""
        y: Tensor = feature_alpha_dropout(input, self.p, self.training, self.inplace)
        return y

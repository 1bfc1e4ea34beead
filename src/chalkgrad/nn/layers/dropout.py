"""Dropout: while a network learns, units fall out at random, so that none can rely on another.

In effect many thinned networks are trained at once, all with the same weights, and their average is used in the end
(Hinton et al. 2012; Srivastava et al. 2014).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tape import mode
from ...engine.tensor import Tensor
from ...ops.attach import in_place
from ...seeding import default_generator
from ..module import Module

__all__ = ["Dropout", "Dropping", "check", "drop", "dropout", "dropped", "keep_like", "keep_mask"]


def keep_mask(generator, shape, p):
    """Draw which elements stay: each with probability 1 - p, independently of the others."""
    return generator.random(shape, np.float32) >= p


def keep_like(generator, x, p):
    """Draw which elements of x stay; a spelled program asks x for its shape, which may change with the batch."""
    return keep_mask(generator, x.shape, p)


@primitive
def drop(x, mask, *, p):
    """Keep x where the mask says so, enlarged so that its mean stays what it was: y = x · mask / (1 - p).

    x (...), mask (...) -> y (...)

    p  the probability with which the mask was drawn to drop an element, from 0 to 1

    Source: Srivastava et al. 2014, section 10: scaling up in training spares scaling down afterwards.

    >>> from chalkgrad import tensor
    >>> drop(tensor([1.0, 2.0, 3.0]), tensor([True, False, True]), p=0.5)
    tensor([2., 0., 6.])
    """
    scale = 1 / (1 - p) if p < 1 else 0
    y     = x * scale * mask
    return y


@drop.backward
def drop_backward(grad_y, mask, scale):
    """What was kept was multiplied by the scale, so its gradient is too; what was dropped had no say in the loss."""
    grad_x = grad_y * scale * mask
    return grad_x


@drop.examples
def drop_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Some dropped; all dropped; whole rows dropped."""
    x = rng.standard_normal((3, 4))
    return [
        (x, rng.random((3, 4)) >= 0.25, {"p": 0.25}),
        (x, np.zeros((3, 4), bool), {"p": 1}),
        (x, np.array([[True], [False], [True]]), {"p": 0.5}),
    ]


def dropout(
    input: Any, p: float = 0.5, training: bool = True, inplace: bool = False,
    generator: np.random.Generator | None = None,
) -> Any:
    """Set each element to zero with probability p and divide the others by 1 - p; if not training, change nothing.

    input (...) -> y (...)

    generator  what the elements to drop are drawn from; the default generator, which `manual_seed` seeds, if not given

    inplace    write the result over the input

    Raises ValueError for a p outside [0, 1], TypeError for what are no floats.

    >>> import chalkgrad as cg
    >>> y = dropout(cg.ones(1000), p=0.2, generator=np.random.default_rng(0))
    >>> sorted(set(y.tolist())), round(float(y.mean()), 1)
    ([0.0, 1.25], 1.0)
    """
    check(p)
    if not training or p == 0:
        return input
    return dropped(drop, input, input.shape, p, inplace, generator)


def dropped(
    rule: Any, input: Any, shape: tuple[int, ...] | None, p: float, inplace: bool = False,
    generator: np.random.Generator | None = None, *others: Any,
) -> Any:
    """Draw a mask of `shape`, or like the input, tell the tape, and let a rule drop by it; TypeError for no floats."""
    if input.dtype.kind != "f":
        raise TypeError(f"dropout: what is kept is enlarged, so the input holds floats, but {input.dtype} came; try "
                        "x.float().")
    given = {"generator": generator or default_generator(), "shape": shape, "p": p}
    draw: Any = keep_mask
    if shape is None:
        draw, given = keep_like, {"generator": given["generator"], "x": input.data, "p": p}
    mask = draw(**given)
    if mode.tape is not None:
        mode.tape.record("random", draw, given, {"mask": mask})
    return in_place(rule)(input, mask, *others, p=p) if inplace else rule(input, mask, *others, p=p)


def check(p: float) -> None:
    """Raise ValueError for what is no probability."""
    if isinstance(p, bool) or not 0 <= p <= 1:
        raise ValueError(f"dropout: p is a probability from 0 to 1, but {p!r} came.")


class Dropping(Module):
    """What the dropout layers share: the probability p, and whether the result is written over the input.

    Raises ValueError for a p outside [0, 1].
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check(p)
        self.p, self.inplace = p, inplace

    def extra_repr(self) -> str:
        """Say the probability, as PyTorch does."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(Dropping):
    """Set each element to zero with probability p and divide the others by 1 - p; in eval mode, change nothing.

    With inplace, the result is written over x. Raises ValueError for a p outside [0, 1].

    >>> import chalkgrad as cg
    >>> Dropout(0.5).eval()(cg.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (...)."""
        y: Tensor = dropout(input, self.p, self.training, self.inplace)
        return y

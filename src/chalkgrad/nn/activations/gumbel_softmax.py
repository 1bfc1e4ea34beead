"""Gumbel-softmax: draw one of several, so that one can differentiate by the chances.

Add noise of the right kind to log-probabilities, and the largest is a fair draw (Gumbel 1954). Taking a softmax in
place of the largest makes the draw smooth, and so a network with choices in it can learn them (Jang, Gu & Poole 2017;
Maddison, Mnih & Teh 2017).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tape import mode
from ...engine.tensor import Tensor
from ...seeding import default_generator
from .softmax import softmax

__all__ = ["gumbel_noise", "gumbel_softmax", "one_chosen"]


def gumbel_noise(generator, shape, dtype):
    """Draw from Gumbel's distribution: minus the logarithm of what is exponentially distributed."""
    return -np.log(generator.standard_exponential(shape, dtype))


@primitive
def one_chosen(p, *, axis):
    """Put 1 where the largest along an axis is, 0 elsewhere.

    p (...) -> y (...)

    Source: Jang, Gu & Poole 2017, section 2.2: "straight-through"; Bengio, Léonard & Courville 2013.

    >>> one_chosen(np.array([0.25, 0.75]), axis=0)
    array([0., 1.])
    """
    places = np.expand_dims(np.argmax(p, axis=axis), axis)
    shape  = [-1 if i == axis % p.ndim else 1 for i in range(p.ndim)]
    y      = (np.arange(p.shape[axis]).reshape(shape) == places).astype(p.dtype)
    return y


@one_chosen.backward
def one_chosen_backward(grad_y):
    """
    1. the choice itself is flat between its jumps, and nothing would be learned from it
    2. so the gradient goes straight through, as if y were p: wrong, but in a useful direction
    """
    grad_p = grad_y * 1
    return grad_p


@one_chosen.examples
def one_chosen_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Rows of probabilities."""
    return [(rng.dirichlet(np.ones(4), 3), {"axis": 1})]


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """Draw from choices whose log-probabilities, up to a constant, are the logits: y = softmax((logits + noise) / tau).

    tau   how smooth the draw is, above 0: near 0 it is nearly one choice, far above all have the same share
    dim   the axis of the choices
    hard  make the draw 1 and 0 in the forward pass, with the gradient of the smooth one
    eps   PyTorch's, without effect; refused if set

    The noise comes from the default generator, which `manual_seed` seeds.

    Raises ValueError for a tau that is not above 0, or another eps; IndexError if the axis is not there.

    >>> from chalkgrad import manual_seed, tensor
    >>> _ = manual_seed(0)
    >>> draws = gumbel_softmax(tensor([[0.2, 0.8]] * 10_000).log(), hard=True)
    >>> round(float(draws.mean(0)[1]), 1), draws.unique()
    (0.8, tensor([0., 1.]))
    """
    if eps != 1e-10:
        raise ValueError("gumbel_softmax: eps has no effect, in PyTorch as here; leave it out.")
    if not tau > 0:
        raise ValueError(f"gumbel_softmax: tau is how smooth the draw is, above 0, but {tau} came.")
    if not -logits.ndim <= dim < logits.ndim:
        raise IndexError(f"gumbel_softmax: logits has shape {logits.shape}, and no axis {dim}.")
    source = default_generator()
    noise = gumbel_noise(source, logits.shape, logits.dtype)
    if mode.tape is not None:
        given = {"generator": source, "shape": logits.shape, "dtype": logits.dtype}
        mode.tape.record("random", gumbel_noise, given, {"noise": noise})
    soft = softmax((logits + noise) / tau, dim)
    y: Tensor = one_chosen(soft, axis=dim) if hard else soft
    return y

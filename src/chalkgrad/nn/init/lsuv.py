"""LSUV: weights that are made to fit the data, layer by layer.

A formula for the variance of the weights knows the activation and the fans, and nothing of what else a network does to
a signal: pooling, sums, products, norms. Instead of computing the variance of a layer's output, LSUV measures it
(Mishkin & Matas 2016).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...engine.tape import no_grad
from ...engine.tensor import Tensor
from ..module import Module
from .orthogonal import orthogonal_

__all__ = ["lsuv_"]


def lsuv_(
    model: Module, *batch: Any, tol: float = 0.1, max_iter: int = 10, generator: np.random.Generator | None = None
) -> Module:
    """Give every layer weights with which its output, on this batch, has a variance of 1; returns the model.

    model     its linear layers and convolutions are taken in the order in which they are called
    batch     what the model is called with: a few dozen examples suffice
    tol       how far from 1 a variance may be
    max_iter  how often a layer is measured at most

    1. Each weight becomes orthogonal, and biases keep what they have.
    2. The output of a layer is y = W x + b, and with b = 0 its variance goes with the square of W. So W ← W / √Var y
       makes it 1, where the layers before are done; a bias takes a few rounds.
    3. With a variance of 1 after each layer, signals neither die out nor explode, whatever lies between.

    Raises ValueError for a layer whose output does not vary at all, so that no weight would do; the model is then left
    as far as it was done.

    Source: Mishkin & Matas 2016, Algorithm 1.

    >>> import chalkgrad as cg
    >>> from chalkgrad.nn import Linear, ReLU, Sequential
    >>> rng = np.random.default_rng(0)
    >>> model = Sequential(*[layer for _ in range(10) for layer in (Linear(64, 64, bias=False), ReLU())], Linear(64, 8))
    >>> x = cg.tensor(5 * rng.standard_normal((256, 64)))
    >>> y = lsuv_(model.double(), x, tol=0.01, generator=rng)(x)
    >>> bool(0.99 < y.data.var() < 1.01)
    True
    """
    layers = _called(model, batch)
    for layer in layers:
        orthogonal_(layer.weight, generator=generator)
    for layer in layers:
        for _ in range(max_iter):
            variance = float(np.var(_output(model, layer, batch)))
            if abs(variance - 1) < tol:
                break
            if not variance > 0:
                raise ValueError(f"lsuv_: the output of {layer!r} has the variance {variance} on this batch, which no "
                                 "scale of its weight makes 1. Give a batch of examples that differ.")
            with no_grad():
                layer.weight.div_(variance**0.5)
    return model


def _called(model: Module, batch: tuple[Any, ...]) -> list[Any]:
    """List the layers whose weight leads from features or channels to others, in the order of their first calls."""
    weighted = [each for each in model.modules() if hasattr(each, "in_features") or hasattr(each, "in_channels")]
    called: list[Any] = []
    with _watching(weighted, lambda layer, _, __: called.append(layer)):
        _run(model, batch)
    return list(dict.fromkeys(called))


def _output(model: Module, layer: Module, batch: tuple[Any, ...]) -> Any:
    """Run the model, and return what a layer gave."""
    outputs: list[Tensor] = []
    with _watching([layer], lambda _, __, output: outputs.append(output)):
        _run(model, batch)
    return outputs[0].data


def _run(model: Module, batch: tuple[Any, ...]) -> None:
    with no_grad():
        model(*batch)


@contextmanager
def _watching(layers: list[Any], hook: Any) -> Iterator[None]:
    handles = [layer.register_forward_hook(hook) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()

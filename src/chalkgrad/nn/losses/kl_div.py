"""KLDiv: how much is lost by taking one distribution for another.

The Kullback-Leibler divergence (1951) is what a code made for the wrong distribution costs above what the right one
would. It is never negative, zero between equals, and not the same both ways round. Distillation teaches a small network
the probabilities of a large one with it (Hinton, Vinyals & Dean 2015).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .reduction import REDUCTIONS, Loss, check_reduction, reduced

__all__ = ["KLDivLoss", "kl_div", "kl_divergence"]


@primitive
def kl_divergence(input, target, *, log_target=False):
    """What each element adds to the divergence: loss = target · (log target - input).

    input (...), target (...) -> losses (...)

    input       log-probabilities
    log_target  target holds log-probabilities too, else probabilities; one of zero then adds nothing

    Source: Kullback & Leibler 1951, section 2.

    >>> kl_divergence(np.log([0.5, 0.5]), np.array([1.0, 0.0]))
    array([0.69314718, 0.        ])
    """
    if log_target:
        p      = np.exp(target)
        losses = p * (target - input)
    else:
        p      = target
        # where p is 0, log 1 stands in for log 0: 0 · log 0 is 0, but 0 · -∞ is nan
        losses = p * np.log(p + (p == 0)) - p * input
    return losses


@kl_divergence.backward
def kl_divergence_backward(grad_losses, input, target, p, log_target):
    """
    1. by the input, which enters with -p, the slope is -p: the likelier, the more it must be raised
    2. ∂(p log p - p q)/∂p = log p + 1 - q; where p is 0, the same stand-in for log p
    3. by log p: p times that, since ∂p/∂ log p = p
    """
    grad_input = -grad_losses * p
    if log_target:
        grad_target = grad_losses * p * (target + 1 - input)
    else:
        grad_target = grad_losses * (np.log(p + (p == 0)) + 1 - input)
    return grad_input, grad_target


@kl_divergence.examples
def kl_divergence_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Probabilities; logarithms of them; a single number; an impossible class."""
    log_q, p = np.log(rng.dirichlet(np.ones(4), 3)), rng.dirichlet(np.ones(4), 3)
    return [
        (log_q, p),
        (log_q, np.log(p), {"log_target": True}),
        (np.array(-0.5), np.array(0.25)),
        (np.log(np.array([0.25, 0.75])), np.array([0.0, 1.0])),
    ]


def kl_div(
    input: Tensor, target: Tensor, size_average: None = None, reduce: None = None, reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Kullback-Leibler divergence of input from target.

    input       log-probabilities
    target      probabilities, or their logarithms if log_target; of the shape of input, or one that repeats to it
    reduction   "batchmean", which divides by the size of the first axis and is the divergence of the definition if
                there is one for each row; "mean", over all elements; "sum"; or "none" for what each element adds

    PyTorch warns at reduction="mean", though it is the default.

    Raises ValueError for shapes that do not fit, or another reduction.

    >>> from chalkgrad import tensor
    >>> kl_div(tensor([[0.5, 0.5]]).log(), tensor([[1.0, 0.0]]), reduction="batchmean")
    tensor(0.6931)
    """
    check_reduction("kl_div", reduction, size_average, reduce, known=(*REDUCTIONS, "batchmean"))
    losses = kl_divergence(input, target, log_target=log_target)
    if reduction != "batchmean":
        return reduced(losses, reduction)
    total: Tensor = losses.sum()
    return total / input.shape[0] if input.shape else total


class KLDivLoss(Loss):
    """loss = target · (log target - input), for an input of log-probabilities.

    >>> import chalkgrad as cg
    >>> cg.nn.KLDivLoss(reduction="batchmean")(cg.tensor([[0.5, 0.5]]).log(), cg.tensor([[1.0, 0.0]]))
    tensor(0.6931)
    """

    reductions = (*REDUCTIONS, "batchmean")

    def __init__(
        self, size_average: None = None, reduce: None = None, reduction: str = "mean", log_target: bool = False
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """input (...), target (...) -> loss ()."""
        return kl_div(input, target, reduction=self.reduction, log_target=self.log_target)

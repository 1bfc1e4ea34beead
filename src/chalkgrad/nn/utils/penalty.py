"""Penalties: a loss that also counts how large the weights are keeps those small that do not earn their keep.

The penalty |w| pulls every weight towards 0 with the same force, however small it is, so that many end there: it
chooses. The penalty w² pulls the less the nearer a weight is, so that none does: it shrinks, which is weight decay. The
elastic net does both (Tibshirani 1996; Zou & Hastie 2005).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...engine.tensor import Tensor
from ...ops.constant import zeros
from ...ops.update import update_rule

__all__ = ["elastic_net_penalty", "l1_penalty", "shrink_to_zero", "soft_threshold_"]


def l1_penalty(parameters: Tensor | Iterable[Tensor]) -> Tensor:
    """Compute Σ |w| over all numbers of all parameters, to be scaled and added to the loss.

    1. ∂|w| / ∂w = sign(w): where a weight is not 0, it is pulled with a force of 1, and the loss has to pull harder.
    2. At 0 anything from -1 to 1 is a slope of |w|. So w = 0 is a minimum of L + λ |w| wherever |∂L/∂w| ≤ λ: weights
       stay at 0 that the loss does not need enough. The derivative that is computed there is 0.

    Source: Tibshirani 1996, eq. 1, as a penalty.

    >>> from chalkgrad import tensor
    >>> w = tensor([3.0, -0.5, 0.0], requires_grad=True)
    >>> penalty = l1_penalty([w])
    >>> penalty.backward()
    >>> penalty.item(), w.grad
    (3.5, tensor([ 1., -1.,  0.]))
    """
    return _sum([parameter.abs().sum() for parameter in _listed(parameters)])


def elastic_net_penalty(parameters: Tensor | Iterable[Tensor], l1: float, l2: float) -> Tensor:
    """Compute l1 · Σ |w| + ½ l2 · Σ w² over all numbers of all parameters, to be added to the loss.

    1. ∂/∂w = l1 · sign(w) + l2 · w: the first term brings weights to 0, the second keeps them finite.
    2. Of two inputs that say the same, |w| cares for the sum of their weights alone, and picks one by chance; w² is
       least where both share it. So groups of inputs stay together.

    l1, l2  at least 0, or ValueError; l2 is what optimizers call weight_decay

    Source: Zou & Hastie 2005, eq. 3, with ½ l2 for their λ₂.

    >>> from chalkgrad import tensor
    >>> w = tensor([3.0, -1.0], requires_grad=True)
    >>> penalty = elastic_net_penalty([w], l1=0.5, l2=0.25)
    >>> penalty.backward()
    >>> penalty.item(), w.grad  # 0.5 · 4 + 0.125 · 10, and 0.5 · sign(w) + 0.25 · w
    (3.25, tensor([ 1.25, -0.75]))
    """
    if not (l1 >= 0 and l2 >= 0):
        raise ValueError(f"elastic_net_penalty: l1 is {l1} and l2 is {l2}, but numbers of at least 0 were expected.")
    listed = _listed(parameters)
    squares = _sum([(parameter * parameter).sum() for parameter in listed])
    penalty: Tensor = l1 * l1_penalty(listed) + 0.5 * l2 * squares
    return penalty


@update_rule
def shrink_to_zero(w, *, amount):
    """Bring every number nearer to 0 by an amount, and no farther than 0: w ← w - clip(w, -amount, amount)."""
    w -= np.clip(w, -amount, amount)


def soft_threshold_(parameters: Tensor | Iterable[Tensor], amount: float) -> None:
    """Bring every number of all parameters nearer to 0 by an amount: a step down λ |w| that ends at 0.

    Steps along the gradient of |w| go past 0 and back, and no weight is ever 0. This step goes to where
    ½ (w - w₀)² + amount · |w| is least, from w₀. Call it after `optimizer.step()`, with lr · λ.

    1. For w > 0 the slope w - w₀ + amount is 0 at w = w₀ - amount, which is above 0 if w₀ > amount.
    2. For w < 0, likewise, at w = w₀ + amount if w₀ < -amount.
    3. Otherwise the minimum is at 0.

    Raises ValueError for an amount below 0.

    Source: Daubechies, Defrise & De Mol 2004, section 2.

    >>> from chalkgrad import tensor
    >>> w = tensor([3.0, -0.5, 0.25], requires_grad=True)
    >>> soft_threshold_([w], 0.5)
    >>> w.tolist()
    [2.5, 0.0, 0.0]
    """
    if not amount >= 0:
        raise ValueError(f"soft_threshold_: the amount is {amount}, but a number of at least 0 was expected.")
    for parameter in _listed(parameters):
        shrink_to_zero(parameter, amount=float(amount))


def _listed(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [parameters] if isinstance(parameters, Tensor) else list(parameters)


def _sum(terms: list[Tensor]) -> Tensor:
    total: Tensor = sum(terms[1:], terms[0]) if terms else zeros()
    return total

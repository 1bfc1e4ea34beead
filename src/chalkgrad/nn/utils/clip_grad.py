"""Clipping: where the loss is steep, gradients are cut back, so that one step cannot undo all the others.

A recurrent network's gradients are products of as many factors as there are time steps, and so may explode. A step
along them is still a step downhill, if it is short enough (Pascanu, Mikolov & Bengio 2013).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator

import numpy as np

from ...engine.tape import mode
from ...engine.tensor import Tensor
from ...law.errors import SpellError
from ...ops.constant import full, tensor_of
from ...ops.update import update_rule

__all__ = [
    "add_to_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "cut", "get_total_norm", "shrink",
    "take_root",
]

Tensors = Tensor | Iterable[Tensor]


@update_rule
def add_to_norm(norm, grad, *, p):
    """Take a gradient into the norm: Σ |gᵢ|ᵖ, of which the root is taken last; or the extreme |gᵢ| for p = ±∞."""
    if p == math.inf:
        norm[...] = np.maximum(norm, np.abs(grad).max(initial=0))
    elif p == -math.inf:
        norm[...] = np.minimum(norm, np.abs(grad).min(initial=math.inf))
    elif p == 2:
        norm += (grad * grad).sum()
    else:
        norm += (np.abs(grad) ** p).sum()


@update_rule
def take_root(norm, *, p):
    """Take the root that makes a sum of powers a norm: (Σ |gᵢ|ᵖ)¹ᐟᵖ."""
    norm[...] = np.sqrt(norm) if p == 2 else norm ** (1 / p)


@update_rule
def shrink(g, norm, *, max_norm):
    """Shrink a gradient to its share of `max_norm`, if the norm of all gradients is above it."""
    g *= np.minimum(max_norm / (norm + 1e-6), 1)


@update_rule
def cut(g, *, bound):
    """Bring every number of a gradient into [-bound, bound]."""
    g[...] = np.clip(g, -bound, bound)


def clip_grad_norm_(
    parameters: Tensors, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Shrink all gradients by one factor, so that their common norm is at most `max_norm`; return the norm before.

    parameters          Tensors, or one; those without a gradient are passed over
    norm_type           p of the p-norm (Σ |gᵢ|ᵖ)¹ᐟᵖ over all numbers of all gradients; math.inf is the largest |gᵢ|
    error_if_nonfinite  refuse a norm that is infinite or no number, and leave all gradients alone

    Call it between `loss.backward()` and `optimizer.step()`.

    Raises TypeError for what is no Tensor, and for `foreach`, which chooses among PyTorch's kernels; ValueError for a
    norm_type of 0 or nan; RuntimeError, if it is asked for, for a norm that is not finite.

    Source: Pascanu, Mikolov & Bengio 2013, Algorithm 1; the 1e-6 below the fraction max_norm / norm is PyTorch's.

    >>> from chalkgrad import tensor
    >>> w = tensor([0.0, 0.0], requires_grad=True)
    >>> (w * tensor([30.0, 40.0])).sum().backward()
    >>> clip_grad_norm_([w], max_norm=1.0)
    tensor(50.)
    >>> w.grad
    tensor([0.6, 0.8])
    """
    tensors = _listed("clip_grad_norm_", parameters)
    norm = get_total_norm(_grads(tensors), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(tensors, max_norm, norm, foreach)
    return norm


def get_total_norm(
    tensors: Tensors, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """Compute the p-norm of all numbers of all Tensors; the arguments are those of `clip_grad_norm_`.

    >>> from chalkgrad import tensor
    >>> get_total_norm([tensor([1.0, -3.0]), tensor(2.0)], norm_type=1), get_total_norm([])
    (tensor(6.), tensor(0.))
    """
    listed, p = _listed("get_total_norm", tensors), float(norm_type)
    _refuse_kernels(foreach)
    if p == 0 or math.isnan(p):
        raise ValueError(f"norm_type is {norm_type!r}; expected a number such as 2, 1 or math.inf.")
    start = math.inf if p == -math.inf and listed else 0.0
    norm: Tensor = full((), start, np.result_type(np.float32, *(each.dtype for each in listed)))
    for each in listed:
        add_to_norm(norm, each, p=p)
    if math.isfinite(p):
        take_root(norm, p=p)
    if error_if_nonfinite:
        _check_finite(norm)
    return norm


def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Shrink all gradients by the factor max_norm / total_norm, if that is below 1: the second half of clipping.

    >>> from chalkgrad import tensor
    >>> w = tensor([3.0, 4.0], requires_grad=True)
    >>> (w * w / 2).sum().backward()
    >>> clip_grads_with_norm_(w, 1.0, get_total_norm(w.grad))
    >>> w.grad
    tensor([0.6, 0.8])
    """
    _refuse_kernels(foreach)
    for grad in _grads(_listed("clip_grads_with_norm_", parameters)):
        shrink(grad, tensor_of(total_norm), max_norm=float(max_norm))


def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Bring every number of every gradient into [-clip_value, clip_value], which may turn the direction of the step.

    Raises TypeError for what is no Tensor, and for `foreach`, which chooses among PyTorch's kernels.

    >>> from chalkgrad import tensor
    >>> w = tensor([0.0, 0.0], requires_grad=True)
    >>> (w * tensor([0.5, -40.0])).sum().backward()
    >>> clip_grad_value_([w], 1.0)
    >>> w.grad
    tensor([ 0.5, -1. ])
    """
    _refuse_kernels(foreach)
    for grad in _grads(_listed("clip_grad_value_", parameters)):
        cut(grad, bound=float(clip_value))


def _listed(name: str, tensors: Tensors) -> list[Tensor]:
    """List the Tensors, which may come one at a time, and only once."""
    listed = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    for i, each in enumerate(listed):
        if not isinstance(each, Tensor):
            raise TypeError(f"{name} takes a Tensor or several, but number {i} is a {type(each).__name__}. "
                            "Give model.parameters().")
    if not listed and isinstance(tensors, Iterator):
        warnings.warn(f"{name} got a generator with nothing in it, and does nothing. Was model.parameters() read "
                      "already? Call it again.", stacklevel=3)
    return listed


def _grads(tensors: list[Tensor]) -> list[Tensor]:
    return [each.grad for each in tensors if each.grad is not None]


def _refuse_kernels(foreach: bool | None) -> None:
    if foreach:
        raise TypeError("foreach=True chooses a kernel of PyTorch's, and there is only one way to clip here. "
                        "Leave it out.")


def _check_finite(norm: Tensor) -> None:
    if mode.tape is not None:
        raise SpellError("error_if_nonfinite=True looks at the norm, and a program that looks at its numbers cannot be "
                         "spelled. Return the norm from the step, and look at it there.")
    if not np.isfinite(norm.data):
        raise RuntimeError(f"The norm of the gradients is {norm.item()}, to which nothing can be shrunk. Try a lower "
                           "learning rate; with error_if_nonfinite=False they are shrunk nevertheless.")

"""Whether a graph is recorded, and the backward pass from several Tensors at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ContextDecorator
from typing import Any

from ..engine.backward import backward as run_backward
from ..engine.backward import grad
from ..engine.tape import SWITCHED, mode, no_grad
from ..engine.tensor import Tensor

__all__ = ["backward", "inference_mode", "is_grad_enabled", "set_grad_enabled"]


def is_grad_enabled() -> bool:
    """Tell whether operations are recorded in this thread."""
    return mode.grad_enabled


class set_grad_enabled(ContextDecorator):
    """Record the graph or not, from here on; within a `with` block, up to its end.

    >>> with set_grad_enabled(False):
    ...     is_grad_enabled()
    False
    >>> is_grad_enabled()
    True
    """

    def __init__(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            raise TypeError(f"set_grad_enabled takes True or False, but {mode!r} came.")
        self.mode, self.before = mode, is_grad_enabled()
        self.__enter__()

    def __call__(self, function: Any) -> Any:
        """Decorate a function: what holds outside of it holds again."""
        _switch(self.before)
        return super().__call__(function)

    def __enter__(self) -> None:
        _switch(self.mode)

    def __exit__(self, *exception: object) -> None:
        _switch(self.before)


def _switch(enabled: bool) -> None:
    if not SWITCHED:
        SWITCHED.append(None)  # from now on, operations ask their thread
    mode.grad_enabled = enabled


class inference_mode(no_grad):
    """Compute without recording a graph; the same as no_grad here. inference_mode(False) changes nothing."""

    def __new__(cls, mode: Any = True) -> Any:
        """Take a flag, or the function that a bare @inference_mode decorates."""
        made = super().__new__(cls, None if isinstance(mode, bool) else mode)
        if isinstance(made, cls):
            made.enabled = is_grad_enabled() and mode is False
        return made


def backward(
    tensors: Tensor | Sequence[Tensor], grad_tensors: Any = None, retain_graph: bool | None = None,
    create_graph: bool = False, *, inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the derivatives of several Tensors to the `grad` of the leaves they were made from, or of `inputs` alone.

    grad_tensors  the gradient that each starts with; it may be None for a single number, where it is 1

    >>> from chalkgrad import tensor
    >>> x = tensor(3.0, requires_grad=True)
    >>> backward([x * x, 2 * x])
    >>> x.grad
    tensor(8.)
    """
    tensors = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    given = [None] * len(tensors) if grad_tensors is None else (
        [grad_tensors] if isinstance(grad_tensors, Tensor) else list(grad_tensors))
    if len(given) != len(tensors):
        raise ValueError(f"backward: {len(tensors)} tensors, but {len(given)} grad_tensors came; give one for each.")
    if inputs is None:
        run_backward(tensors, given, retain_graph=retain_graph, create_graph=create_graph)
        return
    chosen = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    found = grad(tensors, chosen, given, retain_graph=retain_graph, create_graph=create_graph, allow_unused=True)
    for leaf, gradient in zip(chosen, found, strict=True):
        if gradient is not None:
            leaf.grad = gradient if leaf.grad is None else leaf.grad + gradient

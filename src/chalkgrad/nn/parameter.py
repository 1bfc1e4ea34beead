"""Parameter and Buffer: the tensors that a Module owns, those that are learned and those that are not."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.tensor import Tensor, wrap

__all__ = ["Buffer", "Parameter"]


class Parameter(Tensor):
    """A Tensor that is to be learned: a Module that it is assigned to registers it.

    It lives in the memory of the float array or the Tensor that it is made of; anything else is copied.

    >>> Parameter(np.zeros(2, np.float32))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        _adopt(self, data)
        self.requires_grad_(requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


class Buffer(Tensor):
    """A Tensor that belongs to a Module but is not learned, such as a running mean.

    persistent  whether it is part of the state_dict

    >>> Buffer(np.zeros(2, np.float32))
    Buffer containing:
    tensor([0., 0.])
    """

    __slots__ = ("persistent",)

    def __init__(self, data: Any, persistent: bool = True) -> None:
        _adopt(self, data)
        self.persistent = persistent

    def __repr__(self) -> str:
        return f"Buffer containing:\n{super().__repr__()}"

    def __reduce__(self) -> Any:
        _, (kind, data, requires_grad, grad) = super().__reduce__()
        return kind, (data, self.persistent), (None, {"requires_grad": requires_grad, "grad": grad})


def _adopt(tensor: Tensor, data: Any) -> None:
    """Set up a new tensor in the memory of an array or a tensor, where Tensor(...) would copy it."""
    if not isinstance(data, Tensor):
        usable = isinstance(data, np.ndarray) and data.dtype.kind in "fiub" and data.flags.writeable
        data = wrap(data, None) if usable else Tensor(data)
    tensor.data, tensor.version, tensor.requires_grad = data.data, data.version, False
    tensor.node = tensor.grad = tensor.hooks = tensor.view_of = tensor.views = None

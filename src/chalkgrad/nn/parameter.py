"""Parameter and Buffer: the tensors that a Module owns, those that are learned and those that are not.

Their uninitialized forms keep a place until it is known how many numbers are to stand there; see `lazy`.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from ..engine.tensor import Tensor, wrap

__all__ = ["Buffer", "Parameter", "Uninitialized", "UninitializedBuffer", "UninitializedParameter"]


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


class Uninitialized(Tensor):
    """What UninitializedParameter and UninitializedBuffer share: they have a dtype, but no shape and no numbers yet.

    Whatever asks for these gets a RuntimeError, in words.

    cls_to_become  the class of the tensor once `materialize` was called
    """

    __slots__ = ()
    cls_to_become: ClassVar[type[Tensor]]
    dtype = property(lambda self: _array.__get__(self).dtype)

    @property
    def data(self) -> Any:
        """There is none."""
        raise RuntimeError(f"This {type(self).__name__} has no shape and no numbers yet: its lazy module learns the "
                           "sizes from its first input. Call the model once, or load a state, before this.")

    @data.setter
    def data(self, array: Any) -> None:
        _array.__set__(self, array)  # an empty one, which holds the dtype

    def materialize(self, shape: Any, dtype: Any = None) -> None:
        """Become an ordinary tensor, whose numbers are to be set: whoever holds it, such as an optimizer, holds that.

        dtype  unless it is given, the one that this was made with
        """
        array = np.empty(shape, self.dtype if dtype is None else dtype)
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        self.data = array

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set whether it will be learned."""
        self.requires_grad = requires_grad
        return self

    def detach(self) -> Self:
        """Return this tensor, which has no history."""
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> Any:
        return type(self), (self.requires_grad, self.dtype)


_array: Any = Tensor.__dict__["data"]  # the place in a Tensor where its array stands


class UninitializedParameter(Uninitialized, Parameter):
    """A Parameter whose shape is not known yet.

    >>> weight = UninitializedParameter()
    >>> weight
    <UninitializedParameter>
    >>> weight.materialize((2, 3))
    >>> type(weight).__name__, weight.shape
    ('Parameter', (2, 3))
    """

    __slots__ = ()
    cls_to_become = Parameter

    def __init__(self, requires_grad: bool = True, dtype: Any = np.float32) -> None:
        super().__init__(np.empty(0, dtype), requires_grad)


class UninitializedBuffer(Uninitialized, Buffer):
    """A Buffer whose shape is not known yet.

    >>> mean = UninitializedBuffer(dtype=np.float64)
    >>> mean.materialize(3)
    >>> type(mean).__name__, mean.shape, mean.dtype
    ('Buffer', (3,), dtype('float64'))
    """

    __slots__ = ()
    cls_to_become = Buffer

    def __init__(self, requires_grad: bool = False, dtype: Any = np.float32, persistent: bool = True) -> None:
        super().__init__(np.empty(0, dtype), persistent)
        self.requires_grad_(requires_grad)

    def __reduce__(self) -> Any:
        return type(self), (self.requires_grad, self.dtype, self.persistent)


def _adopt(tensor: Tensor, data: Any) -> None:
    """Set up a new tensor in the memory of an array or a tensor, where Tensor(...) would copy it."""
    if not isinstance(data, Tensor):
        usable = isinstance(data, np.ndarray) and data.dtype.kind in "fiub" and data.flags.writeable
        data = wrap(data, None) if usable else Tensor(data)
    tensor.data, tensor.version, tensor.requires_grad = data.data, data.version, False
    tensor.node = tensor.grad = tensor.hooks = tensor.view_of = tensor.views = None

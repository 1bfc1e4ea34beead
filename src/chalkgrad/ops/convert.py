"""A Tensor in the eyes of Python and NumPy: as a number, a list, an array, as something to loop over; and its size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, cast

import numpy as np

from ..engine.tape import mode
from ..engine.tensor import Tensor
from ..law.errors import GradError, SpellError
from .attach import attach

__all__ = [
    "detach", "element_size", "is_complex", "is_floating_point", "is_signed", "item", "numel", "numpy", "size",
    "tolist",
]


def _read(self: Tensor) -> Any:
    """Return the array, from which numbers are about to be read; a program that is being spelled would freeze them."""
    if mode.tape is not None:
        raise SpellError(f"The step reads a number off a Tensor of shape {self.shape}, which a program would freeze. "
                         "Compute with Tensors (cg.where instead of if), or return the Tensor and read it outside of "
                         "the step.")
    return self.data


def _read_floats(self: Tensor) -> Any:
    """Return the array, too; within a rule whose second derivative is taken, numbers would be without one."""
    if mode.deriving and self.requires_grad:
        raise GradError("A rule makes Python's number of what has a derivative, which a second derivative would miss. "
                        "Leave it an array: np.sqrt(x) and not math.sqrt(x), x.sum() and not float(x.sum()).")
    return _read(self)


def item(self: Tensor) -> Any:
    """Return the one number that the tensor holds, as a Python number."""
    return _read_floats(self).item()


def tolist(self: Tensor) -> Any:
    """Return the numbers as nested lists, or as one number if there are no axes."""
    return _read_floats(self).tolist()


def numpy(self: Tensor) -> np.ndarray[Any, Any]:
    """Return the array itself; a tensor in a graph must be detached first."""
    if self.requires_grad:
        raise GradError("This tensor requires a gradient, which the array would lose; use x.detach().numpy().")
    return cast("np.ndarray[Any, Any]", _read(self))


def _as_array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
    return np.array(numpy(self), dtype=dtype, copy=copy)


def _format(self: Tensor, how: str) -> str:
    """Write a single number as Python does, f"{loss:.3f}"; anything else as it is shown."""
    return format(repr(self) if self.ndim else self.data.item(), how)


def _length(self: Tensor) -> int:
    if not self.ndim:
        raise TypeError("A number has no length.")
    return int(self.shape[0])


def _iterate(self: Tensor) -> Iterator[Tensor]:
    return (self[i] for i in range(len(self)))


def is_floating_point(input: Tensor) -> bool:
    """Tell whether the numbers are floats, and so can have a gradient."""
    return bool(input.dtype.kind == "f")


def is_complex(input: Tensor) -> bool:
    """Tell whether the numbers are complex; there are none here."""
    return False


def is_signed(input: Tensor) -> bool:
    """Tell whether the numbers may be below 0."""
    return input.dtype.kind in "if"


def detach(input: Tensor) -> Tensor:
    """Return the same memory without its history."""
    return input.detach()


def _detach(self: Tensor) -> Tensor:
    """Forget how this tensor was made."""
    if self.view_of is not None:
        raise GradError("detach_: a view goes on showing what its base shows; use y = x.detach().")
    self.node, self.requires_grad = None, False
    return self


class _Size(int):
    """How many numbers there are; called, as in PyTorch, the shape, or the size of one axis."""

    shape: tuple[int, ...]

    def __call__(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]


def size(self: Tensor) -> _Size:
    """Count the numbers, as NumPy's `x.size`; `x.size()` and `x.size(0)` are PyTorch's.

    >>> from chalkgrad import zeros
    >>> zeros(2, 3).size, zeros(2, 3).size(), zeros(2, 3).size(-1)
    (6, (2, 3), 3)
    """
    count = _Size(math.prod(self.shape))
    count.shape = self.shape
    return count


def numel(input: Tensor) -> int:
    """Count the elements."""
    return math.prod(input.shape)


def element_size(self: Tensor) -> int:
    """Count the bytes of one element."""
    return int(self.dtype.itemsize)


attach(
    __array__=_as_array,
    __bool__=lambda self: bool(_read(self)),
    __float__=lambda self: float(_read_floats(self).item()),
    __format__=_format,
    __index__=lambda self: _read(self).__index__(),
    __int__=lambda self: int(_read(self).item()),
    __iter__=_iterate,
    __len__=_length,
    dim=lambda self: self.ndim,
    element_size=element_size,
    detach_=_detach,
    is_complex=is_complex,
    is_floating_point=is_floating_point,
    is_signed=is_signed,
    item=item,
    itemsize=property(element_size),
    nbytes=property(lambda self: numel(self) * self.dtype.itemsize),
    ndimension=lambda self: self.ndim,
    nelement=numel,
    numel=numel,
    numpy=numpy,
    size=property(size),
    tolist=tolist,
)

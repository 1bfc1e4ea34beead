"""A Tensor in the eyes of Python and NumPy: as a number, a list, an array, as something to loop over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np

from ..engine.tape import mode
from ..engine.tensor import Tensor
from ..law.errors import GradError, SpellError
from .attach import attach

__all__ = ["is_floating_point", "item", "numpy", "tolist"]


def _read(self: Tensor) -> Any:
    """Return the array, from which numbers are about to be read; a program that is being spelled would freeze them."""
    if mode.tape is not None:
        raise SpellError(f"The step reads a number off a Tensor of shape {self.shape}, which a program would freeze. "
                         "Compute with Tensors (cg.where instead of if), or return the Tensor and read it outside of "
                         "the step.")
    return self.data


def item(self: Tensor) -> Any:
    """Return the one number that the tensor holds, as a Python number."""
    return _read(self).item()


def tolist(self: Tensor) -> Any:
    """Return the numbers as nested lists, or as one number if there are no axes."""
    return _read(self).tolist()


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


def _iterate(self: Tensor) -> Iterator[Tensor]:
    return (self[i] for i in range(len(self.data)))


def is_floating_point(input: Tensor) -> bool:
    """Tell whether the numbers are floats, and so can have a gradient."""
    return bool(input.dtype.kind == "f")


attach(
    __array__=_as_array,
    __bool__=lambda self: bool(_read(self)),
    __float__=lambda self: float(_read(self).item()),
    __format__=_format,
    __index__=lambda self: _read(self).__index__(),
    __int__=lambda self: int(_read(self).item()),
    __iter__=_iterate,
    __len__=lambda self: len(self.data),
    contiguous=lambda self: self,  # every operation takes every layout
    dim=lambda self: self.ndim,
    is_floating_point=is_floating_point,
    item=item,
    numpy=numpy,
    tolist=tolist,
)

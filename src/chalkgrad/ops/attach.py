"""How operations become methods and operators of Tensors."""

from __future__ import annotations

from typing import Any

from ..engine.primitive import Primitive
from ..engine.tensor import Tensor

__all__ = ["attach"]


def attach(**methods: Any) -> None:
    """Give all Tensors methods, operators and properties.

    A primitive is attached as the bare function beneath it: its own call costs a step more.
    """
    for name, method in methods.items():
        setattr(Tensor, name, method.apply if isinstance(method, Primitive) else method)

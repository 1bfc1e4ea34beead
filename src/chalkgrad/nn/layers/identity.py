"""Identity: a layer that does nothing, to put in the place of one that is not wanted."""

from __future__ import annotations

from typing import Any

from ..module import Module

__all__ = ["Identity"]


class Identity(Module):
    """Return what comes in. Whatever it is made with is left aside, so that it can stand for any layer, as in PyTorch.

    >>> import chalkgrad as cg
    >>> Identity(54, unused=True)(cg.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        """input (...) -> input (...)."""
        return input

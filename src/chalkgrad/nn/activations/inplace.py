"""What the modules share that may write their result over their input."""

from __future__ import annotations

from typing import ClassVar

from ..module import Module

__all__ = ["InPlace"]


class InPlace(Module):
    """A module that may be told `inplace`, and names its options in its text as PyTorch does.

    shown  the names of these options

    >>> import chalkgrad as cg
    >>> cg.nn.ELU(0.5, inplace=True)
    ELU(alpha=0.5, inplace=True)
    """

    shown: ClassVar[tuple[str, ...]] = ()

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Say the options, and whether the input is written over, as PyTorch does."""
        options = [f"{name}={getattr(self, name)}" for name in self.shown]
        return ", ".join(options + ["inplace=True"] * bool(self.inplace))

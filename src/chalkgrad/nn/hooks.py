"""Hooks: functions that a Module calls before or after its forward, and the handles that take them away again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..engine.tensor import RemovableHandle

__all__ = ["Hook", "Hooks", "RemovableHandle"]


class Hook(NamedTuple):
    """A function to call, and whether it wants the keyword arguments too."""

    function: Callable[..., Any]
    with_kwargs: bool

    def __call__(self, module: object, args: tuple[Any, ...], kwargs: dict[str, Any], *output: Any) -> Any:
        return self.function(module, args, *([kwargs] if self.with_kwargs else []), *output)


class Hooks(dict[RemovableHandle, Hook]):
    """The hooks of a module by their handles, in the order that they are called in."""

    def add(self, hook: Hook, prepend: bool) -> RemovableHandle:
        """Put a hook behind the others, or before them."""
        others, handle = list(self), RemovableHandle(self)
        self[handle] = hook
        if prepend:
            for other in others:
                self[other] = self.pop(other)  # to the end of the dict
        return handle

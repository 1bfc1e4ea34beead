"""What weight_norm and spectral_norm share: a parameter that is replaced by what it is made of."""

from __future__ import annotations

from typing import Any

from ...engine.tape import no_grad
from ..module import Module, Parameter
from .computed import Computed, computed, plain_tensor, restore

__all__ = ["Rescaled", "remove"]


class Rescaled(Computed):
    """How a weight is made of tensors beside it, such as `weight_g` and `weight_v`."""

    what: str  # the name of the function that sets it up
    parts: tuple[str, ...]  # of what it is made, the endings of the names

    def check(self, module: Module) -> Parameter:
        """Return the parameter that is to be replaced.

        Raises RuntimeError if that was done already, ValueError if there is none.
        """
        if isinstance(computed(module).get(self.name), type(self)):
            raise RuntimeError(f"{self.what}: `{self.name}` of {module._get_name()} has one already; a second would "
                               f"change nothing. remove_{self.what} takes it away.")
        parameter = plain_tensor(self.what, module, self.name)
        if not isinstance(parameter, Parameter):
            raise ValueError(f"{self.what}: `{self.name}` of {module._get_name()} is a buffer, which is not learned.")
        return parameter

    def made_of(self, module: Module) -> list[Any]:
        """Return what the weight is made of."""
        return [getattr(module, f"{self.name}_{part}") for part in self.parts]


def remove(kind: type[Rescaled], module: Module, name: str) -> Module:
    """Let a weight be a parameter again, and take away what it was made of."""
    how = computed(module).get(name)
    if not isinstance(how, kind):
        raise ValueError(f"remove_{kind.what}: `{name}` of {module._get_name()} has no {kind.what}.")
    with no_grad():
        weight = Parameter(how.get(module))
    for part in how.parts:
        delattr(module, f"{name}_{part}")
    return restore(module, name, weight)

"""Computed attributes: a module answers to a name, such as `weight`, with what is made of other tensors at that moment.

A property does that, but a property belongs to a class, and it is one module whose weight is to be computed. So that
module gets a class of its own, beneath the one it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...engine.tensor import Tensor
from ..module import Module, Parameter
from ..parameter import Uninitialized

__all__ = ["Computed", "computed", "kind_of", "let_compute", "own", "plain_tensor", "restore"]


class Computed:
    """How one attribute of a module is computed.

    prefix  what the name of the module's class then starts with
    """

    prefix = ""

    def __init__(self, name: str) -> None:
        self.name = name

    def get(self, module: Module) -> Tensor:
        """Compute it."""
        raise NotImplementedError

    def set(self, module: Module, value: Tensor) -> None:
        """Take what was assigned to the attribute."""
        raise AttributeError(f"`{self.name}` of {module._get_name()} is computed, and cannot be assigned; change what "
                             "it is computed from.")


def computed(module: Module) -> dict[str, Computed]:
    """Return the attributes of a module that are computed."""
    known: dict[str, Computed] = module.__dict__.get("_computed", {})
    return known


def let_compute(module: Module, how: Computed) -> Module:
    """Let an attribute be computed from now on; what was registered under its name has to be gone."""
    return _with(module, {**computed(module), how.name: how})


def restore(module: Module, name: str, tensor: Tensor) -> Module:
    """Let a computed attribute be a parameter or a buffer again."""
    _with(module, {key: how for key, how in computed(module).items() if key != name})
    own(module, name, tensor)
    return module


def own(module: Module, name: str, tensor: Tensor) -> None:
    """Register a tensor as what it is, a parameter or a buffer."""
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def plain_tensor(what: str, module: Module, name: str) -> Tensor:
    """Return a parameter or a buffer of the module itself, whose size is known.

    Raises ValueError if there is none; `what` wants to know.
    """
    tensor = dict(module._members("parameter", "buffer", "unsaved buffer")).get(name)
    if tensor is None:
        raise ValueError(f"{what}: {module._get_name()} has no parameter `{name}` of its own.")
    if isinstance(tensor, Uninitialized):
        raise ValueError(f"{what}: `{name}` of {module._get_name()} has no size yet; call the module once before.")
    found: Tensor = tensor
    return found


def kind_of(module: Module) -> type[Module]:
    """Return the class that a module had before any of its attributes was computed."""
    kind = type(module)
    return kind.__bases__[0] if vars(kind).get("__reduce__") is _reduce else kind


def _with(module: Module, known: dict[str, Computed]) -> Module:
    """Give a module these computed attributes, and the class for them."""
    module.__dict__["_computed"] = known  # a new dict: a shallow copy of the module may hold the old one
    if not known:
        del module.__dict__["_computed"]
    prefix = max((how.prefix for how in known.values()), default="")
    module.__class__ = _beneath(kind_of(module), prefix, tuple(known))
    return module


def _beneath(kind: type[Module], prefix: str, names: Sequence[str]) -> type[Module]:
    if not names:
        return kind
    made = {name: property(*_accessors(name)) for name in names}
    return type(prefix + kind.__name__, (kind,), {"__module__": kind.__module__, "__reduce__": _reduce, **made})


def _accessors(name: str) -> Any:
    return (lambda self: computed(self)[name].get(self)), (lambda self, value: computed(self)[name].set(self, value))


def _reduce(self: Module) -> Any:
    """Copy and pickle by the class above, which can be found by its name."""
    prefix = type(self).__name__.removesuffix(kind_of(self).__name__)
    return _revive, (kind_of(self), prefix, tuple(computed(self))), self.__dict__


def _revive(kind: type[Module], prefix: str, names: Sequence[str]) -> Module:
    made = _beneath(kind, prefix, names)
    return made.__new__(made)

"""Tree: attributes that are registered under their names, and walks over all of them, with their paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from ..engine.tensor import Tensor
from ..law.errors import nearest
from .parameter import Buffer, Parameter

if TYPE_CHECKING:
    from .module import Module

__all__ = ["Tree"]

# What an attribute can be registered as. It may become what stands further down, but not what stands above.
RANK = {"buffer": 0, "unsaved buffer": 0, "module": 1, "parameter": 2}
BUFFERS = "buffer", "unsaved buffer"


class Tree:
    """What a Module is before it computes: the owner of its parameters, its buffers and its modules.

    Parameters, Buffers and Modules that are assigned to an attribute are registered. Their values stand in __dict__
    like any other, so that reading self.weight costs no call; beside them stands what each name is.
    """

    _registered: dict[str, str]

    def __init__(self) -> None:
        self.__dict__["_registered"] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        kind, was = _kind(value), self.__dict__.get("_registered", {}).get(name)
        if kind is not None and (was is None or RANK[kind] >= RANK[was]):
            self._register(name, kind, value)
        elif was is None:
            object.__setattr__(self, name, value)
        else:
            self._check_value(name, was, value)
            self.__dict__[name] = value

    def __getattr__(self, name: str) -> Any:
        if hasattr(type(self), name):  # a property that lacks something: let it fail again, in its own words
            return object.__getattribute__(self, name)
        if "_registered" not in self.__dict__:
            raise AttributeError(f"{self._get_name()}: call super().__init__() at the start of its __init__.")
        known = [each for each in self.__dict__ if not each.startswith("_")]
        raise AttributeError(f"{self._get_name()} has no attribute `{name}`. {nearest(name, known)}")

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        self._registered.pop(name, None)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # copy.copy hands over the dict of registered names itself, but the copy registers for itself
        self.__dict__.update(state, _registered=dict(state["_registered"]))

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Register a parameter; None keeps the place of one that this module does without.

        Raises KeyError for a name that is taken or holds a dot, TypeError for what is no Parameter.
        """
        self._register_new(name, "parameter", param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Register a buffer, which is part of the state_dict if it is `persistent`.

        Raises KeyError for a name that is taken or holds a dot, TypeError for what is no Tensor.
        """
        self._register_new(name, BUFFERS[not persistent], tensor)

    def register_module(self, name: str, module: Module | None) -> None:
        """Register a module, under any name that holds no dot.

        Raises KeyError for a name that is taken or holds a dot, TypeError for what is no Module.
        """
        self._register_new(name, "module", module)

    add_module = register_module

    def _register_new(self, name: str, kind: str, value: Any) -> None:
        self._check_value(name, kind, value)
        was = self.__dict__.get("_registered", {}).get(name)
        if name in self.__dict__ and (was is None or RANK[was] != RANK[kind]):
            raise KeyError(f"{self._get_name()} has an attribute `{name}` already; give the {kind} another name.")
        self._register(name, kind, value)

    def _check_value(self, name: str, kind: str, value: Any) -> None:
        expected = {"parameter": Parameter, "module": Tree}.get(kind, Tensor)
        if value is not None and not isinstance(value, expected):
            noun = "Tensor" if kind in BUFFERS else kind.capitalize()
            raise TypeError(f"The {kind} `{name}` of {self._get_name()} is a {noun} or None, but an object of type "
                            f"{type(value).__name__} came.")

    def _register(self, name: str, kind: str, value: Any) -> None:
        if "_registered" not in self.__dict__:
            raise AttributeError(f"{self._get_name()}: call super().__init__() before the {kind} `{name}` is assigned.")
        if not isinstance(name, str):
            raise TypeError(f"The name of a {kind} is a string, but {name!r} came.")
        if not name or "." in name:
            raise KeyError(f"{name!r} cannot name a {kind}: a name is not empty and holds no dot, which a path has.")
        if hasattr(type(self), name):
            raise KeyError(f"`{name}` is part of the class {self._get_name()}; give the {kind} another name.")
        if RANK.get(self._registered.get(name, "")) != RANK[kind]:
            self._registered.pop(name, None)  # its kind is new, so it stands last among its kin
        self._registered[name] = kind
        self.__dict__[name] = value

    def _members(self, *kinds: str) -> list[tuple[str, Any]]:
        """List what is registered here, in order, without what is None."""
        named = [(name, self.__dict__[name]) for name, kind in self._registered.items() if kind in kinds]
        return [(name, value) for name, value in named if value is not None]

    def _get_name(self) -> str:
        return type(self).__name__

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules right below this one with their names, each module once."""
        seen: set[Module] = set()
        for name, child in self._members("module"):
            if child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Module]:
        """Yield the modules right below this one, each once."""
        return (child for _, child in self.named_children())

    def named_modules(self, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """Yield this module and all below it with their paths, parents first: "", "encoder", "encoder.0", ...

        A module that stands in several places comes once, unless remove_duplicate is false.
        """
        seen: set[Module] = set()
        stack: list[tuple[str, Any]] = [(prefix, self)]
        while stack:
            path, module = stack.pop()
            if not (remove_duplicate and module in seen):
                seen.add(module)
                yield path, module
                stack += [(_join(path, name), child) for name, child in reversed(module._members("module"))]

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield the parameters with their paths; a shared one comes once, unless remove_duplicate is false."""
        return self._named_tensors(("parameter",), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the parameters, each once; those of this module alone if `recurse` is false."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield the buffers with their paths; a shared one comes once, unless remove_duplicate is false."""
        return self._named_tensors(BUFFERS, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers, each once; those of this module alone if `recurse` is false."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _named_tensors(
        self, kinds: tuple[str, ...], prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen = set[Tensor]()
        for path, module in self.named_modules(prefix, remove_duplicate) if recurse else [(prefix, self)]:
            for name, tensor in module._members(*kinds):
                if not (remove_duplicate and tensor in seen):
                    seen.add(tensor)
                    yield _join(path, name), tensor

    def get_submodule(self, target: str) -> Module:
        """Return the module at a path such as "encoder.0"; "" is this one. AttributeError if there is none."""
        return cast("Module", self._get_member(target, "module") if target else self)

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter at a path such as "encoder.0.weight". AttributeError if there is none."""
        return cast(Parameter, self._get_member(target, "parameter"))

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer at a path such as "norm.running_mean". AttributeError if there is none."""
        return cast(Tensor, self._get_member(target, *BUFFERS))

    def _get_member(self, target: str, *kinds: str) -> Any:
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        members = dict(owner._members(*kinds))
        if name not in members:
            raise AttributeError(f"{owner._get_name()} has no {kinds[0]} `{name}`. {nearest(name, members)}")
        return members[name]


def _kind(value: Any) -> str | None:
    if isinstance(value, Parameter):
        return "parameter"
    if isinstance(value, Tree):
        return "module"
    return BUFFERS[not value.persistent] if isinstance(value, Buffer) else None


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name

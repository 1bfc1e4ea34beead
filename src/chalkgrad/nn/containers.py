"""Containers: modules in a row, in a list, and by name."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from itertools import count, groupby
from typing import Any, Self, cast, overload

from .module import Module

__all__ = ["ModuleDict", "ModuleList", "Sequential"]


class _Numbered(Module):
    """What Sequential and ModuleList share: modules "0", "1", ... that are handled like the items of a list."""

    def __len__(self) -> int:
        return len(self._members("module"))

    def __iter__(self) -> Iterator[Any]:
        return iter([module for _, module in self._members("module")])

    @overload
    def __getitem__(self, idx: int) -> Any: ...
    @overload
    def __getitem__(self, idx: slice) -> Self: ...
    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return self._part(self._members("module")[idx])
        return self._members("module")[idx][1]

    def __setitem__(self, idx: int, module: Module) -> None:
        name = [name for name, _ in self._members("module")][idx]
        setattr(self, name, *self._checked([module]))

    def __delitem__(self, idx: int | slice) -> None:
        modules = list(self)
        del modules[idx]
        self._renumber(modules)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        return self.extend([module])

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add several modules at the end."""
        for module in self._checked(modules):
            # model[1:] has the names "1" and "2", so that the next free one is not its length
            free = (name for name in map(str, count(len(self))) if name not in self._registered)
            self.register_module(next(free), module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Put a module before the one at `index`. Raises IndexError for a place that there is not."""
        modules = list(self)
        if not -len(modules) <= index <= len(modules):
            raise IndexError(f"{self._get_name()} has {len(modules)} modules, so there is no place {index} in it.")
        modules.insert(index, *self._checked([module]))
        return self._renumber(modules)

    def pop(self, key: int | slice = -1) -> Any:
        """Take a module out, the last one if none is named, and return it; or a slice of them."""
        found = self[key]
        del self[key]
        return found

    def _checked(self, modules: Iterable[Module]) -> list[Module]:
        """Refuse what is no Module before the first of them is added."""
        checked = list(modules)
        for module in checked:
            if not isinstance(module, Module):
                raise TypeError(f"{self._get_name()} holds Modules, but {module!r:.60} came.")
        return checked

    def _part(self, members: list[tuple[str, Module]]) -> Self:
        raise NotImplementedError

    def _renumber(self, modules: Iterable[Module]) -> Self:
        for name, _ in self._members("module"):
            delattr(self, name)
        return self.extend(modules)


class Sequential(_Numbered):
    """Modules in a row: each is called with what the one before it returned.

    Given one dict, the modules have its keys for names; deleting and inserting numbers all of them anew. `model * 2`
    has the same modules twice, and so their weights once.

    >>> import chalkgrad as cg
    >>> from chalkgrad.nn.layers.linear import Linear
    >>> from chalkgrad.nn.activations.relu import ReLU
    >>> model = Sequential(Linear(4, 3), ReLU(), Linear(3, 1))
    >>> model
    Sequential(  # 19 parameters
      (0): Linear(in_features=4, out_features=3, bias=True)  # 15 parameters
      (1): ReLU()
      (2): Linear(in_features=3, out_features=1, bias=True)  # 4 parameters
    )
    >>> model(cg.ones(2, 4)).shape, model[:2](cg.ones(2, 4)).shape
    ((2, 1), (2, 3))
    """

    def __init__(self, *args: Module | Mapping[str, Module]) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            self._checked(args[0].values())
            for name, module in args[0].items():
                self.register_module(name, module)
        else:
            self.extend(cast("tuple[Module, ...]", args))  # it refuses a Mapping that is one of several

    def forward(self, input: Any) -> Any:
        """Hand the input through all modules."""
        for module in self:
            input = module(input)
        return input

    def _part(self, members: list[tuple[str, Module]]) -> Self:
        return type(self)(dict(members))

    def __add__(self, other: Sequential) -> Sequential:
        return Sequential(*self, *other) if isinstance(other, Sequential) else NotImplemented

    def __iadd__(self, other: Sequential) -> Self:
        return self.extend(other) if isinstance(other, Sequential) else NotImplemented

    def __mul__(self, other: int) -> Sequential:
        return Sequential(*list(self) * _times(other))

    __rmul__ = __mul__

    def __imul__(self, other: int) -> Self:
        return self.extend(list(self) * (_times(other) - 1))


class ModuleList(_Numbered):
    """A list whose modules are registered. It has no forward: what is done with them is up to its owner.

    >>> from chalkgrad.nn.layers.linear import Linear
    >>> ModuleList(Linear(2, 2) for _ in range(3))
    ModuleList(  # 18 parameters
      (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)  # 6 parameters
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(() if modules is None else modules)

    def _part(self, members: list[tuple[str, Module]]) -> Self:
        return type(self)(module for _, module in members)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)

    def _child_lines(self) -> list[str]:
        """Say what repeats once, as PyTorch does."""
        lines = []
        for text, group in groupby(self._members("module"), key=lambda member: repr(member[1])):
            names = [name for name, _ in group]
            alone = len(names) == 1
            lines.append(f"({names[0]}): {text}" if alone else f"({names[0]}-{names[-1]}): {len(names)} x {text}")
        return lines


class ModuleDict(Module):
    """A dict whose modules are registered under their keys. It has no forward, like ModuleList.

    >>> from chalkgrad.nn.activations.relu import ReLU
    >>> ModuleDict({"act": ReLU()})["act"]
    ReLU()
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        self.update(() if modules is None else modules)

    def __getitem__(self, key: str) -> Any:
        return self._as_dict()[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.register_module(key, module)

    def __delitem__(self, key: str) -> None:
        self.pop(key)

    def __len__(self) -> int:
        return len(self._as_dict())

    def __iter__(self) -> Iterator[str]:
        return iter(self._as_dict())

    def __contains__(self, key: str) -> bool:
        return key in self._as_dict()

    def keys(self) -> KeysView[str]:
        """Return the names, in the order they were added."""
        return self._as_dict().keys()

    def values(self) -> ValuesView[Any]:
        """Return the modules, in the order they were added."""
        return self._as_dict().values()

    def items(self) -> ItemsView[str, Any]:
        """Return the pairs of a name and a module, in the order they were added."""
        return self._as_dict().items()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add the modules of a mapping, or of pairs of a name and a module; a name that is there is replaced."""
        for key, module in dict(modules).items():
            self[key] = module

    def pop(self, key: str) -> Any:
        """Take the module with this name out and return it."""
        module = self[key]
        delattr(self, key)
        return module

    def clear(self) -> None:
        """Take all modules out."""
        for key in self.keys():
            delattr(self, key)

    def _as_dict(self) -> dict[str, Any]:
        return dict(self._members("module"))


def _times(count: int) -> int:
    """Return how often modules are to be repeated, or raise TypeError or ValueError if that cannot be."""
    if not isinstance(count, int):
        raise TypeError(f"A Sequential is repeated a whole number of times, but {count!r} came.")
    if count <= 0:
        raise ValueError(f"A Sequential is repeated at least once, but {count} came.")
    return count

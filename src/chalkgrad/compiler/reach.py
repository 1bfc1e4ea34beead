"""What a function can reach, in the shape of one model, so that a step can be traced with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..engine.tensor import Tensor, wrap
from ..law.errors import SpellError
from ..spell.trace import Trace
from .surroundings import Surroundings

__all__ = ["Reach"]


class Reach:
    """What a function can reach, as it is now; where anything is changed, there is another Reach.

    function, objects   where it starts: the function, and arguments that are no Tensors, by their names

    modules     name in the function -> module
    optimizers  all optimizers that were found
    loose       name -> a Tensor that belongs to none of the modules
    rows        (paths, rule) -> the rows in which parameters lie, shared by all that are of the same `layout`
    """

    def __init__(self, function: Callable[..., Any], objects: dict[str, Any]) -> None:
        self.roots = [("the function", function), *objects.items()]
        self.rows: dict[Any, Any] = {}
        self.look()

    def look(self) -> None:
        """Find everything; again, if something has changed."""
        found = self.surroundings = Surroundings(self.roots)
        inner = {id(part) for module in found.modules.values() for part in list(module.modules())[1:]}
        outer = {path: module for path, module in found.modules.items() if id(module) not in inner}
        self.modules: dict[str, Any] = _variables(outer)
        self.optimizers: list[Any] = list(found.optimizers.values())
        owned = {id(tensor) for module in self.modules.values() for tensor in (*module.parameters(), *module.buffers())}
        followed = [p for optimizer in self.optimizers for group in optimizer.param_groups for p in group["params"]]
        loose = {path: tensor for path, tensor in found.tensors.items()
                 if id(tensor) not in owned and not any(tensor is param for param in followed)}
        self.loose: dict[str, Tensor] = _variables(loose, {*self.modules})
        named = {id(tensor): path for path, tensor in found.tensors.items() if ".param_groups[" not in path}
        for param in (param for param in followed if id(param) not in owned):
            self.loose |= _variables({named.get(id(param), "param"): param}, {*self.modules, *self.loose})
        self._check_followed(followed)
        self.ids = frozenset(map(id, (*self.parameters(), *self.buffers())))
        self.layout = [*((path, id(tensor), tensor.shape, tensor.dtype) for path, tensor in self.named_parameters()),
                       *map(id, self.optimizers)]

    def starts_with(self, objects: list[Any]) -> bool:
        """Tell whether the arguments that are no Tensors are the same objects."""
        return len(objects) == len(self.roots) - 1 and all(
            one is other for one, (_, other) in zip(objects, self.roots[1:]))

    def holds(self, objects: list[Any]) -> bool:
        """Tell whether everything that the function reaches is what it was."""
        return self.starts_with(objects) and self.surroundings.hold()

    def renew(self, surroundings: Surroundings) -> None:
        """Take what was found later, but is equal: it may be other objects, as after optimizer.load_state_dict()."""
        self.surroundings = surroundings

    def settings(self) -> dict[str, Any]:
        """Tell all that a program holds for good, by where it is found: as it is now, not as it was."""
        return Surroundings(self.roots).facts

    @property
    def facts(self) -> dict[str, Any]:
        """Tell all that a program holds for good, by where it was found."""
        return self.surroundings.facts

    def reader(self, paths: list[str]) -> Callable[[], list[Tensor]]:
        """Return a function that reads what optimizers remember by now: a state_dict may have been loaded."""
        places = [*self._places(paths)]
        return lambda: [optimizer.state[param][key] for optimizer, param, key in places]

    def readers(self, paths: list[str]) -> list[Callable[[], Tensor]]:
        """Return such a function for each path."""
        return [_reader(*place) for place in self._places(paths)]

    def give_memory(self, traced: Trace) -> None:
        """Give the optimizers what their first step would make, as it was before that step."""
        params, buffers = dict(self.named_parameters()), dict(self.named_buffers())
        paths = [path for path in traced.state if path.rpartition(".")[0] in params and path not in buffers]
        for path, (optimizer, param, key) in zip(paths, self._places(paths)):
            if key not in optimizer.state[param]:
                optimizer.state[param][key] = wrap(traced.start[id(traced.state[path])].copy(), None)

    def _places(self, paths: list[str]) -> Iterator[tuple[Any, Tensor, str]]:
        """Find which optimizer remembers what, of which parameter, and under which key."""
        params = dict(self.named_parameters())
        owners = {id(param): optimizer for optimizer in reversed(self.optimizers)
                  for group in optimizer.param_groups for param in group["params"]}
        for path in paths:
            name, _, key = path.rpartition(".")
            if id(params[name]) not in owners:
                raise SpellError(f"No optimizer was found that remembers `{path}`.")
            yield owners[id(params[name])], params[name], key

    def named_modules(self) -> Iterator[tuple[str, Any]]:
        """Name every module; a model that is the only one needs no name."""
        for prefix, module in self._prefixed():
            for path, part in module.named_modules():
                yield ".".join(filter(None, [prefix, path])), part

    def get_submodule(self, path: str) -> Any:
        """Find a module by its name."""
        return dict(self.named_modules())[path]

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Name what can be learned: of the modules, and leaves that stand for themselves."""
        for prefix, module in self._prefixed():
            yield from ((".".join(filter(None, [prefix, path])), tensor) for path, tensor in module.named_parameters())
        yield from ((name, tensor) for name, tensor in self.loose.items() if tensor.requires_grad)

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """Name all other tensors."""
        for prefix, module in self._prefixed():
            yield from ((".".join(filter(None, [prefix, path])), tensor) for path, tensor in module.named_buffers())
        yield from ((name, tensor) for name, tensor in self.loose.items() if not tensor.requires_grad)

    def parameters(self) -> list[Tensor]:
        """Return what can be learned."""
        return [tensor for _, tensor in self.named_parameters()]

    def buffers(self) -> list[Tensor]:
        """Return all other tensors."""
        return [tensor for _, tensor in self.named_buffers()]

    def _check_followed(self, followed: list[Any]) -> None:
        if len({id(param) for param in followed}) < len(followed):
            raise SpellError("Two optimizers follow the same parameter, and a program finds what is remembered of it "
                             "by its name only. Use one optimizer in the function, or leave one of its steps outside.")

    def _prefixed(self) -> list[tuple[str, Any]]:
        single = len(self.modules) == 1
        return [("" if single else name, module) for name, module in self.modules.items()]


def _reader(optimizer: Any, param: Tensor, key: str) -> Callable[[], Tensor]:
    return lambda: optimizer.state[param][key]


def _variables(places: dict[str, Any], taken: Iterable[str] = ()) -> dict[str, Any]:
    """Name what was found by where it was: self.nets["a"] -> nets_a."""
    named: dict[str, Any] = {}
    for path, value in places.items():
        base = name = re.sub(r"\W+", "_", path.removeprefix("self.")).strip("_") or "tensor"
        number = 2
        while name in named or name in taken:
            name, number = f"{base}_{number}", number + 1
        named[name] = value
    return named

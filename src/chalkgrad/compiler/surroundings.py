"""All that a function can reach, and what was found there: whether it is still so is asked in every call."""

from __future__ import annotations

import collections
import functools
import itertools
import operator
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..engine.tensor import Tensor, wrap
from ..law.errors import SpellError
from .code import asks, classes_of, follows, mentions, reads
from .structure import SIMPLE, plain

__all__ = ["Surroundings"]

RATES = ("lr", "initial_lr", "params")  # of a group of parameters: rates are arguments of a program
END = object()
FLAGS = operator.attrgetter("data.dtype", "data.shape", "requires_grad", "hooks", "node")
CONTENT = operator.attrgetter("cell_contents")


class Surroundings:
    """What functions and objects can reach. It is read, not run: attributes are followed that the code names.

    facts       where -> what is there, in a form that can be compared: "model.0.p" -> (float, 0.5)
    modules, optimizers, tensors    where -> what was found
    """

    def __init__(self, roots: list[tuple[str, Any]]) -> None:
        self.attributes = frozenset[str]()
        while True:  # code that is found late may name attributes of what was found early
            self._clear()
            before = self.attributes
            for path, value in roots:
                self._look(path, value, root=True)
            for path, optimizer in list(self.optimizers.items()):
                self._optimizer(path, optimizer)
            if self.attributes == before:
                break
        self._refuse_foreign()
        self.found = [*self._read(), END]
        self.sizes = [*map(len, self.memories)]
        self.flags = [(*flags[:3], flags[3] and dict(flags[3]), flags[4]) for flags in map(FLAGS, self.watched)]

    def _clear(self) -> None:
        self.facts: dict[str, Any] = {}
        self.at: dict[str, Any] = {}  # where -> what is there
        self.modules: dict[str, Any] = {}
        self.optimizers: dict[str, Any] = {}
        self.tensors: dict[str, Tensor] = {}
        self.foreign: dict[str, Any] = {}  # where -> a module or an optimizer of another library
        self.codes: set[types.CodeType] = set()  # of the functions that were found
        self.seen: dict[int, tuple[str, Any]] = {}  # id -> where it was, and the object, so that the id stays its own
        self.classes: set[type] = set()  # of objects that were found
        self.items: list[Iterable[Any]] = []  # lists, and live views of dicts: all that is in them is watched
        self.gets: list[Callable[..., Any]] = []  # functions, and for each the names that it is asked for
        self.names: list[tuple[str, ...]] = []
        self.cells: list[Any] = []
        self.watched: list[Tensor] = []
        self.memories: list[Any] = []  # what optimizers remember

    def hold(self) -> bool:
        """Tell whether everything is what it was; what is equal but another object counts as changed.

        This runs in every call, so it is put together of what runs in C: 25 us for a transformer of four layers.
        """
        try:
            return all(map(operator.is_, itertools.chain(self._read(), (END,)), self.found)) and (
                list(map(FLAGS, self.watched)) == self.flags) and list(map(len, self.memories)) == self.sizes
        except (AttributeError, RuntimeError, ValueError):  # a cell was emptied, or a dict grew meanwhile
            return False

    def _read(self) -> Iterator[Any]:
        chained = itertools.chain.from_iterable
        return itertools.chain(chained(self.items), chained(map(map, self.gets, self.names)), map(CONTENT, self.cells))

    def _watch(self, get: Callable[..., Any], names: Iterable[str]) -> dict[str, Any]:
        """Read names from now on; returns what they stand for now."""
        asked = tuple(names)
        if asked:
            self.gets.append(get)
            self.names.append(asked)
        return {name: value for name in asked if (value := get(name)) is not None}

    # ------------------------------------------------------------------------------------------------ each kind

    def _look(self, path: str, value: Any, root: bool = False) -> None:
        """Note what is at a place, and look into it."""
        value = _unwrapped(value)
        while path in self.at and self.at[path] is not value:  # another of that name, of another function
            path += "'"
        if path in self.at:
            return
        self.at[path] = value
        if isinstance(value, SIMPLE) and not isinstance(value, type):
            self.facts[path] = plain(value)
            return
        first = self.seen.setdefault(id(value), (path, value))[0]
        same = ("the same as", first) if first != path else None
        if isinstance(value, Tensor | np.ndarray):
            self.facts[path] = same or self._tensor(path, value)
        elif _is_foreign(value):
            self.facts[path] = type(value), id(value)
            self.foreign[path] = value
        elif hasattr(type(value), "named_parameters") and hasattr(type(value), "named_modules"):
            self.facts[path] = type(value), id(value)
            if same is None:
                self._module(path, value)
        elif hasattr(type(value), "zero_grad") and "param_groups" in getattr(value, "__dict__", ()):
            self.facts[path] = type(value), id(value)
            self.optimizers.update({} if same else {path: value})
        elif same is not None:
            self.facts[path] = same
        else:
            self.facts[path] = type(value), id(value)
            self._look_into(path, value, root)

    def _look_into(self, path: str, value: Any, root: bool) -> None:
        if isinstance(value, types.FunctionType):
            if root or follows(value):
                self._function(path, value)
        elif isinstance(value, types.MethodType | functools.partial | staticmethod | classmethod | property | (
                functools.cached_property)):
            self._wrapper(path, value, root)
        elif isinstance(value, Mapping | list | tuple | set | frozenset | collections.deque):
            self._container(path, value)
        elif isinstance(value, types.ModuleType):
            if follows(value):
                known = vars(value)
                self._look_at(path, self._watch(known.get, sorted(self.attributes & known.keys())))
        elif isinstance(value, type):
            self._class(path, value, made=True)
        else:
            self._object(path, value)

    def _look_at(self, path: str, values: dict[str, Any]) -> None:
        for name, value in values.items():
            self._look(f"{path}.{name}" if path else name, value)

    def _tensor(self, path: str, value: Any) -> Any:
        tensor = value if isinstance(value, Tensor) else wrap(value, None)
        self.watched.append(tensor)
        if tensor.node is None:
            self.tensors[path] = tensor
        self._look_all({f"{path}.hooks[{i}]": hook for i, hook in enumerate((tensor.hooks or {}).values())})
        hooks = tuple(map(id, (tensor.hooks or {}).values()))
        return "tensor", id(value), tensor.shape, tensor.dtype, tensor.requires_grad, hooks, id(tensor.node)

    def _function(self, path: str, function: Any) -> None:
        """Globals and the closure come by their own names, defaults by those of the parameters."""
        said = mentions(function.__code__)
        self.codes.add(function.__code__)
        self.attributes |= said.attributes
        inner = functools.partial(getattr, function)
        self._watch(inner, ("__code__", "__defaults__", "__kwdefaults__"))
        self._look_at("", self._watch(function.__globals__.get, sorted(said.globals)))
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            try:
                value = cell.cell_contents
            except ValueError:  # nothing was put in yet
                continue
            self.cells.append(cell)
            self._look(name, value)
        count = function.__code__.co_argcount
        names = function.__code__.co_varnames[count - len(function.__defaults__ or ()) : count]
        self._look_at("", dict(zip(names, function.__defaults__ or ())) | (function.__kwdefaults__ or {}))

    def _wrapper(self, path: str, value: Any, root: bool) -> None:
        if isinstance(value, types.MethodType):
            self._look("model" if hasattr(type(value.__self__), "named_parameters") else "self", value.__self__)
            self._look(f"{path}.__func__", value.__func__, root)
        elif isinstance(value, functools.partial):
            self._look(f"{path}.func", value.func, root)
            self._look_at("", {f"given_{i}": item for i, item in enumerate(value.args)} | value.keywords)
            self.items.append(value.keywords.values())
        else:
            for i, name in enumerate(("fget", "fset", "func", "__func__")):
                self._look(f"{path}.__func__[{i}]", getattr(value, name, None))

    def _container(self, path: str, value: Any) -> None:
        """What was put together anew of the same things is the same to a program."""
        self.facts[path] = type(value), len(value)
        if isinstance(value, Mapping):
            self.items += [value.keys(), value.values()]
            self._look_all({f"{path}[{key!r}]": item for key, item in value.items()})
        else:
            if not isinstance(value, tuple | frozenset):
                self.items.append(value)
            self._look_all({f"{path}[{i}]": item for i, item in enumerate(value)})

    def _look_all(self, places: dict[str, Any]) -> None:
        for path, value in places.items():
            self._look(path, value)

    def _module(self, path: str, module: Any) -> None:
        """Watch what is registered, and attributes that code names: that of the class if it is ours, or its user's."""
        self.modules[path] = module
        known = vars(module)
        for kind in ("_forward_pre_hooks", "_forward_hooks"):
            hooks = known.get(kind, {})
            self.items.append(hooks.values())
            self._look_all({f"{path}.{kind}[{i}]": hook.function for i, hook in enumerate(hooks.values())})
        skip = {"_registered", "_forward_pre_hooks", "_forward_hooks"}
        if follows(type(module)):
            self._class(path, type(module))
            names = {*known.get("_registered", ()), "training", "forward"} | self._named(known, type(module))
            values = self._watch(known.get, sorted(names - skip))
            order = [name for name in known if name in values]  # as they were registered
            self._look_at(path, {name: values[name] for name in order})
        else:
            names = known.keys() - skip
            our: Any = type(module)
            used = reads(our) | known["_registered"].keys() | self.attributes | {"forward"}
            if names <= used:
                self.items.append(known.values())  # faster
            else:  # a user's, such as a history of losses
                self._watch(known.get, sorted((names & used) | {"forward"}))
            self._look_at(path, {name: value for name, value in known.items() if name in names & used})

    def _named(self, known: Mapping[str, Any], kind: type) -> set[str]:
        """Choose the attributes of an object that matter: that code names and that are there, or asks for in quotes."""
        if "*" in self.attributes:
            return {*known}
        there = {name for each in classes_of(kind) for name in vars(each)}
        found = {name for name in self.attributes if name in known or name in there or name[:1] == "'"}
        return {name.strip("'") for name in found}

    def _object(self, path: str, value: Any) -> None:
        """An object of some class: one with an access of its own may read any attribute."""
        known = getattr(value, "__dict__", None)
        self._class(path, type(value))
        if any("__getattr__" in vars(each) or "__getattribute__" in vars(each) for each in classes_of(type(value))):
            self.items.append((known or {}).values())
            self._look_at(path, dict(known or {}))
        elif known is not None:
            self.facts[path] = type(value), "an object"
            self._look_at(path, self._watch(known.get, sorted(self._named(known, type(value)))))
        elif classes_of(type(value)):  # with __slots__
            get = functools.partial(_attribute, value)
            names = {name for name in self.attributes if isinstance(getattr(type(value), name, None),
                                                                    types.MemberDescriptorType)}
            self._look_at(path, self._watch(get, sorted(names)))

    def _class(self, path: str, kind: type, made: bool = False) -> None:
        """Look at what all objects of a class share, and at its methods that are called, by name or by operators."""
        for each in classes_of(kind):
            place = f"{path}.{each.__name__}" if not made else path
            if made or each not in self.classes:
                self.classes.add(each)
                known = vars(each)
                names = [name for name, value in known.items() if name in self.attributes or name == "forward" or (
                    name[:2] == "__" and isinstance(value, types.FunctionType) and (made or name not in MAKING))]
                self._look_at(place, self._watch(known.get, names))

    def _refuse_foreign(self) -> None:
        """Raise SpellError if code does more with another library's module than to ask whether it is there."""
        for path, value in self.foreign.items():
            name = re.findall(r"(?:^|\.)(\w+)", path)[-1]
            handed = name in ("model", "self") or name.startswith("given_")  # by a method or a partial function
            if handed or any(asks(code, name) for code in self.codes):
                kind = f"{type(value).__module__}.{type(value).__name__}"
                raise SpellError(f"`{path}` is a {kind}, and its numbers would stay what they were when the function "
                                 "was compiled. Call it outside, and hand the function what it returns as a Tensor; or "
                                 "make a module of chalkgrad of it.")

    def _optimizer(self, path: str, optimizer: Any) -> None:
        self._class(path, type(optimizer))
        self._watch(vars(optimizer).get, ("param_groups", "state"))
        self.memories.append(optimizer.state)
        own = self._named(vars(optimizer), type(optimizer)) if follows(type(optimizer)) else set()
        self._look_at(path, self._watch(vars(optimizer).get, sorted(own - {"param_groups", "state", "defaults"})))
        self.items.append(optimizer.param_groups)
        for i, group in enumerate(optimizer.param_groups):
            self.items.append(group["params"])
            where = f"{path}.param_groups[{i}]"
            self._look_all({f"{where}['params'][{j}]": param for j, param in enumerate(group["params"])})
            made = tuple([bool(optimizer.state.get(param)) for param in group["params"]])
            self.facts[f"the memory of {where}"] = tuple, made
            options = self._watch(group.get, [name for name in group if name not in RATES])
            self._look_all({f"{where}[{name!r}]": value for name, value in options.items()})
            self.facts[where] = dict, tuple(sorted(group))


# What is called when an object is made, or shown: it says nothing about what its methods read.
MAKING = {"__init__", "__post_init__", "__new__", "__repr__", "__str__", "__init_subclass__", "__del__", "__reduce__"}


def _is_foreign(value: Any) -> bool:
    """Tell whether an object is like a module or an optimizer of ours, and is none."""
    kind, known = type(value), getattr(value, "__dict__", ())
    module = hasattr(kind, "named_parameters") and hasattr(kind, "named_modules") and "_registered" not in known
    return module or (hasattr(kind, "zero_grad") and "param_groups" in known and not hasattr(kind, "state_names"))


def _unwrapped(value: Any) -> Any:
    """Return the function in a shell, such as that of compile or of lru_cache."""
    while not isinstance(value, types.FunctionType | functools.partial | Tensor) and (
            "__wrapped__" in getattr(value, "__dict__", ())):
        value = value.__wrapped__
    return value


def _attribute(value: Any, name: str) -> Any:
    return getattr(value, name, None)

"""A compiled function: traced when it is called first, and again for what is new; otherwise as the function itself."""

from __future__ import annotations

import builtins
import functools
import inspect
import keyword
import operator
import re
import sys
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ..engine.tape import mode
from ..engine.tensor import Tensor
from ..law.errors import SpellError
from ..spell.program import RESERVED
from .reach import Reach
from .structure import FEW, Held, Leaf, parts_of, take_apart
from .variant import Variant
from .why import GRAPH, differences, distance

__all__ = ["Compiled", "Key"]

KIND = operator.attrgetter("data.shape", "data.dtype", "requires_grad")


class Key(NamedTuple):
    """What a variant was compiled for.

    structure  of the arguments, with what is no Tensor
    kinds      of the Tensors, see _kinds
    reach      what the function reaches
    gradients  whether a graph is recorded
    """

    structure: Any
    kinds: tuple[tuple[Any, ...], ...]
    reach: Reach
    gradients: bool


class Compiled:
    """What `compile` returns: call it as the function itself. As a method, it is compiled for every object by itself.

    function  the function that was compiled
    explain   whether to say on stderr why it is compiled, each time that it is
    limit     how many variants are kept; the one that was made first is forgotten first
    """

    def __init__(self, function: Callable[..., Any], explain: bool = False, limit: int = 8) -> None:
        functools.update_wrapper(self, function, updated=("__dict__",) if _is_function(function) else ())
        self.function, self.explain, self.limit = function, explain, limit
        self.reaches: list[Reach] = []  # what the function reached, the last first
        self.variants: dict[Key, Variant | _AsItIs] = {}
        self.last: Variant | _AsItIs | None = None
        self.lock = threading.RLock()  # a variant works in memory of its own, so only one call runs at a time

    @property
    def source(self) -> str:
        """The text of the program that ran last. Raises SpellError if none did."""
        return self._ran().text

    @property
    def readable(self) -> str:
        """The text that it was made from: the same step, spelled out to be read. Raises SpellError if none ran."""
        return str(self._ran().program)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if mode.tape is not None:  # somebody spells or compiles a function around this one
            return self.function(*args, **kwargs)
        with self.lock:
            leaves: list[Any] = []
            objects: list[Any] = []
            try:
                structure = take_apart((args, kwargs), leaves, objects)
            except RecursionError:
                raise SpellError("An argument holds itself, through a list, a dict or a dataclass, so it cannot be "
                                 "taken apart. Hand in what the function needs of it.") from None
            reach = self._reach(structure, objects)
            key = Key(structure, _kinds(leaves, reach.ids), reach, mode.grad_enabled)
            variant = self.variants.get(key) or self._compile(key, leaves)
            self.last = variant
            done, result = variant(leaves)
            return result if done else self.function(*args, **kwargs)

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        """Return the method of an object, which keeps its programs as long as it lives."""
        if owner is None:
            return self
        if not hasattr(owner, "__dict__"):  # then the class keeps them
            return types.MethodType(self, owner)
        method, place = types.MethodType(self.function, owner), f"_compiled_{getattr(self, '__name__', '')}"
        found = vars(owner).get(place)
        if found is None or found.function != method:  # a copy of an object has what its original had
            found = vars(owner)[place] = Compiled(method, self.explain, self.limit)
        return found

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "function" not in vars(self):
            raise AttributeError(f"{type(self).__name__} has no attribute `{name}`.")
        return getattr(self.function, name)

    def __reduce__(self) -> Any:
        return type(self), (self.function, self.explain, self.limit)

    def __repr__(self) -> str:
        count = len(self.variants)
        return f"<compiled {_name(self.function)}, {count} variant{'s' * (count != 1)}>"

    def _ran(self) -> Variant:
        if self.last is None:
            raise SpellError("Nothing was compiled yet; call the function once.")
        if isinstance(self.last, _AsItIs):
            raise SpellError(f"The last call ran as it is, since {self.last.why}.")
        return self.last

    def _reach(self, structure: Any, objects: list[Any]) -> Reach:
        """Find what the function reaches among what it has reached before."""
        if self.reaches and self.reaches[0].holds(objects):
            return self.reaches[0]
        for reach in self.reaches[1:]:
            if reach.holds(objects):
                break
        else:
            places = dict(_places(self.function, structure))
            reach = Reach(self.function, {path: part[1].value for path, part in places.items() if part[0] is Held})
            for known in self.reaches:
                if known.facts == reach.facts and known.starts_with(objects):
                    known.renew(reach.surroundings)
                    reach = known
                    break
                if known.layout == reach.layout:
                    reach.rows = known.rows
        self.reaches = [reach, *(other for other in self.reaches if other is not reach)]
        return reach

    def _compile(self, key: Key, leaves: list[Any]) -> Variant | _AsItIs:
        why = _unfit(self._facts(key))
        if self.explain:
            reason = f"runs {_name(self.function)} as it is: {why}" if why else (
                f"compiles {_name(self.function)}: {self._why(key)}")
            print(f"chalkgrad {reason}", file=sys.stderr)
        while len(self.variants) >= self.limit:
            self.variants.pop(next(iter(self.variants)))
        used = {id(known.reach) for known in (key, *self.variants)}
        self.reaches = [reach for reach in self.reaches if id(reach) in used]
        variant = self.variants[key] = _AsItIs(why) if why else self._variant(key, leaves)
        return variant

    def _variant(self, key: Key, leaves: list[Any], again: bool = True) -> Variant:
        names = _variables(self.function, key.structure)
        variant = Variant(_unchanging(self.function), key.reach, key.structure, leaves, names)
        before = key.reach.facts
        key.reach.look()
        changed = differences(*(_lasting(facts) for facts in (key.reach.facts, before)))
        if changed and again:  # as at a first call, which puts something into a cache
            return self._variant(key, leaves, again=False)
        if changed:
            self.reaches.remove(key.reach)
            raise SpellError(f"The function changes what is neither a Tensor nor an optimizer: {'; '.join(changed)}, "
                             "after it ran. A program would not. Return what is new, keep it in a Tensor that is "
                             "changed in place, or change it outside of the function.")
        return variant

    def _why(self, key: Key) -> str:
        """Say what is new about a call, by the variant that has most in common with it."""
        new = self._facts(key)
        known = [self._facts(old) for old in reversed(self.variants)]
        if not known:
            return "it is called for the first time"
        return "; ".join(differences(new, min(known, key=lambda old: distance(new, old))))

    def _facts(self, key: Key) -> dict[str, Any]:
        """Tell all that a variant is compiled for, by where it is."""
        facts = {f"argument {path}": ("tensor", 0, *key.kinds[part[1]]) if part[0] is Leaf else part
                 for path, part in _places(self.function, key.structure)}
        return {**facts, GRAPH: (bool, key.gradients), **key.reach.facts}


def _lasting(facts: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a program changes: it makes what optimizers remember."""
    return {path: fact for path, fact in facts.items() if not path.startswith("the memory of ")}


class _AsItIs:
    """Stands for a variant where there is no program, and the function itself runs; `why` says what is in the way."""

    def __init__(self, why: str) -> None:
        self.why = why

    def __call__(self, leaves: list[Any]) -> tuple[bool, Any]:
        return False, None


def _kinds(leaves: list[Any], reached: frozenset[int]) -> tuple[Any, ...]:
    """Return (shape, dtype, whether it requires a gradient) of every Tensor; an array requires None.

    There is one number more where a Tensor is the same as another, or as one of those that the function reaches.
    """
    kinds = tuple([KIND(leaf) if isinstance(leaf, Tensor) else (leaf.shape, leaf.dtype, None) for leaf in leaves])
    ids = [*map(id, leaves)]
    if reached.isdisjoint(ids) and (len(ids) <= FEW or len(set(ids)) == len(ids)):
        return kinds
    return tuple([(*kind, ids.index(one)) if one in reached or ids.index(one) != i else kind
                  for i, (one, kind) in enumerate(zip(ids, kinds))])


def _unfit(facts: dict[str, Any]) -> str:
    """Say why a call is left to the function itself; empty if it is not."""
    for place, (kind, _, *fact) in facts.items():
        if place.startswith("argument ") and kind == "tensor":
            if fact[2] is None:
                return f"{place} is a NumPy array, and what NumPy computes no tape sees; hand in chalkgrad.tensor(...)"
            if len(fact) > 3:
                return (f"{place} is a Tensor that the function reaches by another way as well; hand in a copy, "
                        "x.clone(), if it need not be the same")
            if 0 in fact[0]:
                return f"{place} has shape {fact[0]}, and there is nothing to compute"
    return ""


def _unchanging(function: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse a function that changes the lists or objects that it is handed: a program would not."""

    def run(*args: Any, **kwargs: Any) -> Any:
        before: list[Any] = []
        after: list[Any] = []
        structure = take_apart((args, kwargs), before, [])
        result = function(*args, **kwargs)
        same = take_apart((args, kwargs), after, []) == structure and all(map(operator.is_, before, after))
        if not same:
            raise SpellError("The function changes a list, dict or object that it is handed, and a program would not. "
                             "Return what is new instead.")
        return result

    run.__name__ = _name(function)
    return run


def _places(function: Callable[..., Any], structure: Any) -> Iterator[tuple[str, Any]]:
    """Yield what the arguments are made of, and where it is, each argument by the name that the function has for it."""
    (_, (given, extra)) = structure
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:  # NumPy's functions have none
        parameters = []
    words = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "x")
    words += [f"{rest}[{i}]" for i in range(len(given[1]) - len(words))]
    for word, part in (*zip(words, given[1]), *zip([key[1] for key in extra[2]], extra[1])):
        yield from parts_of(part, word)


# Names that a program has for its own, on its way to the fast one.
OWN = re.compile(r"add_up|in_parts|(?:row|step|part|work|lr|grad|ones|zeros|empty|full)(?:_.*)?|"
                 r".*_(?:parts?|rows|work|\d+)|(?:ada|ams|nadam|rms|sgd)[a-z]*_.*")


def _variables(function: Callable[..., Any], structure: Any) -> list[str]:
    """Name the Tensors among the arguments in the program: by their places, such that no name has another meaning."""
    names: dict[int, str] = {}
    for path, part in _places(function, structure):
        if part[0] is Leaf and part[1] not in names:
            name = re.sub(r"\W+", "_", re.sub(r"\[(\d+)\]", r"\1", path)).strip("_")
            name = name if name[:1].isalpha() else f"x_{name}"
            owned = hasattr(builtins, name) or keyword.iskeyword(name) or name in RESERVED or OWN.fullmatch(name)
            name += "_" * bool(owned)
            while name in names.values():
                name += "_"
            names[part[1]] = name
    return [names[place] for place in range(len(names))]


def _is_function(value: Any) -> bool:
    return isinstance(value, types.FunctionType)


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))

"""Folding what repeats: blocks of a model that are spelled alike become one function, and its backward another.

Blocks are found by their modules, `encoder.0`, `encoder.1` and so on: all that ran within one, and all of its backward.
They are alike if their lines are, up to the names of variables, with parameters at the same places below the module's
path. A block is left as it is if anything else ran between its lines, and so are blocks if folding them would not make
the program clearly shorter: by a fifth of their lines at least.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from .blocks import Block
from .names import Names
from .pair import Pair, Scene
from .variables import renamed, uses

__all__ = ["fold"]

WORTH = 0.8  # what may be left of the lines


@dataclass
class _Visit:
    """One run of a module: where its blocks stand in the program, and which variables they are about.

    names  all variables, in the order in which they come; two visits that are alike have them at the same places
    """

    path: str
    forward: range
    backward: range
    names: list[str] = field(default_factory=list)
    likeness: Any = None

    @property
    def places(self) -> set[int]:
        """The places of all its blocks."""
        return {*self.forward, *self.backward}


def fold(blocks: list[Block], scene: Scene, returns: list[str]) -> tuple[list[Block], list[Pair], list[str]]:
    """Fold all that repeats, outer modules first; return the blocks that are left, the functions, and `returns`.

    returns  the variables that the step returns
    """
    pairs = list[Pair]()
    while (found := _best(blocks, scene, returns)) is not None:
        visits, pair = found
        pair.claim()
        blocks, returns = _replaced(blocks, visits, pair, returns)
        pairs.append(pair)
    return blocks, pairs, returns


def _best(blocks: list[Block], scene: Scene, returns: list[str]) -> tuple[list[_Visit], Pair] | None:
    """Find the visits that are worth folding: of the outermost modules, those whose folding leaves out most lines."""
    made = _count_uses(blocks, stores=True)
    variables = made.keys() | scene.names.paths.keys() | scene.given
    levels = itertools.groupby(sorted(_paths(blocks), key=_depth), key=_depth)
    for _, paths in levels:
        alike: dict[Any, list[_Visit]] = {}
        visits = [visit for path in paths for visit in _visits(path, blocks)]
        for visit in sorted(visits, key=lambda visit: visit.forward[0]):
            _compare(visit, blocks, scene.names, variables, made)
            alike.setdefault(visit.likeness, []).append(visit)
        groups = [each for likeness, each in alike.items() if len(each) > 1 and likeness is not None]
        candidates = [(each, _pair(each, blocks, scene, returns)) for each in groups]
        worthy = [each for each in candidates if each[1].after <= WORTH * each[1].before]
        if worthy:
            return max(worthy, key=lambda each: each[1].before - each[1].after)
    return None


def _depth(path: str) -> int:
    return path.count(".")


def _paths(blocks: list[Block]) -> set[str]:
    """Name the modules that stand in a row: those whose path ends in a number, `encoder.0` or `lstm.l0`."""
    scopes = {block.scope for block in blocks}
    prefixes = {".".join(parts[: i + 1]) for scope in scopes for parts in [scope.split(".")] for i in range(len(parts))}
    return {path for path in prefixes if path[-1:].isdigit()}


def _visits(path: str, blocks: list[Block]) -> Iterator[_Visit]:
    """Find where a module ran, each time in one piece, and where all of its backward stands in one piece."""
    within = [i for i, block in enumerate(blocks)
              if block.kind == "forward" and f"{block.scope}.".startswith(f"{path}.")]
    for _, run in itertools.groupby(enumerate(within), key=lambda pair: pair[1] - pair[0]):
        places = [i for _, i in run]
        nodes = {blocks[i].owner for i in places} - {None}
        back = [i for i, block in enumerate(blocks) if block.kind == "backward" and block.owner in nodes]
        if not back or back[-1] - back[0] + 1 == len(back):
            yield _Visit(path, _range(places), _range(back))


def _range(places: list[int]) -> range:
    return range(places[0], places[-1] + 1) if places else range(0)


def _count_uses(blocks: list[Block], *, stores: bool) -> Counter[str]:
    """Count the blocks that use each name; with `stores`, those that give it a value."""
    return Counter(name for block in blocks for name in {use.name for use in uses(block) if use.stores or not stores})


def _compare(visit: _Visit, blocks: list[Block], names: Names, variables: set[str], made: Counter[str]) -> None:
    """Write a visit with numbers for its variables; visits that come to the same are alike."""
    inside = [blocks[i] for i in (*visit.forward, *visit.backward)]
    own_made = _count_uses(inside, stores=True)
    if any(count < made[name] or name in names.paths or name in names.arguments for name, count in own_made.items()):
        return  # it gives a value to a variable that is not its own
    roles: dict[str, str] = {}
    for use in (use for block in inside for use in uses(block) if use.name in variables):
        if use.name not in roles:
            path = names.paths.get(use.name, "")
            own = path.startswith(f"{visit.path}.")
            roles[use.name] = f"<{path[len(visit.path) :]}>" if own else f"<{len(visit.names)}>"
            visit.names.append(use.name)
    texts = [renamed(block, roles) for block in inside]
    visit.likeness = (len(visit.forward), *((b.kind, b.code, b.said, tuple(b.lines)) for b in texts))


def _pair(visits: list[_Visit], blocks: list[Block], scene: Scene, returns: list[str]) -> Pair:
    """Plan the two functions for some visits."""
    parts = [([blocks[i] for i in visit.forward], [blocks[i] for i in visit.backward]) for visit in visits]
    used = _count_uses(blocks, stores=False)
    used.update(returns)
    used.update(name for block in blocks for step in block.steps for name in step.given)
    read = [{*(used - _count_uses([*forward, *backward], stores=False))} for forward, backward in parts]
    paths = scene.names.paths
    updates = {step.given[step.place]: paths.get(step.given[0], "") for block in blocks for step in block.steps}
    return Pair([v.path for v in visits], [v.names for v in visits], parts, read, updates, scene)


def _replaced(
    blocks: list[Block], visits: list[_Visit], pair: Pair, returns: list[str]
) -> tuple[list[Block], list[str]]:
    """Put calls where the blocks stood; gradients that come back in a dict are read from there."""
    calls: dict[int, Block] = {}
    moved: dict[str, str] = {}
    for i, visit in enumerate(visits):
        forward, backward, taken = pair.calls(i)
        calls[visit.forward[0]] = forward
        if backward is not None:
            calls[visit.backward[0]] = backward
        moved |= taken
    gone = set[int]().union(*(visit.places for visit in visits))
    left = list[Block]()
    for i, block in enumerate(blocks):
        if i in calls:
            block = calls[i]
            block.apart = not (left and left[-1].kind == block.kind and left[-1].code == pair.name)
            block.code = pair.name
        if i in calls or i not in gone:
            left.append(block)
    left = [replace(renamed(block, moved), title=moved.get(block.title, block.title)) for block in left]
    return left, [moved.get(name, name) for name in returns]

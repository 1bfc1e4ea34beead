"""What a function returned: which of it a program has to compute, and what is an argument, or a view of anything."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

from ..engine.tape import no_grad
from ..engine.tensor import Tensor
from .structure import assemble, take_apart

__all__ = ["Returned", "Way", "read"]

View = Callable[[Tensor], Tensor]


class Way(NamedTuple):
    """How a result is found: its place among all tensors, and the views to take, one of another."""

    place: int
    views: tuple[View, ...] = ()
    recorded: bool = True


class Returned:
    """What a function returned when it was traced, so that what a program computes is handed out in the same shape.

    What the function was given it returns itself. A view is taken anew, by the operation that made it, so that a change
    of it is one of what it shows.

    structure  of what was returned, without the Tensors
    ways       how each Tensor in it is found among the arguments, `held`, and what the program makes, in this order
    held       the tensors that the function reaches
    shared     pairs of places: the first is a Tensor that shares memory with the second
    """

    def __init__(self, structure: Any, ways: list[Way], held: list[Tensor], shared: list[tuple[int, int]]) -> None:
        self.structure, self.ways, self.held, self.shared = structure, ways, held, shared

    def share(self, arguments: list[Tensor], made: list[Tensor]) -> None:
        """Let Tensors that share memory count its changes together."""
        if self.shared:
            every = [*arguments, *self.held, *made]
            for place, other in self.shared:
                every[place].version = every[other].version

    def hand_out(self, arguments: list[Tensor], made: list[Tensor]) -> Any:
        """Put together what the function returns, of what the program made."""
        first = len(arguments) + len(self.held)
        results = []
        for place, views, recorded in self.ways:
            tensor = made[place - first] if place >= first else [*arguments, *self.held][place]
            results.append(_viewed(tensor, views, recorded) if views else tensor)
        return assemble(self.structure, results)


def read(value: Any, arguments: list[Tensor], held: list[Tensor]) -> tuple[Returned, list[Tensor]]:
    """Look at what a function returned; returns also the Tensors that a program has to make for it."""
    results: list[Tensor] = []
    structure = take_apart(value, results)
    every = [*arguments, *held]
    given = {id(tensor) for tensor in every}
    found = [_base(result, given) for result in results]
    ways = []
    for (base, views), result in zip(found, results):
        alone = all(other is result for (each, _), other in zip(found, results) if each is base)
        if alone and id(base) not in given:
            base, views = result, ()  # nobody else sees what it is a view of
        every += [base] if all(base is not tensor for tensor in every) else []
        ways.append(Way(next(i for i, tensor in enumerate(every) if tensor is base), views, result.requires_grad))
    memory = [next(i for i, other in enumerate(every) if other.version is tensor.version) for tensor in every]
    shared = [(i, first) for i, first in enumerate(memory) if i != first and i >= len(given)]
    made = every[len(arguments) + len(held) :]
    return Returned(structure, ways, held, shared), made


def _base(result: Tensor, given: set[int]) -> tuple[Tensor, tuple[View, ...]]:
    """Find what a result is a view of, and how it was taken."""
    base, views = result, list[View]()
    while base.view_of is not None and id(base) not in given:
        base, _, again = base.view_of
        views.append(again)
    return base, tuple(reversed(views))


def _viewed(tensor: Tensor, views: tuple[View, ...], recorded: bool) -> Tensor:
    with contextlib.nullcontext() if recorded else no_grad():
        for view in views:
            tensor = view(tensor)
    return tensor

"""Where the program finds what it takes: arguments, parameters, rows, what optimizers remember, and learning rates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..engine.tensor import Tensor
from ..seeding import default_generator
from .build import Built
from .flat import Rows
from .passes.rows import Group
from .reach import Reach

__all__ = ["Sources"]


class Sources:
    """A function for every argument of the program, which finds its value anew in every call: it may have moved."""

    def __init__(self, built: Built, rows: list[Rows], reach: Reach) -> None:
        self.built, self.reach = built, reach
        self.arrays: list[Any] = []
        self.found = {name: self._argument(i) for i, name in enumerate(built.trace.arguments)}
        self.found["rng"] = default_generator
        self.found |= {name: self._rate(name) for name in built.program.rates}
        for group, row in zip(built.groups, rows):
            self.found |= dict(_of_rows(group, row))
        tensors = dict(reach.named_parameters()) | dict(reach.named_buffers())
        paths = {name: built.program.names.paths[name] for name in built.main.takes if name not in self.found}
        self.found |= {name: _data(tensors[path]) for name, path in paths.items() if path in tensors}
        remembered = {name: path for name, path in paths.items() if path not in tensors}
        self.found |= dict(zip(remembered, map(_datum, reach.readers([*remembered.values()]))))
        self.readers = [self.found[name] for name in built.main.takes]

    def read(self, arrays: list[Any]) -> list[Any]:
        """Return the arguments of the program, for a call with these arrays."""
        self.arrays = arrays
        return [reader() for reader in self.readers]

    def _argument(self, place: int) -> Callable[[], Any]:
        return lambda: self.arrays[place]

    def _rate(self, name: str) -> Callable[[], Any]:
        """Find a learning rate: `lr` is that of the first group of parameters, `lr_2` that of the second."""
        groups = [(optimizer, i) for optimizer in self.reach.optimizers for i in range(len(optimizer.param_groups))]
        optimizer, i = groups[int(name.partition("_")[2] or 1) - 1]
        return lambda: float(optimizer.param_groups[i]["lr"])


def _data(tensor: Tensor) -> Callable[[], Any]:
    """Read a parameter or a buffer."""
    return lambda: tensor.data


def _datum(read: Callable[[], Tensor]) -> Callable[[], Any]:
    """Read what an optimizer remembers."""
    return lambda: read().data


def _of_rows(group: Group, rows: Rows) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Name the rows of a group, and the places of its gradients in them."""
    grad = f"{group.name}_{group.takes[group.place]}"
    yield grad, lambda: rows.grad.flat
    yield f"{group.name}_{group.takes[0]}", lambda: rows.param.flat
    states = [name for i, name in enumerate(group.takes) if i not in (0, group.place)]
    for name, row in zip(states, rows.state):
        yield f"{group.name}_{name}", lambda row=row: row.flat  # type: ignore[misc]
    for number, other in enumerate(rows.others, 2):
        yield f"{grad}_{number}", lambda other=other: other.flat  # type: ignore[misc]
    for i, call in enumerate(group.calls):
        yield f"row_{call[0]}", lambda i=i: rows.grad.views[i]  # type: ignore[misc]
        for number, other in enumerate(rows.others, 2):
            yield f"row_{call[0]}_{number}", lambda view=other.views[i]: view  # type: ignore[misc]

"""A module of the tables within a model that learns, whatever it is: what is spelled and compiled is a step of that."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn

from .pairs import cast, chosen, listed, ours
from .tables import BRIEF
from .tables.rows import Row

__all__ = ["Around", "arrays", "each_module", "in_arguments", "inputs", "total"]

each_module = pytest.mark.parametrize("row", [pytest.param(row, id=f"{row.name}-{i}") for i, row in enumerate(BRIEF)])


class Around(nn.Module):
    """A module behind a scale that learns, so that every module has a gradient to hand on."""

    def __init__(self, row: Row) -> None:
        super().__init__()
        self.module, self.scale = getattr(nn, row.name)(**chosen(row.options)[0]), nn.Parameter(np.float32(0.5))
        self.call = chosen(row.call)[0]
        self.shape = row.draw(0)
        for name, value in self.call.items():
            if isinstance(value, Tensor):
                self.register_buffer(name, value, persistent=False)
        if row.name.startswith("Lazy"):  # its parameters have no shape before
            self.module(*ours(tuple(row.draw(0)), np.float32))

    def forward(self, *inputs: Tensor) -> list[Tensor]:
        """Call it with the inputs put into tuples again, as the row has them."""
        x, *others = inputs
        if x.is_floating_point():
            x = x * self.scale + 0  # what is scaled must not be written over, since it is remembered
        given = nested(self.shape, iter([x, *others]))
        return [y for y in listed(self.module(*given, **self.call)) if isinstance(y, Tensor)]


def nested(shape: Any, values: Any) -> list[Any]:
    """Put a flat row of values into tuples as in `shape`."""
    return [tuple(nested(each, values)) if isinstance(each, tuple) else next(values) for each in shape]


def arrays(row: Row, seed: int, times: int = 1) -> tuple[Any, ...]:
    """Draw the inputs of a row, one after the other, in float32."""
    return tuple(cast(array, np.float32) for array in listed(row.draw(seed, times)))


def inputs(row: Row, seed: int, times: int = 1) -> list[Tensor]:
    """Draw them as Tensors."""
    return [Tensor(array) for array in arrays(row, seed, times)]


def total(outputs: Iterable[Tensor]) -> Tensor:
    """A loss on which every output that has a derivative has an influence of its own."""
    loss = cg.zeros()
    for output in outputs:
        if output.is_floating_point():
            loss = loss + (output * output).mean()
    return loss


def in_arguments(count: int, body: Callable[..., Any]) -> Callable[..., Any]:
    """Give a step as many arguments as there are inputs, each with a name."""
    names = ", ".join("xyzuvw"[:count])
    known: dict[str, Any] = {"body": body}
    exec(f"def step({names}):\n    return body({names})", known)
    step: Callable[..., Any] = known["step"]
    return step

"""Summary: what a model is made of, what comes out of each part, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from ..engine.tape import no_grad
from ..engine.tensor import Tensor
from .layers.conv1d import Conv1d
from .layers.conv2d import Conv2d
from .layers.conv3d import Conv3d
from .layers.linear import Linear
from .module import Module

__all__ = ["Row", "Summary", "summary"]


class Row(NamedTuple):
    """One module of a model.

    path           where it stands: "" is the model itself
    kind           the name of its class
    output_shape   what came out, a tuple of shapes if several tensors did, None if it was not called
    parameters     how many numbers it owns itself; those that a row above owns too are not counted again
    multiply_adds  how many products a Linear or a Conv (no transposed one) has summed, in the whole batch and all calls
    """

    path: str
    kind: str
    output_shape: tuple[Any, ...] | None
    parameters: int
    multiply_adds: int


class Summary:
    """The rows of a table and their totals; `str` draws the table."""

    def __init__(self, rows: Iterable[Row], trainable: int) -> None:
        self.rows = list(rows)
        self.parameters = sum(row.parameters for row in self.rows)
        self.trainable = trainable
        self.multiply_adds = sum(row.multiply_adds for row in self.rows)

    def __str__(self) -> str:
        head = ("module", "kind", "output", "parameters", "multiply-adds")
        body = [(row.path, row.kind, _text(row.output_shape), *map(_text, row[3:])) for row in self.rows]
        total = ("total", "", "", _text(self.parameters), _text(self.multiply_adds))
        widths = [max(map(len, column)) for column in zip(head, *body, total)]
        lines = [_line(cells, widths) for cells in (head, *body, total)]
        rule = "-" * max(map(len, lines))
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1], f"{self.trainable:,} parameters are learned."])

    __repr__ = __str__


def summary(model: Module, input_size: Sequence[Any], dtype: Any = np.float32) -> Summary:
    """Run a model once, on zeros, and list its parts: those that own parameters, and those without parts of their own.

    input_size  the shape of the input, the batch axis included; or a list of shapes, if there are several inputs
    dtype       of the inputs; or a list, if they differ. An Embedding wants np.int64.

    The model is run in evaluation mode; then every module has the mode back that it was in.

    >>> from chalkgrad.nn.containers import Sequential
    >>> from chalkgrad.nn.activations.relu import ReLU
    >>> table = summary(Sequential(Linear(64, 32), ReLU(), Linear(32, 10)), (5, 64))
    >>> print(table)
    module  kind    output   parameters  multiply-adds
    --------------------------------------------------
    0       Linear  (5, 32)       2,080         10,240
    1       ReLU    (5, 32)           0              0
    2       Linear  (5, 10)         330          1,600
    --------------------------------------------------
    total                         2,410         11,840
    2,410 parameters are learned.
    >>> table.rows[0].output_shape
    (5, 32)
    """
    inputs = _zeros(input_size, dtype)
    shapes: dict[Module, list[Any]] = {module: [] for module in model.modules()}
    with no_grad(), _evaluating(model), _recording(shapes):
        model(*inputs)
    counted: set[Tensor] = set()
    rows = [_row(path, module, shapes[module], counted) for path, module in model.named_modules() if _is_shown(module)]
    return Summary(rows, sum(parameter.data.size for parameter in model.parameters() if parameter.requires_grad))


def _zeros(input_size: Sequence[Any], dtype: Any) -> list[Tensor]:
    if not isinstance(input_size, Sequence):
        raise TypeError(f"input_size is a shape with its batch axis, such as (1, 64), but {input_size!r} came.")
    sizes = input_size if input_size and isinstance(input_size[0], Sequence) else [input_size]
    dtypes = dtype if isinstance(dtype, list | tuple) else [dtype] * len(sizes)
    if len(dtypes) != len(sizes):
        raise ValueError(f"{len(sizes)} inputs need as many dtypes, or one for all, but {len(dtypes)} came.")
    return [Tensor(np.zeros(size, kind)) for size, kind in zip(sizes, dtypes)]


@contextmanager
def _evaluating(model: Module) -> Iterator[None]:
    before = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training


@contextmanager
def _recording(shapes: dict[Module, list[Any]]) -> Iterator[None]:
    """Append the shape of what a module returns to its list."""
    handles = [module.register_forward_hook(lambda m, _, out: shapes[m].append(_shape(out))) for module in shapes]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _is_shown(module: Module) -> bool:
    return any(True for _ in module.parameters(recurse=False)) or not any(True for _ in module.children())


def _row(path: str, module: Module, shapes: list[Any], counted: set[Tensor]) -> Row:
    fresh = [parameter for parameter in module.parameters(recurse=False) if parameter not in counted]
    counted.update(fresh)
    products = 0
    if isinstance(module, Linear | Conv1d | Conv2d | Conv3d):  # all that comes out is sums over one row of the weight
        products = sum(map(math.prod, shapes)) * math.prod(module.weight.shape[1:])
    shape = shapes[-1] if shapes else None
    return Row(path, type(module).__name__, shape, sum(parameter.data.size for parameter in fresh), products)


def _shape(output: Any) -> tuple[Any, ...] | None:
    if isinstance(output, dict):
        output = tuple(output.values())
    if isinstance(output, tuple | list):
        return tuple(_shape(each) for each in output)
    shape: tuple[int, ...] | None = getattr(output, "shape", None)
    return shape


def _text(value: Any) -> str:
    if value is None:
        return "not called"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Align three columns of words to the left, and the numbers behind them to the right."""
    words = [f"{cell:<{width}}" for cell, width in zip(cells[:3], widths)]
    numbers = [f"{cell:>{width}}" for cell, width in zip(cells[3:], widths[3:])]
    return "  ".join(words + numbers)

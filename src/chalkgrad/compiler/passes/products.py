"""Products: one product of matrices for a stack of small ones, and none where there is nothing to add up.

before   y = x @ weight
after    y_1 = x.reshape(-1, 16);    y_2 = y_1 @ weight;    y = y_2.reshape((64, 5, 16))

NumPy multiplies a stack of matrices one by one. So it does for the gradient of what all of them were multiplied by:

before   turned = np.swapaxes(x, -1, -2);    each = turned @ grad_y;    grad_weight = each.sum(axis=0)
after    grad_weight_1 = x.reshape(-1, 16);    grad_weight_2 = grad_y.reshape(-1, 16)
         grad_weight = grad_weight_1.T @ grad_weight_2

Sums are taken in another order then, so they may differ by rounding. A column times a row is no sum at all, and NumPy
does not leave it to BLAS:

before   grad_x = grad_y @ weight
after    grad_x = grad_y * weight
"""

from __future__ import annotations

import ast
from typing import Any, NamedTuple

import numpy as np

from ..facts import Facts
from ..lines import Function, Line

__all__ = ["products"]

# Times relative to those of the stack, on one thread and on two, of (matrices, rows, columns) @ (rows, columns).
OUTER = 1024  # numbers that a column times a row makes: 64 x 64 take 0.37, 1024 x 512 take 0.20, but 64 x 4 take 1.2
FEWEST = 4  # matrices: (2, 16, 16) @ (16, 16) takes 1.24, since to reshape takes as long
NARROW = 8  # columns of either: (32, 64, 128) @ (128, 4) takes 2.7 and 1.5, (256, 16, 64) @ (64, 8) takes 1.2 and 0.6
LOW = 4  # rows: with so few it pays for narrow ones too, (1024, 4, 64) @ (64, 4) takes 0.7 and 0.4
SMALL = 10**6  # multiplications: up to here BLAS takes operands as they lie, (512, 8, 32) @ (32, 4) takes 0.33


class _Product(NamedTuple):
    """Two operands as they are written, and what they stand for."""

    left: str
    right: str
    a: Any
    b: Any


def products(function: Function, facts: Facts) -> None:
    """Write products of stacks as products of matrices, and outer products as what they are."""
    found = _Products(function, facts)
    function.lines = [new for i, line in enumerate(function.lines) for new in found.rewritten(i, line)]


class _Products:
    """What is asked about the lines of a function."""

    def __init__(self, function: Function, facts: Facts) -> None:
        self.lines, self.gives, self.facts = function.lines, function.gives, facts
        self.taken = {name for line in self.lines for name in line.reads | line.binds} | {*function.takes}
        self.made = {line.target: i for i, line in enumerate(self.lines) if facts.is_single(line.target)}

    def rewritten(self, i: int, line: Line) -> list[Line]:
        """Write a line in a faster way, or leave it."""
        if line.target not in self.made:
            return [line]
        return self.outer(i, line) or self.flat(i, line) or self.summed(i, line) or [line]

    def outer(self, i: int, line: Line) -> list[Line]:
        """Multiply columns by rows as arrays are multiplied, element by element."""
        found = self.product(i, line)
        if found is None or found.a.shape[-1] != 1 or self.facts.values[line.target].size < OUTER:
            return []
        return [Line(f"{line.target} = {found.left} * {found.right}")]

    def flat(self, i: int, line: Line) -> list[Line]:
        """Multiply all rows of a stack at once. What the function returns keeps memory of its own."""
        found = self.product(i, line)
        if found is None or found.b.ndim > 2 or line.target in self.gives or not _pays(found.a, found.b.shape[-1]):
            return []
        rows, y = self.fresh(line.target), self.fresh(line.target)
        return [
            Line(f"{rows} = {found.left}.reshape(-1, {found.a.shape[-1]})"),
            Line(f"{y} = {rows} @ {found.right}"),
            Line(f"{line.target} = {y}.reshape({self.facts.values[line.target].shape})"),
        ]

    def summed(self, i: int, line: Line) -> list[Line]:
        """Multiply at once what is multiplied stack by stack, and then added up."""
        each, axes = _sum(line)
        at = self.made.get(each, i)
        found = self.product(at, self.lines[at])
        if found is None or at >= i or axes != tuple(range(found.a.ndim - 2)):
            return []
        x = self.turned(found.left)
        a, b = self.operand(at, x), found.b
        stays = a is not None and all(self.stays(name, at, i) for name in (x, found.right, each))
        if not stays or a.shape[:-1] != b.shape[:-1] or not b.flags.c_contiguous or not _pays(a, b.shape[-1]):
            return []
        left, right = self.fresh(line.target), self.fresh(line.target)
        return [
            Line(f"{left} = {x}.reshape(-1, {a.shape[-1]})"),
            Line(f"{right} = {found.right}.reshape(-1, {b.shape[-1]})"),
            Line(f"{line.target} = {left}.T @ {right}"),
        ]

    def product(self, i: int, line: Line) -> _Product | None:
        """Take a line y = a @ b of matrices or stacks of them apart."""
        match line.value:
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                found = _Product(ast.unparse(left), ast.unparse(right), *(
                    self.operand(i, ast.unparse(side)) for side in (left, right)))
                whole = found.a is not None and found.b is not None and found.a.dtype == found.b.dtype
                return found if whole and min(found.a.ndim, found.b.ndim) > 1 else None
        return None

    def operand(self, i: int, text: str) -> Any:
        """Return the floats that a name, or a view of one such as w.T, stands for in a line; None if that is unsure."""
        names = {part.id for part in ast.walk(ast.parse(text)) if isinstance(part, ast.Name)}
        if not names or not names <= self.facts.values.keys() or names & self.facts.loose:
            return None
        if not all(self.facts.is_settled(name, i) for name in names):
            return None
        value = eval(text, dict(self.facts.values))
        return value if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size else None

    def turned(self, name: str) -> str:
        """Name the stack of which this one has rows and columns exchanged; empty if it is none."""
        line = self.lines[self.made[name]] if name in self.made else None
        match line.value if line else None:
            case ast.Call(args=[ast.Name(id=x), *axes]) as call if (
                ast.unparse(call.func) == "np.swapaxes" and [ast.unparse(axis) for axis in axes] == ["-1", "-2"]
                and self.facts.is_settled(x, self.made[name])
            ):
                return x
        return ""

    def stays(self, text: str, at: int, i: int) -> bool:
        """Tell whether a name is the same array, of the same numbers, in two lines."""
        between = {name for line in self.lines[at:i] for name in line.changes}
        changed = not self.facts.sharing(between).isdisjoint(self.facts.sharing([text]))
        return text.isidentifier() and self.facts.is_settled(text, i) and not changed

    def fresh(self, base: str) -> str:
        """Find a name that nothing has."""
        number = 1
        while f"{base}_{number}" in self.taken:
            number += 1
        self.taken.add(f"{base}_{number}")
        return f"{base}_{number}"


def _pays(a: Any, columns: int) -> bool:
    """Tell whether a stack lies such that its rows are those of one matrix, and is better multiplied as that.

    Multiplied by a vector, as in a layer norm's backward, it gains nothing, and BLAS may round it otherwise.
    """
    rows, narrow = a.shape[-2] if a.ndim > 1 else 0, min(a.shape[-1], columns)
    if a.ndim < 3 or not a.flags.c_contiguous or a.size // (rows * a.shape[-1]) < FEWEST:
        return False
    return columns > 1 and (narrow >= NARROW or rows <= LOW or a.size * columns <= SMALL)


def _sum(line: Line) -> tuple[str, tuple[int, ...]]:
    """Take a line s = each.sum(axis=0) apart; an empty name if it is none."""
    match line.value:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=each), attr="sum"), args=[],
                      keywords=[ast.keyword(arg="axis", value=axis)]):
            axes = ast.literal_eval(axis) if isinstance(axis, ast.Constant | ast.Tuple) else None
            return each, (axes,) if isinstance(axes, int) else tuple(axes or ())
    return "", ()

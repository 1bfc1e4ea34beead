"""Direct: compute gradients where they are wanted, in the row of all gradients, instead of copying them there.

before   grad_weight = grad_y.T @ x;    row_weight[...] = grad_weight
after    grad_weight = np.matmul(grad_y.T, x, out=row_weight)

Where the batch is divided, the first part writes into the row, and every other one into a row of its own.

before   grad_weight_parts = in_parts(part_1, [x_parts], []);    row_weight[...] = add_up(grad_weight_parts)
after    in_parts(part_1, [x_parts, (row_weight, row_weight_2)], []);    the update adds the rows, block by block
"""

from __future__ import annotations

import ast

from ..facts import Facts
from ..lines import Function, Line
from .into import ufunc
from .rows import Group

__all__ = ["direct", "hand_rows"]


def direct(function: Function, facts: Facts) -> None:
    """Compute what is only copied into a row right there. Rows are written into here, and read by the update alone."""
    lines = list(function.lines)
    for copied in [line for line in lines if _copy(line)]:
        row, name = _copy(copied)
        made = [line for line in lines if name in line.binds]
        single = len(made) == 1 and name not in function.gives and not facts.is_changed(name)
        written = _into(made[0], row) if single and _same(facts, row, name) else ""
        if written:
            lines[lines.index(made[0])] = Line(written)
            lines.remove(copied)
    function.lines = lines


def _copy(line: Line) -> tuple[str, str]:
    """Take `row[...] = name` apart; empty if a line is anything else."""
    match line.node:
        case ast.Assign(
            targets=[ast.Subscript(value=ast.Name(id=row), slice=ast.Constant(value=index))], value=ast.Name(id=name)
        ) if index is ... and row.startswith("row_"):
            return row, name
    return "", ""


def _same(facts: Facts, row: str, name: str) -> bool:
    one, other = facts.values[row], facts.values[name]
    return bool(getattr(other, "shape", None) == one.shape and other.dtype == one.dtype)


def _into(line: Line, row: str) -> str:
    """Write a line so that its result goes into the row; empty if that cannot be."""
    operation = ufunc(line)
    if operation:
        return f"{line.target} = np.{operation[0]}({', '.join(operation[1])}, out={row})"
    match line.value:
        case ast.Call(func=ast.Attribute(attr="sum"), args=[], keywords=keywords):
            return f"{ast.unparse(line.node)[:-1]}{', ' if keywords else ''}out={row})"
    return ""


def hand_rows(main: Function, parts: list[Function], group: Group, count: int) -> bool:
    """Let the parts write their gradients into rows: the first into that of the group, every other into its own."""
    handed = False
    for call in group.calls:
        grad, row = call[group.place], f"row_{call[0]}"
        lines = [line for line in main.lines if grad in line.reads | line.binds]
        sums = [line for line in lines if line.text == f"{grad} = add_up({grad}_parts)"]
        part = next((part for part in parts if grad in part.gives), None)
        users = [line for line in main.lines if f"{grad}_parts" in line.reads]
        alone = len(lines) == 2 and len(users) == 1 and grad not in main.gives  # nothing else reads the gradient
        if part is None or not sums or not alone or _copy(lines[1]) != (row, grad):
            continue
        handed = True
        main.lines = [line for line in main.lines if line not in lines]
        part.gives.remove(grad)
        part.takes.insert(0, row)
        part.given[row] = main.given[row].copy()
        part.lines.append(Line(f"{row}[...] = {grad}"))
        names = [row, *(f"{row}_{i}" for i in range(2, count + 1))]
        main.takes += names[1:]
        main.given |= {name: main.given[row].copy() for name in names[1:]}
        for i, line in enumerate(main.lines):
            if f"in_parts({part.name}, [" in line.text:
                main.lines[i] = Line(_called(line.text, part, grad, names))
    return handed


def _called(text: str, part: Function, grad: str, names: list[str]) -> str:
    """Hand the rows over in a call, and leave the gradient out of what it returns."""
    left, called, right = text.partition(f"in_parts({part.name}, [")
    gives = [name for name in left.replace("=", "").replace(" ", "").split(",") if name and name != f"{grad}_parts"]
    before = f"{', '.join(gives)}{',' * (len(gives) == 1)} = " if gives else ""
    comma = "" if right.startswith("]") else ", "
    return f"{before}{called}({', '.join(names)}){comma}{right}"

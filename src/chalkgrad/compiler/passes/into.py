"""Into: write results into memory that is planned ahead, and used again as soon as nothing reads what was there.

before   t = grad * (1 - y);    grad_x = t * y
after    t = np.multiply(grad, u, out=work_2);    grad_x = np.multiply(t, y, out=work_2)

Large arrays have no place there, but may take over the memory of what is read for the last time.

before   fc1 = x @ w.T;    fc1_2 = fc1 + b
after    fc1 = x @ w.T;    fc1_2 = np.add(fc1, b, out=fc1)
"""

from __future__ import annotations

import ast
import itertools
from typing import Any

import numpy as np

from ...law.elementwise import ELEMENTWISE
from ..facts import Facts, root
from ..lines import Function, Line
from ..memory import Arena, is_dense

__all__ = ["into", "ufunc"]

INFIX = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.MatMult: "matmul"}
COMPARED = {ast.Gt: "greater", ast.Lt: "less", ast.GtE: "greater_equal", ast.LtE: "less_equal", ast.Eq: "equal",
            ast.NotEq: "not_equal"}
LARGE = 1 << 20  # bytes: above, an array leaves the cache anyway, and memory that only it may have is wasted
SMALL = 2048  # bytes: below, an array of its own costs less than to be told where to go


def into(function: Function, facts: Facts) -> Arena:
    """Give every operation that can take `out=` a place. What the function returns is made anew in every step."""
    arena = Arena()
    taken = {*function.takes, *(name for line in function.lines for name in line.reads | line.binds)}
    last = _last_reads(function, facts)
    given = facts.sharing(function.gives) | facts.sharing(function.takes)
    places: dict[int, str] = {}  # memory -> the place in the arena where it lies
    own: set[int] = set()  # memory that NumPy made here for nobody else, and that lies in no place
    for i, line in enumerate(function.lines):
        dying = [place for memory, place in places.items() if last.get(memory) == i and place in arena.used]
        value, memory = facts.values.get(line.target), facts.roots.get(line.target)
        operation = ufunc(line)
        if operation and _fits(value, facts, line) and memory not in given and memory is not None:
            place = next(name for i in itertools.count(len(arena.places) + 1) if (name := f"work_{i}") not in taken)
            taken.add(place)
            instead = _overwritten(operation[0], value, dying, arena, line, facts, places)
            arena.place(place, value, instead)
            places[memory] = place
            function.lines[i] = Line(f"{line.target} = np.{operation[0]}({', '.join(operation[1])}, out={place})")
        elif operation and memory is not None and root(value) == id(value) and facts.is_single(line.target):
            own.add(memory)
            free = {each for each in own - given if last.get(each) == i}
            operand = _taken_over(operation, value, free, facts)
            if operand:
                function.lines[i] = Line(f"{line.target} = np.{operation[0]}({', '.join(operation[1])}, out={operand})")
        for place in dying:
            arena.free(place)
        if memory in places and last.get(memory, -1) <= i:
            arena.free(places[memory])
    return arena


def ufunc(line: Line) -> tuple[str, list[str]] | None:
    """Return the name of the one NumPy function that a line runs, and its arguments; None if it is anything else."""
    match line.value:
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=2)):
            return "square", [ast.unparse(left)]  # np.power would take thirty times as long
        case ast.BinOp(left=left, op=op, right=right) if type(op) in INFIX:
            return INFIX[type(op)], [ast.unparse(left), ast.unparse(right)]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return "negative", [ast.unparse(operand)]
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARED:
            return COMPARED[type(op)], [ast.unparse(left), ast.unparse(right)]
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=attr), args=args, keywords=[]) if (
            attr in ELEMENTWISE or attr == "matmul"
        ):
            return attr, [ast.unparse(arg) for arg in args]
    return None


def _fits(value: Any, facts: Facts, line: Line) -> bool:
    fresh = line.target not in facts.loose and isinstance(value, np.ndarray) and value.base is None and is_dense(value)
    return fresh and facts.is_single(line.target) and SMALL <= value.nbytes <= LARGE


def _last_reads(function: Function, facts: Facts) -> dict[int, int]:
    """Find the last line that touches each piece of memory, by whatever name."""
    last: dict[int, int] = {}
    for i, line in enumerate(function.lines):
        last |= dict.fromkeys(facts.sharing(line.reads | line.changes | line.binds), i)
    return last


def _overwritten(
    operation: str, value: Any, dying: list[str], arena: Arena, line: Line, facts: Facts, places: dict[int, str]
) -> str | None:
    """Choose an operand that is read here for the last time, and whose place the result may have."""
    if operation == "matmul":
        return None
    for read in sorted(line.reads):
        operand = facts.values.get(read)
        place = places.get(facts.roots.get(read, -1))
        if operand is not None and place in dying and operand.strides == value.strides and (
            arena.places[place][1:] == (value.shape, value.dtype, value.strides)
        ):
            return place
    return None


def _taken_over(operation: tuple[str, list[str]], value: Any, free: set[int], facts: Facts) -> str:
    """Choose an operand that nobody reads any more, and whose memory fits the result; empty if there is none."""
    if operation[0] == "matmul" or value.nbytes <= LARGE:
        return ""
    for name in operation[1]:
        operand = facts.values[name] if facts.roots.get(name) in free else None
        if operand is not None and (operand.shape, operand.dtype, operand.strides) == (
            value.shape, value.dtype, value.strides
        ):
            return name
    return ""

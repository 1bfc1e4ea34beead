"""Constants: compute once what is the same in every step, and put numbers in place of shapes.

before   relu = np.maximum(fc1, np.zeros_like(fc1));    share = grad_loss / len(target)
after    relu = np.maximum(fc1, zeros);                 share = grad_loss / 64
"""

from __future__ import annotations

import ast
import builtins
from typing import Any

from ..facts import Facts, run
from ..lines import Function, Line, is_array
from ..memory import memory_order
from ..rewrite import name, number, replaced

__all__ = ["constants"]

LIKE = {"np.zeros_like", "np.ones_like", "np.full_like"}
FRESH = {"np.empty", "np.empty_like", "np.zeros", "np.zeros_like", "np.full"}  # may be there to be written into


def constants(function: Function, facts: Facts, known: dict[str, Any], setup: list[Line]) -> None:
    """Move into `setup` the lines that depend on nothing but shapes; their values are put into `known`."""
    _Constants(function, facts, known, setup).run()


class _Constants:
    def __init__(self, function: Function, facts: Facts, known: dict[str, Any], setup: list[Line]) -> None:
        self.function, self.facts, self.known, self.setup = function, facts, known, setup
        self.literals: dict[str, Any] = {}  # name -> the number or the shape that it stands for
        self.renamed: dict[str, str] = {}
        self.written = ""  # an array of this text is written into later, so it must be made anew
        self.number = 0  # of the line that is looked at
        self.own = {*function.takes, *(name for line in function.lines for name in line.binds)}

    def run(self) -> None:
        lines = []
        for i, line in enumerate(self.function.lines):
            self.number = i
            written = bool(line.target) and self.facts.is_changed(line.target)
            self.written = ast.dump(_value(line)) if written else ""
            line = Line(replaced(line, self.replace))
            if not self.settle(line):
                lines.append(line)
        self.function.lines = lines

    def settle(self, line: Line) -> bool:
        """Take a line out of the function if its value is known."""
        target, value = line.target, self.facts.values.get(line.target)
        if not target or not self.is_known(line) or target in self.function.gives or target in self.facts.loose:
            return False
        if not self.facts.is_single(target):  # such as what a loop goes on from
            return False
        if isinstance(value, int | float | tuple) and _plain(value) and isinstance(value, int | tuple):
            self.literals[target] = value
            return True
        if not is_array(value) or self.facts.is_changed(target) or ast.unparse(_head(line)) in FRESH:
            return False
        self.keep(line)
        return True

    def keep(self, line: Line) -> None:
        """Compute a line now, under a name that no other function has for something else."""
        self.own.discard(line.target)
        if line.target in self.known:
            self.renamed[line.target] = f"{self.function.name}_{line.target}"
            line = Line(f"{self.renamed[line.target]} = {line.text.partition(' = ')[2]}")
        self.setup.append(line)
        run(line, self.known)
        self.known[line.target].setflags(write=False)

    def replace(self, node: ast.AST) -> ast.expr | None:
        """Replace shapes, lengths, arrays of zeros or ones of the shape of another, and choices that are made."""
        match node:
            case ast.Name(id=id_, ctx=ast.Load()) if id_ in self.literals:
                return number(self.literals[id_])
            case ast.Name(id=id_, ctx=ast.Load()) if id_ in self.renamed:
                return name(self.renamed[id_])
            case ast.Attribute(value=ast.Name(id=array), attr="shape") if self.is_array(array):
                return number(self.facts.values[array].shape)
            case ast.Attribute(value=ast.Name(id=array), attr="ndim") if self.is_array(array):
                return number(self.facts.values[array].ndim)
            case ast.IfExp(test=ast.Compare(left=ast.Name(id=array), ops=[ast.Is()]), orelse=otherwise) if (
                self.is_array(array)
            ):  # `None if bias is None else bias.shape`, where there is a bias
                return self.replace(otherwise) or otherwise
            case ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=array)]) if self.is_array(array):
                return number(len(self.facts.values[array]))
            case ast.Subscript(value=ast.Attribute(value=ast.Name(id=array), attr="shape")) if self.is_array(array):
                return number(eval(ast.unparse(node), {array: self.facts.values[array]}))
            case ast.Call(func=func, args=[ast.Name(id=array)], keywords=[]) if (
                ast.unparse(func) in LIKE and self.is_array(array) and ast.dump(node) != self.written
            ):
                return self.filled(ast.unparse(func).removesuffix("_like"), self.facts.values[array])
        return None

    def filled(self, maker: str, like: Any) -> ast.expr | None:
        """Name an array of zeros or of ones, which is made once."""
        order = memory_order(like)  # NumPy runs through arrays that lie alike in one go, and through others in pieces
        text = f"{maker}({tuple(like.shape[axis] for axis in order)}, np.{like.dtype})"
        if order != sorted(order):
            text += f".transpose({tuple(order.index(axis) for axis in range(like.ndim))})"
        for line in self.setup:
            if line.text.partition(" = ")[2] == text:
                return name(line.target)
        sizes = "_".join(map(str, like.shape)) or "scalar"
        target = f"{maker[3:]}_{sizes}_{like.dtype}"
        while target in self.known:
            target += "_"
        self.keep(Line(f"{target} = {text}"))
        return name(target)

    def is_array(self, array: str) -> bool:
        if array in self.facts.loose or not self.facts.is_settled(array, self.number):
            return False
        return is_array(self.facts.values.get(array))

    def is_known(self, line: Line) -> bool:
        """Tell whether a line reads nothing that differs from step to step."""
        outside = {name for name in line.reads if name in self.known or hasattr(builtins, name)} - self.own
        return outside == line.reads and "rng" not in line.reads


def _plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_plain, value))
    return isinstance(value, int | float) and not is_array(value)


def _head(line: Line) -> ast.AST:
    """Return the function that a line calls, or what it computes."""
    value = _value(line)
    return value.func if isinstance(value, ast.Call) else value


def _value(line: Line) -> ast.expr:
    assert line.value is not None
    return line.value

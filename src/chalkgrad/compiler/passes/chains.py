"""Chains: what is computed element by element is computed a block at a time, which stays in the cache.

before   h = x + b;    c = h / 1.414;    c_2 = erf(c);    y = h * c_2;    w = y @ v
after    h, y = chain_1(chain_1_work[0], x, b);    w = y @ v

`chain_1` runs the same lines on some rows after the other. Of what is only needed inside, c and c_2, there is never
more than a block; what is read later is written whole, over what is read here for the last time, if that fits.
"""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from ...law.elementwise import ELEMENTWISE
from ..chained import Chained, domain_of
from ..facts import Facts, root
from ..lines import Function, Line, is_array
from .into import COMPARED, ufunc

__all__ = ["chains"]

# Numbers of an array, and operations of a chain. Small arrays stay in the third cache between one line and the next,
# from where they come fast enough: GELU with erf takes 0.9 of its time at 1.5 million numbers, and 0.65 at three; its
# derivative, seven operations, 1.08 and 0.94.
LEAST, FEWEST = 1 << 19, 10
LARGE, FEWER = 1 << 21, 7
HELPER = 8  # operations that a helper counts for; erf has sixteen
LIGHT = 1 << 16  # bytes: a line that makes no more may be moved out of a chain, before or behind it

MORE = ELEMENTWISE | {  # what NumPy does element by element, and need not be told where to write to
    "arctan", "clip", "copysign", "cosh", "exp2", "fabs", "floor", "invert", "isfinite", "isnan", "log2", "logical_and",
    "logical_not", "logical_or", "nan_to_num", "power", "reciprocal", "rint", "sinh", "tan", "where",
}
HARMLESS = MORE | {"astype", "bool_", "dtype", "float32", "float64", "inf", "intp", "math", "np", "pi", "range"}


def chains(function: Function, facts: Facts, known: dict[str, Any], made: dict[Any, Chained], count: int) -> None:
    """Put calls of chains in place of their lines, and into `known` what they call.

    made   the chains of this program: those that do the same in two places are one function
    count  how many threads may run one at the same time
    """
    _Chains(function, facts, known, made, count).run()


class _Chains:
    """The state of the walk through the lines.

    lines   what has been settled
    chain   lines of the chain that is open
    behind  lines that must come after it, and are light enough to wait
    """

    def __init__(
        self, function: Function, facts: Facts, known: dict[str, Any], made: dict[Any, Chained], count: int
    ) -> None:
        self.function, self.facts, self.known, self.made, self.count = function, facts, known, made, count
        self.given = facts.sharing([*function.gives, *function.takes])
        self.own = _own(function, facts)
        self.lines: list[Line] = []
        self.chain: list[Line] = []
        self.behind: list[Line] = []
        self.domain: Any = None  # shape and order in memory of what the chain computes

    def run(self) -> None:
        for number, line in enumerate(self.function.lines):
            domain = self.domain_of(line, number)
            if self.chain and domain == self.domain and self.joins(line):
                self.chain.append(line)
            elif self.chain and domain is None and self.is_light(line):
                alone = all(self.is_apart(line, other) for other in [*self.chain, *self.behind])
                (self.lines if alone else self.behind).append(line)
            else:
                self.close(number)
                self.domain = domain
                (self.lines if domain is None else self.chain).append(line)
        self.close(len(self.function.lines))
        self.function.lines = self.lines

    def domain_of(self, line: Line, number: int) -> Any:
        """Tell in which shape and order a line computes one large array element by element; None if it does not."""
        node, facts = line.node, self.facts
        single = (isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)) or line.value is not None
        if not single or not isinstance(node, ast.Assign | ast.AugAssign) or line.reads & facts.loose:
            return None
        (target,) = line.binds
        value, operands = facts.values.get(target), self.operands(line)
        if not isinstance(value, np.ndarray) or value.size < LEAST or target in facts.loose or "rng" in line.reads:
            return None
        once = facts.is_single(target) and all(facts.is_settled(name, number) for name in operands - {target})
        if not once or not _is_elementwise(node.value, self.known) or not self.fits(value, operands):
            return None
        if isinstance(node, ast.AugAssign):
            return None if isinstance(node.op, ast.MatMult) or 0 in value.strides else domain_of(value)
        alias = isinstance(node.value, ast.Name) or root(value) in facts.sharing(line.reads)
        return None if alias else domain_of(value)

    def operands(self, line: Line) -> set[str]:
        """Name what a line computes with, functions left out."""
        called = {part.func.id for part in ast.walk(line.node) if isinstance(part, ast.Call)
                  and isinstance(part.func, ast.Name)}
        return {*line.reads, *line.changes} - called - {"np", "math"}

    def value(self, name: str) -> Any:
        return self.facts.values.get(name, self.known.get(name))

    def fits(self, value: Any, operands: set[str]) -> bool:
        """Tell whether blocks of the result are made of blocks of the operands."""
        for name in operands:
            operand = self.value(name)
            if not isinstance(operand, int | float | np.generic | np.ndarray) or (
                np.shape(operand) and np.broadcast_shapes(np.shape(operand), value.shape) != value.shape
            ):
                return False
        return True

    def joins(self, line: Line) -> bool:
        """Tell whether a line may be run with the chain: it has no need to wait, and sees no other block's elements."""
        if not all(self.is_apart(line, other) for other in self.behind):
            return False
        lines = [*self.chain, line]
        names = sorted({name for each in lines for name in self.operands(each) | each.binds})
        for name in {name for each in lines for name in each.changes}:
            memory = self.facts.sharing([name])
            sharing = [other for other in names if not memory.isdisjoint(self.facts.sharing([other]))]
            if any(_place(self.value(other)) != _place(self.value(name)) for other in sharing):
                return False
        return True

    def is_light(self, line: Line) -> bool:
        """Tell whether a line may be moved out of the way: it makes a view, or something small."""
        target, value = line.target, self.facts.values.get(line.target)
        if not target or line.changes or not (is_array(value) or isinstance(value, int | float)):
            return False
        return getattr(value, "nbytes", 0) <= LIGHT or root(value) in self.facts.sharing(line.reads)

    def is_apart(self, line: Line, other: Line) -> bool:
        """Tell whether two lines may be run in either order."""
        sharing = self.facts.sharing
        for one, two in ((line, other), (other, line)):
            touched = two.reads | two.binds | two.changes
            if one.binds & touched or sharing(one.changes) & sharing(touched) or "rng" in one.reads & two.reads:
                return False
        return True

    def close(self, number: int) -> None:
        """End the chain that is open; the lines from `number` on come after it."""
        operations = sum(HELPER if _calls_helper(line) else 1 for line in self.chain)
        if self.chain and operations >= (FEWER if np.prod(self.domain[0]) >= LARGE else FEWEST):
            self.write([*self.behind, *self.function.lines[number:]])
        self.lines += [*self.chain, *self.behind]
        self.chain, self.behind = [], []

    def write(self, later: list[Line]) -> None:
        """Put one call in place of the chain, if the function that it calls comes to the same."""
        bound = [line.target for line in self.chain if line.target]
        wanted = {*self.function.gives, *(name for line in later for name in line.reads | line.changes)}
        memory = self.given | self.facts.sharing(wanted)
        changed = {name for line in self.chain for name in line.changes
                   if name not in bound and self.facts.sharing([name]) & memory}
        read = list(dict.fromkeys(name for line in self.chain for name in sorted(self.operands(line))))
        takes = [name for name in read if name not in bound]
        gives = [name for name in bound if name in wanted] + sorted(changed)
        if not gives:
            return
        values = {name: self.value(name) for name in [*takes, *bound]}
        chained = Chained(self.chain, takes, gives, values, self.taken_over(gives, later), self.known)
        if chained.key not in self.made and not chained.agrees(self.chain, takes, gives, self.known):
            return
        chained = self.made.setdefault(chained.key, chained)
        if not chained.name:
            chained.name = f"chain_{len(self.made)}"
            chained.release()
            self.known[f"{chained.name}_work"] = [chained.work() for _ in range(self.count)]
            exec(chained.text, self.known)
        work = f"{chained.name}_work" + "[0]" * (self.function.name == "step")
        self.chain = [Line(f"{', '.join(gives)} = {chained.name}({', '.join([work, *takes])})")]

    def taken_over(self, gives: list[str], later: list[Line]) -> dict[str, str]:
        """Choose for a result an operand that is read for the last time, before the result is written or just then."""
        over: dict[str, str] = {}
        used = self.facts.sharing(name for line in later for name in line.reads | line.binds | line.changes)
        for number, line in enumerate(self.chain):
            if line.target not in gives:
                continue
            after = self.facts.sharing(name for each in self.chain[number + 1 :] for name in each.reads | each.changes)
            for name in sorted(self.operands(line) | {name for each in self.chain[:number] for name in each.reads}):
                memory = self.facts.sharing([name])
                free = memory and memory <= self.own and not memory & (used | after | self.given)
                if free and name not in over.values() and (
                    self.is_like(name, line.target) and self.is_only(name, memory)
                ):
                    over[line.target] = name
                    break
        return over

    def is_like(self, name: str, result: str) -> bool:
        one, other = self.value(name), self.value(result)
        return isinstance(one, np.ndarray) and (one.shape, one.dtype, one.strides) == (
            other.shape, other.dtype, other.strides)

    def is_only(self, name: str, memory: set[int]) -> bool:
        """Tell whether a name comes from outside of the chain, and no other one there has the same memory."""
        names = {each for line in self.chain for each in line.reads | line.binds | line.changes}
        bound = {line.target for line in self.chain}
        return name not in bound and not any(self.facts.sharing([each]) & memory for each in names - {name})


def _own(function: Function, facts: Facts) -> set[int]:
    """Collect the memory that NumPy makes here for nobody else."""
    return {facts.roots[line.target] for line in function.lines if ufunc(line) and facts.is_single(line.target)
            and line.target in facts.roots and root(facts.values[line.target]) == id(facts.values[line.target])}


def _place(array: Any) -> Any:
    return (array.ctypes.data, array.shape, array.strides) if isinstance(array, np.ndarray) else array


def _calls_helper(line: Line) -> bool:
    return any(isinstance(part, ast.Call) and isinstance(part.func, ast.Name) for part in ast.walk(line.node))


def _is_elementwise(node: ast.AST, known: dict[str, Any]) -> bool:
    """Tell by the text whether each element of the result is computed from the elements at the same place."""
    match node:
        case ast.Name() | ast.Constant(value=int() | float()):
            return True
        case ast.BinOp(left=left, op=op, right=right):
            inner = [] if isinstance(op, ast.MatMult) else [left, right]
        case ast.UnaryOp(op=ast.USub() | ast.Invert(), operand=operand):
            inner = [operand]
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARED:
            inner = [left, right]
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=attr), args=args, keywords=[]) if attr in MORE:
            inner = args
        case ast.Call(func=ast.Name(id=helper), args=args, keywords=[]) if _is_harmless(known.get(helper)):
            inner = args
        case _:
            return False
    return bool(inner) and all(_is_elementwise(part, known) for part in inner)


def _is_harmless(function: Any) -> bool:
    """Tell whether a helper, and the helpers that it calls, name nothing that could see more than one element."""
    waiting, seen = [function], {function}
    while waiting:
        code, outer = getattr(waiting[-1], "__code__", None), getattr(waiting.pop(), "__globals__", {})
        if code is None:
            return False
        for name in code.co_names:
            helper = outer.get(name)
            if hasattr(helper, "__code__") and helper not in seen:
                seen.add(helper)
                waiting.append(helper)
            if name not in HARMLESS and not hasattr(helper, "__code__") and not hasattr(helper, "__wrapped__"):
                return False
    return True

"""A program as a list of lines, and what each of them reads, binds and changes."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

__all__ = ["COMPREHENSIONS", "Function", "Line", "bare", "is_array", "lines_of"]

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)  # what they bind is their own


@dataclass(frozen=True)
class Line:
    """One statement of a program; a loop is a statement too, of several lines of text.

    reads    names that it reads before it is sure to have bound them itself
    binds    names that mean something after it
    assigns  those of them that may mean something else then, and not the same array with other numbers
    changes  names whose arrays it writes into
    """

    text: str

    @cached_property
    def node(self) -> ast.stmt:
        """The statement as a syntax tree; passes must copy it before they change it."""
        (node,) = ast.parse(self.text).body
        return node

    @cached_property
    def reads(self) -> frozenset[str]:
        return frozenset(_reads([self.node], set()))

    @cached_property
    def binds(self) -> frozenset[str]:
        return frozenset(_stored(self.node))

    @cached_property
    def assigns(self) -> frozenset[str]:
        return frozenset(_stored(self.node, augmented=False))

    @cached_property
    def changes(self) -> frozenset[str]:
        return frozenset(_changed(self.node))

    @cached_property
    def code(self) -> Any:
        """The statement compiled, to be run on a dict of values."""
        return compile(self.text, f"<{self.text}>", "exec")

    @property
    def value(self) -> ast.expr | None:
        """What the line assigns to a single name; None if it is another kind of statement."""
        node = self.node
        single = isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        return node.value if isinstance(node, ast.Assign) and single else None

    @property
    def target(self) -> str:
        """The single name that it binds; empty if it is another kind of statement."""
        return next(iter(self.binds)) if self.value is not None else ""


@dataclass
class Function:
    """A function of the program: `def name(*takes): lines; return gives`.

    given  what it was called with when the program was observed: name -> value; passes run lines on copies of these
    """

    name: str
    takes: list[str]
    lines: list[Line]
    gives: list[str]
    given: dict[str, Any]


def lines_of(text: str) -> list[Line]:
    """Cut text into statements; comments are left out."""
    rows = text.splitlines()
    return [Line("\n".join(rows[node.lineno - 1 : node.end_lineno])) for node in ast.parse(text).body]


def bare(lines: list[Line]) -> list[Line]:
    """Return the lines as text, without what was found out about them: a syntax tree takes a hundred times as much."""
    return [Line(line.text) for line in lines]


def is_array(value: Any) -> bool:
    """Tell whether a value is an array or a NumPy scalar."""
    return isinstance(value, np.ndarray | np.generic)


def _reads(nodes: Iterable[ast.AST], bound: set[str]) -> set[str]:
    """Collect what is read before it is bound, in the order in which Python runs it."""
    found: set[str] = set()
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                found |= {name} - bound
            case ast.Name(id=name):
                bound.add(name)
            case ast.Assign(targets=targets, value=value):
                found |= _reads([value, *targets], bound)
            case ast.AugAssign(target=target, value=value):
                found |= _reads([value], bound) | ({target.id} - bound if isinstance(target, ast.Name) else set())
                found |= _reads([target], bound)
            case ast.If(test=test, body=body, orelse=orelse):
                ways = set(bound), set(bound)
                found |= _reads([test], bound) | _reads(body, ways[0]) | _reads(orelse, ways[1])
                bound |= ways[0] & ways[1]
            case ast.For(target=target, iter=source, body=body, orelse=orelse):  # whose body may never run
                found |= _reads([source], bound) | _reads([target, *body], set(bound)) | _reads(orelse, set(bound))
            case ast.DictComp(key=key, value=value, generators=loops):
                found |= _reads([*loops, key, value], set(bound))
            case ast.ListComp(elt=part, generators=loops) | ast.SetComp(elt=part, generators=loops) | (
                ast.GeneratorExp(elt=part, generators=loops)
            ):
                found |= _reads([*loops, part], set(bound))
            case ast.comprehension(target=target, iter=source, ifs=tests):
                found |= _reads([source, target, *tests], bound)
            case _:
                found |= _reads(ast.iter_child_nodes(node), bound)
    return found


def _stored(node: ast.AST, augmented: bool = True) -> set[str]:
    if isinstance(node, COMPREHENSIONS) or (isinstance(node, ast.AugAssign) and not augmented):
        return set()
    own = {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else set()
    return own.union(*(_stored(child, augmented) for child in ast.iter_child_nodes(node)))


def _changed(statement: ast.AST) -> set[str]:
    """Name the arrays that a statement writes into: a[i] = ..., a += ..., f(..., out=a), and f(a) by itself."""
    found: set[str] = set()
    for node in ast.walk(statement):
        match node:
            case ast.AugAssign(target=target):
                found |= _base(target)
            case ast.Subscript(ctx=ast.Store()):
                found |= _base(node)
            case ast.Call(func=ast.Name(id="in_parts"), args=[_, *args]):  # what it is handed, a part may write into
                found |= {part.id for arg in args for part in ast.walk(arg) if isinstance(part, ast.Name)}
            case ast.Expr(value=ast.Call(args=args, keywords=keywords)):
                found |= set().union(*(_base(arg) for arg in [*args, *(k.value for k in keywords)]))
            case ast.keyword(arg="out", value=value):
                found |= _base(value)
    return found


def _base(node: ast.AST) -> set[str]:
    """Name the array behind a[i], a.T or a."""
    while isinstance(node, ast.Subscript | ast.Attribute | ast.Starred):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()

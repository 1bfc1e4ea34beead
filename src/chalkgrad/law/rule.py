"""A rule, read as text: its inputs, options and statements, what each reads and writes, and slices of it.

A rule is a plain function on arrays. It is parsed once, where it is declared; everything that knows more about it than
how to call it (which locals to remember, which statements a gradient needs, how to copy it into a program) starts here.
"""

from __future__ import annotations

import ast
import functools
import linecache
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, NoReturn

from .errors import RuleError
from .grammar import aliases, check, find_sources, find_static, root

__all__ = ["Rule", "Statement"]


class Statement(NamedTuple):
    """One statement of a rule, with the names that it reads, writes, and gives a wholly new value."""

    node: ast.stmt
    reads: frozenset[str]
    writes: frozenset[str]
    rebinds: frozenset[str]


class Rule:
    """The parsed text of one function: `inputs` (positional), `options` (keyword-only), `statements`, `returns`.

    inplace  for update rules: they may change the arrays that they are handed, and return nothing
    forward  for a backward: the rule that it belongs to, whose options are not arrays here either
    """

    def __init__(self, function: Callable[..., Any], *, inplace: bool = False, forward: Rule | None = None) -> None:
        self.function, self.name, self.inplace = function, function.__name__, inplace
        self.file = function.__code__.co_filename
        self.node = _find(function)
        arguments = self.node.args
        if arguments.vararg or arguments.kwarg:
            self.fail(self.node, "takes *args or **kwargs; arrays are positional, options keyword-only, each by name")
        self.inputs = [a.arg for a in arguments.posonlyargs + arguments.args]
        self.options = [a.arg for a in arguments.kwonlyargs]
        self.parameters = self.inputs + self.options
        body = self.node.body[1:] if ast.get_docstring(self.node) is not None else list(self.node.body)
        self.returns = self._returned(body)
        self.statements = [_statement(node) for node in (body if inplace else body[:-1])]
        self.locals = sorted(frozenset().union(*(s.writes for s in self.statements)) - set(self.parameters))
        # names whose value follows from options and shapes
        self.static: set[str] = set(self.options) | ({*self.parameters} & forward.static if forward else set())
        find_static(self)
        self.sources = find_sources(self)
        self.aliases = aliases(self)
        self.statements = [self._with_aliases(statement) for statement in self.statements]
        check(self)

    def fail(self, node: ast.AST, problem: str) -> NoReturn:
        raise RuleError(f"{self.file}:{getattr(node, 'lineno', 0)}: {self.name} {problem.rstrip('.')}.")

    def slice(self, returns: Iterable[str]) -> list[Statement]:
        """Keep the statements that `returns` depends on.

        Walking backwards: a statement is kept if it writes a name that is still wanted; then what it reads is wanted
        too, and a name that it gives a wholly new value no longer is. `a[i] -= 1` reads `a`, so what made `a` stays.
        """
        wanted, kept = set(returns), list[Statement]()
        for statement in reversed(self.statements):
            if statement.writes & wanted:
                wanted = (wanted - statement.rebinds) | statement.reads
                kept.append(statement)
        return kept[::-1]

    def needs(self, returns: Iterable[str]) -> list[str]:
        """Name the parameters that `returns` is made from."""
        reads = set(returns).union(*(s.reads for s in self.slice(returns)))
        return [name for name in self.parameters if name in reads]

    def _with_aliases(self, statement: Statement) -> Statement:
        """A change in place changes all that shares the memory: it writes those names too, and reads them."""
        changed = statement.writes - statement.rebinds
        if isinstance(statement.node, ast.For | ast.If):
            changed = frozenset()  # their parts are rebound or changed one by one; what is read there stays read
            for node in ast.walk(statement.node):
                if isinstance(node, ast.Assign | ast.AugAssign):
                    part = _statement(node)
                    changed |= part.writes - part.rebinds
        shared = frozenset().union(*(self.aliases.get(name, frozenset()) for name in changed)) - {*self.parameters}
        return statement._replace(reads=statement.reads | shared, writes=statement.writes | shared)

    def _returned(self, body: list[ast.stmt]) -> list[str]:
        last = body[-1] if body else self.node
        if self.inplace:
            if isinstance(last, ast.Return):
                self.fail(last, "is an update rule: it changes its arrays in place and returns nothing")
            return []
        if not isinstance(last, ast.Return) or last.value is None:
            self.fail(last, "must end in one `return` of names")
        names = []
        for value in last.value.elts if isinstance(last.value, ast.Tuple) else [last.value]:
            if not isinstance(value, ast.Name):
                self.fail(last, "returns an expression; give it a name, so that its gradient has one: grad_<name>")
            names.append(value.id)
        return names


def _statement(node: ast.stmt) -> Statement:
    reads, writes, inner, whole = set[str](), set[str](), set[str](), isinstance(node, ast.Assign)
    for part in ast.walk(node):
        match part:
            case ast.comprehension(target=target):
                inner |= {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
            case ast.Name(id=name, ctx=ast.Load()):
                reads.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                writes.add(name)
            case ast.Subscript(ctx=ast.Store()):
                writes.add(root(part))
                whole = False
            case ast.AugAssign(target=target):
                reads.add(root(target))
    writes -= inner
    return Statement(node, frozenset(reads - inner), frozenset(writes), frozenset(writes if whole else ()))


@functools.cache
def _definitions(file: str, text: str) -> dict[tuple[str, int], ast.FunctionDef]:
    return {(node.name, min([node.lineno, *(d.lineno for d in node.decorator_list)])): node
            for node in _functions(ast.parse(text).body)}


def _functions(nodes: Iterable[ast.stmt]) -> Iterator[ast.FunctionDef]:
    """Find the functions among statements, and within them; expressions, which are most of a file, hold none."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            yield node
        for part in ("body", "orelse", "finalbody", "handlers"):
            yield from _functions(getattr(node, part, ()))


def _find(function: Callable[..., Any]) -> ast.FunctionDef:
    """Find a function in the text of its file, which is parsed once for all the rules in it."""
    file, line = function.__code__.co_filename, function.__code__.co_firstlineno
    text = "".join(linecache.getlines(file, function.__globals__))
    node = _definitions(file, text).get((function.__name__, line)) if text else None
    if node is None:
        raise RuleError(f"{function.__name__}: its text cannot be read; declare a rule in a file, not at a prompt.")
    return node

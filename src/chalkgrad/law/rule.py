"""A rule, read as text: its inputs, options and statements, what each reads and writes, and slices of it.

A rule is a plain function on arrays. Everything that knows more about it than how to call it (which locals to remember,
which statements a gradient needs, how to copy it into a program) starts here.
"""

from __future__ import annotations

import ast
import functools
import linecache
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, NoReturn

from .errors import RuleError
from .grammar import OWN, check
from .memory import aliases, find_sources, root
from .static import find_static, find_varying
from .text import definition

__all__ = ["Rule", "Statement", "reading"]

TREES = ("node", "_body", "_parts", "statements")  # what of a rule holds syntax trees


class Statement(NamedTuple):
    """One statement of a rule, with the names that it reads, writes, and gives a wholly new value."""

    node: ast.stmt
    reads: frozenset[str]
    writes: frozenset[str]
    rebinds: frozenset[str]


class Rule:
    """One function and its text: `inputs` (positional), `options` (keyword-only), `statements`, `returns`.

    The text is noted where the rule is declared, and parsed when something first asks for more than the signature. For
    a user's rule that is at once, since it is checked. The project's own are checked by its tests, so that importing
    them takes no time.

    inplace  for update rules: they may change the arrays that they are handed, and return nothing
    forward  for a backward: the rule that it belongs to, whose options are not arrays here either
    """

    def __init__(self, function: Callable[..., Any], *, inplace: bool = False, forward: Rule | None = None) -> None:
        code = function.__code__
        self.function, self.name, self.inplace, self.forward = function, function.__name__, inplace, forward
        self.file, self._lines = code.co_filename, linecache.getlines(code.co_filename, function.__globals__)
        self.inputs = list(code.co_varnames[: code.co_argcount])
        self.options = list(code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount])
        self.parameters = self.inputs + self.options
        if not (function.__module__ or "").startswith(OWN):
            check(self)

    @functools.cached_property
    def node(self) -> ast.FunctionDef:
        """The function as it stands in the text of its file."""
        node = definition(self.function, self._lines)
        if node is None:
            raise RuleError(f"{self.name}: its text cannot be read; declare a rule in a file, not at a prompt.")
        _read.add(self)
        return node

    @functools.cached_property
    def _body(self) -> list[ast.stmt]:
        return self.node.body[1:] if ast.get_docstring(self.node) is not None else self.node.body

    @functools.cached_property
    def _parts(self) -> list[Statement]:
        """The statements but the last, the `return`; each with the names that stand in it."""
        return [_statement(node) for node in (self._body if self.inplace else self._body[:-1])]

    @functools.cached_property
    def statements(self) -> list[Statement]:
        """The same; a change in place also reads and writes the names that share the memory."""
        return [self._with_aliases(statement) for statement in self._parts]

    @functools.cached_property
    def locals(self) -> list[str]:
        """The names that the rule gives a value, but for its parameters."""
        return sorted(frozenset().union(*(s.writes for s in self._parts)) - set(self.parameters))

    @functools.cached_property
    def static(self) -> set[str]:
        """The names whose value follows from options and shapes."""
        known = {*self.parameters} & self.forward.static if self.forward else set()
        return find_static(self, known | {*self.options})

    @functools.cached_property
    def varying(self) -> set[str]:
        """The names whose value may depend on data."""
        return find_varying(self)

    @functools.cached_property
    def sources(self) -> dict[str, set[str]]:
        """For each local, all that it may be a view of."""
        return find_sources(self)

    @functools.cached_property
    def aliases(self) -> dict[str, frozenset[str]]:
        """For each name, all that may share memory with it."""
        return aliases(self)

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

    @functools.cached_property
    def returns(self) -> list[str]:
        """The names that the rule returns."""
        last = self._body[-1] if self._body else self.node
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


_read: weakref.WeakSet[Rule] = weakref.WeakSet()  # whose syntax trees are held
_readers: list[None] = []  # a place for each block of `reading` that is open, in any thread
_lock = threading.Lock()


@contextmanager
def reading() -> Iterator[None]:
    """Let go of all syntax trees of rules at the end of a block that spells or compiles; of nested ones, the outermost.

    They are megabytes, and who needs one later parses its file again. Within the block a rule has one tree, so that its
    statements can be told by identity.
    """
    with _lock:
        _readers.append(None)
    try:
        yield
    finally:
        with _lock:
            _readers.pop()
            while _read and not _readers:
                rule = _read.pop()
                for name in TREES:
                    vars(rule).pop(name, None)


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

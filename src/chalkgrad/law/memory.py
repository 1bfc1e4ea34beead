"""Who may share memory with whom, read from the text; finding too many costs little, finding too few a wrong number."""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import TYPE_CHECKING, Any

from .text import definition

if TYPE_CHECKING:
    from .rule import Rule

__all__ = ["HIDDEN", "aliases", "arguments", "bound", "changed", "find_sources", "handed", "root"]

# Methods, functions and attributes that may hand back a view of what they are called on.
VIEWS = {
    "T", "array_split", "as_strided", "asanyarray", "asarray", "ascontiguousarray", "asfortranarray", "atleast_1d",
    "atleast_2d", "atleast_3d", "broadcast_arrays", "broadcast_to", "diag", "diagonal", "dsplit", "expand_dims", "flip",
    "fliplr", "flipud", "getfield", "hsplit", "imag", "mT", "matrix_transpose", "moveaxis", "permute_dims", "ravel",
    "real", "real_if_close", "require", "reshape", "rollaxis", "rot90", "sliding_window_view", "split", "squeeze",
    "swapaxes", "transpose", "trim_zeros", "unstack", "view", "vsplit",
}
# Methods and functions that change their array or list, or draw, where a reader of the text sees neither.
HIDDEN = {
    "add_", "append", "at", "clear", "copyto", "discard", "extend", "fill", "fill_diagonal", "insert", "itemset",
    "partition", "place", "pop", "popitem", "put", "put_along_axis", "putmask", "remove", "resize", "reverse",
    "setdefault", "setfield", "setflags", "sort", "update",
}
HOLDERS = {"dict", "enumerate", "frozenset", "list", "reversed", "set", "sorted", "tuple", "zip"}
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
MANY = 20  # arguments


class _Views:
    """What expressions of one function may be views of.

    known  the functions that it calls by name
    boxes  its names that may be lists, tuples, sets or dicts: these hold arrays, they do not copy them
    """

    def __init__(self, node: ast.FunctionDef, known: dict[str, Any]) -> None:
        self.known, self.boxes = known, set[str]()
        self.stores = list(_stores(node))
        count = -1
        while count != len(self.boxes):  # a list may be made of another one
            count = len(self.boxes)
            for target, value, _ in self.stores:
                if isinstance(target, ast.Name) and self.is_box(value):
                    self.boxes.add(target.id)

    def sources(self) -> dict[str, set[str]]:
        """For each name that is assigned, all that it may be a view of."""
        found: dict[str, set[str]] = {}
        for target, value, into in self.stores:
            names = bound(target) if not into else {root(target)} & self.boxes
            for name in names:
                found.setdefault(name, set()).update(self.of(value))
        return found

    def is_box(self, node: ast.expr) -> bool:
        """Tell whether an expression may be a list, a tuple, a set or a dict."""
        match node:
            case ast.Name(id=name):
                return name in self.boxes
            case ast.Call(func=ast.Name(id=name)):
                return name in HOLDERS
            case ast.Call(func=ast.Attribute(attr="copy" | "get" | "items" | "values", value=value)):
                return self.is_box(value)
            case ast.BinOp(left=left, right=right) | ast.IfExp(body=left, orelse=right):
                return self.is_box(left) or self.is_box(right)
        return isinstance(node, (ast.List, ast.Tuple, ast.Set, ast.Dict, *COMPREHENSIONS))

    def of(self, node: ast.expr | None) -> set[str]:
        """Name what an expression may be a view of, or may hold."""
        match node:
            case ast.Name(id=name):
                return {name}
            case ast.Subscript(value=value) | ast.Starred(value=value):
                return self.of(value)
            case ast.IfExp(body=body, orelse=other):
                return self.of(body) | self.of(other)
            case ast.BinOp(left=left, right=right) if self.is_box(node):
                return self.of(left) | self.of(right)
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts) | ast.Dict(values=parts) \
                    | ast.BoolOp(values=parts):
                return self.all_of(parts)
            case ast.ListComp(elt=part) | ast.SetComp(elt=part) | ast.GeneratorExp(elt=part) | ast.DictComp(value=part):
                return self.all_of([part, *(each.iter for each in node.generators)])
            case ast.Attribute(attr=attr, value=value) if attr in VIEWS:
                return self.of(value)
            case ast.Call():
                return self.of_call(node)
        return set()

    def all_of(self, nodes: list[Any]) -> set[str]:
        return set[str]().union(*map(self.of, nodes))

    def of_call(self, node: ast.Call) -> set[str]:
        """Name what a call may hand back: what it is called on, or some of its arguments."""
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        kept = any(keyword.arg == "copy" for keyword in node.keywords)
        match node.func:
            case ast.Name(id=name):
                unknown = name not in self.known and not hasattr(builtins, name)  # such as a function in a local
                if name in HOLDERS or name in VIEWS or name in ("max", "min") or unknown:
                    return self.all_of(given)
                return self.all_of([value for place, value in arguments(node) if place in handed(self.known.get(name))])
            case ast.Attribute(attr=attr, value=value):
                if root(value) == "np":
                    lone = attr == "einsum" and len(given) == 2  # such as a transpose, or a diagonal
                    return self.all_of(given) if attr in VIEWS or kept or lone else set()
                return self.of(value) if attr in VIEWS or kept or self.is_box(node) else set()
        return self.all_of(given)


def _stores(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr, bool]]:
    """Pair what is assigned, or looped over, with what it is bound to; and names that are bound to the same.

    The third tells whether the value goes into what is there: an array copies it, a list keeps it.
    """
    for part in ast.walk(node):
        match part:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield from ((each, v, isinstance(each, ast.Subscript)) for each, v in _pairs(target, value))
                    yield from ((target, o, False) for o in targets if o is not target and isinstance(o, ast.Name))
            case ast.AugAssign(target=target, value=value):
                yield target, value, True
            case ast.For(target=target, iter=value):
                yield target, value, False


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Pair u with x and v with w in `u, v = x, w`; each with an element of the value where it is not plain which."""
    if not isinstance(target, ast.Tuple):
        yield target, value
        return
    parts: list[ast.expr] = value.elts if isinstance(value, ast.Tuple) else []
    if len(parts) != len(target.elts) or any(isinstance(part, ast.Starred) for part in [*parts, *target.elts]):
        parts = [ast.Subscript(value, ast.Constant(0), ast.Load())] * len(target.elts)
    for each, part in zip(target.elts, parts, strict=True):
        yield from _pairs(each, part)


def find_sources(rule: Rule) -> dict[str, set[str]]:
    """For each local, name all that it may be a view of."""
    return _Views(rule.node, rule.function.__globals__).sources()


def aliases(rule: Rule) -> dict[str, frozenset[str]]:
    """For each name, all that may share memory with it: what it may be a view of, and what may be a view of it."""
    shared = {name: {name} for name in [*rule.parameters, *rule.locals]}
    for name in rule.locals:
        for source in rule.sources.get(name, set()) & shared.keys():
            together = shared[name] | shared[source]
            for member in together:
                shared[member] = together
    return {name: frozenset(together) for name, together in shared.items()}


def arguments(call: ast.Call) -> Iterator[tuple[int | str, ast.expr]]:
    """List the arguments of a call, each with its place or its name; what is behind a star may stand anywhere."""
    for i, value in enumerate(call.args):
        if isinstance(value, ast.Starred):
            yield from ((place, value.value) for place in range(i, MANY))
        else:
            yield i, value
    for keyword in call.keywords:
        yield keyword.arg or "", keyword.value


_handed: dict[Any, set[int | str]] = {}
_changed: dict[Any, set[int | str]] = {}


def handed(function: Any) -> set[int | str]:
    """The arguments, by place and by name, of which a function may hand back a view."""
    return _look(function, _handed, _returned)


def changed(function: Any) -> set[int | str]:
    """The arguments that a function changes in place."""
    return _look(function, _changed, _written)


def _look(
    function: Any, known: dict[Any, set[int | str]], find: Callable[[ast.FunctionDef, Any], set[str]]
) -> set[int | str]:
    """Read the text of a function, once; what is not written in Python has none, and makes arrays of its own."""
    function = inspect.unwrap(function) if callable(function) else function
    if not isinstance(function, FunctionType):
        return set()
    if function not in known:
        known[function] = set()  # for functions that call themselves
        node = definition(function)
        if node is None and find is _returned:
            known[function] = {*range(MANY), *inspect.signature(function).parameters}
        elif node is not None:
            views = _Views(node, function.__globals__)
            reached = _reached(find(node, views), node, views.sources())
            names = [arg.arg for arg in [*node.args.posonlyargs, *node.args.args]]
            known[function] = {place for i, name in enumerate(names) if name in reached for place in (i, name)}
            known[function] |= {arg.arg for arg in node.args.kwonlyargs if arg.arg in reached}
    return known[function]


def _returned(node: ast.FunctionDef, views: _Views) -> set[str]:
    return views.all_of([part.value for part in ast.walk(node) if isinstance(part, ast.Return)])


def _written(node: ast.FunctionDef, views: _Views) -> set[str]:
    """Name what is changed in place; `n += 1` changes an array, but a number, or a flag, takes a new value."""
    found = set[str]()
    for part in ast.walk(node):
        match part:
            case ast.Subscript(ctx=ast.Store()):
                found |= {root(part)} - views.boxes  # a list changes, not what it holds
            case ast.AugAssign(target=ast.Name(id=name)):
                found.add(name)
            case ast.Call(func=ast.Attribute(attr=attr, value=value)) if attr in HIDDEN:
                found |= (views.all_of(part.args[:1]) if root(value) == "np" else views.of(value)) - views.boxes
            case ast.Call(func=ast.Name(id=name)):
                found |= views.all_of([v for place, v in arguments(part) if place in changed(views.known.get(name))])
    return found


def _reached(names: set[str], node: ast.FunctionDef, sources: dict[str, set[str]]) -> set[str]:
    """Add to names all that these may be views of; a parameter that was given a new value is what that was made of."""
    assigned = [target for part in node.body if isinstance(part, ast.Assign) for target in part.targets]
    anew = set[str]().union(*map(bound, assigned))
    open_ = [each for name in names for each in (sources.get(name, set()) if name in anew else {name})]
    reached = set(open_)
    while open_:
        new = sources.get(open_.pop(), set()) - reached
        reached |= new
        open_ += new
    return reached


def bound(target: ast.expr) -> set[str]:
    """Name what an assignment to `target` binds."""
    return {part.id for part in ast.walk(target) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}


def root(node: ast.expr) -> str:
    """Name the variable that an assignment to `node` changes: `a` for `a[i].T`."""
    while isinstance(node, ast.Subscript | ast.Attribute | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ast.unparse(node)

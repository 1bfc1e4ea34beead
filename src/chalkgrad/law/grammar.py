"""The grammar of a rule, checked where it is declared: what a rule may say, so that others can read and copy it.

Assignments (also `+=` and `a[i] -= ...`) and one final `return` of names; `if` only on options, None-ness, shapes and
dtypes; `for` only over what is known from those; it changes only arrays that it made; its globals are `np`, `math` and
functions. Whatever breaks this is an error at import, with the file and the line.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

from .errors import nearest

if TYPE_CHECKING:
    from .rule import Rule

__all__ = ["aliases", "check", "find_sources", "find_static", "is_flat", "is_static", "root", "viewed"]

# Methods and attributes that may hand back a view of what they are called on.
VIEWS = {
    "T", "array_split", "asarray", "asanyarray", "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_to", "diagonal",
    "dsplit", "expand_dims", "flip", "fliplr", "flipud", "hsplit", "imag", "mT", "matrix_transpose", "moveaxis",
    "permute_dims", "ravel", "real", "reshape", "rollaxis", "rot90", "sliding_window_view", "split", "squeeze",
    "swapaxes", "transpose", "unstack", "view", "vsplit",
}
# Results of these carry no derivative, whatever they are computed from.
FLAT = {"arange", "argmax", "argmin", "argsort", "sign", "isnan", "zeros_like", "ones_like", "empty_like"}
# Methods and functions that change their array, or draw, where a reader of the text sees neither.
HIDDEN = {"fill", "fill_diagonal", "copyto", "partition", "place", "put", "putmask", "resize", "sort"}
FORBIDDEN = (ast.Lambda, ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)


def check(rule: Rule) -> None:
    """Raise RuleError for the first thing that a rule may not say."""
    if rule.node.args.vararg or rule.node.args.kwarg:
        rule.fail(rule.node, "takes *args or **kwargs; arrays are positional, options keyword-only, each by name")
    if rule.forward is not None:
        _check_names(rule, rule.forward)
    if rule.function.__code__.co_freevars:
        rule.fail(rule.node, f"closes over {', '.join(rule.function.__code__.co_freevars)}; hand it in as an option")
    returns = rule.returns  # read first: it fails, in words, where there is no `return` to be left out below
    for statement in rule.statements:
        _check_statement(rule, statement.node)
        if rule.inplace and any(name.startswith("grad") for name in statement.writes - statement.rebinds):
            rule.fail(statement.node, "changes the gradient in place, which is not its own")
    for name in returns:
        if name not in rule.locals and name not in rule.parameters:
            rule.fail(rule.node, f"returns `{name}`, which it never assigns")
    known = {*rule.parameters, *rule.locals}
    for name in sorted(frozenset().union(*(s.reads for s in rule.statements)) - known):
        value = rule.function.__globals__.get(name, getattr(builtins, name, None))
        if not callable(value) and not (isinstance(value, ModuleType) and value.__name__ in ("numpy", "math")):
            rule.fail(rule.node, f"reads `{name}`, which is no input, option, local, np, math, or function above it")


def _check_names(back: Rule, rule: Rule) -> None:
    """Check the law of names: what a backward may ask for, and what it may return."""
    known = [f"grad_{name}" for name in rule.returns]
    known = list(dict.fromkeys([*known, *rule.returns, *rule.parameters, *rule.locals]))
    for name in back.parameters:
        if name not in known:
            back.fail(back.node, f"asks for `{name}`, which {rule.name} does not have. {nearest(name, known)}")
    allowed = [f"grad_{name}" for name in rule.inputs]
    for name in back.returns:
        if name not in allowed:
            back.fail(back.node, f"returns `{name}`, which is the gradient of no input. {nearest(name, allowed)}")


def _check_statement(rule: Rule, node: ast.stmt) -> None:
    for part in ast.walk(node):
        if isinstance(part, FORBIDDEN):
            rule.fail(part, f"uses {type(part).__name__.lower()}, which a rule may not")
        if isinstance(part, ast.keyword) and part.arg == "out":
            rule.fail(part.value, "writes through out=, which hides a change; assign the result to a name")
        if isinstance(part, ast.Attribute) and _is_hidden(part):
            rule.fail(part, f"uses `{ast.unparse(part)}`, which changes an array, or draws, where it cannot be seen")
        if isinstance(part, ast.IfExp) and not is_static(rule, part.test):
            _fail_branch(rule, part, part.test)
    match node:
        case ast.Assign(targets=targets):
            for target in targets:
                _check_target(rule, node, target)
        case ast.AugAssign(target=target):
            _check_target(rule, node, target)
        case ast.If(test=test) if not is_static(rule, test):
            _fail_branch(rule, node, test)
        case ast.For(iter=source) if not is_static(rule, source):
            rule.fail(node, f"loops over `{ast.unparse(source)}`; it may look at options, shapes and dtypes")
        case ast.If() | ast.For():
            for child in node.body + node.orelse:
                _check_statement(rule, child)
        case ast.Expr():
            rule.fail(node, "has a bare expression, whose effect cannot be seen; assign its result to a name")
        case ast.Pass():
            pass
        case _:
            rule.fail(node, f"has a statement of kind {type(node).__name__}; a rule has assignments, `if` and `for`")


def _is_hidden(part: ast.Attribute) -> bool:
    """Tell a change or a draw by its name; np.sort(x) and np.partition(x) are copies, but x.sort() is not."""
    if isinstance(part.value, ast.Name) and part.value.id == "np":
        return part.attr == "random" or part.attr in HIDDEN - {"partition", "sort"}
    return part.attr in HIDDEN


def _fail_branch(rule: Rule, node: ast.AST, test: ast.expr) -> NoReturn:
    rule.fail(node, f"branches on `{ast.unparse(test)}`; it may look at options, None-ness, shapes and dtypes")


def _check_target(rule: Rule, node: ast.Assign | ast.AugAssign, target: ast.expr) -> None:
    match target:
        case ast.Tuple(elts=elements):
            for element in elements:
                _check_target(rule, node, element)
        case ast.Name(id=name) if isinstance(node, ast.Assign):
            if name in rule.inputs and not rule.inplace and name not in rule.static:
                rule.fail(node, f"gives the input `{name}` a new value; choose another name, or it means two things")
        case ast.Name() | ast.Subscript():
            name = root(target)
            if not rule.inplace and not _made_here(rule, name, frozenset()):
                rule.fail(node, f"changes `{name}` in place, but did not make it; copy it first, or add out of place")
        case _:
            rule.fail(node, f"assigns to `{ast.unparse(target)}`; assign to a name or to an element")


def _made_here(rule: Rule, name: str, seen: frozenset[str]) -> bool:
    """Tell whether every value that `name` takes is an array of the rule's own, not an input or a view of one."""
    if name not in rule.locals or name in seen:
        return name in seen or name in rule.options
    return all(_made_here(rule, source, seen | {name}) for source in rule.sources.get(name, ()))


def find_sources(rule: Rule) -> dict[str, set[str]]:
    """For each local, name all that it may be a view of."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(rule.node):
        if isinstance(node, ast.Assign):
            for part, value in _pairs(node):
                for name in _bound(part):
                    found.setdefault(name, set()).update(viewed(value))
    return found


def _pairs(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Pair what an assignment binds with what it is bound to: u with x and v with w in `u, v = x, w`."""
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=False)
        else:
            yield target, node.value


def aliases(rule: Rule) -> dict[str, frozenset[str]]:
    """For each name, all that may share memory with it: what it may be a view of, and what may be a view of it."""
    shared = {name: {name} for name in [*rule.parameters, *rule.locals]}
    for name in rule.locals:
        for source in rule.sources.get(name, set()) & shared.keys():
            together = shared[name] | shared[source]
            for member in together:
                shared[member] = together
    return {name: frozenset(together) for name, together in shared.items()}


def _bound(target: ast.expr) -> set[str]:
    """Name what an assignment to `target` binds."""
    return {part.id for part in ast.walk(target) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}


def find_static(rule: Rule, static: set[str]) -> set[str]:
    """Add to `static` the locals that follow from it, None-ness, shapes and dtypes alone, however they get a value."""
    makers: dict[str, list[ast.expr]] = {}
    for node in ast.walk(rule.node):
        match node:
            case ast.Assign(targets=targets, value=value):
                names = set().union(*map(_bound, targets))
            case ast.AugAssign(target=target, value=value) | ast.For(target=target, iter=value):
                names = _bound(target)
            case _:
                continue
        for name in names:
            makers.setdefault(name, []).append(value)
    varying = {*rule.inputs, *rule.locals}
    before = -1
    while before != len(static):  # a local may follow from another one
        before = len(static)
        for name in makers.keys() - static - {*rule.inputs}:
            # s = s + 1 is static if what s was before is
            if all(_follows(value, static | {name}, varying) for value in makers[name]):
                static.add(name)
    return static


def is_static(rule: Rule, node: ast.expr) -> bool:
    """Tell whether an expression depends on options, None-ness, shapes and dtypes alone."""
    return _follows(node, rule.static, {*rule.inputs, *rule.locals})


def _follows(node: ast.expr, static: set[str], varying: set[str]) -> bool:
    """Tell whether an expression depends on static names, None-ness, shapes and dtypes, and not on `varying` others."""
    match node:
        case ast.Attribute(attr="shape" | "ndim" | "dtype" | "size") | ast.Call(func=ast.Name(id="len")):
            return True
        case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return True
        case ast.Name(id=name):
            return name in static or name not in varying
        case ast.GeneratorExp() | ast.ListComp():
            return all(_follows(generator.iter, static, varying) for generator in node.generators)
    return all(_follows(child, static, varying) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))


def is_flat(rule: Rule, name: str) -> bool:
    """Tell whether a local carries no derivative: made of shapes, a comparison, or positions."""
    makers = [s.node for s in rule.statements if name in s.writes]
    return all(isinstance(node, ast.Assign) and _is_flat_value(rule, node.value) for node in makers)


def _is_flat_value(rule: Rule, value: ast.expr) -> bool:
    called = value.func.attr if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) else ""
    return isinstance(value, ast.Compare) or called in FLAT or is_static(rule, value)


def root(node: ast.expr) -> str:
    """Name the variable that an assignment to `node` changes: `a` for `a[i].T`."""
    while isinstance(node, ast.Subscript | ast.Attribute | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ast.unparse(node)


def viewed(node: ast.expr) -> list[str]:
    """Name what an expression may be a view of."""
    match node:
        case ast.Name(id=name):
            return [name]
        case ast.Subscript(value=value) | ast.Starred(value=value):
            return viewed(value)
        case ast.IfExp(body=body, orelse=other):
            return viewed(body) + viewed(other)
        case ast.Attribute(attr=attr, value=value) if attr in VIEWS:
            return viewed(value)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr=attr), args=[first, *_]) if attr in VIEWS:
            return viewed(first)
        case ast.Call(func=ast.Attribute(attr=attr, value=value)) if attr in VIEWS:
            return viewed(value)
    return []

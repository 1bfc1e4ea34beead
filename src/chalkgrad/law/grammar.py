"""The grammar of a rule, checked where it is declared: what a rule may say, so that others can read and copy it.

Assignments (also `+=` and `a[i] -= ...`) and one final `return` of names; `if` only on options, None-ness, shapes and
dtypes; `for` only over what is known from those; every name has one meaning, and inputs and options keep their
values; it changes only arrays that it made, in sight: not by a function, a method or an `out`; it makes no Python
number of data; its globals are `np`, `math` and functions. Whatever breaks this is an error at import, with the file
and the line.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from .errors import nearest
from .memory import HIDDEN, arguments, bound, changed, root
from .static import is_static

if TYPE_CHECKING:
    from .rule import Rule

__all__ = ["OWN", "check"]

OWN = __name__.partition(".")[0] + "."  # what the names of the project's own modules begin with; tests check these

FORBIDDEN = (ast.Lambda, ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)
# Attributes that lead past the array to its memory, where neither the text nor a derivative follows.
MEMORY = {"base", "ctypes", "data", "flat", "grad"}
# The functions of Python that a rule may call; what others do cannot be seen.
BUILTINS = {
    "abs", "all", "any", "bool", "complex", "dict", "divmod", "enumerate", "float", "frozenset", "int", "isinstance",
    "len", "list", "max", "min", "pow", "range", "reversed", "round", "set", "slice", "sorted", "str", "sum", "tuple",
    "type", "zip",
}
ITERATORS = {"enumerate", "filter", "iter", "map", "reversed", "zip"}


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
        value = rule.function.__globals__.get(name, getattr(builtins, name) if name in BUILTINS else None)
        if not _is_known(value):
            rule.fail(rule.node, f"reads `{name}`, which is no input, option, local, np, math, or function above it")


def _is_known(value: Any) -> bool:
    """Tell np, math and functions from the rest, such as the method of a generator, which remembers its last call."""
    if isinstance(value, ModuleType):
        return value.__name__ in ("numpy", "math")
    function = inspect.unwrap(value) if callable(value) else None
    where = getattr(function, "__module__", None) or type(function).__module__
    own = isinstance(getattr(function, "__self__", None), ModuleType | None)
    return isinstance(function, FunctionType) or (
        function is not None and own and where.partition(".")[0] in ("builtins", "math", "numpy"))


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
    if isinstance(node, ast.Expr):
        rule.fail(node, "has a bare expression, whose effect cannot be seen; assign its result to a name")
    for part in ast.walk(node):
        _check_part(rule, part)
    match node:
        case ast.Assign(targets=[target]):
            _check_target(rule, node, target)
        case ast.Assign():
            rule.fail(node, "gives several names one value, which a change of one changes in all; take a line for each")
        case ast.AugAssign(target=target):
            _check_target(rule, node, target)
        case ast.If(test=test) if not is_static(rule, test):
            _fail_branch(rule, node, test)
        case ast.For(iter=source) if not is_static(rule, source):
            rule.fail(node, f"loops over `{ast.unparse(source)}`; it may look at options, shapes and dtypes")
        case ast.If() | ast.For():
            if isinstance(node, ast.For):
                _check_target(rule, node, node.target)
            for child in node.body + node.orelse:
                _check_statement(rule, child)
        case ast.Pass():
            pass
        case _:
            rule.fail(node, f"has a statement of kind {type(node).__name__}; a rule has assignments, `if` and `for`")


def _check_part(rule: Rule, part: ast.AST) -> None:
    """Check a part of a statement: what it may be, and what is hidden in it."""
    if isinstance(part, FORBIDDEN):
        rule.fail(part, f"uses {type(part).__name__.lower()}, which a rule may not")
    match part:
        case ast.keyword(arg="out"):
            rule.fail(part.value, "writes through out=, which hides a change; assign the result to a name")
        case ast.keyword(arg=None):
            rule.fail(part.value, "hands on arguments by **, which hides what they are; write each by its name")
        case ast.Attribute(attr=attr) if attr.startswith("__") or (attr in MEMORY and root(part) != "np"):
            rule.fail(part, f"uses `{ast.unparse(part)}`, past which neither the text nor a derivative can follow")
        case ast.Attribute() if root(part) not in {*rule.parameters, *rule.locals} and callable(
            rule.function.__globals__.get(root(part))
        ):
            rule.fail(part, f"uses `{ast.unparse(part)}`, which is no function by its name")
        case ast.Attribute() if _is_hidden(part):
            rule.fail(part, f"uses `{ast.unparse(part)}`, which changes an array, or draws, where it cannot be seen")
        case ast.IfExp(test=test) if not is_static(rule, test):
            _fail_branch(rule, part, test)
        case ast.comprehension(target=target) if bound(target) & {*rule.parameters, *rule.locals}:
            rule.fail(target, f"gives `{ast.unparse(target)}` a second meaning in a comprehension; take another name")
        case ast.Call():
            _check_call(rule, part)
    if not isinstance(part, ast.Call | ast.comprehension | ast.For | ast.Starred):
        for child in ast.iter_child_nodes(part):
            if isinstance(child, ast.GeneratorExp) or (
                isinstance(child, ast.Call) and isinstance(child.func, ast.Name) and child.func.id in ITERATORS
            ):
                rule.fail(child, f"keeps `{ast.unparse(child)}`, which can be gone through but once; make it a list")


def _is_hidden(part: ast.Attribute) -> bool:
    """Tell a change or a draw by its name; np.sort(x) and np.partition(x) are copies, but x.sort() is not."""
    if isinstance(part.value, ast.Name) and part.value.id == "np":
        return part.attr == "random" or part.attr in HIDDEN - {"append", "insert", "partition", "resize", "sort"}
    return part.attr in HIDDEN


def _check_call(rule: Rule, call: ast.Call) -> None:
    """Check what is handed to a function: nothing that it would change, and nothing that it would make a number of."""
    match call.func:
        case ast.Name(id=name):
            function = rule.function.__globals__.get(name)
            places = set() if getattr(function, "__module__", "").startswith(OWN) else changed(function)
            for place, value in arguments(call):
                if place in places and not is_static(rule, value):
                    rule.fail(call, f"hands `{ast.unparse(value)}` to `{name}`, which changes it; let it make a copy")
            if name in rule.locals:
                rule.fail(call, f"calls `{name}`, which may be one function or another; name it, or use `if`")
        case ast.Attribute(attr=attr) if len(call.args) > _most(call.func) or (
            attr == "nan_to_num" and (len(call.args) > 1 or any(word.arg == "copy" for word in call.keywords))
        ):
            rule.fail(call, f"has more by position than is plain in `{ast.unparse(call)}`: one could be out")
        case ast.Attribute():
            pass
        case _:
            rule.fail(call, f"calls `{ast.unparse(call.func)}`, which is no function by its name")
    read = call.func.value if isinstance(call.func, ast.Attribute) and call.func.attr in ("item", "tolist") else None
    if ast.unparse(call.func) in ("complex", "float") or root(call.func) == "math":
        read = next((value for _, value in arguments(call) if not is_static(rule, value)), None)
    if not rule.inplace and read is not None and not is_static(rule, read):
        rule.fail(call, f"makes Python's number of `{ast.unparse(read)}`, which loses its derivative; use np")


def _most(function: ast.Attribute) -> int:
    """Count the arguments that NumPy takes by position before `out`, a place to write to."""
    numpy = sys.modules.get("numpy")
    found = getattr(numpy, function.attr, None)
    mine = isinstance(function.value, ast.Name) and function.value.id == "np"
    if not mine and root(function) == "np":
        return {"reduce": 3, "accumulate": 3, "reduceat": 4}.get(function.attr, 99)
    if root(function) == "math":
        return 99
    count = getattr(found, "nin", None)
    if count is None:
        try:
            taken = inspect.signature(found).parameters if callable(found) else {}
            names = [name for name, each in taken.items() if each.kind is not each.KEYWORD_ONLY]
        except ValueError:  # not all that is written in C tells
            names = []
        count = names.index("out") if "out" in names else 99
    return count if mine else count - 1


def _fail_branch(rule: Rule, node: ast.AST, test: ast.expr) -> NoReturn:
    rule.fail(node, f"branches on `{ast.unparse(test)}`; it may look at options, None-ness, shapes and dtypes")


def _check_target(rule: Rule, node: ast.Assign | ast.AugAssign | ast.For, target: ast.expr) -> None:
    match target:
        case ast.Tuple(elts=elements):
            for element in elements:
                _check_target(rule, node, element)
        case ast.Name(id=name) if isinstance(node, ast.Assign | ast.For):
            # in a backward, what follows from shapes and options is nobody's input
            if name in rule.parameters and not rule.inplace and not (rule.forward and name in rule.static):
                kind = "input" if name in rule.inputs else "option"
                rule.fail(node, f"gives the {kind} `{name}` a new value; choose another name, or it means two things")
        case ast.Name() | ast.Subscript():
            name = root(target)
            if not rule.inplace and not _made_here(rule, name, frozenset()):
                rule.fail(node, f"changes `{name}` in place, but did not make it; copy it first, or add out of place")
        case _:
            rule.fail(node, f"assigns to `{ast.unparse(target)}`; assign to a name or to an element")


def _made_here(rule: Rule, name: str, seen: frozenset[str]) -> bool:
    """Tell whether every value that `name` takes is an array of the rule's own, not an input or a view of one."""
    if name not in rule.locals or name in seen:
        return name in seen
    return all(_made_here(rule, source, seen | {name}) for source in rule.sources.get(name, ()))

"""What in a rule follows from options, None-ness, shapes and dtypes alone, and what carries no derivative."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .memory import bound, root

if TYPE_CHECKING:
    from .rule import Rule

__all__ = ["find_static", "find_varying", "is_flat", "is_static"]

# Results of these carry no derivative, whatever they are computed from.
FLAT = {"argmax", "argmin", "argsort", "sign", "isnan", "zeros_like", "ones_like", "empty_like"}


def find_static(rule: Rule, static: set[str]) -> set[str]:
    """Add to `static` the locals that follow from it, None-ness, shapes and dtypes alone, however they get a value."""
    makers: dict[str, list[ast.expr]] = {}
    for node in ast.walk(rule.node):
        match node:
            case ast.Assign(targets=targets, value=value):
                pass
            case ast.AugAssign(target=target, value=value) | ast.For(target=target, iter=value):
                targets = [target]
            case _:
                continue
        for target in targets:
            for name in bound(target) | _changed(rule, target, isinstance(node, ast.AugAssign)):
                # where a number is put into an array counts as much as the number
                places = [part.slice for part in ast.walk(target) if isinstance(part, ast.Subscript)]
                makers.setdefault(name, []).extend([value, *places])
    varying = {*rule.inputs, *rule.locals}
    before = -1
    while before != len(static):  # a local may follow from another one
        before = len(static)
        for name in makers.keys() - static - {*rule.inputs}:
            # s = s + 1 is static if what s was before is
            if all(_follows(value, static | {name}, varying) for value in makers[name]):
                static.add(name)
    return static


def _changed(rule: Rule, target: ast.expr, whole: bool) -> set[str]:
    """Name what an assignment changes in place: an array, and all that may share its memory."""
    roots = {root(part) for part in ast.walk(target) if isinstance(part, ast.Subscript | ast.Name)
             and isinstance(part.ctx, ast.Store) and (whole or isinstance(part, ast.Subscript))}
    return {other for name in roots for other in rule.aliases.get(name, ())}


def find_varying(rule: Rule) -> set[str]:
    """Name what may depend on data: inputs, locals, and what comprehensions bind as they go through those."""
    loops = [part for part in ast.walk(rule.node) if isinstance(part, ast.comprehension)]
    varying, before = {*rule.inputs, *rule.locals}, -1
    while before != len(varying):  # a comprehension may go through what another one binds
        before = len(varying)
        for loop in loops:
            if not _follows(loop.iter, rule.static, varying):
                varying |= bound(loop.target)
    return varying


def is_static(rule: Rule, node: ast.expr) -> bool:
    """Tell whether an expression depends on options, None-ness, shapes and dtypes alone."""
    return _follows(node, rule.static, rule.varying)


def _follows(node: ast.AST, static: set[str], varying: set[str]) -> bool:
    """Tell whether an expression depends on static names, None-ness, shapes and dtypes, and not on `varying` others.

    What a comprehension binds follows if what it loops over does, which is among its parts.
    """
    match node:
        case ast.Attribute(attr="shape" | "ndim" | "dtype" | "size") | ast.Call(func=ast.Name(id="len")):
            return True
        case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return True
        case ast.Name(id=name):
            return name in static or name not in varying
    return all(_follows(child, static, varying) for child in ast.iter_child_nodes(node))


def is_flat(rule: Rule, name: str) -> bool:
    """Tell whether a local carries no derivative: made of shapes, a comparison, or positions."""
    makers = [s.node for s in rule.statements if name in s.writes]
    return all(isinstance(node, ast.Assign) and _is_flat_value(rule, node.value) for node in makers)


def _is_flat_value(rule: Rule, value: ast.expr) -> bool:
    called = value.func.attr if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) else ""
    return isinstance(value, ast.Compare) or called in FLAT or is_static(rule, value)

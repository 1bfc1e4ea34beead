"""Rows: update all parameters of a group at once, since they lie in one row (see ../flat.py).

before   adam(fc1_weight, grad_fc1_weight, ..., lr=lr);    adam(fc1_bias, grad_fc1_bias, ..., lr=lr)
after    adam(adam_param, adam_grad, adam_m, adam_v, adam_t, lr=lr)
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ...law.elementwise import is_elementwise
from ..lines import Function, Line

__all__ = ["Group", "call_of", "groups_of", "rows"]


@dataclass
class Group:
    """Parameters that one rule updates alike, one call after the other.

    calls  the arguments of the calls: parameter, gradient, and what the optimizer remembers, in the rule's order
    takes  what the rule calls them
    """

    name: str
    rule: str
    takes: list[str]
    calls: list[list[str]]
    options: str

    @property
    def place(self) -> int:
        """Where the gradient stands among the arguments."""
        return next(i for i, name in enumerate(self.takes) if name.startswith("grad"))


def groups_of(lines: list[Line], rules: dict[str, ast.FunctionDef], fits: Callable[[list[str]], Any]) -> list[Group]:
    """Find what can be updated in one go: calls in a row of one elementwise rule, of arrays of one kind.

    fits(arguments) tells what kind a call is of; None if it must stay as it is
    """
    groups: list[Group] = []
    for key, run in itertools.groupby(lines, lambda line: _kind(line, rules, fits)):
        calls = [call_of(line) for line in run]
        if key is not None and len(calls) > 1:
            rule = key[0]
            takes = [arg.arg for arg in rules[rule].args.args]
            groups.append(Group(f"{rule}_{len(groups) + 1}" if groups else rule, rule, takes,
                                [args for _, args, _ in calls], calls[0][2]))
    return groups


def _kind(line: Line, rules: dict[str, ast.FunctionDef], fits: Callable[[list[str]], Any]) -> Any:
    called, arguments, options = call_of(line)
    if called not in rules or not is_elementwise(rules[called].body):
        return None
    kind = fits(arguments)
    return None if kind is None else (called, options, kind)


def call_of(line: Line) -> tuple[str, list[str], str]:
    """Take a line f(a, b, lr=lr) apart: its function, its arguments, its options; all empty if it is none."""
    match line.node:
        case ast.Expr(value=ast.Call(func=ast.Name(id=called), args=args, keywords=keywords)):
            if all(isinstance(arg, ast.Name) for arg in args):
                return called, [ast.unparse(arg) for arg in args], ", ".join(map(ast.unparse, keywords))
    return "", [], ""


def rows(function: Function, groups: list[Group]) -> None:
    """Put one call in place of all calls of a group; before it, gradients are written into their row."""
    for group in groups:
        mine = [line for line in function.lines if call_of(line)[1] in group.calls]
        at = function.lines.index(mine[0])
        rest = [line for line in function.lines[at:] if line not in mine]
        function.lines = [*function.lines[:at], *_row_lines(group), *rest]
        gone = {name for call in group.calls for i, name in enumerate(call) if i not in (0, group.place)}
        function.takes = [name for name in function.takes if name not in gone]
        function.takes += [f"{group.name}_{name}" for name in group.takes]
        function.takes += [f"row_{call[0]}" for call in group.calls]


def _row_lines(group: Group) -> Iterator[Line]:
    for call in group.calls:
        yield Line(f"row_{call[0]}[...] = {call[group.place]}")
    arguments = [f"{group.name}_{name}" for name in group.takes]
    yield Line(f"{group.name}_rows({', '.join(arguments)}{', ' if group.options else ''}{group.options})")

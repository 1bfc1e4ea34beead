"""Copying one rule into a program: its statements under new names, constants folded, with the shapes that came out."""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
from typing import Any

import numpy as np

from ..law.code import Code
from ..law.static import is_static
from .helpers import Helpers, checks
from .names import Names
from .render import Source, index_text, literal
from .variables import comprehended
from .walk import walk

__all__ = ["RuleCopy"]

FOLDED = (ast.BinOp, ast.UnaryOp, ast.Call, ast.Subscript, ast.Compare, ast.BoolOp)


class RuleCopy:
    """One run of a rule, as lines.

    base     the name of the run, which its locals are called after
    known    name in the rule -> text in the program; starts with the parameters, and grows
    own      what some locals would like to be called: outputs, gradients of inputs
    claimed  what others are called already
    """

    def __init__(
        self, code: Code, given: dict[str, Any], known: dict[str, str], base: str, own: dict[str, str], names: Names,
        helpers: Helpers, claimed: dict[str, str],
    ) -> None:
        self.claimed = dict(claimed)
        self.code, self.known, self.base, self.own, self.names, self.helpers = code, known, base, own, names, helpers
        self.source = Source(code.rule.file)
        # what is the same in every run of the program: options, and what is computed from nothing else
        self.constant = {n for n, value in given.items() if literal(value) is not None and literal(value) == known[n]}
        loops = [s for s in code.statements if isinstance(s.node, ast.For)]
        self.carried = frozenset[str]().union(*(s.writes for s in loops))  # names that mean something else each round
        self.line = code.rule.node.body[0].end_lineno or 0  # as far as the rule's text has been told
        self.values: dict[str, Any] = {}
        self.lines = self._lines(given)

    def _lines(self, given: dict[str, Any]) -> list[tuple[str, str]]:
        lines: list[tuple[str, str]] = []
        for node, values in walk(self.code, given):
            self.values = values
            lines += self._with_comments(node)
        return lines

    def _with_comments(self, node: ast.stmt) -> list[tuple[str, str]]:
        """Write a statement under the comments that stand above it in the rule, or behind it."""
        whole = not isinstance(node, ast.For | ast.If)  # the comments of a block stand inside it
        comments = self.source.comments(node, self.line, node.end_lineno if whole else node.lineno)
        self.line = node.end_lineno or self.line
        lines = self._statement(node)
        settled = self._settles(node) if lines else []
        return [*((f"# {comment}", "") for comment in [*comments, *settled] if lines), *lines]

    def _statement(self, node: ast.stmt) -> list[tuple[str, str]]:
        """Write one statement; nothing if it says nothing in the program: a constant, or a second name for a value."""
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                text = self._assignment(name, value)
            case ast.Assign(targets=[target], value=value):
                folded = self._is_constant(value) and self._fold_tuple(target)
                text = None if folded else self._assign_parts(target, value)
            case ast.For():
                return self._loop(node)
            case ast.If():
                return self._branch(node)
            case _:
                text = self._copy(node)
        return [] if text is None else [(text, self._shape(node))]

    def _assign_parts(self, target: ast.expr, value: ast.expr) -> str:
        text = self._copy(value)
        self._declare(target)
        return f"{self._copy(target)} = {_whole(text)}"

    def _loop(self, node: ast.For) -> list[tuple[str, str]]:
        """Write a loop; what it changes from one round to the next keeps one name."""
        source = self._copy(node.iter)
        self._declare(node.target)
        self.line = node.lineno
        return [(f"for {self._copy(node.target)} in {source}:", ""), *self._indented(node.body)]

    def _indented(self, nodes: list[ast.stmt]) -> list[tuple[str, str]]:
        lines = [line for node in nodes for line in self._with_comments(node)]
        return [(textwrap.indent(text, "    "), "") for text, _ in lines]

    def _branch(self, node: ast.If) -> list[tuple[str, str]]:
        """Write a branch inside a loop; one whose condition is known leaves no trace."""
        if self._is_constant(node.test):
            taken = node.body if self._evaluate(node.test) else node.orelse
            self.line = taken[0].lineno - 1 if taken else node.end_lineno or self.line
            return [line for child in taken for line in self._with_comments(child)]
        test = self._copy(node.test)
        self.line = node.lineno
        body, other = self._indented(node.body), self._indented(node.orelse)
        return [(f"if {test}:", ""), *body, *([("else:", ""), *other] if other else [])]

    def _assignment(self, name: str, value: ast.expr) -> str | None:
        carried = name in self.carried
        constant = None if _is_computed_float(self.values[name], value) else literal(self.values[name])
        if constant is not None and self._is_constant(value) and not carried:
            self.known[name] = constant
            self.constant.add(name)
            return None
        text = str(literal(self.values[name])) if self._is_settled(name, value) else self._copy(value)
        self.constant.discard(name)
        if isinstance(value, ast.Name | ast.IfExp) and text.isidentifier() and not carried:
            self.known[name] = text
            return None
        self.known[name] = self._local(name)
        return f"{self.known[name]} = {_whole(text)}"

    def _is_settled(self, name: str, value: ast.expr) -> bool:
        """Tell a call that checks options and shapes, and reads nothing else: it has done its work by now.

        The program is guarded against other shapes, so what the call came to is all that is left of it.
        """
        if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name) or name in self.carried:
            return False
        given = [*value.args, *(keyword.value for keyword in value.keywords)]
        return (literal(self.values[name]) is not None and all(is_static(self.code.rule, each) for each in given)
                and checks(self.values.get(value.func.id)))

    def _settles(self, node: ast.stmt) -> list[str]:
        """Say what a call was for, of which only the result is left."""
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id=helper)) as value):
                if self._is_settled(name, value):
                    return (inspect.getdoc(self.values[helper]) or helper).splitlines()[:1]
        return []

    def _fold_tuple(self, target: ast.expr) -> bool:
        """Fold `sh, sw = pair(stride)`."""
        texts = {name: literal(self.values[name]) for name in _names_in(target)}
        if None in texts.values():
            return False
        self.known |= {name: str(text) for name, text in texts.items()}
        self.constant |= set(texts)
        return True

    def _copy(self, node: ast.AST) -> str:
        for name in comprehended(node) & self.names.taken - self.known.keys():
            self.known[name] = self.names.fresh(name)  # a variable of the program would be hidden
        return self.source.copy(node, self._replace)

    def _replace(self, part: ast.AST, parent: ast.AST | None) -> str | None:
        """Tell what stands in the program for a part of the rule's text; None if the text stays."""
        match part:
            case ast.IfExp(test=test) if self._is_constant(test):
                return self._copy(part.body if self._evaluate(test) else part.orelse)
            case ast.Name(id=name) if name in self.known:
                if isinstance(parent, ast.Subscript) and parent.slice is part and name in self.constant:
                    return index_text(self.values[name])
                return _safe(self.known[name], parent)
            case ast.Name(id=name):
                return self.helpers.refer(name, self.values)
        if isinstance(part, FOLDED) and self._is_constant(part):
            value = self._evaluate(part)
            text = None if _is_computed_float(value, part) else literal(value)
            return None if text is None else _safe(text, parent)
        return None

    def _is_constant(self, node: ast.AST) -> bool:
        """Tell whether an expression is the same in every run of the program, and says more than a literal does."""
        names = set(_names_in(node))
        bound = [part.target for part in ast.walk(node) if isinstance(part, ast.comprehension)]
        names -= {name for target in bound for name in _names_in(target)}
        rule = self.code.rule
        known, own = rule.function.__globals__, {*rule.parameters, *rule.locals} - self.constant
        return bool(names) and all(
            n not in own and (n in self.constant or n in known or hasattr(builtins, n)) for n in names)

    def _evaluate(self, node: ast.AST) -> Any:
        assert isinstance(node, ast.expr)
        return eval(compile(ast.Expression(node), self.code.rule.file, "eval"), self.values)

    def _declare(self, *targets: ast.AST) -> None:
        """Give the names that an assignment binds their names in the program."""
        for part in (part for target in targets for part in ast.walk(target)):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                self.known[part.id] = self._local(part.id)
                self.constant.discard(part.id)

    def _local(self, name: str) -> str:
        """Name a local: an output by its module, a gradient by what it is the gradient of, others after the run."""
        if name in self.claimed:
            return self.claimed[name]
        mine = f"grad_{self.base}_{name[5:]}" if name.startswith("grad_") else f"{self.base}_{name}"
        self.claimed[name] = self.names.fresh(self.own.get(name, mine))
        return self.claimed[name]

    def _shape(self, node: ast.stmt) -> str:
        """The shape of what a statement made; nothing for numbers and tuples."""
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = self.values.get(targets[0].id) if isinstance(targets[0], ast.Name) else None
        return str(value.shape) if isinstance(value, np.ndarray | np.generic) else ""


def _names_in(node: ast.AST) -> list[str]:
    return [part.id for part in ast.walk(node) if isinstance(part, ast.Name)]


def _is_computed_float(value: Any, node: ast.AST) -> bool:
    """Tell what reads better unfolded: 1 - 0.9 says more than 0.09999999999999998."""
    return isinstance(value, float) and isinstance(node, ast.BinOp)


def _whole(text: str) -> str:
    """Hold an expression of several lines together: the brackets around it are no part of its syntax tree."""
    return f"({text})" if "\n" in text else text


def _safe(text: str, parent: ast.AST | None) -> str:
    """Put a negative number into brackets where an operator or a dot is next to it."""
    return f"({text})" if text.startswith("-") and isinstance(parent, ast.BinOp | ast.UnaryOp | ast.Attribute) else text

"""Each rule once, as a function above the step that is then called: the author's own text, with what it returns."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..engine.tensor import Port
from ..law.code import Code
from ..law.rule import Rule, Statement
from .helpers import Helpers, signature
from .names import Names, public
from .render import Source
from .tape import Call

__all__ = ["RuleCalls"]


class RuleCalls:
    """Writes the runs of rules as calls, and puts the functions that they call into the program.

    A forward returns its outputs, and behind them the locals that a backward of it asks for. A backward returns the
    gradients that are wanted somewhere in the program; where that would cost more than is wanted, there is a version of
    it that makes less.
    """

    def __init__(self, names: Names, helpers: Helpers) -> None:
        self.names, self.helpers = names, helpers
        self.functions: dict[Any, str] = {}  # a rule and what it returns -> what the function is called
        self.taken = set[str]()
        self.asked: dict[Rule, list[str]] = {}  # forward -> the locals that its backwards ask for
        self.wanted: dict[Rule, list[str]] = {}  # backward -> the gradients that are wanted somewhere
        self.edges: dict[tuple[int, Any], str] = {}  # (a gradient, its edge) -> what it is called there

    def plan(self, calls: list[Call]) -> None:
        """Look through the whole program: which names are taken by functions, and which locals are asked for."""
        for call in calls:
            if isinstance(call.code, Code) and call.kind != "update":
                self.taken.add(public(call.code.rule.name))
                if call.kind == "backward":
                    self._plan_backward(call.code, call.owner.variant.rule)

    def _plan_backward(self, code: Code, forward: Rule) -> None:
        rule, known = code.rule, self.asked.setdefault(forward, [])
        asked = [name for name in rule.needs(code.returns) if name in forward.locals and name not in forward.returns]
        known += [name for name in asked if name not in known]
        wanted = {*self.wanted.get(rule, []), *code.returns}
        self.wanted[rule] = [name for name in rule.returns if name in wanted]

    def forward(
        self, call: Call, code: Code, known: dict[str, str], base: str, claimed: dict[str, str]
    ) -> list[tuple[str, str]]:
        """Call a rule; `known` comes to hold what its results are called."""
        rule, asked = code.rule, self._asked(call, code.rule)
        name = self._function(rule, [*rule.returns, *asked], rule.parameters)
        inputs = [known[n] for n in rule.inputs]
        while inputs and inputs[-1] == "None":
            inputs.pop()  # as the default says
        defaults = rule.function.__kwdefaults__ or {}
        options = [f"{n}={known[n]}" for n in rule.options if not _is(call.given[n], defaults.get(n, _is))]
        for result in [*rule.returns, *asked]:
            known[result] = claimed.get(result) or self.names.fresh(f"{base}_{result}")
        results = [known[n] for n in [*rule.returns, *asked]]
        line = f"{', '.join(results)} = {name}({', '.join([*inputs, *options])})"
        return [(line, str(np.shape(call.made[rule.returns[0]])))]

    def backward(
        self, call: Call, code: Code, known: dict[str, str], own: dict[str, str]
    ) -> list[tuple[str, str]]:
        """Call the backward of a rule, with what it asks for."""
        rule = code.rule
        returned = self._returned(rule, code.returns)
        needed = rule.needs(returned)
        name = self._function(rule, returned, needed)
        results = dict.fromkeys(returned, "_")
        for result, edge in zip(code.returns, call.edges, strict=True):
            value, text = call.made[result], self.names.fresh(own[result])
            results[result] = text
            self.edges[id(value), _key(edge)] = text
            if id(value) not in self.names.of:
                self.names.give(value, text)
        line = f"{', '.join(results.values())} = {name}({', '.join(known[n] for n in needed)})"
        return [(line, str(np.shape(call.made[returned[0]])) if len(returned) == 1 else "")]

    def _returned(self, rule: Rule, wanted: list[str]) -> list[str]:
        """Let a backward return more than is wanted, if the rest is but another name for what it has."""
        more = self.wanted[rule]
        extra = [s for s in rule.slice(more) if s not in rule.slice(wanted)]
        free = all(isinstance(s.node, ast.Assign) and isinstance(s.node.value, ast.Name) for s in extra)
        return more if free and set(rule.needs(more)) == set(rule.needs(wanted)) else wanted

    def at_edge(self, value: Any, edge: Any) -> str | None:
        """Name a gradient by the edge that it travels: the same array may be the gradient of several values."""
        return self.edges.get((id(value), _key(edge)))

    def at_node(self, value: Any, node: Any, name: str) -> str | None:
        """Name a gradient that arrives at a node, as the gradient of its only output, or of one of several."""
        outputs = node.variant.grad_outputs
        place = outputs.index(name) if name in outputs else None
        return self.at_edge(value, node) or self.edges.get((id(value), (node, place)))

    def _asked(self, call: Call, rule: Rule) -> list[str]:
        """Name the locals that a forward returns: the same in all its runs, if all of them are made in all runs."""
        asked = self.asked.get(rule, [])
        always = set().union(*(s.rebinds for s in rule.statements if isinstance(s.node, ast.Assign)))
        return asked if set(asked) <= always else [name for name in asked if name in call.made]

    def _function(self, rule: Rule, returns: list[str], parameters: list[str]) -> str:
        key = (rule, tuple(returns))
        if key not in self.functions:
            first = not any(known is rule for known, _ in self.functions)
            name = self.functions[key] = self.names.fresh(public(rule.name))
            whole = [s for s in signature(rule.function) if s == "*" or s.partition("=")[0] in parameters]
            lines = [*self._text(rule, rule.slice(returns)), f"return {', '.join(returns)}"]
            story = None if first else f"The part of {public(rule.name)} that makes {' and '.join(returns)}."
            self.helpers.add(rule.function, ", ".join(_without_star(whole)), lines, name, story)
        return self.functions[key]

    def _text(self, rule: Rule, kept: Iterable[Statement]) -> list[str]:
        """Copy statements as they stand in the rule, with the comments above and behind them."""
        source = Source(rule.file)
        local = {*rule.parameters, *rule.locals}
        bound = {n.id for n in ast.walk(rule.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}

        def replace(node: ast.AST, parent: ast.AST | None) -> str | None:
            if isinstance(node, ast.Name) and node.id not in local | bound:
                return self.helpers.refer(node.id, rule.function.__globals__)
            return None

        nodes, lines, end = {id(s.node) for s in kept}, list[str](), 0
        for node in rule.node.body:
            above, end = end, node.end_lineno or 0
            if id(node) in nodes:
                comments = source.between(above, node.lineno - 1) if above else ""
                text = comments + " " * node.col_offset + source.copy(node, replace) + source.rest(node)
                lines += textwrap.dedent(text).strip("\n").split("\n")
        return lines


def _key(edge: Any) -> Any:
    """Tell edges apart: a node, a leaf, or one of several outputs of a node."""
    return (edge.edges[0], edge.place) if isinstance(edge, Port) else edge


def _without_star(parts: list[str]) -> list[str]:
    """Leave out a * behind which nothing stands."""
    return parts[:-1] if parts and parts[-1] == "*" else parts


def _is(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)

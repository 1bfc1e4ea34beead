"""The two passes of a primitive for one choice of inputs: what to remember, and which statements to run."""

from __future__ import annotations

import functools

from .code import Code
from .errors import GradError
from .rule import Rule
from .static import is_flat

__all__ = ["Variant"]


class Variant:
    """A rule for one choice of inputs that want a gradient: a forward that remembers, a backward that is sliced."""

    def __init__(self, rule: Rule, back: Rule | None, inputs: list[str]) -> None:
        self.rule, self.name, self.inputs = rule, rule.name, inputs
        self.grad_outputs = [f"grad_{name}" for name in rule.returns]
        self.remember, self.rebuild = list[str](), list[str]()
        if self.inputs:
            self._plan_backward(rule, back)
        outputs = ", ".join(rule.returns)
        outputs = outputs if len(rule.returns) == 1 else f"({outputs})"
        remembered = "".join(f"{name}, " for name in self.remember)
        self.forward = Code(rule, rule.inputs, rule.returns + self.remember, f"{outputs}, ({remembered})", like=True)
        self.run = self.forward.function
        # which of the remembered values a user could change in place: input positions, and outputs
        shared = {name: rule.aliases[name] for name in self.remember}
        self.watched = _places(rule.inputs, shared)
        self.watched_outputs = _places(rule.returns, shared)
        self.watches = bool(self.watched or self.watched_outputs)

    def _plan_backward(self, rule: Rule, back: Rule | None) -> None:
        constant = [n for n in self.inputs if back is None or f"grad_{n}" not in back.returns]
        if constant or back is None:
            raise GradError(f"{rule.name} has no derivative by `{', '.join(constant)}`. Detach it: x.detach().")
        returns = [f"grad_{name}" for name in self.inputs]
        asked = [name for name in back.needs(returns) if name not in self.grad_outputs]
        # A second derivative takes the remembered locals apart again, from the inputs that they were made of; a lone
        # output need not be: it is what the node made.
        lone = rule.returns if len(rule.returns) == 1 else []
        self.rebuild = [n for n in asked if n in rule.locals and n not in lone and not is_flat(rule, n)]
        self.remember = asked + [n for n in rule.needs(self.rebuild) if n not in asked]
        self.arriving = [name for name in self.grad_outputs if name in back.parameters]
        parameters = self.arriving + self.remember
        self.backward = Code(back, parameters, returns, "".join(f"{name}, " for name in returns))
        self.pull = self.backward.function

    @functools.cached_property
    def locals(self) -> Code:
        """The forward as far as the remembered locals, from the remembered inputs: run on Tensors by `create_graph`."""
        given = [name for name in self.remember if name in self.rule.parameters]
        return Code(self.rule, given, self.rebuild, "".join(f"{name}, " for name in self.rebuild))


def _places(names: list[str], shared: dict[str, frozenset[str]]) -> list[tuple[str, int]]:
    """Pair each remembered name with the places of those that may share memory with it."""
    return [(name, i) for name, together in shared.items() for i, other in enumerate(names) if other in together]

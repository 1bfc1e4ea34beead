"""From the tape to blocks of lines: every computation's own text, under names from the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ..engine.tensor import Node, Port, Tensor
from ..law.code import Code
from ..law.errors import SpellError
from ..seeding import default_generator
from .copying import RuleCopy
from .engine_lines import engine_line
from .helpers import Helpers
from .names import Names, variable
from .tape import Call

__all__ = ["Block", "Step", "Writer", "rate_name"]


# What the engine does to a gradient, and so what the gradient is called before.
UNFINISHED = {"_add": "_from_{}", "unbroadcast": "_each", "_astype": "_wide"}


@dataclass
class Block:
    """The lines of one computation: comments above, then (code, shape) pairs."""

    kind: str
    comments: list[str]
    lines: list[tuple[str, str]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


class Step(NamedTuple):
    """One update of an optimizer: rule(*given, *rest), where given[place] is the gradient."""

    rule: str
    given: list[str]
    place: int
    rest: list[str]


class Writer:
    """Writes calls, one method a kind; `blocks` is the program in order.

    params  the ids of the parameters' arrays
    groups  id of a parameter's array -> the number of its group, which has a learning rate of its own
    loss    the id of the array that the step returns
    """

    def __init__(self, names: Names, params: set[int], groups: dict[int, int], loss: int) -> None:
        self.loss, self.params = loss, params
        self.names, self.groups, self.helpers = names, groups, Helpers(names)
        self.blocks: list[Block] = []
        self.told: set[Any] = set()  # rules whose story has been told
        self.runs: dict[Any, tuple[str, dict[str, str]]] = {}  # node -> what its run is called, and its locals
        self.updates: dict[Any, str] = {}  # an update rule and its options -> what it is called
        # (a gradient, its edge) -> why it is not the whole gradient yet: it is a part of a sum, or has yet to be summed
        self.parts: dict[tuple[int, int], str] = {}
        self.draws = False

    def write(self, calls: list[Call]) -> list[Block]:
        """Write all calls in order."""
        for call in calls:
            why = UNFINISHED.get(getattr(call.code, "__name__", "")) if call.kind == "engine" else None
            if why is not None:
                self.parts |= {(id(value), id(call.owner)): why for value in call.given.values()}
        for call in calls:
            block = getattr(self, f"_{call.kind}")(call)
            if block.lines or block.steps:
                self._append(block)
        return self.blocks

    def _append(self, block: Block) -> None:
        """A line without a story of its own belongs to the block above."""
        if self.blocks and not block.comments and self.blocks[-1].kind == block.kind:
            self.blocks[-1].lines += block.lines
            self.blocks[-1].steps += block.steps
        else:
            self.blocks.append(block)

    def _forward(self, call: Call) -> Block:
        """Inputs by the names of their arrays, the output by the path of its module."""
        code = _code(call)
        base = self._base(call, code)
        known = {name: self.names.text(value, code.rule.name) for name, value in call.given.items()}
        outputs = code.rule.returns
        claimed = {outputs[0]: base} if len(outputs) == 1 else {}
        told = code.rule in self.told
        copied = RuleCopy(code, call.given, known, base, {}, self.names, self.helpers, claimed, told)
        for name, value in call.made.items():
            self.names.give(value, known[name])
        self.runs[call.owner] = base, known
        story = [base] if told else [f"{base}: {_sentence(code)}"]
        self.told.add(code.rule)
        return Block("forward", story, copied.lines)

    def _backward(self, call: Call) -> Block:
        """What it asks for is what the forward's locals are called; a gradient is named after its variable."""
        code = _code(call)
        base, locals_ = self.runs[call.owner]
        known = {n: locals_[n] if n in locals_ else self.names.text(v, code.rule.name) for n, v in call.given.items()}
        own = {}
        for name, edge in zip(code.returns, call.edges, strict=True):
            own[name] = f"grad_{locals_[name.removeprefix('grad_')]}"
            own[name] += self.parts.get((id(call.made[name]), id(edge)), "").format(base)
        told = code.rule in self.told
        copied = RuleCopy(code, call.given, known, base, own, self.names, self.helpers, {}, told)
        for name, value in call.made.items():
            self.names.give(value, known[name])
        return Block("backward", self._derivation(code, base), copied.lines)

    def _update(self, call: Call) -> Block:
        """Call an update rule, which stands once above the step, its options put in."""
        code = _code(call)
        name = self._update_rule(call, code)
        given = [self.names.text(call.given[n], name) for n in code.rule.inputs]
        rest = [f"lr={rate_name(self.groups, call)}"] if "lr" in code.rule.options else []
        # an optimizer follows a gradient; what follows none, such as a running mean, is part of the forward
        place = [i for i, n in enumerate(code.rule.inputs) if n.startswith("grad")]
        if not place:
            return Block("forward", [], [(f"{name}({', '.join([*given, *rest])})", "")])
        return Block("update", [], [], [Step(name, given, place[0], rest)])

    def _update_rule(self, call: Call, code: Code) -> str:
        """Write an update rule for the options that a call sets; only the learning rate stays one."""
        rule = code.rule
        fixed = {name: call.given[name] for name in rule.options if name != "lr"}
        key = (rule, repr(fixed))
        if key not in self.updates:
            known = {name: name for name in rule.parameters}
            known |= {name: self.names.text(value, rule.name) for name, value in fixed.items()}
            given = {**call.given, **{name: array.copy() for name, array in call.made.items()}}
            own = Names({*rule.parameters})
            copied = RuleCopy(code, given, known, "", {n: n for n in rule.locals}, own, self.helpers, {}, False)
            signature = ", ".join([*rule.inputs, *(["*", "lr"] if "lr" in rule.options else [])])
            self.updates[key] = self.helpers.add(rule.function, signature, [text for text, _ in copied.lines])
        return self.updates[key]

    def _write(self, call: Call) -> Block:
        """Write over an array, which all see that share its memory."""
        array, source = (self.names.text(call.given[key], "A change in place") for key in ("array", "source"))
        kind = "update" if id(call.given["array"]) in self.params else self._here()
        return Block(kind, [], [(f"{array}[...] = {source}", "")])

    def _here(self) -> str:
        """The section that is being written."""
        return self.blocks[-1].kind if self.blocks else "forward"

    def _random(self, call: Call) -> Block:
        """Draw from the generator that the program is handed."""
        assert not isinstance(call.code, Code)
        helper, self.draws = self.helpers.name(call.code), True
        ((local, value),) = call.made.items()
        if any(isinstance(v, np.random.Generator) and v is not default_generator() for v in call.given.values()):
            raise SpellError(f"{helper} draws from a generator of its own; a program is handed one, the default one.")
        given = ["rng" if isinstance(v, np.random.Generator) else self.names.text(v, helper)
                 for v in call.given.values()]
        name = self.names.fresh(f"{variable(call.scope) or helper}_{local}")
        self.names.give(value, name)
        line = f"{name} = {helper}({', '.join(given)})"
        return Block("forward", [f"{name}: drawn anew in every step"], [(line, str(value.shape))])

    def _engine(self, call: Call) -> Block:
        """Write what the engine computed between two rules."""
        assert not isinstance(call.code, Code)
        (result,) = call.made.values()
        texts = {name: self.names.text(value, "the engine") for name, value in call.given.items()}
        line = engine_line(call, texts)
        target = self._target(call.owner)
        if target is None:
            name = self.names.fresh("_".join(filter(None, [variable(call.scope), call.code.__name__.strip("_")])))
            self.names.give(result, name)
            return Block(self._here(), [], [(f"{name} = {line}", str(np.shape(result)))])
        why = "_part" if (id(result), id(call.owner)) in self.parts else ""
        name = self.names.fresh(f"grad_{target}{why}")
        self.names.give(result, name)
        comment = {"_add": [f"{target} reaches the loss by two ways"], "ones_like": ["∂loss / ∂loss"]}
        return Block("backward", comment.get(call.code.__name__, []), [(f"{name} = {line}", str(np.shape(result)))])

    def _base(self, call: Call, code: Code) -> str:
        """Name a run after its module; outside of modules, after its output if that says more than y, or its rule."""
        rule, path = code.rule, variable(call.scope)
        own = rule.name if len(rule.returns) > 1 or rule.returns[0] in ("x", "y") else rule.returns[0]
        if id(call.made[rule.returns[0]]) == self.loss:
            return self.names.fresh("loss")
        return self.names.fresh(path if path and path not in self.names.taken else f"{path}_{own}" if path else own)

    def _target(self, edge: Any) -> str | None:
        """Name the value whose gradient an edge carries."""
        if isinstance(edge, Tensor):
            return self.names.of[id(edge.data)]
        if not isinstance(edge, Node):
            return None
        node, place = (edge.edges[0], edge.place) if isinstance(edge, Port) else (edge, 0)
        arriving: str = node.variant.arriving[place]
        return self.runs[node][1][arriving.removeprefix("grad_")]

    def _derivation(self, code: Code, base: str) -> list[str]:
        """Tell how a gradient follows, the first time that its rule runs."""
        if code.rule in self.told:
            return [base]
        self.told.add(code.rule)
        lines = [line.strip() for line in (code.rule.function.__doc__ or "").strip().splitlines()]
        return [f"{base}: {lines[0]}"] if len(lines) == 1 else [base, *(f"    {line}" for line in lines)]


def rate_name(groups: dict[int, int], call: Call) -> str:
    """Name the learning rate of an update by the group of the parameter, which an update rule takes first."""
    number = groups.get(id(next(iter(call.given.values()))), 0)
    return f"lr_{number + 1}" if number else "lr"


def _code(call: Call) -> Code:
    assert isinstance(call.code, Code)
    return call.code


def _sentence(code: Code) -> str:
    return (code.rule.function.__doc__ or code.rule.name).strip().splitlines()[0]

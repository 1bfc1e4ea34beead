"""From the tape to blocks of lines: every computation's own text, under names from the model."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.tensor import Node, Port, Tensor
from ..law.code import Code
from ..law.errors import SpellError
from ..seeding import default_generator
from .blocks import Block, Step, make_array
from .copying import RuleCopy
from .engine_lines import engine_line
from .helpers import Helpers
from .names import Names, public, variable
from .rules import RuleCalls
from .tape import Call
from .variables import uses

__all__ = ["Writer", "rate_name"]


# What the engine does to a gradient, and so what the gradient is called before.
UNFINISHED = {"_add": "_from_{}", "unbroadcast": "_each", "_astype": "_wide"}


class Writer:
    """Writes calls, one method a kind; `blocks` is the program in order.

    params  the ids of the parameters' arrays
    groups  id of a parameter's array -> the number of its group, which has a learning rate of its own
    loss    the id of the array that the step returns
    detail  "statements": every statement of a rule where it runs; "rules": a function for each rule, which is called
    share   leave out copies of gradients that make no difference: they say nothing to a reader
    """

    def __init__(
        self, names: Names, params: set[int], groups: dict[int, int], loss: int, detail: str, share: bool
    ) -> None:
        self.loss, self.params, self.share = loss, params, share
        self.names, self.groups, self.helpers = names, groups, Helpers(names)
        self.rules = RuleCalls(names, self.helpers) if detail == "rules" else None
        self.blocks: list[Block] = []
        # node -> what its run is called, what its locals are, and which of those are variables of its own
        self.runs: dict[Any, tuple[str, dict[str, str], dict[str, str]]] = {}
        self.scopes: dict[Any, str] = {}  # node -> the path of the module that ran it
        self.last: dict[str, Call | None] = {}  # path of a module -> the call that makes its output
        self.node: Any = None  # whose backward ran last
        self.updates: dict[Any, str] = {}  # an update rule and its options -> what it is called
        # (a gradient, its edge) -> why it is not the whole gradient yet: it is a part of a sum, or has yet to be summed
        self.parts: dict[tuple[int, int], str] = {}
        self.calls, self.at = list[Call](), 0  # all calls, and the one that is being written
        self.named = set[int]()  # the ids of the calls that have a name already
        self.shared: list[Any] = []  # gradients that go by a second name, instead of being copied
        self.draws = False

    def write(self, calls: list[Call]) -> list[Block]:
        """Write all calls in order."""
        for call in calls:
            why = UNFINISHED.get(getattr(call.code, "__name__", "")) if call.kind == "engine" else None
            if why is not None:
                self.parts |= {(id(value), id(call.owner)): why for value in call.given.values()}
        self.last = _outputs(calls)
        if self.rules is not None:
            self.rules.plan(calls)
        self.calls = calls
        for self.at, call in enumerate(calls):
            self._let_write(call)
            block: Block = getattr(self, f"_{call.kind}")(call)
            self._place(block, call)
            if block.lines or block.steps:
                self._append(block)
        return self.blocks

    def _let_write(self, call: Call) -> None:
        """Make arrays of what a call writes over: what NumPy makes without axes are numbers, which stay what they are.

        All names of that memory count, since a number's view would be a copy.
        """
        for array in (array for array in _changed(call) if array.ndim == 0):
            for value in (value for before in self.calls[: self.at] for value in before.made.values()):
                if isinstance(value, np.ndarray) and np.may_share_memory(value, array) and id(value) in self.names.of:
                    make_array(self.blocks, self.names.of[id(value)])

    def _append(self, block: Block) -> None:
        """Put a block behind the others; a line that goes on with a backward stands before sums that end it."""
        at = len(self.blocks)
        while not block.title and at and self.blocks[at - 1].said != Block.said and (
                block.owner is self.blocks[at - 1].owner) and not _reads(block, self.blocks[at - 1]):
            at -= 1
        self.blocks.insert(at, block)

    def _place(self, block: Block, call: Call) -> None:
        """Tell where a block belongs: a gradient that the engine adds up belongs to the backward before it."""
        if call.kind == "forward" and call.owner is not None:
            self.scopes[call.owner] = call.scope
        if call.kind == "backward":
            self.node = call.owner
        owner = call.owner.edges[0] if type(call.owner) is Port and call.code is np.zeros else (
            self.node if call.kind == "engine" and call.owner is not None else call.owner)
        if call.owner is None or call.code not in (np.copy, np.ones_like):
            block.owner, block.scope = owner, call.scope or self.scopes.get(owner, "")

    def _forward(self, call: Call) -> Block:
        """Inputs by the names of their arrays, the output by the path of its module."""
        code = _code(call)
        base = self._base(call, code)
        known = {name: self.names.text(value, public(code.rule.name)) for name, value in call.given.items()}
        outputs = code.rule.returns
        claimed = {outputs[0]: base} if len(outputs) == 1 else {}
        if self.rules is not None:
            lines = self.rules.forward(call, code, known, base, claimed)
        else:
            copied = RuleCopy(code, call.given, known, base, {}, self.names, self.helpers, claimed)
            lines, claimed = copied.lines, copied.claimed
        given = {id(value) for value in call.given.values()}
        for name, value in call.made.items():
            # a local that is an input under another name keeps the name of the input
            if name in known and (name in outputs or id(value) not in given):
                self.names.give(value, known[name])
        self.runs[call.owner] = base, known, claimed
        if self.rules is not None:
            return Block("forward", lines=lines)
        return Block("forward", base, [_sentence(code)], lines, code=code.rule)

    def _backward(self, call: Call) -> Block:
        """What it asks for is what the forward's locals are called; a gradient is named after its variable."""
        code = _code(call)
        base, locals_, claimed = self.runs[call.owner]
        known = {n: locals_[n] if n in locals_ else self._arriving(n, call, code) for n in call.given}
        own = {}
        for name, edge in zip(code.returns, call.edges, strict=True):
            own[name] = f"grad_{locals_[name.removeprefix('grad_')]}"
            own[name] += self.parts.get((id(call.made[name]), id(edge)), "").format(base)
        if self.rules is not None:
            return Block("backward", lines=self.rules.backward(call, code, known, own))
        again = _free(claimed, locals_, call)
        copied = RuleCopy(code, call.given, known, base, own, self.names, self.helpers, again)
        for name, value in call.made.items():
            self.names.give(value, known[name])
        return Block("backward", base, _derivation(code), copied.lines, code=code.rule)

    def _arriving(self, name: str, call: Call, code: Code) -> str:
        """Name a gradient that arrives at a node."""
        value = call.given[name]
        named = self.rules.at_node(value, call.owner, name) if self.rules is not None else None
        return named or self.names.text(value, public(code.rule.name))

    def _update(self, call: Call) -> Block:
        """Call an update rule, which stands once above the step, its options put in."""
        code = _code(call)
        name = self._update_rule(call, code)
        given = [self.names.text(call.given[n], name) for n in code.rule.inputs]
        rest = [f"lr={rate_name(self.groups, call)}"] if "lr" in code.rule.options else []
        # an optimizer follows a gradient; what follows none, a running mean or clipping, belongs where it stands
        place = [i for i, n in enumerate(code.rule.inputs) if n.startswith("grad")]
        if not place:
            return Block(self._here(), lines=[(f"{name}({', '.join([*given, *rest])})", "")])
        return Block("update", steps=[Step(name, given, place[0], rest)])

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
            copied = RuleCopy(code, given, known, "", {n: n for n in rule.locals}, own, self.helpers, {})
            signature = ", ".join([*rule.inputs, *(["*", "lr"] if "lr" in rule.options else [])])
            self.updates[key] = self.helpers.add(rule.function, signature, [text for text, _ in copied.lines])
        return self.updates[key]

    def _write(self, call: Call) -> Block:
        """Write over an array, which all see that share its memory."""
        array, source = (self.names.text(call.given[key], "A change in place") for key in ("array", "source"))
        kind = "update" if id(call.given["array"]) in self.params else self._here()
        return Block(kind, lines=[(f"{array}[...] = {source}", "")])

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
        if self.rules is not None:
            return Block("forward", lines=[(line, str(value.shape))])
        return Block("forward", name, ["drawn anew in every step"], [(line, str(value.shape))], code=call.code)

    def _engine(self, call: Call) -> Block:
        """Write what the engine computed between two rules."""
        assert not isinstance(call.code, Code)
        (result,) = call.made.values()
        texts = {name: self._operand(value, call) for name, value in call.given.items()}
        if self._is_needless(call, result):
            self.names.give(result, texts["a"])
            self.shared.append(call.given["a"])
            return Block(self._here())
        line = engine_line(call, texts, self.helpers.name)
        target = self._target(call.owner)
        if target is None:
            name = self.names.fresh("_".join(filter(None, [variable(call.scope), call.code.__name__.strip("_")])))
            self.names.give(result, name)
            return Block(self._here(), lines=[(f"{name} = {line}", str(np.shape(result)))])
        why = "_part" if (id(result), id(call.owner)) in self.parts else ""
        name = self.names.fresh(f"grad_{target}{why}")
        self.names.give(result, name)
        lines = [(f"{name} = {line}", str(np.shape(result)))]
        if call.code is np.ones_like:
            return Block("backward", "∂loss / ∂loss", lines=lines)
        if call.code.__name__ == "_add" and self.rules is None:
            return Block("backward", target, lines=lines, said="{} reaches the loss by two ways")
        return Block("backward", lines=lines)

    def _operand(self, value: Any, call: Call) -> str:
        """Name what the engine computes with."""
        named = self.rules.at_edge(value, call.owner) if self.rules is not None else None
        return named or self.names.text(value, "the engine")

    def _is_needless(self, call: Call, result: Any) -> bool:
        """Tell whether a copy of a gradient is as good as the gradient itself: neither is changed later, or only it."""
        if not (self.share and call.code is np.copy and isinstance(call.owner, Tensor)):
            return False
        source, to_come = call.given["a"], self.calls[self.at + 1 :]
        changed = [array for later in to_come for array in _changed(later)]
        if not any(np.may_share_memory(array, value) for array in changed for value in (result, source)):
            return True
        read = [value for later in to_come for value in later.given.values() if isinstance(value, np.ndarray)]
        return not any(np.may_share_memory(array, source) for array in [*read, *self.shared])

    def _base(self, call: Call, code: Code) -> str:
        """Name a run after its module, if it makes the output; others after their output, or their rule.

        An output that is just called x or y says less than the rule does.
        """
        rule, path = code.rule, variable(call.scope)
        returned = rule.returns[0]
        own = public(rule.name) if len(rule.returns) > 1 or returned in ("x", "y") else returned
        if id(call.made[returned]) == self.loss:
            return self.names.fresh("loss")
        last = self.last[call.scope]
        again = last is not None and id(last) in self.named  # the module makes its output once more
        self.named.add(id(call))
        makes_output = again or (last is call and path not in self.names.taken)
        of = next((self.names.of.get(id(value), "") for value in call.given.values()), "")
        own = f"{of}_{own}" if not path and own in self.names.taken and of in self.names.arguments else own
        name = path if path and makes_output else f"{path}_{own}" if path else own
        return self.names.fresh(f"{name}_out" if self.rules is not None and name in self.rules.taken else name)

    def _target(self, edge: Any) -> str | None:
        """Name the value whose gradient an edge carries."""
        if isinstance(edge, Tensor):
            return self.names.of[id(edge.data)]
        if not isinstance(edge, Node):
            return None
        node, place = (edge.edges[0], edge.place) if isinstance(edge, Port) else (edge, 0)
        arriving: str = node.variant.arriving[place]
        return self.runs[node][1][arriving.removeprefix("grad_")]


def rate_name(groups: dict[int, int], call: Call) -> str:
    """Name the learning rate of an update by the group of the parameter, which an update rule takes first."""
    number = groups.get(id(next(iter(call.given.values()))), 0)
    return f"lr_{number + 1}" if number else "lr"


def _code(call: Call) -> Code:
    assert isinstance(call.code, Code)
    return call.code


def _sentence(code: Code) -> str:
    return (code.rule.function.__doc__ or code.rule.name).strip().splitlines()[0]


def _derivation(code: Code) -> list[str]:
    """Tell how a gradient follows: one sentence, or numbered steps."""
    return [line.strip() for line in (code.rule.function.__doc__ or "").strip().splitlines()]


def _outputs(calls: list[Call]) -> dict[str, Call | None]:
    """For each module, find the call that makes its output, if it is one of its own and not one of its children's.

    A module without children that makes all by one rule is called more than once: then it is its first call.
    """
    last: dict[str, Call | None] = {}
    rules: dict[str, set[Any]] = {}
    for call in (call for call in calls if call.kind == "forward"):
        for parent in (path for path in last if call.scope.startswith(f"{path}.")):
            last[parent] = None
            rules[parent].add("children")
        seen = rules.setdefault(call.scope, set())
        seen.add(_code(call).rule)
        if len(seen) > 1 or call.scope not in last:
            last[call.scope] = call
    return last


def _free(claimed: dict[str, str], locals_: dict[str, str], call: Call) -> dict[str, str]:
    """Find the variables of a forward that its backward may use for the same local again: those that nobody reads."""
    code = call.owner.variant
    read = {locals_[name] for name in {*code.rule.returns, *call.given} if name in locals_}
    return {name: text for name, text in claimed.items() if text not in read}


def _reads(block: Block, sum_: Block) -> bool:
    """Tell whether a block computes with the sum that another one makes."""
    return any(use.name == sum_.lines[0][0].partition(" ")[0] for use in uses(block))


def _changed(call: Call) -> list[Any]:
    """List the arrays that a call changes in place; no update rule changes its gradient."""
    if call.kind in ("forward", "backward", "engine", "random"):
        return []
    return [call.given[name] for name in call.made if not str(name).startswith("grad") and name in call.given]

"""Laying blocks out on the page: sections, comments above, shapes behind the lines, and one loop for all updates."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections import Counter
from collections.abc import Iterable
from typing import Any

from .blocks import Block, Step
from .wrapping import wrapped

__all__ = ["Page", "aligned"]

WIDTH = 116  # of what stands in a function, which is indented by four
SHORT = 80  # a longer line does not push the shapes of its neighbours aside
ITEM = re.compile(r"(?=^\d+\. )", re.MULTILINE)


class Page:
    """Writes blocks as lines. What a rule does is told where it comes first; a page remembers what it has told.

    paths   variable -> the path that it stands for, "fc1.weight" or "fc1.weight.exp_avg"
    params  the paths of the parameters; other paths are in the state
    orders  a dict of gradients that a block returns -> what is in it, in order
    loops   whether parameters that are updated alike are updated in a loop
    """

    def __init__(
        self, paths: dict[str, str], params: set[str], orders: dict[str, list[str]], loops: bool = True
    ) -> None:
        self.paths, self.params, self.orders, self.loops = paths, params, orders, loops
        self.told: set[Any] = set()
        self.together = Counter[str]()  # what a block's backward returned, and how many gradients there are in it

    def sections(self, blocks: list[Block]) -> list[str]:
        """Write all blocks in order, with a ruler where the forward ends and the backward begins."""
        lines = []
        self.together = Counter(map(_source, {step.given[step.place] for block in blocks for step in block.steps}))
        for kind, group in itertools.groupby(blocks, key=lambda block: block.kind):
            blocks = list(group)
            body = self._loops(blocks) or self.body(blocks)
            lines += ["", f"# ---- {kind} ".ljust(WIDTH, "-"), *[""] * (body[:1] != [""]), *body]
        return lines

    def body(self, blocks: list[Block]) -> list[str]:
        """Write blocks in order."""
        lines, rows, steps, plain = list[str](), list[tuple[str, str]](), list[Step](), False
        for block in blocks:
            new = block.code not in self.told
            plain, above = not _comments(block, new), plain
            if block.apart or (block.title and not (plain and above)) or (steps and not block.steps):
                lines, rows, steps = [*lines, *aligned(rows), *self._all_updates(steps)], [], []
                lines += ["", *_comments(block, new)] if block.title or block.apart else []
            rows += [line for line in block.lines if new or not line[0].lstrip().startswith("#")]
            self.told |= {block.code} - {None}
            steps += block.steps
        return [*lines, *aligned(rows), *self._all_updates(steps)]

    def _all_updates(self, steps: list[Step]) -> list[str]:
        groups = itertools.groupby(steps, key=lambda step: (step.rule, step.rest, len(step.given)))
        return [line for _, group in groups for line in self._updates(list(group))]

    def _updates(self, steps: list[Step]) -> list[str]:
        """Update all parameters that are updated alike in one loop."""
        if not self._common(steps):
            return ["", *(line for step in steps for line in wrapped(_call(step), WIDTH))]
        return ["", *self._table(steps), *self._update_loop(steps)]

    def _common(self, steps: list[Step]) -> str:
        """Write the call that updates all parameters of a loop; "" if they are updated in more than one way."""
        calls = {(self._pattern(step), len(step.given)) for step in steps}
        twice = len({step.given[0] for step in steps}) < len(steps)
        alike = self.loops and len(steps) > 1 and len(calls) == 1 and not twice
        return (calls.pop()[0] or "") if alike else ""

    def _loops(self, blocks: list[Block]) -> list[str]:
        """Write what is done with every gradient before the update, such as clipping, as loops over the same dict."""
        steps = [step for block in blocks for step in block.steps if self._pattern(step)]
        rows = [row for block in blocks for row in [*(text for text, _ in block.lines), *map(_call, block.steps)]]
        before, grads = rows[: -len(steps)], [step.given[step.place] for step in steps]
        if not before or not self._common(steps) or rows[-len(steps) :] != [*map(_call, steps)]:
            return []
        if self._order(steps) != grads:
            return []  # a loop over the dict would add up in another order
        return ["", *self._table(steps), *_over(grads, before), *self._update_loop(steps)]

    def _update_loop(self, steps: list[Step]) -> list[str]:
        return ["for name, grad in gradients.items():", *wrapped(f"    {self._common(steps)}", WIDTH)]

    def _table(self, steps: list[Step]) -> list[str]:
        """Write a dict of gradients; those that a block returned together are put in together."""
        named = [(self.paths[step.given[0]], step.given[step.place]) for step in steps]
        width = max(len(path) for path, grad in named) + 3
        own = Counter(_source(grad) for path, grad in named if grad.endswith(f'["{path}"]'))
        rows = dict[str, None].fromkeys(["gradients = {"])  # in order, each once
        for path, grad in named:
            key, source = f'"{path}":', _source(grad)
            together = grad.endswith(f'["{path}"]') and own[source] == self.together[source]
            row = f"    **{source}," if together else f"    {key:<{width}} {grad},"
            rows |= dict.fromkeys([row] if len(row) <= WIDTH else [f"    {key}", f"        {grad},"])
        return [*rows, "}"]

    def _order(self, steps: list[Step]) -> list[str]:
        """List the gradients of a dict in its order: those that came together have an order of their own."""
        rows = [row.strip(" ,") for row in self._table(steps)[1:-1] if not row.endswith(":")]
        parts = [self.orders[row[2:]] if row.startswith("**") else [row.split(" ")[-1]] for row in rows]
        return [grad for part in parts for grad in part]

    def _pattern(self, step: Step) -> str | None:
        """Write an update with `name` for the parameter's path; None if it holds more than the parameter's own."""
        path = self.paths.get(step.given[0])
        if path not in self.params:
            return None
        texts = ["params[name]"]
        for i, variable in enumerate(step.given[1:], 1):
            source = self.paths.get(variable, "")
            if i == step.place:
                texts.append("grad")
            elif source.startswith(path + ".") and source not in self.params:
                texts.append(f'state[name + "{source[len(path) :]}"]')
            else:
                return None
        return f"{step.rule}({', '.join([*texts, *step.rest])})"


def _call(step: Step) -> str:
    return f"{step.rule}({', '.join([*step.given, *step.rest])})"


def _over(gradients: list[str], calls: list[str]) -> list[str]:
    """Write calls that differ by the gradient alone as a loop over all of them.

    >>> _over(["grad_w", "grad_b"], ["add(norm, grad_w)", "add(norm, grad_b)", "root(norm)"])
    ['for grad in gradients.values():', '    add(norm, grad)', 'root(norm)']
    """
    lines = list[str]()
    while calls:
        name, _, rest = calls[0].partition("(")
        given = rest.removesuffix(")").split(", ")
        loop = [f"{name}({', '.join([grad if each == gradients[0] else each for each in given])})"
                for grad in gradients]
        if gradients[0] in given and calls[: len(loop)] == loop:
            call = f"    {name}({', '.join(['grad' if each == gradients[0] else each for each in given])})"
            lines += ["for grad in gradients.values():", *wrapped(call, WIDTH)]
            calls = calls[len(loop) :]
        else:
            lines, calls = [*lines, *wrapped(calls[0], WIDTH)], calls[1:]
    return lines


def _source(grad: str) -> str:
    """Name the dict that a gradient is taken from: `block_0_grads` for `block_0_grads["block.0.weight"]`."""
    return grad.partition("[")[0] if "[" in grad else ""


def _comments(block: Block, new: bool) -> list[str]:
    """Write what stands above a block: its title, and its story if that is new."""
    title = block.said.format(block.title)
    if not new or not block.story:
        said = not title or (len(block.lines) == 1 and block.lines[0][0].startswith(f"{title} = "))
        return [] if said else _comment(title)
    if len(block.story) == 1:
        return _comment(": ".join(filter(None, [title, block.story[0]])))
    indent = "    " if title else ""
    items = [indent + " ".join(item.split()) for item in ITEM.split("\n".join(block.story)) if item.strip()]
    return [line for text in [*filter(None, [title]), *items] for line in _comment(text)]


def _comment(text: str) -> list[str]:
    """Write a comment, on several lines if it is long: below its indent, and below the text of a numbered item."""
    indent = " " * (len(text) - len(text.lstrip()))
    hanging = indent + " " * 3 * bool(re.match(r"\d+\. ", text.lstrip()))
    lines = textwrap.wrap(text.strip(), WIDTH - 2, initial_indent=indent, subsequent_indent=hanging)
    return [f"# {line}".rstrip() for line in lines or [""]]


def aligned(lines: Iterable[tuple[str, str]]) -> list[str]:
    """Put the shapes behind the lines, one under the other, and break lines that are too long for the page.

    >>> aligned([("y = x", "(2,)"), ("loss = y.sum()", "()")])
    ['y = x           # (2,)', 'loss = y.sum()  # ()']
    """
    lines = [(_one_line(text), shape) for text, shape in lines]
    width = max((len(text) for text, shape in lines if shape and len(text) <= SHORT), default=0)
    return [piece for text, shape in lines for piece in _with_shape(text, shape, width)]


def _with_shape(text: str, shape: str, width: int) -> list[str]:
    if text.lstrip().startswith("#"):
        indent = text[: len(text) - len(text.lstrip())]
        return [indent + line for line in _comment(text.strip().removeprefix("#").strip())]
    if "\n" in text:
        return text.split("\n")
    if not shape:
        return wrapped(text, WIDTH)
    pieces = wrapped(text, WIDTH - len(shape) - 4)
    return [*pieces[:-1], f"{pieces[-1]:<{width if len(pieces) == 1 else 0}}  # {shape}"]


def _one_line(text: str) -> str:
    """Put what an author broke into several lines onto one, unless there are comments between."""
    if "\n" not in text or "#" in text:
        return text
    indent = text[: len(text) - len(text.lstrip())]
    return indent + re.sub(r"(?<=[(\[{]) | (?=[)\]}])", "", " ".join(text.split()))

"""Laying blocks out on the page: sections, comments above, shapes behind the lines, and one loop for all updates."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterable

from .writer import Block, Step

__all__ = ["aligned", "body"]

RULER = 116


def body(blocks: list[Block], paths: dict[str, str], params: set[str]) -> list[str]:
    """Write all blocks in order, with a ruler where the forward ends and the backward begins.

    paths   variable -> the path that it stands for, "fc1.weight" or "fc1.weight.exp_avg"
    params  the paths of the parameters; other paths are in the state
    """
    lines = []
    for kind, group in itertools.groupby(blocks, key=lambda block: block.kind):
        lines += ["", f"# ---- {kind} ".ljust(RULER, "-")]
        for block in group:
            above = ["", *(line for comment in block.comments for line in _comment(comment))] if block.comments else []
            lines += [*above, *aligned(block.lines)]
            for _, steps in itertools.groupby(block.steps, key=lambda step: (step.rule, step.rest, len(step.given))):
                lines += _updates(list(steps), paths, params)
    return lines


def _comment(text: str) -> list[str]:
    """Write a comment, on several lines if it is long; they are indented as it is."""
    indent = " " * (len(text) - len(text.lstrip()))
    lines = textwrap.wrap(text.strip(), RULER - 2 - len(indent)) or [""]
    return [f"# {indent}{line}".rstrip() for line in lines]


def aligned(lines: Iterable[tuple[str, str]]) -> list[str]:
    """Put the shapes behind the lines, one under the other.

    >>> aligned([("y = x", "(2,)"), ("loss = y.sum()", "()")])
    ['y = x           # (2,)', 'loss = y.sum()  # ()']
    """
    lines = list(lines)
    width = min(max((len(text) for text, shape in lines if shape and "\n" not in text), default=0), 88)
    return [f"{text:<{width}}  # {shape}" if shape and "\n" not in text else text for text, shape in lines]


def _updates(steps: list[Step], paths: dict[str, str], params: set[str]) -> list[str]:
    """Update all parameters that are updated alike in one loop."""
    calls = {_pattern(step, paths, params) for step in steps}
    if len(steps) == 1 or len(calls) > 1 or None in calls:
        return ["", *(f"{step.rule}({', '.join([*step.given, *step.rest])})" for step in steps)]
    named = [(f'"{paths[step.given[0]]}"', step.given[step.place]) for step in steps]
    width = max(len(name) for name, _ in named) + 1
    table = [f"    {name + ':':<{width}} {grad}," for name, grad in named]
    return ["", "gradients = {", *table, "}", "for name, grad in gradients.items():", f"    {calls.pop()}"]


def _pattern(step: Step, paths: dict[str, str], params: set[str]) -> str | None:
    """Write an update with `name` for the parameter's path; None if it holds more than the parameter's own things."""
    path = paths.get(step.given[0])
    if path not in params:
        return None
    texts = ["params[name]"]
    for i, variable in enumerate(step.given[1:], 1):
        source = paths.get(variable, "")
        if i == step.place:
            texts.append("grad")
        elif source.startswith(path + ".") and source not in params:
            texts.append(f'state[name + "{source[len(path) :]}"]')
        else:
            return None
    return f"{step.rule}({', '.join([*texts, *step.rest])})"

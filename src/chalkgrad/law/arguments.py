"""Sorting the arguments of a call: arrays first, then options, under PyTorch's names or NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import nearest
from .rule import Rule

__all__ = ["bind"]

# PyTorch's names for what NumPy, and so a rule, calls otherwise; `input` is the first array of any operation.
ALIASES = {"dim": "axis", "keepdim": "keepdims"}


def bind(
    rule: Rule, inputs: tuple[Any, ...], options: dict[str, Any], plain: Callable[[Any, str], Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Sort arguments as Python would, positional options and PyTorch's names included.

    plain  turns an option into what a rule takes; it is told whose option it is
    """
    defaults = rule.function.__defaults__ or ()
    names = rule.inputs + rule.options
    if len(inputs) > len(names):
        raise TypeError(f"{rule.name} takes {len(names)} arguments ({', '.join(names)}), but {len(inputs)} came.")
    given = dict(zip(names, inputs, strict=False))
    for name, value in options.items():
        name = name if name in names else rule.inputs[0] if name == "input" else ALIASES.get(name, name)
        if name not in names:
            raise TypeError(f"{rule.name} has no argument `{name}`. {nearest(name, names)}")
        if name in given:
            raise TypeError(f"{rule.name} got `{name}` twice, by position and by name.")
        given[name] = value
    optional = dict(zip(rule.inputs[len(rule.inputs) - len(defaults):], defaults, strict=True))
    missing = [n for n in rule.inputs if n not in given and n not in optional]
    if missing:
        raise TypeError(f"{rule.name} is missing `{', '.join(missing)}`; it takes {', '.join(names)}.")
    arrays = [given[name] if name in given else optional[name] for name in rule.inputs]
    return arrays, {name: plain(given[name], f"{rule.name}: `{name}`") for name in rule.options if name in given}

"""Sorting the arguments of a call: arrays first, then options, under PyTorch's names or NumPy's."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .errors import nearest
from .rule import Rule

__all__ = ["bind"]

# PyTorch's names for what NumPy, and so a rule, calls otherwise; `input` and `other` are the first two arrays.
ALIASES = {"dim": "axis", "keepdim": "keepdims"}
PLAIN = frozenset({bool, float, int, str, type(None)})  # kinds of options that rules take as they are


@functools.cache
def _known(rule: Rule) -> tuple[list[str], dict[str, str], dict[str, Any]]:
    """The names of the arguments in order, what each may be called, and the inputs that may be left out."""
    names, defaults = rule.inputs + rule.options, rule.function.__defaults__ or ()
    called = {alias: name for alias, name in ALIASES.items() if name in names}
    called |= dict(zip(("input", "other"), rule.inputs, strict=False)) | {name: name for name in names}
    return names, called, dict(zip(rule.inputs[len(rule.inputs) - len(defaults):], defaults, strict=True))


def bind(
    rule: Rule, inputs: tuple[Any, ...], options: dict[str, Any], plain: Callable[[Any, str], Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Sort arguments as Python would, positional options and PyTorch's names included.

    plain  turns an option into what a rule takes; it is told whose option it is
    """
    names, called, optional = _known(rule)
    if len(inputs) > len(names):
        raise TypeError(f"{rule.name} takes {len(names)} arguments ({', '.join(names)}), but {len(inputs)} came.")
    given = dict(zip(names, inputs, strict=False))
    for alias, value in options.items():
        name = called.get(alias)
        if name is None:
            raise TypeError(f"{rule.name} has no argument `{alias}`. {nearest(alias, names)}")
        if name in given:
            raise TypeError(f"{rule.name} got `{name}` twice, by position and by name.")
        given[name] = value
    missing = [n for n in rule.inputs if n not in given and n not in optional]
    if missing:
        raise TypeError(f"{rule.name} is missing `{', '.join(missing)}`; it takes {', '.join(names)}.")
    arrays = [given.pop(name) if name in given else optional[name] for name in rule.inputs]
    for name, value in given.items():
        if type(value) not in PLAIN:
            given[name] = plain(value, f"{rule.name}: `{name}`")
    return arrays, given

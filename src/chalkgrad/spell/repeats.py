"""Comparing the runs of a step: a program does the same at every step, so a step that does not is refused, in words."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..law.code import Code
from ..law.errors import SpellError
from .render import literal
from .tape import Call

__all__ = ["check_carried", "check_repeats", "own_gradients", "picked_by_masks"]

Array = np.ndarray[Any, Any]


def check_repeats(first: list[Call], second: list[Call], gradients: set[int]) -> None:
    """Refuse a step that did something else, or with other constants, the second time.

    gradients  the ids of the gradients that the first run left
    """
    # the engine's own calls need not be compared: what they come to is, in check.py
    for one, two in itertools.zip_longest(*([c for c in calls if c.kind != "engine"] for calls in (first, second))):
        if one is None or two is None or _what(one) is not _what(two):
            if two is not None and two.kind == "write" and id(two.given["array"]) in gradients:
                raise SpellError("There were no gradients before the first step, and the second one set them to zero, "
                                 "so they are not one program. Use zero_grad(set_to_none=True), which is the default; "
                                 "or take a step before you spell it.")
            once, again = ("nothing" if call is None else _name(call) for call in (one, two))
            raise SpellError(f"The step did something else the second time that it ran ({again} instead of {once}), so "
                             "it cannot be one program. Does a Python number or a flag change from step to step?")
        if one.kind != "backward":  # what a backward reads is what a forward, which was checked, came to
            _check_constants(one, two)


def check_carried(first: list[Call], second: list[Call], lasting: dict[int, str]) -> None:
    """Refuse a step that reads what the step before made, unless that has a name, by which a program can find it.

    lasting  id of an array -> what it is called
    """
    carried = {id(array) for call in first for array in _arrays(call.made.values())} - lasting.keys()
    for call in second:
        for array in _arrays(_read(call)):
            if id(array) in carried:
                raise SpellError(_left_over(call, array, lasting))
        if call.kind == "write":  # what is written over as a whole no longer is what it was
            carried.discard(id(call.given["array"]))


def own_gradients(calls: list[Call], gradients: dict[int, str]) -> list[Call]:
    """Let a gradient from before the step, which is zeroed in it, begin there; refuse one that is read as it was.

    gradients  id of an array -> the path of the parameter whose gradient it was before the step
    """
    left, kept = dict(gradients), list[Call]()
    for call in calls:
        for array in _arrays(_read(call)):
            if id(array) in left:
                raise SpellError(_gradient_left(left[id(array)]))
        over = call.given.get("array") if call.kind == "write" else None
        if id(over) in left:
            del left[id(over)]
            call = call._replace(kind="engine", code=np.copy, given={"a": call.given["source"]}, made={"y": over})
        kept.append(call)
    return kept


def picked_by_masks(calls: list[Call]) -> list[list[tuple[int, ...]]]:
    """List the shapes that follow from the data: of what was picked by an array of booleans."""
    return [[array.shape for array in _arrays(call.made.values())] for call in calls if call.kind == "forward" and any(
            array.dtype == np.bool_ and array.ndim > 0 for array in _arrays([call.given.get("index")]))]


def _read(call: Call) -> list[Any]:
    """List what a call reads; what is written over it does not read."""
    return [value for name, value in call.given.items() if not (call.kind == "write" and name == "array")]


def _left_over(call: Call, array: Array, lasting: dict[int, str]) -> str:
    if call.kind == "engine" and _name(call) == "_add" and hasattr(call.owner, "data"):
        return _gradient_left(lasting.get(id(call.owner.data), f"a tensor of shape {array.shape}"))
    return (f"{_name(call)} reads a Tensor of shape {array.shape} that the step before made, and a program would not "
            "find it. Keep what goes on from step to step in a buffer of the model, and change it in place: "
            "model.state.copy_(new).")


def _gradient_left(path: str) -> str:
    return (f"A gradient of {path} was left from before the step, and the step adds to it, so a program would miss a "
            "part. Let the step zero all gradients, by optimizer.zero_grad(), before its first backward.")


def _what(call: Call) -> Any:
    return call.code.rule if isinstance(call.code, Code) else call.code


def _check_constants(one: Call, two: Call) -> None:
    """What the program would hold as a number must be the same number at every step."""
    for name, before in one.given.items():
        after = two.given.get(name)
        if literal(before) is not None and before != after and literal(before) != literal(after):  # nan is not nan
            raise SpellError(f"{_name(one)}: {name} was {before} in the first step and {after} in the second, and a "
                             f"program would hold one of them. {_advice(one, name, before)}")


def _advice(call: Call, name: str, value: Any) -> str:
    if call.kind == "update" and name == "lr":
        return "Leave the schedule out of the step: a program takes lr as an argument."
    advice = "Hand it in as an argument; if only the first step is special, take a step before you spell it."
    if isinstance(value, int):
        return f"If it counts what a mask lets through, mask.sum() does that with Tensors. {advice}"
    if isinstance(value, tuple):
        return f"If it is a shape that follows from a mask, multiply by the mask instead of picking. {advice}"
    return advice


def _name(call: Call) -> str:
    return str(call.code.rule.name if isinstance(call.code, Code) else call.code.__name__)


def _arrays(values: Any) -> Iterator[Array]:
    """Find the arrays among values, those inside tuples included."""
    for value in values:
        if isinstance(value, tuple):
            yield from _arrays(value)
        elif isinstance(value, np.ndarray):
            yield value

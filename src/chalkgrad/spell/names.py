"""What everything is called in a program: one name for every array, from the model's own paths."""

from __future__ import annotations

import builtins
import keyword
import re
from typing import Any

import numpy as np

from ..law.errors import SpellError
from .render import literal

__all__ = ["Names", "public", "variable"]

# Operations that are called otherwise where one uses them.
PUBLIC = {
    "flipped": "flip", "joined": "cat", "matmul_2d": "matmul", "padded": "pad", "permuted": "permute",
    "power_of_arrays": "power", "repeated": "expand", "reshaped": "reshape",
}


def variable(path: str) -> str:
    """Turn a module path into a variable name.

    >>> variable("encoder.0.attn"), variable("0"), variable("in-proj")
    ('encoder_0_attn', 'layer_0', 'in_proj')
    """
    name = re.sub(r"\W", "_", path)
    return f"layer_{name}" if name[:1].isdigit() else name


def public(name: str) -> str:
    """Call an operation, or its backward, as those do who use it.

    >>> public("reshaped"), public("reshaped_backward"), public("relu")
    ('reshape', 'reshape_backward', 'relu')
    """
    name, found, rest = name.partition("_backward")
    return PUBLIC.get(name, name) + found + rest


class Names:
    """The variables of a program; arrays are told apart by identity. Every variable is claimed through `fresh`.

    paths      variable -> the path of the parameter, or of the entry of the state, that it stands for
    arguments  the variables that the step is handed by its caller
    """

    def __init__(self, reserved: set[str]) -> None:
        self.of: dict[int, str] = {}
        self.taken = set(reserved)
        self.paths: dict[str, str] = {}
        self.arguments = set[str]()

    def claim(self, arrays: dict[str, Any]) -> None:
        """Name what the program is handed, by its paths."""
        for path, array in arrays.items():
            name = self.of[id(array)] = self.fresh(variable(path))
            self.paths[name] = path

    def keep(self, arrays: dict[str, Any]) -> None:
        """Let the step's arguments have the names that its author gave them."""
        self.of |= {id(array): name for name, array in arrays.items()}
        self.arguments |= arrays.keys()
        self.taken |= arrays.keys()

    def fresh(self, name: str) -> str:
        """Return `name`, numbered if it is taken, and with an underscore if Python means something else by it."""
        name += "_" if hasattr(builtins, name) else ""
        choice, number = name, 2
        while choice in self.taken or keyword.iskeyword(choice):
            choice, number = f"{name}_{number}", number + 1
        self.taken.add(choice)
        return choice

    def give(self, value: Any, name: str) -> None:
        """Call an array `name` from now on; numbers and shapes need no name."""
        if isinstance(value, np.ndarray | np.generic):
            self.of[id(value)] = name

    def text(self, value: Any, where: str) -> str:
        """Return the variable that holds an array, or the literal for anything else."""
        if id(value) in self.of:
            return self.of[id(value)]
        text = literal(value)
        if text is None and isinstance(value, tuple):
            return f"({', '.join(self.text(item, where) for item in value)}{',' if len(value) == 1 else ''})"
        if text is None:
            kind = f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
            raise SpellError(
                f"{where} reads {kind} that is neither an argument of the step, nor a parameter or buffer of the "
                "model, nor computed from those. Hand it in as an argument, or register it as a buffer."
            )
        return text

"""What NumPy complains of, in plain words: its own speak of ufuncs, loops and remapped shapes."""

from __future__ import annotations

import re

from .errors import ShapeError

__all__ = ["in_words", "retold"]

FIT = "these shapes do not go together: counted from the last axis, sizes are equal, or one of them is 1"
SAID = [  # a pattern of its words, and ours
    (r"operands could not be broadcast.* ((?:\([\d,]*\) )+) and requested shape (.*)", r"\1 cannot be repeated to \2"),
    (r"input operand has more dimensions than .*", "an array with more axes cannot be repeated to one with fewer"),
    (r"operands could not be broadcast together with shapes((?: \([\d,]*\))+)", rf"{FIT}:\1"),
    (r"shape mismatch: objects cannot.* with shape (\([\d,]*\)) and arg \d+ with shape (\([\d,]*\))", rf"{FIT}: \1 \2"),
    (r"could not broadcast input array from shape (.*) into shape (.*)", r"what has shape \1 does not fit where \2 is"),
    (r"cannot reshape array of size (\d+) into shape (.*)", r"\1 numbers do not fill the shape \2"),
    (r"'(\w+)' object cannot be interpreted as an integer", r"a whole number was expected, but a \1 came"),
    (r"tuple indices must be integers or slices, not (\w+)", r"a whole number was expected, but a \1 came"),
    (r"an integer is required.*", "a whole number was expected, but a truth value came"),
    (r"(?:The )?numpy boolean (?:subtract|negative),.*", "booleans cannot be subtracted; x.float() makes numbers"),
    (r"ufunc '(\w+)' (?:did not contain a loop|not supported).*", r"what came is of a kind that \1 does not take"),
    (r"unsupported operand type\(s\) for \S+ '(\w+)' and '(\w+)'", r"numbers were expected, but \1 and \2 came"),
    (r"'\S+' not supported between instances of '(\w+)' and '(\w+)'", r"numbers were expected, but \1 and \2 came"),
    (r"Cannot cast .*from dtype\('(\w+)'\) to dtype\('(\w+)'\).*", r"\1 does not fit in \2"),
    (r"zero-size array to reduction operation (\w+) which has no identity", r"nothing was left to take the \1 of"),
]


def in_words(error: Exception) -> str:
    """Say what an error says, in plain words where it is known.

    >>> in_words(ValueError("operands could not be broadcast together with shapes (2,) (3,4) "))
    'these shapes do not go together: counted from the last axis, sizes are equal, or one of them is 1: (2,) (3,4)'
    >>> in_words(ValueError("no such mode"))
    'no such mode'
    """
    text = str(error)
    for pattern, words in SAID:
        if found := re.match(pattern, text, re.DOTALL):
            return found.expand(words)
    return text


def retold(name: str, error: TypeError | ValueError) -> Exception | None:
    """Make an error of NumPy's one of ours, with the name of the function; None if its words are plain as they are."""
    words = in_words(error)
    kind = ShapeError if isinstance(error, ValueError) else TypeError
    return None if words == str(error) else kind(f"{name}: {words}.")

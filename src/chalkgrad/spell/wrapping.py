"""Breaking lines of code that are too long for the page, at their brackets, commas and operators."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["wrapped"]

ASSIGNMENT = re.compile(r"^[^\s(\[{\"'].*? (=|\+=|-=|\*=|/=|@=) ")
TIGHT, LOOSE = (" @ ", " * ", " / "), (" + ", " - ")


def wrapped(line: str, limit: int) -> list[str]:
    r"""Break a statement of one line into several that are not longer than `limit`, where that can be done.

    >>> print(*wrapped("y = (x.reshape(-1, 8) @ weight.T).reshape(*x.shape[:-1], 12)", 48), sep="\n")
    y = (x.reshape(-1, 8) @ weight.T).reshape(
        *x.shape[:-1], 12
    )
    >>> print(*wrapped("grad = scale * (grad_y - along_ones) - shift", 34), sep="\n")
    grad = (
        scale * (grad_y - along_ones)
        - shift
    )
    """
    if len(line) <= limit:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    code = line.strip()
    if code.startswith("return ") and len(_split(code, (", ",))) > 1:
        return [f"{indent}return (", *_filled(code.removeprefix("return "), indent + "    ", limit), f"{indent})"]
    target, value = _assigned(code)
    terms = _terms(value) if target else [value]
    fits = target != "" and len(indent + target) + 2 <= limit
    if not fits or len(terms) == 1:
        found = _at_brackets(code, indent, limit) or _at_names(target, value, indent, limit)
        if found or not fits:
            return found or [line]
    return [f"{indent}{target} (", *_lines(terms, indent + "    ", limit), f"{indent})"]


def _assigned(code: str) -> tuple[str, str]:
    """Cut `a, b = c` into `a, b =` and `c`; what is no assignment is all value."""
    found = ASSIGNMENT.match(code)
    depths = {i: depth for i, _, depth in _characters(code)}
    if not found or depths.get(found.start(1), 1) != 0:
        return "", code
    return code[: found.end(1)], code[found.end() :]


def _terms(value: str) -> list[str]:
    """Cut an expression into summands, or into factors if there is but one: the operator leads the line."""
    summands = _split(value, LOOSE)
    return summands if len(summands) > 1 else _split(value, TIGHT)


def _at_brackets(code: str, indent: str, limit: int) -> list[str]:
    """Break within the last pair of brackets that leaves something short enough before and behind it."""
    for start, end in reversed([*_pairs(code)]):
        head, body, tail = code[: start + 1], code[start + 1 : end], code[end:]
        if body and len(indent + head) <= limit and len(indent + tail) <= limit:
            return [indent + head, *_filled(body, indent + "    ", limit), indent + tail]
    return []


def _at_names(target: str, value: str, indent: str, limit: int) -> list[str]:
    """Break the names on the left of an assignment."""
    names, _, operator = target.rpartition(" ")
    if len(_split(names, (", ",))) == 1:
        return []
    rest = wrapped(f"{indent}_ {operator} {value}", limit)  # the _ keeps the place of the bracket
    return [f"{indent}(", *_filled(names, indent + "    ", limit), indent + ")" + rest[0][len(indent) + 1 :], *rest[1:]]


def _filled(body: str, indent: str, limit: int) -> list[str]:
    """Break what stands between brackets at its commas."""
    if len(indent + body) <= limit:
        return [indent + body]
    items = _split(body, (", ",))
    items = items if len(items) > 1 else _terms(body)
    return _lines(items, indent, limit) if len(items) > 1 else wrapped(indent + body, limit)


def _lines(items: list[str], indent: str, limit: int) -> list[str]:
    """Put items in rows; a summand has a row of its own."""
    rows = [indent + items[0]]
    for item in items[1:]:
        if len(rows[-1]) + 1 + len(item) <= limit and not item.startswith(("+ ", "- ")):
            rows[-1] += f" {item}"
        else:
            rows.append(indent + item)
    return [line for row in rows for line in wrapped(row, limit)]


def _split(code: str, marks: tuple[str, ...]) -> list[str]:
    """Cut before operators, or behind commas, that stand outside of all brackets and quotes."""
    cuts = [i + (2 if mark == ", " else 1) for i, _, depth in _characters(code) if depth == 0
            for mark in marks if code.startswith(mark, i) and i > 0]
    return [code[a:b].strip() for a, b in zip([0, *cuts], [*cuts, len(code)], strict=True)]


def _pairs(code: str) -> Iterator[tuple[int, int]]:
    """Find the outermost pairs of brackets."""
    start = 0
    for i, character, depth in _characters(code):
        if character in "([{" and depth == 1:
            start = i
        elif character in ")]}" and depth == 0:
            yield start, i


def _characters(code: str) -> Iterator[tuple[int, str, int]]:
    """Walk over what stands outside of quotes: the place, the character, and how many brackets are open behind it."""
    depth, quote = 0, ""
    for i, character in enumerate(code):
        if quote:
            quote = "" if character == quote else quote
            continue
        if character in "\"'":
            quote = character
            continue
        depth += (character in "([{") - (character in ")]}")
        yield i, character, depth

"""What the tests go through: rows of modules and of bad calls, one family a file, put together here."""

from __future__ import annotations

import importlib
import pkgutil

from .rows import Bad, Row

__all__ = ["BAD", "BRIEF", "ROWS"]

FAMILIES = [importlib.import_module(f".{each.name}", __name__) for each in pkgutil.iter_modules(__path__)]
ROWS: list[Row] = [row for family in FAMILIES for row in getattr(family, "ROWS", [])]
BAD: list[Bad] = [bad for family in FAMILIES for bad in getattr(family, "BAD", [])]

# What takes longer goes over a few rows of each class: those with the most options, and the first.
FEW = 2


def _brief() -> list[Row]:
    """Choose them, in the order of the table."""
    chosen: list[Row] = []
    for name in {row.name: None for row in ROWS}:
        first, *others = [row for row in ROWS if row.name == name]
        chosen += [first, *sorted(others, key=lambda row: -len(row.options) - len(row.inputs))[: FEW - 1]]
    return chosen


BRIEF = _brief()

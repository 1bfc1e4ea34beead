"""The proof of a program: run from the same start, it comes to the numbers that the step came to, to the last bit."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from ..law.errors import SpellError
from .program import Program
from .trace import Run, Trace

__all__ = ["check"]


def check(program: Program, trace: Trace) -> None:
    """Run the program as often as the step ran. Raises SpellError with the first value that differs."""
    params, state = program.start()
    options = {"rng": copy.deepcopy(trace.generator)} if program.draws else {}
    for run in trace.runs:
        batch = [array.copy() for array in run.batch]
        try:
            with np.errstate(all="ignore"):  # what there is to warn of, the step has warned of
                returned = program.run(params, state, *batch, **options)
        except Exception as error:
            raise SpellError(f"The spelled program does not run: {type(error).__name__}: {error}. Does a size follow "
                             "from the data, such as len(x[mask])? A program would freeze it.") from error
        results = returned if isinstance(returned, tuple) else (returned,)
        _compare(run, {**params, **state}, results)


def _compare(run: Run, values: dict[str, Any], results: tuple[Any, ...]) -> None:
    for name, array in values.items():
        if name in run.values and not _same(run.values[name], array):
            raise SpellError(f"The spelled program leaves other numbers in `{name}` than the step does. Something "
                             "changed it that the tape does not see, such as NumPy, through .data.")
    for mine, array in zip(run.results, results, strict=True):
        if not _same(mine, array):
            raise SpellError(f"The spelled program returns {array!r:.40}, the step {mine!r:.40}. Something that the "
                             "step computes with is not seen by the tape, such as a Python number that changes.")


def _same(one: Any, other: Any) -> bool:
    return one.shape == np.shape(other) and bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))

"""The passes that replace a line: `common` by a name that has the value already, `cheap` by a product."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chalkgrad.compiler.facts import observe, samples
from chalkgrad.compiler.lines import Function, Line, lines_of
from chalkgrad.compiler.passes.cheap import FEWEST, cheap
from chalkgrad.compiler.passes.common import common


def function_of(text: str, gives: list[str], rows: int = 64) -> Function:
    rng = np.random.default_rng(0)
    given = {"a": rng.standard_normal((rows, 8), np.float32), "b": rng.standard_normal((rows, 8), np.float32)}
    return Function("f", [*given], lines_of(text.replace("; ", "\n")), gives, given)


def run(function: Function, known: dict[str, Any]) -> list[Any]:
    values = {**known, **samples(function.given)}
    for line in function.lines:
        exec(line.code, values)
    return [np.array(values[name]) for name in function.gives]


COMMON = {
    "a view": ("u = a.T; v = a.T; y = u @ b + v @ b", 2),
    "a chain": ("u = a * 2; v = a * 2; p = u + 1; q = v + 1; y = p * q", 3),
    "other operands": ("u = a * 2; v = b * 2; y = u + v", 3),
    "what is changed later": ("u = a * 2; v = a * 2; u += 1; y = u + v", 4),
    "what is read is changed": ("c = a + 0; u = c * 2; c += 1; v = c * 2; y = u + v", 5),
    "drawn numbers": ("u = rng.random(3); v = rng.random(3); y = u + v", 3),
    "what is returned": ("u = a * 2; y = a * 2; y_2 = u + 0", 3),
    "bound twice": ("u = a * 2; v = a * 2; v = v + 1; y = u + v", 4),
}


@pytest.mark.parametrize("name", COMMON)
def test_common_computes_once_what_is_the_same(name: str) -> None:
    text, left = COMMON[name]
    gives = ["y", "y_2"] if "y_2" in text else ["y"]
    function = function_of(text, gives)
    known = {"np": np, "rng": np.random.default_rng(1)}
    before = run(function, {**known, "rng": np.random.default_rng(2)})
    common(function, observe(function, known))
    after = run(function, {**known, "rng": np.random.default_rng(2)})
    assert len(function.lines) == left
    assert all(np.array_equal(one, other) for one, other in zip(before, after))


CHEAP = {
    "rows": ("y = a.sum(axis=0)", 64, True),
    "few rows": ("y = a.sum(axis=0)", FEWEST - 1, False),
    "columns": ("y = a.sum(axis=1)", 64, False),
    "another order in memory": ("c = a.T; y = c.sum(axis=0)", 64, False),
    "axes kept": ("y = a.sum(axis=0, keepdims=True)", 64, False),
    "counts": ("c = a > 0; y = c.sum(axis=0)", 64, False),
}


@pytest.mark.parametrize("name", CHEAP)
def test_cheap_sums_rows_by_a_product(name: str) -> None:
    text, rows, acts = CHEAP[name]
    function, known, setup = function_of(text, ["y"], rows), {"np": np}, list[Line]()
    (before,) = run(function, known)
    cheap(function, observe(function, known), known, setup)
    (after,) = run(function, known)
    assert bool(setup) == acts == (" @ " in function.lines[-1].text)
    assert before.dtype == after.dtype
    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-5)

"""What compiling takes: nothing is looked for, run or copied again for every parameter, pass or line."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn, optim
from chalkgrad.compiler.facts import Observer
from chalkgrad.compiler.lines import Function, Line, lines_of
from chalkgrad.compiler.reach import Reach
from chalkgrad.compiler.rewrite import name, replaced

from .twins import batch, learning


def searches(layers: int, kind: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """Count how often all parameters are listed while a step is compiled, and called a second time."""
    count = 0
    listed: Callable[..., Any] = Reach.named_parameters

    def counted(self: Reach) -> Any:
        nonlocal count
        count += 1
        return listed(self)

    model = nn.Sequential(nn.Linear(6, 3), *(nn.Linear(3, 3) for _ in range(layers)))
    optimizer = kind(model.parameters(), lr=0.01)
    step = cg.compile(learning(model, optimizer))
    with monkeypatch.context() as patch:
        patch.setattr(Reach, "named_parameters", counted)
        for i in range(2):
            step(*batch(i))
    return count


@pytest.mark.parametrize("kind", [optim.Adam, optim.LAMB])  # in rows, and one by one
def test_parameters_are_listed_as_often_for_few_as_for_many(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert searches(1, kind, monkeypatch) == searches(6, kind, monkeypatch)


def test_lines_that_no_pass_has_changed_are_not_run_again() -> None:
    function = Function("step", ["x"], lines_of("y = x * 2\nz = y + 1"), ["z"], {"x": np.ones(3)})
    look = Observer(function, {"np": np})
    first = look()
    assert look() is first
    function.lines = [*function.lines[:1], Line("z = y + 2")]
    assert look() is not first and look().values["z"].tolist() == [4, 4, 4]


@pytest.mark.parametrize("text, new", [
    ("y = a + b", "y = c + b"),
    ("y = b + 1", "y = b + 1"),
    ("y = f(b)[[a, 2][0]:a]", "y = f(b)[[c, 2][0]:c]"),
    ("y = [a * k for a in a]", "y = [a * k for a in c]"),
    ("y = [a * k for k in range(3) if k > a]", "y = [c * k for k in range(3) if k > c]"),
    ("for i in range(a):\n    y[i] = a", "for i in range(c):\n    y[i] = c"),
])  # fmt: skip
def test_a_line_stays_what_it_is_when_parts_are_replaced_in_its_text(text: str, new: str) -> None:
    line = Line(text)
    before = ast.dump(line.node)
    assert replaced(line, lambda node: name("c") if isinstance(node, ast.Name) and node.id == "a" else None) == new
    assert ast.dump(line.node) == before

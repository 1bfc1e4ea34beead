"""The text of spelled steps: read as a difference, within the page, under names that a reader would choose."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import pytest

import chalkgrad as cg
from chalkgrad import nn

from .test_spell import CASES, CE, DETAILS, classes, make, rows, spelled

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.py")), ids=lambda file: file.stem)
def test_the_text_is_the_golden_one(file: Path) -> None:
    """A change here is a change in what users read. GOLDEN=write scripts/test tests/test_spell_text.py accepts it."""
    name, _, rules = file.stem.partition("_by_")
    text = str(spelled(name, rules or "statements")[0])
    if os.environ.get("GOLDEN") == "write":
        file.write_text(text)
    assert file.read_text() == text


@DETAILS
@pytest.mark.parametrize("name", CASES)
def test_a_program_stays_within_the_page(name: str, detail: str) -> None:
    lines = str(spelled(name, detail)[0]).splitlines()
    assert [line for line in lines if len(line) > 120] == []


@DETAILS
@pytest.mark.parametrize("name", CASES)
def test_a_name_is_what_a_reader_would_call_it(name: str, detail: str) -> None:
    """Neither the engine's own names, nor numbers that only tell two variables apart."""
    text = str(spelled(name, detail)[0])
    for internal in ("matmul_2d", "reshaped", "permuted"):
        assert internal not in text
    assert re.findall(r"\w*(?:_t|_spot|_weight|_bias)_2\b", text) == []


@DETAILS
@pytest.mark.parametrize("name", CASES)
def test_nothing_is_computed_that_nobody_reads(name: str, detail: str) -> None:
    """A first layer's backward has no gradient of its input; what a rule returns and nobody wants is called _."""
    step = ast.parse(str(spelled(name, detail)[0])).body[-1]
    names = [node for node in ast.walk(step) if isinstance(node, ast.Name)]
    read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    assert {node.id for node in names if isinstance(node.ctx, ast.Store)} - read <= {"_"}


class Deep(nn.Module):
    """Modules within modules, whose paths are as long as a line."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.inner_module_of_the_model = Deep(depth - 1) if depth else nn.Linear(6, 3)

    def forward(self, x: cg.Tensor) -> cg.Tensor:
        return self.inner_module_of_the_model(x)


@DETAILS
def test_long_paths_stay_within_the_page(detail: str) -> None:
    model = nn.Sequential(nn.Linear(6, 6), Deep(2))
    step, _, optimizer = make(CASES["mlp_adam"]._replace(model=lambda: model))
    program = cg.spell(step, rows(), classes(), model=model, optimizer=optimizer, detail=detail)
    assert [line for line in str(program).splitlines() if len(line) > 120] == []


@DETAILS
@pytest.mark.parametrize("name", ["axis", "a", "n", "d", "i"])
def test_no_comprehension_hides_a_variable(name: str, detail: str) -> None:
    model = nn.Linear(6, 3)
    setattr(model, name, nn.Parameter(cg.ones(6, 6)))
    step, _, optimizer = make(CASES["mlp_adam"]._replace(
        model=lambda: model, loss=lambda y, target: CE(y * getattr(model, name).T.mean(), target)))
    cg.spell(step, rows(), classes(), model=model, optimizer=optimizer, detail=detail)

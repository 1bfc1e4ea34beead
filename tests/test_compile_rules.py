"""Every rule and every module, compiled, within an eager graph: all numbers are the same to the last bit."""

import copy
from typing import Any

import pytest

import chalkgrad as cg
from chalkgrad import Tensor

from .around import Around, arrays, each_module, total
from .compiled_models import assert_same, state, undivided
from .oracles import Case, example_cases, weights
from .tables.rows import Row


@pytest.fixture(autouse=True)
def one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    undivided(monkeypatch)


def is_fit(case: Case) -> bool:
    """Tell whether there is anything to derive, and to compute: without elements a function runs as it is."""
    return bool(case.wanted) and all(leaf.data.size for leaf in case.leaves())


@pytest.mark.parametrize("case", [each for each in example_cases() if is_fit(each.values[0])])
def test_every_rule(case: Case) -> None:
    def function(*leaves: Tensor) -> Any:
        return case.outputs(case.primitive, case.put(leaves))

    fast = cg.compile(function)
    for _ in range(2):
        ends = []
        for call in (fast, function):
            leaves = case.leaves()
            outputs = call(*leaves)
            grads = cg.autograd.grad(outputs, leaves, [weights(y.data) for y in outputs], allow_unused=True)
            ends.append({str(i): None if x is None else x.data for i, x in enumerate([*outputs, *grads])})
        assert_same(*ends)
    assert "def backward(" in fast.source or all(output.data.base is not None for output in outputs)


@each_module
def test_every_module(row: Row) -> None:
    model = Around(row)
    twin = copy.deepcopy(model)
    fast = cg.compile(model)
    for number in range(3):
        slopes = []
        for net in (fast, twin):
            given = [Tensor(array, requires_grad=array.dtype.kind == "f") for array in arrays(row, number)]
            cg.manual_seed(number)
            total(net(*given)).backward()
            slopes.append({str(i): None if x.grad is None else x.grad.data for i, x in enumerate(given)})
        assert_same(*slopes)
        assert_same(state(model), state(twin))
    assert "def backward(" in fast.source

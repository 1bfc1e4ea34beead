"""`chalkgrad.scalar.Value` and `chalkgrad.Tensor` in float64 give the same numbers on random expressions."""

from typing import Any

import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

import chalkgrad as cg
from chalkgrad.scalar import Value

# Operations that both have. Those with a limited domain get arguments inside it, and none lets numbers grow fast, so
# that two right answers differ by rounding alone.
UNARY = {
    "-a": lambda a: -a,
    "a + 2": lambda a: a + 2,
    "2 + a": lambda a: 2 + a,
    "a - 2": lambda a: a - 2,
    "2 - a": lambda a: 2 - a,
    "a * 0.5": lambda a: a * 0.5,
    "0.5 * a": lambda a: 0.5 * a,
    "a / 3": lambda a: a / 3,
    "3 / (a² + 1)": lambda a: 3 / (a * a + 1),
    "a ** 2": lambda a: a**2,
    "a ** 3": lambda a: a**3,
    "(a² + 1) ** -0.5": lambda a: (a**2 + 1) ** -0.5,
    "(a² + 1) ** 0.5": lambda a: (a**2 + 1) ** 0.5,
    "exp": lambda a: a.tanh().exp(),
    "log": lambda a: (a * a + 0.5).log(),
    "tanh": lambda a: a.tanh(),
    "relu": lambda a: a.relu(),
    "sigmoid": lambda a: a.sigmoid(),
}
BINARY = {
    "a + b": lambda a, b: a + b,
    "a - b": lambda a, b: a - b,
    "a * b": lambda a, b: a * b,
    "a / (b² + 1)": lambda a, b: a / (b * b + 1),
}

# A program is a list of (operation, i, j): it acts on the i-th and j-th last results, so results are shared freely.
STEP = st.tuples(st.sampled_from([*UNARY, *BINARY]), st.integers(0, 7), st.integers(0, 7))
NUMBER = st.floats(-2, 2, allow_subnormal=False)


def run(program: list[tuple[str, int, int]], leaves: list[Any]) -> list[Any]:
    """Every result in order, the leaves first and the sum of the last result and the leaves last."""
    results = list(leaves)
    for name, i, j in program:
        a, b = results[-1 - i % len(results)], results[-1 - j % len(results)]
        results.append(UNARY[name](a) if name in UNARY else BINARY[name](a, b))
    return [*results, sum(leaves, results[-1])]


def is_well_conditioned(program: list[tuple[str, int, int]], results: list[Value], leaves: int) -> bool:
    """Numbers stay moderate, and no relu is so near its kink that rounding decides on which side it is."""
    relu_inputs = [results[i].inputs[0][0] for i, (name, _, _) in enumerate(program, start=leaves) if name == "relu"]
    return all(abs(v.data) < 100 for v in results) and all(v.data == 0 or abs(v.data) > 1e-6 for v in relu_inputs)


@settings(max_examples=300)
@given(program=st.lists(STEP, min_size=1, max_size=12), numbers=st.lists(NUMBER, min_size=1, max_size=3))
def test_value_agrees_with_tensor(program: list[tuple[str, int, int]], numbers: list[float]) -> None:
    values = [Value(x) for x in numbers]
    try:
        results = run(program, values)
    except OverflowError:  # a power of a power of a power
        reject()
    assume(is_well_conditioned(program, results, len(values)))
    results[-1].backward()

    tensors = [cg.tensor(x, dtype=cg.float64, requires_grad=True) for x in numbers]
    result = run(program, tensors)[-1]
    result.backward()

    assert result.item() == pytest.approx(results[-1].data, rel=1e-10, abs=1e-10)
    grads = [t.grad.item() for t in tensors]
    assert grads == pytest.approx([v.grad for v in values], rel=1e-10, abs=1e-10)

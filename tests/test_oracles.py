"""Every rule against what must agree with it: differences, the long way, its own slices, float32, its shape line."""

from itertools import chain, combinations
from typing import Any

import numpy as np
import pytest

from chalkgrad import Tensor
from chalkgrad.engine.backward import backward, grad
from chalkgrad.engine.primitive import Primitive
from chalkgrad.law.shapes import match, parse

from .oracles import KINKS, OURS, Case, assert_close, example_cases, examples, run, slope, total, weights

SERIES = "its series is NumPy's own work, by steps that have no derivative; everything else is made of it"
ATOMS = dict.fromkeys(["erf", "erfc", "erfcx"], SERIES)
WIDER = {"astype": "it is asked for float64"}
LOOSE = {"nll_of_each-3": "the axis n is missing, as its docstring says"}


# ------------------------------------------------------------------------------------------- is anything missing?


@pytest.mark.parametrize("primitive", OURS, ids=lambda p: p.name)
def test_nothing_is_missing(primitive: Primitive) -> None:
    back = primitive.backward_rule
    assert back is not None, f"{primitive.name} has no backward"
    assert primitive.make_examples is not None, f"{primitive.name} has no examples"
    line = parse(primitive.__doc__)
    assert line is not None, f"{primitive.name} has no shape line"
    assert [list(side) for side in line] == [primitive.rule.inputs, primitive.rule.returns]
    names = primitive.rule.inputs
    shown = {names[i] for case in examples(primitive) for i in case.wanted}
    assert {f"grad_{name}" for name in shown} == set(back.returns), "a gradient that no example asks for"


def test_the_table_of_kinks_names_examples_that_exist() -> None:
    known = {(primitive.name, i) for primitive in OURS for i, _ in enumerate(examples(primitive))}
    assert set(KINKS) <= known
    assert {*ATOMS, *WIDER} <= {name for name, _ in known}


# ------------------------------------------------------------------------------------------------ first derivatives


@pytest.mark.parametrize("case", example_cases(smooth=True))
def test_gradients_agree_with_differences(case: Case) -> None:
    leaves = case.leaves()
    ys = case.outputs(case.primitive, case.put(leaves))
    gs = [weights(y.data) for y in ys]
    backward(ys, gs)
    rng = np.random.default_rng(2)
    for _ in range(2):
        directions = [rng.standard_normal(leaf.shape) for leaf in leaves]

        def loss(h: float, directions: Any = directions) -> float:
            moved = [leaf.data + h * d for leaf, d in zip(leaves, directions, strict=True)]
            return total(zip(gs, case.outputs(case.primitive.function, case.put(moved)), strict=True))

        exact = total((leaf.grad.data, d) for leaf, d in zip(leaves, directions, strict=True))
        assert_close(exact, slope(loss), 1e-8)


@pytest.mark.parametrize("case", example_cases(smooth=True, without=ATOMS))
def test_the_short_way_agrees_with_the_long_way(case: Case) -> None:
    short, long = case.leaves(), case.leaves()
    ys = case.outputs(case.primitive, case.put(short))
    zs = case.outputs(case.primitive.function, case.put(long))
    gs = [weights(y.data) for y in ys]
    backward(ys, gs)
    backward(zs, gs)
    for y, z in zip(ys, zs, strict=True):
        assert_close(y.data, z.data, 1e-12)
    for one, other in zip(short, long, strict=True):
        assert_close(one.grad.data, other.grad.data, 1e-12)


@pytest.mark.parametrize("case", example_cases())
def test_slices_agree_with_the_whole_to_the_last_bit(case: Case) -> None:
    whole, names = run(case).gradients, case.primitive.rule.inputs
    subsets = chain.from_iterable(combinations(case.wanted, n) for n in range(1, len(case.wanted)))
    for subset in subsets:
        part = run(case, subset).gradients
        assert list(part) == [names[i] for i in subset]
        assert all(bits(part[name]) == bits(whole[name]) for name in part), f"wanted {list(part)}"


# ------------------------------------------------------------------------------------------- dtypes, shapes, memory


def bits(value: Any) -> Any:
    """Everything about an array, to the last bit."""
    return (value.shape, value.dtype, value.tobytes()) if isinstance(value, np.ndarray | np.generic) else value


def arrays(*values: Any) -> list[Any]:
    """The arrays among values, tuples taken apart."""
    inner = chain.from_iterable(arrays(*v) if isinstance(v, tuple | list) else [v] for v in values)
    return [value for value in inner if isinstance(value, np.ndarray)]


@pytest.mark.parametrize("case", example_cases(without=WIDER))
def test_float32_stays_float32(case: Case) -> None:
    made = run(case.cast(np.float32))
    for name, value in [*zip(case.primitive.rule.returns, made.outputs, strict=True), *made.gradients.items()]:
        dtype = np.asarray(value).dtype
        assert dtype.kind != "f" or dtype == np.float32, f"{name} is {dtype}"
    assert {np.asarray(g).dtype for g in made.gradients.values()} <= {np.dtype(np.float32)}
    assert not [value.dtype for value in arrays(made.saved) if value.dtype == np.float64], "it remembers float64"


@pytest.mark.parametrize("case", example_cases())
def test_nothing_that_comes_in_is_changed(case: Case) -> None:
    given = arrays(case.inputs, tuple(case.options.values()))
    before = [bits(value) for value in given]
    made = run(case)
    assert [bits(value) for value in given] == before
    assert [bits(value) for value in made.arriving] == [bits(weights(value)) for value in made.arriving]
    again = made.variant.pull(*made.arriving, *made.saved)
    assert [bits(g) for g in made.gradients.values()] == [bits(g) for g in again], "what was remembered has changed"


@pytest.mark.parametrize("case", example_cases())
def test_outputs_and_gradients_have_memory_of_their_own(case: Case) -> None:
    made = run(case)
    assert not [y for y in made.outputs if any(y is x for x in case.inputs)], "an output is an input itself"
    held = arrays(case.inputs, made.saved)
    for name, gradient in made.gradients.items():
        assert not any(np.may_share_memory(gradient, value) for value in held), f"grad_{name} is what was remembered"


@pytest.mark.parametrize("case", [case for case in example_cases() if case.id not in LOOSE])
def test_the_shape_line_is_true(case: Case) -> None:
    line = parse(case.primitive.__doc__)
    assert line is not None
    rule = case.primitive.rule
    values = dict(zip(rule.inputs + rule.returns, (*case.inputs, *run(case).outputs), strict=True))
    sizes: dict[str, int] = {}
    for name, axes in {**line[0], **line[1]}.items():
        if values[name] is None or axes == ["*"]:
            continue
        pairs = match(axes, np.shape(values[name]))
        assert pairs is not None, f"{name} {np.shape(values[name])} is not ({', '.join(axes)})"
        for axis, size in pairs:
            assert sizes.setdefault(axis, size) == size, f"{axis} of {name}"


# ----------------------------------------------------------------------------------------------- second derivatives


@pytest.mark.parametrize("case", example_cases(smooth=True))
def test_second_derivatives_agree_with_differences(case: Case) -> None:
    xs = case.leaves()
    gs = [Tensor(weights(y.data), requires_grad=True) for y in case.outputs(case.primitive, case.put(xs))]
    leaves = [*xs, *gs]
    rows = [weights(x.data, 3) for x in xs]

    def first(leaves: list[Tensor], create_graph: bool) -> tuple[Any, ...]:
        xs, gs = leaves[: len(rows)], leaves[len(rows):]
        return grad(case.outputs(case.primitive, case.put(xs)), xs, gs, create_graph=create_graph)

    recorded, plain = first(leaves, True), first(leaves, False)
    for one, other in zip(recorded, plain, strict=True):
        assert_close(one.data, other.data, 1e-12)
    mixed = sum((g * row).sum() for g, row in zip(recorded, rows, strict=True))
    seconds = grad(mixed, leaves, allow_unused=True) if mixed.requires_grad else [None] * len(leaves)
    rng = np.random.default_rng(2)
    directions = [rng.standard_normal(leaf.shape) for leaf in leaves]

    def loss(h: float) -> float:
        moved = [Tensor(leaf.data + h * d, requires_grad=True) for leaf, d in zip(leaves, directions, strict=True)]
        return total(zip((g.data for g in first(moved, False)), rows, strict=True))

    exact = total((g.data, d) for g, d in zip(seconds, directions, strict=True) if g is not None)
    assert_close(exact, slope(loss), 1e-7)

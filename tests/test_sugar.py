"""The formulas of sugar: the values and derivatives of Tensors, text that is Python, six points, misuse in words."""

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalkgrad import Tensor, manual_seed
from chalkgrad.sugar import Formula, Leaf, const, exp, log, maximum, minimum, neuron, norm, param, tanh

POINTS = [([1.2, 0.7], +1), ([-0.3, -0.5], -1), ([3.0, 0.1], +1), ([-0.1, -1.0], -1), ([-1.0, 1.1], -1),
          ([2.1, -3.0], +1)]  # fmt: skip

# The same text is a formula of sugar's leaves, and a computation on Tensors.
FORMULAS = [
    "a + b * c",
    "(a + b) * c",
    "a - (b - c)",
    "a - b - c",
    "a / (b / c)",
    "a / b / c",
    "a * -b",
    "-(a + b)",
    "-a ** 2",
    "(-a) ** 2",
    "(a ** 2) ** 3",
    "2 ** b ** 2",
    "2 ** -a",
    "exp(-a) + log(b * b) - tanh(c)",
    "minimum(1, a * (b + c)) / maximum(a, 2)",
    "3 - a + 2 / b - 1.5 * c + (b - 1)",
    "norm(a - b)",
]
ON_TENSORS = {"exp": np.exp, "log": np.log, "tanh": np.tanh, "minimum": np.minimum, "maximum": np.maximum,
              "norm": lambda x: np.sqrt(np.sum(x * x))}  # fmt: skip
ON_FORMULAS = {"exp": exp, "log": log, "tanh": tanh, "minimum": minimum, "maximum": maximum, "norm": norm}


def twins(seed: int, shape: tuple[int, ...] = ()) -> tuple[dict[str, Leaf], dict[str, Tensor]]:
    """Return params a, b, c, and Tensors of the same values."""
    rng = np.random.default_rng(seed)
    values = {name: rng.uniform(0.5, 2, shape) * rng.choice([-1, 1], shape) for name in "abc"}
    return ({name: param(value, name) for name, value in values.items()},
            {name: Tensor(np.asarray(value), requires_grad=True) for name, value in values.items()})


def agree(text: str, seed: int, shape: tuple[int, ...] = ()) -> None:
    """Compute a text both ways, and compare values and derivatives."""
    leaves, tensors = twins(seed, shape)
    formula = eval(text, {**ON_FORMULAS, **leaves})
    expected = eval(text, {**ON_TENSORS, **tensors})
    if shape:
        np.testing.assert_allclose(formula.val, expected.data, rtol=1e-14)
        formula, expected = formula.sum(), expected.sum()
    assert formula.compute() == formula.val == pytest.approx(expected.item(), rel=1e-14)
    formula.backprop(0.5)
    expected.backward()
    for name, tensor in tensors.items():
        slope = 0.0 if tensor.grad is None else 0.5 * tensor.grad.data
        np.testing.assert_allclose(leaves[name].step, slope, rtol=1e-13, atol=1e-15)


# ---------------------------------------------------------------------------------------- formulas against Tensors


@pytest.mark.parametrize("shape", [(), (2, 3)])
@pytest.mark.parametrize("text", FORMULAS)
def test_values_and_derivatives_are_those_of_tensors(text: str, shape: tuple[int, ...]) -> None:
    agree(text, 0, shape)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_written_as_it_was_typed(text: str) -> None:
    leaves, _ = twins(0)
    assert repr(eval(text, {**ON_FORMULAS, **leaves})) == text


TEXTS = st.recursive(
    st.sampled_from(["a", "b", "c", "2", "0.5"]),
    lambda part: st.one_of(
        st.tuples(part, st.sampled_from(["+", "-", "*"]), part).map(lambda p: f"({' '.join(p)})"),
        part.map(lambda p: f"-{p}"),
        part.map(lambda p: f"tanh({p})"),
        st.tuples(part, part).map(lambda p: f"minimum({p[0]}, {p[1]})"),
        st.tuples(part, part).map(lambda p: f"maximum({p[0]}, {p[1]})"),
    ),
    max_leaves=12,
).map(lambda text: f"a + {text}")  # so that there is a param


@given(TEXTS, st.integers(0, 100))
def test_random_formulas_agree(text: str, seed: int) -> None:
    agree(text, seed)


@given(TEXTS)
def test_the_text_of_a_formula_makes_the_same_formula(text: str) -> None:
    names = {**ON_FORMULAS, **twins(0)[0]}
    formula = eval(text, names)
    again = eval(repr(formula), names)
    assert again.val == formula.val and repr(again) == repr(formula)


def test_arrays_fit_a_line() -> None:
    x = const(np.linspace(-1, 1, 20), "x")
    slope, offset = param(0, "slope"), param(0, "offset")
    loss = ((slope * x + offset - (3 * x.val - 2)) ** 2).mean()
    for _ in range(200):
        loss.backprop(-0.5)  # a negative rate: downhill
        loss.update()
    assert (slope.val, offset.val) == (pytest.approx(3), pytest.approx(-2))


def test_matrices_and_arrays_on_the_left() -> None:
    w = param([1.0, 2.0], "w")
    f = (np.array([[1.0, 2.0], [3.0, 4.0]]) @ w - np.ones(2)).sum()
    assert f.val == 14
    f.backprop()
    assert w.step.tolist() == [4, 6]
    assert repr(f) == "(<array (2, 2)> @ w - <array (2,)>).sum()"


def test_the_norm_of_nothing_has_no_slope() -> None:
    x = param([0.0, 0.0], "x")
    f = norm(x)
    f.backprop()
    assert f.val == 0 and x.step.tolist() == [0, 0]


# ---------------------------------------------------------------------------------------------- steps, and learning


def test_a_line_parts_six_points() -> None:
    x, y, label = const(name="x"), const(name="y"), const(name="label")
    a, b, c = param(1, "a"), param(-2, "b"), param(-1, "c")
    score = a * x + b * y + c
    f = minimum(1, label * score)

    def right() -> int:
        found = 0
        for (x.val, y.val), label.val in POINTS:
            found += label.val * score.val > 0
        return found

    assert right() < 6
    rng = random.Random(1)
    for _ in range(400):
        (x.val, y.val), label.val = rng.choice(POINTS)
        f.backprop(0.1)
        f.update()
    assert right() == 6


def test_neurons_learn_xor() -> None:
    manual_seed(0)
    x, y = const([0, 0, 1, 1], "x"), const([0, 1, 0, 1], "y")
    hidden = [neuron([x, y], name=f"h{i}") for i in range(3)]
    out = neuron(hidden, name="out")
    loss = ((out - const([-0.9, 0.9, 0.9, -0.9])) ** 2).sum()
    assert len(loss.params) == 13
    for _ in range(500):
        loss.backprop(-0.1)
        loss.update()
    assert (out.val > 0).tolist() == [False, True, True, False]


def test_steps_add_up_until_they_are_taken_or_dropped() -> None:
    x, y = param(3, "x"), param(2, "y")
    f, g = x * y, 10 * x
    f.backprop(0.5)
    g.backprop(0.5)
    assert (x.step, y.step) == (6.0, 1.5)
    g.reset()
    assert (x.step, y.step) == (0.0, 1.5)
    f.update()
    assert (x.val, y.val, x.step, y.step) == (3.0, 3.5, 0.0, 0.0)
    f.update()
    assert (x.val, y.val) == (3.0, 3.5)


def test_a_positive_rate_leads_up_and_a_negative_one_down() -> None:
    for lr in (0.01, -0.01):
        x = param(2, "x")
        f = x * x * x
        before = f.val
        f.backprop(lr)
        f.update()
        assert (f.val - before) * lr > 0


def test_values_are_read_when_they_are_needed() -> None:
    x, w = const(2, "x"), param([1.0, 1.0], "w")
    f = (x * w).sum()
    x.val = 5
    w.val[0] = 3
    assert f.val == 20
    f.backprop()
    assert w.step.tolist() == [5, 5]
    w.val = [0.0, 0.0, 0.0]
    assert w.step == 0 and f.val == 0


def test_a_value_is_a_copy() -> None:
    array = np.ones(2)
    x = const(array)
    array[0] = 7
    assert x.val.tolist() == [1, 1]
    assert const(Tensor([1.0, 2.0])).val.tolist() == [1, 2]


@pytest.mark.parametrize("value, text", [(1, "1"), (1.5, "1.5"), (-2.0, "-2"), (1e-9, "1e-09"), ([1], "<array (1,)>")])
def test_a_leaf_is_written_by_its_name_or_its_value(value: Any, text: str) -> None:
    assert repr(const(value)) == repr(param(value)) == text
    assert repr(const(value, "x")) == "x"


def test_formulas_may_be_deep_and_share_their_parts() -> None:
    x = param(1, "x")
    deep, shared = x + 0, x + 0
    for _ in range(5000):
        deep = deep + x
    for _ in range(40):
        shared = shared + shared
    assert deep.val == 5001 and shared.val == 2**40
    assert len(repr(deep)) < 500 and len(repr(shared)) < 500
    deep.backprop()
    assert x.step == 5001


def test_a_neuron_is_a_formula_of_new_params() -> None:
    manual_seed(0)
    x = const(2, "x")
    n = neuron([x, 3], activation=exp, name="n")
    w1, w2, b = n.params
    assert repr(n) == "exp(n_w1 * x + n_w2 * 3 + n_b)"
    assert n.val == pytest.approx(math.exp(w1.val * 2 + w2.val * 3)) and b.val == 0
    assert abs(w1.val) <= 1 and w1.val != w2.val


# ----------------------------------------------------------------------------------------------------------- misuse


def give(leaf: Formula, value: Any) -> None:
    leaf.val = value


x, empty = param(2, "x"), param(name="empty")
MISUSE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: (x * empty).val, ValueError, "empty has no value yet; set its val first"),
    (lambda: (x * empty).backprop(), ValueError, r"empty has no value yet(.|\n)*in the formula empty"),
    (lambda: const().val, ValueError, r"const\(\) has no value yet"),
    (lambda: param([1, 2], "w").backprop(), ValueError, r"w is an array of shape \(2,\), .* f.sum\(\)"),
    (lambda: const(2, "k").backprop(), ValueError, r"k has no params, .* param\(...\)"),
    (lambda: give(x + 1, 3), AttributeError, r"x \+ 1 follows from what it is made of; set the val of a const"),
    (lambda: give(x, "two"), TypeError, "x holds a number or an array of numbers, but 'two' came"),
    (lambda: give(x, None), TypeError, "but None came"),
    (lambda: give(x, x + 1), TypeError, r"but x \+ 1 came"),
    (lambda: x + "two", TypeError, "but 'two' came"),
    (lambda: (x * const([1, 2]) + const([1, 2, 3], "v")).val, ValueError, r"in the formula x \* .* \+ v"),
    (lambda: minimum(x).val, TypeError, r"(.|\n)*in the formula minimum\(x\)"),
    (lambda: neuron([]), ValueError, "needs one input at least"),
]


@pytest.mark.parametrize("misuse, error, words", MISUSE, ids=[words[:40] for _, _, words in MISUSE])
def test_misuse_is_answered_in_words(misuse: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        misuse()
    assert x.val == 2 and x.step == 0

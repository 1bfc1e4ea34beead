"""Attempts to make a compiled function silently wrong: what it cannot do is refused in words, all else is right."""

from __future__ import annotations

import dataclasses
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn
from chalkgrad.compiler import threads
from chalkgrad.nn import functional as F

from .twins import batch, divided, sgd

RNG = np.random.default_rng(1)
EVERY = np.ones(8, bool)
SOME = np.arange(8) < 5
both_counts = pytest.mark.parametrize("count", [1, 2])


def draw(*shape: int, seed: int = 0, add: float = 0.0, times: float = 1.0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape, np.float32) * np.float32(times) + np.float32(add)


def leaves(value: Any) -> list[Any]:
    """List the arrays and plain values of a tree, with what holds them."""
    if isinstance(value, Tensor):
        return [value.data]
    if isinstance(value, dict):
        return [dict, *value, *(leaf for item in value.values() for leaf in leaves(item))]
    if isinstance(value, list | tuple):
        return [type(value), *(leaf for item in value for leaf in leaves(item))]
    return leaves(list(vars(value).values())) if dataclasses.is_dataclass(value) else [value]


def outcome(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Call a function with copies of what it is handed; return the leaves of its result, or its error."""
    args = tuple(Tensor(arg) if isinstance(arg, np.ndarray) else [Tensor(each) for each in arg]
                 if isinstance(arg, list) else arg for arg in args)
    try:
        return leaves(function(*args))
    except cg.SpellError:
        raise
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]


def assert_right(function: Callable[..., Any], calls: list[tuple[Any, ...]], words: bool = True) -> None:
    """Call a function eager and compiled, one call after the other; `words` tells whether errors have the same."""
    compiled = cg.compile(function)
    for i, args in enumerate(calls):
        expected, made = outcome(function, args), outcome(compiled, args)
        assert len(made) == len(expected), (i, made, expected)
        for one, other in zip(made, expected):
            assert type(one) is type(other), (i, one, other)
            if isinstance(other, np.ndarray):
                assert (one.dtype, one.shape) == (other.dtype, other.shape), i
                np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5, err_msg=f"call {i}")
            elif isinstance(other, str) and "Error: " in other and not words:
                assert one.partition(":")[0] == other.partition(":")[0], i
            else:
                assert one == other, i


# ---------------------------------------------------------------------------------- what a first batch may hide


X, BIG, SMALL = draw(8, 3), draw(8, 3, add=10), draw(8, 3, times=0.01)
LATE = np.concatenate([draw(7, 3), draw(1, 3, add=-50)])  # the last row is special
EARLY = LATE[::-1].copy()
LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1])
PAD = np.array([0, 1, 2, -1, -1, -1, -1, 1])

V = draw(3, times=1e-7)


@cg.primitive
def masked_mean(x, mask):
    """Average the rows that count, in one line.

    x (n, i), mask (n) -> y (i)
    """
    y = (x * mask[:, None]).sum(axis=0) / mask.sum()
    return y


@masked_mean.backward
def masked_mean_backward(grad_y, x, mask):
    """Each row has its share."""
    grad_x = grad_y * mask[:, None] / mask.sum()
    return grad_x


# A sum over the batch, and what is not linear in it; counts that are zero, flags that are true, for one batch only.
HIDDEN: dict[str, tuple[Callable[..., Any], list[tuple[Any, ...]]]] = {
    "relu of a sum": (lambda x: F.relu(x.sum(0)), [(BIG,), (X,), (LATE,), (EARLY,)]),
    "abs of a sum": (lambda x: x.sum(0).abs(), [(BIG,), (X,), (LATE,), (EARLY,)]),
    "square of a sum": (lambda x: x.sum(0) ** 2, [(BIG,), (X,)]),
    "a sum cut": (lambda x: x.sum(0).clamp(-3.0, 3.0), [(SMALL,), (BIG,), (X,)]),
    "a mean cut": (lambda x: x.mean(0).clamp(-3.0, 3.0), [(SMALL,), (BIG,), (X,)]),
    "maximum of a sum": (lambda x: cg.maximum(x.sum(0), cg.zeros(3)), [(BIG,), (X,), (LATE,)]),
    "the sign of a sum": (lambda x: x.sum(0).sign(), [(BIG,), (X,), (LATE,), (EARLY,)]),
    "where, by a sum": (lambda x: cg.where(x.sum() > 0, x, 2 * x), [(BIG,), (X,), (LATE,), (EARLY,)]),
    "where, by a mean": (lambda x: cg.where(x.mean(0) > 0, x, 2 * x), [(BIG,), (X,), (LATE,), (EARLY,)]),
    "a sum that is zero": (lambda x: F.relu(x - 30).sum(), [(X,), (-LATE,), (-EARLY,), (BIG * 4,)]),
    "and its square": (lambda x: F.relu(x - 30).sum() ** 2, [(X,), (-LATE,), (-EARLY,), (BIG * 4,)]),
    "a count that is zero": (lambda x, t: x.sum() / (8 - (t == -1).sum()), [(X, LABELS), (X, PAD)]),
    "all": (lambda x: cg.where((x > -5).all(), x, 2 * x), [(X,), (LATE,), (EARLY,)]),
    "any": (lambda x: cg.where((x < -5).any(), x, 2 * x), [(X,), (LATE,), (EARLY,)]),
    "the largest label": (lambda x, t: (x[:, 0] * (t == t.max())).sum(), [(X, LABELS), (X, np.arange(8))]),
    "the first of the largest": (lambda x: x.argmax(0), [(X,), (LATE,), (EARLY,), (BIG,)]),
    "the largest": (lambda x: x.max(), [(X,), (LATE,), (EARLY,), (-LATE,), (-EARLY,)]),
    "less than the largest": (lambda x: x - x.max(0).values, [(X,), (-LATE,), (-EARLY,)]),
    "each with each": (lambda x: x @ x.T, [(X,), (LATE,)]),
    "neighbours": (lambda x: x[1:] - x[:-1], [(X,), (LATE,)]),
    "halves": (lambda x: x[:4] * x[4:], [(X,), (LATE,)]),
    "the first row": (lambda x: x - x[0], [(X,), (LATE,), (EARLY,)]),
    "equal rows": (lambda x: x - x[0], [(np.ones((8, 3), np.float32),), (X,)]),
    "places": (lambda x: x * cg.arange(8).reshape(8, 1), [(X,), (LATE,)]),
    "a size of its own": (lambda x: (x + cg.ones(8, 1)).sum(), [(X,), (LATE,)]),
    "a square weight": (lambda x, w: x @ w, [(draw(8, 8), draw(8, 8, seed=1)), (draw(8, 8, seed=2), draw(8, 8))]),
    "weights of each": (
        lambda x, w: (x * w.softmax(0).reshape(8, 1)).sum(0), [(X, X[:, 0].copy()), (LATE, X[:, 1].copy())]),
    "a variance": (lambda x: ((x - x.mean(0)) ** 2).mean(0), [(X,), (LATE,), (BIG,)]),
    "a mean of ratios": (lambda x, y: x.sum() / y.sum() + (x / (y.abs() + 1)).mean(), [(X, BIG), (LATE, BIG)]),
    "len": (lambda x: ((x * 2).sum(), len(x), x.shape), [(X,), (LATE,)]),
    "labels ignored": (lambda x, t: F.cross_entropy(x, t, ignore_index=-1), [(X, LABELS), (X, PAD), (LATE, LABELS)]),
    "the mean of what counts": (masked_mean, [(X, EVERY), (X, SOME), (LATE, ~SOME)]),
    "what is small at first": (
        lambda x, v: x.mean() + (v * v).sum(), [(X, V), (X, V * np.float32(1e7)), (LATE, V * np.float32(1e7))]),
    "an order": (
        lambda x, order: x[order], [(X, np.arange(8)), (X, np.arange(8)[::-1].copy()), (X, np.zeros(8, int))]),
    "rows of a table": (lambda x, t: x[t], [(X, LABELS), (X, np.arange(8)), (X, np.full(8, 7))]),
}


@both_counts
@pytest.mark.parametrize("name", HIDDEN)
def test_what_holds_for_the_first_batch_alone_is_no_program(
    name: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    divided(monkeypatch, count)
    assert_right(*HIDDEN[name])


# What a mask picks is as much as it is. Numbers that are made of that are refused.
MASKED: dict[str, tuple[Callable[..., Any], bool]] = {
    "the mean": (lambda x, mask: (x[mask] * 2).mean(), False),
    "zeros as many": (lambda x, mask: (x[mask] + cg.zeros_like(x[mask])).sum(0), False),
    "what is picked": (lambda x, mask: x[mask], False),
    "a computed mask": (lambda x, mask: (x[(x[:, 0] > -20) & mask] * 2).mean(0), False),
    "large": (lambda x, mask: (x[mask].exp() * 2 + 1).sum(0), False),
    "a sum over how many": (lambda x, mask: x[mask].sum() / len(x[mask]), True),
    "by shape": (lambda x, mask: x[mask].sum() / x[mask].shape[0], True),
    "a loop": (lambda x, mask: sum(row.sum() for row in x[mask]), True),
}


@both_counts
@pytest.mark.parametrize("width", [3, 600])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the mean of nothing
@pytest.mark.parametrize("first", [EVERY, ~EVERY, SOME], ids=["every", "none", "some"])
@pytest.mark.parametrize("name", MASKED)
def test_masks_let_through_what_they_do(
    name: str, first: Any, width: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    divided(monkeypatch, count)
    function, refused = MASKED[name]
    x = draw(8, width)
    if refused:
        for make in (cg.compile(function), lambda x, mask: cg.spell(function, x, mask, model=nn.ReLU())):
            with pytest.raises(cg.SpellError):
                make(Tensor(x), Tensor(first))
    else:
        assert_right(function, [(x, mask) for mask in (first, SOME, EVERY, ~SOME)])


# ---------------------------------------------------------------------------------------- calls that look alike


Pair = namedtuple("Pair", "a b")


@dataclasses.dataclass
class Output:
    loss: Tensor


ALIKE: dict[str, tuple[Callable[..., Any], list[tuple[Any, ...]]]] = {
    "a Tensor for a number": (lambda a, b: a - b, [(X, 0), (0, X), (X, 1), (1, X)]),
    "a place for a number": (lambda a, b, c: (a - b) * c, [(X, 0, 1), (0, X, 1), (0, 1, X), (X, 1, 0)]),
    "2 and 2.0": (lambda a, b: a * b, [(LABELS, 2), (LABELS, 2.0), (LABELS, True)]),
    "1 and True": (lambda a, b: a * 2 if b is True else a, [(X, 1), (X, True), (X, 1.0)]),
    "0.0 and -0.0": (lambda a, b: cg.full((3,), b) * a.abs(), [(X, 0.0), (X, -0.0), (X, 0)]),
    "nan": (lambda a, b: a * 0 if b != b else a * b, [(X, float("nan")), (X, 2.0), (X, float("nan"))]),
    "one and two": (lambda a: a[0] * len(a), [([X],), ([X, X],)]),
    "text": (lambda a, b: a * (2 if b == "two" else 3), [(X, "two"), (X, "three"), (X, None)]),
    "int64 and int32": (lambda a: a * 2.5, [(LABELS,), (LABELS.astype(np.int32),), (LABELS.astype(np.uint8),)]),
    "bool and uint8": (lambda a: a + a, [(EVERY,), (EVERY.astype(np.uint8),)]),
    "float64": (lambda a: a * 0.1, [(X,), (X.astype(np.float64),)]),
    "a number for an array": (
        lambda a, b: a * b, [(X, 2.0), (X, np.array(2.0, np.float32)), (X, np.ones(3, np.float32))]),
    "names of the program": (lambda work_1, in_parts: work_1 * 2 + in_parts, [(draw(8, 600), draw(8, 600, seed=1))]),
    "more of its names": (
        lambda params, state, rng, step, np, len: params + state * rng - step * np / len, [(X, BIG, X, X, X, BIG)]),
    "names of no parameter": (lambda x, x_0: x[0] - x_0, [([X], BIG), ([BIG], X)]),
    "no rows": (lambda x, t: F.cross_entropy(x, t, reduction="sum"), [(X, LABELS), (X[:0], LABELS[:0])]),
    "one row": (lambda x: x.mean(0), [(X[:1],), (X[:2],), (X[:3],)]),
    "labels out of range": (F.cross_entropy, [(X, LABELS), (X, LABELS + 1), (X, LABELS - 1), (X, LABELS)]),
    "labels that are computed": (
        lambda x, t: F.cross_entropy(x, t - 1), [(X, LABELS + 1), (X, LABELS), (X, LABELS + 2)]),
    "labels that are cast": (lambda x, t: F.cross_entropy(x, t.long()), [
        (X, LABELS.astype(np.float32)), (X, LABELS.astype(np.float32) - 1), (X, LABELS.astype(np.float32) + 1)]),
    "labels that are picked": (lambda x, t: F.cross_entropy(x, t[:, 1]), [
        (X, np.stack([LABELS, LABELS], 1)), (X, np.stack([LABELS - 9, LABELS], 1)),
        (X, np.stack([LABELS, LABELS - 9], 1))]),
    "letters out of range": (lambda w, t: F.embedding(t, w), [(X, LABELS), (X, LABELS + 7), (X, LABELS - 1)]),
    "a named tuple": (lambda x: x.max(1), [(X,), (BIG,)]),
    "a named tuple of one's own": (lambda x: Pair(x * 2, [x]), [(X,), (BIG,)]),
    "a dataclass": (lambda x: Output(x * 2), [(X,), (BIG,)]),
}


@both_counts
@pytest.mark.parametrize("name", ALIKE)
def test_calls_that_look_alike(name: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    divided(monkeypatch, count)
    # of labels that the step computes, the program knows what they must be, but not what they are called
    computed = {"labels that are computed", "labels that are cast", "letters out of range"}
    assert_right(*ALIKE[name], words=name not in computed)


def test_arrays_are_not_tensors() -> None:
    compiled = cg.compile(lambda x: x * 2)
    for x in (X, Tensor(X), X):
        assert type(compiled(x)) is type(x)


@both_counts
def test_arguments_may_share_memory(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    divided(monkeypatch, count)

    def doubled(a: Tensor, b: Tensor) -> Tensor:
        a.mul_(2)
        return a + b

    compiled = cg.compile(doubled)
    compiled(Tensor(X), Tensor(BIG))
    one, other = Tensor(X), Tensor(X)
    np.testing.assert_array_equal(compiled(one, one).data, doubled(other, other).data)
    np.testing.assert_array_equal(one.data, other.data)
    np.testing.assert_array_equal(compiled(one, one.detach()).data, doubled(other, other.detach()).data)


@both_counts
def test_arrays_may_have_any_strides(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    divided(monkeypatch, count)
    compiled = cg.compile(function := lambda x: (x.reshape(-1) * 2, x.T @ x, x.sum(0), x.exp()))
    for array in (draw(8, 600), draw(600, 16).T[::2], draw(8, 1200)[:, ::2], draw(8, 600)[::-1]):
        x = cg.zeros(1)
        x.data = array  # as it is, where Tensor(array) would copy
        for one, other in zip(compiled(x), function(x), strict=True):
            np.testing.assert_allclose(one.data, other.data, rtol=1e-4, atol=1e-4)


# ------------------------------------------------------------------------------------------- what is refused


REFUSED: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "item": (lambda x: x * x.sum().item(), "reads a number off a Tensor"),
    "float": (lambda x: x * float(x.max()), "reads a number off a Tensor"),
    "a branch": (lambda x: x if x.sum() > 0 else -x, r"cg\.where instead of if"),
    "a loop": (lambda x: sum(x for _ in range(x.argmax(0)[0])), "reads a number off a Tensor"),
    "a slice": (lambda x: x[: int(x[:, 0].argmax())], "reads a number off a Tensor"),
    "NumPy's number": (lambda x: x * float(np.asarray(x.data).sum()), "was .* in the first step"),
    "NumPy's array": (lambda x: Tensor(np.sort(x.data)), "neither an argument of the step"),
    "a random number": (lambda x: x * RNG.random(), "was 0.* in the first step"),
    "a random array": (lambda x: x * Tensor(RNG.random(3, np.float32)), "neither an argument of the step"),
}


@both_counts
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_a_program_is_refused_in_words(
    name: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    divided(monkeypatch, count)
    function, words = REFUSED[name]
    compiled = cg.compile(function)
    for _ in range(2):
        with pytest.raises(cg.SpellError, match=words):
            compiled(Tensor(X))


def test_a_count_of_calls_is_refused_or_goes_on() -> None:
    calls = []

    def counted(x: Tensor) -> Any:
        calls.append(x)
        return x * 2, len(calls)

    with pytest.raises(cg.SpellError):
        cg.compile(counted)(Tensor(X))


def test_what_is_refused_leaves_everything_as_it_was() -> None:
    model, (optimizer,), step = sgd()
    before = [parameter.data.copy() for parameter in model.parameters()]
    generator = str(cg.seeding.default_generator().bit_generator.state)
    with pytest.raises(cg.SpellError):
        cg.compile(lambda x, target: step(x, target).item() * x)(*batch(0))
    assert generator == str(cg.seeding.default_generator().bit_generator.state)
    assert all(parameter.grad is None for parameter in model.parameters()) and not optimizer.state_dict()["state"]
    for parameter, array in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(parameter.data, array)


def test_an_interrupted_call_does_not_answer_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    divided(monkeypatch, 2)
    compiled = cg.compile(function := lambda x: (x.exp() * 2 + x).sum(1))
    compiled(Tensor(X))
    assert "in_parts(" in compiled.source

    def interrupted(task: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threads._Task, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            compiled(Tensor(BIG))
    np.testing.assert_allclose(compiled(Tensor(X)).data, function(Tensor(X)).data, rtol=1e-6)

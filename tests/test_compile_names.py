"""Names that mean several things in turn, as in loops, branches and comprehensions: no pass may mix them up."""

from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn, optim

from .compiled_models import undivided
from .test_compile_passes import function_of, passed, passed_by, start

EVERY = "single_names constants split common cheap direct dead_code into forget"
AGAIN = "\nfor i in range(3):\n    "

# What would be mixed up: the text, and what it returns.
SHARED: dict[str, tuple[str, str]] = {
    "a constant that a loop goes on from": (f"s = np.ones((24, 24)){AGAIN}s = s * a + b\ny = s + 1", "y"),
    "a constant that a branch replaces": ("s = np.ones((24, 24))\nif len(a) > 3:\n    s = a * 2\ny = s + 1", "y"),
    "a number that a loop goes on from": (f"n = 1{AGAIN}n = n * 2\ny = a * n", "y"),
    "a number that is raised": ("n = 1; u = a * n; n += 1; w = a * n; y = u + w", "y"),
    "a number before it is raised": (f"n = 1; u = a * n{AGAIN}n += 1\nw = a * n; y = u + w", "y"),
    "a shape that changes in a loop": (
        f"s = a * 1; n = len(s){AGAIN}s = np.concatenate([s, b])\ny = a * n + len(s)", "y"),
    "a shape within a loop": ("y = a * 1\nfor i in range(3):\n    v = a[i:]\n    y = y + v.sum() / len(v)", "y"),
    "the same text, before a loop and after": (f"s = a * 1; u = s * 2{AGAIN}s = s + b\nw = s * 2; y = u + w", "y"),
    "the same text, before a branch and after": (
        "s = a * 1; u = s * 2\nif len(a) > 3:\n    s = b * 3\ny = u + s * 2", "y"),
    "rows that become fewer": (
        f"s = np.round(9 * a); u = s.sum(axis=0){AGAIN}s = s[1:] * 1\ny = u + s.sum(axis=0)", "y"),
    "rows of another kind": ("s = t + 1; u = s.sum(axis=0)\nfor i in range(2):\n    s = a * 2\ny = u + s", "y"),
    "a view of what a loop replaces": (
        f"s = a * 2; v = s[1:]{AGAIN}s = s * b\nw = s * 3; u = w * b; y = v + u[1:]", "y"),
    "a view is returned of what a loop replaces": (
        f"s = a * 2; y = s[1:]{AGAIN}s = s * b\nw = s * 3; z = w * b", "y, z"),
    "what never is": ("y = a * 1\nfor i in range(0):\n    v = a * i\n    y = y + v", "y"),
    "what only a branch makes": ("y = a * 1\nif len(a) < 3:\n    v = a * 2\n    y = y + v", "y"),
    "either of two branches": ("if len(a) < 3:\n    s = a * 2\nelse:\n    s = b * 3\ny = s + 1", "y"),
    "one branch, read in the other": ("s = a * 1\nif len(a) < 3:\n    s = b * 2\nelse:\n    y = s * 2\ny = y + s", "y"),
    "several names at once": ("s = a * 1; u = s * 2; (s, v) = (b * 3, s * 4); y = s * 2 + u + v", "y"),
    "a comprehension's own": ("n = len(a); y = np.stack([n * a[0] for n in range(3)]) + n", "y"),
    "a comprehension's own, which is an argument": ("a = a * 2; y = np.stack([a * 2 for a in b]) + a", "y"),
    "what a comprehension runs through": ("s = a * 1; s = s + b; y = np.stack([s * 2 for s in s])", "y"),
    "a dict's own": ("n = 3; v = {n: n * a for n in range(n)}; y = v[2] * n", "y"),
    "a set's own": ("n = 3; v = {n * 2 for n in range(n)}; y = a * n + len(v)", "y"),
    "a builtin's name": ("max = a * 2; s = max + 1; y = s * 2", "y"),
}  # fmt: skip


@pytest.mark.parametrize("name", SHARED)
def test_names_are_not_mixed_up(name: str) -> None:
    text, gives = SHARED[name]
    for passes in (EVERY, *EVERY.split()):
        passed(passes, text, gives)


def test_numbers_are_drawn_in_the_order_of_the_text() -> None:
    text = "y = rng.random(24, np.float32) * np.sqrt(rng.random(a.shape, np.float32) + a * a)"
    function = function_of(text)
    function.given["rng"] = np.random.default_rng(0)
    function.takes.append("rng")
    assert passed_by("split", function, start()) == text


def test_in_place_changes_follow_their_name() -> None:
    text = passed("single_names", "s = a * 2; s = s + b; s += a; y = s * 3\nfor i in range(2):\n    s += b")
    assert "s_2 += a" in text and "y = s_2 * 3" in text and "    s_2 += b" in text


def summed(layer: nn.Module, compiled: bool) -> list[Any]:
    """Take one step with a loss that hands the same gradient to all pixels; return the loss and the parameter."""
    w = nn.Parameter(np.ones((1, 3, 1, 1), np.float32))
    optimizer = optim.SGD([w], 0.1)

    def step(x: cg.Tensor) -> cg.Tensor:
        optimizer.zero_grad()
        loss = layer(x * w).sum()
        loss.backward()
        optimizer.step()
        return loss

    x = cg.tensor(np.random.default_rng(0).standard_normal((4, 3, 8, 8), np.float32))
    return [(cg.compile(step) if compiled else step)(x).data, w.data]


@pytest.mark.parametrize("layer", [nn.MaxPool2d(2), nn.MaxPool2d(3, stride=1), nn.AvgPool2d(2)])
def test_a_loop_may_go_on_from_a_constant_gradient(layer: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    undivided(monkeypatch)
    for mine, theirs in zip(summed(layer, True), summed(layer, False), strict=True):
        np.testing.assert_array_equal(mine, theirs)

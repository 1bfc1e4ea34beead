"""Memory that is shared: views whose base changes, rules that change an alias, values remembered under two names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import GradError, Tensor, primitive
from chalkgrad.autograd import grad

# Each takes a library and a leaf (3, 4), and returns what is to be summed up.
CHANGES: dict[str, Callable[[Any, Any], Any]] = {
    "the base, then a view is used": lambda lib, x: [y := x * 1, v := y[0], y.mul_(2), v][-1],
    "a view, then the base is used": lambda lib, x: [y := x * 1, v := y[0], v.mul_(2), y][-1],
    "a view, then an overlapping one": lambda lib, x: [y := x * 1, a := y[0], b := y[:, 0], a.mul_(3), b][-1],
    "two views of the same": lambda lib, x: [y := x * 1, a := y[0], b := y[0], a.mul_(3), b.mul_(2), y][-1],
    "a view of a view": lambda lib, x: [y := x * 1, v := y[1:], w := v[0], y.mul_(5), w * w][-1],
    "a view of a view, changed": lambda lib, x: [y := x * 1, v := y[1:], w := v[0], w.mul_(5), y * v.sum()][-1],
    "a reshape": lambda lib, x: [y := x * 1, r := y.reshape(-1), q := r[:3], y.mul_(5), q * r[4]][-1],
    "a transpose": lambda lib, x: [y := x * 1, t := y.T, y.add_(y), t * t][-1],
    "a constant that becomes a function": lambda lib, x: [b := lib.zeros(3, 4), v := b[:2], b.add_(x), v * v][-1],
    "one element": lambda lib, x: [y := x * 1, y[0, 0].mul_(7), y * y][-1],
    "an element by assignment": lambda lib, x: [y := x * 1, v := y[0], y.__setitem__((0, 1), x[2, 2]), v * v][-1],
}


@pytest.mark.parametrize("name", CHANGES)
def test_shared_memory_shares_its_history(name: str) -> None:
    start = np.random.default_rng(0).standard_normal((3, 4))
    ours, theirs = Tensor(start, requires_grad=True), torch.tensor(start, requires_grad=True)
    values = [CHANGES[name](lib, x) for lib, x in ((cg, ours), (torch, theirs))]
    np.testing.assert_allclose(values[0].detach().numpy(), values[1].detach().numpy(), rtol=1e-6)
    for value in values:
        value.sum().backward()
    np.testing.assert_allclose(ours.grad.data, theirs.grad.numpy(), rtol=1e-6)


def test_a_retained_gradient_is_that_of_the_new_value() -> None:
    for lib in (cg, torch):
        x = lib.ones(3, requires_grad=True)
        h = x * 2
        h.retain_grad()
        h *= 3
        h.sum().backward()
        assert h.grad.tolist() == [1, 1, 1]


IN_PLACE: dict[str, Callable[[Any], Any]] = {
    "ReLU": lambda nn: nn.ReLU(inplace=True),
    "LeakyReLU": lambda nn: nn.LeakyReLU(0.1, inplace=True),
    "SiLU": lambda nn: nn.SiLU(inplace=True),
    "Dropout": lambda nn: nn.Dropout(1.0, inplace=True),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_a_module_in_place_writes_over_its_input(name: str) -> None:
    start = np.random.default_rng(0).standard_normal((3, 4))
    found = []
    for lib, x in ((cg, Tensor(start, requires_grad=True)), (torch, torch.tensor(start, requires_grad=True))):
        h = x * 2
        y = IN_PLACE[name](lib.nn)(h)
        assert y is h
        (y * y).sum().backward()
        found.append((h.detach().numpy(), np.asarray(x.grad.data)))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-6)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-6)


def test_views_that_are_gone_are_forgotten() -> None:
    x = cg.zeros(1000)
    for i in range(999):
        _ = x[i : i + 2]
    assert len(x.views or ()) < 600


@primitive
def through_alias(x):
    """x (...) -> y (...)"""
    a = x * 2
    v = a[:2]
    v *= 10
    y = a * 1
    return y


@through_alias.backward
def through_alias_backward(grad_y):
    g = grad_y * 2
    v = g[:2]
    v *= 10
    grad_x = g
    return grad_x


@primitive
def same(x):
    """x (...) -> y (...)"""
    y = x
    return y


@same.backward
def same_backward(grad_y):
    grad_x = grad_y
    return grad_x


@primitive
def exp_twice_named(x):
    """x (...) -> y (...)"""
    e = np.exp(x)
    y = e
    return y


@exp_twice_named.backward
def exp_twice_named_backward(grad_y, e):
    grad_x = grad_y * e
    return grad_x


@primitive
def by_level(x):
    """x (...) -> y (...)"""
    level = np.full_like(x, x.mean())
    y = level * x
    return y


@by_level.backward
def by_level_backward(grad_y, x, level):
    grad_x = grad_y * level + (grad_y * x).mean()
    return grad_x


def test_a_change_through_an_alias_is_not_sliced_away() -> None:
    x = Tensor([3.0, 2.0, 1.0], requires_grad=True)
    y = through_alias(x)
    assert y.tolist() == through_alias.function(x.data).tolist() == [60, 40, 2]
    y.sum().backward()
    assert x.grad.tolist() == [20, 20, 2]


def test_an_output_that_is_the_input_counts_its_changes() -> None:
    z = Tensor([1.0, 2.0], requires_grad=True) * 1
    w = z * z
    with cg.no_grad():
        same(z).mul_(2)
    with pytest.raises(GradError, match="changed in place"):
        w.sum().backward()


def test_an_output_that_is_remembered_under_another_name_counts_its_changes() -> None:
    y = exp_twice_named(Tensor([1.0, 2.0], requires_grad=True))
    y += 100
    with pytest.raises(GradError, match="`e` was changed in place"):
        y.sum().backward()


def test_a_local_that_drops_a_derivative_is_not_taken_for_a_constant() -> None:
    x = Tensor(np.array([1.0, 2.0, 4.0]), requires_grad=True)
    with pytest.raises(GradError, match="full_like: `fill_value` has no derivative"):
        grad(by_level(x).sum(), x, create_graph=True)

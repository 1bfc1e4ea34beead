"""What other libraries get wrong, or leave to the user to find: each in a few lines, with PyTorch where it is right."""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import GradError, Tensor, no_grad, primitive, tensor, update_rule


@primitive
def twins(a, b):
    """One array for both gradients.  a (...), b (...) -> y (...)"""
    y = 2 * a + 2 * b
    return y


@twins.backward
def twins_backward(grad_y):
    grad_a = 2 * grad_y
    grad_b = grad_a
    return grad_a, grad_b


@primitive
def kept(x):
    """What is remembered is the gradient.  x (...) -> y ()"""
    slope = np.cos(x)  # noqa: F841
    y = np.sin(x).sum()
    return y


@kept.backward
def kept_backward(grad_y, slope):
    grad_x = slope
    return grad_x


@update_rule
def descend(param, grad, *, lr):
    param -= lr * grad


def leaf(*shape: int, seed: int = 0, dtype: Any = np.float64) -> Tensor:
    return Tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype), requires_grad=True)


# ------------------------------------------------------------------------------- the same program in both libraries


def _set(y: Any, index: Any, value: Any) -> Any:
    y[index] = value
    return y


def _in_place(y: Any, *steps: Callable[[Any], Any]) -> Any:
    for step in steps:
        y = step(y)
    return y


def _row_in_place(y: Any, v: Any) -> Any:
    y[0] += v
    y[1:] *= 2
    return y


def _view_in_place(y: Any, v: Any) -> Any:
    row = y[1]
    row *= v
    row += 1
    return y * row


def _view_of_a_view(y: Any, v: Any) -> Any:
    corner = y[1:][:, 1:3]
    corner += v[:2]
    return y


def _into_zeros(lib: Any, x: Any, v: Any) -> Any:
    y = lib.zeros_like(x)
    y[1] = v
    y[2, 1:] = x[0, 1:] * v[1:]
    return y


def _copied(lib: Any, x: Any, v: Any) -> Any:
    y = lib.zeros_like(x)
    y.copy_(v)
    return y * x


# Each is given the library, x (3, 4), v (4) and c (3, 1).
PROGRAMS: dict[str, Callable[..., Any]] = {
    "an index that repeats": lambda lib, x, v, c: x[[0, 0, 1]],
    "an index that repeats, along another axis": lambda lib, x, v, c: x[:, [3, 3, 3]] * c,
    "an empty list of indices": lambda lib, x, v, c: x[[]].sum() + x[0],
    "two indices that repeat": lambda lib, x, v, c: x[[0, 0, 1], [1, 1, 2]],
    "a table of indices that repeats": lambda lib, x, v, c: v[lib.tensor([[0, 0], [0, 3]])],
    "a mask": lambda lib, x, v, c: x[x > 0] * 2,
    "a shared value": lambda lib, x, v, c: (lambda a, b: (a * b + a) * b)(x * 2, x * x + 1),
    "the same operand twice": lambda lib, x, v, c: x * x + x / x,
    "both operands repeated": lambda lib, x, v, c: c * v,
    "both operands repeated, into more axes": lambda lib, x, v, c: c - v[:, None, None],
    "a value that is not used": lambda lib, x, v, c: (x * 2, v * 3)[1],
    "+=": lambda lib, x, v, c: _in_place(x * 1, lambda y: y.__iadd__(v), lambda y: y.__iadd__(y)),
    "-= and /=": lambda lib, x, v, c: _in_place(x * 1, lambda y: y.__isub__(v), lambda y: y.__itruediv__(c)),
    "*= by what requires a gradient": lambda lib, x, v, c: _in_place(x * 1, lambda y: y.__imul__(v)),
    "methods with an underscore": lambda lib, x, v, c: (x * 1).pow_(3).add_(v).mul_(c),
    "zero_": lambda lib, x, v, c: x * v + (x * 1).zero_(),
    "copy_": lambda lib, x, v, c: _copied(lib, x, v),
    "copy_ of a constant": lambda lib, x, v, c: (x * v).copy_(v.detach()) * x,
    "a row replaced": lambda lib, x, v, c: _set(x * 1, 1, v) * c,
    "a row replaced by a number": lambda lib, x, v, c: _set(x * 1, 1, 5.0) * c,
    "a block replaced by one value": lambda lib, x, v, c: _set(x * 1, (slice(1), slice(2)), v[0]),
    "a mask replaced": lambda lib, x, v, c: _set(x * v, x.detach() > 0, 0.0),
    "picked rows replaced": lambda lib, x, v, c: _set(x * 1, [2, 0], v),
    "constants filled in": lambda lib, x, v, c: _into_zeros(lib, x, v),
    "a row changed in place": lambda lib, x, v, c: _row_in_place(x * 1, v),
    "a view changed in place": lambda lib, x, v, c: _view_in_place(x * 1, v),
    "a view of a view changed in place": lambda lib, x, v, c: _view_of_a_view(x * 1, v),
    "a detached view changed before": lambda lib, x, v, c: _in_place((x * 1).detach(), lambda y: y.add_(1)) * x,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_programs_agree_with_pytorch(program: Callable[..., Any]) -> None:
    ours = [leaf(3, 4), leaf(4, seed=1), leaf(3, 1, seed=2)]
    theirs = [torch.tensor(x.data, requires_grad=True) for x in ours]
    y, z = program(cg, *ours), program(torch, *theirs)
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-12)
    weights = np.random.default_rng(3).standard_normal(y.shape)
    for _ in range(2):  # the second time adds up
        y.backward(weights, retain_graph=True)
        z.backward(torch.from_numpy(weights), retain_graph=True)
    for one, other in zip(ours, theirs, strict=True):
        # what was written over is out of the graph, where PyTorch gives it zeros
        gradient = np.zeros(one.shape) if one.grad is None else one.grad.data
        expected = np.zeros(one.shape) if other.grad is None else other.grad.numpy()
        np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-12)


def test_of_several_writes_to_one_place_only_the_last_counts() -> None:
    """PyTorch gives all of them a gradient, which finite differences deny."""
    x, v = leaf(3), leaf(2, seed=1)
    y = x * 1
    y[[0, 0]] = v
    (y * tensor(np.array([5.0, 1.0, 1.0]))).sum().backward()
    assert y.data[0] == v.data[1]
    assert v.grad.tolist() == [0, 5] and x.grad.tolist() == [0, 1, 1]


# ------------------------------------------------------------------------ a change of what a backward needs is seen


def _by_optimizer(h: Tensor) -> None:
    descend(h, tensor(np.ones(3)), lr=0.1)


def _by_view(h: Tensor) -> None:
    h[1:] += 1


CHANGES: dict[str, Callable[[Tensor], Any]] = {
    "+=": lambda h: h.__iadd__(1),
    "*=": lambda h: h.__imul__(2),
    "add_": lambda h: h.add_(1),
    "copy_": lambda h: h.copy_(tensor(np.zeros(3))),
    "zero_": lambda h: h.zero_(),
    "an element": lambda h: h.__setitem__(0, 1.0),
    "a slice of it": _by_view,
    "a view that was taken before": lambda h: h[1:].mul_(2),
    "a detached one": lambda h: h.detach().add_(1),
    "a detached view": lambda h: h.detach()[0:2].zero_(),
    "an optimizer": _by_optimizer,
}
NEEDED: dict[str, Callable[[Tensor], Tensor]] = {
    "multiply": lambda h: h * h,
    "log": lambda h: cg.log(h * h + 1),
    "maximum": lambda h: cg.maximum(h, h * 2),
    "power": lambda h: h**3,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_a_needed_input_is_named(change: Callable[[Tensor], Any]) -> None:
    h = leaf(3) * 2
    y = (h * h).sum()
    change(h)
    with pytest.raises(GradError, match=r"multiply: `a` was changed in place.* at version 0 and is at [12]"):
        y.backward()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_a_needed_output_is_named(change: Callable[[Tensor], Any]) -> None:
    y = cg.exp(leaf(3) * 2)
    z = y.sum()
    change(y)
    with pytest.raises(GradError, match=r"exp: `y` was changed in place.* at version 0 and is at [12]"):
        z.backward()


@pytest.mark.parametrize("change", [c for name, c in CHANGES.items() if name != "an optimizer"])
def test_a_change_of_what_is_not_needed_is_nothing(change: Callable[[Tensor], Any]) -> None:
    x = leaf(3)
    h = x * 2
    y = (h + 1).sum()
    change(h)
    y.backward()
    assert x.grad.tolist() == [2, 2, 2]


def test_a_view_is_watched_with_its_base() -> None:
    views = lambda h: h[0], lambda h: h.T, lambda h: h.reshape(-1), lambda h: h[None], lambda h: h.expand(2, 3, 3)
    for view in views:
        h = leaf(3, 3) * 2
        v = view(h)
        y = (v * v).sum()
        h += 1
        with pytest.raises(GradError, match="changed in place"):
            y.backward()


def test_a_leaf_is_changed_under_no_grad_only() -> None:
    for change in (lambda x: x.add_(1), lambda x: x.__setitem__(0, 1.0), lambda x: x.zero_(), lambda x: x[0:1].add_(1)):
        x = leaf(3)
        before = x.data.copy()
        with pytest.raises(GradError, match=r"leaf.*no_grad\(\)"):
            change(x)
        assert (x.data == before).all() and x.is_leaf and x.requires_grad
        with no_grad():
            change(x)
        assert (x.data != before).any() and x.is_leaf and x.requires_grad


def test_an_update_between_forward_and_backward_is_seen() -> None:
    w, x = leaf(3), leaf(3, seed=1)
    loss = (w * x).sum()
    descend(w, tensor(np.ones(3)), lr=0.1)
    with pytest.raises(GradError, match="`a` was changed in place"):
        loss.backward()


def test_a_view_that_is_no_slice_is_not_changed_while_recording() -> None:
    h = leaf(3, 4) * 2
    with pytest.raises(GradError, match="change the tensor that it is a view of"):
        h.reshape(-1).add_(1)
    with no_grad():
        h.reshape(-1).add_(1)


def test_what_fails_leaves_its_object_as_it_was() -> None:
    x = leaf(3)
    y = x * 2
    before, node = y.data.copy(), y.node
    for fault in (lambda: y.add_(tensor(np.ones((2, 3)))), lambda: y.__setitem__(7, 1.0), lambda: y.add_("a")):
        with pytest.raises((ValueError, IndexError, TypeError)):
            fault()
        assert (y.data == before).all() and y.node is node and y.requires_grad
    y.sum().backward()
    assert x.grad.tolist() == [2, 2, 2]


# ----------------------------------------------------------------------------- whoever gets a gradient gets its own

ALIASES: dict[str, Callable[..., Tensor]] = {
    "a + b": lambda a, b: a + b,
    "a + b, twice": lambda a, b: (a + b) + (b + a),
    "a - b": lambda a, b: a - b,
    "one array for both": twins,
    "what was remembered": lambda a, b: kept(a) + kept(b) * 1,
    "a reshape of both": lambda a, b: a.reshape(2, 2) + b.reshape(2, 2),
    "parts of one": lambda a, b: cg.cat([a, b]),
    "a sum of each": lambda a, b: a.sum() + b.sum(),
    "a clone of each": lambda a, b: a.clone() + b.clone(),
    "the same leaf": lambda a, b: a + a,
}


def test_a_changed_gradient_changes_nothing_that_is_remembered() -> None:
    x = leaf(3)
    y = kept(x)
    y.backward(retain_graph=True)
    x.grad.zero_()
    y.backward()
    np.testing.assert_array_equal(x.grad.data, np.cos(x.data))


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("function", ALIASES.values(), ids=ALIASES)
def test_gradients_share_no_memory(function: Callable[..., Tensor], create_graph: bool) -> None:
    a, b = leaf(4), leaf(4, seed=1)
    y = function(a, b)
    inner = y * 1
    inner.retain_grad()
    gradient = np.ones(y.shape)
    inner.backward(gradient, create_graph=create_graph)
    inner.backward(gradient, retain_graph=True) if create_graph else None
    arrays = [t.grad.data for t in (a, b, inner) if t.grad is not None] + [a.data, b.data, y.data, gradient]
    for i, one in enumerate(arrays):
        assert not any(np.shares_memory(one, other) for other in arrays[i + 1:])
        assert one.flags.writeable


# ------------------------------------------------------------------------------------------------ float32 stays float32

F, I, B, D = tensor([1.5, 2.5]), tensor([1, 2]), tensor([True, False]), tensor(np.array([1.5, 2.5]))
DTYPES: dict[str, tuple[Callable[[], Tensor], str]] = {
    "floats of Python": (lambda: tensor([1.0, 2.0]), "float32"),
    "floats of NumPy in a list": (lambda: tensor([np.float64(1.0)]), "float32"),
    "an array of NumPy": (lambda: tensor(np.ones(2)), "float64"),
    "integers": (lambda: tensor([1, 2]), "int64"),
    "flags": (lambda: tensor([True]), "bool"),
    "zeros": (lambda: cg.zeros(2), "float32"),
    "full of a float": (lambda: cg.full((2,), 1.5), "float32"),
    "full of an integer": (lambda: cg.full((2,), 1), "int64"),
    "full, of a dtype": (lambda: cg.full((2,), 1, dtype=np.dtype(np.float64)), "float64"),
    "arange": (lambda: cg.arange(3), "int64"),
    "arange of floats": (lambda: cg.arange(0, 1, 0.5), "float32"),
    "with an integer": (lambda: F * 2, "float32"),
    "with a float": (lambda: 2.5 - F, "float32"),
    "with a NumPy scalar": (lambda: F * np.float64(2.5), "float32"),
    "with a NumPy scalar on the left": (lambda: np.float64(2.5) * F, "float32"),
    "with integers": (lambda: F + I, "float32"),
    "with integers of 32 bits": (lambda: F * tensor([1, 2], dtype=np.int32), "float32"),
    "with flags": (lambda: F * B, "float32"),
    "with float64": (lambda: F + D, "float64"),
    "one number and integers": (lambda: tensor(1.5) * I, "float32"),
    "integers divided": (lambda: I / I, "float32"),
    "integers divided by a number": (lambda: I / 2, "float32"),
    "integers times a float": (lambda: I * 0.5, "float32"),
    "integers times a NumPy scalar": (lambda: I * np.float64(0.5), "float32"),
    "integers by whole steps": (lambda: I // 2, "int64"),
    "integers and integers": (lambda: I * I - 3, "int64"),
    "integers to a power": (lambda: I**2, "int64"),
    "by whole steps of a NumPy scalar": (lambda: F // np.float64(2), "float32"),
    "what is left of a NumPy scalar": (lambda: F % np.float64(2), "float32"),
    "to a NumPy power": (lambda: F ** np.float64(1.5), "float32"),
    "a power of a number": (lambda: 2.0**F, "float32"),
    "exp of integers": (lambda: np.exp(I), "float32"),
    "mean": (lambda: F.mean(), "float32"),
    "mean of integers": (lambda: cg.mean(I), "float32"),
    "sum": (lambda: F.sum(), "float32"),
    "sum of integers of 32 bits": (lambda: tensor([1], dtype=np.int32).sum(), "int64"),
    "sum of flags": (lambda: B.sum(), "int64"),
    "var, std, logsumexp": (lambda: F.var() + F.std() + F.logsumexp(), "float32"),
    "maximum with a NumPy scalar": (lambda: np.maximum(F, np.float64(0)), "float32"),
    "where with a NumPy scalar": (lambda: np.where(B.data, F, np.float64(0)), "float32"),
    "clamp by NumPy scalars": (lambda: F.clamp(np.float64(0), np.float64(2)), "float32"),
    "masked": (lambda: F * (F > 2) * 0.5, "float32"),
    "in place with a NumPy scalar": (lambda: F.clone().__iadd__(np.float64(1)), "float32"),
    "in place with float64": (lambda: F.clone().__iadd__(D), "float32"),
    "double": (lambda: F.double(), "float64"),
    "to": (lambda: F.to(np.float64).to(np.float32), "float32"),
    "astype": (lambda: F.astype(np.float64) * F, "float64"),
    "compared": (lambda: F.__gt__(np.float64(2)), "bool"),
}


@pytest.mark.parametrize("make, dtype", DTYPES.values(), ids=DTYPES)
def test_dtypes(make: Callable[[], Tensor], dtype: str) -> None:
    assert make().dtype == np.dtype(dtype)


def test_a_number_compares_in_float32() -> None:
    x, number = tensor([0.1]), np.float64(0.1)
    assert (x == number).all(), "0.1 in float32 is not 0.1 in float64"


@pytest.mark.parametrize("function", [lambda x: x.sum(), lambda x: x.mean(0), lambda x: x * I[:1], lambda x: x[0]])
def test_float64_stays_float64_after_pickling(function: Callable[[Tensor], Tensor]) -> None:
    """The dtype of an unpickled array is equal to NumPy's, but it is not the same object."""
    x = tensor(pickle.loads(pickle.dumps(np.ones(3))))
    assert function(x).dtype == np.float64


def test_a_gradient_is_never_dropped_without_a_word() -> None:
    """An option is no input: it is a constant of the rule, so a Tensor that asks for a gradient cannot be one."""
    x, bound = leaf(3), leaf(3, seed=1)
    with pytest.raises(GradError, match=r"logit.*`eps`.*detach"):
        cg.logit(x, eps=bound)
    cg.logit(x, eps=bound.detach()).sum().backward()


def test_an_array_takes_no_tensor_in_place() -> None:
    array = np.ones(3)
    with pytest.raises(TypeError, match="out="):
        array += leaf(3)

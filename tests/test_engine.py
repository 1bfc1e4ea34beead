"""Tensors and the backward pass, as a user meets them."""

import copy
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import GradError, Tensor, autograd, enable_grad, no_grad, tensor
from chalkgrad.engine.tape import mode


def leaf(*shape: int, seed: int = 0, dtype: Any = np.float64) -> Tensor:
    return Tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype), requires_grad=True)


def equal(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(ours.data, np.asarray(theirs), rtol=1e-12, atol=1e-12)


# ------------------------------------------------------------------------------------------------------- backward


def test_backward_takes_a_gradient() -> None:
    x = leaf(2, 3)
    (x * x).backward(np.ones((2, 3)))
    equal(x.grad, 2 * x.data)
    x.grad = None
    (x * x).backward(gradient=tensor(np.full((2, 3), 3.0)))
    equal(x.grad, 6 * x.data)


def test_backward_of_a_leaf() -> None:
    x, gradient = leaf(3), np.ones(3)
    x.backward(gradient)
    equal(x.grad, np.ones(3))
    assert not np.shares_memory(x.grad.data, gradient)


def test_retain_graph_keeps_what_is_remembered_and_gradients_add_up() -> None:
    x = leaf(3)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    y.backward()
    equal(x.grad, 6 * x.data)


def test_a_second_backward_says_what_is_missing() -> None:
    x = leaf(3)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(GradError, match="freed by an earlier backward; call that one with retain_graph=True"):
        y.backward()


def test_create_graph_makes_gradients_that_can_be_differentiated() -> None:
    x = leaf(3)
    (x**3).sum().backward(create_graph=True)
    first = x.grad
    assert first.requires_grad and not first.is_leaf
    x.grad = None
    first.sum().backward()
    equal(x.grad, 6 * x.data)


def test_three_derivatives() -> None:
    x = leaf(4)
    y = cg.sin(x).sum()
    for _ in range(3):
        (y,) = autograd.grad(y.sum(), x, create_graph=True)
    equal(y.detach(), -np.cos(x.data))


BAD_BACKWARDS = {
    "not a number": (lambda x: (x * x).backward(), r"A loss is one number.* shape \(3,\)"),
    "no graph": (lambda x: x.detach().sum().backward(), "made without a graph"),
    "another shape": (lambda x: (x * x).backward(np.ones(4)), r"The gradient has shape \(4,\), but the tensor \(3,\)"),
}


@pytest.mark.parametrize("call, words", BAD_BACKWARDS.values(), ids=BAD_BACKWARDS)
def test_a_backward_that_cannot_be_is_explained(call: Callable[[Tensor], Any], words: str) -> None:
    with pytest.raises(GradError, match=words):
        call(leaf(3))


def test_gradients_come_back_in_the_dtype_of_their_tensor() -> None:
    x, w = leaf(3, dtype=np.float32), leaf(3)
    y = x * w
    assert y.dtype == np.float64
    y.sum().backward()
    assert (x.grad.dtype, w.grad.dtype) == (np.float32, np.float64)


# ------------------------------------------------------------------------------------------------- autograd.grad


def test_grad_leaves_every_grad_alone() -> None:
    x, w = leaf(3), leaf(3, seed=1)
    gx, gw = autograd.grad((x * w).sum(), [x, w])
    equal(gx, w.data)
    equal(gw, x.data)
    assert x.grad is None and w.grad is None


def test_grad_by_inner_values_and_by_outputs() -> None:
    x = leaf(3)
    h = x * x
    y = (h * h).sum()
    gy, gh, gx = autograd.grad(y, [y, h, x])
    equal(gy, 1.0)
    equal(gh, 2 * h.data)
    equal(gx, 4 * x.data**3)


def test_grad_stops_at_its_inputs() -> None:
    """What lies below an inner input is neither computed nor freed: it may be wanted later, as in PyTorch."""
    x = leaf(3)
    h = x * x
    (g,) = autograd.grad((h * h).sum(), h)
    h.backward(g)
    equal(x.grad, 4 * x.data**3)


def test_grad_of_what_is_not_used() -> None:
    x, other = leaf(3), leaf(3, seed=1)
    with pytest.raises(GradError, match=r"Input 1 was not used.*allow_unused=True"):
        autograd.grad((x * x).sum(), [x, other])
    gx, none = autograd.grad((x * x).sum(), [x, other], allow_unused=True)
    assert none is None
    equal(gx, 2 * x.data)


KINDS = {"list": list, "tuple": tuple, "tensor": lambda v: v[0], "array": lambda v: v[0].data}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_grad_outputs(kind: Callable[[Any], Any]) -> None:
    x = leaf(3)
    (g,) = autograd.grad(x * x, x, kind([tensor(np.array([1.0, 2.0, 3.0]))]))
    equal(g, 2 * x.data * [1, 2, 3])


def test_grad_of_several_outputs_adds_up() -> None:
    x = leaf(3)
    (g,) = autograd.grad([(x * x).sum(), (3 * x).sum()], x)
    equal(g, 2 * x.data + 3)


# ------------------------------------------------------------------------------------------- hooks and retain_grad


def test_retain_grad() -> None:
    x = leaf(3)
    h = x * x
    h.retain_grad()
    (h * h).sum().backward()
    equal(h.grad, 2 * h.data)


def test_hooks_see_replace_and_go() -> None:
    x, seen = leaf(3), []
    h = x * 2
    handle = h.register_hook(lambda g: seen.append(g))
    h.register_hook(lambda g: g * 10)
    (h * h).sum().backward()
    equal(seen[0], 2 * h.data)
    equal(x.grad, 40 * h.data)
    handle.remove()
    (x * 2).sum().backward()
    assert len(seen) == 1


def test_a_hook_on_a_leaf_is_called_once_with_the_sum() -> None:
    x, seen = leaf(3), []
    x.register_hook(lambda g: seen.append(g.data.copy()))
    (x * x + 3 * x).sum().backward()
    assert len(seen) == 1
    np.testing.assert_allclose(seen[0], 2 * x.data + 3)


def test_a_removed_hook_is_gone_and_others_stay() -> None:
    x, seen = leaf(3), []

    def note(g: Tensor) -> None:
        seen.append(1)

    handle = x.register_hook(note)
    x.register_hook(note)
    handle.remove()
    x.sum().backward()
    assert len(seen) == 1


def test_a_hook_may_not_change_the_shape() -> None:
    x = leaf(3)
    x.register_hook(lambda g: g.sum())
    with pytest.raises(GradError, match="hook"):
        (x * x).sum().backward()


def test_hooks_with_create_graph_are_differentiated() -> None:
    x = leaf(3)
    twin = torch.tensor(x.data, requires_grad=True)
    results = []
    for lib, leaf_ in ((autograd, x), (torch.autograd, twin)):
        h = leaf_ * 1
        h.register_hook(lambda g, leaf_=leaf_: g * leaf_)
        (first,) = lib.grad((h * h * h).sum(), leaf_, create_graph=True)
        results.append([first, *lib.grad(first.sum(), leaf_)])
    for ours, theirs in zip(*results, strict=True):
        equal(ours.detach(), theirs.detach())


# ---------------------------------------------------------------------------------------------------------- modes


def test_modes_nest_and_end() -> None:
    x = leaf(2)
    with no_grad():
        assert not (x * 2).requires_grad
        with enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert mode.grad_enabled


def test_modes_as_decorators() -> None:
    @no_grad()
    def without(x: Tensor, depth: int = 3) -> Tensor:
        return without(x, depth - 1) if depth else x * 2

    @enable_grad()
    def with_graph(x: Tensor) -> Tensor:
        return x * 2

    x = leaf(2)
    assert not without(x).requires_grad and mode.grad_enabled
    with no_grad():
        assert with_graph(x).requires_grad
        assert not mode.grad_enabled


def test_modes_belong_to_their_thread() -> None:
    inside, seen = threading.Event(), []
    x = leaf(2)

    def other() -> None:
        inside.wait(5)
        seen.append((x * 2).requires_grad)

    thread = threading.Thread(target=other)
    thread.start()
    with no_grad():
        inside.set()
        thread.join()
    assert seen == [True]


def test_a_decorated_function_may_run_in_two_threads() -> None:
    """One enters while its thread records and leaves first; the other's thread does not record, and still must not."""
    entered, left, seen = threading.Event(), threading.Event(), []

    @no_grad()
    def work(first: bool) -> None:
        if first:
            entered.wait(5)
        else:
            entered.set()
            left.wait(5)

    def recording() -> None:
        work(True)
        seen.append(mode.grad_enabled)
        left.set()

    def silent() -> None:
        with no_grad():
            work(False)
            seen.append(mode.grad_enabled)

    threads = [threading.Thread(target=recording), threading.Thread(target=silent)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True, False]


def test_manual_seed_repeats() -> None:
    cg.manual_seed(7)
    first = cg.rand(3), cg.randn(2, 2), cg.randint(0, 10, (4,)), cg.randperm(5)
    cg.manual_seed(7)
    again = cg.rand(3), cg.randn(2, 2), cg.randint(0, 10, (4,)), cg.randperm(5)
    assert all((a.data == b.data).all() and a.dtype == b.dtype for a, b in zip(first, again, strict=True))


# ---------------------------------------------------------------------------------------------- tensors themselves


def test_leaves_and_inner_values() -> None:
    x = leaf(2)
    y = x * 2
    assert x.is_leaf and x.grad_fn is None and not y.is_leaf and "multiply" in repr(y.grad_fn)
    assert y.detach().is_leaf and not y.detach().requires_grad
    assert np.shares_memory(y.detach().data, y.data)
    with pytest.raises(GradError, match="Only a leaf can stop"):
        y.requires_grad_(False)
    assert not x.requires_grad_(False).requires_grad


def test_only_floats_have_gradients() -> None:
    for data in ([1, 2], [True]):
        with pytest.raises(TypeError, match=r"Only floats have gradients.*x\.float\(\)"):
            Tensor(data, requires_grad=True)
    x = leaf(2)
    assert not (x > 0).requires_grad and not x.long().requires_grad and not x.argmax().requires_grad


def test_out_of_the_graph() -> None:
    x = leaf(2)
    with pytest.raises(GradError, match=r"x\.detach\(\)\.numpy\(\)"):
        x.numpy()
    with pytest.raises(GradError, match="requires a gradient"):
        np.asarray(x)
    assert x.detach().numpy() is x.data
    assert np.asarray(x.detach()) is x.data and np.array(x.detach()) is not x.data
    assert isinstance(x.sum().item(), float) and x.tolist() == x.data.tolist()
    assert float(tensor(2.5)) == 2.5 and int(tensor(3)) == 3 and [10, 20][tensor(1)] == 20 and bool(tensor(True))
    with pytest.raises(ValueError, match="can only convert an array of size 1"):
        x.item()
    assert f"{x.sum():.3f} {tensor(3)}" == f"{x.sum().item():.3f} 3"


@pytest.mark.parametrize("copier", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))], ids=["deepcopy", "pickle"])
def test_leaves_are_copied_and_inner_values_are_not(copier: Callable[[Tensor], Tensor]) -> None:
    x = leaf(2, dtype=np.float32)
    (x * x).sum().backward()
    twin = copier(x)
    assert twin.requires_grad and twin.is_leaf and twin.dtype == np.float32
    equal(twin, x.data)
    equal(twin.grad, x.grad.data)
    assert not np.shares_memory(twin.data, x.data)
    with pytest.raises(GradError, match="detach"):
        copier(x * 2)


@pytest.mark.parametrize("value", [
    [1.0, 2.0], [1, 2], True, 2.5, [[1.5, -2.0], [0.0, 1e-8]], [1e10, 1.0], [], [float("nan"), float("inf")],
])
def test_repr_reads_as_pytorchs(value: Any) -> None:
    ours = repr(tensor(value))
    assert ours.startswith("tensor(")
    read = eval(ours, {"tensor": np.array, "nan": np.nan, "inf": np.inf})
    np.testing.assert_allclose(read, value, atol=1e-4)


REPRS = {
    "tensor(1.5)": lambda: tensor(1.5),
    "tensor([1, 2])": lambda: tensor([1, 2]),
    "tensor([1., 2.], requires_grad=True)": lambda: tensor([1.0, 2.0], requires_grad=True),
    "tensor([1.], dtype=float64)": lambda: tensor(np.ones(1)),
    "tensor([1, 2], dtype=int32)": lambda: tensor([1, 2], dtype=np.int32),
}


@pytest.mark.parametrize("text", REPRS)
def test_repr(text: str) -> None:
    assert repr(REPRS[text]()) == text
    assert "grad_fn=<multiply #" in repr(leaf(2) * 2)

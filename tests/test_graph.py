"""The graph: what its nodes hold, how long, how deep it may be, and operations with several outputs."""

import gc
import sys
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, autograd, primitive
from chalkgrad.engine.tensor import Node


@primitive
def sine_cosine(x):
    """Both at once.  x (...) -> s (...), c (...)"""
    s = np.sin(x)
    c = np.cos(x)
    return s, c


@sine_cosine.backward
def sine_cosine_backward(grad_s, grad_c, s, c):
    grad_x = grad_s * c - grad_c * s
    return grad_x


@primitive
def centred(x):
    """A local is asked for.  x (...) -> y (...)"""
    mean = x.mean()
    away = x - mean
    y = away**3
    return y


@centred.backward
def centred_backward(grad_y, away):
    grad_away = 3 * grad_y * away**2
    grad_x = grad_away - grad_away.mean()
    return grad_x


def leaf(*shape: int, seed: int = 0, dtype: Any = np.float64) -> Tensor:
    return Tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype), requires_grad=True)


# --------------------------------------------------------------------------------------------- what a node holds

# Each: an operation on x (3, 4) and w (4), and what it must remember of them and of its output y.
HELD: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], str]] = {
    "add": (lambda x, w: x + w, ""),
    "subtract": (lambda x, w: x - w, ""),
    "multiply": (lambda x, w: x * w, "xw"),
    "multiply by a constant": (lambda x, w: x * w.detach(), "w"),
    "multiply by a number": (lambda x, w: x * 2, ""),
    "divide by a constant": (lambda x, w: x / w.detach(), "w"),
    "exp": (lambda x, w: cg.exp(x), "y"),
    "log": (lambda x, w: cg.log(x), "x"),
    "sqrt": (lambda x, w: cg.sqrt(x), "y"),
    "relu": (lambda x, w: cg.nn.functional.relu(x), "y"),
    "tanh": (lambda x, w: cg.nn.functional.tanh(x), "y"),
    "matmul": (lambda x, w: x @ w[:, None].detach(), "w"),
    "sum": (lambda x, w: x.sum(), ""),
    "mean": (lambda x, w: x.mean(0), ""),
    "max": (lambda x, w: x.max(1)[0], ""),
    "index": (lambda x, w: x[1], ""),
    "reshape": (lambda x, w: x.reshape(-1), ""),
    "transpose": (lambda x, w: x.T, ""),
    "concatenate": (lambda x, w: cg.cat([x, x]), ""),
}


def floats(saved: Any) -> Iterator[Any]:
    """The float arrays among what a node remembers."""
    for value in saved:
        if isinstance(value, tuple | list):
            yield from floats(value)
        elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
            yield value


@pytest.mark.parametrize("operation, names", HELD.values(), ids=HELD)
def test_a_node_holds_what_its_backward_asks_for(operation: Any, names: str) -> None:
    x, w = Tensor(np.full((3, 4), 2.0), requires_grad=True), Tensor(np.full(4, 3.0), requires_grad=True)
    y = operation(x, w)
    node = y.node if y.node.variant else y.node.edges[0]  # an output among several hands on to the node of all
    memory = {"x": x.data, "w": w.data, "y": y.data}
    held = list(floats(node.saved))
    owners = {name for name, array in memory.items() for value in held if np.shares_memory(value, array)}
    assert owners == set(names)
    assert len(held) == len(names), "a copy of something"


def test_the_graph_is_freed_by_backward() -> None:
    x = leaf(100)
    h = x * 2
    arrays = [weakref.ref(h.data)]
    y = (h * h).sum()
    kept = y.node
    del h
    assert arrays[0]() is not None, "the graph holds it until then"
    y.backward()
    assert arrays[0]() is None, "and not longer"
    assert kept.saved is None


def test_a_graph_that_nobody_holds_is_freed_without_the_collector() -> None:
    gc.disable()
    try:
        x = leaf(100)
        y = cg.exp(x * 2).sum()
        refs = [weakref.ref(x.data), weakref.ref(y.data)]
        del x, y
        assert [ref() for ref in refs] == [None, None]
    finally:
        gc.enable()


def test_retained_graphs_are_freed_with_their_tensors() -> None:
    gc.disable()
    try:
        x = leaf(100)
        h = x * 2
        ref = weakref.ref(h.data)
        h.retain_grad()
        y = (h * h).sum()
        y.backward(retain_graph=True)
        del h, y
        assert ref() is None
    finally:
        gc.enable()


# ---------------------------------------------------------------------------------------------------- deep graphs

DEPTH = 100_000


def chain(x: Tensor) -> Tensor:
    y = x
    for _ in range(DEPTH):
        y = y + 1
    return y


def test_a_deep_graph_goes_backward() -> None:
    assert sys.getrecursionlimit() < DEPTH
    x = leaf(2)
    chain(x).sum().backward()
    np.testing.assert_array_equal(x.grad.data, np.ones(2))


def test_a_deep_graph_is_freed_without_ever_going_backward() -> None:
    x = leaf(2)
    y = chain(x)
    first = weakref.ref(x.data)
    del x, y
    assert first() is None


def test_a_deep_graph_has_derivatives_of_any_inner_value() -> None:
    x = leaf(2)
    h = x * 3
    (g,) = autograd.grad(chain(h).sum(), h)
    np.testing.assert_array_equal(g.data, np.ones(2))


def test_a_wide_and_deep_graph_is_walked_once() -> None:
    """Every value is used twice: 2⁶⁰ paths, 60 nodes."""
    x = leaf(1)
    y = x
    for _ in range(60):
        y = y + y
    y.backward(np.ones(1))
    assert x.grad.item() == 2.0**60


# ----------------------------------------------------------------------------------------------- several outputs

USES: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any], Any], Callable[[Any], Any]]] = {
    "both": (lambda s, c: s * c, lambda x: np.cos(2 * x), lambda x: -2 * np.sin(2 * x)),
    "the first": (lambda s, c: s, np.cos, lambda x: -np.sin(x)),
    "the second": (lambda s, c: c * 2, lambda x: -2 * np.sin(x), lambda x: -2 * np.cos(x)),
    "one twice": (lambda s, c: s * s, lambda x: np.sin(2 * x), lambda x: 2 * np.cos(2 * x)),
}


@pytest.mark.parametrize("use, first, second", USES.values(), ids=USES)
def test_derivatives_by_outputs_of_which_some_are_used(use: Any, first: Any, second: Any) -> None:
    x = leaf(3)
    (g,) = autograd.grad(use(*sine_cosine(x)).sum(), x, create_graph=True)
    np.testing.assert_allclose(g.data, first(x.data), atol=1e-12)
    (h,) = autograd.grad(g.sum(), x)
    np.testing.assert_allclose(h.data, second(x.data), atol=1e-12)


def test_the_values_of_max_without_its_positions() -> None:
    x = leaf(3, 4)
    values, positions = x.max(1)
    assert values.requires_grad and not positions.requires_grad
    values.sum().backward()
    assert (x.grad.data == (x.data == x.data.max(1, keepdims=True))).all()


def test_grad_by_one_output_of_several() -> None:
    s, c = sine_cosine(leaf(3))
    (g,) = autograd.grad((s * c).sum(), s)
    np.testing.assert_allclose(g.data, c.data)


def test_second_derivatives_through_a_remembered_local() -> None:
    x = leaf(4)
    short = autograd.grad(autograd.grad((centred(x) * x).sum(), x, create_graph=True)[0].sum(), x)[0]
    long = autograd.grad(autograd.grad((centred.function(x) * x).sum(), x, create_graph=True)[0].sum(), x)[0]
    np.testing.assert_allclose(short.data, long.data, atol=1e-12)


def test_one_number_is_replaced_in_place() -> None:
    """NumPy makes scalars of 0-d arrays, and a rule cannot write into those."""
    x, v = leaf(), leaf(seed=1)
    y = x * 2
    y[()] = v
    (y * 3).backward()
    assert (x.grad.item(), v.grad.item()) == (0, 3)


def test_threads_may_differentiate_at_once() -> None:
    def work() -> Any:
        x = leaf(30, 30)
        for _ in range(20):
            y = cg.sin(x @ x) * centred(x)
            (first,) = autograd.grad(y.sum(), x, create_graph=True)
            x.grad = None
            (first * first).sum().backward()
        return x.grad.data.tobytes()

    with ThreadPoolExecutor(4) as pool:
        results = {pool.submit(work) for _ in range(8)}
        assert {result.result() for result in results} == {work()}


def test_numbers_grow_along_every_edge() -> None:
    x = leaf(3)
    s, c = sine_cosine(x * 2)
    stack, seen = [(s * c + s).sum().node], 0
    while stack:
        node = stack.pop()
        for edge in node.edges:
            if isinstance(edge, Node):
                assert edge.number < node.number
                stack.append(edge)
                seen += 1
    assert seen > 5


def test_a_part_that_was_freed_is_told_not_left_out() -> None:
    """The edges of a freed node stay, so that what it would have to hand on is missed."""
    x = leaf(3)
    inner = x * 3
    (inner * 2).sum().backward()
    with pytest.raises(cg.GradError, match="retain_graph"):
        autograd.grad((inner * inner).sum(), x)
    other = leaf(3)
    (g,) = autograd.grad((inner * other).sum(), other)  # the freed part does not lead there
    assert np.array_equal(g.data, inner.data)

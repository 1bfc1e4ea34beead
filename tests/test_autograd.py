"""Jacobians, Hessians, gradcheck, switches of recording, checkpoints: as in PyTorch, and words for what cannot be."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import Tensor, nn
from chalkgrad.autograd import functional
from chalkgrad.utils.checkpoint import checkpoint, checkpoint_sequential

A, B = np.random.default_rng(0).standard_normal(3), np.random.default_rng(1).standard_normal((2, 3))

# Functions of one or two inputs, in either library, and those inputs; the last ones return one number.
FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "one": (lambda x: x.sin() * x.sum(), (A,)),
    "two": (lambda x, y: (x * y).sum(1), (A, B)),
    "two to two": (lambda x, y: (x * y, y.exp().sum()), (A, B)),
    "unused": (lambda x, y: x * 2, (A, B)),
    "a number": (lambda x: (x**3).sum(), (A,)),
    "a number of two": (lambda x, y: (x * y * y).sum() + (x**3).sum(), (A, B)),
}
NUMBERS = [name for name in FUNCTIONS if name.startswith("a number")]


def same(one: Any, other: Any) -> None:
    if isinstance(other, tuple):
        assert isinstance(one, tuple) and len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            same(a, b)
        return
    assert one.shape == tuple(other.shape) and one.requires_grad == other.requires_grad
    np.testing.assert_allclose(one.data, other.detach().numpy(), rtol=1e-9, atol=1e-12)


def given(make: Callable[[Any], Any], arrays: tuple[Any, ...]) -> Any:
    """One Tensor alone, several in a tuple."""
    return make(arrays[0]) if len(arrays) == 1 else tuple(map(make, arrays))


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("vectorize", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_jacobian(name: str, vectorize: bool, create_graph: bool) -> None:
    f, arrays = FUNCTIONS[name]
    one, other = given(Tensor, arrays), given(torch.tensor, arrays)
    mine = functional.jacobian(f, one, create_graph, vectorize=vectorize)
    theirs = torch.autograd.functional.jacobian(f, other, create_graph, vectorize=vectorize)
    if create_graph:  # whether a derivative that is constant has a graph is nobody's business
        mine, theirs = detached(mine), detached(theirs)
    same(mine, theirs)


def detached(value: Any) -> Any:
    return tuple(map(detached, value)) if isinstance(value, tuple) else value.detach()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_forward_mode(name: str) -> None:
    f, arrays = FUNCTIONS[name]
    options = {"vectorize": True, "strategy": "forward-mode"}
    expected = functional.jacobian(f, given(Tensor, arrays))
    same(functional.jacobian(f, given(Tensor, arrays), **options), as_torch(expected))


def as_torch(value: Any) -> Any:
    return tuple(map(as_torch, value)) if isinstance(value, tuple) else torch.tensor(value.data)


@pytest.mark.parametrize("vectorize", [False, True])
@pytest.mark.parametrize("name", NUMBERS)
def test_hessian(name: str, vectorize: bool) -> None:
    f, arrays = FUNCTIONS[name]
    same(functional.hessian(f, given(Tensor, arrays), vectorize=vectorize),
         torch.autograd.functional.hessian(f, given(torch.tensor, arrays)))


@pytest.mark.parametrize("product", ["vjp", "jvp", "vhp", "hvp"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_products(name: str, product: str) -> None:
    if product in ("vhp", "hvp") and name not in NUMBERS:
        with pytest.raises(ValueError, match="returns one number"):
            getattr(functional, product)(FUNCTIONS[name][0], given(Tensor, FUNCTIONS[name][1]))
        return
    f, arrays = FUNCTIONS[name]
    rng = np.random.default_rng(2)
    if product == "vjp":
        made = f(*map(Tensor, arrays))
        v: Any = tuple(rng.standard_normal(y.shape) for y in (made if isinstance(made, tuple) else (made,)))
    else:
        v = tuple(rng.standard_normal(array.shape) for array in arrays)
    for options in ({}, {"create_graph": True}):
        one = getattr(functional, product)(f, given(Tensor, arrays), given(Tensor, v), **options)
        theirs = getattr(torch.autograd.functional, product)
        two = theirs(f, given(torch.tensor, arrays), given(torch.tensor, v), **options)
        same(detached(one), detached(two))


def test_results_can_be_differentiated_again() -> None:
    x, torch_x = Tensor(A, requires_grad=True), torch.tensor(A, requires_grad=True)
    for library, leaf in ((cg, x), (torch, torch_x)):
        library.autograd.functional.jacobian(lambda x: x**3, leaf, create_graph=True).sum().backward()
    np.testing.assert_allclose(x.grad.data, torch_x.grad.numpy())


MISUSE: dict[str, tuple[Callable[[Tensor], Any], type[Exception], str]] = {
    "no number": (lambda x: functional.hessian(lambda x: x, x), ValueError, "returns one number"),
    "no vector": (lambda x: functional.vjp(lambda x: x, x), ValueError, "v may be left out"),
    "a short vector": (lambda x: functional.vjp(lambda x: x, x, x[1:]), ValueError, "must be equal"),
    "no Tensor": (lambda x: functional.jacobian(lambda x: x, 3), TypeError, "a Tensor or a tuple"),
    "a number returned": (lambda x: functional.jacobian(lambda x: 3, x), TypeError, "returns a Tensor"),
    "not used": (lambda x: functional.jacobian(lambda x, y: x * 2, (x, x), strict=True), ValueError, "do not depend"),
    "constant": (lambda x: functional.jacobian(lambda x: cg.ones(2), x, strict=True), ValueError, "does not depend"),
    "a strategy": (lambda x: functional.jacobian(lambda x: x, x, strategy="both"), ValueError, "strategy"),
    "forward alone": (lambda x: functional.jacobian(lambda x: x, x, strategy="forward-mode"), ValueError, "vectorize"),
    "strict at once": (lambda x: functional.jacobian(lambda x: x, x, vectorize=True, strict=True), ValueError, "row"),
    "float32": (lambda x: cg.autograd.gradcheck(lambda x: x, cg.ones(1, requires_grad=True)), ValueError, "float64"),
    "nothing to check": (lambda x: cg.autograd.gradcheck(lambda x: x, x), ValueError, "nothing to check"),
    "too few": (lambda x: cg.autograd.backward([x, x], [x]), ValueError, "one for each"),
    "no switch": (lambda x: cg.autograd.set_grad_enabled(1), TypeError, "True or False"),
    "the older way": (lambda x: checkpoint(lambda x: x, x, use_reentrant=True), ValueError, "use_reentrant"),
    "segments": (lambda x: checkpoint_sequential([cg.sin], 2, x), ValueError, "segments"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_is_refused_in_words(name: str) -> None:
    do, error, words = MISUSE[name]
    with pytest.raises(error, match=words):
        do(Tensor(A))


# ---------------------------------------------------------------------------------------------------------- gradcheck


def leaf(*shape: int) -> Tensor:
    return Tensor(np.random.default_rng(3).standard_normal(shape), requires_grad=True)


@pytest.mark.parametrize("fast_mode", [False, True])
def test_gradcheck_finds_what_is_right(fast_mode: bool) -> None:
    for check in (cg.autograd.gradcheck, cg.autograd.gradgradcheck):
        assert check(lambda x, y: (x @ y).tanh(), (leaf(2, 3), leaf(3, 2)), fast_mode=fast_mode)
        assert check(lambda x, y: (x * y, x.exp()), (leaf(3), leaf(2, 3)), fast_mode=fast_mode)
        assert check(lambda x, n: x.exp() * n, (leaf(3), cg.tensor([1, 2, 3])), fast_mode=fast_mode)


@cg.primitive
def bent(x):
    """A square whose derivative is wrong on purpose.

    x (...) -> y (...)
    """
    y = x * x
    return y


@bent.backward
def bent_backward(grad_y, x):
    """It lacks the 2."""
    grad_x = grad_y * x
    return grad_x


@pytest.mark.parametrize("fast_mode", [False, True])
def test_gradcheck_finds_what_is_wrong(fast_mode: bool) -> None:
    with pytest.raises(cg.autograd.GradcheckError, match="but differences say"):
        cg.autograd.gradcheck(bent, leaf(3), fast_mode=fast_mode)
    assert not cg.autograd.gradcheck(bent, leaf(3), raise_exception=False, fast_mode=fast_mode)
    with pytest.raises(cg.autograd.GradcheckError):  # its derivative is that of x²/2 · g, whose own is not 2x
        cg.autograd.gradcheck(lambda x: x.detach() * x, leaf(3), fast_mode=fast_mode)


def test_gradcheck_finds_what_depends_on_chance() -> None:
    def noisy(x: Tensor) -> Tensor:
        return x * cg.rand(3).double()

    with pytest.raises(cg.autograd.GradcheckError, match="second time"):
        cg.autograd.gradcheck(noisy, leaf(3))


# ----------------------------------------------------------------------------------------------------------- switches


def test_set_grad_enabled_in_all_its_forms() -> None:
    x = cg.ones(1, requires_grad=True)
    for library, y in ((cg, x), (torch, torch.ones(1, requires_grad=True))):
        switch = library.autograd.set_grad_enabled if library is cg else torch.set_grad_enabled
        told = []
        with switch(False):
            told.append((y * 2).requires_grad)
            with switch(True):
                told.append((y * 2).requires_grad)
        told.append((y * 2).requires_grad)
        switch(False)
        told.append((y * 2).requires_grad)
        switch(True)
        told.append(switch(False)(lambda y=y: (y * 2).requires_grad)())
        told.append((y * 2).requires_grad)
        assert told == [False, True, True, False, False, True]


@pytest.mark.parametrize("make", [lambda f: cg.inference_mode(f), lambda f: cg.inference_mode()(f)])
def test_inference_mode(make: Any) -> None:
    x = cg.ones(1, requires_grad=True)
    assert not make(lambda: x * 2)().requires_grad
    with cg.inference_mode(False):
        assert (x * 2).requires_grad
    with cg.inference_mode():
        assert not (x * 2).requires_grad
        with cg.inference_mode(False):
            assert not (x * 2).requires_grad


@pytest.mark.parametrize("inputs", [None, [0], [0, 1]])
def test_backward_from_several(inputs: Any) -> None:
    pairs = []
    for make, library in ((Tensor, cg), (torch.tensor, torch)):
        leaves = [make(A), make(A * 2)]
        for each in leaves:
            each.requires_grad_()
        ys = [leaves[0] * leaves[1], leaves[0].sum()]
        chosen = {} if inputs is None else {"inputs": [leaves[i] for i in inputs]}
        library.autograd.backward(ys, [make(A), None], **chosen)
        pairs.append([None if each.grad is None else np.asarray(each.grad.detach()) for each in leaves])
    for one, other in zip(*pairs, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_allclose(one, other)


# -------------------------------------------------------------------------------------------------------- checkpoints


def network() -> nn.Sequential:
    cg.manual_seed(0)
    return nn.Sequential(*(nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Dropout(0.2)) for _ in range(5)))


@pytest.mark.parametrize("segments", [1, 2, 3, 5])
def test_a_checkpoint_changes_no_number(segments: int) -> None:
    """To the last bit, with the same random numbers, for all gradients."""
    x, runs = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32), []
    for call in (lambda model, x: model(x), lambda model, x: checkpoint_sequential(model, segments, x)):
        model, leaf = network(), Tensor(x, requires_grad=True)
        cg.manual_seed(1)
        y = call(model, leaf)
        drawn = cg.rand(3)
        (y * y).sum().backward()
        runs.append([y, drawn, cg.rand(3), leaf.grad, *(parameter.grad for parameter in model.parameters())])
    for one, other in zip(*runs, strict=True):
        np.testing.assert_array_equal(one.data, other.data)


def test_a_checkpoint_forgets() -> None:
    x = cg.rand(4, 6, requires_grad=True)
    y = checkpoint(network(), x)
    node = y.node
    assert not isinstance(object.__getattribute__(node, "saved"), tuple)
    y.sum().backward()


@pytest.mark.parametrize("again", range(2))
def test_checkpoints_of_several_inputs_outputs_and_orders(again: int) -> None:
    """Captured tensors, several results, an input that is not a leaf, second derivatives, a second backward."""
    w, x = leaf(3), leaf(3)

    def f(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        return (a * w).sin(), (a * b).exp() * inner

    for call in (f, lambda *args: checkpoint(f, *args)):
        inner = w * 3
        y, z = call(x * 2, b=w) if again and call is f else call(x * 2, w)
        (g,) = cg.autograd.grad((y * z).sum(), [x], create_graph=True)
        (h,) = cg.autograd.grad(g.sum(), [w])
        results = np.concatenate([y.data, z.data, g.data, h.data])
        expected = results if call is f else expected  # noqa: F821
        np.testing.assert_allclose(results, expected, rtol=1e-12)
    inner = w * 3
    y, z = checkpoint(f, x * 2, w)
    (y * z).sum().backward(retain_graph=True)
    first = x.grad.data.copy()
    (y * z).sum().backward()
    np.testing.assert_allclose(x.grad.data, 2 * first)


def test_a_function_that_does_something_else_is_told() -> None:
    count = itertools.count()
    y = checkpoint(lambda x: x.sin() if next(count) else x.cos().exp(), leaf(3))
    with pytest.raises(RuntimeError, match="other operations"):
        y.sum().backward()


def test_checkpoints_without_a_graph() -> None:
    with cg.no_grad():
        assert not checkpoint(cg.sin, leaf(3)).requires_grad
    assert not checkpoint(cg.sin, cg.ones(3)).requires_grad


def test_a_step_with_checkpoints_compiles() -> None:
    def step_of(model: nn.Module) -> Any:
        optimizer = cg.optim.SGD(model.parameters(), 0.1)

        def step(x: Tensor) -> Tensor:
            optimizer.zero_grad()
            loss = checkpoint_sequential(model, 2, x).square().sum()
            loss.backward()
            optimizer.step()
            return loss

        return step

    x, losses = cg.tensor(np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)), []
    for make in (lambda step: step, cg.compile):
        step = make(step_of(network().eval()))
        losses.append([step(x).item() for _ in range(3)])
    np.testing.assert_allclose(*losses, rtol=1e-6)

"""Clipping gradients, and parameters as one vector: the same as PyTorch, spelled to the last bit, misuse in words."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import ShapeError, Tensor, nn, optim
from chalkgrad.nn import utils
from chalkgrad.nn.utils import clip_grad_norm_, clip_grad_value_, parameters_to_vector, vector_to_parameters

SHAPES = [(3, 4), (5,), (), (2, 0)]
TOLERANCE = {np.float32: 2e-6, np.float64: 1e-14}
# what the gradients hold, beside numbers drawn from the normal distribution
GRADIENTS: dict[str, Callable[[Any], Any]] = {
    "usual": lambda g: g,
    "zero": lambda g: g * 0,
    "large": lambda g: g * 1e6,
    "infinite": lambda g: np.where(g > 0, math.inf, g),
    "no numbers": lambda g: np.where(g > 1, math.nan, g),
}
NORMS = [2.0, 2, 1.0, 3.0, 0.5, -1.0, math.inf, -math.inf, "inf"]
each_dtype = pytest.mark.parametrize("dtype", TOLERANCE)
each_gradient = pytest.mark.parametrize("kind", GRADIENTS)


def twins(kind: str, dtype: Any, shapes: list[Any] = SHAPES) -> tuple[list[Tensor], list[torch.Tensor]]:
    """The same parameters here and in PyTorch, with the same gradients, but one that has none."""
    rng = np.random.default_rng(0)
    gradients = [np.asarray(GRADIENTS[kind](rng.standard_normal(shape)), dtype) for shape in shapes]
    ours = [cg.tensor(np.zeros_like(g), requires_grad=True) for g in gradients]
    theirs = [torch.zeros(g.shape, dtype=getattr(torch, dtype.__name__), requires_grad=True) for g in gradients]
    for one, other, g in zip(ours, theirs, gradients, strict=True):
        one.grad, other.grad = cg.tensor(g), torch.tensor(g)
    ours.append(cg.zeros(2, requires_grad=True))
    theirs.append(torch.zeros(2, requires_grad=True))
    return ours, theirs


def compare(ours: list[Tensor], theirs: list[torch.Tensor], dtype: Any) -> None:
    for one, other in zip(ours, theirs, strict=True):
        assert (one.grad is None) == (other.grad is None)
        if one.grad is not None:
            same(one.grad, other.grad, dtype)


def same(ours: Any, theirs: Any, dtype: Any) -> None:
    assert ours.dtype == dtype and ours.shape == tuple(theirs.shape)
    np.testing.assert_allclose(ours.data, theirs.numpy(), rtol=TOLERANCE[dtype], atol=0)


# -------------------------------------------------------------------------------------------- the same as PyTorch


@each_dtype
@each_gradient
@pytest.mark.parametrize("max_norm", [0.5, 1e9, 0.0])
@pytest.mark.parametrize("norm_type", NORMS)
def test_clipping_by_norm_is_as_in_pytorch(norm_type: Any, max_norm: float, kind: str, dtype: Any) -> None:
    # PyTorch refuses to look for the largest of no numbers
    shapes = SHAPES[:3] if math.isinf(float(norm_type)) or float(norm_type) < 0 else SHAPES
    ours, theirs = twins(kind, dtype, shapes)
    with np.errstate(all="ignore"):
        norm = clip_grad_norm_(ours, max_norm, norm_type)
    same(norm, torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type, foreach=False), dtype)
    compare(ours, theirs, dtype)


@each_dtype
@each_gradient
@pytest.mark.parametrize("clip_value", [0.5, 1e9, 0, math.inf])
def test_clipping_by_value_is_as_in_pytorch(clip_value: float, kind: str, dtype: Any) -> None:
    ours, theirs = twins(kind, dtype)
    assert clip_grad_value_(ours, clip_value) is None  # type: ignore[func-returns-value]
    torch.nn.utils.clip_grad_value_(theirs, clip_value, foreach=False)
    compare(ours, theirs, dtype)


@each_dtype
def test_the_two_halves_are_as_in_pytorch(dtype: Any) -> None:
    ours, theirs = twins("usual", dtype)
    norm, torch_norm = utils.get_total_norm([p.grad for p in ours if p.grad is not None], 3.0), None
    torch_norm = torch.nn.utils.get_total_norm([p.grad for p in theirs if p.grad is not None], 3.0)
    same(norm, torch_norm, dtype)
    utils.clip_grads_with_norm_(ours, 0.5, norm)
    torch.nn.utils.clip_grads_with_norm_(theirs, 0.5, torch_norm)
    compare(ours, theirs, dtype)


def test_gradients_of_two_dtypes_have_one_norm() -> None:
    ours, theirs = twins("usual", np.float32)
    more, torch_more = twins("usual", np.float64)
    norm = clip_grad_norm_(ours + more, 0.1)
    torch_norm = torch.nn.utils.clip_grad_norm_(theirs + torch_more, 0.1, foreach=False)
    assert norm.dtype == np.float64 and str(torch_norm.dtype) == "torch.float64"
    for one, other in [(norm, torch_norm), *((p.grad, q.grad) for p, q in zip(ours + more, theirs + torch_more))]:
        if one is not None:  # half of them were summed up in float32
            np.testing.assert_allclose(one.data, other.numpy(), rtol=TOLERANCE[np.float32])


@pytest.mark.parametrize("given", [lambda p: p, lambda p: [p], lambda p: (p,), lambda p: iter([p]), lambda p: {p: 1}])
def test_parameters_come_in_any_way(given: Any) -> None:
    parameter = cg.tensor([0.0, 0.0], requires_grad=True)
    parameter.grad = gradient = cg.tensor([30.0, 40.0])
    version = gradient.version[0]
    assert clip_grad_norm_(given(parameter), 5.0).tolist() == 50.0
    assert parameter.grad is gradient and gradient.version[0] > version
    np.testing.assert_allclose(gradient.data, [3, 4], rtol=1e-6)
    clip_grad_value_(given(parameter), 3.5)
    np.testing.assert_allclose(gradient.data, [3, 3.5], rtol=1e-6)


def test_nothing_to_clip_has_the_norm_zero() -> None:
    norm = clip_grad_norm_([cg.zeros(2, requires_grad=True)], 1.0)
    assert (norm.tolist(), norm.dtype, norm.shape) == (0.0, np.float32, ())
    assert utils.get_total_norm([], -math.inf).tolist() == torch.nn.utils.get_total_norm([], -math.inf).item()


# -------------------------------------------------------------------------------------------------------- vectors


@each_dtype
def test_vectors_are_as_in_pytorch(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    arrays = [np.asarray(rng.standard_normal(shape), dtype) for shape in SHAPES]
    ours, theirs = [Tensor(a, requires_grad=True) for a in arrays], [torch.tensor(a) for a in arrays]
    vector = parameters_to_vector(ours)
    same(vector.detach(), torch.nn.utils.parameters_to_vector(theirs), dtype)
    (vector * vector).sum().backward()
    for one, array in zip(ours, arrays, strict=True):
        np.testing.assert_array_equal(one.grad.data, 2 * array)
    vector_to_parameters(2 * vector, ours)
    torch.nn.utils.vector_to_parameters(torch.from_numpy(2 * vector.detach().numpy()), theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert one.is_leaf and one.requires_grad
        same(one.detach(), other, dtype)


# --------------------------------------------------------------------------------------------------- spelled steps


def by_norm(*options: Any) -> Callable[[nn.Module], Any]:
    return lambda model: clip_grad_norm_(model.parameters(), *options)


def through_vector(model: nn.Module) -> Tensor:
    with cg.no_grad():
        vector = parameters_to_vector(model.parameters())
    vector_to_parameters(0.9 * vector, model.parameters())
    return vector


STEPS: dict[str, Callable[[nn.Module], Any]] = {
    **{f"norm {p}": by_norm(0.05, p) for p in (2.0, 1, 3.0, math.inf, -math.inf)},
    "norm, not reached": by_norm(1e6),
    "norm of one": lambda model: clip_grad_norm_(model[0].weight, 0.01),
    "value": lambda model: clip_grad_value_(model.parameters(), 0.01) or cg.zeros(),
    "by hand": lambda model: sum(p.grad.clamp_(-0.01, 0.01).sum() for p in model.parameters()),
    "in two halves": lambda model: utils.clip_grads_with_norm_(
        model.parameters(), 0.05, utils.get_total_norm([model[0].weight.grad])) or cg.zeros(),
    "another Tensor as the norm": lambda model: utils.clip_grads_with_norm_(
        model.parameters(), 0.05, model[0].bias.grad.abs().max()) or cg.zeros(),
    "through a vector": through_vector,
}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_that_clips_is_spelled_to_the_last_bit(name: str) -> None:
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))
    optimizer = optim.SGD(model.parameters(), 0.1, momentum=0.9)
    loss_of = nn.CrossEntropyLoss()

    def step(x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        optimizer.zero_grad()
        loss = loss_of(model(x), target)
        loss.backward()
        norm = STEPS[name](model)
        optimizer.step()
        return loss, norm

    rng = np.random.default_rng(1)
    batches = [(rng.standard_normal((8, 6), np.float32), rng.integers(0, 3, 8)) for _ in range(5)]
    program = cg.spell(step, *batches[0], model=model, optimizer=optimizer)
    params, state = program.start()
    for x, target in batches:
        expected = [result.data for result in step(Tensor(x), Tensor(target))]
        for mine, other in zip(program.run(params, state, x, target), expected, strict=True):
            np.testing.assert_array_equal(mine, other)
    for path, parameter in model.named_parameters():
        np.testing.assert_array_equal(params[path], parameter.data)


# --------------------------------------------------------------------------------------------------------- misuse


def test_a_norm_that_is_not_finite_is_refused_and_changes_nothing() -> None:
    ours, _ = twins("infinite", np.float64)
    before = [copy.deepcopy(p.grad) for p in ours]
    with pytest.raises(RuntimeError, match="norm of the gradients is inf, to which nothing can be shrunk"):
        clip_grad_norm_(ours, 1.0, error_if_nonfinite=True)
    for one, was in zip(ours, before, strict=True):
        assert one.grad is was is None or np.array_equal(one.grad.data, was.data)


def nonfinite_in_a_step() -> None:
    model = nn.Linear(2, 1)

    def step(x: Tensor) -> Tensor:
        model.zero_grad()
        model(x).sum().backward()
        return clip_grad_norm_(model.parameters(), 1.0, error_if_nonfinite=True)

    cg.spell(step, np.ones((3, 2), np.float32), model=model)


MISUSE: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no Tensor": (lambda: clip_grad_norm_([1.0], 1.0), TypeError, "number 0 is a float. Give model.parameters()"),
    "a kernel": (lambda: clip_grad_norm_([cg.ones(1)], 1.0, foreach=True), TypeError, "chooses a kernel of PyTorch's"),
    "a kernel for values": (lambda: clip_grad_value_(cg.ones(1), 1.0, foreach=True), TypeError, "chooses a kernel"),
    "norm 0": (lambda: clip_grad_norm_(cg.ones(1), 1.0, 0), ValueError, "norm_type is 0; expected a number such as 2"),
    "norm nan": (lambda: clip_grad_norm_(cg.ones(1), 1.0, math.nan), ValueError, "norm_type is nan"),
    "read already": (lambda: clip_grad_norm_(iter([]), 1.0), UserWarning, "generator with nothing in it"),
    "in a spelled step": (nonfinite_in_a_step, cg.SpellError, "error_if_nonfinite=True looks at the norm"),
    "no parameters": (lambda: parameters_to_vector([]), ValueError, "no parameters"),
    "too many numbers": (lambda: vector_to_parameters(cg.ones(3), [cg.ones(2)]), ShapeError, r"hold 2 numbers.*\(3,\)"),
    "no vector": (lambda: vector_to_parameters(cg.ones(2, 1), [cg.ones(2)]), ShapeError, r"\(2,\) was expected"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_is_refused_in_words(name: str) -> None:
    do, kind, words = MISUSE[name]
    with pytest.raises(kind, match=words):
        do()

"""RMSNorm, SiLU and BCELoss: the same numbers as PyTorch over every option, special values, misuse in words."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import Tensor, nn
from chalkgrad.nn import functional as F
from chalkgrad.ops.special import erf_near, largest_along, sum_along

from .test_layers_b import BACKWARD, FORWARD, REDUCTIONS, close, each_dtype, second_derivatives_agree, twins

LAYERS: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("RMSNorm", {"normalized_shape": 4}, (3, 4)),
    ("RMSNorm", {"normalized_shape": [4], "eps": 0.1}, (2, 3, 4)),
    ("RMSNorm", {"normalized_shape": (3, 4)}, (2, 3, 4)),
    ("RMSNorm", {"normalized_shape": 4, "elementwise_affine": False}, (3, 4)),
    ("RMSNorm", {"normalized_shape": 4}, (4,)),
    ("SiLU", {}, (3, 4)),
    ("SiLU", {}, ()),
]


def loss_cases() -> Iterator[tuple[dict[str, Any], Any, Any]]:
    """Yield options, probabilities, targets; arrays among the options become tensors of either library."""
    rng = np.random.default_rng(1)
    for reduction, weight, shape in itertools.product(REDUCTIONS, [None, (4,), (3, 1), (3, 4)], [(3, 4)]):
        options = {"reduction": reduction} | ({} if weight is None else {"weight": rng.random(weight)})
        yield options, rng.uniform(0.05, 0.95, shape), rng.random(shape)
        yield options, rng.uniform(0.05, 0.95, shape), rng.integers(0, 2, shape) * 1.0


LOSSES = list(loss_cases())


def twin_modules(name: str, options: dict[str, Any], dtype: Any) -> tuple[Any, Any]:
    """The same module here and in PyTorch, with weights that are not all ones."""
    arrays = {key: value.astype(dtype) for key, value in options.items() if isinstance(value, np.ndarray)}
    ours = getattr(nn, name)(**options | {key: cg.tensor(value) for key, value in arrays.items()}).to(dtype)
    theirs = getattr(torch.nn, name)(**options | {key: torch.tensor(value) for key, value in arrays.items()})
    for parameter in ours.parameters():
        parameter.data[:] = 0.5 + np.random.default_rng(2).random(parameter.shape)
    state = ours.state_dict()
    assert list(state) == list(theirs.state_dict())
    theirs.to(getattr(torch, dtype.__name__)).load_state_dict({k: torch.tensor(v.data) for k, v in state.items()})
    return ours, theirs


@each_dtype
@pytest.mark.parametrize("name, options, shape", LAYERS)
def test_layer_is_as_in_pytorch(name: str, options: dict[str, Any], shape: tuple[int, ...], dtype: Any) -> None:
    rng = np.random.default_rng(3)
    ours, theirs = twin_modules(name, options, dtype)
    assert theirs.extra_repr() == ours.extra_repr()
    (x, torch_x), seed = twins(2 + 3 * rng.standard_normal(shape), dtype), rng.standard_normal(shape).astype(dtype)
    y, torch_y = ours(x), theirs(torch_x)
    close(y, torch_y, FORWARD[dtype])
    y.backward(cg.tensor(seed))
    torch_y.backward(torch.tensor(seed))
    close(x.grad, torch_x.grad, BACKWARD[dtype])
    for (_, parameter), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        close(parameter.grad, other.grad, BACKWARD[dtype])


@pytest.mark.parametrize("name, options, shape", LAYERS)
def test_layer_has_second_derivatives(name: str, options: dict[str, Any], shape: tuple[int, ...]) -> None:
    ours, theirs = twin_modules(name, options, np.float64)
    x, torch_x = twins(np.random.default_rng(4).standard_normal(shape), np.float64)
    second_derivatives_agree(ours(x), [x, *ours.parameters()], theirs(torch_x), [torch_x, *theirs.parameters()])


@each_dtype
@pytest.mark.parametrize("options, p, y", LOSSES)
def test_loss_is_as_in_pytorch(options: dict[str, Any], p: Any, y: Any, dtype: Any) -> None:
    ours, theirs = twin_modules("BCELoss", options, dtype)
    (x, torch_x), target = twins(p, dtype), y.astype(dtype)
    loss, torch_loss = ours(x, cg.tensor(target)), theirs(torch_x, torch.tensor(target))
    close(loss, torch_loss, FORWARD[dtype])
    loss.backward(cg.ones_like(loss))
    torch_loss.backward(torch.ones_like(torch_loss))
    close(x.grad, torch_x.grad, BACKWARD[dtype])


@pytest.mark.parametrize("options, p, y", LOSSES)
def test_loss_has_second_derivatives(options: dict[str, Any], p: Any, y: Any) -> None:
    ours, theirs = twin_modules("BCELoss", options, np.float64)
    (x, torch_x), (target, torch_target) = twins(p, np.float64), twins(y, np.float64)
    loss, torch_loss = ours(x, target.detach()), theirs(torch_x, torch_target.detach())
    second_derivatives_agree(loss, [x], torch_loss, [torch_x])


# ------------------------------------------------------------------------------------------------- special values


@each_dtype
@pytest.mark.parametrize("p, y", [*itertools.product([0.0, 1e-20, 0.5, 1.0], [0.0, 0.5, 1.0])])
def test_loss_of_the_certain_is_as_in_pytorch(p: float, y: float, dtype: Any) -> None:
    """No logarithm is below -100, no slope above 10¹², and no warning is given: warnings are errors here."""
    (x, torch_x), target = twins(np.array([p]), dtype), np.array([y], dtype)
    loss = F.binary_cross_entropy(x, cg.tensor(target))
    torch_loss = torch.nn.functional.binary_cross_entropy(torch_x, torch.tensor(target))
    close(loss, torch_loss, FORWARD[dtype])
    loss.backward()
    torch_loss.backward()
    close(x.grad, torch_x.grad, (max(BACKWARD[dtype][0], 1e-8), 0))  # PyTorch has its 10⁻¹² in float32


SPECIAL: dict[str, tuple[Callable[[Tensor], Tensor], list[Any], Any, Any]] = {
    "silu": (F.silu, [-1000.0, 0.0, 1000.0], [0, 0, 1000], [0, 0.5, 1]),
    "rms_norm of zeros": (lambda x: F.rms_norm(x, (2,), eps=0.25), [0.0, 0.0], [0, 0], [2, 2]),
    "rms_norm of one": (lambda x: F.rms_norm(x, (1,), eps=0.0), [[3.0], [-4.0]], [[1], [-1]], [[0], [0]]),
}


@pytest.mark.parametrize("name", SPECIAL)
def test_special_values(name: str) -> None:
    function, values, value, slope = SPECIAL[name]
    x = cg.tensor(values, requires_grad=True)
    y = function(x)
    np.testing.assert_allclose(y.data, value, atol=1e-6)
    y.sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.data, slope, atol=1e-6)


def test_changed_output_spoils_no_gradient() -> None:
    """Without a weight the output equals what is remembered, but must not be it."""
    grads = []
    for change in (0.0, 5.0):
        x = cg.tensor([[0.0, 2.0], [3.0, 1.0]], requires_grad=True)
        y = F.rms_norm(x, (2,))
        y += change
        (y * cg.tensor([[1.0, 2.0], [0.0, 1.0]])).sum().backward()
        assert x.grad is not None
        grads.append(x.grad.tolist())
    assert grads[0] == grads[1]


# ------------------------------------------------------------------------------------------- what rules are made of


@pytest.mark.parametrize("shape, axis", [((), 0), ((), -1), ((3,), 0), ((3, 4), -1), ((3, 4), 1), ((3, 4), 0),
                                         ((2, 3, 4), 1), ((2, 3, 4), -1), ((2, 3, 4), -2)])  # fmt: skip
def test_fast_reductions_agree_with_numpy(shape: tuple[int, ...], axis: int) -> None:
    x = np.random.default_rng(0).standard_normal(shape)
    np.testing.assert_allclose(sum_along(x, axis), x.sum(axis=axis, keepdims=True), rtol=1e-14)
    np.testing.assert_array_equal(largest_along(x, axis), x.max(axis=axis, keepdims=True), strict=True)


@pytest.mark.parametrize("function", [sum_along, largest_along])
def test_fast_reductions_refuse_an_axis_that_is_not_there(function: Callable[..., Any]) -> None:
    for axis in (2, 3, -3):
        with pytest.raises(np.exceptions.AxisError):
            function(np.ones((3, 4)), axis)


def test_a_largest_number_that_is_none_is_seen() -> None:
    assert np.isnan(largest_along(np.array([[1.0, np.nan, 2.0]]), -1)).all()


def test_the_sum_of_a_long_row_is_as_exact_as_a_sum_can_be() -> None:
    x = np.random.default_rng(0).random((4, 50_000), np.float32)
    np.testing.assert_allclose(sum_along(x, -1), x.sum(-1, keepdims=True, dtype=np.float64), rtol=1e-6)


def test_the_error_function_of_float32_is_true_to_the_last_bits() -> None:
    x = np.linspace(-8, 8, 100_001, dtype=np.float32)
    true = torch.erf(torch.tensor(x, dtype=torch.float64)).numpy()
    np.testing.assert_allclose(erf_near(x), true, rtol=3e-7)
    np.testing.assert_array_equal(erf_near(np.array([-1e30, 1e30, -np.inf, np.nan], np.float32)), [-1, 1, -1, np.nan])


# ---------------------------------------------------------------------------------------------------------- misuse

ROWS = cg.zeros(4, 3)
MISUSE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: nn.RMSNorm(()), ValueError, "normalized_shape is empty"),
    (lambda: nn.RMSNorm(4)(ROWS), ValueError, "normalized_shape is (4,), but input has shape (4, 3)"),
    (lambda: F.rms_norm(ROWS, (3,), cg.ones(1)), ValueError, "weight has shape (1,)"),
    (lambda: nn.BCELoss(reduction="average"), ValueError, "'none', 'mean' or 'sum', but 'average' came"),
    (lambda: F.binary_cross_entropy(ROWS, ROWS, reduction="average"), ValueError, "'average' came"),
    (lambda: F.binary_cross_entropy(cg.zeros(4), cg.zeros(4, 1)), ValueError, "(4,), but target (4, 1)"),
    (lambda: F.binary_cross_entropy(cg.zeros(2), cg.tensor([0, 1])), TypeError, "target.float()"),
    (lambda: F.binary_cross_entropy(cg.tensor([2.0]), cg.tensor([1.0])), ValueError, "Is a sigmoid missing?"),
    (lambda: F.binary_cross_entropy(cg.tensor([-0.5]), cg.tensor([1.0])), ValueError, "from -0.5 to -0.5"),
]


@pytest.mark.parametrize("call, error, words", MISUSE)
def test_misuse_is_told_in_words(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)

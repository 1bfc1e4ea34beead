"""What the table of activations cannot say: functions that write over their input, draws, far out numbers, dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import Tensor, nn
from chalkgrad.nn import functional as F

from .pairs import BACKWARD, FORWARD, agree, both

RNG = np.random.default_rng(0)

# ------------------------------------------------------------------------------------------------ over the input

UNDERSCORED = {
    "celu_": (0.5,), "elu_": (0.5,), "hardtanh_": (-0.5, 0.5), "leaky_relu_": (0.25,), "relu_": (), "rrelu_": (),
    "selu_": (), "threshold_": (0.25, 2.0),
}


@pytest.mark.parametrize("name", UNDERSCORED)
def test_functions_with_an_underscore_write_over_their_input(name: str) -> None:
    arguments, (leaf, torch_leaf) = UNDERSCORED[name], both(RNG.standard_normal((3, 4)), np.float64, learns=True)
    x, torch_x = leaf * 1, torch_leaf * 1
    y = getattr(F, name)(x, *arguments)
    getattr(torch.nn.functional, name)(torch_x, *arguments)
    assert y is x
    agree(x, torch_x, FORWARD, name)
    x.sum().backward()
    torch_x.sum().backward()
    agree(leaf.grad, torch_leaf.grad, BACKWARD, name)


# Functions that may be told `inplace`, and PyTorch's arguments before it.
INPLACE = {
    "celu": (0.5,), "elu": (0.5,), "hardsigmoid": (), "hardswish": (), "hardtanh": (-0.5, 0.5), "leaky_relu": (0.25,),
    "mish": (), "relu": (), "relu6": (), "rrelu": (0.25, 0.5, False), "selu": (), "silu": (), "threshold": (0.25, 2.0),
}


@pytest.mark.parametrize("name", INPLACE)
def test_inplace_comes_last(name: str) -> None:
    x = cg.tensor(RNG.standard_normal((3, 4)))
    expected = getattr(F, name)(x.clone(), *INPLACE[name])
    y = getattr(F, name)(x, *INPLACE[name], True)
    assert y is x
    np.testing.assert_array_equal(x.data, expected.data)


# -------------------------------------------------------------------------------------------------------- far out

FAR = np.array([np.inf, -np.inf, 0.0, -0.0, 1e30, -1e30, 100.0, -100.0, 20.0, -20.0])
ALL = [
    "celu", "elu", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "logsigmoid", "mish",
    "relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softshrink", "softsign", "tanh", "tanhshrink",
]
# PyTorch says nan where a limit is known.
LIMITS = {"gelu": np.inf, "mish": np.inf, "softsign": 0}


@pytest.mark.filterwarnings("ignore:invalid value|overflow")
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", ALL)
def test_what_is_far_out(name: str, dtype: Any) -> None:
    numbers = FAR if name not in LIMITS else FAR[np.isfinite(FAR)]
    (x, torch_x) = both(numbers, dtype, learns=True)
    y, torch_y = getattr(F, name)(x), getattr(torch.nn.functional, name)(torch_x)
    np.testing.assert_allclose(y.data, torch_y.detach(), rtol=1e-6, atol=1e-6)
    y.sum().backward()
    torch_y.sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.data, torch_x.grad, rtol=1e-6, atol=1e-6)


# --------------------------------------------------------------------------------------------------------- dtypes


@pytest.mark.parametrize("function", [F.softmax, F.log_softmax, F.softmin], ids=lambda f: f.__name__)
def test_a_softmax_may_be_taken_in_another_dtype(function: Callable[..., Tensor]) -> None:
    x = cg.tensor([[1, 2, 3]])
    assert function(x, 1, dtype=cg.float64).dtype == np.float64
    assert function(x.float(), dim=1, dtype=cg.float64).dtype == np.float64
    assert function(x.float(), -1).dtype == np.float32


@pytest.mark.parametrize("function", [F.softmax, F.log_softmax, F.softmin], ids=lambda f: f.__name__)
def test_a_softmax_needs_an_axis(function: Callable[..., Tensor]) -> None:
    with pytest.raises(ValueError, match=r"along which axis of \(1, 3\)"):
        function(cg.ones(1, 3))
    assert function(cg.ones(2, 0), 1).shape == (2, 0)


# ---------------------------------------------------------------------------------------------------------- draws


def test_slopes_are_drawn_between_their_bounds() -> None:
    cg.manual_seed(0)
    x = (cg.ones(100_000) * -1).requires_grad_()
    y = F.rrelu(x, 0.25, 0.75, training=True)
    assert y.data.min() >= -0.75 and y.data.max() <= -0.25
    np.testing.assert_allclose([y.data.mean(), y.data.var()], [-0.5, 0.5**2 / 12], rtol=0.02)
    y.sum().backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.data, -y.data)
    np.testing.assert_array_equal(F.rrelu(x, 0.25, 0.75).detach().data, np.full(100_000, -0.5, np.float32))


def test_a_gumbel_softmax_draws_by_the_chances() -> None:
    cg.manual_seed(0)
    chances = np.array([0.1, 0.2, 0.7])
    drawn = F.gumbel_softmax(cg.tensor(np.tile(np.log(chances), (50_000, 1))), tau=0.5, hard=True)
    np.testing.assert_array_equal(np.unique(drawn.data), [0, 1])
    np.testing.assert_array_equal(drawn.data.sum(1), 1)
    np.testing.assert_allclose(drawn.data.mean(0), chances, atol=0.01)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_a_hard_draw_has_the_gradient_of_the_soft_one(dim: int) -> None:
    logits, weight = RNG.standard_normal((3, 4)), cg.tensor(RNG.standard_normal((3, 4)))
    draws, gradients = [], []
    for hard in (False, True):
        cg.manual_seed(7)
        x = cg.tensor(logits, requires_grad=True)
        draws.append(F.gumbel_softmax(x, tau=0.5, hard=hard, dim=dim))
        (draws[-1] * weight).sum().backward()
        gradients.append(x.grad.data)  # type: ignore[union-attr]
    soft, hard_one = (draw.detach().data for draw in draws)
    np.testing.assert_allclose(soft.sum(dim), 1)
    np.testing.assert_array_equal(hard_one.argmax(dim), soft.argmax(dim))
    np.testing.assert_allclose(gradients[1], gradients[0], rtol=1e-12)


@pytest.mark.parametrize("hard", [False, True])
def test_a_compiled_step_draws_anew(hard: bool) -> None:
    def make() -> tuple[nn.Module, Callable[[Tensor], Tensor]]:
        cg.manual_seed(3)
        model = nn.Linear(3, 4)

        def step(x: Tensor) -> Tensor:
            model.zero_grad()
            loss = (F.gumbel_softmax(F.rrelu(model(x), training=True), hard=hard) * cg.arange(4)).sum()
            loss.backward()
            return loss

        return model, step

    (one, eager), (two, step) = make(), make()
    compiled = cg.compile(step)
    batches = [cg.tensor(RNG.standard_normal((5, 3)).astype(np.float32)) for _ in range(3)]
    losses = []
    for model, function in ((one, eager), (two, compiled)):
        cg.manual_seed(5)
        losses.append([function(x).item() for x in batches])
        losses[-1] += model.weight.grad.data.ravel().tolist()  # type: ignore[union-attr]
    assert losses[0] == losses[1]


MISUSE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: F.gumbel_softmax(cg.ones(3), tau=0), ValueError, "above 0, but 0 came"),
    (lambda: F.gumbel_softmax(cg.ones(3), eps=0.1), ValueError, "no effect"),
    (lambda: F.gumbel_softmax(cg.ones(3), dim=1), IndexError, "no axis 1"),
    (lambda: F.celu(cg.ones(3), 0.0), ValueError, "cannot be 0"),
    (lambda: F.hardtanh(cg.ones(3), 1.0, -1.0), ValueError, "1.0 and -1.0 came"),
    (lambda: F.rrelu(cg.ones(3), 1.0, 0.5), ValueError, "1.0 and 0.5 came"),
    (lambda: F.prelu(cg.ones(2, 3), cg.ones(2)), ValueError, "3 channels"),
    (lambda: F.softshrink(cg.ones(3), -1.0), ValueError, "0 or above"),
    (lambda: F.softplus(cg.ones(3), beta=0), ValueError, "cannot be 0"),
    (lambda: F.elu(np.ones(3), inplace=True), TypeError, "writes over a Tensor, but a ndarray came"),
    (lambda: F.relu_(cg.ones(3, requires_grad=True)), RuntimeError, "leaf"),
]


@pytest.mark.parametrize("call, error, words", MISUSE)
def test_misuse_is_told_in_words(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()

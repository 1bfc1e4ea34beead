"""Methods that write over their tensor, and their kin: the same numbers as PyTorch, and gradients through them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import GradError, Tensor, nn
from chalkgrad.engine.primitive import Primitive
from chalkgrad.nn import functional as F

RNG = np.random.default_rng(0)
Y, Z, MASK = RNG.standard_normal((3, 4)), RNG.uniform(0.5, 2, (3, 4)), RNG.random((3, 4)) < 0.5

# What is done to x; y, z and a mask are others of its shape. The same text runs in both libraries.
METHODS: dict[str, Callable[..., Any]] = {
    "add_ alpha": lambda x, y, z, mask: x.add_(y, alpha=0.1),
    "add alpha": lambda x, y, z, mask: x.add(y, alpha=0.1),
    "add_": lambda x, y, z, mask: x.add_(y),
    "sub_ alpha": lambda x, y, z, mask: x.sub_(y, alpha=2),
    "sub alpha": lambda x, y, z, mask: x.sub(2.0, alpha=3),
    "mul_, add_": lambda x, y, z, mask: x.mul_(0.9).add_(y, alpha=1 - 0.9),
    "lerp_": lambda x, y, z, mask: x.lerp_(y, 0.1),
    "lerp": lambda x, y, z, mask: x.lerp(y, z),
    "addcmul_": lambda x, y, z, mask: x.addcmul_(y, z, value=0.1),
    "addcmul": lambda x, y, z, mask: x.addcmul(y, z),
    "addcdiv_": lambda x, y, z, mask: x.addcdiv_(y, z, value=-0.1),
    "addcdiv": lambda x, y, z, mask: x.addcdiv(y, z),
    "clamp_": lambda x, y, z, mask: x.clamp_(-0.5, 0.5),
    "clamp_ max": lambda x, y, z, mask: x.clamp_(max=0.25),
    "clip_": lambda x, y, z, mask: x.clip_(min=0.25),
    "fill_": lambda x, y, z, mask: x.mul(1).fill_(0.1) + x,
    "zero_": lambda x, y, z, mask: x.mul(1).zero_() + x,
    "copy_": lambda x, y, z, mask: x.copy_(y[0]),
    "masked_fill_": lambda x, y, z, mask: x.masked_fill_(mask, 0.1),
    "masked_fill": lambda x, y, z, mask: x.masked_fill(mask, -2.0),
    "relu_": lambda x, y, z, mask: x.relu_(),
    "tanh_": lambda x, y, z, mask: x.tanh_(),
    "sigmoid_": lambda x, y, z, mask: x.sigmoid_(),
    **{f"{name}_": lambda x, y, z, mask, name=name: getattr(x, f"{name}_")()
       for name in ("abs", "ceil", "cos", "erf", "exp", "expm1", "floor", "neg", "round", "sign", "sin", "square",
                    "tan")},
    **{f"{name}_": lambda x, y, z, mask, name=name: getattr(x.add_(4.0), f"{name}_")()
       for name in ("log", "log1p", "sqrt")},
    "split": lambda x, y, z, mask: x.split(2)[1] * 2,
    "split, the last smaller": lambda x, y, z, mask: x.split(3, 1)[1] * 2,
    "split by sizes": lambda x, y, z, mask: x.split([1, 3], dim=-1)[1] * 2,
    "split into one": lambda x, y, z, mask: x.split(10)[0] * 2,
    "chunk": lambda x, y, z, mask: x.chunk(2)[0] * 2,
    "chunk, fewer": lambda x, y, z, mask: x.chunk(3, dim=1)[1] * 2,
    "chunk, too many": lambda x, y, z, mask: x.chunk(10)[2] * 2,
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", METHODS)
def test_values_and_gradients_are_those_of_pytorch(name: str, dtype: Any) -> None:
    arrays = [array.astype(dtype) for array in (np.random.default_rng(1).standard_normal((3, 4)), Y, Z)]
    ours = [Tensor(array, requires_grad=True) for array in arrays]
    theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
    y = METHODS[name](ours[0] * 1, *ours[1:], Tensor(MASK))
    torch_y = METHODS[name](theirs[0] * 1, *theirs[1:], torch.tensor(MASK))
    assert y.shape == tuple(torch_y.shape) and y.dtype == dtype
    tolerance = {"rtol": 2e-6, "atol": 2e-6} if dtype == np.float32 else {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(y.data, torch_y.detach().numpy(), **tolerance)
    if y.requires_grad:
        y.sum().backward()
        torch_y.sum().backward()
    for one, other in zip(ours, theirs, strict=True):
        slope, torch_slope = (np.zeros((3, 4)) if x.grad is None else np.asarray(x.grad) for x in (one, other))
        np.testing.assert_allclose(slope, torch_slope, **tolerance)


@pytest.mark.parametrize("name", [name for name in METHODS if name.split()[0].rstrip(",").endswith("_")])
def test_what_writes_over_its_tensor_returns_it(name: str) -> None:
    x = Tensor(np.random.default_rng(1).standard_normal((3, 4)))
    memory, version = x.data, x.version[0]
    y = METHODS[name](x, Tensor(Y), Tensor(Z), Tensor(MASK))
    if name not in ("fill_", "zero_"):  # these are done to a copy here
        assert y is x and x.data is memory and x.version[0] > version


def test_every_piece_is_a_view() -> None:
    x = cg.arange(6.0)
    for piece in (*x.split(4), *x.chunk(2)):
        piece.add_(1)
    assert x.tolist() == [2, 3, 4, 5, 6, 7]
    assert [piece.shape for piece in cg.zeros(0, 2).split(3)] == [(0, 2)]
    assert [piece.shape for piece in cg.zeros(5, 2).chunk(4)] == [tuple(p.shape) for p in torch.zeros(5, 2).chunk(4)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_random_numbers_are_drawn_in_place_from_one_generator(dtype: Any) -> None:
    x = cg.zeros(10_000, dtype=dtype)
    assert x.normal_(5, 2) is x and x.dtype == dtype
    np.testing.assert_allclose([x.data.mean(), x.data.std()], [5, 2], atol=0.1)
    x.uniform_(-1, 3)
    assert -1 <= x.data.min() < -0.99 and 2.99 < x.data.max() <= 3
    drawn = [draw(generator=np.random.default_rng(0)).tolist() for draw in (
        x.normal_, lambda generator: cg.randn_like(x, generator=generator),
        lambda generator: cg.randn(10_000, generator=generator, dtype=dtype))]  # fmt: skip
    assert drawn[0] == drawn[1] == drawn[2]
    assert cg.rand_like(x, dtype=np.float64).dtype == np.float64


# --------------------------------------------------------------------------------- activations that take `inplace`


PAIRS = [("relu", {}), ("leaky_relu", {"negative_slope": 0.1}), ("silu", {})]
KINDS = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "silu": nn.SiLU}


@pytest.mark.parametrize("name, options", PAIRS)
@pytest.mark.parametrize("positional", [True, False])
def test_activations_write_over_their_input_as_in_pytorch(name: str, options: dict[str, Any], positional: bool) -> None:
    made, leaves = [], (cg.tensor(Y, requires_grad=True), torch.tensor(Y, requires_grad=True))
    for library, leaf in zip((F, torch.nn.functional), leaves):
        x = leaf * 1
        function = getattr(library, name)
        y = function(x, *options.values(), True) if positional else function(x, **options, inplace=True)
        assert y is x
        y.sum().backward()
        made.append((np.asarray(y.detach()), np.asarray(leaf.grad)))
    for ours, theirs in zip(*made, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("name, options", PAIRS)
def test_functions_and_modules_agree_and_leave_their_input_alone(name: str, options: dict[str, Any]) -> None:
    x = cg.tensor(Y)
    ys = [getattr(F, name)(x, **options), getattr(F, name)(input=x, **options, inplace=False),
          KINDS[name](*options.values())(x), KINDS[name](*options.values(), inplace=True)(x.clone()),
          getattr(F, name)(input=x.clone(), **options, inplace=True)]  # fmt: skip
    assert all(np.array_equal(y.data, ys[0].data) for y in ys) and np.array_equal(x.data, Y)


@pytest.mark.parametrize("name", [name for name in F.__all__ if hasattr(torch.nn.functional, name)])
def test_functions_take_inplace_where_those_of_pytorch_do(name: str) -> None:
    ours, theirs = getattr(F, name), getattr(torch.nn.functional, name)
    assert takes_inplace(type(ours).__call__ if isinstance(ours, Primitive) else ours) == takes_inplace(theirs)


def takes_inplace(function: Any) -> bool:
    try:
        return "inplace" in inspect.signature(function).parameters
    except ValueError:  # written in C++, where none does
        return False


MISUSE: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "a leaf": (lambda: F.relu(cg.ones(2, requires_grad=True), inplace=True), GradError, "leaf .* changed in place"),
    "an array": (lambda: F.relu(np.ones(2), inplace=True), TypeError, "writes over a Tensor, but a ndarray came"),
    "too many": (lambda: F.relu(cg.ones(2), True, True), TypeError, "relu takes 1 arguments"),
    "a name": (lambda: F.relu(cg.ones(2), in_place=True), TypeError, "no argument `in_place`"),
    "alpha of a product": (lambda: cg.ones(2).mul(2, alpha=2), TypeError, "no argument `alpha`"),
    "pieces of no size": (lambda: cg.ones(2).split(0), ValueError, "a piece has at least 1"),
    "pieces that do not fit": (lambda: cg.ones(2, 3).split([1, 1], 1), ValueError, "do not make up axis 1 of shape"),
    "no pieces": (lambda: cg.ones(2).chunk(0), ValueError, "0 pieces came"),
    "random integers": (lambda: cg.arange(3).normal_(), TypeError, "int64"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_is_refused_in_words(name: str) -> None:
    do, kind, words = MISUSE[name]
    with pytest.raises(kind, match=words):
        do()

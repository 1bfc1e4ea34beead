"""vmap and the derivatives of functions: the same as torch.func, and words for what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.func as torch_func

import chalkgrad as cg
from chalkgrad import Tensor, func, nn
from chalkgrad.func import vmap

pytestmark = pytest.mark.filterwarnings("ignore:.*torch")  # of PyTorch about itself

X = np.random.default_rng(0).standard_normal((5, 4))
Y = np.random.default_rng(1).standard_normal((5, 4, 3))

# What is done to one example x (4), with other inputs that are mapped over, in either library.
ONE: dict[str, Callable[..., Any]] = {
    "elementwise": lambda x: (x.sin() * 2 + 1).exp(),
    "a reduction": lambda x: x.sum(),
    "of the only axis": lambda x: x.mean(0),
    "that stays": lambda x: x.sum(0, keepdim=True),
    "from the end": lambda x: x.reshape(2, 2).sum(-1),
    "of two axes": lambda x: x.reshape(2, 2).sum((0, 1)),
    "of all axes": lambda x: x.reshape(2, 2).mean(),
    "variance": lambda x: x.var(),
    "the largest": lambda x: x.max(),
    "the largest along": lambda x: x.reshape(2, 2).max(0)[0],
    "logsumexp": lambda x: x.logsumexp(0),
    "a shape": lambda x: x.reshape(2, -1),
    "a shape of one": lambda x: x.reshape(-1),
    "another order": lambda x: x.reshape(1, 2, 2).permute(2, 0, 1),
    "transposed": lambda x: x.reshape(2, 2).transpose(0, 1),
    "turned": lambda x: x.flip(0),
    "more axes": lambda x: x.unsqueeze(0).expand(3, 4),
    "fewer axes": lambda x: x.unsqueeze(0).squeeze(0),
    "a slice": lambda x: x[1:],
    "a number": lambda x: x[2],
    "places": lambda x: x[[0, 2]],
    "a new axis": lambda x: x[None, :, None],
    "places apart": lambda x: x.reshape(1, 2, 1, 2)[0, :, 0, [1, 0]],
    "softmax": lambda x: x.softmax(0),
    "log-softmax": lambda x: x.reshape(2, 2).log_softmax(0),
    "a dot product": lambda x: x @ x,
    "an outer product": lambda x: x.unsqueeze(1) @ x.unsqueeze(0),
    "a matrix with it": lambda x: x.reshape(2, 2) @ x[:2],
    "a product with it": lambda x: x.reshape(2, 2) @ x.reshape(2, 2),
    "what is detached": lambda x: x * (x * 0 + 1).detach(),
    "cut": lambda x: x.clamp(min=0),
    "a power": lambda x: x.abs() ** 1.5,
}


def same(one: Any, other: Any, tolerance: float = 1e-9) -> None:
    if isinstance(other, dict):
        assert one.keys() == other.keys()
        one, other = list(one.values()), list(other.values())
    if isinstance(other, tuple | list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            same(a, b, tolerance)
        return
    assert one.shape == tuple(other.shape)
    np.testing.assert_allclose(one.data, other.detach().numpy(), rtol=tolerance, atol=tolerance)


def both(function: Callable[..., Any], *arrays: Any) -> None:
    """Call function(library's func, *tensors) with both."""
    same(function(func, *map(Tensor, arrays)), function(torch_func, *map(torch.tensor, arrays)))


@pytest.mark.parametrize("name", ONE)
def test_one_example_becomes_many(name: str) -> None:
    one = ONE[name]
    both(lambda library, x: library.vmap(one)(x), X)
    both(lambda library, x: library.vmap(one, in_dims=1)(x), np.copy(X.T))
    both(lambda library, x: library.vmap(one, out_dims=-1)(x), X)
    both(lambda library, x: library.vmap(one, chunk_size=2)(x), X)


@pytest.mark.parametrize("name", ONE)
def test_gradients_flow_through(name: str) -> None:
    one = ONE[name]
    x, torch_x = Tensor(X, requires_grad=True), torch.tensor(X, requires_grad=True)
    vmap(one)(x).sum().backward()
    torch_func.vmap(one)(torch_x).sum().backward()
    same(x.grad, torch_x.grad)


@pytest.mark.parametrize("name", [name for name in ONE if name not in {"places apart"}])
def test_gradients_of_each_example(name: str) -> None:
    def loss(x: Any) -> Any:
        return (ONE[name](x) ** 2).sum()

    both(lambda library, x: library.vmap(library.grad(loss))(x), X)


DERIVED: dict[str, Callable[..., Any]] = {
    "grad": lambda f, x: f.grad(lambda x: (x**3).sum())(x),
    "grad twice": lambda f, x: f.grad(lambda x: (f.grad(lambda x: (x**3).sum())(x) ** 2).sum())(x),
    "grad of an inner variable": lambda f, x: f.grad(lambda x: (x * f.grad(lambda y: (x * y * y).sum())(x)).sum())(x),
    "several": lambda f, x: f.grad(lambda x, y: (x * y * y).sum(), argnums=(0, 1))(x, x + 1),
    "a value, too": lambda f, x: f.grad_and_value(lambda x: (x**3).sum())(x),
    "and more": lambda f, x: f.grad(lambda x: ((x**3).sum(), x + 1), has_aux=True)(x),
    "vjp": lambda f, x: f.vjp(lambda x: x.sin() * x.sum(), x)[1](x),
    "vjp of several": lambda f, x: f.vjp(lambda x, y: (x * y, x + y), x, 2 * x)[1]((x, x)),
    "jvp": lambda f, x: f.jvp(lambda x: x.sin() * x.sum(), (x,), (x,)),
    "jvp of several": lambda f, x: f.jvp(lambda x, y: (x * y, x.sum()), (x, 2 * x), (x, x)),
    "jacrev": lambda f, x: f.jacrev(lambda x: x.sin() * x.sum())(x),
    "jacrev of several": lambda f, x: f.jacrev(lambda x, y: (x * y[0]).sum(0), argnums=(0, 1))(x, x + 1),
    "jacfwd": lambda f, x: f.jacfwd(lambda x: x.sin() * x.sum())(x),
    "jacfwd of several": lambda f, x: f.jacfwd(lambda x, y: (x * y[0], y.sum(0)), argnums=(0, 1))(x, x + 1),
    "jacobian of what is constant": lambda f, x: f.jacrev(lambda x: x.sum() * 2)(x),
    "jacobian by a branch": lambda f, x: f.jacrev(lambda x: x * 2 if x.sum() > 0 else x**2)(x),
    "forward by a branch": lambda f, x: f.jacfwd(lambda x: x * 2 if x.sum() > 0 else x**2)(x),
    "hessian by a branch": lambda f, x: f.hessian(lambda x: (x**2).sum() if x.sum() > 0 else (x**3).sum())(x[0]),
    "jacobian of nothing": lambda f, x: f.jacrev(lambda x: (x[:0], x.sum()))(x),
    "an axis from the end": lambda f, x: f.vmap(f.vmap(lambda a: a.cumsum(0), in_dims=-1), in_dims=-2, out_dims=-1)(
        x[None] + x[:, None]),
    "an axis that one has, one not": lambda f, x: f.vmap(lambda a, b: (a > b) * a, in_dims=(0, None))(x, x),
    "hessian": lambda f, x: f.hessian(lambda x: (x.sin() * x.sum()).sum())(x[0]),
    "forward over reverse": lambda f, x: f.jacfwd(f.jacrev(lambda x: (x**3).sum()))(x[0]),
    "hessians of each": lambda f, x: f.vmap(f.hessian(lambda x: (x.sin() * x.sum()).sum()))(x),
    "jacobians of each": lambda f, x: f.vmap(f.jacrev(lambda x: x.sin() * x.sum()))(x),
    "forward of each": lambda f, x: f.vmap(f.jacfwd(lambda x: x.sin() * x.sum()))(x),
    "vmap in vmap": lambda f, x: f.vmap(lambda a: f.vmap(lambda b: (a * b).sum())(x))(x),
    "three deep": lambda f, x: f.vmap(f.vmap(f.grad(lambda a: a**3)))(x),
    "shared and mapped": lambda f, x: f.vmap(lambda w, x: (w * x).sum(), in_dims=(None, 0))(x[0], x),
    "in a dict": lambda f, x: f.vmap(lambda d: {"y": d["a"] * d["b"]}, in_dims=({"a": 0, "b": None},))(
        {"a": x, "b": x[0]}),
}


@pytest.mark.parametrize("name", DERIVED)
def test_derivatives_are_those_of_torch_func(name: str) -> None:
    both(DERIVED[name], X)


def test_results_have_a_graph_only_if_they_lead_somewhere() -> None:
    x, w = cg.tensor([1.0, 2.0]), cg.tensor([3.0, 4.0], requires_grad=True)
    assert not func.grad(lambda x: (x**3).sum())(x).requires_grad
    outer = func.grad(lambda x: (w * x * x).sum())(x)
    outer.sum().backward()
    assert w.grad is not None and w.grad.tolist() == [2, 4]
    with cg.no_grad():
        assert not func.grad(lambda x: (w * x * x).sum())(x).requires_grad


def gradients(library: Any, f: Any, model: Any, x: Any, target: Any, loss: Any) -> Any:
    state = {path: parameter.detach() for path, parameter in model.named_parameters()}

    def of_one(state: Any, x: Any, target: Any) -> Any:
        return loss(f.functional_call(model, state, (x.unsqueeze(0),)), target.unsqueeze(0))

    return f.vmap(f.grad(of_one), in_dims=(None, 0, 0))(state, x, target)


MODELS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "dense": (lambda nn: nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)), (6, 4)),
    "convolution": (lambda nn: nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3)),
                    (6, 1, 4, 4)),
    "norms": (lambda nn: nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6), nn.GELU(), nn.Linear(6, 3)), (6, 4)),
}


@pytest.mark.parametrize("name", MODELS)
def test_gradients_of_each_example_of_a_model(name: str) -> None:
    make, shape = MODELS[name]
    theirs, ours = make(torch.nn).double(), make(nn).double()
    ours.load_state_dict(theirs.state_dict())
    x, target = np.random.default_rng(0).standard_normal(shape), np.arange(shape[0]) % 3
    one = gradients(cg, func, ours, Tensor(x), Tensor(target), nn.functional.cross_entropy)
    two = gradients(torch, torch_func, theirs, torch.tensor(x), torch.tensor(target), torch.nn.functional.cross_entropy)
    same(one, two)


JACOBIANS = [func.jacrev, func.jacfwd]


@pytest.mark.parametrize("jacobian", JACOBIANS)
def test_a_jacobian_leaves_running_averages_as_one_call_does(jacobian: Any) -> None:
    x, one, two = Tensor(X), nn.BatchNorm1d(4).double(), nn.BatchNorm1d(4).double()
    one(x)
    made = jacobian(two)(x)
    np.testing.assert_array_equal(one.running_mean.data, two.running_mean.data)
    with_none = nn.BatchNorm1d(4, track_running_stats=False).double()
    same(made, torch.tensor(jacobian(with_none)(x).data))


@pytest.mark.parametrize("jacobian", JACOBIANS)
def test_a_jacobian_of_what_is_drawn_is_of_one_draw(jacobian: Any) -> None:
    options = {"randomness": "same"} if jacobian is func.jacfwd else {}
    made = jacobian(lambda x: nn.functional.dropout(x), **options)(cg.ones(20))
    diagonal = np.diag(made.data)
    assert {*diagonal.tolist()} == {0.0, 2.0} and np.array_equal(made.data, np.diag(diagonal))


def test_an_ensemble() -> None:
    models = [nn.Linear(4, 3) for _ in range(5)]
    parameters, buffers = func.stack_module_state(models)
    x = Tensor(X.astype(np.float32))
    made = vmap(lambda p: func.functional_call(models[0], p, (x,)))(parameters)
    expected = np.stack([model(x).data for model in models])
    np.testing.assert_allclose(made.data, expected, rtol=1e-6)
    assert buffers == {}


def test_a_module_has_its_own_parameters_again() -> None:
    line = nn.Linear(1, 1)
    before = line.weight
    with pytest.raises(cg.ShapeError):
        func.functional_call(line, {"weight": cg.ones(1, 1)}, (cg.ones(2, 7),))
    assert line.weight is before


# What is done to x (5, 4), the kind of error, and some of its words.
MISUSE: dict[str, tuple[Callable[[Tensor], Any], type[Exception], str]] = {
    "an if": (lambda x: vmap(lambda x: x if x.sum() > 0 else -x)(x), TypeError, "stands for many.*where"),
    "item": (lambda x: vmap(lambda x: x.sum().item())(x), TypeError, "stands for many"),
    "in place": (lambda x: vmap(lambda x: x.mul_(2))(x), TypeError, "stands for many"),
    "chance": (lambda x: vmap(lambda x: nn.functional.dropout(x))(x), RuntimeError, "randomness='same'"),
    "other chance": (lambda x: vmap(lambda x: x, randomness="different")(x), ValueError, "'error' or 'same'"),
    "chance forward": (lambda x: func.jacfwd(nn.functional.dropout)(x), RuntimeError, "randomness='same'"),
    "no chance": (lambda x: func.jacfwd(lambda x: x, randomness="none")(x), ValueError, "'error' or 'same'"),
    "other sizes": (lambda x: vmap(lambda x: x[x > 0])(x), ValueError, "differs between examples"),
    "no axis": (lambda x: vmap(lambda x: x, in_dims=None)(x), ValueError, "one number of examples"),
    "other numbers": (lambda x: vmap(lambda a, b: a)(x, x[1:]), ValueError, "one number of examples"),
    "an axis too far": (lambda x: vmap(lambda x: x, in_dims=2)(x), ValueError, "in_dims is 2"),
    "another build": (lambda x: vmap(lambda x: x, in_dims=(0, 0))(x), ValueError, "in_dims is"),
    "a number": (lambda x: vmap(lambda a, b: a)(x, 3), ValueError, "only a Tensor"),
    "chunks": (lambda x: vmap(lambda x: x, chunk_size=0)(x), ValueError, "chunk_size"),
    "no Tensor": (lambda x: vmap(lambda x: 3)(x), ValueError, "returns Tensors"),
    "no place": (lambda x: vmap(lambda x: x, out_dims=None)(x), ValueError, "out_dims is None"),
    "many numbers": (lambda x: func.grad(lambda x: x)(x), ValueError, "returns one number"),
    "integers": (lambda x: func.grad(lambda x: x.sum())(x.long()), TypeError, "by Tensors of floats"),
    "one tangent": (lambda x: func.jvp(lambda x: x, x, x), ValueError, "tuples"),
    "no such parameter": (lambda x: func.functional_call(nn.Linear(4, 1), {"wight": x}, (x,)), KeyError, "wight"),
    "some are missing": (lambda x: func.functional_call(nn.Linear(4, 1), {}, (x,), strict=True), KeyError, "missing"),
    "no models": (lambda x: func.stack_module_state([]), ValueError, "one or more models"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_is_refused_in_words(name: str) -> None:
    do, error, words = MISUSE[name]
    with pytest.raises(error, match=words):
        do(Tensor(X.astype(np.float32)))


@pytest.mark.parametrize("name", ONE)
def test_all_are_done_at_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the table is done for one example after the other."""
    monkeypatch.setattr("chalkgrad.func.rules._one_by_one", None)
    vmap(ONE[name])(Tensor(X))


@cg.primitive
def shifted_by_first(x, *, along):
    """Subtract what stands first along an axis, whose option has a name that nobody knows.

    x (...) -> y (...)
    """
    y = x - np.take(x, [0], axis=along)
    return y


def test_an_option_that_may_count_axes_is_not_trusted() -> None:
    made = vmap(lambda x: shifted_by_first(x, along=0))(Tensor(X))
    np.testing.assert_array_equal(made.data, X - X[:, :1])


def test_what_no_shape_line_tells_is_done_one_by_one() -> None:
    both(lambda f, x: f.vmap(lambda x, w: x.unsqueeze(0) @ w)(x, x.reshape(5, 4, 1)), X)
    weights, images = np.random.default_rng(0).standard_normal((5, 3, 1, 2, 2)), np.ones((5, 1, 4, 4))
    same(vmap(nn.functional.conv2d)(Tensor(images), Tensor(weights)),
         torch_func.vmap(torch.nn.functional.conv2d)(torch.tensor(images), torch.tensor(weights)))

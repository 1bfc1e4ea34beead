"""Functions of shape, index and linear algebra where PyTorch's tables do not go: brackets, in place, in programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import GradError, SpellError, Tensor, linalg, nn
from chalkgrad.autograd import grad

from .oracles import slope

A = np.array
MASK = A([True, False, True, True])
GRID = A([[True, False, True], [False, True, True], [True, True, True], [False, False, True]])
EVERY = slice(None)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch's, of what it will change

# Indices into a tensor of shape (4, 3, 5).
INDICES: dict[str, Any] = {
    "a number": 2,
    "a number from the end": -1,
    "numbers": (1, -2, 3),
    "a slice": slice(1, 3),
    "a step": (EVERY, slice(None, None, 2)),
    "from the end": (slice(-2, None), ..., slice(None, -1)),
    "nothing": slice(2, 2),
    "dots": (..., 0),
    "a new axis": (None, ..., None, 1),
    "an array": A([0, 2, 2]),
    "an array of two axes": A([[0, 1], [3, -1]]),
    "no element": A([], np.int64),
    "a tensor of one number": A(2),
    "a list": [0, 2, 0],
    "a mask": MASK,
    "a mask of two axes": GRID,
    "a mask and a number": (MASK, 1),
    "a mask, then a slice": (MASK, EVERY, slice(1, 4)),
    "two arrays": (A([0, 1, 0]), A([2, 0, 2])),
    "two arrays that are repeated": (A([[0], [1]]), EVERY, A([4, 0, 4])),
    "arrays beside each other": (EVERY, A([0, 2, 2]), A([1, 1, 4])),
    "arrays apart": (A([0, 3]), EVERY, A([1, 1])),
    "a number and an array": (1, A([0, 2])),
    "a number apart from an array": (1, EVERY, A([0, 2, 2])),
    "an array apart from a number": (A([0, 2, 2]), EVERY, 3),
    "a number apart from a mask": (0, EVERY, A([True, False, True, False, True])),
    "a number between": (EVERY, 1, A([0, 4])),
    "a new axis between": (A([0, 1]), None, A([1, 2])),
    "a number, a new axis, an array": (2, None, A([0, 1])),
    "True": True,
}


def for_torch(index: Any) -> Any:
    """The same index with PyTorch's tensors for arrays."""
    if isinstance(index, tuple):
        return tuple(map(for_torch, index))
    return torch.from_numpy(index) if isinstance(index, np.ndarray) else index


def for_us(index: Any) -> Any:
    """The same index with our Tensors for arrays."""
    if isinstance(index, tuple):
        return tuple(map(for_us, index))
    return Tensor(index) if isinstance(index, np.ndarray) else index


def drawn(*shapes: tuple[int, ...], seed: int = 0) -> list[Any]:
    """Draw an array for each shape."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]


def assert_twins(function: Callable[..., Any], *arrays: Any) -> None:
    """Hold a function of a library and tensors to PyTorch's numbers, and the gradients of a weighted sum of them."""
    ours = [Tensor(array, requires_grad=array.dtype.kind == "f") for array in arrays]
    theirs = [torch.tensor(array, requires_grad=array.dtype.kind == "f") for array in arrays]
    y, z = function(cg, *ours), function(torch, *theirs)
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-12)
    assert y.shape == tuple(z.shape)
    weights, = drawn(y.shape, seed=1)
    (y * Tensor(weights)).sum().backward()
    (z * torch.tensor(weights)).sum().backward()
    for x, t in zip(ours, theirs, strict=True):
        if t.requires_grad:
            expected = np.zeros(x.shape) if t.grad is None else t.grad.numpy()
            np.testing.assert_allclose(np.zeros(x.shape) if x.grad is None else x.grad.data, expected, atol=1e-12)


def assert_twins_without_gradients(function: Callable[..., Any], *arrays: Any) -> None:
    """Hold a function of a library and tensors to PyTorch's numbers."""
    made, expected = function(cg, *map(Tensor, arrays)), function(torch, *map(torch.tensor, arrays))
    np.testing.assert_array_equal(made.data, expected.numpy())


@pytest.mark.parametrize("name", INDICES)
def test_brackets_pick(name: str) -> None:
    index = INDICES[name]
    assert_twins(lambda lib, x: x[for_us(index) if lib is cg else for_torch(index)] * 1, *drawn((4, 3, 5)))


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("name", INDICES)
def test_brackets_write(name: str, recorded: bool) -> None:
    index = INDICES[name]
    start, = drawn((4, 3, 5))
    shape = torch.from_numpy(start)[for_torch(index)].shape
    places = np.arange(start.size).reshape(start.shape)[index if isinstance(index, tuple) else (index,)]
    twice = np.unique(places).size < places.size  # what is written there has no one gradient, nor one value
    value = np.full(shape, 2.5) if twice else drawn(tuple(shape), seed=2)[0]

    def write(lib: Any, x: Any, v: Any) -> Any:
        y = x * 1
        y[for_us(index) if lib is cg else for_torch(index)] = v.detach() if twice or not recorded else v
        return y * y

    if recorded:
        assert_twins(write, start, value)
    else:
        with cg.no_grad():
            assert_twins_without_gradients(write, start, value)


PLACES = A([[0, 2, 1, 3], [1, 0, 3, 2]])
SOURCE = (2, 4)
CHANGES: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "scatter_": lambda lib, y, i, s: y.scatter_(0, i, s),
    "scatter_ a number": lambda lib, y, i, s: y.scatter_(0, i, 2.0),
    "scatter_add_": lambda lib, y, i, s: y.scatter_add_(1, i, s),
    "scatter_reduce_": lambda lib, y, i, s: y.scatter_reduce_(0, i, s, "amax"),
    "scatter_reduce_ means": lambda lib, y, i, s: y.scatter_reduce_(0, i, s, "mean", include_self=False),
    "index_add_": lambda lib, y, i, s: y.index_add_(0, i[0, :2], s, alpha=2),
    "index_copy_": lambda lib, y, i, s: y.index_copy_(0, i[0, :2], s),
    "index_fill_": lambda lib, y, i, s: y.index_fill_(1, i[0, :2], 3.0),
    "index_put_": lambda lib, y, i, s: y.index_put_((i[0, :2],), s),
    "index_put_ accumulates": lambda lib, y, i, s: y.index_put_((i[0] * 0,), s[:1], accumulate=True),
    "index_reduce_": lambda lib, y, i, s: y.index_reduce_(0, i[0, :2], s, "amin"),
    "masked_scatter_": lambda lib, y, i, s: y.masked_scatter_(y.detach() > 0.5, lib.cat([s, s, s]).reshape(-1)),
    "put_": lambda lib, y, i, s: y.put_(i[:1], s[:1]),
    "put_ accumulates": lambda lib, y, i, s: y.put_(i * 0, s, accumulate=True),
    "squeeze_": lambda lib, y, i, s: y.unsqueeze_(1).squeeze_(),
    "transpose_": lambda lib, y, i, s: y.transpose_(0, 1),
    "t_": lambda lib, y, i, s: y.t_().unsqueeze_(0),
    "a view that is turned": lambda lib, y, i, s: [v := y[1:], v.t_(), y.mul_(2), y.add_(v.sum())][-1],
    "a turned one's view": lambda lib, y, i, s: [v := y[1], y.t_(), v.mul_(2), y][-1],
    "fill_diagonal_": lambda lib, y, i, s: y.fill_diagonal_(7.0),
    "tril_": lambda lib, y, i, s: y.tril_(1),
    "triu_": lambda lib, y, i, s: y.triu_(),
    "addmm_": lambda lib, y, i, s: y.addmm_(s.T, s, beta=0.5),
    "addmv_": lambda lib, y, i, s: y[0].addmv_(s.T, s[:, 0]) + 0 * y,
    "addr_": lambda lib, y, i, s: y.addr_(s[0], s[1], alpha=2),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changes_in_place(name: str) -> None:
    def change(lib: Any, x: Any, source: Any, index: Any) -> Any:
        y = x * 1
        made = CHANGES[name](lib, y, index, source)
        assert made is y or "addmv" in name
        return y * y

    assert_twins(change, *drawn((4, 4), SOURCE), PLACES)


def test_a_diagonal_is_a_view() -> None:
    x = cg.zeros(3, 3)
    x.diagonal().fill_(2)
    x.diagonal(1)[0] = 5
    assert x.tolist() == [[2, 5, 0], [0, 2, 0], [0, 0, 2]]


SEEN: dict[str, Callable[[Any], Any]] = {
    "narrow": lambda x: x.narrow(0, 1, 2),
    "select": lambda x: x.select(1, 2),
    "split": lambda x: x.split(2)[1],
    "chunk": lambda x: x.chunk(2, 1)[0],
    "unbind": lambda x: x.unbind(1)[0],
    "tensor_split": lambda x: x.tensor_split(3)[0],
    "movedim": lambda x: x.movedim(0, 1),
    "unflatten": lambda x: x.unflatten(0, (2, 2)),
    "expand": lambda x: x[:, :1].expand(4, 4),
    "diagonal": lambda x: x.diagonal(),
}


@pytest.mark.parametrize("name", SEEN)
def test_views_share_memory_and_versions(name: str) -> None:
    x = Tensor(drawn((4, 4))[0])
    view = SEEN[name](x)
    assert np.shares_memory(view.data, x.data) and view.version is x.version


# ------------------------------------------------------------------------------------------- spelled and compiled



def safe(x: Tensor) -> Tensor:
    """A matrix that has an inverse, also if rows of x are equal."""
    return x @ x.T + cg.eye(3)


F: dict[str, Callable[..., Any]] = {
    "tile": lambda x, y: x.tile(2, 2) * y.repeat(2, 2),
    "repeat_interleave": lambda x, y: x.repeat_interleave(2, 0)[:4] + y.repeat_interleave([1, 0, 3], 0),
    "roll": lambda x, y: cg.roll(x, 1) * cg.roll(y, (1, -1), (0, 1)),
    "rot90": lambda x, y: cg.rot90(x) @ y,
    "joined": lambda x, y: cg.hstack([x, y]) @ cg.block_diag(x, y) @ cg.vstack([x, y]),
    "split": lambda x, y: cg.einsum("ij,ik->jk", *cg.cat([x, y]).tensor_split(2)),
    "unfold": lambda x, y: x.unfold(1, 2, 1) * y[:, :2, None],
    "diagonal": lambda x, y: cg.diag_embed(x.diagonal()) + y.tril() - cg.triu(y, 1) + cg.diagonal_scatter(x, y[0]),
    "gather": lambda x, y: cg.gather(x, 1, (y.argsort(1))) * y.sort(0).values,
    "scatter_add": lambda x, y: cg.scatter_add(x, 0, x.argsort(0), y) * cg.scatter(y, 1, y.argsort(1), x),
    "scatter_reduce": lambda x, y: cg.scatter_reduce(x, 0, x.argsort(0) // 2, y, "prod") + cg.scatter_reduce(
        x, 1, y.argsort(1) // 2, y, "amax", include_self=False),
    "index": lambda x, y: x.index_select(0, cg.tensor([2, 0, 2])) + x.index_add(1, cg.tensor([0, 0]), y[:, :2]),
    "topk": lambda x, y: x.topk(2).values * y.kthvalue(2, keepdim=True).values,
    "masked_scatter": lambda x, y: x.masked_scatter(x > 0, y),
    "masked_select": lambda x, y: cg.masked_select(x, y > 0).sum() * x,
    "einsum": lambda x, y: cg.einsum("ij,jk,lk->il", x, y, x) + cg.einsum("ii,jk->jk", x, y) * cg.tensordot(x, y),
    "products": lambda x, y: cg.addmm(x, x, y, alpha=2) + cg.kron(x, y)[:3, :3] + cg.outer(x[0], y[1]) * x[1].dot(y[2]),
    "cross": lambda x, y: cg.cross(x, y) + linalg.multi_dot([x, y, x]),
    "inverse": lambda x, y: linalg.inv(safe(x)) @ linalg.solve(safe(x), y) * linalg.det(x) + cg.logdet(safe(x)),
    "cholesky": lambda x, y: linalg.cholesky(safe(x)) + linalg.solve_triangular(safe(x), y, upper=False),
    "qr": lambda x, y: linalg.qr(x).R @ linalg.qr(y[:, :2]).Q,
    "spectrum": lambda x, y: linalg.svdvals(x) * linalg.eigvalsh(y + y.T) + linalg.matrix_norm(x, 2),
    "powers": lambda x, y: linalg.matrix_power(x, 3) + linalg.matrix_exp(y) + linalg.pinv(x[:2]).T[:1],
}


class Both(nn.Module):
    """Two matrices."""

    def __init__(self) -> None:
        super().__init__()
        x, y = drawn((3, 3), (3, 3), seed=3)
        self.x, self.y = nn.Parameter((x + 2 * np.eye(3)).astype(np.float32)), nn.Parameter(y.astype(np.float32))


@pytest.mark.parametrize("name", F)
def test_functions_are_spelled(name: str) -> None:
    model = Both()
    optimizer = cg.optim.SGD(model.parameters(), 0.01)

    def step(scale: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss = (F[name](model.x, model.y) * scale.sum()).mean()
        loss.backward()
        optimizer.step()
        return loss

    batch = A([0.5, 1, 2], np.float32)
    program = cg.spell(step, batch, model=model, optimizer=optimizer)  # which proves itself
    params, state = program.start()
    for _ in range(3):
        expected = step(Tensor(batch))
        np.testing.assert_array_equal(program.run(params, state, batch), expected.data)


@pytest.mark.parametrize("name", [name for name in F if name != "masked_select"])
def test_functions_are_compiled(name: str) -> None:
    fast = cg.compile(lambda x, y: F[name](x, y))
    for _ in range(2):
        found = []
        for function in (fast, F[name]):
            model = Both()
            made = function(model.x, model.y)
            made.backward(cg.ones_like(made))
            found.append([made.data, model.x.grad.data, model.y.grad.data])
        for one, other in zip(*found, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("pick", [cg.nonzero, cg.unique, cg.unique_consecutive, cg.where, cg.argwhere])
def test_sizes_that_follow_from_values_are_refused_in_programs(pick: Any) -> None:
    model = Both()
    with pytest.raises(SpellError, match="the size of the result follows from the values"):
        cg.spell(lambda x: (model.x * 1).sum() + pick(x > 0)[0].sum(), A([1.0, -1.0], np.float32), model=model)


# ------------------------------------------------------------------------------------------------ linear algebra

SMOOTH: dict[str, Callable[[Any], Any]] = {
    "eigenvalues": lambda x: linalg.eigvalsh(x + x.mT),
    "eigenvectors": lambda x: linalg.eigh(x + x.mT).eigenvectors ** 2,
    "one triangle": lambda x: linalg.eigh(x + x.mT, UPLO="U").eigenvalues,
    "svd": lambda x: (svd := linalg.svd(x)).U @ svd.Vh,
    "tall svd": lambda x: (svd := linalg.svd(x[:, :2], full_matrices=False)).U @ svd.Vh,
    "cholesky": lambda x: linalg.cholesky(x @ x.mT),
    "wide qr": lambda x: linalg.qr(x[:2]).R,
    "solve_triangular": lambda x: linalg.solve_triangular(x, x[:, :1], upper=True, unitriangular=True),
    "lstsq": lambda x: linalg.lstsq(x[:, :2], x[:, 2:]).solution,
    "cond": lambda x: linalg.cond(x, 1),
    "logdet": lambda x: cg.logdet(x @ x.mT),
    "nuclear norm": lambda x: linalg.norm(x, "nuc"),
    "cholesky_solve": lambda x: cg.cholesky_solve(x, x.tril()),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_first_and_second_derivatives(name: str) -> None:
    start, = drawn((3, 3), seed=5)
    start = start + 2 * np.eye(3)
    rng = np.random.default_rng(6)
    row, direction = rng.standard_normal((2, 3, 3))
    weights = rng.standard_normal(SMOOTH[name](Tensor(start)).shape)

    def loss(h: float) -> Any:
        x = Tensor(start + h * direction, requires_grad=True)
        return x, (SMOOTH[name](x) * Tensor(weights)).sum()

    def along(h: float) -> Any:
        x, y = loss(h)
        return x, (grad(y, x, create_graph=True)[0] * Tensor(row)).sum()

    for function in (loss, along):
        x, y = function(0.0)
        exact = float((grad(y, x)[0].data * direction).sum())
        np.testing.assert_allclose(exact, slope(lambda h, f=function: float(f(h)[1].data)), rtol=1e-6, atol=1e-7)


def test_equal_singular_values_are_no_trouble_if_directions_are_not_asked_for() -> None:
    for values in (linalg.svdvals, lambda x: linalg.svd(x).S, linalg.eigvalsh, lambda x: linalg.eigh(x).eigenvalues):
        x = cg.eye(3).requires_grad_()
        values(x).sum().backward()
        np.testing.assert_allclose(x.grad.data, np.eye(3), atol=1e-6)


REFUSED: dict[str, tuple[type[Exception], str, Callable[[], Any]]] = {
    "an index beyond the axis": (IndexError, "from 0 to 2", lambda: cg.gather(cg.ones(3), 0, cg.tensor([3]))),
    "an index below 0": (IndexError, "from 0 to 2", lambda: cg.index_select(cg.ones(3), 0, cg.tensor([-1]))),
    "an index of floats": (TypeError, "whole numbers", lambda: cg.scatter(cg.ones(3), 0, cg.ones(1), 1.0)),
    "a larger index": (ValueError, "goes beyond", lambda: cg.gather(cg.ones(2, 3), 1, cg.tensor([[0], [0], [0]]))),
    "another dtype": (TypeError, "alike", lambda: cg.scatter_add(cg.ones(3), 0, cg.tensor([0]), cg.tensor([1]))),
    "a mask of numbers": (TypeError, "holds booleans", lambda: cg.masked_select(cg.ones(3), cg.ones(3))),
    "a small source": (ValueError, "3 times", lambda: cg.ones(3).masked_scatter(cg.ones(3) > 0, cg.ones(2))),
    "too many": (ValueError, "has 3 elements", lambda: cg.topk(cg.ones(3), 4)),
    "pieces": (ValueError, "do not make up", lambda: cg.split(cg.ones(3), [1, 1])),
    "a stretch": (ValueError, "do not fit", lambda: cg.ones(3).narrow(0, 2, 2)),
    "sizes": (TypeError, "whole numbers", lambda: cg.ones(3).view(cg.int32)),
    "a formula of two": (ValueError, "2 operands", lambda: cg.einsum("ij,jk->ik", cg.ones(2, 2))),
    "sizes of an index": (ValueError, "`j` is 3 in one", lambda: cg.einsum("ij,jk->ik", cg.ones(2, 3), cg.ones(2, 3))),
    "an unknown index": (ValueError, "in no operand", lambda: cg.einsum("ij->k", cg.ones(2, 2))),
    "no matrix": (ValueError, "a matrix was expected", lambda: cg.mm(cg.ones(3), cg.ones(3, 3))),
    "no square": (ValueError, "square matrices", lambda: linalg.inv(cg.ones(2, 3))),
    "whole numbers": (TypeError, "floats were expected", lambda: linalg.det(cg.tensor([[1, 2], [3, 4]]))),
    "no inverse": (linalg.LinAlgError, "Singular matrix", lambda: linalg.inv(cg.ones(2, 2))),
    "no solution": (linalg.LinAlgError, "Try: lstsq", lambda: linalg.solve(cg.ones(2, 2), cg.ones(2))),
    "not positive": (linalg.LinAlgError, "positive definite", lambda: linalg.cholesky(-cg.eye(2))),
    "no number": (linalg.LinAlgError, "a nan came of it", lambda: linalg.cholesky(cg.eye(2) * np.nan)),
    "no derivative": (GradError, "has no derivative", lambda: linalg.qr(cg.ones(3, 2).requires_grad_(), "complete")),
    "a norm": (ValueError, "ord is", lambda: linalg.matrix_norm(cg.ones(2, 2), 3)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_misuse_is_refused_in_words(name: str) -> None:
    kind, words, call = REFUSED[name]
    with pytest.raises(kind, match=words):
        call()


def test_results_have_names() -> None:
    x = cg.tensor([[2.0, 1.0], [1.0, 3.0]])
    for made, names in [
        (x.sort(), "values indices"), (x.topk(1), "values indices"), (x.kthvalue(1), "values indices"),
        (linalg.qr(x), "Q R"), (linalg.svd(x), "U S Vh"), (cg.svd(x), "U S V"), (linalg.slogdet(x), "sign logabsdet"),
        (linalg.eigh(x), "eigenvalues eigenvectors"), (linalg.lstsq(x, x), "solution residuals rank singular_values"),
    ]:
        assert [*made._fields] == names.split()


NUMPY: dict[str, Callable[[Any], Any]] = {
    "trace": np.trace,
    "diag": np.diag,
    "joined": lambda x: np.hstack([x, np.vstack([x, x])[:3], np.column_stack([x[0], x[1]])]),
    "turned": lambda x: np.rot90(np.fliplr(x)) + np.roll(np.flipud(x), 1),
    "again": lambda x: np.tile(x, (2, 1)) * np.repeat(x, 2, axis=0),
    "taken": lambda x: np.take(np.sort(x, axis=0), [0, 1, 1], axis=1),
    "triangles": lambda x: np.tril(x) @ np.triu(x, 1),
    "products": lambda x: np.einsum("ij,kj->i", x, x) + np.tensordot(x, x) + np.inner(x, x) + np.kron(x, x)[0, :3],
    "linear algebra": lambda x: np.linalg.inv(x) @ np.linalg.solve(x, x[0]) * np.linalg.det(x) + np.linalg.svd(x)[1],
}


@pytest.mark.parametrize("name", NUMPY)
def test_numpy_takes_tensors(name: str) -> None:
    start = drawn((3, 3), seed=4)[0] + 2 * np.eye(3)
    x = Tensor(start, requires_grad=True)
    y = NUMPY[name](x)
    np.testing.assert_allclose(y.data, NUMPY[name](start), rtol=1e-12)
    assert y.requires_grad

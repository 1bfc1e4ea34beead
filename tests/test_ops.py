"""The elementary operations against PyTorch and NumPy: values, gradients, ties, and numbers that are none."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import Tensor

from .oracles import OURS, Case, assert_close, example_cases, weights

OPS = [p for p in OURS if p.function.__module__.startswith("chalkgrad.ops.")]
INF, NAN = float("inf"), float("nan")


# --------------------------------------------------------------------------------------------- the twins in PyTorch


def dims(x: Any, axis: Any) -> Any:
    """All axes for None; PyTorch lets a single number have the axis 0."""
    return tuple(range(max(x.ndim, 1))) if axis is None else axis


def places(shape: Any, index: Any) -> Any:
    """The positions in a flat array that an index names, by NumPy, since PyTorch knows no negative steps."""
    return torch.from_numpy(np.array(np.arange(np.prod(shape, dtype=int)).reshape(shape)[index]))


def put(x: Any, value: Any, index: Any) -> Any:
    y, where = x.reshape(-1).clone(), places(x.shape, index)
    y[where.reshape(-1)] = value.broadcast_to(where.shape).reshape(-1)
    return y.reshape(x.shape)


def scatter(x: Any, index: Any, shape: Any) -> Any:
    y, where = torch.zeros(shape, dtype=x.dtype).reshape(-1), places(shape, index)
    return y.index_add(0, where.reshape(-1), x.broadcast_to(where.shape).reshape(-1)).reshape(shape)


# What is called otherwise in PyTorch, or takes other arguments.
TWINS: dict[str, Callable[..., Any]] = {
    "amax": lambda x, axis=None, keepdims=False: torch.amax(x, dims(x, axis), keepdims),
    "amin": lambda x, axis=None, keepdims=False: torch.amin(x, dims(x, axis), keepdims),
    "astype": lambda x, dtype: x.double(),
    "clamp_between": torch.clamp,
    "erfcx": torch.special.erfcx,
    "ndtri": torch.special.ndtri,
    "clipped": torch.clamp,
    "flipped": lambda x, axis=None: torch.flip(x, np.atleast_1d(dims(x, axis)).tolist()),
    "floor_divide": lambda a, b: torch.floor(a / b),
    "getitem": lambda x, index: x.reshape(-1)[places(x.shape, index)],
    "joined": lambda a, b, axis=0: torch.cat((a, b), axis),
    "logsumexp": lambda x, axis=None, keepdims=False: torch.logsumexp(x, dims(x, axis), keepdims),
    "matmul_2d": torch.matmul,
    "max_along": lambda x, axis, keepdims=False: tuple(torch.max(x, axis, keepdims)),
    "mean": lambda x, axis=None, keepdims=False: torch.mean(x, dims(x, axis), keepdims),
    "min_along": lambda x, axis, keepdims=False: tuple(torch.min(x, axis, keepdims)),
    "padded": lambda x, widths: torch.nn.functional.pad(x, [n for pair in widths[::-1] for n in pair]),
    "permuted": lambda x, axes: x.permute(axes),
    "power": lambda x, exponent: x**exponent,
    "power_of_arrays": torch.pow,
    "psi": lambda x, n=0: torch.polygamma(n, x),
    "put": put,
    "repeated": lambda x, shape: x.broadcast_to(shape),
    "reshaped": lambda x, shape: x.reshape(shape),
    "root": torch.sqrt,
    "scatter": scatter,
    "scatter_along": lambda x, index, axis, shape:
        torch.zeros(shape, dtype=x.dtype).scatter_add(axis, as_torch(index).expand(x.shape), x),
    "sum": lambda x, axis=None, keepdims=False: torch.sum(x, dims(x, axis), keepdims),
    "take_along_axis": lambda x, index, axis: torch.take_along_dim(x, as_torch(index), axis),
    "variance": lambda x, axis=None, ddof=0, keepdims=False:
        torch.var(x, dims(x, axis), correction=ddof, keepdim=keepdims),
}
ALONE = {
    "put-2": "PyTorch gives a gradient to a value that was written over; differences deny it",
    "root-2": "torch.sqrt at 0; as part of torch.std it is 0, which the table of special values compares",
}


def twin(name: str) -> Any:
    """The operation of that name in PyTorch; None if it has none, but functions made of it (see test_torch_samples)."""
    return TWINS.get(name) or getattr(torch, name, None)


def test_the_table_of_twins_names_operations() -> None:
    assert set(TWINS) <= {p.name for p in OPS}


TWINNED = [p for p in OPS if callable(twin(p.name))]


def as_torch(value: Any) -> Any:
    """Arrays become PyTorch's tensors; the rest stays."""
    return torch.tensor(value) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-9), (np.float32, 1e-5)], ids=["float64", "float32"])
@pytest.mark.parametrize("case", [c for c in example_cases() if c.values[0].primitive in TWINNED and c.id not in ALONE])
def test_operations_agree_with_pytorch(case: Case, dtype: Any, tolerance: float) -> None:
    case = case.cast(dtype)
    ours, theirs = case.leaves(), [as_torch(case.inputs[i]).clone().requires_grad_() for i in case.wanted]
    made, named = case.primitive(*case.put(ours), **case.options), twin(case.primitive.name)
    expected = named(*[as_torch(x) for x in case.put(theirs)], **case.options)
    made = made if isinstance(made, tuple) else (made,)
    expected = expected if isinstance(expected, tuple) else (expected,)
    for y, z in zip(made, expected, strict=True):
        assert y.dtype == z.detach().numpy().dtype
        assert_close(y.data, z.detach().numpy(), tolerance)
    gradient = weights(made[0].data)
    made[0].backward(gradient)
    expected[0].backward(torch.from_numpy(gradient))
    for one, other in zip(ours, theirs, strict=True):
        assert_close(one.grad.data, other.grad.numpy(), tolerance)


# ------------------------------------------------------------------------- what is put together from the operations


def table(**rows: Any) -> Any:
    """Rows for parametrize, under their names."""
    return [pytest.param(*(row if isinstance(row, tuple) else (row,)), id=name) for name, row in rows.items()]


# Each is called with chalkgrad and with torch in place of `lib`, on three arrays: (2, 3, 4), (4) and (2, 1, 4).
COMPOSED = table(
    argmax=lambda lib, x, v, m: x * lib.argmax(x, 1, keepdim=True),
    argmin=lambda lib, x, v, m: x * lib.argmin(x, dim=2, keepdim=True),
    cat=lambda lib, x, v, m: lib.cat([x, m, m], dim=1),
    cat_one=lambda lib, x, v, m: lib.cat([x], -1),
    chain=lambda lib, x, v, m: x.sum(dim=(0, -1), keepdim=True).mul(v).sub(m).div(2),
    clamp_one_bound=lambda lib, x, v, m: x.clamp(min=0.1),
    comparison=lambda lib, x, v, m: x * (x > m),
    double=lambda lib, x, v, m: x.double() * 2,
    expand=lambda lib, x, v, m: m.expand(-1, 3, -1) * x,
    flatten=lambda lib, x, v, m: lib.flatten(x, 1),
    flatten_middle=lambda lib, x, v, m: x.flatten(-3, -2),
    flip=lambda lib, x, v, m: x.flip(0, 2),
    float_of_long=lambda lib, x, v, m: x * x.long().float(),
    floordiv=lambda lib, x, v, m: x * (x.detach() // 0.3),
    index=lambda lib, x, v, m: x[:, [0, 0, 2]][..., None, 1:],
    logsumexp=lambda lib, x, v, m: lib.logsumexp(x, 1),
    matmul=lambda lib, x, v, m: x @ m.mT,
    matmul_vector=lambda lib, x, v, m: x @ v,
    max=lambda lib, x, v, m: x.max(),
    max_dim=lambda lib, x, v, m: x.max(1)[0],
    max_pair=lambda lib, x, v, m: lib.max(x, m),
    mean=lambda lib, x, v, m: lib.mean(x, 1),
    min_dim=lambda lib, x, v, m: lib.min(x, dim=-1, keepdim=True).values,
    mod=lambda lib, x, v, m: x % 0.3,
    movedim=lambda lib, x, v, m: lib.movedim(x, (0, 1), (-1, 0)),
    neg=lambda lib, x, v, m: -x,
    numbers=lambda lib, x, v, m: 1 - 2 * x / 3 + 4 / (x * x + 1),
    permute=lambda lib, x, v, m: x.permute(-1, 0, 1),
    pow_number=lambda lib, x, v, m: lib.abs(x) ** 1.5,
    pow_of_number=lambda lib, x, v, m: 2**x,
    pow_tensor=lambda lib, x, v, m: lib.abs(x) ** m,
    reshape=lambda lib, x, v, m: x.reshape(-1, 4) * v,
    squeeze=lambda lib, x, v, m: m.squeeze(1),
    squeeze_nothing=lambda lib, x, v, m: x.squeeze(0),
    stack=lambda lib, x, v, m: lib.stack([x, x + m, x], dim=-1),
    std=lambda lib, x, v, m: lib.std(x, 1),
    swapaxes=lambda lib, x, v, m: lib.swapaxes(x, 0, -1),
    take_along=lambda lib, x, v, m: lib.take_along_dim(x, lib.argmax(x, 1, keepdim=True), 1),
    transpose=lambda lib, x, v, m: lib.transpose(x, 0, 2),
    unsqueeze=lambda lib, x, v, m: lib.unsqueeze(x, -1) + v,
    var=lambda lib, x, v, m: lib.var(x, dim=(0, 2), correction=0, keepdim=True),
    vector_matmul=lambda lib, x, v, m: v @ x.mT,
    vectors=lambda lib, x, v, m: v @ v,
    view=lambda lib, x, v, m: x.view(3, 8),
    where=lambda lib, x, v, m: lib.where(x > 0, x, m),
)


@pytest.mark.parametrize("function", COMPOSED)
def test_functions_agree_with_pytorch(function: Callable[..., Any]) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape).astype(np.float32) for shape in [(2, 3, 4), (4,), (2, 1, 4)]]
    ours = [cg.tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    y, z = function(cg, *ours), function(torch, *theirs)
    assert y.dtype == z.detach().numpy().dtype
    assert_close(y.data, z.detach().numpy(), 1e-5)
    y.backward(weights(y.data))
    z.backward(torch.from_numpy(weights(y.data)))
    for one, other in zip(ours, theirs, strict=True):
        assert (one.grad is None) == (other.grad is None)
        if other.grad is not None:
            assert_close(one.grad.data, other.grad.numpy(), 1e-5)


X = np.random.default_rng(0).uniform(0.5, 2, (2, 3, 4))
V = np.random.default_rng(1).uniform(0.5, 2, 4)
NUMPY = table(
    add_reduce=lambda x: np.add.reduce(x),
    add_reduce_all=lambda x: np.add.reduce(x, axis=None),
    amax=lambda x: np.max(x, axis=(0, 2), keepdims=True),
    array_add=lambda x: X + x,
    clip=lambda x: np.clip(x, 0.7, 1.5),
    concatenate=lambda x: np.concatenate((x, X, x), axis=-1),
    dot=lambda x: np.dot(x[0], V),
    dot_number=lambda x: np.dot(2.0, x),
    expand_dims=lambda x: np.expand_dims(x, axis=(0, -1)),
    flip=lambda x: np.flip(x, axis=1),
    float_power=lambda x: np.float_power(x, 3),
    full_like=lambda x: x * np.full_like(x, 3.0),
    matmul=lambda x: V @ np.swapaxes(x, 1, 2),
    maximum_reduce=lambda x: np.maximum.reduce(x),
    mean=lambda x: np.mean(x, axis=1),
    minimum_reduce=lambda x: np.minimum.reduce(x, axis=1),
    moveaxis=lambda x: np.moveaxis(x, (0, 1), (1, 2)),
    pad=lambda x: np.pad(x, ((0, 1), (2, 0), (0, 0))),
    power=lambda x: np.power(x, x),
    ravel=lambda x: np.ravel(x),
    reciprocal=lambda x: np.reciprocal(x),
    remainder=lambda x: 5 % x,
    reshape=lambda x: np.reshape(x, shape=(4, -1)),
    round=lambda x: x * np.round(x, 1),
    square=lambda x: np.square(x),
    squeeze=lambda x: np.squeeze(x[:, :1], axis=1),
    stack=lambda x: np.stack((x, X), axis=1),
    std=lambda x: np.std(x, axis=1),
    take_along_axis=lambda x: np.take_along_axis(x, np.array([[[2], [0], [1]]]), axis=-1),
    transpose=lambda x: np.transpose(x, axes=(2, 0, 1)),
    transpose_all=lambda x: np.transpose(x),
    var=lambda x: np.var(x, axis=(0, 1), ddof=1, keepdims=True),
    where=lambda x: np.where(X > 1, x, 0),
)


@pytest.mark.parametrize("function", NUMPY)
def test_numpy_functions_on_tensors_are_numpys(function: Callable[..., Any]) -> None:
    x = Tensor(X, requires_grad=True)
    y, expected = function(x), function(X)
    assert isinstance(y, Tensor)
    assert_close(y.data, expected, 1e-14)
    direction = weights(X)
    difference = (function(X + 1e-6 * direction) - function(X - 1e-6 * direction)) / 2e-6
    y.backward(weights(expected))
    assert_close(np.sum(x.grad.data * direction), np.sum(weights(expected) * difference), 1e-7)


# ------------------------------------------------------------------------------------------------- special values

SPECIAL = np.array([NAN, INF, -INF, 0.0, -0.0, 1e30, -1e30, 1e-30, 0.5, -2.5])
UNARY = """
    abs acos acosh asin asinh atan atanh ceil clone cos cosh deg2rad erf erfc erfinv exp exp2 expm1 floor frac log log10
    log1p log2 nan_to_num negative rad2deg reciprocal round rsqrt sign sin sinh sqrt tan trunc
"""
BINARY = "add atan2 divide fmax fmin fmod hypot maximum minimum multiply power_of_arrays remainder subtract xlogy"


def both(name: str, *values: Any) -> tuple[Any, ...]:
    """Values and gradients of ours and of the twin's."""
    primitive = next(p for p in OPS if p.name == name)
    ours = [Tensor(v, requires_grad=True) for v in values]
    theirs = [torch.tensor(v, requires_grad=True) for v in values]
    with np.errstate(all="ignore"):
        y, z = primitive(*ours), twin(name)(*theirs)
        y.backward(np.ones(y.shape))
    z.backward(torch.ones_like(z))
    return y.data, z.detach().numpy(), [x.grad.data for x in ours], [x.grad.numpy() for x in theirs]


def same(ours: Any, theirs: Any, rtol: float = 1e-6) -> Any:
    return np.isclose(ours, theirs, rtol=rtol, atol=0, equal_nan=True)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", UNARY.split())
def test_special_values(name: str, dtype: Any) -> None:
    # PyTorch's sign of nan is 0, and so the slope of its abs there; NumPy's is nan, as all that is made of nan
    values = (SPECIAL[1:] if name in ("abs", "sign") else SPECIAL).astype(dtype)
    y, z, (grad,), (other,) = both(name, values)
    assert same(y, z).all() and same(grad, other).all()
    assert (np.isnan(y) | (np.signbit(y) == np.signbit(z))).all(), "-0 and 0"


@pytest.mark.parametrize("name", BINARY.split())
def test_pairs_of_special_values(name: str) -> None:
    a, b = (side.ravel() for side in np.meshgrid(SPECIAL, SPECIAL))
    y, z, grads, others = both(name, a, b)
    assert same(y, z).all()
    numbers = ~(np.isnan(a) | np.isnan(b))  # what nan has for a slope is nobody's business
    for grad, other in zip(grads, others, strict=True):
        assert same(grad, other)[numbers].all()


NOTHING = np.zeros((0, 2))
EXTREME = table(
    amax_nan=(lambda lib, x: x.amax(), [NAN, 1.0]),
    amax_ties=(lambda lib, x: x.amax(), [5.0, 1.0, 5.0, 5.0]),
    amin_ties=(lambda lib, x: x.amin(0), [[5.0, 1.0], [5.0, 1.0]]),
    clamp=(lambda lib, x: x.clamp(-1, 2), [NAN, INF, -INF, -1.0, 2.0, 0.0]),
    clamp_crossed=(lambda lib, x: x.clamp(2, 1), [0.0, 1.0, 1.5, 2.0, 3.0]),
    logsumexp_large=(lambda lib, x: x.logsumexp(0), [1000.0, 1001.0]),
    logsumexp_nan=(lambda lib, x: x.logsumexp(0), [NAN, 1.0]),
    logsumexp_nothing_likely=(lambda lib, x: x.logsumexp(0), [-INF, -INF]),
    logsumexp_one_impossible=(lambda lib, x: x.logsumexp(0), [-INF, 1.0]),
    logsumexp_one_sure=(lambda lib, x: x.logsumexp(0), [INF, 1.0]),
    max_dim_nan=(lambda lib, x: x.max(0)[0], [NAN, 1.0, NAN]),
    max_dim_ties=(lambda lib, x: x.max(0)[0], [5.0, 1.0, 5.0]),
    max_ties=(lambda lib, x: x.max(), [5.0, 1.0, 5.0, 5.0]),
    mean_of_nothing=(lambda lib, x: x.mean(0), NOTHING),
    min_dim_ties=(lambda lib, x: x.min(0)[0], [5.0, 1.0, 1.0]),
    min_ties=(lambda lib, x: x.min(), [5.0, 1.0, 1.0]),
    power_zero=(lambda lib, x: x**0, [NAN, INF, 0.0]),
    root_of_zero=(lambda lib, x: x**0.5, [0.0, -1.0]),
    std_of_equals=(lambda lib, x: x.std(), [2.0, 2.0, 2.0]),
    sum_of_nothing=(lambda lib, x: x.sum(0), NOTHING),
    var_of_one=(lambda lib, x: x.var(), [2.0]),
    where_masks_nan=(lambda lib, x: lib.where(x == x, x, 0 * x), [NAN, 1.0]),
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("function, values", EXTREME)
def test_extremes_agree_with_pytorch(function: Callable[..., Any], values: Any) -> None:
    ours, theirs = Tensor(np.array(values), requires_grad=True), torch.tensor(values, dtype=torch.float64)
    theirs.requires_grad_()
    y, z = function(cg, ours), function(torch, theirs)
    y.backward(weights(y.data))
    z.backward(torch.from_numpy(weights(y.data)))
    assert y.shape == tuple(z.shape) and same(y.data, z.detach().numpy(), 1e-12).all()
    assert same(ours.grad.data, theirs.grad.numpy(), 1e-12).all()


# -------------------------------------------------------------------------------------------------- misuse, in words

MISUSE = table(
    axis_twice=(lambda x: x.movedim((0, 0), (0, 1)), ValueError, "repeated axis"),
    concatenate_nothing=(lambda x: cg.cat([]), ValueError, "at least one array"),
    dot_of_stacks=(lambda x: np.dot(x, x), ValueError, r"say a @ b"),
    flatten_backwards=(lambda x: x.flatten(2, 0), ValueError, "start_dim 2 comes after end_dim 0"),
    flatten_too_far=(lambda x: x.flatten(5), IndexError, "axis 5 is out of bounds"),
    no_such_function=(lambda x: np.unwrap(x), TypeError, "np.unwrap is not known on Tensors"),
    order=(lambda x: np.reshape(x, (4, 6), order="F"), TypeError, "order"),
    out=(lambda x: np.add(x, x, out=np.zeros((2, 3, 4))), TypeError, "out="),
    reshape=(lambda x: x.reshape(5, 5), ValueError, "reshaped"),
    squeeze_too_far=(lambda x: x.squeeze(3), IndexError, "axis 3 is out of bounds"),
    sum_unknown_option=(lambda x: x.sum(axes=1), TypeError, "Did you mean `axis`"),
    unsqueeze_too_far=(lambda x: x.unsqueeze(7), IndexError, "axis 7 is out of bounds"),
)


@pytest.mark.parametrize("call, error, words", MISUSE)
def test_misuse_is_explained(call: Callable[[Tensor], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call(Tensor(X))

"""Functions of elements, reductions, draws where PyTorch's tables do not go: methods, in place, in programs, misuse."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import Tensor, nn, special
from chalkgrad.compiler import variant

from .pairs import FORWARD, agree, listed
from .torch_samples import OPS, NotHere, converted, label, samples

pytestmark = pytest.mark.filterwarnings("ignore")  # samples divide by zero, and PyTorch warns of its own changes

MODULES = """
    arithmetic blend choice compare convert draw dtype error_function exponential extremes gamma hyperbolic moments
    norms order powers reduce scan slopes steps trigonometry
"""
OURS = {name for module in MODULES.split() for name in import_module(f"chalkgrad.ops.{module}").__all__}
DRAWN = {"bernoulli", "cauchy", "exponential", "geometric", "log_normal", "multinomial", "normal", "uniform"}
MINE = [op for op in OPS if op.name in OURS - DRAWN and not op.variant_test_name]
UNSTABLE = {"mode": "of equal ones, PyTorch names any"}
BACKWARDS = {"fill", "polygamma"}  # the table calls them with their arguments in another order


# ----------------------------------------------------------------------------------- methods, and methods in place


@pytest.mark.parametrize("op", [op for op in MINE if hasattr(torch.Tensor, op.name)], ids=label)
def test_methods_agree_with_those_of_pytorch(op: Any) -> None:
    compare(op, op.name)


@pytest.mark.parametrize("op", [op for op in MINE if hasattr(torch.Tensor, f"{op.name}_")], ids=label)
def test_methods_in_place_agree_with_those_of_pytorch(op: Any) -> None:
    compare(op, f"{op.name}_")


def compare(op: Any, name: str) -> None:
    """Call a method on copies of some samples, here and there; test_torch_samples.py calls the function on all."""
    for sample in itertools.islice(samples(op, torch.float64), 12):
        if op.name in UNSTABLE or (op.name in BACKWARDS and "value" not in sample.kwargs):
            continue
        try:
            (mine, *args), options = converted([sample.input, *sample.args]), converted(sample.kwargs)
        except NotHere:
            continue
        with torch.no_grad(), cg.no_grad():
            theirs = sample.input.clone()
            try:
                expected = getattr(theirs, name)(*sample.args, **sample.kwargs)
            except (RuntimeError, NotImplementedError):  # a result of another shape or dtype does not fit
                continue
            mine = mine.clone()
            before = mine.version[0]
            made = getattr(mine, name)(*args, **options)
        assert (made is mine and made.version[0] > before) == (name[-1] == "_") or made is mine
        for y, z in zip(listed(made), listed(expected), strict=True):
            if isinstance(y, Tensor):
                agree(y, z, FORWARD, name)
            else:
                assert y == z


@pytest.mark.parametrize("name", ["add_", "exp_", "clamp_", "pow_", "cumsum_", "atan2_", "copy_", "zero_", "fill_"])
def test_a_backward_notices_a_change_in_place(name: str) -> None:
    x = cg.ones(2, requires_grad=True) * 2
    y = x * x
    other = {"add_": [1], "clamp_": [0, 1], "pow_": [2], "cumsum_": [0], "atan2_": [cg.ones(2)], "fill_": [3]}
    getattr(x, name)(*(other | {"copy_": [cg.ones(2)]}).get(name, []))
    with pytest.raises(cg.GradError, match="was changed in place"):
        y.sum().backward()


# ------------------------------------------------------------------------------------------------------ in programs

X = np.random.default_rng(2).uniform(0.2, 0.8, (3, 4)).astype(np.float32)
# What is put together from rules, or draws: functions of two parameters and a batch, (3, 4) each.
PUT_TOGETHER: dict[str, Callable[..., Any]] = {
    "add_alpha": lambda a, b, x: cg.add(a, b, alpha=2) * x,
    "all_any": lambda a, b, x: (a > 0.1).all(1) * a.sum(1) + (a > x).any(),
    "aminmax": lambda a, b, x: sum(cg.aminmax(a * x, dim=1)),
    "argmax": lambda a, b, x: a.argmax(1) * a.sum(1) + x.sum(),
    "bernoulli": lambda a, b, x: a * cg.bernoulli(x.detach()),
    "bernoulli_": lambda a, b, x: a * x.detach().clone().bernoulli_(0.3),
    "cauchy_": lambda a, b, x: a * x.detach().clone().cauchy_(),
    "clamp_by_tensors": lambda a, b, x: cg.clamp(a, b, 0.5) * x,
    "clamp_": lambda a, b, x: (a * x).clamp_(0.2, 0.4),
    "comparisons": lambda a, b, x: ((a > b) & (a < x) | (x == a)) * a,
    "contiguous": lambda a, b, x: (a * x).T.contiguous() * 2,
    "copy_": lambda a, b, x: x.clone().copy_(a * b),
    "corrcoef": lambda a, b, x: cg.corrcoef(a * x),
    "count_nonzero": lambda a, b, x: cg.count_nonzero(a > x) * a,
    "cov": lambda a, b, x: cg.cov(a * x),
    "cummax": lambda a, b, x: cg.cummax(a + x, 1).values,
    "cummin": lambda a, b, x: (a + x).cummin(0)[0],
    "cumprod": lambda a, b, x: cg.cumprod(a * x, 0),
    "cumulative_trapezoid": lambda a, b, x: cg.cumulative_trapezoid(a * x, dx=0.5),
    "diff": lambda a, b, x: cg.diff(a * x, 2, append=b),
    "div_floor": lambda a, b, x: cg.div(a * 3, b, rounding_mode="floor") * a * x,
    "div_trunc": lambda a, b, x: cg.div(a * 3, b, rounding_mode="trunc") * a * x,
    "exp_of_booleans": lambda a, b, x: (a > x).exp() * a,
    "exponential_": lambda a, b, x: a * x.detach().clone().exponential_(2.0),
    "float_power": lambda a, b, x: cg.float_power(a, b) * x,
    "frexp": lambda a, b, x: cg.frexp(a * x)[0] * b,
    "geometric_": lambda a, b, x: a * x.detach().clone().geometric_(0.4),
    "gradient": lambda a, b, x: sum(cg.gradient(a * x, spacing=0.5)),
    "heaviside": lambda a, b, x: cg.heaviside(a - x, cg.tensor(0.5)) * a,
    "histc": lambda a, b, x: cg.histc(a * x, 5) * a.sum(),
    "isclose": lambda a, b, x: cg.isclose(a, b * x, atol=0.1) * a,
    "log_ndtr": lambda a, b, x: special.log_ndtr(a - 3 * x),
    "log_normal_": lambda a, b, x: a * x.detach().clone().log_normal_(),
    "logspace": lambda a, b, x: a * cg.logspace(0, 1, 4) * x,
    "masked_fill": lambda a, b, x: (a * x).masked_fill(x > 0.5, 3.0),
    "median": lambda a, b, x: cg.median(a * x, 1).values + (a * x).median(),
    "mode": lambda a, b, x: (a * x).mode(1)[0],
    "multinomial": lambda a, b, x: a * cg.multinomial(x.detach().abs(), 4, replacement=True),
    "multinomial_once": lambda a, b, x: a * cg.multinomial(x.detach().abs(), 4),
    "nanmean": lambda a, b, x: cg.nanmean(a * x, 0),
    "nanmedian": lambda a, b, x: (a * x).nanmedian(1)[0],
    "nanquantile": lambda a, b, x: cg.nanquantile(a * x, 0.3),
    "new": lambda a, b, x: a * x.new_full((3, 4), 3) + a.new_zeros(3, 4) + a.new_tensor(2) + x,
    "norm": lambda a, b, x: cg.norm(a * x, 1, 0) + cg.dist(a, b, 3),
    "normal": lambda a, b, x: a * cg.normal(x.detach(), 0.5),
    "normal_": lambda a, b, x: a * x.detach().clone().normal_(1, 2),
    "nuclear_norm": lambda a, b, x: cg.norm(a * x, "nuc"),
    "poisson": lambda a, b, x: a * cg.poisson(x.detach().abs() * 5),
    "polygamma": lambda a, b, x: cg.polygamma(1, a + x * x),
    "pow": lambda a, b, x: 2**a * x + a**b + cg.pow(3, a),
    "prod": lambda a, b, x: cg.prod(a * x, 1),
    "quantile": lambda a, b, x: cg.quantile(a * x, cg.tensor([0.3, 0.7]), dim=1, keepdim=True),
    "rand": lambda a, b, x: a * cg.rand_like(a) * x + cg.randn(3, 4) * b,
    "randint": lambda a, b, x: a * cg.randint(5, (3, 4)) + x,
    "random_": lambda a, b, x: a * x.detach().clone().random_(5),
    "randperm": lambda a, b, x: a * cg.randperm(4) * x,
    "rsub": lambda a, b, x: cg.rsub(a, x, alpha=3),
    "std_mean": lambda a, b, x: sum(cg.std_mean(a * x, 1, correction=0)),
    "sum_in_float64": lambda a, b, x: cg.sum(a * x, 1, dtype=np.float64),
    "trapezoid": lambda a, b, x: cg.trapezoid(a, b * x),
    "type_as": lambda a, b, x: (a.to(np.float64) * x).type_as(x),
    "uniform_": lambda a, b, x: a * x.detach().clone().uniform_(0, 3),
    "xlogy": lambda a, b, x: cg.xlogy(a, b * x * x),
}


class Two(nn.Module):
    """Two parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = (nn.Parameter(np.random.default_rng(i).uniform(0.2, 0.8, (3, 4)).astype("f")) for i in (0, 1))


@pytest.mark.parametrize("name", PUT_TOGETHER)
def test_what_is_put_together_is_spelled(name: str) -> None:
    model = Two()

    def step(x: Tensor) -> Tensor:
        model.zero_grad()
        y = PUT_TOGETHER[name](model.a, model.b, x)
        loss = (y * y).sum()
        loss.backward()
        with cg.no_grad():
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter.sub_(parameter.grad, alpha=0.01)
        return loss

    cg.spell(step, Tensor(X), model=model)  # which runs the program beside the step, and compares


@pytest.mark.parametrize("name", PUT_TOGETHER)
def test_what_is_put_together_is_compiled(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variant, "threads", lambda: 1)
    function = PUT_TOGETHER[name]
    fast = cg.compile(function)
    for _ in range(2):
        ends = []
        for call in (fast, function):
            cg.manual_seed(3)
            leaves = [Tensor(np.roll(X, i), requires_grad=True) for i in range(3)]
            y = call(*leaves)
            (y * y).sum().backward()
            ends.append([y.data, *(None if x.grad is None else x.grad.data for x in leaves)])
        for one, other in zip(*ends, strict=True):
            np.testing.assert_array_equal(one, other)


# ------------------------------------------------------------------------------------------------------------ draws

MANY = 40_000
# What is drawn many times, the mean and the deviation of what comes, and the smallest and largest possible.
DRAWS: dict[str, tuple[Callable[..., Tensor], float, float, float, float]] = {
    "bernoulli": (lambda x, g: cg.bernoulli(x + 0.3, generator=g), 0.3, math.sqrt(0.21), 0, 1),
    "bernoulli of p": (lambda x, g: cg.bernoulli(x, 0.3, generator=g), 0.3, math.sqrt(0.21), 0, 1),
    "exponential": (lambda x, g: x.exponential_(2.0, generator=g), 0.5, 0.5, 0, math.inf),
    "geometric": (lambda x, g: x.geometric_(0.4, generator=g), 2.5, math.sqrt(0.6) / 0.4, 1, math.inf),
    "integers": (lambda x, g: cg.randint(2, 7, x.shape, generator=g), 4, math.sqrt(2), 2, 6),
    "log_normal": (lambda x, g: x.log_normal_(0.5, 0.25, generator=g).log(), 0.5, 0.25, -math.inf, math.inf),
    "cauchy": (lambda x, g: x.cauchy_(1, 2, generator=g).sub_(1).div_(2).atan(), 0, math.pi / math.sqrt(12), -1.6, 1.6),
    "multinomial": (lambda x, g: cg.multinomial(cg.tensor([1.0, 0, 3]), MANY, True, generator=g), 1.5, 0.866, 0, 2),
    "normal": (lambda x, g: cg.normal(x + 3, x + 2, generator=g), 3, 2, -math.inf, math.inf),
    "poisson": (lambda x, g: cg.poisson(x + 4, g), 4, 2, 0, math.inf),
    "random": (lambda x, g: x.random_(2, 7, generator=g), 4, math.sqrt(2), 2, 6),
    "uniform": (lambda x, g: x.uniform_(2, 4, generator=g), 3, 2 / math.sqrt(12), 2, 4),
}


@pytest.mark.parametrize("name", DRAWS)
def test_what_is_drawn_is_distributed_as_it_should(name: str) -> None:
    draw, mean, deviation, low, high = DRAWS[name]
    drawn = [draw(cg.zeros(MANY), np.random.default_rng(seed)).data.astype(np.float64) for seed in (0, 0, 1)]
    assert (drawn[0] == drawn[1]).all() and (drawn[0] != drawn[2]).any()
    np.testing.assert_allclose([drawn[0].mean(), drawn[0].std()], [mean, deviation], rtol=0.03, atol=0.03)
    assert low <= drawn[0].min() and drawn[0].max() <= high


def test_places_drawn_without_replacement_differ_and_the_first_has_its_share() -> None:
    weights = cg.tensor([0.1, 0.0, 0.6, 0.3]).expand(MANY // 4, 4)
    places = cg.multinomial(weights, 3).data
    assert (np.sort(places, axis=1) == [0, 2, 3]).all()
    np.testing.assert_allclose(np.bincount(places[:, 0], minlength=4) / len(places), [0.1, 0, 0.6, 0.3], atol=0.02)


def test_random_integers_stay_within_what_a_dtype_holds() -> None:
    for dtype, largest in ((np.float32, 2**24), (np.uint8, 254), (np.bool_, 1), (np.int64, 2**63 - 2)):
        drawn = cg.zeros(1000, dtype=dtype).random_().data
        assert drawn.min() >= 0 and drawn.max() <= largest and drawn.astype(float).max() > 0.9 * largest


# ----------------------------------------------------------------------------------------------- numbers and dtypes

GRID = np.concatenate([np.linspace(-8.3, 8.4, 200), [1e-8, 0.5, 1.0, 2.0, 30.0, 170.0, 1e5, -1e-8]])
EXACT = ["digamma", "erf", "erfc", "erfcx", "gammaln", "log_ndtr", "logit", "ndtr", "expm1", "sinc"]


@pytest.mark.parametrize("name", EXACT)
def test_special_functions_are_exact(name: str) -> None:
    with np.errstate(all="ignore"):
        made = getattr(special, name)(Tensor(GRID)).data
    np.testing.assert_allclose(made, getattr(torch.special, name)(torch.tensor(GRID)).numpy(), rtol=2e-12, atol=1e-13)


@pytest.mark.parametrize("name", ["entr", "erfinv", "ndtri", "xlogy", "xlog1py"])
def test_special_functions_of_shares_are_exact(name: str) -> None:
    shares = np.concatenate([np.linspace(0.0, 1.0, 101), [1e-12, 1 - 1e-12]])
    twice = name.startswith("xlog")
    with np.errstate(all="ignore"):
        made = getattr(special, name)(*[Tensor(shares)] * (1 + twice)).data
    expected = getattr(torch.special, name)(*[torch.tensor(shares)] * (1 + twice)).numpy()
    np.testing.assert_allclose(made, expected, rtol=1e-10, atol=1e-14)


CONVERSIONS: dict[str, Callable[..., Any]] = {
    "bool": lambda lib, x: x.bool(),
    "byte": lambda lib, x: x.abs().byte(),
    "char": lambda lib, x: x.char(),
    "double": lambda lib, x: x.double(),
    "float of long": lambda lib, x: x.long().float(),
    "int": lambda lib, x: x.int(),
    "short": lambda lib, x: x.short(),
    "to a dtype": lambda lib, x: x.to(lib.float64),
    "to another": lambda lib, x: x.to(lib.arange(3)),
    "to the cpu": lambda lib, x: x.to("cpu", lib.float64, False, True),
    "to by name": lambda lib, x: x.to(dtype=lib.int32, copy=True),
    "type": lambda lib, x: x.type(lib.float64),
    "type_as": lambda lib, x: x.type_as(lib.arange(3)),
    "mean of booleans": lambda lib, x: (x > 0).float().mean(),
    "half a boolean": lambda lib, x: (x > 0) / 2,
    "sum of booleans": lambda lib, x: (x > 0).sum(),
    "cumsum of booleans": lambda lib, x: (x > 0).cumsum(0),
    "an integer and a number": lambda lib, x: x.long() * 0.5,
    "float64 and a number": lambda lib, x: x.double() * 0.5,
    "an integer by an integer": lambda lib, x: x.long() / 2,
    "bytes under a root": lambda lib, x: x.abs().byte().sqrt(),
}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_dtypes_are_those_of_pytorch(name: str) -> None:
    values = [[-1.5, 0.0, 2.5], [200.25, 3.0, 1.0]]
    made, expected = CONVERSIONS[name](cg, cg.tensor(values)), CONVERSIONS[name](torch, torch.tensor(values))
    assert f"torch.{made.dtype}" == str(expected.dtype)
    np.testing.assert_allclose(made.data, expected.numpy(), rtol=1e-6)


KINDS = ["bool", "uint8", "int32", "int64", "float32", "float64"]


@pytest.mark.parametrize("one", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_dtypes_meet_as_in_pytorch(one: str, other: str) -> None:
    expected = torch.promote_types(getattr(torch, one), getattr(torch, other))
    assert f"torch.{cg.promote_types(one, other)}" == str(expected)
    pair, torch_pair = [([cg, torch][i].ones(2, dtype=getattr([cg, torch][i], one)), 2.5) for i in (0, 1)]
    assert f"torch.{cg.result_type(*pair)}" == str(torch.result_type(*torch_pair))


def test_properties_of_a_tensor() -> None:
    x = cg.zeros(2, 3)
    assert (x.dim(), x.ndimension(), x.numel(), x.nelement(), x.element_size(), x.nbytes) == (2, 2, 6, 6, 4, 24)
    assert x.is_contiguous() and not x.T.is_contiguous() and x.T.contiguous().is_contiguous()
    assert x.contiguous() is x and x.cpu() is x and x.type_as(x) is x
    assert cg.is_nonzero(cg.tensor([2])) and cg.numel(x) == 6 and cg.equal(x, x) and not cg.equal(x, x.T)
    assert cg.as_tensor(x) is x and cg.as_tensor(x.data).data is x.data and cg.as_tensor([1, 2], cg.float).dtype == "f"


# ---------------------------------------------------------------------------------------------------- misuse, in words

MISUSE: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "a device": (lambda: cg.ones(2).to("cuda"), TypeError, "'cuda' is a device that is not here"),
    "alpha and a name": (lambda: cg.add(cg.ones(2), 1, beta=2), TypeError, "add has no argument `beta`"),
    "booleans have no sign": (lambda: +cg.tensor([True]), TypeError, "booleans have no sign"),
    "cauchy_": (lambda: cg.ones(2).cauchy_(0, 0), ValueError, "a width above 0, not 0"),
    "clamp without bounds": (lambda: cg.ones(2).clamp(), ValueError, "at least one of the bounds"),
    "cov of cubes": (lambda: cg.cov(cg.ones(2, 2, 2)), ValueError, "rows of observations were expected"),
    "cov with too few weights": (lambda: cg.cov(cg.ones(2, 3), aweights=cg.ones(2)), ValueError, "each of 3 observ"),
    "cov with weights below 0": (lambda: cg.cov(cg.ones(2), aweights=-cg.ones(2)), ValueError, "below 0"),
    "cov with fractions": (lambda: cg.cov(cg.ones(2), fweights=cg.ones(2)), ValueError, "in integers, but is float32"),
    "diff of a number": (lambda: cg.diff(cg.tensor(1.0)), ValueError, "there is an axis"),
    "div": (lambda: cg.div(cg.ones(2), 2, rounding_mode="up"), ValueError, "'up' came"),
    "exponential_": (lambda: cg.ones(2).exponential_(0), ValueError, "a rate above 0"),
    "eye": (lambda: cg.eye(-1), ValueError, "sizes are 0 or more"),
    "geometric_": (lambda: cg.ones(2).geometric_(1.5), ValueError, "between 0 and 1, not 1.5"),
    "gradient": (lambda: cg.gradient(cg.ones(1)), ValueError, "needs at least 2 points"),
    "gradient of one spacing": (lambda: cg.gradient(cg.ones(2, 2), spacing=[1.0]), ValueError, "2 spacings were"),
    "histc": (lambda: cg.histc(cg.ones(2), 0), ValueError, "at least one bin"),
    "integers of no size": (lambda: cg.randint(3), TypeError, "a size is needed"),
    "isclose": (lambda: cg.isclose(cg.ones(2), cg.ones(2), atol=-1), ValueError, "tolerances are 0 or more"),
    "log_normal_": (lambda: cg.ones(2).log_normal_(0, 0), ValueError, "a standard deviation above 0"),
    "masked_fill": (lambda: cg.ones(2).masked_fill(cg.ones(2) > 0, cg.ones(2)), ValueError, "one value was expected"),
    "median of nothing": (lambda: cg.zeros(2, 0).median(1), ValueError, "nothing to choose from"),
    "multinomial": (lambda: cg.multinomial(cg.ones(2), 3), ValueError, "3 places cannot be drawn"),
    "multinomial below 0": (lambda: cg.multinomial(-cg.ones(2), 1), ValueError, "weights are 0 or more"),
    "multinomial of cubes": (lambda: cg.multinomial(cg.ones(2, 2, 2), 1), ValueError, "a row or rows"),
    "mvlgamma": (lambda: cg.mvlgamma(cg.ones(2), 0), ValueError, "p = 1 dimensions or more"),
    "no probability": (lambda: cg.bernoulli(cg.ones(2), 1.5), ValueError, "from 0 to 1"),
    "norm": (lambda: cg.norm(cg.ones(2), "max"), ValueError, "'max' came"),
    "normal": (lambda: cg.normal(0, 1), TypeError, "a size is needed too"),
    "normal below 0": (lambda: cg.normal(cg.ones(2), -1.0), ValueError, "0 or more, but -1.0 came"),
    "poisson": (lambda: cg.poisson(-cg.ones(2)), ValueError, "a rate is 0 or more"),
    "polygamma": (lambda: cg.polygamma(-1, cg.ones(2)), ValueError, "0 or more, but -1 came"),
    "prod of two axes": (lambda: cg.prod(cg.ones(2, 2), (0, 1)), ValueError, "flatten these axes first"),
    "quantile": (lambda: cg.quantile(cg.ones(2), 2.0), ValueError, "a share from 0 to 1"),
    "quantile by name": (lambda: cg.quantile(cg.ones(2), 0.5, interpolation="cubic"), ValueError, "'cubic' came"),
    "trapezoid": (lambda: cg.trapezoid(cg.ones(2), cg.ones(2), dx=1), ValueError, "give one of them"),
    "two corrections": (lambda: cg.var(cg.ones(2), unbiased=True, correction=0), TypeError, "give one of them"),
    "uniform_": (lambda: cg.ones(2).uniform_(1, 0), ValueError, "a range that goes up"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_is_refused_in_words(name: str) -> None:
    do, kind, words = MISUSE[name]
    with pytest.raises(kind, match=words):
        do()

"""Chains: what is computed element by element runs in blocks, to the same bits; all else is left alone."""

from __future__ import annotations

import importlib
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim
from chalkgrad.compiler import chained
from chalkgrad.compiler.blocked import written
from chalkgrad.compiler.chained import Chained, domain_of
from chalkgrad.compiler.facts import observe
from chalkgrad.compiler.lines import Function, lines_of
from chalkgrad.nn import functional as F

from .test_compile_passes import PASSES, outcome, passed_by, program_of
from .twins import divided

chains = importlib.import_module("chalkgrad.compiler.passes.chains")
Known = dict[str, Any]


def bounds(monkeypatch: pytest.MonkeyPatch, least: int = 16, fewest: int = 2, block: int = 48) -> None:
    """Let the pass begin with small arrays and short chains, in small blocks."""
    monkeypatch.setattr(chains, "LEAST", least)
    monkeypatch.setattr(chains, "FEWEST", fewest)
    monkeypatch.setattr(chained, "BLOCK", block)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds(monkeypatch)


def bend(x: Any) -> Any:
    """A helper that works element by element."""
    return np.tanh(x) * np.clip(x, -1, 1)


def turned(x: Any) -> Any:
    """A helper that does not, though it names nothing that says so."""
    return x - x[::-1]


def limited(x: Any) -> Any:
    """A helper that looks at all elements, if some are large."""
    return x / np.maximum(1, np.abs(x).max() / 1e6)


def start() -> Known:
    return {"np": np, "bend": bend, "turned": turned, "limited": limited}


def run_chains(function: Function, known: Known) -> None:
    made: dict[Any, Chained] = {}
    chains.chains(function, observe(function, known), known, made, 1)
    function.lines = lines_of("\n".join(line.text.replace("_work,", "_work[0],") for line in function.lines))


SHAPE = (7, 9, 4)


def function_of(text: str, gives: str = "y", shape: tuple[int, ...] = SHAPE, dtype: Any = np.float32) -> Function:
    """Make a function of a, b and c of the shape, rows, columns, numbers, and t, which lies in another order."""
    rng = np.random.default_rng(0)
    given: Known = {name: rng.standard_normal(shape).astype(dtype) for name in "abc"}
    given |= {"bias": rng.standard_normal(shape[-1:]).astype(dtype), "n": 3, "half": np.float32(0.5),
              "column": rng.standard_normal((*shape[:-1], 1)).astype(dtype),
              "middle": rng.standard_normal((1, *shape[1:])).astype(dtype),
              "t": rng.standard_normal(shape[::-1]).astype(dtype).T, "m": rng.random(shape) > 0.5}
    lines = lines_of(textwrap.dedent(text.replace("; ", "\n")).strip())
    return Function("f", [*given], lines, gives.split(", "), given)


# what: the text, what it returns, the calls that the new text has, and what it must not have
DONE: dict[str, tuple[str, str, list[str], list[str]]] = {
    "a chain": ("z = a + bias; w = np.tanh(z); y = w * z", "y", ["y = chain_1(chain_1_work[0], a, bias)"], []),
    "what is returned": ("z = a + bias; w = np.tanh(z); y = w * z", "y, w", ["w, y = chain_1("], []),
    "what is read later": ("z = a + b; w = z * c; y = z.sum() + w", "y", ["z, w = chain_1("], []),
    "changed later": ("z = a + b; y = z * c; z[0] = 1", "y, z", ["z, y = chain_1("], []),
    "changed inside": ("z = a + b; z *= c; z -= column; y = z / 2", "y", ["y = chain_1("], []),
    "from outside, changed inside": (
        "z = np.cumsum(a, 0); z *= c; y = z + 1; w = z[0] + 1", "y, w", ["y, z = chain_1("], []),
    "an argument is changed": ("a *= 2; y = a + b", "y", ["y, a = chain_1("], []),
    "by a view": ("v = a[1:]; z = b + 1; a *= 2; y = a * z; w = v * 2", "y, w", ["y, a = chain_1("], []),
    "a view of what is changed": ("v = a[0]; a *= b; y = v + a", "y", ["a *= b"], ["chain_1"]),
    "the other way round": ("v = a[::-1]; z = v + b; z *= c; a *= z; y = a + 1", "y", ["y, a = chain_"], ["v, c, a)"]),
    "columns and rows": ("z = a - column; z *= middle; y = z + bias * half", "y", ["column, middle"], []),
    "numbers": ("z = a * n; w = z + 0.5; y = -w > half", "y", ["chain_1(chain_1_work[0], a, n, half)"], []),
    "masks": ("z = a * m; w = z > 0; y = np.where(w, z, b)", "y, w", ["chain_1("], []),
    "another order": ("z = t * 2; w = t + z; y = w * t", "y", ["chain_1("], []),
    "two orders": ("z = t * 2; w = np.exp(z); y = w + a; x = y * y", "x", ["chain_1("], []),
    "a helper": ("z = a + 1; w = bend(z); y = w * a", "y", ["chain_1("], []),
    "a helper, written whole": ("y = bend(a); z = y * 2", "y, z", ["y, z = chain_1("], []),
    "a helper that looks aside": ("z = turned(a); y = z + b", "y", ["z = turned(a)"], ["chain_1"]),
    "a helper that may look at all": ("z = limited(a); y = z + b", "y", ["z = limited(a)"], ["chain_1"]),
    "products": ("z = a @ a.mT; y = z @ a", "y", [], ["chain_1"]),
    "sums": ("z = a.sum(axis=-1, keepdims=True); y = a - z", "y", [], ["chain_1"]),
    "in another order": ("z = np.sort(a); y = z[::-1]; x = a * 1", "y, x", [], ["chain_1"]),
    "something small between": (
        "z = a + b; s = bias * 2; w = z * s; r = w.max(); y = w - c; u = y * r", "y, u", ["w, y = chain_1("], []),
    "what waits is read": ("z = a + b; y = z * c; s = y.sum(); w = y * s; x = w + 1", "x", ["chain_2"], []),
    "two shapes": ("z = a + b; w = z * 2; s = a[0] * 2; r = s + 1; y = w + r; x = y * 2", "x", ["chain_"], []),
    "a loop": ("z = a * 2\nfor i in range(3):\n    z = z + b\nw = z * 2\ny = w + 1", "y", ["y = chain_1("], []),
    "as many as there are": ("z = a[m]; w = z * 2; y = w + 1", "y", [], ["chain_1"]),
    "twice the same": (
        "z = a + b; y = z * 2; s = y @ y.mT; v = a + c; w = v * 2", "s, w", ["w = chain_1("], ["chain_2"]),
    "squares": ("z = a ** 2; y = z + 1; x = y ** 2", "x, z", ["chain_1("], []),
    "another dtype": ("z = a.astype(np.float64); w = z + a; y = w * w", "y", ["chain_1("], []),
}  # fmt: skip


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [SHAPE, (16, 3, 4), (2, 3, 64), (2, 3, 8)])
@pytest.mark.parametrize("name", DONE)
def test_chains_are_what_their_lines_are(name: str, shape: tuple[int, ...], dtype: Any, monkeypatch: Any) -> None:
    monkeypatch.setitem(PASSES, "chains", run_chains)
    text, gives, has, has_not = DONE[name]
    after = passed_by("chains", function_of(text, gives, shape, dtype), start())
    if np.prod(shape) <= chained.BLOCK:  # all in one block: a line may look wherever it wants
        return
    for part in has:
        assert part in after, after
    for part in has_not:
        assert part not in after, after


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(60))
def test_random_programs_stay_what_they_are(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PASSES, "chains", run_chains)
    from .test_compile_passes import function_of as square_function
    from .test_compile_passes import start as square_start
    text, gives = program_of(np.random.default_rng(seed), 16)
    passed_by("single_names chains into forget", square_function(text, gives), square_start())
    passed_by("single_names constants split dead_code chains into forget", square_function(text, gives), square_start())


# ------------------------------------------------------------------------------------------------- real programs


class Plain(nn.Module):
    """Turn a rule into a layer."""

    def __init__(self, rule: Callable[..., Any]) -> None:
        super().__init__()
        self.rule = rule

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.rule(x)
        return y


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "gelu": nn.GELU, "gelu tanh": lambda: nn.GELU("tanh"), "silu": nn.SiLU, "mish": nn.Mish, "elu": nn.ELU,
    "softmax": lambda: nn.Softmax(-1), "layer norm": lambda: nn.LayerNorm(24), "dropout": lambda: nn.Dropout(0.3),
    "softplus": nn.Softplus, "batch norm": lambda: nn.BatchNorm1d(24),
    "where": lambda: Plain(lambda x: cg.where(x > 0, x * x, 0.5 * x - 1)),
    "a loop": lambda: Plain(lambda x: sum((x * k + x.tanh() for k in range(3)), x)),
    "turned": lambda: Plain(lambda x: (x.T * 2 + 1).tanh().exp().T),
}  # fmt: skip


def steps(layer: Callable[[], nn.Module], count: int, width: int, rows: int, fast: bool) -> tuple[list[Any], str]:
    """Train a network with a layer inside; return the losses, the parameters, and the text."""
    cg.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, width), layer(), nn.Linear(width, 5), layer() if width == 5 else nn.Identity())
    optimizer = optim.Adam(model.parameters(), 0.01)

    def step(x: Tensor, target: Tensor) -> Any:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    run: Any = cg.compile(step) if fast else step
    rng = np.random.default_rng(1)
    seen: list[Any] = []
    for _ in range(count):
        x, target = rng.standard_normal((rows, 6), np.float32), rng.integers(0, 5, rows)
        seen.append(run(Tensor(x), Tensor(target)).data.copy())
    return [*seen, *(param.data.copy() for param in model.parameters())], run.source if fast else ""


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("name", LAYERS)
def test_steps_with_chains_are_the_steps_without(name: str, parts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled with and without chains, from the same start, a network comes to the same bits."""
    divided(monkeypatch, parts)
    bounds(monkeypatch, least=1 << 40)
    without, plain = steps(LAYERS[name], 3, 24, 10, fast=True)
    bounds(monkeypatch, least=100, block=72)
    with_chains, text = steps(LAYERS[name], 3, 24, 10, fast=True)
    assert "chain_" not in plain and ("= chain_1(" in text or name == "batch norm"), text
    assert ("= in_parts(" in text) == (parts == 2 and name != "batch norm")
    for one, other in zip(without, with_chains, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("parts", [1, 2])
def test_a_large_gelu_is_a_chain(parts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the bounds as they are, the numbers are those of the eager step, but for the sums over parts."""
    divided(monkeypatch, parts)
    rows = chains.LEAST // 256 * parts
    eager, _ = steps(nn.GELU, 2, 256, rows, fast=False)
    fast, text = steps(nn.GELU, 2, 256, rows, fast=True)
    assert text.count("= chain_1(") == 1 and "chain_2" not in text, text
    for one, other in zip(eager, fast, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-6)
    _, text = steps(nn.GELU, 1, 256, rows - 8 * parts, fast=True)
    assert "chain_" not in text


def test_the_derivative_of_a_larger_one_is_a_chain_too(monkeypatch: pytest.MonkeyPatch) -> None:
    divided(monkeypatch, 1)
    _, text = steps(nn.GELU, 1, 256, chains.LARGE // 256, fast=True)
    assert text.count("= chain_1(") == text.count("= chain_2(") == 1, text


class Block(nn.Module):
    """A layer and its activation."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.gelu = nn.Linear(16, 16), nn.GELU()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.gelu(self.linear(x))
        return y


def test_layers_share_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    divided(monkeypatch, 1)
    bounds(monkeypatch, least=100, block=64, fewest=4)
    model = nn.Sequential(Block(), Block(), Block(), nn.Linear(16, 1))
    optimizer = optim.SGD(model.parameters(), 0.1)

    @cg.compile
    def step(x: Tensor) -> Any:
        optimizer.zero_grad()
        loss = model(x).mean()
        loss.backward()
        optimizer.step()
        return loss

    step(Tensor(np.ones((10, 16), np.float32)))
    assert step.source.count("def chain_") == 2 and step.source.count("= chain_") == 6, step.source


def test_domains() -> None:
    assert domain_of(np.zeros((4, 5))[:, :3]) is None
    assert domain_of(np.zeros((4, 1, 5)).T) == ((5, 1, 4), (2, 0))


def test_what_is_returned_twice_is_made_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results are written to new memory in every call."""
    bounds(monkeypatch)
    function = function_of("z = a + b; w = z * c; y = w + 1", "y, w")
    known = start()
    before = outcome(function, known)
    run_chains(function, known)
    assert "chain_1" in written(function)
    for one, other in zip(before, outcome(function, known), strict=True):
        np.testing.assert_array_equal(one, other)

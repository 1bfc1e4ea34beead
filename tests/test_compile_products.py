"""Stacks of small products become one product, and outer products are multiplied: where that is so, and where not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim
from chalkgrad.compiler.facts import observe, samples
from chalkgrad.compiler.lines import Function, lines_of
from chalkgrad.compiler.passes.products import FEWEST, LOW, NARROW, OUTER, SMALL, products

from .twins import Setup, assert_twins, divided

# ------------------------------------------------------------------------------------------------- the pass by itself

FLAT, SUMMED, OUTERS = ".reshape(-1, ", ".T @ ", " * "
STACK = {"x": (8, 3, 5), "w": (5, 6), "g": (8, 3, 6)}
SUM = "t = np.swapaxes(x, -1, -2); each = t @ g; y = each.sum(axis=0)"
LONG = SMALL // 128 + 1

# what: the text, what it returns, the shapes of its arguments, what the new text has, and what it has not
CASES: dict[str, tuple[str, str, dict[str, tuple[int, ...]], str, str]] = {
    "a stack and a matrix": ("z = x @ w; y = z + 1", "y", STACK, FLAT, ""),
    "a matrix turned round": ("z = x @ w.T; y = z + 1", "y", STACK | {"w": (6, 5)}, FLAT, ""),
    "a vector": ("z = x @ v[:, None]; y = z[..., 0]", "y", STACK | {"v": (5,)}, "", FLAT),
    "a stack of stacks": ("z = x @ w; y = z + 1", "y", STACK | {"x": (2, 4, 3, 5)}, "reshape((2, 4, 3, 6))", ""),
    "what is written into": ("z = x @ w; z += 1; y = z * 2", "y", STACK, FLAT, ""),
    "what is returned": ("y = x @ w", "y", STACK, "", FLAT),
    "two stacks": ("z = x @ u; y = z + 1", "y", STACK | {"u": (8, 5, 6)}, "", FLAT),
    "few matrices": ("z = x @ w; y = z + 1", "y", STACK | {"x": (FEWEST - 1, 3, 5)}, "", FLAT),
    "axes in another order": ("t = x.transpose(1, 0, 2); z = t @ w; y = z + 1", "y", STACK, "", FLAT),
    "narrow": ("z = x @ w; y = z + 1", "y", {"x": (4, LONG, 128), "w": (128, NARROW - 1)}, "", FLAT),
    "narrow and low": ("z = x @ w; y = z + 1", "y", {"x": (LONG, LOW, 128), "w": (128, NARROW - 1)}, FLAT, ""),
    "not narrow": ("z = x @ w; y = z + 1", "y", {"x": (4, LONG, 16), "w": (16, NARROW)}, FLAT, ""),
    "a shape that follows from numbers": ("p = x[m]; z = p @ w; y = z + 1", "y", STACK | {"m": (8,)}, "", FLAT),
    "bound again": ("y = x @ w\nfor i in range(2):\n    y = y + 1", "y", STACK, "", FLAT),
    "a sum over the stack": (SUM, "y", STACK, SUMMED, ""),
    "a sum over two axes": (SUM.replace("0)", "(0, 1))"), "y",
                            {"x": (2, 4, 3, 5), "g": (2, 4, 3, 6)}, SUMMED, ""),
    "a sum over one of two axes": (SUM, "y", {"x": (2, 4, 3, 5), "g": (2, 4, 3, 6)}, "", SUMMED),
    "a sum over rows": (SUM.replace("0)", "1)"), "y", STACK, "", SUMMED),
    "a sum that keeps its axes": (SUM.replace("0)", "0, keepdims=True)"), "y", STACK, "", SUMMED),
    "a sum of what is not turned round": ("each = t @ g; y = each.sum(axis=0)", "y",
                                          {"t": (8, 5, 3), "g": (8, 3, 6)}, "", SUMMED),
    "a sum of what is repeated": (SUM, "y", STACK | {"g": (3, 6)}, "", SUMMED),
    "bound between": ("t = np.swapaxes(x, -1, -2)\nfor i in range(2):\n    x = x + 1\n" + SUM.partition("; ")[2], "y",
                      STACK, "", SUMMED),
    "changed between": (SUM.replace("; y", "; x *= 2; y"), "y", STACK, "", SUMMED),
    "a product is changed between": (SUM.replace("; y", "; each += 1; y"), "y", STACK, "", SUMMED),
    "changed before": ("x *= 2; " + SUM, "y", STACK, SUMMED, ""),
    "changed after": (SUM + "; g *= 2", "y, g", STACK, SUMMED, ""),
    "read by others as well": (SUM + "; z = each[0] * 1", "y, z", STACK, SUMMED, ""),
    "a column and a row": ("y = a @ b", "y", {"a": (OUTER // 8, 1), "b": (1, 8)}, OUTERS, "@"),
    "views of both": ("y = a.T @ b.T", "y", {"a": (1, OUTER), "b": (3, 1)}, OUTERS, "@"),
    "stacks of columns": ("y = a @ b", "y", {"a": (3, 16, 1), "b": (3, 1, OUTER // 16)}, OUTERS, "@"),
    "too small": ("y = a @ b", "y", {"a": (OUTER // 8 - 1, 1), "b": (1, 8)}, "", OUTERS),
    "a row and a column": ("y = b @ a", "y", {"a": (OUTER, 1), "b": (1, OUTER)}, "", OUTERS),
}


def function_of(text: str, gives: str, shapes: dict[str, tuple[int, ...]]) -> Function:
    rng = np.random.default_rng(0)
    given: dict[str, Any] = {name: rng.standard_normal(shape, np.float32) for name, shape in shapes.items()}
    if "m" in given:
        given["m"] = given["m"] > -1
    return Function("f", [*given], lines_of(text.replace("; ", "\n")), gives.split(", "), given)


def run(function: Function) -> list[Any]:
    values = {"np": np, **samples(function.given)}
    for line in function.lines:
        exec(line.code, values)
    return [np.array(values[name]) for name in function.gives]


@pytest.mark.parametrize("name", CASES)
def test_products_are_joined_where_they_may_be(name: str) -> None:
    text, gives, shapes, has, has_not = CASES[name]
    function = function_of(text, gives, shapes)
    before = run(function)
    products(function, observe(function, {"np": np}))
    after = "\n".join(line.text for line in function.lines)
    assert has in after and not (has_not and has_not in after), after
    for one, other in zip(run(function), before, strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-4)
        assert has != OUTERS or np.array_equal(one, other)


@pytest.mark.parametrize("dtype", [np.int64, np.bool_])
def test_only_floats_are_touched(dtype: Any) -> None:
    text, gives, shapes, *_ = CASES["a column and a row"]
    function = function_of(text, gives, shapes)
    function.given = {name: (value > 0).astype(dtype) for name, value in function.given.items()}
    products(function, observe(function, {"np": np}))
    assert [line.text for line in function.lines] == [text]


# ---------------------------------------------------------------------------------------------------------- whole steps


class Attention(nn.Module):
    """Attention as it is written by hand: one matrix for each of queries, keys, values."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = (nn.Parameter(cg.randn(8, 8)) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = x @ self.q, x @ self.k, x @ self.v
        return (q @ k.mT / 8**0.5).softmax(-1) @ v


class Tied(nn.Module):
    """A matrix that is used twice, once turned round, and a vector."""

    def __init__(self) -> None:
        super().__init__()
        self.w, self.a = nn.Parameter(cg.randn(8, 5)), nn.Parameter(cg.randn(8))

    def forward(self, x: Tensor) -> Tensor:
        y = (x @ self.w).tanh() @ self.w.T
        return x * (y @ self.a).softmax(-1)[..., None]


class Heads(nn.Module):
    """An actor and a critic, whose gradient is a column times a row."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.actor, self.critic = nn.Linear(8, 128), nn.Linear(128, 3), nn.Linear(128, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.body(x).tanh()
        return self.actor(h).softmax(-1) * self.critic(h)


def frozen() -> nn.Module:
    """Build attention of which one matrix is not learned."""
    model = Attention()
    model.k.requires_grad_(False)
    return model


JOINED = ["x.reshape(-1, 8)", "grad_q = np.matmul(matmul_1.T, grad_q_2, out=row_q)"]

# what: the model, the shape of its input, what the program has, whether the bits of the eager step come out
MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], list[str], bool]] = {
    "attention": (Attention, (8, 6, 8), JOINED, False),
    "one matrix frozen": (frozen, (8, 6, 8), JOINED, False),
    "a matrix twice, and a vector": (Tied, (8, 6, 8), ["x.reshape(-1, 8)", "= a[:, None]"], False),
    "sequences of one": (Attention, (16, 1, 8), ["x.reshape(-1, 8)"], False),
    "a few": (Attention, (2, 6, 8), [], True),
    "an actor and a critic": (Heads, (12, 8), ["= np.multiply(grad_critic, critic_weight, "], True),
    "one row at a time": (lambda: nn.Sequential(nn.Linear(8, 256), nn.Tanh(), nn.Linear(256, 8)), (1, 8),
                          ["np.multiply(grad_layer_0.T, x, out=row_layer_0_weight)"], True),
    "one column": (lambda: nn.Sequential(nn.Linear(1, 128), nn.Tanh(), nn.Linear(128, 1)), (12, 1),
                   ["np.multiply(x, layer_0_weight.T, "], True),
}


def setup(model: nn.Module, optimizer: optim.Optimizer) -> Setup:
    def step(x: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss = ((model(x) - 1) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    return model, [optimizer], step


def inputs(i: int, shape: tuple[int, ...]) -> Tensor:
    return Tensor(np.random.default_rng(i).standard_normal(shape, np.float32))


def learned(model: nn.Module) -> list[Tensor]:
    return [param for param in model.parameters() if param.requires_grad]


@pytest.mark.parametrize("rule", ["SGD", "Adam"])
@pytest.mark.parametrize("name", MODELS)
def test_steps_come_to_the_same(name: str, rule: str) -> None:
    build, shape, has, exact = MODELS[name]

    def make() -> Setup:
        model = build()
        return setup(model, getattr(optim, rule)(learned(model), 0.01))

    compiled = assert_twins(make, lambda i, step, *_: step(inputs(i, shape)), exact=exact, tolerance=1e-4)
    for part in has:
        assert part in compiled.source, compiled.source
    assert has or ".reshape(-1, " not in compiled.source


@pytest.mark.parametrize("name", ["attention", "a matrix twice, and a vector", "an actor and a critic"])
def test_divided_steps_come_to_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    divided(monkeypatch, 2)
    build, shape, *_ = MODELS[name]

    def make() -> Setup:
        model = build()
        return setup(model, optim.SGD(learned(model), 0.05))

    shape = (64, *shape[1:])
    compiled = assert_twins(make, lambda i, step, *_: step(inputs(i, shape)), exact=False, tolerance=1e-4)
    assert "in_parts(part_1" in compiled.source


def test_eager_and_compiled_steps_take_turns() -> None:
    build, shape, *_ = MODELS["attention"]
    runs = []
    for mixed in (False, True):
        cg.manual_seed(0)
        model = build()
        _, _, step = setup(model, optim.Adam(model.parameters(), 0.01))
        fast = cg.compile(step)
        for i in range(6):
            (fast if mixed and i % 2 else step)(inputs(i, shape))
        runs.append([param.data for param in model.parameters()])
    for one, other in zip(*runs):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-4)


def test_evaluation() -> None:
    model = Attention()
    compiled = cg.compile(cg.no_grad()(lambda x: model(x)))
    x = inputs(0, (8, 6, 8))
    with cg.no_grad():
        np.testing.assert_allclose(compiled(x).data, model(x).data, rtol=0, atol=1e-5)
    assert "x.reshape(-1, 8)" in compiled.source


# ------------------------------------------------------------------------------------------------------ random programs


def drawn(rng: np.random.Generator) -> str:
    """Draw lines of products, views, sums over the stack, and changes in place."""
    shapes, lines = dict(STACK), []
    for k in range(12):
        a, b = rng.choice([*shapes]), rng.choice([*shapes])
        one, other = shapes[a], shapes[b]
        match rng.integers(6):
            case 0 | 1 if one[-1] == other[-2] and (min(len(one), len(other)) == 2 or one[:-2] == other[:-2]):
                lines.append(f"n{k} = {a} @ {b}")
                shapes[f"n{k}"] = (*max(one[:-2], other[:-2]), one[-2], other[-1])
            case 2:
                lines.append(f"n{k} = np.swapaxes({a}, -1, -2)")
                shapes[f"n{k}"] = (*one[:-2], one[-1], one[-2])
            case 3 | 4 if len(one) == 3 and one[:-1] == other[:-1]:
                changed = rng.choice([f"{a} *= 0.5", f"{b} *= 0.5", f"e{k} += 1", f"{a} = {a} + 1", "p = 1", "p = 2"])
                lines += [f"t{k} = np.swapaxes({a}, -1, -2)", f"e{k} = t{k} @ {b}", changed, f"n{k} = e{k}.sum(axis=0)"]
                shapes[f"n{k}"] = (one[-1], other[-1])
            case 5:
                lines.append(f"{a} *= 0.5")
    return "; ".join([*lines, "y = " + " + ".join(f"{name}.sum()" for name in shapes)])


@pytest.mark.parametrize("start", range(0, 400, 100))
def test_random_programs_stay_what_they_are(start: int) -> None:
    acted = 0
    for seed in range(start, start + 100):
        text = drawn(np.random.default_rng(seed))
        function = function_of(text, "y", STACK)
        (before,) = run(function)
        products(function, observe(function, {"np": np}))
        (after,) = run(function)
        acted += SUMMED in "\n".join(line.text for line in function.lines)
        np.testing.assert_allclose(after, before, rtol=1e-3, atol=1e-2, err_msg=text)
    assert acted > 5

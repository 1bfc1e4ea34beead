"""Every pass of the compiler alone: the same bits before and after, and what it must leave alone it leaves alone."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import math
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from chalkgrad import Tensor, nn, optim
from chalkgrad.compiler.blocked import BLOCK, Blocked, written
from chalkgrad.compiler.build import Built
from chalkgrad.compiler.facts import observe, samples
from chalkgrad.compiler.lines import Function, Line, is_array, lines_of
from chalkgrad.compiler.memory import Arena
from chalkgrad.compiler.passes.cheap import cheap
from chalkgrad.compiler.passes.common import common
from chalkgrad.compiler.passes.constants import constants
from chalkgrad.compiler.passes.dead_code import dead_code
from chalkgrad.compiler.passes.direct import direct
from chalkgrad.compiler.passes.forget import forget
from chalkgrad.compiler.passes.into import into
from chalkgrad.compiler.passes.rows import Group, rows
from chalkgrad.compiler.passes.single_names import single_names
from chalkgrad.compiler.passes.split import split
from chalkgrad.compiler.threads import in_parts
from chalkgrad.law.elementwise import is_elementwise
from chalkgrad.ops.update import UPDATES
from chalkgrad.spell.program import Program
from chalkgrad.spell.trace import trace

from .twins import Setup, adam, learning, normed

Known = dict[str, Any]
N = 24  # rows and columns: 2304 bytes of float32, which is enough to be given a place


def mixed(x: Any, y: Any) -> None:
    """Change an array by a helper, as an update rule does."""
    x *= 0.5
    x += y


def start() -> Known:
    return {"np": np, "math": math, "mixed": mixed, "in_parts": in_parts}


def square(seed: int) -> Any:
    return np.random.default_rng(seed).standard_normal((N, N), np.float32)


def function_of(text: str, gives: str = "y") -> Function:
    """Make a function of a, b, the flat row_w, and whatever the lines make of them."""
    given = {"a": square(0), "b": square(1), "row_w": square(2), "t": np.arange(N) % 5}
    lines = lines_of(textwrap.dedent(text.replace("; ", "\n")).strip())
    return Function("f", [*given], lines, gives.split(", "), given)


def outcome(function: Function, known: Known) -> list[Any]:
    """Run the function twice in a row; return copies of what it returned and left in its arguments, both times."""
    scope = dict(known)
    exec(written(function), scope)
    seen = []
    returned: list[Any] = []
    for _ in range(2):
        given = samples(function.given)
        returned.append(scope[function.name](*[given[name] for name in function.takes]))
        seen += [np.copy(value) for value in (*returned[-1], *given.values()) if is_array(value)]
    seen += [np.copy(value) for value in returned[0]]  # which the second call must not have changed
    return seen


def run_constants(function: Function, known: Known) -> None:
    constants(function, observe(function, known), known, [])


def run_into(function: Function, known: Known) -> None:
    known |= into(function, observe(function, known)).make()


def run_forget(function: Function, known: Known) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.import_module("chalkgrad.compiler.passes.forget"), "LARGE", 1)
        forget(function, observe(function, known), Arena())


PASSES: dict[str, Callable[[Function, Known], Any]] = {
    "single_names": lambda function, known: single_names(function),
    "constants": run_constants,
    "split": lambda function, known: split(function, observe(function, known)),
    "direct": lambda function, known: direct(function, observe(function, known)),
    "dead_code": lambda function, known: dead_code(function, observe(function, known)),
    "into": run_into,
    "forget": run_forget,
    "common": lambda function, known: common(function, observe(function, known)),
    "cheap": lambda function, known: cheap(function, observe(function, known), known, []),
}


def passed(names: str, text: str, gives: str = "y") -> str:
    """Run passes over a function of this text."""
    return passed_by(names, function_of(text, gives), start())


def passed_by(names: str, function: Function, known: Known) -> str:
    """Run passes over a function, which must come to the same bits; return its new text."""
    before = outcome(function, known)
    for name in names.split():
        PASSES[name](function, known)
        after = outcome(function, known)
        for one, other in zip(after, before, strict=True):
            assert one.dtype == other.dtype, name
            np.testing.assert_array_equal(one, other, err_msg=f"{name}\n{written(function)}")
    return "\n".join(line.text for line in function.lines)


# ---------------------------------------------------------------------------- what a pass does, and what it must not

# "pass: what": the text, what it returns, what the new text has, and what it must not have
DONE: dict[str, tuple[str, str, list[str], list[str]]] = {
    "single_names: numbers": ("y = a * 2; y = y + b; z = y - a", "y, z", ["y_2 = y + b", "z = y_2 - a"], []),
    "single_names: an argument": ("a = a * 2; y = a + b", "y", ["a_2 = a * 2", "y = a_2 + b"], []),
    "single_names: taken": ("y_2 = a * 3; y = a; y = y * y_2", "y", ["y_3 = y * y_2"], []),
    "single_names: in place": ("y = a * 2; y += b; y[0] = 1", "y", ["y += b", "y[0] = 1"], ["y_2"]),
    "single_names: a loop": (
        "y = a * 2\nfor i in range(3):\n    y = y + b[i]\nz = y * 2", "y, z", ["y = y + b[i]"], ["y_2"]),
    "single_names: several at once": ("y = a * 1; (y, z) = (b * 2, y * 3)", "y, z", [], ["y_2"]),
    "constants: zeros": ("y = np.maximum(a, np.zeros_like(a))", "y", [f"np.maximum(a, zeros_{N}_{N}_float32)"], []),
    "constants: a number": ("n = len(t); y = a / n + a.shape[1]", "y", [f"y = a / {N} + {N}"], ["n ="]),
    "constants: axes": ("i = np.argsort([k % a.ndim for k in (1, 0)]); y = a.transpose(i)", "y", [], ["argsort"]),
    "constants: a choice": ("n = 1 if a is None else a.shape[1]; y = a / n", "y", [f"y = a / {N}"], ["if a"]),
    "constants: an index": ("i = np.arange(len(t)); y = a[i, t]", "y", ["y = a[i, t]"], ["arange"]),
    "constants: what is written into": ("y = np.zeros_like(a); y[t] = b[t]", "y", ["y = np.zeros_like(a)"], []),
    "constants: what is returned": ("y = np.ones_like(a)", "y", [], []),
    "constants: returned twice": ("y = np.zeros_like(a); z = np.zeros_like(a)", "y, z", [], []),
    "constants: two writers": (
        "y = np.zeros_like(a); z = np.zeros_like(a); y[0] = a[0]; z[1] = a[1]", "y, z", ["zeros_like(a)"], []),
    "constants: a writer and a reader": (
        "y = np.zeros_like(a); z = np.maximum(a, np.zeros_like(a)); y[0] = a[0]", "y, z", [], []),
    "constants: written by a view": (
        "z = np.zeros_like(a); v = z[2:4]; v += a[2:4]; y = z * 1", "y", ["zeros_like(a)"], []),
    "constants: by views of views": ("z = np.zeros((4, 6)).reshape(2, 12); v = z[0]; v += 1.0; y = z + 0", "y", [], []),
    "constants: by a helper": ("z = np.zeros_like(a); mixed(z, b); y = z * a", "y", ["zeros_like(a)"], []),
    "constants: a builtin's name": ("max = a * 2; y = max + 1; z = np.abs(max)", "y, z", ["max = a * 2"], []),
    "constants: as many as there are": ("m = a > 0; y = a[m].sum() / len(a[m])", "y", ["len(a[m])"], []),
    "split: a long line": (
        "y = a / (1 + np.exp(-b))", "y", ["y_1 = -b", "y_2 = np.exp(y_1)", "y_3 = 1 + y_2", "y = a / y_3"], []),
    "split: into a place": ("y = a * 1; y[t] += (a * b)[t]", "y", ["a * b"], []),
    "split: numbers": ("n = 3; y = a * (n * 2 + 1)", "y", ["y = a * (n * 2 + 1)"], ["y_1"]),
    "split: taken": ("y_1 = a * 2; y = (a + b) * y_1", "y, y_1", ["y_2 = a + b"], []),
    "split: a list": ("y = np.stack([x * 2 for x in a])", "y", ["x * 2 for x in a"], ["y_1"]),
    "split: a loop": ("y = a * 1\nfor i in range(3):\n    y += a * b[i]", "y", ["    y += a * b[i]"], ["y_1"]),
    "dead_code: unread": ("z = a @ b; y = a + b; w = z * 2", "y", ["y = a + b"], ["z", "w"]),
    "dead_code: an argument is changed": ("y = b * 2; a += b", "y", ["a += b"], []),
    "dead_code: by a view": ("v = a[1:3]; w = v.T; w += 1.0; y = b * 2", "y", ["v = a", "w = v", "w +="], []),
    "dead_code: by a helper": ("y = b * 2; z = a[0]; mixed(z, b[0])", "y", ["mixed", "z = a[0]"], []),
    "dead_code: what is returned": ("y = b * 2; v = y[0]; v[:] = 3", "y", ["v = y[0]", "v[:] = 3"], []),
    "dead_code: nobody's": ("z = a * 2; z += 1; z[0] = 3; y = b * 1", "y", ["y = b * 1"], ["z"]),
    "dead_code: two names of one": ("z = b * 2; v = z.reshape(-1); y = z + 1; v += 1", "y, z", ["v += 1"], []),
    "dead_code: one name of two": (
        "y = a * 2; z = b * 2; v = y[0]; v += 1; v = z[1]; v += 2", "y", ["v = y[0]", "v += 1"], []),
    "dead_code: a list": ("z = [a * 1, b * 1]; z[0] += 1; y = np.concatenate(z)", "y", ["z[0] += 1"], []),
    "dead_code: out of a list": (
        "z = np.split(a * 1, 2); v = z[1]; v += 1; y = np.concatenate(z)", "y", ["v += 1"], []),
    "direct: a product": ("g = a.T @ b; row_w[...] = g; y = a + 1", "y", ["np.matmul(a.T, b, out=row_w)"], ["[...]"]),
    "direct: read again": ("g = a * b; row_w[...] = g; y = g + 1", "y", ["out=row_w"], ["[...]"]),
    "direct: returned": ("y = a * b; row_w[...] = y", "y", ["row_w[...] = y"], ["out="]),
    "direct: changed": ("g = a * b; g += 1; row_w[...] = g; y = g + 1", "y", ["row_w[...] = g"], ["out="]),
    "direct: changed by a view": (
        "g = a * b; v = g[0]; v += 1; row_w[...] = g; y = g + 1", "y", ["row_w[...] = g"], ["out="]),
    "direct: spread": ("g = a[0] * b[0]; row_w[...] = g; y = a + 1", "y", ["row_w[...] = g"], ["out="]),
    "direct: a view": ("g = a.T; row_w[...] = g; y = a + 1", "y", ["row_w[...] = g"], ["out="]),
    "into: places": ("z = a * b; w = z + a; y = w * 2", "y", ["z = np.multiply(a, b, out=work_1)", "y = w * 2"], []),
    "into: what is returned": ("y = a * b; z = y + 1", "y, z", ["y = a * b", "z = y + 1"], ["out="]),
    "into: a view is returned": ("z = a * b; y = z[1:3]; w = z + 1", "y, w", ["z = a * b"], ["work_1"]),
    "into: a list is returned": ("z = a * b; v = [z[:2], z[2:]]; w = z + 1; u = w * 2; y = v[0] + u[:2]", "y", [], []),
    "into: a view lives longer": ("z = a * b; v = z.T; w = a + b; u = w * 2; s = u - v; y = s * 1", "y", ["out="], []),
    "into: read twice": ("z = a * b; w = z + z; u = w * z; y = u + z", "y", ["out="], []),
    "into: changed in place": ("z = a * b; z += a; w = z * b; z[0] = 1; y = w + z", "y", ["z += a"], []),
    "into: broadcast": ("z = a[0] * 2; w = z + a; u = w * z; y = u + w", "y", ["out="], []),
    "into: another dtype": ("m = a > b; w = m * a; y = w + m", "y", ["m = a > b", "np.multiply(m, a, out=work_1)"], []),
    "into: a product": ("z = a * 2; w = z @ z; y = w + 1", "y", ["np.matmul(z, z, out=work_2)"], []),
    "into: another order": ("z = a.T * 2; w = z + b; y = w * 1", "y", [], []),
    "into: a square": ("z = a ** 2; y = z + 1", "y", ["np.square(a, out=work_1)"], []),
    "into: small": ("z = a[0] * 2; y = z + 1", "y", ["z = a[0] * 2"], ["out="]),
    "forget: what is read no more": ("z = a * b; w = z + 1; y = w * 2", "y", ["del z"], ["del y", "del a"]),
    "forget: a view lives longer": ("z = a * b; v = z[0]; w = z + 1; u = w * 2; y = u + v", "y", [], ["del y"]),
    "into: written by a helper": ("z = a * 2; mixed(z, b); w = z * z; y = w + z", "y", ["mixed(z, b)"], []),
}


@pytest.mark.parametrize("name", DONE)
def test_a_pass_does_what_it_says_and_no_more(name: str) -> None:
    text, gives, has, has_not = DONE[name]
    after = passed(name.partition(":")[0], text, gives)
    for part in has:
        assert part in after, after
    for part in has_not:
        assert part not in after, after


# ------------------------------------------------------------------------------------ random programs, and real ones

LINES = [
    "{new} = {x} + {y} * 0.5", "{new} = np.tanh({x})", "{new} = {x} * {y}", "{new} = np.exp(-np.abs({x})) - {y}",
    "{new} = {x}.T", "{new} = {x}.reshape(-1)[::-1].reshape({n}, {n})", "{new} = {x} @ {y} / {n}", "{new} = {x}",
    "{x} += {y} * 0.25", "{x}[{i}] = {y}[{j}]", "{x}[{i}:] *= 0.5", "{new} = np.zeros_like({x})", "mixed({x}, {y})",
    "{new} = {x} - {x}.max(axis=1, keepdims=True)", "{new} = np.where({x} > {y}, {x}, 0.5 * {y})",
    "{new} = np.maximum({x}, np.zeros_like({x})) + len({y}) / {n}", "{x} = np.tanh({x}) + {y}",
    "v = {x}[{i}]; v += 1.0", "{new} = {x} ** 2 / (1 + {y} ** 2)",
    "{new} = {x}.sum(axis=0) + {y}[{i}] + 0 * {x}", "z = [{x}[:{i}], {y}[{i}:]]; {new} = np.concatenate(z)",
    "for k in range(3):\n    v = {x}[k]\n    v += {y}[{i}]",
]  # fmt: skip


def program_of(rng: np.random.Generator, count: int) -> tuple[str, str]:
    """Write a program of random lines, with views and changes in place; its arrays are N by N."""
    names, lines = ["a", "b"], list[str]()
    for number in range(count):
        x, y = rng.choice(names, 2)
        template = str(rng.choice(LINES))
        i, j = rng.integers(1, N - 1, 2)
        lines.append(template.format(new=f"x{number}", x=x, y=y, i=i, j=j, n=N))
        names += [f"x{number}"] * ("{new}" in template)
    lines.append(f"row_w[...] = {names[-1]}")  # which happens once, in the end
    return "; ".join(lines), ", ".join(dict.fromkeys([*rng.choice(names[2:] or names, 2), names[-1]]))


@pytest.mark.parametrize("seed", range(60))
def test_random_programs_stay_what_they_are(seed: int) -> None:
    text, gives = program_of(np.random.default_rng(seed), 12)
    passed("single_names constants split direct dead_code into", text, gives)
    for name in ("constants", "split", "dead_code", "into", "forget"):
        passed(f"single_names {name}", text, gives)


def images() -> Setup:
    layers = [nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 3)]
    model = nn.Sequential(*layers)
    optimizer = optim.Adam(model.parameters(), 0.01)
    return model, [optimizer], learning(model, optimizer)


class Letters(nn.Module):
    """Letters, an LSTM, attention, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.cells = nn.Embedding(9, 8), nn.LSTM(8, 8, batch_first=True)
        self.layer, self.head = nn.TransformerEncoderLayer(8, 2, 16, 0.25, batch_first=True), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layer(self.cells(self.table(x))[0])[:, -1])


def letters() -> Setup:
    model = Letters()
    optimizer = optim.RMSprop(model.parameters(), 0.01)
    return model, [optimizer], learning(model, optimizer)


PROGRAMS: dict[str, tuple[Callable[[], Setup], Any]] = {
    "mlp": (lambda: adam(normed()), np.random.default_rng(0).standard_normal((8, 6), np.float32)),
    "images": (images, np.random.default_rng(0).standard_normal((8, 1, 8, 8), np.float32)),
    "letters": (letters, np.random.default_rng(0).integers(0, 9, (8, 5))),
}


@pytest.mark.parametrize("passes", ["constants", "split", "dead_code", "into", "constants split direct dead_code into"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_of_models_stay_what_they_are(name: str, passes: str) -> None:
    make, x = PROGRAMS[name]
    model, optimizers, step = make()
    traced = trace(step, (x, np.arange(8) % 3), model, optimizers)
    traced = dataclasses.replace(traced, results=[*traced.results, *traced.grads.values()])
    program = Program(traced, "")
    known = start()
    exec("\n".join([*program.helpers.imports, *program.helpers.texts.values()]), known)
    built = object.__new__(Built)
    passed_by(passes, built._function(traced, program), known)


# ------------------------------------------------------------------------------------------------------ rows


RULES = {update.name: update for update in UPDATES}


def rule_of(name: str) -> ast.FunctionDef:
    node = ast.parse(textwrap.dedent(inspect.getsource(RULES[name].function))).body[0]
    assert isinstance(node, ast.FunctionDef)
    node.decorator_list = []
    return node


# An update rule, what it remembers, and options of which some are not the default.
UPDATE: dict[str, tuple[list[str], dict[str, Any]]] = {
    "sgd": ([], {"lr": 0.1, "weight_decay": 0.1, "maximize": False}),
    "adam": (["m", "v", "t"], {"lr": 0.1, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0,
                               "maximize": True}),
}


@pytest.mark.parametrize(("text", "new"), [
    ("y = a.sum(axis=0)", f"y = ones_{N}_float32 @ a"),
    ("c = a.reshape(2, -1, 6); y = c.sum(axis=0)", "y = c.sum(axis=0)"),
    ("c = a.T; y = c.sum(axis=0)", "y = c.sum(axis=0)"),
    ("c = a[:4]; y = c.sum(axis=0)", "y = c.sum(axis=0)"),
    ("y = a.sum(axis=0, keepdims=True)", "y = a.sum(axis=0, keepdims=True)"),
])
def test_sums_over_rows_are_products(text: str, new: str) -> None:
    function = function_of(text)
    function.given["a"] = np.rint(function.given["a"])  # whole numbers have the same sum in any order
    assert new in passed_by("cheap", function, start()).splitlines()


def test_elementwise_rules_are_told_from_others() -> None:
    ours = {name for name in RULES if is_elementwise(rule_of(name).body)}
    assert {"adam", "adamw", "sgd"} <= ours and not ours & {"add_to_norm", "batch_statistics"}
    assert ours == {name for name, update in RULES.items() if update.elementwise}


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 100, BLOCK, BLOCK + 1, 4 * BLOCK + 7])
@pytest.mark.parametrize("others", [False, True])
@pytest.mark.parametrize("name", UPDATE)
def test_rows_are_updated_as_arrays_are(name: str, others: bool, size: int, count: int) -> None:
    names, options = UPDATE[name]
    rng = np.random.default_rng(0)
    arrays = {"param": rng.standard_normal(size, np.float32), "grad": rng.standard_normal(size, np.float32)}
    arrays |= {n: np.array([3.0], np.float32) if n == "t" else rng.random(size, np.float32) for n in names}
    sample = {n: np.zeros((), np.float32) if n == "t" else np.zeros(BLOCK, np.float32) for n in arrays}
    known = start()
    blocked = Blocked("rows", rule_of(name), sample | options, known, others, count)
    known["rows_work"] = blocked.work()
    exec(blocked.text, known)
    mine = {n: array.copy() for n, array in arrays.items()}
    more = [rng.standard_normal(size, np.float32) for _ in range(others * 2)]
    known["rows"](*[tuple(more)] * others, *mine.values(), **options)
    for each in more:
        arrays["grad"] += each
    theirs = {n: array.reshape(()) if n == "t" else array for n, array in arrays.items()}
    RULES[name].function(*theirs.values(), **options)
    for n, array in theirs.items():
        np.testing.assert_array_equal(mine[n].reshape(array.shape), array, err_msg=n)


def test_calls_of_a_rule_become_one() -> None:
    function = function_of("g = a * b; h = a + b; sgd(a, g, lr=lr); sgd(b, h, lr=lr); y = a * 1")
    rows(function, [Group("sgd", "sgd", ["param", "grad"], [["a", "g"], ["b", "h"]], "lr=lr")])
    texts = [line.text for line in function.lines]
    assert texts[2:] == ["row_a[...] = g", "row_b[...] = h", "sgd_rows(sgd_param, sgd_grad, lr=lr)", "y = a * 1"]
    assert {"sgd_param", "sgd_grad", "row_a", "row_b"} <= {*function.takes}


def test_a_line_tells_what_it_does() -> None:
    for text, reads, binds, changes in [
        ("y = a[i] + b", {"a", "i", "b"}, {"y"}, set()),
        ("y[i] += a", {"y", "i", "a"}, set(), {"y"}),
        ("y.T[0] = a", {"y", "a"}, set(), {"y"}),
        ("np.add(a, b, out=y)", {"np", "a", "b", "y"}, set(), {"y", "a", "b"}),
        ("f(a, k=b[0])", {"f", "a", "b"}, set(), {"a", "b"}),
        ("for i in range(n):\n    y[i] = z\n    w = i", {"range", "n", "y", "z"}, {"i", "w"}, {"y"}),
        ("y = [x * a for x in b]", {"a", "b"}, {"y"}, set()),
        ("(y, z) = f(a)", {"f", "a"}, {"y", "z"}, set()),
        ("y += a", {"y", "a"}, {"y"}, {"y"}),
    ]:
        line = Line(text)
        assert (line.reads, line.binds, line.changes) == (reads, binds, changes), text

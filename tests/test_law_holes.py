"""Rules that try to slip past the grammar: each is refused in words, or right in both derivatives and in a program."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import RuleError, Tensor
from chalkgrad.engine.backward import grad
from chalkgrad.engine.primitive import PRIMITIVES, Primitive
from chalkgrad.nn import Module, Parameter

from .oracles import assert_close, slope, total, weights
from .test_rules import declare

HELPERS = """
import collections
import functools
Pair = collections.namedtuple("Pair", "a b")
quick = lambda v: v
generator = np.random.default_rng(0)
draw = generator.standard_normal
def scaled(v, k):
    return v * k
def same(v):
    return v
def last_of(parts):
    return [v for v in parts][-1]
def doubled_in_place(v):
    v *= 2
    return v
def by_another_name(v):
    rows = v.reshape(-1)
    rows[0] = 0
    return v
twice_in_place = functools.partial(doubled_in_place)
def sorted_in_place(v):
    v.sort()
    return v
def through_a_helper(v):
    return doubled_in_place(v)
def size_of(v):
    return float((v * v).sum())
def fresh(v):
    v = v.copy()
    v += 1
    return v
"""


@pytest.fixture(autouse=True)
def _forget() -> Any:
    """Take what a test declares out of the registry again."""
    before = list(PRIMITIVES)
    yield
    PRIMITIVES[:] = before


def rule_of(folder: Path, forward: str, asked: str, backward: str) -> Primitive:
    """Declare y = rule(x, w, axis=.., sizes=..): the statements before `return y`, and those of its backward."""
    def indented(text: str) -> str:
        return textwrap.indent(textwrap.dedent(text).strip(), "    ")

    source = (f"{HELPERS}\n@primitive\ndef rule(x, w, *, axis=0, sizes=(1, 2, 3)):\n{indented(forward)}\n    return y\n"
              f"@rule.backward\ndef rule_backward(grad_y, {asked}):\n{indented(backward)}\n    return grad_x, grad_w\n")
    made: Primitive = declare(folder, source).rule
    return made


# What stands before `return y`, what the backward asks for, and how it computes both gradients. y = w · f(x), mostly.
CUBE = ("x, w, s", "grad_x = grad_y * w * (s + 2 * x * x)\ngrad_w = grad_y * x * s")  # of y = w x s, where s is x²
RIGHT: dict[str, tuple[str, str, str]] = {
    "a list of what is computed": ("taps = [scaled(x, k) for k in sizes]\ny = w * (taps[0] * taps[0] + taps[1])",
        "w, taps", "grad_x = grad_y * w * (2 * taps[0] + 2)\ngrad_w = grad_y * (taps[0] * taps[0] + taps[1])"),
    "a list with a condition": ("taps = [x * k for k in sizes if k > axis]\ny = w * taps[0] * taps[-1]",
        "w, taps", "grad_x = grad_y * w * (3 * taps[0] + taps[-1])\ngrad_w = grad_y * taps[0] * taps[-1]"),
    "a list of lists": ("taps = [[x * k * j for j in sizes] for k in sizes]\ny = w * taps[0][1] * taps[1][0]",
        "w, taps", "grad_x = grad_y * w * 4 * taps[0][1]\ngrad_w = grad_y * taps[0][1] * taps[1][0]"),
    "a dict": ("taps = {k: x * x for k in sizes}\ns = taps[1]\ny = w * x * s", *CUBE),
    "a dict that is asked for": ("taps = {k: x * x for k in sizes}\ny = w * x * taps[1]", "x, w, taps",
        "grad_x = 3 * grad_y * w * taps[2]\ngrad_w = grad_y * x * taps[3]"),
    "a generator in a call": ("s = sum(x * x * k for k in sizes) / 6\ny = w * x * s", *CUBE),
    "a keyword": ("s = np.multiply(x, x) + scaled(v=0, k=x)\ny = w * x * s", *CUBE),
    "a keyword alone": ("s = scaled(k=x * x, v=1)\ny = w * x * s", *CUBE),
    "a tuple within a tuple": ("(a, (b, n)), m = (x, (x, 2)), 1\ns = a * b * m\ny = w * x * s", *CUBE),
    "a star": ("a, b = *[x], x\ns = a * b\ny = w * x * s", *CUBE),
    "a star in a list": ("pair = [*[x], x]\ns = pair[0] * pair[1]\ny = w * x * s", *CUBE),
    "a pair that is asked for": ("pair = x * x, 2\ny = w * x * pair[0]", "x, w, pair",
        "grad_x = 3 * grad_y * w * pair[0]\ngrad_w = grad_y * x * pair[0]"),
    "a choice": ("s = x * x if axis == 0 else x\ny = w * x * s", *CUBE),
    "zeros, filled": ("s = np.zeros_like(x)\ns[...] = x * x\ny = w * x * s", *CUBE),
    "zeros, filled in part":
        ("s = np.zeros_like(x)\nfor i in range(len(x)):\n    s[i] = x[i] * x[i]\ny = w * x * s", *CUBE),
    "zeros, filled under another name": ("s = np.zeros_like(x)\nv = s[:1]\nv[...] = x[:1] * x[:1]\nu = s[1:]\n"
                                         "u += x[1:] * x[1:]\ny = w * x * s", *CUBE),
    "zeros, named twice": ("t = np.zeros_like(x)\ns = t\nt[...] = x * x\ny = w * x * s", *CUBE),
    "zeros, added to": ("s = np.zeros_like(x)\ns += x * x\ny = w * x * s", *CUBE),
    "a number that data are added to": ("a = 0\na += x\ns = a * a\ny = w * x * s", *CUBE),
    "what follows from filled zeros": ("a = np.zeros_like(x)\na[...] = x\nb = a * 1\ns = b * b\ny = w * x * s", *CUBE),
    "a list, filled":
        ("parts = [0] * 2\nparts[0] = x * 1\nparts[1] = x * 1\ns = parts[0] * parts[1]\ny = w * x * s", *CUBE),
    "a list, filled under another name": ("parts = [0] * 2\nsame = parts\nparts[0] = x * 1\nsame[1] = x * 1\n"
                                          "s = same[0] * parts[1]\ny = w * x * s", *CUBE),
    "a list, filled twice": ("parts = [0] * 2\nparts[0] = x * 2\nu = parts[0] * 3\nparts[0] = x * x\n"
                             "parts[1] = u - 6 * x\ns = parts[0] + parts[1]\ny = w * x * s", *CUBE),
    "a list, filled by a loop": ("parts = [0] * 3\nfor i in range(3):\n    parts[i] = x * sizes[i]\n"
                                 "s = parts[0] * parts[1] / 2\ny = w * x * s", *CUBE),
    "an index within a tuple": ("at = ((0, 2, 1),)\ns = x[at] * x[at]\ns = s[at]\ny = w * x * s", *CUBE),
    "a list, grown": ("parts = []\nfor k in sizes:\n    parts += [x * k]\ns = parts[0] * parts[1] / 2\ny = w * x * s",
                      *CUBE),
    "a sum over a loop": ("s = 0\nfor k in sizes:\n    s = s + k * x * x / 6\ny = w * x * s", *CUBE),
    "a loop over pairs":
        ("s = 0 * x\nfor i, k in enumerate(sizes):\n    s = s + (i + k) * x * x / 9\ny = w * x * s", *CUBE),
    "a string that is shown": ("name = f'{axis}'\ns = x * x if name == '0' else x\ny = w * x * s", *CUBE),
    "a comparison": ("up = x > 0\ns = np.where(up, x * x, x * x)\ny = w * x * s", *CUBE),
    "or": ("s = None or x * x\ny = w * x * s", *CUBE),
    "a name that is the program's":
        ("loss = [x * grad for grad in sizes]\ns = loss[0] * loss[0]\ny = w * x * s", *CUBE),
    "a count that looks at data":
        ("n = len(x[x > 0])\ns = x * x * n / max(n, 1) if n > 1 else x * x\ny = w * x * s", *CUBE),
    "a helper that makes a copy": ("s = (fresh(x) - 1) * x\ny = w * x * s", *CUBE),
    "an array of no derivative": ("m = np.sign(x)\ns = np.abs(x) * m * x\ny = w * x * s", *CUBE),
    "a matrix, by einsum": ("s = np.einsum('ij,ij->ij', x, x)\ny = w * x * s", *CUBE),
}


def leaves_of(seed: int = 0) -> list[Tensor]:
    rng = np.random.default_rng(seed)
    return [Tensor(rng.standard_normal((3, 2)), requires_grad=True) for _ in range(2)]


@pytest.mark.parametrize("name", RIGHT)
def test_both_derivatives_are_right(name: str, tmp_path: Path) -> None:
    rule = rule_of(tmp_path, *RIGHT[name])
    leaves = leaves_of()
    g = weights(leaves[0].data)
    rows = [weights(leaf.data, 3) for leaf in leaves]
    directions = [weights(leaf.data, 5) for leaf in leaves]

    def moved(h: float) -> list[Tensor]:
        return [Tensor(leaf.data + h * d, requires_grad=True) for leaf, d in zip(leaves, directions, strict=True)]

    def first(leaves: list[Tensor], create_graph: bool = False) -> tuple[Any, ...]:
        return grad(rule(*leaves), leaves, g, create_graph=create_graph)

    slopes = first(leaves)
    exact = total((a.data, d) for a, d in zip(slopes, directions, strict=True))
    assert_close(exact, slope(lambda h: total([(g, rule(*moved(h)).data)])), 1e-8)
    seconds = grad(sum((a * row).sum() for a, row in zip(first(leaves, True), rows, strict=True)), leaves)
    exact = total((a.data, d) for a, d in zip(seconds, directions, strict=True))
    assert_close(exact, slope(lambda h: total(zip((a.data for a in first(moved(h))), rows, strict=True))), 1e-7)


class Given(Module):
    """A rule with both its inputs as parameters, named as rules name theirs."""

    def __init__(self, rule: Primitive) -> None:
        super().__init__()
        self.rule, (self.k, self.s) = rule, (Parameter(leaf.data.astype(np.float32)) for leaf in leaves_of())

    def forward(self, scale: Tensor) -> Tensor:
        return self.rule(self.k, self.s) * scale


@pytest.mark.parametrize("name", RIGHT)
def test_it_is_right_when_spelled_and_when_compiled(name: str, tmp_path: Path) -> None:
    rule = rule_of(tmp_path, *RIGHT[name])

    def stepping(model: Given) -> Any:
        def step(scale: Tensor) -> Tensor:
            model.zero_grad()
            loss = model(scale).sum()
            loss.backward()
            with cg.no_grad():
                for parameter in model.parameters():
                    parameter.sub_(parameter.grad, alpha=0.01)
            return loss

        return step

    eager, fast = Given(rule), Given(rule)
    one, two = stepping(eager), cg.compile(stepping(fast))
    scales = [np.full(2, 1 + i, np.float32) for i in range(3)]
    program = cg.spell(stepping(eager), scales[0], model=eager)
    params, state = program.start()
    for scale in scales:
        losses = [one(Tensor(scale)).data, two(Tensor(scale)).data, program.run(params, state, scale)]
        assert losses[0] == losses[1] == losses[2]
    for path, parameter in eager.named_parameters():
        np.testing.assert_array_equal(parameter.data, dict(fast.named_parameters())[path].data)
        np.testing.assert_array_equal(parameter.data, params[path])


# Statements of a forward, and words of the refusal.
REFUSED: dict[str, tuple[str, str]] = {
    "a loop over a list of data":
        ("taps = [x * k for k in sizes]\ny = x\nfor tap in taps:\n    y = y * tap", "loops over"),
    "a loop over a dict of data":
        ("taps = {k: x for k in sizes}\ny = x\nfor tap in taps.values():\n    y = y * tap", "loops over"),
    "a branch on a keyword": ("s = np.sum(a=x)\ny = x * w\nif s > 0:\n    y = -y", "branches on `s > 0`"),
    "a branch on filled zeros":
        ("n = np.zeros(1)\nn[0] = x.sum()\ny = x * w\nif n > 0:\n    y = -y", "branches on `n > 0`"),
    "a branch on zeros filled under another name":
        ("n = np.zeros(2)\nv = n[:1]\nv[...] = x.sum()\ny = x * w\nif n[0] > 0:\n    y = -y", "branches on"),
    "a branch on where something was put":
        ("n = np.zeros(2)\nn[(x > 0).sum() % 2] = 1\ny = x * w\nif n[0] > 0:\n    y = -y", "branches on"),
    "a branch on a set of data": ("y = x * w\nif {v for v in x}:\n    y = -y", "branches on"),
    "a branch within a list": ("y = w * [x if x.sum() > 0 else -x for k in sizes][0]", "branches on `x.sum"),
    "a name with two meanings": ("n = 2\ny = x * sum(n for n in sizes) * n * w", "second meaning"),
    "an input with two meanings": ("y = sum(w * x for x in sizes)", "gives `x` a second meaning"),
    "an option with a new value": ("axis = axis + 1\ny = x * w * axis", "gives the option `axis` a new value"),
    "an option that is added to": ("axis += 1\ny = x * w * axis", "changes `axis` in place"),
    "an option that is filled": ("axis[0] = 1\ny = x * w", "changes `axis` in place"),
    "a loop that gives an input a value": ("y = w\nfor x in sizes:\n    y = y * x", "gives the input `x` a new value"),
    "a loop into an input": ("y = w * x\nfor x[0] in sizes:\n    y = y * 2", "changes `x` in place"),
    "a number of Python's": ("s = float((x * x).sum())\ny = w * x * s", "makes Python's number of"),
    "a number by item": ("s = (x * x).sum().item()\ny = w * x * s", "makes Python's number of"),
    "a number by math": ("s = math.exp(x.sum())\ny = w * x * s", "makes Python's number of"),
    "a number by a list": ("s = x.tolist()[0][0]\ny = w * x * s", "makes Python's number of"),
    "memory": ("s = np.asarray(x.data)\ny = w * x * s", r"uses `x\.data`"),
    "what is flat": ("f = x.flat\ny = w * x", r"uses `x\.flat`"),
    "a method of Python's": ("_ = x.__setitem__(0, 1)\ny = w * x", r"uses `x\.__setitem__`"),
    "eval": ("s = eval('x * x')\ny = w * x * s", "reads `eval`"),
    "the method of a generator": ("s = draw(3)\ny = w * x", "reads `draw`"),
    "an iterator by next": ("n = sum([next(k) for k in sizes])\ny = w * x", "reads `next`"),
    "a generator with a name": ("g = (x * k for k in sizes)\na = sum(g)\ny = w * sum(g)", "gone through but once"),
    "a zip with a name": ("g = zip(sizes, sizes)\ny = w * x * len(list(g))", "gone through but once"),
    "an append": ("parts = []\n_ = parts.append(x)\ny = w * parts[0]", r"uses `parts\.append`"),
    "an addition by index": ("y = x * w\n_ = np.add.at(y, 0, 1)", r"uses `np\.add\.at`"),
    "out by position": ("y = x * w\n_ = np.exp(x, y)", "more by position"),
    "out of a sum by position": ("y = x * w\n_ = np.sum(x, 0, None, y)", "more by position"),
    "out of a method by position": ("y = x * w\n_ = x.sum(0, None, y)", "more by position"),
    "in place by nan_to_num": ("y = x * w\n_ = np.nan_to_num(y, copy=False)", "more by position"),
    "a helper that changes": ("y = w * doubled_in_place(x)", "hands `x` to `doubled_in_place`, which changes it"),
    "a helper that changes a local": ("y = w * x\n_ = doubled_in_place(y)", "hands `y` to `doubled_in_place`"),
    "a helper that changes another name": ("y = w * by_another_name(x)", "hands `x` to `by_another_name`"),
    "a helper that changes what a comprehension goes through":
        ("parts = [doubled_in_place(v) for v in x]\ny = w * parts[0]", "hands `v` to `doubled_in_place`"),
    "a helper that changes what is within what a comprehension goes through":
        ("parts = [[doubled_in_place(u) for u in v] for v in x]\ny = w * parts[0][0]", "hands `u` to"),
    "out behind stars": ("y = x * w\n_ = np.exp(x, **{'out': y})", r"by \*\*"),
    "numbers in a comprehension": ("s = [float(v.sum()) for v in x][0]\ny = w * s * x", "makes Python's number"),
    "a function in a local": ("f = scaled if len(sizes) > 2 else same\ny = w * f(x, x)", "calls `f`, which may be one"),
    "a function out of a list": ("y = w * [same][0](x)", r"calls `\[same\]\[0\]`"),
    "a function of a class": ("y = w * Pair._make((x, w)).a", r"uses `Pair\._make`"),
    "a class": ("pair = Pair(x, w)\ny = pair.a\ny *= 2", "reads `Pair`"),
    "a part of a function": ("y = w * twice_in_place(x)", "reads `twice_in_place`"),
    "in place on what a lambda hands back": ("y = quick(x)\ny *= w", "changes `y` in place"),
    "a helper that sorts": ("y = w * sorted_in_place(v=x)", "hands `x` to `sorted_in_place`"),
    "a helper that changes by a helper": ("y = w * through_a_helper(x)", "hands `x` to `through_a_helper`"),
    "in place on what a helper hands back": ("y = same(x)\ny *= w", "changes `y` in place"),
    "in place on what a helper hands back from a list": ("y = last_of([w, x])\ny *= w", "changes `y` in place"),
    "several names at once": ("s = t = w * x\nt[0] = 1\ny = s", "gives several names one value"),
    "in place on an element of a list": ("parts = [x, w]\ny = parts[0]\ny *= w", "changes `y` in place"),
    "in place on an element of lists": ("parts = [x] + [w]\ny = parts[0]\ny *= w", "changes `y` in place"),
    "in place on an element that was put there":
        ("parts = [0]\nparts[0] = x\ny = parts[0]\ny *= w", "changes `parts` in place"),
    "in place on a tuple's": ("(u, v), n = (x, w), 1\nu *= n\ny = u * v", "changes `u` in place"),
    "in place behind a star": ("u, v, n = *(w, w), x\nn *= 2\ny = u * v", "changes `n` in place"),
    "in place on a keyword's view": ("y = np.reshape(a=x, shape=-1)\ny *= 2", "changes `y` in place"),
    "in place on what is not copied": ("y = np.array(x, copy=False)\ny *= 2", "changes `y` in place"),
    "in place on strides": ("y = np.lib.stride_tricks.as_strided(x, (2,))\ny *= 2", "changes `y` in place"),
    "in place on a diagonal": ("y = np.einsum('ii->i', x)\ny *= 2", "changes `y` in place"),
    "in place on the larger": ("y = max(x, w, key=len)\ny *= 2", "changes `y` in place"),
    "in place on an or": ("y = None or x\ny *= 2", "changes `y` in place"),
    "in place within a comprehension's list": ("parts = [v for v in (x, w)]\ny = parts[0]\ny *= 2", "changes `y` in"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_words(name: str, tmp_path: Path) -> None:
    forward, words = REFUSED[name]
    with pytest.raises(RuleError, match=words):
        rule_of(tmp_path, forward, "x, w", "grad_x = grad_y * w\ngrad_w = grad_y * x")


def test_a_number_that_a_helper_makes_is_refused_when_it_would_be_missed(tmp_path: Path) -> None:
    rule = rule_of(tmp_path, "s = size_of(x)\ny = w * s", "x, w, s",
                   "grad_x = 2 * x * (grad_y * w).sum()\ngrad_w = grad_y * s")
    leaves = leaves_of()
    g = weights(leaves[0].data)
    grad(rule(*leaves), leaves, g)
    with pytest.raises(cg.GradError, match="Python's number of what has a derivative"):
        grad(rule(*leaves), leaves, g, create_graph=True)
    assert float(rule(*leaves).sum()), "outside of a rule, a number may be read"


def test_a_copy_by_np_array_is_refused_when_its_derivative_would_be_missed(tmp_path: Path) -> None:
    rule = rule_of(tmp_path, "s = np.array(x)\ny = w * s * s",
                   "w, s", "grad_x = 2 * grad_y * w * s\ngrad_w = grad_y * s * s")
    leaves = leaves_of()
    with pytest.raises(cg.GradError, match=r"use x\.detach"):
        grad(rule(*leaves), leaves, weights(leaves[0].data), create_graph=True)


def test_a_change_of_what_a_helper_handed_on_is_noticed(tmp_path: Path) -> None:
    """The backward remembers x under another name; a change of x in place counts as a change of that."""
    rule = rule_of(tmp_path, "s = same(x)\ny = w * s * s",
                   "w, s", "grad_x = 2 * grad_y * w * s\ngrad_w = grad_y * s * s")
    x, w = leaves_of()
    y = rule(inner := x * 1, w)
    inner.mul_(2)
    with pytest.raises(cg.GradError, match="was changed in place after it was remembered"):
        y.sum().backward()


def test_names_that_share_memory_are_sliced_together(tmp_path: Path) -> None:
    """What is written under one name is read under the other, so no slice may leave it out."""
    body = "a = x * w\nb = a\nb[0] = 5\nc = a\ny = c * 1"
    rule = rule_of(tmp_path, body, "w, x, c", "grad_x = grad_y * w * (c != 5)\ngrad_w = grad_y * x * (c != 5)")
    x, w = leaves_of()
    np.testing.assert_array_equal(rule(x, w).data, rule.function(x.data, w.data))
    assert (rule(x, w).data[0] == 5).all()

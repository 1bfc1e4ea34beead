"""The law of names and the grammar: what a rule may not say is an error at import, with the line and with words."""

import importlib.util
import sys
import textwrap
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from chalkgrad import RuleError, ShapeError, Tensor, primitive, tensor
from chalkgrad.engine.primitive import PRIMITIVES
from chalkgrad.law.grammar import check
from chalkgrad.law.rule import Rule
from chalkgrad.ops.update import UPDATES

HEADER = """
import math
import random
import numpy as np
from chalkgrad import primitive, update_rule
RATE = 0.5
def twice(x):
    return 2 * x
"""
HERE = "# <-"  # marks the line that the error must name


def declare(folder: Path, source: str) -> ModuleType:
    """Import a module with rules, as a user's own file is imported."""
    path = folder / "rules_of_a_user.py"
    path.write_text(HEADER + textwrap.dedent(source), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Take what a test declares out of the registry again."""
    before = list(PRIMITIVES), list(UPDATES)
    yield
    PRIMITIVES[:], UPDATES[:] = before
    sys.modules.pop("rules_of_a_user", None)


def forward(body: str, signature: str = "x, w=None, *, axis=0", first: str = "") -> str:
    return f"@primitive\ndef rule({signature}): {first}\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"


def backward(body: str, signature: str = "grad_y, x, half") -> str:
    made = "@primitive\ndef rule(x):\n    half = x / 2\n    y = half * x\n    return y\n"
    body = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    return f"{made}@rule.backward\ndef rule_backward({signature}): {HERE}\n{body}\n"


# The body of a rule, and words of the error; the line is the one with the mark, or the one of `def`.
BREACHES = {
    "an assertion": ("assert axis == 0 # <-\ny = x\nreturn y", "a statement of kind Assert"),
    "a bare expression": ("y = x.copy()\nnp.add.at(y, 0, 1) # <-\nreturn y", "bare expression, whose effect cannot be"),
    "a condition on data": ("y = x\nif x.sum() > 0: # <-\n    y = -x\nreturn y", r"branches on `x\.sum\(\) > 0`"),
    "a condition on data by way of a local":
        ("s = x.sum()\ny = x\nif s > 0: # <-\n    y = -x\nreturn y", "branches on `s > 0`"),
    "a condition on data by way of a local that began as a number":
        ("s = 0\ns = s + x.sum()\ny = x\nif s > 0: # <-\n    y = -x\nreturn y", "branches on `s > 0`"),
    "a condition on a number that data were added to":
        ("s = 0\ns += x.sum()\ny = x\nif s > 0: # <-\n    y = -x\nreturn y", "branches on `s > 0`"),
    "a condition on data inside an expression":
        ("y = x if x.sum() > 0 else -x # <-\nreturn y", r"branches on `x\.sum\(\) > 0`"),
    "a constant from outside": ("y = RATE * x\nreturn y", "reads `RATE`"),
    "a deletion": ("y = x\nz = y\ndel z # <-\nreturn y", "a statement of kind Delete"),
    "a function from below": ("y = below(x)\nreturn y", "reads `below`.*function above it"),
    "a lambda": ("f = lambda v: v # <-\ny = f(x)\nreturn y", "uses lambda"),
    "a loop over data": ("y = 0\nfor row in x: # <-\n    y = y + row\nreturn y", "loops over `x`"),
    "a name that is never assigned": ("y = x\nreturn z", "returns `z`, which it never assigns"),
    "a new value for an input": ("x = x - 1 # <-\ny = x * x\nreturn y", "`x`"),
    "a return before the end": ("return x # <-\ny = x\nreturn y", "Return"),
    "a return inside": ("if axis: # \n    return x # <-\ny = x\nreturn y", "a statement of kind Return"),
    "a walrus": ("y = (z := x) + z # <-\nreturn y", "uses namedexpr"),
    "a while loop": ("y = x\nwhile axis: # <-\n    y = -y\nreturn y", "a statement of kind While"),
    "a with block": ("with np.errstate(): # <-\n    y = x\nreturn y", "a statement of kind With"),
    "an attribute": ("y = x.copy()\ny.shape = (-1,) # <-\nreturn y", r"assigns to `y\.shape`"),
    "an exception": ("raise ValueError # <-\nreturn x", "a statement of kind Raise"),
    "an expression returned": ("return x + 1 # <-", "returns an expression; give it a name"),
    "an import": ("import os # <-\ny = x\nreturn y", "a statement of kind Import"),
    "another module": ("y = x * random.random()\nreturn y", "reads `random`"),
    "in place: a view by a method": ("v = x.reshape(-1)\nv += 1 # <-\nreturn v", "changes `v` in place"),
    "in place: a view by another view": ("v = x.T\nu = v[0]\nu[0] = 1 # <-\nreturn v", "changes `u` in place"),
    "in place: a view by a function": ("v = np.moveaxis(x, 0, 1)\nv += 1 # <-\nreturn v", "changes `v` in place"),
    "in place: a view by splitting": ("u, v = np.split(x, 2)\nu += 1 # <-\nreturn u, v", "changes `u` in place"),
    "in place: an element of an input": ("x[0] = 1 # <-\ny = x\nreturn y", "changes `x` in place, but did not make it"),
    "in place: an input": ("x += 1 # <-\ny = x\nreturn y", "changes `x` in place, but did not make it"),
    "in place: an input in one case":
        ("y = x if axis else 2 * x\ny += 1 # <-\nreturn y", "changes `y` in place"),
    "in place: an input under another name": ("y = x\ny[0] -= 1 # <-\nreturn y", "changes `y` in place"),
    "in place: an input unpacked": ("u, v = x, w\nu += 1 # <-\nreturn u, v", "changes `u` in place"),
    "in place: an input, as it is": ("y = np.asarray(x)\ny += 1 # <-\nreturn y", "changes `y` in place"),
    "no return": ("y = x # <-", "must end in one `return` of names"),
    "out=": ("y = np.empty_like(x)\nz = np.exp(x, out=y) # <-\nreturn z", "writes through out="),
    "return of nothing": ("y = x\nreturn # <-", "must end in one `return` of names"),
    "starred": ("a, *b = x.shape # <-\ny = x\nreturn y", r"assigns to `\*b`"),
}


@pytest.mark.parametrize("body, words", BREACHES.values(), ids=BREACHES)
def test_a_breach_of_the_grammar_is_named(body: str, words: str, tmp_path: Path) -> None:
    assert_refused(tmp_path, forward(body, first="" if HERE in body else HERE), words)


def assert_refused(folder: Path, source: str, words: str) -> None:
    lines = (HEADER + textwrap.dedent(source)).splitlines()
    line = next(i for i, text in enumerate(lines, 1) if HERE in text)
    with pytest.raises(RuleError, match=words) as caught:
        declare(folder, source + "\ndef below(x):\n    return x\n")
    assert f"{folder / 'rules_of_a_user.py'}:{line}: " in str(caught.value)


WHOLE = {
    "*args": ("@primitive\ndef rule(x, *rest): # <-\n    y = x\n    return y", r"takes \*args or \*\*kwargs"),
    "**kwargs": ("@primitive\ndef rule(x, **rest): # <-\n    y = x\n    return y", r"takes \*args or \*\*kwargs"),
    "a closure": ("""
        def make(factor):
            @primitive
            def rule(x): # <-
                y = factor * x
                return y
        make(2)""", "closes over factor; hand it in as an option"),
    "only a docstring": ('@primitive\ndef rule(x): # <-\n    """Nothing."""', "must end in one `return` of names"),
    "an update rule that returns":
        ("@update_rule\ndef rule(param, grad):\n    param -= grad\n    return param # <-", "returns nothing"),
    "an update rule that changes the gradient":
        ("@update_rule\ndef rule(param, grad):\n    grad *= 2 # <-\n    param -= grad", "changes the gradient in"),
    "an unknown name":
        (backward("grad_x = grad_y * haf\nreturn grad_x", "grad_y, haf"),
         "asks for `haf`, which rule does not have. Did you mean `half`. Known: grad_y, y, x, half"),
    "the gradient of no output":
        (backward("grad_x = grad_z\nreturn grad_x", "grad_z"), "asks for `grad_z`.*Did you mean `grad_y`"),
    "the gradient of no input":
        (backward("grad_w = grad_y\nreturn grad_w"), "returns `grad_w`, which is the gradient of no input.*`grad_x`"),
    "a backward that changes what arrives":
        (backward("grad_y *= 2 # <-\ngrad_x = grad_y\nreturn grad_x", "grad_y").replace(HERE, "", 1),
         "changes `grad_y` in place"),
    "a backward that changes what arrives, under another name":
        (backward("grad_x = grad_y\ngrad_x *= 2 # <-\nreturn grad_x", "grad_y").replace(HERE, "", 1),
         "changes `grad_x` in place"),
    "a backward that changes what was remembered":
        (backward("half *= grad_y # <-\ngrad_x = half\nreturn grad_x", "grad_y, half").replace(HERE, "", 1),
         "changes `half` in place"),
}


@pytest.mark.parametrize("source, words", WHOLE.values(), ids=WHOLE)
def test_a_breach_of_the_law_is_named(source: str, words: str, tmp_path: Path) -> None:
    assert_refused(tmp_path, textwrap.dedent(source), words)


OURS = [rule for p in [*PRIMITIVES, *UPDATES] for rule in (p.rule, getattr(p, "backward_rule", None)) if rule]


@pytest.mark.parametrize("rule", OURS, ids=lambda rule: rule.name)
def test_our_own_rules_keep_the_law(rule: Rule) -> None:
    check(rule)  # a user's rule is checked where it is declared; ours are checked here, so that importing them is quick


LAWFUL = {
    "a condition on None-ness": "y = x\nif w is not None:\n    y = x * w\nreturn y",
    "a condition on a shape by way of a local": "n = x.shape[0]\ny = x\nif n > 2:\n    y = x * n\nreturn y",
    "a condition on an option": "y = x\nif axis == 0:\n    y = -x\nelse:\n    y = 2 * x\nreturn y",
    "a condition on dtype": "y = x\nif x.dtype == np.float32:\n    y = -x\nreturn y",
    "a helper from above": "y = twice(x)\nreturn y",
    "a loop over a shape": "y = x.copy()\nfor i in range(x.shape[0]):\n    y[i] *= i\nreturn y",
    "a loop over pairs": "y = x\nfor i, n in enumerate(x.shape):\n    y = y * (i + n)\nreturn y",
    "in place on what it made": "y = x * 2\ny += 1\ny[0] = 0\nreturn y",
    "in place on zeros": "y = np.zeros_like(x)\ny[1:] = x[1:]\nreturn y",
    "math and builtins": "n = max(len(x.shape), 1)\ny = x * math.sqrt(n)\nreturn y",
    "several outputs": "y = np.sin(x)\nz = np.cos(x)\nreturn y, z",
}


@pytest.mark.parametrize("body", LAWFUL.values(), ids=LAWFUL)
def test_what_a_rule_may_say(body: str, tmp_path: Path) -> None:
    rule = declare(tmp_path, forward(body)).rule
    x = np.random.default_rng(0).standard_normal((3, 2))
    before = x.copy()
    np.testing.assert_array_equal(np.asarray(rule(Tensor(x))), np.asarray(rule.function(x)))
    assert (x == before).all()


def test_a_rule_without_a_file_is_refused() -> None:
    space: dict[str, Any] = {}
    exec(HEADER, space)
    with pytest.raises(RuleError, match="its text cannot be read; declare a rule in a file"):
        exec("@primitive\ndef rule(x):\n    y = x\n    return y", space)


# --------------------------------------------------------------------------------------- rules that a user declares

SWISH = '''
    @primitive
    def swish(x, slope=1.0, *, axis=-1, keepdims=False):
        """Sum of x · sigmoid(slope · x).

        x (..., c) -> y (...)
        """
        shape = x.shape
        gate = 1 / (1 + np.exp(-slope * x))
        y = (x * gate).sum(axis=axis, keepdims=keepdims)
        return y

    @swish.backward
    def swish_backward(grad_y, x, slope, gate, axis, keepdims):
        g = grad_y if keepdims else np.expand_dims(grad_y, axis)
        grad_x = g * gate * (1 + slope * x * (1 - gate))
        grad_slope = g * x * x * gate * (1 - gate)
        return grad_x, grad_slope
'''


def test_a_users_rule_works_end_to_end(tmp_path: Path) -> None:
    swish = declare(tmp_path, SWISH).swish
    x = np.random.default_rng(0).standard_normal((3, 4))
    leaf, slope = Tensor(x, requires_grad=True), Tensor(np.array(1.5), requires_grad=True)
    swish(leaf, slope).sum().backward()
    long, long_slope = Tensor(x, requires_grad=True), Tensor(np.array(1.5), requires_grad=True)
    swish.function(long, long_slope).sum().backward()
    np.testing.assert_allclose(leaf.grad.data, long.grad.data, rtol=1e-12)
    np.testing.assert_allclose(slope.grad.data, long_slope.grad.data, rtol=1e-12)
    assert slope.grad.shape == ()
    assert isinstance(swish(x), np.ndarray), "plain arrays in, plain arrays out"
    assert swish.__doc__.startswith("Sum of x") and swish.__name__ == "swish"


CALLS = {
    "defaults": (lambda f, x: f(x), {}),
    "options by position": (lambda f, x: f(x, 1.0, 0, True), {"axis": 0, "keepdims": True}),
    "options by name": (lambda f, x: f(x, axis=0, keepdims=True), {"axis": 0, "keepdims": True}),
    "PyTorch's names": (lambda f, x: f(input=x, dim=0, keepdim=True), {"axis": 0, "keepdims": True}),
    "inputs by name": (lambda f, x: f(slope=2.0, x=x), {"slope": 2.0}),
    "a list for an option": (lambda f, x: f(x, axis=[0, 1]), {"axis": (0, 1)}),
    "a NumPy scalar": (lambda f, x: f(x, np.float64(2.0)), {"slope": 2.0}),
}


@pytest.mark.parametrize("call, given", CALLS.values(), ids=CALLS)
def test_arguments_are_sorted(call: Any, given: dict[str, Any], tmp_path: Path) -> None:
    swish, x = declare(tmp_path, SWISH).swish, np.ones((2, 3))
    np.testing.assert_array_equal(call(swish, Tensor(x)).data, swish.function(x, **given))


MISCALLS = {
    "too many": (lambda f, x: f(x, 1.0, 0, True, 5), r"takes 4 arguments \(x, slope, axis, keepdims\), but 5 came"),
    "too few": (lambda f, x: f(), "swish is missing `x`; it takes x, slope, axis, keepdims"),
    "an unknown one": (lambda f, x: f(x, axes=1), "swish has no argument `axes`. Did you mean `axis`"),
    "one twice": (lambda f, x: f(x, 1.0, slope=2.0), "swish got `slope` twice, by position and by name"),
    "one twice, under two names": (lambda f, x: f(x, axis=0, dim=1), "swish got `axis` twice"),
}


@pytest.mark.parametrize("call, words", MISCALLS.values(), ids=MISCALLS)
def test_a_wrong_call_is_explained(call: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=words):
        call(declare(tmp_path, SWISH).swish, tensor([[1.0, 2.0]]))


# ------------------------------------------------------------------------------------------------ errors, explained

WEIGH = '''
    @primitive
    def weigh(x, weight, *, strict=True):
        """Weigh the inputs.

        x (n, i), weight (o, i) -> y (n, o)

        Try: make the layer for what comes in,
        or bring it to rows.
        """
        y = x @ weight.T
        return y

    @weigh.backward
    def weigh_backward(grad_y, x, weight):
        grad_x = grad_y @ weight @ weight
        grad_weight = x.T @ grad_y
        return grad_x, grad_weight

    @primitive
    def wordless(x, w):
        y = x @ w
        return y

    @primitive
    def broken(x):
        """Fail.  x (n) -> y (n)"""
        y = x.copy()
        y += 0.5
        return y
'''


def test_a_shape_error_is_explained_from_the_shape_line(tmp_path: Path) -> None:
    with pytest.raises(ShapeError) as caught:
        declare(tmp_path, WEIGH).weigh(tensor(np.zeros((2, 3))), tensor(np.zeros((5, 4), np.float32)))
    assert str(caught.value) == textwrap.dedent("""\
        weigh: `i` is 3 in x but 4 in weight.
            x        (n, i) = (2, 3) float64
            weight   (o, i) = (5, 4) float32
          Try: make the layer for what comes in, or bring it to rows.""")


FAULTS = {
    "too few axes": (lambda m: m.weigh(tensor(2.0), tensor([[1.0]])), ValueError, r"`x` has 0 axes but \(n, i\) was"),
    "no shape line": (lambda m: m.wordless(tensor([1.0, 2.0]), tensor([1.0])), ShapeError, r"wordless: .*\n +x "),
    "NumPy's own kinds of error": (lambda m: m.broken(tensor([1, 2])), TypeError, "broken: float64 does not fit"),
    "not an array": (lambda m: tensor([1.0]) + "a", TypeError, "add: what came is of a kind that add does not"),
    "an index too large": (lambda m: tensor([1.0])[5], IndexError, "getitem: index 5 is out of bounds"),
    "a wild axis is not to blame":
        (lambda m: m.Tensor(np.zeros((2, 2)), True).clone().__setitem__(0, tensor([[1.0, 2.0, 3.0]])),
         ValueError, r"put: what has shape \(3,\) does not fit where"),
}


@pytest.mark.parametrize("call, error, words", FAULTS.values(), ids=FAULTS)
def test_what_fails_is_explained(call: Any, error: type[Exception], words: str, tmp_path: Path) -> None:
    module = declare(tmp_path, WEIGH)
    module.Tensor = Tensor  # type: ignore[attr-defined]
    with pytest.raises(error, match=words):
        call(module)


def test_a_traceback_shows_the_authors_line(tmp_path: Path) -> None:
    module = declare(tmp_path, WEIGH)
    x, weight = (Tensor(np.ones(shape), requires_grad=True) for shape in [(2, 3), (5, 3)])
    y = module.weigh(x, weight)
    faults = {"y = x @ weight.T": lambda: module.weigh(x, y), "grad_y @ weight @ weight": lambda: y.sum().backward()}
    for line, fault in faults.items():
        with pytest.raises(ValueError, match=r"weigh: |matmul: ") as caught:
            fault()
        text = "".join(traceback.format_exception(caught.value))
        assert str(tmp_path / "rules_of_a_user.py") in text
        assert line in text


def test_a_gradient_of_another_shape_is_refused(tmp_path: Path) -> None:
    """Of the same size, it could be reshaped: a transpose forgotten in a rule, and nothing would say so."""
    weigh = declare(tmp_path, WEIGH).weigh
    x, weight = (Tensor(np.ones(shape), requires_grad=True) for shape in [(2, 3), (3, 3)])
    weight.requires_grad = False
    weigh(x, weight).sum().backward()  # of the right shape, if not the right numbers
    y = weigh(x.detach(), Tensor(np.ones((5, 3)), requires_grad=True))
    with pytest.raises(ShapeError, match=r"weigh.*\(3, 5\).*\(5, 3\)"):
        y.sum().backward()


def test_a_primitive_without_a_backward_says_so(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"wordless has no derivative by `x`.*x\.detach"):
        declare(tmp_path, WEIGH).wordless(tensor([1.0], requires_grad=True), tensor([1.0]))


def test_a_backward_that_fails_is_named() -> None:
    x = Tensor(np.ones(3), requires_grad=True)

    @primitive
    def bend(x):
        """x (...) -> y (...)"""
        y = x * 2
        return y

    @bend.backward
    def bend_backward(grad_y):
        grad_x = grad_y @ np.ones((7, 7))
        return grad_x

    with pytest.raises(ValueError, match="matmul") as caught:
        bend(x).sum().backward()
    assert caught.value.__notes__ == ["This happened in the backward of bend."]

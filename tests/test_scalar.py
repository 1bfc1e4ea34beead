"""`chalkgrad.scalar`: every derivative against finite differences, the order of backward, deep graphs, and learning."""

import ast
import doctest
import math
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chalkgrad import scalar
from chalkgrad.scalar import MLP, Layer, Neuron, Value

SOURCE = Path(scalar.__file__)

# name: (the expression in Values, the same in plain numbers, the points to try it at)
OPERATIONS: dict[str, tuple[Callable[..., Value], Callable[..., float], list[tuple[float, ...]]]] = {
    "a + b": (lambda a, b: a + b, lambda a, b: a + b, [(2.0, 3.0), (-1.5, 0.0)]),
    "a + 3": (lambda a: a + 3, lambda a: a + 3, [(2.0,), (-1.5,)]),
    "3 + a": (lambda a: 3 + a, lambda a: 3 + a, [(2.0,), (-1.5,)]),
    "a - b": (lambda a, b: a - b, lambda a, b: a - b, [(2.0, 3.0), (-1.5, 0.0)]),
    "a - 3": (lambda a: a - 3, lambda a: a - 3, [(2.0,), (-1.5,)]),
    "3 - a": (lambda a: 3 - a, lambda a: 3 - a, [(2.0,), (-1.5,)]),
    "a * b": (lambda a, b: a * b, lambda a, b: a * b, [(2.0, 3.0), (-1.5, 0.0)]),
    "a * 3": (lambda a: a * 3, lambda a: a * 3, [(2.0,), (-1.5,)]),
    "3 * a": (lambda a: 3 * a, lambda a: 3 * a, [(2.0,), (-1.5,)]),
    "a / b": (lambda a, b: a / b, lambda a, b: a / b, [(2.0, 3.0), (-1.5, 0.5), (0.0, -2.0)]),
    "a / 3": (lambda a: a / 3, lambda a: a / 3, [(2.0,), (-1.5,)]),
    "3 / a": (lambda a: 3 / a, lambda a: 3 / a, [(2.0,), (-1.5,)]),
    "-a": (lambda a: -a, lambda a: -a, [(2.0,), (-1.5,)]),
    "a ** 2": (lambda a: a**2, lambda a: a**2, [(2.0,), (-1.5,), (0.0,)]),
    "a ** 3": (lambda a: a**3, lambda a: a**3, [(2.0,), (-1.5,), (0.0,)]),
    "a ** -1": (lambda a: a**-1, lambda a: a**-1, [(2.0,), (-1.5,)]),
    "a ** 0.5": (lambda a: a**0.5, lambda a: a**0.5, [(2.0,), (0.25,)]),
    "a ** 1": (lambda a: a**1, lambda a: a**1, [(2.0,), (0.0,)]),
    "a ** 0": (lambda a: a**0, lambda a: a**0, [(2.0,), (0.0,)]),
    "exp": (lambda a: a.exp(), math.exp, [(2.0,), (0.0,), (-1.5,)]),
    "log": (lambda a: a.log(), math.log, [(2.0,), (1.0,), (0.1,)]),
    "tanh": (lambda a: a.tanh(), math.tanh, [(2.0,), (0.0,), (-1.5,)]),
    "relu": (lambda a: a.relu(), lambda a: max(a, 0.0), [(2.0,), (-1.5,)]),
    "sigmoid": (lambda a: a.sigmoid(), lambda a: 1 / (1 + math.exp(-a)), [(2.0,), (0.0,), (-1.5,), (-9.0,)]),
    "shared": (lambda a, b: a * a + a * b, lambda a, b: a * a + a * b, [(2.0, 3.0)]),
    "a / a": (lambda a: a / a, lambda a: a / a, [(2.0,), (-1.5,)]),
    "long": (
        lambda a, b: ((a * b).tanh() - 2 / (a + b.exp())) ** 2 * b,
        lambda a, b: (math.tanh(a * b) - 2 / (a + math.exp(b))) ** 2 * b,
        [(0.7, -0.4), (1.5, 0.3)],
    ),
}
CASES = [pytest.param(name, point, id=f"{name} at {point}") for name, case in OPERATIONS.items() for point in case[2]]


def slope_by_differences(f: Callable[..., float], point: tuple[float, ...], i: int, h: float = 1e-5) -> float:
    """The slope of f along its i-th argument from two points at a distance of h: the error is of the order of h²."""
    above, below = list(point), list(point)
    above[i] += h
    below[i] -= h
    return (f(*above) - f(*below)) / (2 * h)


@pytest.mark.parametrize("name, point", CASES)
def test_operation(name: str, point: tuple[float, ...]) -> None:
    in_values, in_numbers, _ = OPERATIONS[name]
    inputs = [Value(x) for x in point]
    y = in_values(*inputs)
    y.backward()
    assert y.data == pytest.approx(in_numbers(*point), rel=1e-14)
    assert y.grad == 1.0
    slopes = [slope_by_differences(in_numbers, point, i) for i in range(len(point))]
    assert [x.grad for x in inputs] == pytest.approx(slopes, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize(
    "f, x, y, slope",
    [
        (Value.sigmoid, -1000.0, 0.0, 0.0),
        (Value.sigmoid, 1000.0, 1.0, 0.0),
        (Value.sigmoid, -40.0, math.exp(-40), math.exp(-40)),  # the far tails keep their digits
        (Value.sigmoid, 40.0, 1.0, math.exp(-40)),
        (Value.tanh, -1000.0, -1.0, 0.0),
        (Value.tanh, 1000.0, 1.0, 0.0),
        (Value.relu, 0.0, 0.0, 0.0),  # PyTorch's choice at the kink
        (Value.exp, -1000.0, 0.0, 0.0),
        (lambda x: 1 / x, 1e-200, 1e200, -math.inf),
        (lambda x: x**0.5, 0.0, 0.0, math.inf),
    ],
)
def test_extreme_numbers(f: Callable[[Value], Value], x: float, y: float, slope: float) -> None:
    at = Value(x)
    result = f(at)
    result.backward()
    assert result.data == pytest.approx(y, rel=1e-14, abs=0.0)
    assert at.grad == pytest.approx(slope, rel=1e-14, abs=0.0)


@pytest.mark.parametrize("f", [Value.exp, Value.tanh, Value.relu, Value.sigmoid, Value.log, lambda x: x * 0 + x**2])
def test_nan_stays_nan(f: Callable[[Value], Value]) -> None:
    assert math.isnan(f(Value(math.nan)).data)


@pytest.mark.parametrize(
    "wrong, error, words",
    [
        (lambda x: Value("2"), TypeError, r"one real number, int or float, but got '2'; try float"),
        (lambda x: Value(x), TypeError, r"one real number, .* but got Value\(data=-2.0"),
        (lambda x: x + "1", TypeError, r"one real number, .* but got '1'"),
        (lambda x: [1.0] * x, TypeError, r"one real number, .* but got \[1.0\]"),
        (lambda x: x**0.5, TypeError, r"one real number, .* but got \(.*j\)"),
        (lambda x: x**x, TypeError, r"plain number as exponent, but got Value.*write \(n \* x.log\(\)\).exp\(\)"),
        (lambda x: 3**x, TypeError, r"for 3 \*\* n write \(n \* math.log\(3\)\).exp\(\)"),
        (lambda x: x.log(), ValueError, r"log needs a number above 0, but got -2.0"),
        (lambda x: (x * 0).log(), ValueError, r"log needs a number above 0, but got -0.0"),
        (lambda x: x / 0, ZeroDivisionError, "by zero"),
        (lambda x: 1 / (x - x), ZeroDivisionError, "by zero"),
        (lambda x: (x - x) ** -1, ZeroDivisionError, "negative power"),
        (lambda x: Neuron(3, random.Random(0))([x, x]), ValueError, "shorter"),
    ],
)
def test_misuse_is_refused_in_words(wrong: Callable[[Value], Value], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        wrong(Value(-2.0))


def test_what_the_power_messages_recommend_is_right() -> None:
    x, n = Value(3.0), Value(2.0)
    y = (n * x.log()).exp() + (n * math.log(5)).exp()
    y.backward()
    assert y.data == pytest.approx(3**2 + 5**2)
    assert x.grad == pytest.approx(2 * 3)
    assert n.grad == pytest.approx(3**2 * math.log(3) + 5**2 * math.log(5))


def test_repr() -> None:
    assert repr(Value(2)) == "Value(data=2.0, grad=0.0)"


def naive_backward(node: Value) -> None:
    for source, slope in node.inputs:
        source.grad += slope * node.grad
        naive_backward(source)


def test_order_matters() -> None:
    def graph() -> tuple[Value, Value]:
        x = Value(3.0)
        a = x**2
        return x, a + a

    x, y = graph()
    y.grad = 1.0
    naive_backward(y)
    assert x.grad == 18.0
    x, y = graph()
    y.backward()
    assert x.grad == 12.0


def test_a_value_used_early_and_late_waits_for_both() -> None:
    x = Value(2.0)
    a = x * 3
    y = a * (a + 1).tanh().exp() + a  # the direct use of a arrives long before the one through tanh and exp
    y.backward()
    t = math.tanh(7)
    assert x.grad == pytest.approx(3 * (math.exp(t) + 6 * math.exp(t) * (1 - t * t) + 1))


def test_shared_values_do_not_multiply_the_work() -> None:
    a = x = Value(1.0)
    for _ in range(200):  # 2²⁰⁰ paths, which nothing that walks every path ends within
        a = a + a
    a.backward()
    assert x.grad == 2.0**200


def test_gradients_accumulate_until_set_to_zero() -> None:
    x = Value(3.0)
    a = x * x
    y = a * 2
    y.backward()
    assert (x.grad, a.grad, y.grad) == (12.0, 2.0, 1.0)
    y.backward()  # the gradients that a holds from before must not flow on to x again
    assert (x.grad, a.grad, y.grad) == (24.0, 4.0, 2.0)
    (x * 5).backward()  # nor those of another graph
    assert x.grad == 29.0
    x.grad = 0.0
    a.backward()
    assert (x.grad, a.grad) == (6.0, 5.0)


def test_slopes_are_those_of_the_forward_pass() -> None:
    w = Value(3.0)
    y = w * w
    w.data = 100.0  # a step between forward and backward does not change what was computed
    y.backward()
    assert w.grad == 6.0


DEEP = """
import gc, sys, threading, weakref
from scalar import Value

def chain(step, slope):
    x = y = Value(0.5)
    for _ in range(100_000):
        y = step(y)
    middle = weakref.ref(y.inputs[0][0])
    y.backward()
    assert x.grad == slope, x.grad
    gc.disable()
    del y  # frees 100,000 nested Values, one inside the other, without the garbage collector
    assert middle() is None

def run():
    chain(lambda y: y + 1, 1.0)
    chain(lambda y: 1 - y, 1.0)
    chain(lambda y: y.relu(), 1.0)
    chain(lambda y: y * 1.0 + y * 0.0, 1.0)
    print("done")

sys.setrecursionlimit(200)
threading.stack_size(256 * 1024)  # a small stack: deep recursion, in C too, would end the process here
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""


def test_deep_chain_and_the_copied_file(tmp_path: Path) -> None:
    """The file, copied alone and run without site-packages, takes a chain of 100,000 operations there and back."""
    shutil.copy(SOURCE, tmp_path)
    child = subprocess.run(
        [sys.executable, "-S", "-c", DEEP], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert (child.returncode, child.stdout, child.stderr) == (0, "done\n", "")


def test_doctests() -> None:
    result = doctest.testmod(scalar)
    assert result.attempted >= 9  # the worked step and the counter-example
    assert result.failed == 0


def test_short_and_standard_library_only() -> None:
    text = SOURCE.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {node.module if isinstance(node, ast.ImportFrom) else name.name for node in imports for name in node.names}
    assert names == {"__future__", "collections.abc", "math", "random"}
    assert all(node.level == 0 for node in imports if isinstance(node, ast.ImportFrom))


def test_parameters() -> None:
    rng = random.Random(0)
    neuron, layer, model = Neuron(3, rng), Layer(3, 2, rng), MLP([3, 4, 2], rng)
    assert neuron.parameters() == [*neuron.weights, neuron.bias]
    assert layer.parameters() == [p for neuron in layer.neurons for p in neuron.parameters()]
    assert len(model.parameters()) == (3 + 1) * 4 + (4 + 1) * 2
    assert len(set(model.parameters())) == len(model.parameters())


def test_neuron_and_mlp_compute_what_they_say() -> None:
    neuron = Neuron(2, random.Random(1))
    w1, w2, b = (p.data for p in neuron.parameters())
    assert neuron([2, -1.0]).data == math.tanh(b + w1 * 2 + w2 * -1.0)
    model = MLP([2, 3, 2], random.Random(1))
    first, second = model.layers
    x = [Value(0.5), Value(-2.0)]
    assert [y.data for y in model(x)] == [y.data for y in second(first(x))]
    sum(model(x)).backward()
    assert all(p.grad != 0.0 for p in model.parameters()) and all(v.grad != 0.0 for v in x)


def test_same_seed_same_model() -> None:
    def weights(seed: int) -> list[float]:
        return [p.data for p in MLP([2, 4, 1], random.Random(seed)).parameters()]

    assert weights(0) == weights(0)
    assert weights(0) != weights(1)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_mlp_learns_the_sign_of_x_times_y(seed: int) -> None:
    """This is XOR with -1 and 1 for false and true (and the answer turned round): no single neuron can do it."""
    model = MLP([2, 4, 1], random.Random(seed))
    points = [([x, y], x * y) for x in (-1.0, 1.0) for y in (-1.0, 1.0)]

    def loss_of_all() -> Value:
        return sum(((model(point)[0] - target) ** 2 for point, target in points), Value(0.0))

    start = loss_of_all().data
    for _ in range(100):
        for p in model.parameters():
            p.grad = 0.0
        loss_of_all().backward()
        for p in model.parameters():
            p.data -= 0.1 * p.grad
    assert start > 3.0
    assert loss_of_all().data < 0.1
    assert all(model(point)[0].data * target > 0.7 for point, target in points)

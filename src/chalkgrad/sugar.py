"""Formulas with names: write down what is to be large, and nudge the numbers in it until it is.

A formula is made of consts, which are given, and params, which may be nudged. Below, a line is to part six points. `f`
says how right the params are about one of them: it is above 0 on the right side of the line, and at most 1.

>>> x, y, label = const(name="x"), const(name="y"), const(name="label")
>>> a, b, c = param(1, "a"), param(-2, "b"), param(-1, "c")
>>> score = a * x + b * y + c
>>> f = minimum(1, label * score)
>>> f
minimum(1, label * (a * x + b * y + c))

Points are drawn at random, one at a time. `backprop(0.1)` notes a step for each param: 0.1 times the derivative of f by
it, which is uphill. `update()` takes the steps.

>>> import random
>>> points = [([1.2, 0.7], +1), ([-0.3, -0.5], -1), ([3.0, 0.1], +1),
...           ([-0.1, -1.0], -1), ([-1.0, 1.1], -1), ([2.1, -3.0], +1)]
>>> rng = random.Random(0)
>>> for _ in range(300):
...     (x.val, y.val), label.val = rng.choice(points)
...     f.backprop(0.1)
...     f.update()
>>> for (x.val, y.val), label.val in points:  # now every score has the sign of its label
...     print("right" if label.val * score.val > 0 else "wrong", end=" ")
right right right right right right

Values are float64, as Python's own numbers are. A formula is computed with Tensors, on which np.exp is the engine's, so
the derivatives are the engine's too. The example is that of A. Karpathy, "Hacker's guide to Neural Networks", 2014.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from .engine.backward import grad
from .engine.tensor import Tensor, wrap
from .seeding import default_generator

__all__ = [
    "Formula", "Leaf", "Operation", "const", "exp", "log", "maximum", "minimum", "neuron", "norm", "param", "tanh",
]

SUM, PRODUCT, SIGN, POWER, WHOLE = range(5)  # how tightly the text of a formula holds together
LONGEST = 400  # letters of it that are shown: what is used twice is written twice, and doubles the text each time


class Operation(NamedTuple):
    """How a formula is computed from its parts, and how it is written."""

    function: Callable[..., Any]  # makes a Tensor of a Tensor for each part
    pattern: str                  # has {} for each part
    strength: int = WHOLE
    needs: tuple[int, ...] = ()   # parts that hold together less tightly are put in parentheses


class Formula:
    """An operation on parts, which are formulas too; it is computed when a value or a derivative is asked for."""

    __array_ufunc__ = None  # NumPy then leaves `array * formula` to the formula

    def __init__(self, operation: Operation, *parts: Any) -> None:
        self.operation = operation
        self.parts = [part if isinstance(part, Formula) else const(part) for part in parts]

    @property
    def val(self) -> Any:
        """The value at the present values of the consts and params: a float, or an array."""
        return self.compute()

    @val.setter
    def val(self, value: Any) -> None:
        self._put(value)

    def _put(self, value: Any) -> None:
        raise AttributeError(f"{self} follows from what it is made of; set the val of a const or a param in it.")

    @property
    def params(self) -> list[Leaf]:
        """The params that the formula is made of, in the order in which they appear."""
        return [node for node in self._order() if isinstance(node, Leaf) and node.learns]

    def compute(self) -> Any:
        """Compute the whole formula from the present values of the consts and params."""
        array = self._tensors()[self].data
        return array if array.shape else array.item()

    def backprop(self, lr: float = 1.0) -> None:
        """Note a step of lr · ∂f/∂p for every param p of this formula f: uphill, or downhill if lr is negative.

        The derivatives are those at the present values; there is no need to `compute` first. Steps add up until
        `update` takes them or `reset` drops them. Raises ValueError if f is an array, or has no params.

        >>> x = param(3, "x")
        >>> f = x ** 2
        >>> f.backprop(0.5)
        >>> x.step  # 0.5 · 2x
        3.0
        >>> f.update()
        >>> f.val
        36.0
        """
        tensors, params = self._tensors(), self.params
        if tensors[self].shape != ():
            raise ValueError(f"{self} is an array of shape {tensors[self].shape}, and only one number has an uphill. "
                             "Reduce it first: f.sum(), f.mean() or norm(f).")
        if not params:
            raise ValueError(f"{self} has no params, so nothing can move it. Make a value in it with param(...).")
        slopes: tuple[Any, ...] = grad(tensors[self], [tensors[each] for each in params])
        for each, slope in zip(params, slopes):
            each.step = each.step + float(lr) * (slope.data if slope.shape else slope.item())

    def update(self) -> None:
        """Take the steps that are noted for the params of this formula, so that none are left."""
        for each in self.params:
            each.val = each.val + each.step

    def reset(self) -> None:
        """Drop the steps that are noted for the params of this formula."""
        for each in self.params:
            each.step = 0.0

    def _order(self) -> list[Formula]:
        """List what the formula is made of, parts before wholes, each once: by a loop, since formulas may be deep."""
        order, seen, stack = list[Formula](), set[Formula](), [(self, False)]
        while stack:
            node, has_its_parts = stack.pop()
            if has_its_parts:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack += [(node, True), *((part, False) for part in reversed(node.parts))]
        return order

    def _tensors(self) -> dict[Formula, Tensor]:
        tensors = dict[Formula, Tensor]()
        for node in self._order():
            try:
                tensors[node] = node.operation.function(*(tensors[part] for part in node.parts))
            except (TypeError, ValueError) as error:
                error.add_note(f"in the formula {node}")
                raise
        return tensors

    def __repr__(self) -> str:
        texts = dict[Formula, str]()
        for node in self._order():
            parts = [f"({texts[part]})" if part.operation.strength < need else texts[part]
                     for part, need in zip(node.parts, node.operation.needs)]
            text = node.operation.pattern.format(*parts) if parts else node.operation.pattern
            texts[node] = text if len(text) <= LONGEST else f"{text[:LONGEST // 2]} ... {text[-LONGEST // 2:]}"
        return texts[self]

    def __add__(self, other: Any) -> Formula: return Formula(ADD, self, other)
    def __radd__(self, other: Any) -> Formula: return Formula(ADD, other, self)
    def __sub__(self, other: Any) -> Formula: return Formula(SUBTRACT, self, other)
    def __rsub__(self, other: Any) -> Formula: return Formula(SUBTRACT, other, self)
    def __mul__(self, other: Any) -> Formula: return Formula(MULTIPLY, self, other)
    def __rmul__(self, other: Any) -> Formula: return Formula(MULTIPLY, other, self)
    def __truediv__(self, other: Any) -> Formula: return Formula(DIVIDE, self, other)
    def __rtruediv__(self, other: Any) -> Formula: return Formula(DIVIDE, other, self)
    def __matmul__(self, other: Any) -> Formula: return Formula(MATMUL, self, other)
    def __rmatmul__(self, other: Any) -> Formula: return Formula(MATMUL, other, self)
    def __pow__(self, other: Any) -> Formula: return Formula(RAISE, self, other)
    def __rpow__(self, other: Any) -> Formula: return Formula(RAISE, other, self)
    def __neg__(self) -> Formula: return Formula(NEGATE, self)
    def sum(self) -> Formula: return Formula(Operation(np.sum, "{}.sum()", WHOLE, (WHOLE,)), self)
    def mean(self) -> Formula: return Formula(Operation(np.mean, "{}.mean()", WHOLE, (WHOLE,)), self)


ADD      = Operation(operator.add, "{} + {}", SUM, (SUM, PRODUCT))
SUBTRACT = Operation(operator.sub, "{} - {}", SUM, (SUM, PRODUCT))
MULTIPLY = Operation(operator.mul, "{} * {}", PRODUCT, (PRODUCT, SIGN))
DIVIDE   = Operation(operator.truediv, "{} / {}", PRODUCT, (PRODUCT, SIGN))
MATMUL   = Operation(operator.matmul, "{} @ {}", PRODUCT, (PRODUCT, SIGN))
NEGATE   = Operation(operator.neg, "-{}", SIGN, (SIGN,))
RAISE    = Operation(operator.pow, "{} ** {}", POWER, (WHOLE, SIGN))


class Leaf(Formula):
    """A const or a param: a value with or without a name, and for a param the `step` that the next update will add."""

    def __init__(self, value: Any, name: str | None, *, learns: bool) -> None:
        self.parts, self.name, self.learns, self.step = [], name, learns, 0.0
        self.array: np.ndarray[Any, Any] | None = None
        self.operation = Operation(self._tensor, name or ("param()" if learns else "const()"))
        if value is not None:
            self.val = value

    def _put(self, value: Any) -> None:
        array = np.asarray(value.data if isinstance(value, Tensor) else value)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"{self} holds a number or an array of numbers, but {value!r:.60} came.")
        self.array, self.step = array.astype(np.float64), 0.0  # a step was for the value before
        text = self.name or (f"<array {array.shape}>" if array.shape else str(self.array).removesuffix(".0"))
        self.operation = Operation(self._tensor, text, SIGN if text.startswith("-") else WHOLE)

    def _tensor(self) -> Tensor:
        if self.array is None:
            raise ValueError(f"{self} has no value yet; set its val first.")
        return wrap(self.array, None).requires_grad_(self.learns)


def const(value: Any = None, name: str | None = None) -> Leaf:
    """Make a value that is given: a number or an array. Set `val` to put another in its place."""
    return Leaf(value, name, learns=False)


def param(value: Any = None, name: str | None = None) -> Leaf:
    """Make a value that may be nudged: a number or an array."""
    return Leaf(value, name, learns=True)


def _function(name: str, function: Callable[..., Any]) -> Callable[..., Formula]:
    """Let a function of Tensors make formulas."""
    def make(*parts: Any) -> Formula:
        pattern = f"{name}({', '.join(['{}'] * len(parts))})"
        return Formula(Operation(function, pattern, WHOLE, (SUM,) * len(parts)), *parts)

    make.__name__, make.__doc__ = name, f"Make the formula {name}(...)."
    return make


def _norm(x: Any) -> Any:
    """The length of x, √ Σ x². At 0, where every way leads up, its slope is taken as 0."""
    square = np.sum(x * x)
    # s / √s is √s; with a tiny number for s = 0 below the line, its slope is finite there, and times ∂s/∂x = 0
    return square / np.sqrt(np.maximum(square, np.finfo(np.float64).tiny))


minimum, maximum = _function("minimum", np.minimum), _function("maximum", np.maximum)
exp, log, tanh   = _function("exp", np.exp), _function("log", np.log), _function("tanh", np.tanh)
norm             = _function("norm", _norm)


def neuron(inputs: Iterable[Any], activation: Callable[..., Formula] = tanh, name: str = "neuron") -> Formula:
    """Weigh the inputs, add a bias, and squash: activation(w1 * x1 + w2 * x2 + ... + b), with new params w and b.

    The weights are drawn evenly from ±1 by the default generator, the bias starts at 0.

    >>> neuron([const(2, "x"), const(3, "y")], name="n")
    tanh(n_w1 * x + n_w2 * y + n_b)
    """
    products = [param(default_generator().uniform(-1, 1), f"{name}_w{i}") * x for i, x in enumerate(inputs, 1)]
    if not products:
        raise ValueError("A neuron needs one input at least: neuron([x, y]).")
    return activation(sum(products[1:], products[0]) + param(0, f"{name}_b"))

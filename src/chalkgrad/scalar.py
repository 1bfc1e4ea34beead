"""Backpropagation in one file: numbers that remember how they were made, and so can find their derivatives.

A `Value` keeps its inputs, the Values it was computed from, each with a slope: its change per change of that input.
`backward()` uses the chain rule: multiply the slopes along each path back, add up the paths (Rumelhart et al. 1986).

>>> w, x = Value(3.0), Value(2.0)
>>> loss = (w * x - 5) ** 2  # the prediction 3 · 2 misses the target 5 by 1, and 1² = 1
>>> loss.backward()  # ∂loss/∂w = 2 (w·x - 5) · x = 2 · 1 · 2 = 4
>>> w.data -= w.grad / 16  # to learn is to step a little way against the derivative
>>> w, (w * x - 5) ** 2
(Value(data=2.75, grad=4.0), Value(data=0.25, grad=0.0))
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

__all__ = ["Layer", "MLP", "Neuron", "Value"]


class Value:
    """A number `data`, the derivative `grad` of a result by it, and its `inputs`: pairs (Value, slope)."""

    def __init__(self, data: float, *inputs: tuple[Value, float]) -> None:
        if not isinstance(data, (int, float)):
            raise TypeError(f"a Value holds one real number, int or float, but got {data!r}; try float(...) on it")
        self.data, self.grad, self.inputs = float(data), 0.0, inputs

    def __repr__(self) -> str: return f"Value(data={self.data}, grad={self.grad})"

    def __add__(self, other: Value | float) -> Value:
        b = other if isinstance(other, Value) else Value(other)
        return Value(self.data + b.data, (self, 1.0), (b, 1.0))  # a sum moves as far as either of its terms

    def __mul__(self, other: Value | float) -> Value:
        b = other if isinstance(other, Value) else Value(other)
        return Value(self.data * b.data, (self, b.data), (b, self.data))  # each factor's step is scaled by the other

    def __truediv__(self, other: Value | float) -> Value:
        b = other if isinstance(other, Value) else Value(other)
        y = self.data / b.data
        return Value(y, (self, 1 / b.data), (b, -y / b.data))  # a/b is a · (1/b), and 1/b has the slope -1/b²

    def __pow__(self, n: float) -> Value:
        if not isinstance(n, (int, float)):
            raise TypeError(f"** needs a plain number as exponent, but got {n!r}; for x ** n write (n * x.log()).exp()")
        if self.data == 0 and 0 <= n < 1:  # where xⁿ⁻¹ would divide by 0: x⁰ is flat, and a root starts straight up
            return Value(self.data**n, (self, math.inf if n else 0.0))
        return Value(self.data**n, (self, n * self.data ** (n - 1)))  # n factors x, each scaled by the n - 1 others

    def __rpow__(self, base: float) -> Value:
        raise TypeError(f"** needs a plain number as exponent; for {base} ** n write (n * math.log({base})).exp()")

    def __neg__(self) -> Value: return self * -1
    def __sub__(self, other: Value | float) -> Value: return self + -other
    def __rsub__(self, other: float) -> Value: return -self + other
    def __rtruediv__(self, other: float) -> Value: return Value(other) / self
    __radd__, __rmul__ = __add__, __mul__  # 2 + x is x + 2, and 2 * x is x * 2

    def exp(self) -> Value:
        return Value(math.exp(self.data), (self, math.exp(self.data)))  # eˣ is its own slope: e is chosen for that

    def log(self) -> Value:
        if self.data <= 0:
            raise ValueError(f"log needs a number above 0, but got {self.data}; where 0 can occur, add 1e-8 first")
        return Value(math.log(self.data), (self, 1 / self.data))  # it undoes exp: one over exp's slope, x

    def tanh(self) -> Value:
        y = math.tanh(self.data)
        return Value(y, (self, 1 - y * y))  # sinh/cosh by the quotient rule: (cosh² - sinh²) / cosh² = 1 - y²

    def relu(self) -> Value:
        return Value(max(self.data, 0.0), (self, float(self.data > 0)))  # passed on where positive, else cut off

    def sigmoid(self) -> Value:
        e = math.exp(-abs(self.data))  # between 0 and 1, so nothing overflows
        y = (1.0 if self.data >= 0 else e) / (1 + e)  # 1 / (1 + e⁻ˣ); for x < 0, top and bottom times eˣ
        return Value(y, (self, e / (1 + e) ** 2))  # y (1 - y), which is the same for x and -x

    def backward(self) -> None:
        """Add ∂self/∂v to `v.grad` for every Value v behind this one; set `grad` to 0.0 to start afresh, as in PyTorch.

        The order matters: a Value may pass its gradient on only when every Value that uses it has delivered its part.
        Below, y uses a twice. A naive walk goes on at each arrival, with a.grad = 1, then 2: the first 1 counts twice.

        >>> def naive(node):
        ...     for source, slope in node.inputs:
        ...         source.grad += slope * node.grad
        ...         naive(source)
        >>> x = Value(3.0); a = x ** 2; y = a + a; y.grad = 1.0
        >>> naive(y); x.grad  # wrong: 6 · 1 + 6 · 2
        18.0
        >>> x.grad = 0.0; y.backward(); x.grad  # right: y = 2x², so ∂y/∂x = 4x
        12.0

        Passing on only what has just arrived would be right but slow: n steps a = a + a have 2ⁿ paths. So first count
        the uses of each Value, then visit it after the last: a topological order (Kahn 1962). Loops go to any depth.
        """
        uses, found = {self: 0}, [self]
        for node in found:  # the list grows while we walk it
            for source, _ in node.inputs:
                uses[source] = uses.get(source, 0) + 1
                if uses[source] == 1:
                    found.append(source)
        ready, grads = [self], {self: 1.0}  # grads holds what this call delivers, apart from what `grad` held before
        for node in ready:
            node.grad += grads[node]
            for source, slope in node.inputs:
                grads[source] = grads.get(source, 0.0) + slope * grads[node]
                uses[source] -= 1
                if uses[source] == 0:
                    ready.append(source)


class Neuron:
    """tanh(w · x + b): a weighted sum of the inputs x, squashed to between -1 and 1. It starts with random weights."""

    def __init__(self, in_features: int, rng: random.Random) -> None:
        self.weights, self.bias = [Value(rng.uniform(-1, 1)) for _ in range(in_features)], Value(0.0)

    def __call__(self, x: Sequence[Value | float]) -> Value:
        return sum((w * xi for w, xi in zip(self.weights, x, strict=True)), self.bias).tanh()

    def parameters(self) -> list[Value]: return [*self.weights, self.bias]


class Layer:
    """Neurons side by side: each sees all the inputs, and each gives one output."""

    def __init__(self, in_features: int, out_features: int, rng: random.Random) -> None:
        self.neurons = [Neuron(in_features, rng) for _ in range(out_features)]

    def __call__(self, x: Sequence[Value | float]) -> list[Value]: return [neuron(x) for neuron in self.neurons]
    def parameters(self) -> list[Value]: return [p for neuron in self.neurons for p in neuron.parameters()]


class MLP:
    """Layers in a row: MLP([2, 4, 1], random.Random(0)) takes 2 numbers through 4 neurons to a list of 1 output."""

    def __init__(self, sizes: list[int], rng: random.Random) -> None:
        self.layers = [Layer(sizes[i], sizes[i + 1], rng) for i in range(len(sizes) - 1)]

    def __call__(self, x: Sequence[Value | float]) -> list[Value]:
        for layer in self.layers:
            x = y = layer(x)  # the outputs of one layer are the inputs of the next
        return y

    def parameters(self) -> list[Value]: return [p for layer in self.layers for p in layer.parameters()]

"""What a row says: a module, what it is made with and called with; and how its inputs are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "Array", "Bad", "Draw", "Named", "Row", "apart", "bools", "ints", "log_probs", "normal", "positive", "unit",
]

NOTHING: dict[str, Any] = {}


@dataclass(frozen=True)
class Draw:
    """An input: its shape, and how its numbers are drawn, from a generator and that shape."""

    shape: tuple[int, ...]
    numbers: Callable[[np.random.Generator, tuple[int, ...]], Any]
    kind: str

    def __call__(self, rng: np.random.Generator) -> Any:
        """Draw the array, in float64 if it holds floats."""
        return np.asarray(self.numbers(rng, self.shape))

    def __repr__(self) -> str:
        return f"{self.kind}{self.shape}"


def ints(high: int, *shape: int, low: int = 0) -> Draw:
    """Whole numbers from low up to, not including, high."""
    return Draw(shape, lambda rng, shape: rng.integers(low, high, shape), "ints")


def positive(*shape: int) -> Draw:
    """Numbers from 0.5 to 2."""
    return Draw(shape, lambda rng, shape: rng.uniform(0.5, 2, shape), "positive")


def unit(*shape: int) -> Draw:
    """Numbers from 0.05 to 0.95, such as probabilities."""
    return Draw(shape, lambda rng, shape: rng.uniform(0.05, 0.95, shape), "unit")


def bools(*shape: int) -> Draw:
    """True or False, each half of the time."""
    return Draw(shape, lambda rng, shape: rng.random(shape) < 0.5, "bools")


def apart(*shape: int) -> Draw:
    """Numbers no two of which are near each other, so that it is plain which is the largest."""
    return Draw(shape, lambda rng, shape: (rng.permutation(int(np.prod(shape))).reshape(shape) - 7) / 8, "apart")


def log_probs(*shape: int) -> Draw:
    """Logarithms of probabilities along the last axis."""
    return Draw(shape, lambda rng, shape: np.log(rng.dirichlet(np.ones(shape[-1]), shape[:-1])), "log_probs")


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Draw normal numbers."""
    return rng.standard_normal(shape)


class Array(NamedTuple):
    """An option that is an array: a Tensor for us, a tensor for PyTorch."""

    values: Any


class Named(NamedTuple):
    """An option that is a function of either library, Named("nn.functional.relu"), or what one makes of arguments."""

    path: str
    arguments: dict[str, Any] | None = None

    def of(self, library: Any) -> Any:
        """Look it up."""
        for name in self.path.split("."):
            library = getattr(library, name)
        return library if self.arguments is None else library(**self.arguments)


class Row(NamedTuple):
    """A module to try.

    name     its class in `nn`, ours and PyTorch's
    options  what it is made with; an `Array` becomes a tensor of either library
    inputs   what it is called with: a shape is drawn from the normal distribution; a tuple of inputs stays a tuple
    call     further arguments of the call, by name
    drawing  it draws random numbers in training, which cannot be PyTorch's
    fixed    the batch may not be made larger: there is none, its size is among the options, or it is not the first axis
    own      PyTorch has none like it
    """

    name: str
    options: dict[str, Any] = NOTHING
    inputs: Sequence[Any] = ()
    call: dict[str, Any] = NOTHING
    drawing: bool = False
    fixed: bool = False
    own: bool = False

    @property
    def id(self) -> str:
        """Name the row where pytest lists it."""
        options = "-".join(f"{key}={value}" for key, value in self.options.items() if not isinstance(value, Array))
        return f"{self.name}-{options}-{'x'.join(map(repr, self.inputs))}".replace(" ", "")

    def draw(self, seed: int, times: int = 1) -> list[Any]:
        """Draw the inputs as arrays; `times` as many of what there is a batch of."""
        rng = np.random.default_rng(seed)
        count = 1 if self.fixed else times
        first = next((draw.shape[0] for draw in map(as_draw, flat(self.inputs)) if draw.shape), 0)

        def make(each: Any) -> Any:
            if isinstance(each, tuple) and each and not isinstance(each[0], int):
                return tuple(make(inner) for inner in each)
            draw = as_draw(each)
            shape = draw.shape
            if shape and shape[0] == first:
                shape = (shape[0] * count, *shape[1:])
            return np.asarray(draw.numbers(rng, shape))

        return [make(each) for each in self.inputs]


class Bad(NamedTuple):
    """A call that must be refused in words.

    name     a class in `nn`
    options  what it is made with
    inputs   shapes or draws, as in a Row; if there are none, making it must fail
    error    the kind of error
    words    some of what it says: a regular expression
    """

    name: str
    options: dict[str, Any]
    inputs: Sequence[Any]
    error: type[Exception]
    words: str
    call: dict[str, Any] = NOTHING


def as_draw(each: Any) -> Draw:
    """Read an input of a row: a shape stands for normal numbers."""
    return each if isinstance(each, Draw) else Draw(tuple(each), normal, "")


def flat(inputs: Any) -> list[Any]:
    """List the inputs, with tuples of inputs taken apart."""
    found: list[Any] = []
    for each in inputs:
        nested = isinstance(each, tuple) and each and not isinstance(each[0], int)
        found += flat(each) if nested else [each]
    return found

"""What the oracles share: every primitive of the package with its examples, both its passes, and differences."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

from chalkgrad import Tensor
from chalkgrad.engine.primitive import PRIMITIVES, Primitive
from chalkgrad.law.variant import Variant

# Importing chalkgrad declares them all; what a test declares for itself is not among them.
OURS = [p for p in PRIMITIVES if p.function.__module__.startswith("chalkgrad.")]

# Examples where a rule has no derivative, and what is taken for it is a convention that differences cannot know.
KINKS = {
    ("abs", 4): "the corner at 0; its second derivative is none",
    ("amax", 4): "a tie",
    ("amin", 4): "a tie",
    ("among_probabilities", 0): "a derivative on the simplex alone: log-probabilities cannot all rise",
    ("atan2", 3): "the origin, which has no angle",
    ("ceil", 1): "a jump",
    ("clamp_between", 3): "on the bounds",
    ("clipped", 2): "on the bounds",
    ("copysign", 3): "a corner",
    ("distance", 6): "a count, which is flat",
    ("distances_among", 3): "the corner at distance 0",
    ("distances_between", 4): "the corner at distance 0",
    ("extreme_at", 2): "a tie",
    ("floor", 1): "a jump",
    ("fmax", 2): "a tie, of which the first is taken",
    ("fmin", 2): "a tie, of which the first is taken",
    ("frac", 1): "a jump",
    ("gaussian_nll", 3): "a variance below eps, whose gradient is that at eps",
    ("kl_divergence", 3): "the edge of the logarithm",
    ("margin_ranking", 3): "a tie",
    ("max_along", 2): "a tie, of which the first is taken",
    ("maximum", 2): "a tie",
    ("min_along", 2): "a tie, of which the first is taken",
    ("minimum", 2): "a tie",
    ("mirrored", 0): "the gradient is that among symmetric matrices",
    ("mirrored", 1): "the gradient is that among symmetric matrices",
    ("nan_to_num", 1): "no numbers",
    ("one_chosen", 0): "a jump, which the gradient goes straight through",
    ("p_norm", 5): "a jump",
    ("p_norm", 6): "the corner at 0",
    ("poisson_nll", 3): "the edge of the logarithm",
    ("product_at", 2): "factors of 0, whose second derivative is left out",
    ("root", 2): "a corner: the root of no variance",
    ("root_of_mean", 4): "a mean of 0, whose root has no slope",
    ("round", 2): "a jump",
    ("sign", 1): "a jump",
    ("sinc", 3): "the top, whose second derivative is taken as 0",
    ("triplet_margin", 3): "the corner",
    ("trunc", 1): "a jump",
}


class Case(NamedTuple):
    """One primitive on one of its examples."""

    primitive: Primitive
    inputs: tuple[Any, ...]
    options: dict[str, Any]

    @property
    def wanted(self) -> list[int]:
        """The places of the inputs that have a derivative: floats whose gradient the backward returns."""
        back = self.primitive.backward_rule
        names = self.primitive.rule.inputs
        return [i for i, x in enumerate(self.inputs) if is_float(x) and back and f"grad_{names[i]}" in back.returns]

    def cast(self, dtype: Any) -> "Case":
        """The same example with all floats of another dtype."""
        return self._replace(inputs=to(self.inputs, dtype), options={k: to(v, dtype) for k, v in self.options.items()})

    def put(self, values: Iterable[Any]) -> list[Any]:
        """The inputs with other values where there is a derivative."""
        inputs = list(self.inputs)
        for place, value in zip(self.wanted, values, strict=True):
            inputs[place] = np.asarray(value) if isinstance(value, np.generic) else value
        return inputs

    def leaves(self) -> list[Tensor]:
        """The inputs that have a derivative, as Tensors that ask for it."""
        return [Tensor(self.inputs[i], requires_grad=True) for i in self.wanted]

    def outputs(self, function: Callable[..., Any], inputs: Iterable[Any]) -> list[Any]:
        """What `function` makes of inputs, as far as one can differentiate by it."""
        made = function(*inputs, **self.options)
        made = made if isinstance(made, tuple) else (made,)
        back = self.primitive.backward_rule
        asked = back.parameters if back else []
        return [y for y, name in zip(made, self.primitive.grad_outputs, strict=True) if name in asked]


class Passes(NamedTuple):
    """What went into the two passes of a rule, and what came out."""

    variant: Variant
    outputs: tuple[Any, ...]
    arriving: list[Any]
    saved: tuple[Any, ...]
    gradients: dict[str, Any]


def run(case: Case, wanted: Iterable[int] | None = None) -> Passes:
    """Run a rule forward, and backward for some of its inputs, on plain arrays."""
    variant = case.primitive.variants[sum(1 << i for i in (case.wanted if wanted is None else wanted))]
    outputs, saved = variant.run(*case.inputs, **case.options)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    named = dict(zip(case.primitive.grad_outputs, outputs, strict=True))
    arriving = [weights(named[name]) for name in variant.arriving]
    gradients = variant.pull(*arriving, *saved)
    return Passes(variant, outputs, arriving, saved, dict(zip(variant.inputs, gradients, strict=True)))


def example_cases(*, smooth: bool = False, without: Iterable[str] = ()) -> list[Any]:
    """Every primitive with every example, or with those where it has derivatives: a table for parametrize."""
    return [
        pytest.param(case, id=f"{case.primitive.name}-{i}")
        for primitive in OURS if primitive.make_examples and primitive.name not in without
        for i, case in enumerate(examples(primitive)) if not (smooth and (primitive.name, i) in KINKS)
    ]


def examples(primitive: Primitive) -> Iterator[Case]:
    """Read the examples of a primitive: inputs, and options in a dict at the end; inputs left out are None."""
    assert primitive.make_examples is not None
    for example in primitive.make_examples(np.random.default_rng(0)):
        *inputs, last = example
        inputs, options = (inputs, last) if isinstance(last, dict) else (list(example), {})
        missing = len(primitive.rule.inputs) - len(inputs)
        yield Case(primitive, (*inputs, *[None] * missing), options)


def is_float(x: Any) -> bool:
    """Tell whether a value is an array of floats."""
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def to(value: Any, dtype: Any) -> Any:
    """Cast the float arrays in a value, tuples included."""
    if isinstance(value, tuple):
        return tuple(to(v, dtype) for v in value)
    return value.astype(dtype) if is_float(value) else value


def weights(y: Any, seed: int = 1) -> Any:
    """Numbers to weigh the elements of `y` with, so that a loss depends on each of them differently."""
    y = np.asarray(y)
    return np.random.default_rng(seed + y.size).standard_normal(y.shape).astype(y.dtype)


def total(parts: Iterable[tuple[Any, Any]]) -> float:
    """Σ ⟨a, b⟩ over pairs of arrays."""
    return sum(float(np.sum(np.asarray(a) * np.asarray(b))) for a, b in parts)


def slope(function: Callable[[float], float], h: float = 1e-4) -> float:
    """The derivative at 0, from four points: the error is of order h⁴, where two points have h²."""
    near, far = function(h) - function(-h), function(2 * h) - function(-2 * h)
    return (8 * near - far) / (12 * h)


def assert_close(ours: Any, theirs: Any, tolerance: float) -> None:
    """Hold two arrays to the same shape and, relative to their scale, the same numbers; nan and infinities included."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    finite = np.abs(theirs[np.isfinite(theirs)])
    scale = max(1.0, float(finite.max())) if finite.size else 1.0
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * scale)

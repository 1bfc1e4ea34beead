"""Every function that PyTorch's own tables know, in a step that learns: spelled and compiled, it comes to the same.

What follows from the numbers, a size or a Python number, no program can hold: that is refused in words.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import Tensor, nn

from .around import total
from .pairs import listed
from .torch_samples import OPS, NotHere, converted, function_of, label
from .twins import Setup, assert_twins, divided

pytestmark = pytest.mark.filterwarnings("ignore")  # the samples divide by zero

MOST = 20  # samples that are looked at


class Case(NamedTuple):
    """A function, what it is called with, and the Tensors among that, as arrays."""

    function: Callable[..., Any]
    arguments: Any
    arrays: list[Any]


class Hole:
    """Stands for a Tensor that comes as an argument of the step."""


GIVEN, LEARNS = Hole(), Hole()


def taken_out(value: Any, found: list[Any]) -> Any:
    """Put a hole in the place of every Tensor."""
    if isinstance(value, Tensor):
        found.append(value.data)
        return LEARNS if value.requires_grad else GIVEN
    if isinstance(value, dict):
        return {key: taken_out(each, found) for key, each in value.items()}
    if isinstance(value, tuple | list):
        made = [taken_out(each, found) for each in value]
        return type(value)(*made) if hasattr(value, "_fields") else type(value)(made)
    return value


def put_in(value: Any, tensors: Iterator[Tensor], scale: Tensor) -> Any:
    """Put Tensors into the holes, scaled where they have a gradient."""
    if isinstance(value, Hole):
        return next(tensors) * scale if value is LEARNS else next(tensors)
    if isinstance(value, dict):
        return {key: put_in(each, tensors, scale) for key, each in value.items()}
    if isinstance(value, tuple | list):
        made = [put_in(each, tensors, scale) for each in value]
        return type(value)(*made) if hasattr(value, "_fields") else type(value)(made)
    return value


# What is not compared, and why.
LEFT_OUT = {
    "empty": "there are no numbers in it yet",
    "empty_like": "there are no numbers in it yet",
    "new_empty": "there are no numbers in it yet",
    "nn.functional.batch_norm.without_cudnn": "all samples are for other processors",
    "nn.functional.linear_cross_entropy.chunked": "its options choose among PyTorch's kernels",
    "nn.functional.linear_cross_entropy.chunked_none": "its options choose among PyTorch's kernels",
    "nn.functional.silu.complex": "there are no complex numbers",
    "nn.functional.triplet_margin_with_distance_loss": "the distance is a module of PyTorch",
}
NUMBER, SIZE = "reads a number off a Tensor", "size of the result follows from the values"
# What no program can hold, in one sample at least, and some of the words that say so.
REFUSED = {
    "allclose": NUMBER, "argwhere": SIZE, "equal": NUMBER, "item": NUMBER, "linspace.tensor_overload": NUMBER,
    "logspace.tensor_overload": NUMBER, "narrow": NUMBER, "nonzero": SIZE, "repeat_interleave": NUMBER,
    "tensor_split": NUMBER, "unique": SIZE, "unique_consecutive": SIZE,
}
NAMED = {label(op): op for op in OPS if label(op) not in LEFT_OUT}


@functools.cache
def cases(name: str) -> list[Case]:
    """Choose two samples of a function: the first that has several numbers, and the last, which is often awkward."""
    op = NAMED[name]
    dtype = next(d for d in (torch.float32, torch.int64, torch.bool) if d in op.supported_dtypes("cpu"))
    found: list[Case] = []
    torch.manual_seed(0)
    learns = dtype.is_floating_point and op.supports_autograd
    for sample in op.sample_inputs("cpu", dtype, requires_grad=learns):
        if sample.kwargs.get("sparse"):
            continue  # there are no sparse gradients
        try:
            arguments = converted([sample.input, *sample.args]), converted(sample.kwargs)
        except NotHere:
            continue
        arrays: list[Any] = []
        arguments = taken_out(arguments, arrays)
        if all(array.size for array in arrays):
            found.append(Case(function_of(op), arguments, arrays))
        if len(found) == MOST:
            break
    assert found, f"there is no sample of {name} that holds numbers"
    several = [case for case in found if any(array.size > 1 for array in case.arrays)] or found
    return [*several[:1], *(case for case in found[-1:] if case is not several[0])]


class Around(nn.Module):
    """A function of inputs of which the floats are scaled by what learns, so that it has a backward."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.case, self.scale = case, nn.Parameter(np.float32(1.0))

    def forward(self, *inputs: Tensor) -> list[Tensor]:
        """Call the function; what it returns beside Tensors is left out."""
        args, options = put_in(self.case.arguments, iter(inputs), self.scale)
        return [y for y in listed(self.case.function(*args, **options)) if isinstance(y, Tensor)]


def step_of(model: Around) -> Callable[..., Any]:
    """A step that runs the function forward and backward, with an argument for each of its inputs."""

    def body(*inputs: Tensor) -> tuple[Tensor, ...]:
        model.zero_grad()
        outputs = model(*inputs)
        loss = total(outputs)
        if loss.requires_grad:
            loss.backward()
        return (loss, *outputs)

    names = ", ".join(f"x{i}" for i in range(len(model.case.arrays)))
    known: dict[str, Any] = {"body": body}
    exec(f"def step({names}):\n    return body({names})", known)
    step: Callable[..., Any] = known["step"]
    return step


def twins(case: Case, exact: bool = True) -> Any:
    """Run the step of a function eager and compiled."""

    def make() -> Setup:
        model = Around(case)
        return model, [], step_of(model)

    return assert_twins(make, lambda i, step, *_: step(*map(Tensor, case.arrays)), 2, exact=exact)


each_function = pytest.mark.parametrize("name", [name for name in NAMED if name not in REFUSED])


@each_function
def test_compiled(name: str) -> None:
    for case in cases(name):
        twins(case)


@each_function
def test_divided(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    divided(monkeypatch, 2)
    twins(cases(name)[0], exact=False)


@each_function
def test_spelled(name: str) -> None:
    for case in cases(name):
        spell(case)


def spell(case: Case) -> None:
    """Spell the step of a function, which proves itself: what is drawn is the same, too."""
    model = Around(case)
    cg.manual_seed(0)
    cg.spell(step_of(model), *case.arrays, model=model)


@pytest.mark.parametrize("through", [twins, spell])
@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, through: Callable[[Case], Any]) -> None:
    said = []
    for case in cases(name):
        try:
            through(case)
        except cg.SpellError as error:
            said.append(str(error))
    assert said and all(REFUSED[name] in words for words in said), said


@pytest.mark.parametrize("exponent", [3, 0.5, -0.5])
@pytest.mark.parametrize("through", [twins, spell])
def test_powers_of_single_numbers(through: Callable[[Case], Any], exponent: float) -> None:
    """NumPy rounds ** of a number otherwise than of an array without axes; which of them it is must not matter."""
    numbers = np.random.default_rng(0).random(6, np.float32) + 0.5
    through(Case(lambda x: [(x[i] * 1.1) ** exponent for i in range(6)], ([LEARNS], {}), [numbers]))
    through(Case(lambda x: [exponent ** (x[i] * 1.1) for i in range(6) if exponent > 0], ([LEARNS], {}), [numbers]))


def test_what_is_left_out_is_there() -> None:
    assert {*LEFT_OUT, *REFUSED} <= {label(op) for op in OPS}

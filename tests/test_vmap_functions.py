"""Every rule, and every function that PyTorch's own tables know, under vmap: as one example after the other."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import Tensor
from chalkgrad.engine.primitive import PRIMITIVES
from chalkgrad.func import vmap

from .pairs import listed
from .torch_samples import OPS, NotHere, converted, function_of, label

pytestmark = pytest.mark.filterwarnings("ignore")  # the samples divide by zero

COUNT = 3  # examples
MOST = 8  # samples of a function


class Call(NamedTuple):
    """A function of the Tensors in its arguments, as these are in one example."""

    function: Callable[..., Any]
    args: Any
    options: dict[str, Any]

    @property
    def tensors(self) -> list[Tensor]:
        """Those that are mapped over, one after the other."""
        return list(found([self.args, self.options]))

    def of(self, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Call it with other Tensors; what it returns beside Tensors is left out."""
        each = iter(tensors)
        made = self.function(*exchanged(self.args, each), **exchanged(self.options, each))
        return tuple(y for y in listed(made) if isinstance(y, Tensor))


def found(value: Any) -> Any:
    """Yield the Tensors in a value."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict | tuple | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from found(each)


def exchanged(value: Any, others: Any) -> Any:
    """Put others in the places of the Tensors in a value."""
    if isinstance(value, Tensor):
        return next(others)
    if isinstance(value, dict):
        return {key: exchanged(each, others) for key, each in value.items()}
    if isinstance(value, tuple | list):
        made = [exchanged(each, others) for each in value]
        return type(value)(*made) if hasattr(value, "_fields") else type(value)(made)
    return value


def example(x: Tensor, i: int, matrices: bool) -> Any:
    """Make another array for an example: the same numbers in another order, or a matrix with an inverse as well."""
    if x.is_floating_point() and (matrices or x.numel() < 2):
        return x.data * (1 - i / 4)
    return np.random.default_rng(i).permutation(x.data.ravel()).reshape(x.shape) if i else x.data


def assert_mapped(call: Call, mapped: Sequence[int], dim: int = 0, matrices: bool = False) -> None:
    """Call a function for all examples at once, and for one after the other; compare results and gradients."""
    rows = [[Tensor(example(x, i if place in mapped else 0, matrices), x.requires_grad)
             for place, x in enumerate(call.tensors)] for i in range(COUNT)]
    try:
        each = [seeded(lambda row=row: call.of(row)) for row in rows]
    except (ValueError, IndexError, ZeroDivisionError):
        return  # numbers in this order are refused: a matrix without an inverse, places that are not in order
    if len({tuple(y.shape for y in ys) for ys in each}) > 1:
        return  # the size of the result follows from the numbers
    inputs = [Tensor(np.stack([x.data for x in column], dim) if i in mapped else first.data, first.requires_grad)
              for i, (first, column) in enumerate(zip(rows[0], zip(*rows)))]
    dims = tuple(dim if i in mapped else None for i in range(len(inputs)))
    made = seeded(lambda: vmap(lambda *xs: call.of(xs), dims, randomness="same")(*inputs))
    for i, (y, *zs) in enumerate(zip(made, *each, strict=True)):
        close(y, np.stack([z.data for z in zs]), f"result {i}")
    weights = [np.random.default_rng(i).standard_normal(y.shape).astype(y.dtype) for i, y in enumerate(made)]
    loss, losses = total(made, weights), [total(ys, [w[i] for w in weights]) for i, ys in enumerate(each)]
    assert (loss is None) == (losses[0] is None), "one of them has a gradient, the other none"
    if loss is None:
        return
    for one in (loss, *losses):
        one.backward()
    for i, (x, *xs) in enumerate(zip(inputs, *rows, strict=True)):
        if x.requires_grad:
            slopes = [np.zeros(x.shape) if x.grad is None else x.grad.data for x in xs]
            expected = sum(slopes) if i not in mapped else np.stack(slopes, dim)
            close(Tensor(expected) if x.grad is None else x.grad, expected, f"the gradient of input {i}")


def seeded(function: Callable[[], Any]) -> Any:
    """Call a function such that it draws the same numbers every time."""
    cg.manual_seed(0)
    return function()


def total(outputs: Sequence[Tensor], weights: Sequence[Any]) -> Tensor | None:
    """Add up what has a gradient, each element with a weight of its own."""
    parts = [(y * Tensor(w)).sum() for y, w in zip(outputs, weights, strict=True) if y.requires_grad]
    return sum(parts[1:], parts[0]) if parts else None


def close(one: Tensor, other: Any, what: str) -> None:
    """Compare to rounding: sums may be taken in another order."""
    assert (one.shape, one.dtype) == (other.shape, other.dtype), f"{what}: {one.shape} {one.dtype}, {other.shape}"
    scale = float(np.abs(other[np.isfinite(other)]).max(initial=1.0))
    relative = 1e-4 if other.dtype == np.float32 else 1e-7
    np.testing.assert_allclose(one.data, other, rtol=relative, atol=relative / 100 * scale, err_msg=what)


RULES = [primitive for primitive in PRIMITIVES if primitive.make_examples is not None]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule(rule: Any) -> None:
    slopes = rule.backward_rule.returns if rule.backward_rule else []
    for inputs in rule.make_examples(np.random.default_rng(0)):
        *arrays, options = inputs if isinstance(inputs[-1], dict) else (*inputs, {})
        args = [Tensor(x, x.dtype.kind == "f" and f"grad_{name}" in slopes) if isinstance(x, np.ndarray) else x
                for name, x in zip(rule.rule.inputs, arrays)]
        call = Call(rule, args, options)
        assert_mapped(call, range(len(call.tensors)))
        for i in range(len(call.tensors)):
            assert_mapped(call, [i], -1)


# What is not mapped, and why.
LEFT_OUT = {
    "broadcast_shapes": "it returns no tensor",
    "empty_like": "there are no numbers in it yet",
    "new_empty": "there are no numbers in it yet",
    "nn.functional.batch_norm.without_cudnn": "all samples are for other processors",
    "nn.functional.linear_cross_entropy.chunked": "its options choose among PyTorch's kernels",
    "nn.functional.linear_cross_entropy.chunked_none": "its options choose among PyTorch's kernels",
    "nn.functional.silu.complex": "there are no complex numbers",
    **dict.fromkeys((
        "arange", "empty", "eye", "full", "linspace", "logspace", "ones", "randint", "randn", "scalar_tensor",
        "tril_indices", "triu_indices", "zeros"), "no tensor goes in"),
}
NUMBERS, AXIS = "stands for many", "Sizes and axes are whole numbers"
# What no Tensor that is mapped over can be handed to, in one place at least, and some of the words that say so.
REFUSED = {
    # a Python number follows from the numbers
    "allclose": NUMBERS, "equal": NUMBERS, "item": NUMBERS, "linspace.tensor_overload": NUMBERS,
    "logspace.tensor_overload": NUMBERS, "narrow": AXIS, "tensor_split": NUMBERS,
    # a size does
    "argwhere": NUMBERS, "nn.functional.ctc_loss": NUMBERS, "nonzero": NUMBERS, "repeat_interleave": NUMBERS,
    "unique": NUMBERS, "unique_consecutive": NUMBERS,
    # numbers are drawn by it, or it is written into
    "bernoulli": NUMBERS, "cauchy": NUMBERS, "exponential": NUMBERS, "geometric": NUMBERS, "log_normal": NUMBERS,
    "multinomial": NUMBERS, "nn.functional.batch_norm": NUMBERS, "nn.functional.instance_norm": NUMBERS,
    "normal": NUMBERS, "normal.in_place": NUMBERS, "normal.number_mean": NUMBERS, "uniform": NUMBERS,
    "zero_": NUMBERS,
}
NAMED = {label(op): op for op in OPS if label(op) not in LEFT_OUT}


@pytest.mark.parametrize("name", NAMED)
def test_every_function(name: str) -> None:
    matrices, refused = name.startswith(("cholesky", "inverse", "linalg.", "logdet", "pinverse")), 0
    for call in calls(name):
        places = range(len(call.tensors))
        for mapped, dim in [(places, 0), *(([i], -1) for i in places)]:
            try:
                assert_mapped(call, mapped, dim, matrices)
            except (TypeError, ValueError) as error:
                if REFUSED.get(name, "no words") not in str(error):
                    raise
                refused += 1
    assert bool(refused) == (name in REFUSED)


def calls(name: str) -> list[Call]:
    """List some samples of a function."""
    op = NAMED[name]
    torch.manual_seed(0)
    dtype = next(d for d in (torch.float64, torch.int64, torch.bool) if d in op.supported_dtypes("cpu"))
    learns = dtype.is_floating_point and op.supports_autograd
    found = []
    for sample in itertools.islice(op.sample_inputs("cpu", dtype, requires_grad=learns), MOST):
        try:
            args, options = converted([sample.input, *sample.args]), converted(sample.kwargs)
        except NotHere:
            continue
        found.append(Call(function_of(op), args, options))
    found = [call for call in found if call.tensors]
    assert found, f"there is no sample of {name}"
    return found

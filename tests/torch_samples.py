"""PyTorch's own tables of functions with sample inputs, read for us: what is called, and with what."""

from __future__ import annotations

import functools
import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

import chalkgrad as cg
from chalkgrad import Tensor

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_methods_invocations import op_db
    from torch.testing._internal.opinfo.core import OpInfo, SampleInput

__all__ = ["OPS", "NotHere", "converted", "function_of", "held", "label", "learning", "samples", "samples_that_fail"]

MOST = 60  # samples of one function: some have hundreds that are much alike
EACH = {torch.float64: 1}  # all of them; in other dtypes every third, since most of what they go through is the same


class NotHere(Exception):
    """A sample needs what this project leaves out: complex numbers, sparse or half-precision ones, devices."""


def label(op: OpInfo) -> str:
    """Name a function as the table does: its name, and which of several ways to call it."""
    return ".".join(part for part in (op.name, op.variant_test_name) if part)


def held(op: OpInfo) -> bool:
    """Tell whether there is a function of that name here."""
    return function_of(op) is not None


def function_of(op: OpInfo) -> Callable[..., Any] | None:
    """Find our function: under the same path, or as a method of Tensor; options that the table fixes stay fixed."""
    found: Any = cg
    for name in op.name.split("."):
        found = getattr(found, name, None)
    if found is None or isinstance(found, type) or not callable(found) or label(op) in METHODS:
        found = getattr(Tensor, METHODS.get(label(op), op.name), None)
    if isinstance(found, property):
        found = found.fget
    if found is None:
        return None
    called = CALLED.get(label(op)) or CALLED.get(op.name)
    if called is not None:
        return functools.partial(called, found)
    fixed = op.op.keywords if isinstance(op.op, functools.partial) else {}
    return functools.partial(found, **fixed) if fixed else found


# Where the table calls a method in place, or one of two things with a name.
METHODS = {
    "cauchy": "cauchy_", "exponential": "exponential_", "geometric": "geometric_", "log_normal": "log_normal_",
    "normal.in_place": "normal_", "uniform": "uniform_",
}
# Where the table hands over its inputs in another order, or changes a copy.
CALLED: dict[str, Callable[..., Any]] = {
    "einsum": lambda f, tensors, equation: f(equation, tensors),
    "fill": lambda f, x, *args, **options: f(x.clone(), *args, **options),
    "linalg.lstsq.grad_oriented": lambda f, a, b, driver: f(a, b, driver=driver)[:2],
    "linalg.pinv.singular": lambda f, a, b: f(a @ b.mT),
    "nn.functional.embedding": lambda f, weight, index, **options: f(index, weight, **options),
    "nn.functional.embedding_bag": lambda f, weight, index, **options: f(index, weight, **options),
    # the distance is PyTorch's own module, and the default
    "nn.functional.triplet_margin_with_distance_loss": lambda f, *args, distance_function, **options: f(
        *args, **options),
    "normal.number_mean": lambda f, std, mean, *args, **options: f(mean, std, *args, **options),
    "polygamma": lambda f, x, n: f(n, x),
    "special.polygamma": lambda f, x, n: f(n, x),
    "resize_": lambda f, x, shape: f(x.clone(), shape),
    "resize_as_": lambda f, x, other: f(x.clone(), other),
    "where": lambda f, x, condition, other: f(condition, x, other),
    "zero_": lambda f, x: f(x.clone()),
} | {label: lambda f, x, *args, **options: f(x.clone(), *args, **options) for label in METHODS}


OPS: list[OpInfo] = [op for op in op_db if held(op)]


def samples(op: OpInfo, dtype: Any) -> Iterator[SampleInput]:
    """Yield the samples of a function, each also with arrays that do not lie in one piece."""
    differentiable = dtype.is_floating_point and op.supports_autograd
    drawn = op.sample_inputs("cpu", dtype, requires_grad=differentiable)
    for sample in itertools.islice(drawn, 0, MOST, EACH.get(dtype, 3)):
        yield sample
        if op.supports_autograd or not dtype.is_floating_point:
            yield sample.noncontiguous()


def samples_that_fail(op: OpInfo) -> Iterator[Any]:
    """Yield what PyTorch refuses; but for `out=`, which is not here, and numbers, which serve as Tensors do."""
    for bad in op.error_inputs("cpu") if op.error_inputs_func is not None else ():
        sample = bad.sample_input
        number = not bad.error_regex or not isinstance(sample.input, torch.Tensor | tuple | list)
        if "out" not in sample.kwargs and not number:
            yield bad


def converted(value: Any, known: dict[int, Tensor] | None = None) -> Any:
    """Make ours of PyTorch's: tensors, dtypes, sizes, and what they are in; what was one tensor is one."""
    known = {} if known is None else known
    if isinstance(value, torch.Tensor):
        return known.setdefault(id(value), tensor(value))
    if isinstance(value, torch.dtype):
        if value not in KNOWN:
            raise NotHere(str(value))
        return KNOWN[value]
    if isinstance(value, complex | torch.memory_format | torch.layout | torch.device | torch.Generator):
        raise NotHere(repr(value))
    if isinstance(value, dict):
        return {key: converted(each, known) for key, each in value.items() if key not in ELSEWHERE}
    if isinstance(value, torch.Size):
        return tuple(value)
    if isinstance(value, tuple | list):
        return type(value)(converted(each, known) for each in value)
    return value


def tensor(value: torch.Tensor) -> Tensor:
    """Make a Tensor that lies in memory as PyTorch's does."""
    if value.is_complex() or value.layout != torch.strided or value.dtype not in KNOWN or (
            value.is_meta or value.ndim > 64 or value._is_zerotensor()):
        raise NotHere(f"{value.dtype} {value.layout} with {value.ndim} axes")
    return Tensor(value.detach().numpy(), requires_grad=value.requires_grad)


# Where a tensor lives and how it lies there are no arguments here.
ELSEWHERE = {"device", "layout", "memory_format", "non_blocking", "out", "pin_memory"}
KNOWN = {getattr(torch, name): np.dtype(name) for name in ("bool", "uint8", "int32", "int64", "float32", "float64")}


def learning(value: Any) -> list[Any]:
    """List the tensors in a value that ask for a gradient, in order."""
    if isinstance(value, Tensor | torch.Tensor):
        return [value] if value.requires_grad else []
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return [tensor for each in value for tensor in learning(each)]
    return []

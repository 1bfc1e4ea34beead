"""Pairs: the same module or number here and in PyTorch, and what it takes to call them the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

import chalkgrad as cg
from chalkgrad import Tensor, nn

from .tables.rows import Array, Named, Row

__all__ = ["BACKWARD", "FORWARD", "agree", "both", "chosen", "leaves", "listed", "modules", "ours", "theirs", "weighed"]

# Relative; float32 gradients pass through more roundings than values. What is near 0 is held to the size of the rest.
FORWARD  = {np.float32: 1e-4, np.float64: 1e-9}
BACKWARD = {np.float32: 1e-3, np.float64: 1e-9}


def cast(array: Any, dtype: Any) -> Any:
    """Bring floats to a dtype; other numbers stay what they are."""
    array = np.asarray(array)
    return array.astype(dtype) if array.dtype.kind == "f" else array


def ours(value: Any, dtype: Any, learns: bool = False) -> Any:
    """Make a Tensor of an array, a function of a name; tuples of them stay tuples."""
    if isinstance(value, tuple) and not isinstance(value, Array | Named):
        return tuple(ours(each, dtype, learns) for each in value)
    if isinstance(value, Named):
        return value.of(cg)
    if isinstance(value, Array | np.ndarray):
        array = cast(value.values if isinstance(value, Array) else value, dtype)
        return cg.tensor(array, requires_grad=learns and array.dtype.kind == "f")
    return value


def theirs(value: Any, dtype: Any, learns: bool = False) -> Any:
    """Do the same for PyTorch."""
    if isinstance(value, tuple) and not isinstance(value, Array | Named):
        return tuple(theirs(each, dtype, learns) for each in value)
    if isinstance(value, Named):
        return value.of(torch)
    if isinstance(value, Array | np.ndarray):
        array = cast(value.values if isinstance(value, Array) else value, dtype)
        return torch.tensor(array, requires_grad=learns and array.dtype.kind == "f")
    return value


def both(values: Any, dtype: Any, learns: bool = False) -> tuple[Any, Any]:
    """Make them for both."""
    return ours(values, dtype, learns), theirs(values, dtype, learns)


def chosen(options: dict[str, Any], dtype: Any = np.float32) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the options of a row, for us and for PyTorch."""
    mine, other = both(tuple(options.values()), dtype)
    return dict(zip(options, mine)), dict(zip(options, other))


def modules(row: Row, dtype: Any = np.float32) -> tuple[nn.Module, Any]:
    """Make a module here and in PyTorch, with the weights that PyTorch drew."""
    torch.manual_seed(0)
    mine, other = chosen(row.options, dtype)
    one = getattr(nn, row.name)(**mine).to(dtype)
    two = getattr(torch.nn, row.name)(**other).to(torch_dtype(dtype))
    if row.name.startswith("Lazy"):  # their weights have no shape yet
        for module, inputs in zip((one, two), both(tuple(row.draw(9)), dtype), strict=True):
            module(*inputs)
    assert one.load_state_dict(two.state_dict()) == ([], [])
    return one, two


def torch_dtype(dtype: Any) -> Any:
    """Name a dtype in PyTorch."""
    return getattr(torch, np.dtype(dtype).name)


def listed(value: Any) -> list[Any]:
    """List the tensors that a call returns, tuples taken apart, None left out."""
    if isinstance(value, tuple | list):
        return [inner for each in value for inner in listed(each)]
    return [] if value is None else [value]


def leaves(values: Any) -> list[Any]:
    """List those that ask for a gradient."""
    return [value for value in listed(values) if isinstance(value, Tensor | torch.Tensor) and value.requires_grad]


def weighed(outputs: list[Any], seed: int = 5) -> Any:
    """Add up what has a gradient, each element with a weight of its own; None if nothing has one."""
    loss: Any = None
    for i, y in enumerate(outputs):
        if y.requires_grad:
            array = np.random.default_rng(seed + i).standard_normal(tuple(y.shape))
            weight = cg.tensor(array.astype(y.dtype)) if isinstance(y, Tensor) else torch.tensor(array).to(y.dtype)
            loss = (y * weight).sum() if loss is None else loss + (y * weight).sum()
    return loss


def agree(one: Any, two: Any, tolerance: dict[Any, float], what: str) -> None:
    """Hold one of our Tensors to PyTorch's: shape, dtype, and numbers, exactly unless they are floats."""
    if one is None or two is None:
        assert (one is None) == (two is None), f"{what}: {one} and {two}"
        return
    two = two.detach()
    assert one.shape == tuple(two.shape), f"{what}: {one.shape} and {tuple(two.shape)}"
    assert f"torch.{one.dtype}" == str(two.dtype), f"{what}: {one.dtype} and {two.dtype}"
    numbers = two.numpy(force=True)
    if numbers.dtype.kind != "f":
        np.testing.assert_array_equal(one.data, numbers, err_msg=what)
        return
    finite = np.abs(numbers[np.isfinite(numbers)])
    relative = tolerance[numbers.dtype.type]
    absolute = relative / 100 * max(1.0, float(finite.max(initial=0)))
    np.testing.assert_allclose(one.data, numbers, rtol=relative, atol=absolute, err_msg=what)


def pairs(one: Any, two: Any) -> Iterator[tuple[str, Any, Any]]:
    """Pair what two modules own, by name."""
    for name, tensor in one.items():
        yield name, tensor, two[name]

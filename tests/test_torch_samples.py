"""Every function that PyTorch's own tables know, on PyTorch's own samples: the same numbers, gradients and refusals."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg

from .pairs import BACKWARD, FORWARD, agree, listed, weighed
from .torch_differences import DIFFERENT, FREE, RANDOM, REFUSED
from .torch_samples import OPS, NotHere, converted, function_of, label, learning, samples, samples_that_fail

pytestmark = pytest.mark.filterwarnings("ignore")  # PyTorch's samples warn a lot, and divide by zero

each_op = pytest.mark.parametrize("op", [pytest.param(op, id=label(op)) for op in OPS])


def said(sample: Any) -> str:
    """Show a sample on one line."""
    shown = [sample.input, *sample.args, *(f"{key}={value}" for key, value in sample.kwargs.items())]
    return ", ".join(str(tuple(each.shape)) if isinstance(each, torch.Tensor) else repr(each) for each in shown)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.int64, torch.bool], ids=str)
@each_op
def test_samples(op: Any, dtype: Any) -> None:
    if dtype not in op.supported_dtypes("cpu"):
        pytest.skip("not for this dtype")
    ours, (skipped, _) = function_of(op), DIFFERENT.get(label(op), (lambda _: False, ""))
    problems, compared, left_out = [], 0, 0
    for sample in samples(op, dtype):
        if skipped(sample):
            left_out += 1
            continue
        try:
            arguments = converted([sample.input, *sample.args]), converted(sample.kwargs)
        except NotHere:
            left_out += 1
            continue
        compared += 1
        try:
            compare(op, sample, ours, arguments)
        except Exception as error:
            problems.append(f"{label(op)}({said(sample)}): {type(error).__name__}: {error}")
    assert not problems, f"{len(problems)} of {compared} samples differ\n" + "\n".join(problems[:5])
    assert compared or left_out, "there was no sample"


def compare(op: Any, sample: Any, ours: Any, arguments: Any) -> None:
    """Call a function in both libraries, and compare what it returns and all gradients."""
    args, options = arguments
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = op.op(sample.input, *sample.args, **sample.kwargs)
        made = ours(*args, **options)
    if not torch.is_tensor(expected) and not isinstance(expected, tuple | list):
        assert made == expected
        return
    seen = sample.output_process_fn_grad if op.name in FREE else lambda outputs: outputs
    ys, zs = listed(seen(made)), listed(seen(expected))
    assert len(ys) == len(zs), f"{len(ys)} results, not {len(zs)}"
    for i, (y, z) in enumerate(zip(ys, zs, strict=True)):
        if not torch.is_tensor(z):
            assert y == z
        elif op.name in RANDOM:
            assert (y.shape, f"torch.{y.dtype}") == (tuple(z.shape), str(z.dtype))
        else:
            agree(y, z, FORWARD, f"result {i}")
    if op.name not in RANDOM and op.supports_autograd:
        compare_gradients(op, sample, args, options, made, expected)


def compare_gradients(op: Any, sample: Any, args: Any, options: Any, made: Any, expected: Any) -> None:
    """Compare the gradients of all inputs; where a result is free in part (a sign), of what the table makes of it."""
    process = sample.output_process_fn_grad
    ys, zs = listed(process(made)), listed(process(expected))
    loss = weighed([y for y in ys if isinstance(y, cg.Tensor)])
    torch_loss = weighed([z for z in zs if torch.is_tensor(z)])
    assert (loss is None) == (torch_loss is None), "one of them has a gradient, the other none"
    if loss is None:
        return
    inputs = learning([sample.input, *sample.args, sample.kwargs])
    ours = learning([*args, options])
    loss.backward()
    for i, (x, g) in enumerate(zip(ours, torch.autograd.grad(torch_loss, inputs, allow_unused=True), strict=True)):
        mine = x.grad
        if mine is None and g is not None:
            mine = cg.tensor(np.zeros(x.shape, x.dtype))  # not used: PyTorch may say zeros
        if g is None and mine is not None:
            g = torch.zeros_like(inputs[i])
        agree(mine, g, BACKWARD, f"the gradient of input {i}")


@each_op
def test_what_pytorch_refuses_is_refused(op: Any) -> None:
    ours, (skipped, _) = function_of(op), REFUSED.get(label(op), (lambda _: False, ""))
    problems = []
    for bad in samples_that_fail(op):
        sample = bad.sample_input
        try:
            args, options = converted([sample.input, *sample.args]), converted(sample.kwargs)
        except NotHere:
            continue
        if skipped(sample):
            continue
        try:
            ours(*args, **options)
        except (ValueError, TypeError, IndexError, RuntimeError) as error:
            if isinstance(error, NotImplementedError) or not str(error):
                problems.append(f"{label(op)}({said(sample)}): {error!r}")
        else:
            problems.append(f"{label(op)}({said(sample)}) was accepted; PyTorch: {bad.error_regex}")
    assert not problems, "\n".join(problems)

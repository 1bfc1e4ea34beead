"""Every module and optimizer that PyTorch's own tables know, on PyTorch's own samples."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim

from .pairs import BACKWARD, FORWARD, agree, leaves, listed, weighed
from .torch_differences import MODULES_DIFFERENT
from .torch_samples import NotHere, converted

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_modules import module_db
    from torch.testing._internal.common_optimizers import optim_db

pytestmark = pytest.mark.filterwarnings("ignore")  # PyTorch's samples warn a lot

MODULES = [info for info in module_db if hasattr(nn, info.name.removeprefix("nn."))]
# PyTorch's Muon orthogonalizes in bfloat16, to two digits; tests/test_optim_parity.py compares what can be.
OPTIMIZERS = [info for info in optim_db if hasattr(optim, info.optim_cls.__name__)
              and info.optim_cls.__name__ != "Muon"]
STEPS = 5


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("info", [pytest.param(info, id=info.name) for info in MODULES])
def test_modules(info: Any, dtype: Any, training: bool) -> None:
    problems, count = [], 0
    skipped, _ = MODULES_DIFFERENT.get(info.name, (lambda _: False, ""))
    for sample in info.module_inputs_func(info, "cpu", dtype, requires_grad=True, training=training):
        count += 1
        if skipped(sample):
            continue
        try:
            compare(info, sample, training, dtype)
        except NotHere:
            count -= 1
        except Exception as error:
            made = sample.constructor_input
            problems.append(f"{info.name}(*{made.args}, **{made.kwargs}): {type(error).__name__}: {error}")
    assert not problems, f"{len(problems)} samples differ\n" + "\n".join(problems[:4])
    assert count, "no sample was compared"


REFUSING = [pytest.param(info, id=info.name) for info in MODULES if info.module_error_inputs_func]


@pytest.mark.parametrize("info", REFUSING)
def test_what_pytorch_refuses_is_refused(info: Any) -> None:
    kind = getattr(nn, info.name.removeprefix("nn."))
    for bad in info.module_error_inputs_func(info, "cpu", torch.float64, requires_grad=True, training=True):
        made, call = bad.module_error_input.constructor_input, bad.module_error_input.forward_input
        options = {key: value for key, value in made.kwargs.items() if key not in {"device", "dtype"}}
        try:
            making, calling = given((made.args, options)), call and converted([call.args, call.kwargs])
        except NotHere:
            continue

        def use(making: Any = making, calling: Any = calling) -> None:
            module = kind(*making[0], **making[1]).double()
            if calling is not None:
                module(*calling[0], **calling[1])

        with pytest.raises((ValueError, TypeError, IndexError, RuntimeError)) as told:
            use()
        assert str(told.value) and not isinstance(told.value, NotImplementedError), bad.error_regex


def compare(info: Any, sample: Any, training: bool, dtype: Any) -> None:
    """Make a module in both libraries, with one state, and compare what a call returns, gradients and buffers."""
    name, made, call = info.name.removeprefix("nn."), sample.constructor_input, sample.forward_input
    theirs = getattr(torch.nn, name)(*made.args, **made.kwargs).to(dtype).train(training)
    options = {key: value for key, value in made.kwargs.items() if key not in {"device", "dtype", "options"}}
    ours = getattr(nn, name)(*given(made.args), **given(options)).to(str(dtype).removeprefix("torch.")).train(training)
    if call is None:
        return
    args, kwargs = converted([list(call.args), call.kwargs])
    if name.startswith("Lazy"):  # their weights have no shape before
        ours(*args, **kwargs)
        theirs(*call.args, **call.kwargs)
    assert ours.load_state_dict(theirs.state_dict()) == ([], [])
    ys, zs = listed(ours(*args, **kwargs)), listed(theirs(*call.args, **call.kwargs))
    for i, (y, z) in enumerate(zip(ys, zs, strict=True)):
        agree(y, z, FORWARD, f"output {i}")
    loss, torch_loss = weighed(ys), weighed(zs)
    assert (loss is None) == (torch_loss is None)
    if loss is not None:
        named, torch_named = dict(ours.named_parameters()), dict(theirs.named_parameters())
        assert list(named) == list(torch_named)
        learning = [*leaves(list(call.args)), *leaves([*call.kwargs.values()]), *torch_named.values()]
        expected = torch.autograd.grad(torch_loss, learning, allow_unused=True)
        loss.backward()
        mine = [*leaves(args), *leaves([*kwargs.values()]), *named.values()]
        for i, (x, g) in enumerate(zip(mine, expected, strict=True)):
            agree(x.grad, g, BACKWARD, f"gradient {i}")
    for (path, b), (_, c) in zip(ours.named_buffers(), theirs.named_buffers(), strict=True):
        agree(b, c, FORWARD, path)


def given(arguments: Any) -> Any:
    """Convert what a module is made with; modules and functions of PyTorch's become ours of the same name."""
    if isinstance(arguments, dict):
        return {key: given(value) for key, value in arguments.items()}
    if isinstance(arguments, tuple):
        return tuple(given(value) for value in arguments)
    if isinstance(arguments, torch.nn.TransformerEncoderLayer):
        return same_layer(arguments)
    if callable(arguments) and hasattr(nn.functional, getattr(arguments, "__name__", "")):
        return getattr(nn.functional, arguments.__name__)
    return converted(arguments)


def same_layer(layer: Any) -> nn.Module:
    """Make the encoder layer that PyTorch has made."""
    attention = layer.self_attn
    return nn.TransformerEncoderLayer(
        attention.embed_dim, attention.num_heads, layer.linear1.out_features, layer.dropout.p,
        getattr(nn.functional, layer.activation.__name__), layer.norm1.eps, attention.batch_first, layer.norm_first,
        layer.linear1.bias is not None,
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("info", [pytest.param(info, id=info.optim_cls.__name__) for info in OPTIMIZERS])
def test_optimizers(info: Any, dtype: Any) -> None:
    name = info.optim_cls.__name__
    problems = []
    for sample in info.optim_inputs_func(device="cpu", dtype=None):
        try:
            compare_steps(name, info, sample.kwargs, dtype)
        except Exception as error:
            problems.append(f"{name}({sample.kwargs}): {type(error).__name__}: {error}")
    assert not problems, "\n".join(problems)


def compare_steps(name: str, info: Any, kwargs: dict[str, Any], dtype: Any) -> None:
    """Take some steps with the same gradients, and compare the parameters after each."""
    rng = np.random.default_rng(0)
    starts = [rng.standard_normal(shape).astype(dtype) for shape in ((3, 4), (4, 3) if name == "Muon" else (5,))]
    ours = [cg.tensor(start, requires_grad=True) for start in starts]
    theirs = [torch.tensor(start, requires_grad=True) for start in starts]
    options = {key: value for key, value in kwargs.items() if key not in {"foreach", "fused", "capturable"}}
    one = getattr(optim, name)(ours, **converted(options))
    two = info.optim_cls(theirs, **options)
    for _ in range(STEPS):
        gradients = [rng.standard_normal(start.shape).astype(dtype) for start in starts]
        for p, q, gradient in zip(ours, theirs, gradients, strict=True):
            p.grad, q.grad = Tensor(gradient), torch.tensor(gradient)
        closures = [lambda: cg.tensor(0.0), lambda: torch.tensor(0.0)] if name == "LBFGS" else [None, None]
        one.step(closures[0])
        two.step(closures[1])
        for i, (p, q) in enumerate(zip(ours, theirs, strict=True)):
            agree(p, q, FORWARD, f"parameter {i}")

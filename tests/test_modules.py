"""Every module class, in tables: PyTorch's arguments, state, text and numbers, copies that compute the same, misuse."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import nn

from .pairs import BACKWARD, FORWARD, agree, chosen, leaves, listed, modules, ours, theirs, weighed
from .tables import BAD, ROWS
from .tables.rows import Bad, Row

# PyTorch says that an even kernel needs a copy of the image, and that attention may be slow with some masks.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Using padding='same'"), pytest.mark.filterwarnings("ignore:.*nested_tensor"),
    pytest.mark.filterwarnings("ignore:LSTM with projections"),
]

CONTAINERS = {"Module", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"}
# Where PyTorch puts things and how it computes are not ours to choose; the others are deprecated since 2017.
NOT_OURS = {"device", "dtype", "args", "kwargs", "size_average", "reduce"}

each_row = pytest.mark.parametrize("row", [pytest.param(row, id=f"{row.id}-{i}") for i, row in enumerate(ROWS)])
each_shared = pytest.mark.parametrize(
    "row", [pytest.param(row, id=f"{row.id}-{i}") for i, row in enumerate(ROWS) if not row.own]
)
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


def text(module: Any) -> str:
    """Return the repr without what one side does not tell: the number of parameters, and an inplace that is False."""
    told = repr(module).replace("NonDynamicallyQuantizableLinear", "Linear")
    return re.sub(r"  # [\d,]+ parameters?|, inplace=False|inplace=False", "", told)


def bits(state: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """List what a state holds, in order, to the last bit."""
    arrays = {key: np.asarray(tensor.data) for key, tensor in state.items()}
    return {key: (array.shape, str(array.dtype), array.tobytes()) for key, array in arrays.items()}


def test_every_module_is_in_a_table() -> None:
    kinds = [kind for name in nn.__all__ if isinstance(kind := getattr(nn, name), type) and issubclass(kind, nn.Module)]
    assert {kind.__name__ for kind in kinds} - CONTAINERS == {row.name for row in ROWS}
    assert {row.name for row in ROWS} - {bad.name for bad in BAD} == set(), "what is refused, and how?"


# ----------------------------------------------------------------------------------------------- the same as PyTorch


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@each_dtype
@each_shared
def test_numbers_are_those_of_pytorch(row: Row, dtype: Any, training: bool) -> None:
    """Two calls in each mode, so that what the first leaves behind counts in the second."""
    one, two = modules(row, dtype)
    if row.drawing and training:
        return  # the random numbers are others
    one.train(training)
    two.train(training)
    (mine, other) = chosen(row.call, dtype)
    for seed in (0, 1):
        drawn = tuple(row.draw(seed))
        inputs, torch_inputs = ours(drawn, dtype, learns=True), theirs(drawn, dtype, learns=True)
        if row.options.get("inplace"):  # a leaf cannot be written over
            inputs, torch_inputs = (tuple(x * 1 for x in given) for given in (inputs, torch_inputs))
        ys, zs = listed(one(*inputs, **mine)), listed(two(*torch_inputs, **other))
        assert len(ys) == len(zs)
        for i, (y, z) in enumerate(zip(ys, zs, strict=True)):
            agree(y, z, FORWARD, f"output {i}")
        differentiated(one, ys, zs, two, inputs, torch_inputs)
    for (name, buffer), (torch_name, torch_buffer) in zip(one.named_buffers(), two.named_buffers(), strict=True):
        assert name == torch_name
        agree(buffer, torch_buffer, FORWARD, name)


def differentiated(one: Any, ys: list[Any], zs: list[Any], two: Any, inputs: Any, torch_inputs: Any) -> None:
    """Compare the gradients of all inputs and parameters."""
    loss, torch_loss = weighed(ys), weighed(zs)
    assert (loss is None) == (torch_loss is None)
    if loss is None:
        return
    named, torch_named = dict(one.named_parameters()), dict(two.named_parameters())
    assert list(named) == list(torch_named)
    loss.backward()
    torch_loss.backward()
    for i, (x, torch_x) in enumerate(zip(leaves(inputs), leaves(torch_inputs), strict=True)):
        if torch_x.is_leaf:
            agree(x.grad, torch_x.grad, BACKWARD, f"the gradient of input {i}")
    for name, parameter in named.items():
        agree(parameter.grad, torch_named[name].grad, BACKWARD, f"the gradient of {name}")
    one.zero_grad()
    two.zero_grad()


# PyTorch's recurrent layers take *args, so that there is nothing to compare with.
STARRED = {"GRU", "LSTM", "RNN"}


@pytest.mark.parametrize("name", sorted({row.name for row in ROWS if not row.own} - STARRED))
def test_arguments_are_those_of_pytorch(name: str) -> None:
    def arguments(kind: type) -> list[tuple[str, Any]]:
        known = inspect.signature(kind).parameters.values()
        return [(p.name, p.default) for p in known if p.name not in NOT_OURS and p.name[0] != "_"]

    mine, other = arguments(getattr(nn, name)), arguments(getattr(torch.nn, name))
    told = [(key, value.__name__ if callable(value) else value) for key, value in mine]
    assert told == [(key, value.__name__ if callable(value) else value) for key, value in other]


@pytest.mark.parametrize("name", sorted({row.name for row in ROWS if not row.own}))
def test_arguments_of_the_call_are_those_of_pytorch(name: str) -> None:
    mine, other = (inspect.signature(getattr(library, name).forward).parameters for library in (nn, torch.nn))
    assert [*mine] == [*other]


@each_shared
def test_state_and_text_are_those_of_pytorch(row: Row) -> None:
    """It comes from PyTorch, and goes back to it."""
    one, two = modules(row)
    mine, other = bits(one.state_dict()), bits({key: t.numpy() for key, t in two.state_dict().items()})
    assert list(mine.items()) == list(other.items())
    assert text(one) == text(two)
    with cg.no_grad():
        for parameter in one.parameters():
            parameter.copy_(np.random.default_rng(3).standard_normal(parameter.shape))
    two.load_state_dict({key: torch.from_numpy(np.copy(tensor.data)) for key, tensor in one.state_dict().items()})
    assert bits({key: tensor.numpy() for key, tensor in two.state_dict().items()}) == bits(one.state_dict())


# ------------------------------------------------------------------------------------------------------------- copies


@each_row
def test_a_copy_computes_the_same(row: Row) -> None:
    module = getattr(nn, row.name)(**chosen(row.options)[0]).eval()
    inputs, call = ours(tuple(row.draw(1)), np.float32), chosen(row.call)[0]
    listed(module(*inputs, **call))  # what is lazy knows its sizes from here on
    outputs = listed(module(*inputs, **call))
    for copied in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        for one, two in zip(outputs, listed(copied(*inputs, **call)), strict=True):
            np.testing.assert_array_equal(one.data, two.data)
        assert repr(copied) == repr(module) and copied.training is False
        pairs = zip(copied.parameters(), module.parameters(), strict=True)
        assert all(p.requires_grad and p is not q for p, q in pairs)


@each_row
def test_modes_and_dtypes(row: Row) -> None:
    module = getattr(nn, row.name)(**chosen(row.options)[0])
    assert module.training and module.eval() is module and not module.training and module.train().training
    with pytest.raises(ValueError, match="True or False"):
        module.train("yes")
    if row.name.startswith("Lazy"):
        return
    assert {t.dtype for t in module.double().state_dict().values()} <= {np.dtype("float64"), np.dtype("int64")}
    assert {t.dtype for t in module.float().parameters()} <= {np.dtype("float32")}
    with pytest.raises(TypeError, match="float16"):
        module.to(np.float16)


# ------------------------------------------------------------------------------------------------------------- misuse


@pytest.mark.parametrize("bad", [pytest.param(bad, id=f"{bad.name}-{i}") for i, bad in enumerate(BAD)])
def test_misuse_is_refused_in_words(bad: Bad) -> None:
    """No words of NumPy's or Python's own: what came, and what was expected."""
    inputs = ours(tuple(Row("", {}, bad.inputs).draw(1)), np.float32)

    def use() -> None:
        module = getattr(nn, bad.name)(**chosen(bad.options)[0])
        assert bad.inputs, "it was made without complaint"
        module(*inputs, **chosen(bad.call)[0])

    with pytest.raises(bad.error, match=bad.words) as told:
        use()
    assert not isinstance(told.value, AssertionError | NotImplementedError)

"""RNN, LSTM and GRU: the same numbers as PyTorch over every option, steps that spell, and misuse in words."""

import copy
import itertools
import pickle
import re
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import nn, optim

STEPS, BATCH, INPUTS, UNITS = 5, 3, 4, 2
KINDS: list[tuple[str, dict[str, Any]]] = [("RNN", {}), ("RNN", {"nonlinearity": "relu"}), ("LSTM", {}), ("GRU", {})]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"bias": False},
    {"num_layers": 3},
    {"bidirectional": True},
    {"batch_first": True},
    {"num_layers": 2, "bidirectional": True, "batch_first": True, "bias": False},
    {"num_layers": 2, "bidirectional": True, "dropout": 1.0},
]
CASES = [(name, {**kind, **options}) for (name, kind), options in itertools.product(KINDS, OPTIONS)]
each_case = pytest.mark.parametrize("name, options", CASES, ids=lambda value: str(value))
each_kind = pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
# relative and absolute; float32 gradients pass through more roundings than values
TOLERANCE = {np.float32: (1e-4, 1e-5), np.float64: (1e-9, 1e-12)}


def twins(name: str, options: dict[str, Any], dtype: Any) -> tuple[Any, Any]:
    """The same module here and in PyTorch, with the weights that PyTorch drew."""
    torch.manual_seed(0)
    theirs = getattr(torch.nn, name)(INPUTS, UNITS, **options).to(getattr(torch, dtype.__name__))
    ours = getattr(nn, name)(INPUTS, UNITS, **options, dtype=dtype)
    assert ours.load_state_dict(theirs.state_dict()) == ([], [])
    return ours, theirs


def inputs(module: Any, batched: bool) -> tuple[Any, list[Any]]:
    """Draw a batch of sequences, or one, and the states before it: one for each of the module's kinds of state."""
    rng = np.random.default_rng(1)
    batch = (BATCH,) if batched else ()
    order = (*batch, STEPS) if module.batch_first else (STEPS, *batch)
    rows = module.num_layers * (1 + module.bidirectional)
    states = [rng.standard_normal((rows, *batch, UNITS)) for _ in ("h", "c")[: 1 + isinstance(module, nn.LSTM)]]
    return rng.standard_normal((*order, INPUTS)), states


def call(module: Any, x: Any, states: list[Any]) -> list[Any]:
    """Call a module of either library, and list y and the last states."""
    given = () if not states else (tuple(states),) if len(states) == 2 else (states[0],)
    y, last = module(x, *given)
    return [y, *(last if isinstance(last, tuple) else (last,))]


def close(ours: Any, theirs: Any, dtype: Any) -> None:
    assert ours.shape == tuple(theirs.shape) and ours.dtype == dtype
    rtol, atol = TOLERANCE[dtype]
    np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=rtol, atol=atol)


# -------------------------------------------------------------------------------------------- the same as PyTorch


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("batched, with_states", [(True, True), (True, False), (False, True), (False, False)])
@each_case
def test_values_and_gradients_are_those_of_pytorch(
    name: str, options: dict[str, Any], batched: bool, with_states: bool, dtype: Any
) -> None:
    ours, theirs = twins(name, options, dtype)
    x, states = inputs(ours, batched)
    arrays = [x.astype(dtype), *[state.astype(dtype) for state in states if with_states]]
    leaves = [cg.tensor(array, requires_grad=True) for array in arrays]
    torch_leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
    outputs, torch_outputs = call(ours, leaves[0], leaves[1:]), call(theirs, torch_leaves[0], torch_leaves[1:])
    rng = np.random.default_rng(2)
    loss, torch_loss = cg.tensor(0.0, dtype=dtype), torch.tensor(0.0)
    for one, other in zip(outputs, torch_outputs, strict=True):
        close(one, other, dtype)
        seed = rng.standard_normal(one.shape).astype(dtype)
        loss, torch_loss = loss + (one * cg.tensor(seed)).sum(), torch_loss + (other * torch.tensor(seed)).sum()
    loss.backward()
    torch_loss.backward()
    for leaf, torch_leaf in zip(leaves, torch_leaves, strict=True):
        close(leaf.grad, torch_leaf.grad, dtype)
    gradients = {key: parameter.grad for key, parameter in theirs.named_parameters()}
    for key, parameter in ours.named_parameters():
        close(parameter.grad, gradients[key], dtype)


@pytest.mark.parametrize("used", [0, 1, 2])
def test_a_loss_of_one_output_alone(used: int) -> None:
    ours, theirs = twins("LSTM", {}, np.float64)
    x, _ = inputs(ours, batched=True)
    call(ours, cg.tensor(x), [])[used].sum().backward()
    call(theirs, torch.tensor(x), [])[used].sum().backward()
    for parameter, torch_parameter in zip(ours.parameters(), theirs.parameters(), strict=True):
        close(parameter.grad, torch_parameter.grad, np.float64)


@each_case
def test_state_and_text_are_those_of_pytorch(name: str, options: dict[str, Any]) -> None:
    ours, theirs = twins(name, options, np.float32)
    shapes = [(key, tuple(value.shape)) for key, value in ours.state_dict().items()]
    assert shapes == [(key, tuple(value.shape)) for key, value in theirs.state_dict().items()]
    assert ours.extra_repr() == theirs.extra_repr()
    theirs.load_state_dict({key: torch.tensor(value.data) for key, value in ours.state_dict().items()})


@each_kind
def test_weights_start_evenly_spread(name: str) -> None:
    cg.manual_seed(0)
    module = getattr(nn, name)(30, 100)
    for parameter in module.parameters():
        assert float(abs(parameter.data).max()) <= 0.1
        assert abs(float(parameter.data.mean())) < 0.02
        assert float(parameter.data.std()) == pytest.approx(0.1 / 3**0.5, rel=0.1)


# ------------------------------------------------------------------------------------------------------- behaviour


@each_kind
def test_dropout_falls_between_layers_in_training_alone(name: str) -> None:
    cg.manual_seed(0)
    x = cg.tensor(np.random.default_rng(0).standard_normal((STEPS, BATCH, INPUTS)))
    module = getattr(nn, name)(INPUTS, 50, num_layers=2, dropout=0.5, dtype=np.float64)
    one, other = module(x)[0].data, module(x)[0].data
    assert not np.array_equal(one, other)
    assert np.all(one != 0), "the output of the last layer is not dropped"
    module.eval()
    assert np.array_equal(module(x)[0].data, module(x)[0].data)


@each_kind
def test_a_sequence_may_be_read_in_parts(name: str) -> None:
    module = getattr(nn, name)(INPUTS, UNITS, num_layers=2, dtype=np.float64)
    x = cg.tensor(np.random.default_rng(0).standard_normal((STEPS, BATCH, INPUTS)))
    whole, end = module(x)
    first, state = module(x[:2])
    second, last = module(x[2:], state)
    np.testing.assert_allclose(cg.cat([first, second]).data, whole.data, rtol=1e-12)
    for one, other in zip(last, end, strict=True):
        np.testing.assert_allclose(one.data, other.data, rtol=1e-12)


@each_kind
@pytest.mark.parametrize("again", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
def test_a_copy_computes_the_same(name: str, again: Any) -> None:
    module = getattr(nn, name)(INPUTS, UNITS, num_layers=2, bidirectional=True)
    x, copied = cg.rand(STEPS, BATCH, INPUTS), again(module)
    assert np.array_equal(module(x)[0].data, copied(x)[0].data)
    assert repr(module) == repr(copied)


# --------------------------------------------------------------------------------------------------------- spelling


class Reader(nn.Module):
    """Embedding, recurrent layers, and a class for the whole sequence."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__()
        self.embedding, self.cells = nn.Embedding(7, INPUTS), getattr(nn, name)(INPUTS, UNITS, **options)
        self.fc = nn.Linear(UNITS * (1 + self.cells.bidirectional), 3)

    def forward(self, x: cg.Tensor) -> cg.Tensor:
        y, _ = self.cells(self.embedding(x))
        return self.fc(y.mean(0))


@pytest.mark.parametrize("name, options", [*KINDS, ("LSTM", {"num_layers": 2, "bidirectional": True})])
def test_a_spelled_step_gives_the_eager_numbers_to_the_last_bit(name: str, options: dict[str, Any]) -> None:
    cg.manual_seed(0)
    model, rng = Reader(name, **options), np.random.default_rng(0)
    optimizer, criterion = optim.Adam(model.parameters(), 0.01), nn.CrossEntropyLoss()

    def step(x: cg.Tensor, target: cg.Tensor) -> cg.Tensor:
        optimizer.zero_grad()
        loss = criterion(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    def batch() -> tuple[Any, Any]:
        return rng.integers(0, 7, (STEPS, BATCH)), rng.integers(0, 3, BATCH)

    program = cg.spell(step, *batch(), model=model, optimizer=optimizer)
    assert re.search(r"for (cells_l0_)?t in range\((cells_l0_)?steps\):", str(program)), "the loop stays a loop"
    params, state = program.start()
    for _ in range(20):
        x, target = batch()
        assert program.run(params, state, x, target) == step(cg.tensor(x), cg.tensor(target)).data
    for path, parameter in model.named_parameters():
        np.testing.assert_array_equal(params[path], parameter.data, strict=True)


# ----------------------------------------------------------------------------------------------------------- misuse

X = np.zeros((STEPS, BATCH, INPUTS), np.float32)
STATE = np.zeros((1, BATCH, UNITS), np.float32)


def made(name: str, **options: Any) -> Any:
    return getattr(nn, name)(INPUTS, UNITS, **options)


MISUSE: dict[str, tuple[Any, type[Exception], str]] = {
    "proj_size": (lambda: made("LSTM", proj_size=2), ValueError, "a whole number below hidden_size=2, or 0 for no"),
    "nonlinearity": (lambda: made("RNN", nonlinearity="gelu"), ValueError, "'tanh' or 'relu', but 'gelu' came"),
    "no layers": (lambda: made("GRU", num_layers=0), ValueError, "num_layers is a whole number from 1, but 0 came"),
    "half a unit": (lambda: nn.GRU(3, 1.5), TypeError, "hidden_size is a whole number, but 1.5 came"),
    "dropout": (lambda: made("GRU", num_layers=2, dropout=1.5), ValueError, "a probability from 0 to 1, but 1.5 came"),
    "bias": (lambda: made("GRU", bias=1), TypeError, "bias is True or False, but 1 came"),
    "array": (lambda: made("RNN")(X), TypeError, "a Tensor or a PackedSequence, but ndarray came"),
    "width": (lambda: made("RNN")(cg.tensor(X[..., :3])), cg.ShapeError, r"(time, batch, 4), or (time, 4) without a b"),
    "axes": (lambda: made("GRU", batch_first=True)(cg.tensor(X[None])), cg.ShapeError, "(batch, time, 4)"),
    "no steps": (lambda: made("LSTM")(cg.tensor(X[:0])), cg.ShapeError, "has no time steps"),
    "state": (lambda: made("GRU")(cg.tensor(X), cg.tensor(STATE[:, :2])), cg.ShapeError,
              "h_0 is (layers · directions, batch, hidden_size), without the batch if the input has none: (1, 3, 2)"),
    "state of a batch": (lambda: made("GRU")(cg.tensor(X[:, 0]), cg.tensor(STATE)), cg.ShapeError,
                         "(1, 2) for an input (5, 4), but (1, 3, 2) came"),
    "second state": (lambda: made("LSTM")(cg.tensor(X), (cg.tensor(STATE), cg.tensor(STATE[0]))), cg.ShapeError,
                     "c_0 is"),
    "one state": (lambda: made("LSTM")(cg.tensor(X), cg.tensor(STATE)), TypeError, "hx is a pair (h_0, c_0)"),
    "two states": (lambda: made("GRU")(cg.tensor(X), (cg.tensor(STATE),) * 2), TypeError, "h_0 is a Tensor, but tuple"),
    "dtype": (lambda: made("RNN")(cg.tensor(X), STATE), TypeError, "h_0 is a Tensor, but ndarray came"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_is_answered_in_words(name: str) -> None:
    action, kind, words = MISUSE[name]
    with pytest.raises(kind) as caught:
        action()
    assert words in str(caught.value)


@each_kind
def test_dropout_in_a_single_layer_is_warned_of(name: str) -> None:
    with pytest.warns(UserWarning, match="dropout=0.5 falls between layers, and there is just one"):
        made(name, dropout=0.5)

"""Packed sequences: the same as PyTorch in every function and layer, programs that take other lengths, misuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.utils import rnn as torch_rnn

import chalkgrad as cg
from chalkgrad import nn, optim
from chalkgrad.nn.utils import rnn

LENGTHS = [(5, 3, 3, 1), (3, 5, 1, 3), (2,), (4, 4)]
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("RNN", {}), ("RNN", {"nonlinearity": "relu"}), ("LSTM", {}), ("LSTM", {"proj_size": 2}), ("GRU", {}),
]
OPTIONS: list[dict[str, Any]] = [
    {}, {"num_layers": 2, "dropout": 1.0}, {"bidirectional": True},
    {"num_layers": 2, "bidirectional": True, "batch_first": True, "bias": False},
]  # fmt: skip
each_lengths = pytest.mark.parametrize("lengths", LENGTHS, ids=str)
# PyTorch says, once, that a projection takes its slower way.
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections")


def drawn(lengths: tuple[int, ...], *sizes: int) -> list[Any]:
    """Draw a sequence for each length."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal((length, *sizes)) for length in lengths]


def both(arrays: list[Any]) -> tuple[list[cg.Tensor], list[torch.Tensor]]:
    """Make leaves of arrays, here and in PyTorch."""
    return ([cg.tensor(array, requires_grad=True) for array in arrays],
            [torch.tensor(array, requires_grad=True) for array in arrays])  # fmt: skip


def listed(value: Any) -> list[Any]:
    """List the tensors in what a call returned."""
    if isinstance(value, tuple | list):
        return [inner for each in value for inner in listed(each)]
    return [] if value is None else [value]


def agree(mine: Any, theirs: Any, ours: list[cg.Tensor], torchs: list[torch.Tensor]) -> None:
    """Compare all outputs, and the gradients of a loss of all of them."""
    losses = []
    for i, (one, other) in enumerate(zip(listed(mine), listed(theirs), strict=True)):
        np.testing.assert_allclose(one.data, other.detach().numpy(), rtol=1e-9, atol=1e-12)
        assert str(one.dtype) in str(other.dtype)
        if other.requires_grad:
            weights = np.random.default_rng(i).standard_normal(one.shape)
            losses.append(((one * cg.tensor(weights)).sum(), (other * torch.tensor(weights)).sum()))
    for loss, torch_loss in losses:
        loss.backward(retain_graph=True)
        torch_loss.backward(retain_graph=True)
    for leaf, torch_leaf in zip(ours, torchs, strict=True):
        np.testing.assert_allclose(leaf.grad.data, torch_leaf.grad.numpy(), rtol=1e-9, atol=1e-12)


# -------------------------------------------------------------------------------------------- the same as PyTorch


@each_lengths
@pytest.mark.parametrize("sizes", [(), (3,), (2, 2)], ids=str)
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("side, value", [("right", 0.0), ("left", -1.5)])
def test_padding(lengths: tuple[int, ...], sizes: tuple[int, ...], batch_first: bool, side: str, value: float) -> None:
    ours, theirs = both(drawn(lengths, *sizes))
    given = batch_first, value, side
    agree(rnn.pad_sequence(ours, *given), torch_rnn.pad_sequence(theirs, *given), ours, theirs)


@each_lengths
@pytest.mark.parametrize("sizes", [(), (3,), (2, 2)], ids=str)
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("as_list", [False, True])
def test_packing_and_back(lengths: tuple[int, ...], sizes: tuple[int, ...], batch_first: bool, as_list: bool) -> None:
    in_order = list(lengths) == sorted(lengths, reverse=True)
    shape = (len(lengths), 6) if batch_first else (6, len(lengths))  # a step more than the longest has
    ours, theirs = both([np.random.default_rng(0).standard_normal((*shape, *sizes))])
    given = [(list(lengths) if as_list else make(lengths)) for make in (cg.tensor, torch.tensor)]
    for enforce_sorted in {False, in_order}:
        mine = rnn.pack_padded_sequence(ours[0], given[0], batch_first, enforce_sorted)
        other = torch_rnn.pack_padded_sequence(theirs[0], given[1], batch_first, enforce_sorted)
        agree(mine, other, ours, theirs)
        for total_length in (None, 6):
            options = {"batch_first": batch_first, "padding_value": -1, "total_length": total_length}
            padded = rnn.pad_packed_sequence(mine, **options), torch_rnn.pad_packed_sequence(other, **options)
            agree(*padded, ours, theirs)


@each_lengths
def test_sequences_come_back(lengths: tuple[int, ...]) -> None:
    ours, theirs = both(drawn(lengths, 3))
    packed, torch_packed = rnn.pack_sequence(ours, False), torch_rnn.pack_sequence(theirs, False)
    agree(rnn.unpack_sequence(packed), torch_rnn.unpack_sequence(torch_packed), ours, theirs)
    padded = rnn.pad_sequence(ours)
    for one, other in zip(rnn.unpad_sequence(padded, cg.tensor(lengths)), ours, strict=True):
        np.testing.assert_array_equal(one.data, other.data)


def test_other_dtypes_and_parts() -> None:
    packed = rnn.pack_sequence([cg.tensor([1, 2]), cg.tensor([3, 4, 5])], enforce_sorted=False)
    assert packed.data.dtype == np.int64 and packed.long() is packed
    assert packed.double().data.dtype == np.float64 and packed.float().data.dtype == np.float32
    assert packed.double().sorted_indices is packed.sorted_indices
    data, sizes, order, back = packed
    again = rnn.PackedSequence((data, sizes), None, order)
    assert again.unsorted_indices.tolist() == back.tolist() == [1, 0]


@pytest.mark.parametrize("name, kind", KINDS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("with_states", [True, False])
@each_lengths
def test_layers(name: str, kind: dict[str, Any], options: dict[str, Any], lengths: tuple[int, ...],
                with_states: bool) -> None:  # fmt: skip
    torch.manual_seed(0)
    theirs = getattr(torch.nn, name)(4, 3, **kind, **options).double()
    ours = getattr(nn, name)(4, 3, **kind, **options, dtype=np.float64)
    ours.load_state_dict(theirs.state_dict())
    rows = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
    widths = [kind.get("proj_size", 3), 3][: 1 + (name == "LSTM")] if with_states else []
    leaves, torch_leaves = both([*drawn(lengths, 4), *drawn((rows,) * len(widths), len(lengths), 3)])
    count = len(lengths)

    def call(module: Any, leaves: list[Any], pack: Any) -> Any:
        states = [leaf[..., :width] for leaf, width in zip(leaves[count:], widths)]
        given = (tuple(states),) if len(states) == 2 else states
        return module(pack(leaves[:count], enforce_sorted=False), *given)

    mine, other = call(ours, leaves, rnn.pack_sequence), call(theirs, torch_leaves, torch_rnn.pack_sequence)
    assert isinstance(mine[0], rnn.PackedSequence)
    agree(mine, other, [*leaves, *ours.parameters()], [*torch_leaves, *theirs.parameters()])


# ------------------------------------------------------------------------------------------------ spelled, compiled


class Reader(nn.Module):
    """Words, read without their padding, and a class for each sequence."""

    def __init__(self, name: str, dropout: float) -> None:
        super().__init__()
        self.words, self.classes = nn.Embedding(7, 4), nn.Linear(6, 3)
        self.cells = getattr(nn, name)(4, 3, num_layers=2, bidirectional=True, dropout=dropout)

    def forward(self, x: cg.Tensor, lengths: cg.Tensor) -> cg.Tensor:
        packed = rnn.pack_padded_sequence(self.words(x), lengths, enforce_sorted=False)
        y, _ = rnn.pad_packed_sequence(self.cells(packed)[0], total_length=len(x))
        return self.classes(y.mean(0))


def batch(rng: np.random.Generator) -> tuple[Any, ...]:
    """Draw sequences of 1 to 5 words, and their classes."""
    return rng.integers(0, 7, (5, 4)), rng.integers(1, 6, 4), rng.integers(0, 3, 4)


def training(name: str, dropout: float) -> tuple[Any, Any, Any]:
    """Make a model, its optimizer, and a step."""
    cg.manual_seed(0)
    model = Reader(name, dropout)
    optimizer, criterion = optim.Adam(model.parameters(), 0.01), nn.CrossEntropyLoss()

    def step(x: cg.Tensor, lengths: cg.Tensor, target: cg.Tensor) -> cg.Tensor:
        optimizer.zero_grad()
        loss = criterion(model(x, lengths), target)
        loss.backward()
        optimizer.step()
        return loss

    return model, optimizer, step


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_spelled_step_takes_other_lengths(name: str, dropout: float) -> None:
    model, optimizer, step = training(name, dropout)
    rng = np.random.default_rng(0)
    program = cg.spell(step, *batch(rng), model=model, optimizer=optimizer)
    params, state = program.start()
    for seed in range(10):
        values = batch(rng)
        cg.manual_seed(seed)
        given = {"rng": np.random.default_rng(seed)} if dropout else {}
        assert program.run(params, state, *values, **given) == step(*map(cg.tensor, values)).data
    with pytest.raises(ValueError, match="a sequence has 1 to 5"):
        program.run(params, state, values[0], values[1] + 5, values[2], **given)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_a_compiled_step_takes_other_lengths(name: str) -> None:
    (_, _, step), (_, _, again) = training(name, 0.0), training(name, 0.0)
    compiled, rng = cg.compile(again), np.random.default_rng(0)
    for _ in range(6):
        values = [cg.tensor(value) for value in batch(rng)]
        np.testing.assert_allclose(float(compiled(*values)), float(step(*values)), rtol=1e-5)


# ----------------------------------------------------------------------------------------------------------- misuse

X = np.zeros((4, 3, 2), np.float32)


def packed(width: int = 4) -> rnn.PackedSequence:
    return rnn.pack_sequence([cg.zeros(3, width), cg.zeros(2, width)])


MISUSE: dict[str, tuple[Any, type[Exception], str]] = {
    "not sorted": (lambda: rnn.pack_padded_sequence(cg.tensor(X), [1, 2, 3]), ValueError, "enforce_sorted=False"),
    "too long": (lambda: rnn.pack_padded_sequence(cg.tensor(X), [5, 2, 1]), ValueError, "a sequence has 1 to 4"),
    "empty": (lambda: rnn.pack_padded_sequence(cg.tensor(X), [2, 1, 0]), ValueError, "a sequence has 1 to 4"),
    "too few": (lambda: rnn.pack_padded_sequence(cg.tensor(X), [2, 1]), cg.ShapeError, "3 in x but 2 in lengths"),
    "too few, unsorted": (lambda: rnn.pack_padded_sequence(cg.tensor(X), [1, 2], enforce_sorted=False),
                          cg.ShapeError, "batch_first=True"),
    "halves": (lambda: rnn.pack_padded_sequence(cg.tensor(X), [2.5, 1, 1]), TypeError, "a list of whole numbers"),
    "one axis": (lambda: rnn.pack_padded_sequence(cg.zeros(3), [2, 1, 1], True), cg.ShapeError, "was expected"),
    "no sequences": (lambda: rnn.pack_sequence([]), ValueError, "there is at least one"),
    "no list": (lambda: rnn.pad_sequence(3), TypeError, "a list of Tensors"),  # type: ignore[arg-type]
    "arrays": (lambda: rnn.pad_sequence([X]), TypeError, "a list of Tensors"),
    "no axis": (lambda: rnn.pad_sequence([cg.tensor(1.0)]), TypeError, "a time axis"),
    "other widths": (lambda: rnn.pad_sequence([cg.zeros(2, 3), cg.zeros(2, 4)]), cg.ShapeError, "(2, 3), (2, 4)"),
    "side": (lambda: rnn.pad_sequence([cg.zeros(2)], padding_side="up"), ValueError, "'right' or 'left', but 'up'"),
    "total": (lambda: rnn.pad_packed_sequence(packed(), total_length=2), ValueError, "has 3 steps, but total_length"),
    "unpad": (lambda: rnn.unpad_sequence(cg.tensor(X), [1, 2]), cg.ShapeError, "3 sequences, but 2 lengths"),
    "order": (lambda: rnn.invert_permutation(cg.zeros(2, 2)), cg.ShapeError, "has one axis"),
    "batch_sizes": (lambda: rnn.PackedSequence(cg.zeros(3)), TypeError, "batch_sizes says how many"),
    "width": (lambda: nn.GRU(5, 3)(packed()), cg.ShapeError, "(steps, 5), but their data is (5, 4)"),
    "state": (lambda: nn.GRU(4, 3)(packed(), cg.zeros(1, 3, 3)), cg.ShapeError, "(1, 2, 3) for an input (3, 2, 4)"),
    "theirs": (lambda: nn.GRU(4, 3)(torch_rnn.pack_sequence([torch.zeros(2, 4)])), TypeError, "PackedSequence came"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_misuse_is_answered_in_words(name: str) -> None:
    action, kind, words = MISUSE[name]
    with pytest.raises(kind) as caught:
        action()
    assert words in str(caught.value)

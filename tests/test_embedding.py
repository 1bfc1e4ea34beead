"""Tables of vectors: bounded norms, tables that are there already, classes as rows, and bags against a loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import nn
from chalkgrad.nn import functional as F

TABLE = np.random.default_rng(0).standard_normal((7, 3))
INDEX = np.array([[1, 4, 1], [6, 0, 4]])
torch_F = torch.nn.functional


@pytest.mark.parametrize("max_norm", [0.1, 1.0, 100.0])
@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.5, float("inf")])
@pytest.mark.parametrize("function", ["embedding", "embedding_bag"])
def test_norms_are_bounded_where_they_are_looked_up(function: str, norm_type: float, max_norm: float) -> None:
    ours, theirs = nn.Parameter(TABLE.copy()), torch.nn.Parameter(torch.tensor(TABLE))
    options: dict[str, Any] = {"max_norm": max_norm, "norm_type": norm_type}
    y = getattr(F, function)(cg.tensor(INDEX), ours, **options)
    torch_y = getattr(torch_F, function)(torch.tensor(INDEX), theirs, **options)
    np.testing.assert_allclose(y.data, torch_y.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=1e-12)
    np.testing.assert_array_equal(ours.data[[2, 3, 5]], TABLE[[2, 3, 5]])
    (y * y).sum().backward()
    (torch_y * torch_y).sum().backward()
    np.testing.assert_allclose(ours.grad.data, theirs.grad.numpy(), rtol=1e-9)


def test_a_bad_index_leaves_the_table_as_it_is() -> None:
    layer = nn.Embedding(7, 3, max_norm=0.1)
    before = layer.weight.data.copy()
    with pytest.raises(IndexError, match="-2"):
        layer(cg.tensor([1, -2]))
    np.testing.assert_array_equal(layer.weight.data, before)


@pytest.mark.parametrize("kind", [nn.Embedding, nn.EmbeddingBag])
@pytest.mark.parametrize("freeze", [True, False])
def test_a_table_that_is_there_already(kind: Any, freeze: bool) -> None:
    table = cg.tensor(TABLE)
    layer = kind.from_pretrained(table, freeze, padding_idx=-1)
    assert np.shares_memory(layer.weight.data, table.data) and layer.weight.requires_grad is not freeze
    assert (layer.num_embeddings, layer.embedding_dim, layer.padding_idx) == (7, 3, 6)
    with pytest.raises(cg.ShapeError, match=r"\(rows, features\), but \(3,\) came"):
        kind.from_pretrained(cg.zeros(3))
    with pytest.raises(ValueError, match=r"the weight is \(2, 3\), but \(7, 3\) came"):
        kind(2, 3, _weight=table)


@pytest.mark.parametrize("index", [INDEX, np.array(3), np.zeros((0, 2), np.int64), INDEX.astype(np.int32)], ids=repr)
@pytest.mark.parametrize("num_classes", [-1, 7, 9])
def test_one_hot(index: Any, num_classes: int) -> None:
    if index.size == 0 and num_classes == -1:
        with pytest.raises(ValueError, match="say num_classes"):
            F.one_hot(cg.tensor(index))
        return
    expected = torch_F.one_hot(torch.tensor(index.astype(np.int64)), num_classes).numpy()
    np.testing.assert_array_equal(F.one_hot(cg.tensor(index), num_classes).data, expected, strict=True)


@pytest.mark.parametrize("values, num_classes, error, words", [
    ([0, 7], 7, ValueError, "classes are 0 to 6, but 0 to 7 came"), ([-1, 2], -1, ValueError, "but -1 to 2 came"),
    ([0.5], -1, TypeError, "whole numbers, but float32 came"),
])  # fmt: skip
def test_what_is_no_class(values: list[Any], num_classes: int, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        F.one_hot(cg.tensor(values), num_classes)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("padding_idx", [None, 2])
def test_bags_of_any_sizes_against_a_loop(mode: str, padding_idx: int | None) -> None:
    rng = np.random.default_rng(3)
    sizes = rng.integers(0, 6, 40)
    index, offsets = rng.integers(0, 7, sizes.sum()), np.cumsum(sizes) - sizes
    y = F.embedding_bag(cg.tensor(index), cg.tensor(TABLE), cg.tensor(offsets), mode=mode, padding_idx=padding_idx)
    for bag, start, size in zip(y.data, offsets, sizes, strict=True):
        rows = TABLE[[i for i in index[start : start + size] if i != padding_idx]]
        expected = getattr(rows, mode)(axis=0) if len(rows) else np.zeros(3)
        np.testing.assert_allclose(bag, expected, atol=1e-12)


def test_gradients_of_common_words_are_divided() -> None:
    """Where words differ in how common they are: PyTorch divides in bags by the count of another word."""
    index, offsets = np.array([1, 1, 2, 1]), np.array([0, 2])
    weight, plain = (cg.tensor(TABLE, requires_grad=True) for _ in range(2))
    F.embedding_bag(cg.tensor(index), weight, cg.tensor(offsets), scale_grad_by_freq=True).sum().backward()
    F.embedding_bag(cg.tensor(index), plain, cg.tensor(offsets)).sum().backward()
    counts = np.bincount(index, minlength=7).clip(1)
    np.testing.assert_allclose(weight.grad.data, plain.grad.data / counts[:, None], rtol=1e-12)


def test_classes_as_rows_are_spelled() -> None:
    layer = nn.Linear(5, 2)
    optimizer = cg.optim.SGD(layer.parameters(), 0.1)

    def step(x: cg.Tensor) -> cg.Tensor:
        optimizer.zero_grad()
        loss = layer(F.one_hot(x, 5).float()).sum()
        loss.backward()
        optimizer.step()
        return loss

    program = cg.spell(step, np.array([1, 2, 4]), model=layer, optimizer=optimizer)
    params, state = program.start()
    for classes in ([0, 0, 3], [4, 1, 2]):
        assert program.run(params, state, np.array(classes)) == step(cg.tensor(classes)).data
    with pytest.raises(ValueError, match="classes are 0 to 4"):
        program.run(params, state, np.array([0, 5, 1]))

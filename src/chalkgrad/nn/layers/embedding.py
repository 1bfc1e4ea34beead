"""Embedding: every word, or any other thing with a number, has a vector of its own, and the vectors are learned.

Words that are used alike end up near each other, so that what is learned about one holds for the others
(Bengio et al. 2003).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .. import init
from ..module import Module, Parameter

__all__ = ["Embedding", "embedding", "in_range", "sum_rows"]


def in_range(index, count, padding_idx):
    """Return the index if it names rows of a table of `count` rows; NumPy would take -1 for the last one."""
    if getattr(index, "dtype", np.dtype(object)).kind not in "iu":
        came = getattr(index, "dtype", type(index).__name__)
        raise TypeError(f"the index is a tensor of whole numbers, but {came} came; x.long() drops the decimals.")
    if padding_idx is not None and not -count <= padding_idx < count:
        raise IndexError(f"padding_idx={padding_idx} is no row of a table of {count} rows.")
    if index.size and not (index.min() >= 0 and index.max() < count):
        wrong = int(index.min()) if index.min() < 0 else int(index.max())
        raise IndexError(f"the index holds {wrong}, but the table has {count} rows, numbered from 0 to {count - 1}.")
    return index


def sum_rows(rows, index, count):
    """Add up the rows that have the same index, in a table of `count` rows: the transpose of table[index].

    Number by number, since np.add.at is five times as fast on numbers as on rows.

    >>> sum_rows(np.array([[1.0, 2.0], [4.0, 4.0], [8.0, 8.0]]), index=np.array([2, 0, 2]), count=3)
    array([[ 4.,  4.],
           [ 0.,  0.],
           [ 9., 10.]])
    """
    width = rows.shape[-1]
    places = index.reshape(-1, 1).astype(np.intp) * width + np.arange(width)
    sums = np.zeros_like(rows, shape=count * width)
    np.add.at(sums, places.reshape(-1), rows.reshape(-1))
    return sums.reshape(count, width)


@primitive
def embedding(index, weight, *, padding_idx=None):
    """Look up rows of a table: y[n] = weight[index[n]].

    index (...), weight (v, i) -> y (..., i)

    index        whole numbers from 0 to v - 1
    padding_idx  the number of a row that is not learned: it gets no gradient; from the end if negative

    Raises IndexError for a number that has no row, TypeError if the index holds other than whole numbers.

    Source: Bengio et al. 2003, section 2, the matrix C.

    >>> from chalkgrad import tensor
    >>> embedding(tensor([2, 0, 2]), tensor([[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]]))
    tensor([[2. , 2.5],
            [0. , 0.5],
            [2. , 2.5]])
    """
    count = weight.shape[0]
    y     = weight[in_range(index, count, padding_idx)]
    return y


@embedding.backward
def embedding_backward(grad_y, index, count, padding_idx):
    """
    1. y_n is the row w_t with t = index[n], so it hands its gradient on to that row unchanged
    2. ∂loss/∂w_t = Σ over all n with index[n] = t of g_n: a word that comes twice moves the loss twice
    3. the row of the padding is not learned, so what it is told is not heard
    """
    heard = grad_y
    if padding_idx is not None:
        heard = grad_y * np.expand_dims(index != padding_idx % count, -1)
    grad_weight = sum_rows(heard, index, count)
    return grad_weight


@embedding.examples
def embedding_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """A row that is taken twice; sentences that need no padding, though there is a row for it; a single number."""
    table = rng.standard_normal((5, 3))
    return [
        (np.array([4, 0, 4]), table),
        (np.array([[1, 2, 4], [3, 1, 1]]), table, {"padding_idx": 0}),
        (np.array(2), table),
    ]


class Embedding(Module):
    """A table of vectors, `weight` (num_embeddings, embedding_dim), that starts with numbers drawn from N(0, 1).

    The row padding_idx starts with zeros and is not learned. The arguments are PyTorch's; max_norm, norm_type,
    scale_grad_by_freq and sparse are not in this release, and raise ValueError.

    >>> import chalkgrad as cg
    >>> Embedding(10, 3)(cg.tensor([[1, 2, 1, 4], [4, 3, 2, 9]])).shape
    (2, 4, 3)
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, max_norm: float | None = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False, dtype: Any = np.float32,
    ) -> None:
        super().__init__()
        wanted = {"max_norm": max_norm is not None, "scale_grad_by_freq": scale_grad_by_freq, "sparse": sparse,
                  "norm_type": norm_type != 2.0}  # fmt: skip
        if any(wanted.values()):
            names = ", ".join(name for name, is_wanted in wanted.items() if is_wanted)
            raise ValueError(f"Embedding: {names} is not in this release; leave it out.")
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(f"Embedding: padding_idx={padding_idx} is no row of a table of {num_embeddings} rows.")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = Parameter(np.empty((num_embeddings, embedding_dim), dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new vectors."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    def forward(self, index: Tensor) -> Tensor:
        """index (...) -> y (..., embedding_dim)."""
        y: Tensor = embedding(index, self.weight, padding_idx=self.padding_idx)
        return y

    def extra_repr(self) -> str:
        """Say the sizes, as PyTorch does."""
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        return text if self.padding_idx is None else f"{text}, padding_idx={self.padding_idx}"

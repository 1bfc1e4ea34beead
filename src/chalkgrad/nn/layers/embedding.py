"""Embedding: every word, or any other thing with a number, has a vector of its own, and the vectors are learned.

Words that are used alike end up near each other, so that what is learned about one holds for the others
(Bengio et al. 2003).
"""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np

from ...engine.primitive import primitive
from ...engine.tape import no_grad
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ...ops.choice import where
from .. import init
from ..module import Module, Parameter

__all__ = [
    "Embedding", "Table", "bound_norms", "embedding", "in_range", "look_up", "norm_of", "often", "refuse_sparse",
    "rows_and_columns", "sum_rows",
]


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


def often(index, count):
    """Tell for each place of the index how often its number is there in all.

    >>> often(np.array([2, 0, 2]), count=3)
    array([2, 1, 2])
    """
    return np.bincount(index.reshape(-1), minlength=count)[index]


@primitive
def look_up(index, weight, *, padding_idx=None, scale_grad_by_freq=False):
    """Look up rows of a table: y[n] = weight[index[n]].

    index (...), weight (v, i) -> y (..., i)

    index               whole numbers from 0 to v - 1
    padding_idx         the number of a row that is not learned: it gets no gradient; from the end if negative
    scale_grad_by_freq  divide the gradient of a row by how often it was looked up

    Raises IndexError for a number that has no row, TypeError if the index holds other than whole numbers.

    Source: Bengio et al. 2003, section 2, the matrix C.

    >>> from chalkgrad import tensor
    >>> look_up(tensor([2, 0, 2]), tensor([[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]]))
    tensor([[2. , 2.5],
            [0. , 0.5],
            [2. , 2.5]])
    """
    count = weight.shape[0]
    y     = weight[in_range(index, count, padding_idx)]
    return y


@look_up.backward
def look_up_backward(grad_y, index, count, padding_idx, scale_grad_by_freq):
    """
    1. y_n is the row w_t with t = index[n], so it hands its gradient on to that row unchanged
    2. ∂loss/∂w_t = Σ over all n with index[n] = t of g_n: a word that comes twice moves the loss twice
    3. the row of the padding is not learned, so what it is told is not heard
    4. with scale_grad_by_freq the sum becomes a mean, which is no derivative: common words learn as slowly as rare ones
    """
    heard = grad_y
    if padding_idx is not None:
        heard = grad_y * np.expand_dims(index != padding_idx % count, -1)
    if scale_grad_by_freq:
        heard = heard / np.expand_dims(often(index, count), -1).astype(grad_y.dtype)
    grad_weight = sum_rows(heard, index, count)
    return grad_weight


@look_up.examples
def look_up_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """A row that is taken twice; sentences that need no padding, though there is a row for it; a single number."""
    table = rng.standard_normal((5, 3))
    return [
        (np.array([4, 0, 4]), table),
        (np.array([[1, 2, 4], [3, 1, 1]]), table, {"padding_idx": 0}),
        (np.array(2), table),
    ]


def bound_norms(index: Tensor, weight: Tensor, max_norm: float | None, norm_type: float) -> None:
    """Shrink the rows that are about to be looked up, in place, where their norm is above max_norm."""
    if max_norm is None:
        return
    if norm_type <= 0:
        raise ValueError(f"The norm_type is above 0, but {norm_type} came.")
    with no_grad():
        rows: Tensor = look_up(index, weight)
        norms = norm_of(rows, norm_type)
        weight[index] = where(norms > max_norm, rows * (max_norm / (norms + 1e-7)), rows)


def norm_of(rows: Tensor, norm_type: float) -> Tensor:
    """Take the p-norm of every row, (..., i) -> (..., 1): (Σ |x|ᵖ)^(1/p), or the largest |x| if p is infinite."""
    sizes: Any = abs(rows)
    if math.isinf(norm_type):
        largest: Tensor = sizes.amax(-1, keepdim=True)
        return largest
    total: Tensor = (sizes**norm_type).sum(-1, keepdim=True)
    return total ** (1 / norm_type)


def embedding(
    input: Tensor, weight: Tensor, padding_idx: int | None = None, max_norm: float | None = None,
    norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Tensor:
    """Look up rows of a table: y[n] = weight[input[n]].

    input               (...): whole numbers from 0 to v - 1
    weight              (v, i)
    padding_idx         the number of a row that is not learned: it gets no gradient; from the end if negative
    max_norm            shrink the rows that are looked up to this norm first, in place, where theirs is larger
    norm_type           the p of that norm
    scale_grad_by_freq  divide the gradient of a row by how often it was looked up

    The result is (..., i). Raises IndexError for a number that has no row, TypeError if input holds other than whole
    numbers, ValueError for sparse=True: a gradient is a whole table here.

    >>> from chalkgrad import tensor
    >>> embedding(tensor([1]), tensor([[0.0, 0.5], [3.0, 4.0]]), max_norm=1.0)
    tensor([[0.6, 0.8]])
    """
    refuse_sparse(sparse)
    rows_and_columns(weight)
    bound_norms(input, weight, max_norm, norm_type)
    y: Tensor = look_up(input, weight, padding_idx=padding_idx, scale_grad_by_freq=scale_grad_by_freq)
    return y


def refuse_sparse(sparse: bool) -> None:
    """Raise ValueError for what is not here."""
    if sparse:
        raise ValueError("sparse=True: there are no sparse gradients here; leave it out, and the gradient is a table "
                         "as large as the weight.")


class Table(Module):
    """What Embedding and EmbeddingBag share: `weight` (num_embeddings, embedding_dim), drawn from N(0, 1) or given.

    The row padding_idx starts with zeros. Raises ValueError for a padding_idx that is no row, for a weight of another
    shape, and for sparse=True.
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None, max_norm: float | None,
        norm_type: float, scale_grad_by_freq: bool, sparse: bool, weight: Any, learned: bool, dtype: Any,
    ) -> None:
        super().__init__()
        kind = type(self).__name__
        refuse_sparse(sparse)
        if num_embeddings < 0 or embedding_dim < 0:
            raise ValueError(f"{kind}: a table has 0 or more rows and features, but {num_embeddings} and "
                             f"{embedding_dim} came.")
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(f"{kind}: padding_idx={padding_idx} is no row of a table of {num_embeddings} rows.")
        if weight is not None and tuple(weight.shape) != (num_embeddings, embedding_dim):
            raise ValueError(f"{kind}: the weight is ({num_embeddings}, {embedding_dim}), but {weight.shape} came.")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.max_norm, self.norm_type, self.scale_grad_by_freq = max_norm, norm_type, scale_grad_by_freq
        self.weight = Parameter(np.empty((num_embeddings, embedding_dim), dtype) if weight is None else weight, learned)
        if weight is None:
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new vectors."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    def _options(self, *names: str) -> str:
        """Say the sizes, and, of the options named, those that are not the usual ones."""
        usual = {"padding_idx": None, "max_norm": None, "norm_type": 2.0, "scale_grad_by_freq": False, "mode": None}
        others = [f"{name}={getattr(self, name)!r}" for name in names if getattr(self, name) != usual[name]]
        return ", ".join([str(self.num_embeddings), str(self.embedding_dim), *others])


def rows_and_columns(table: Any) -> tuple[int, int]:
    """Return the shape of a table; ShapeError for what is none."""
    if table.ndim != 2:
        raise ShapeError(f"a table of vectors has two axes, (rows, features), but {table.shape} came.")
    rows, columns = table.shape
    return rows, columns


class Embedding(Table):
    """A table of vectors, `weight` (num_embeddings, embedding_dim), that starts with numbers drawn from N(0, 1).

    The row padding_idx starts with zeros and is not learned. The other arguments are explained at `embedding`.

    Raises ValueError for a padding_idx that is no row, and for sparse=True.

    >>> import chalkgrad as cg
    >>> Embedding(10, 3)(cg.tensor([[1, 2, 1, 4], [4, 3, 2, 9]])).shape
    (2, 4, 3)
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, max_norm: float | None = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False, _weight: Any = None,
        _freeze: bool = False, dtype: Any = np.float32,
    ) -> None:
        super().__init__(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse,
                         _weight, not _freeze, dtype)  # fmt: skip

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None, max_norm: float | None = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False,
    ) -> Self:
        """Make one of vectors that are there already, (rows, features), in their memory; frozen ones are not learned.

        Raises ShapeError unless they are a table.

        >>> import chalkgrad as cg
        >>> Embedding.from_pretrained(cg.tensor([[1.0, 2.0], [3.0, 4.0]]))(cg.tensor([1]))
        tensor([[3., 4.]])
        """
        return cls(*rows_and_columns(embeddings), padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse,
                   embeddings, freeze)  # fmt: skip

    def forward(self, input: Tensor) -> Tensor:
        """input (...) -> y (..., embedding_dim)."""
        return embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq)

    def extra_repr(self) -> str:
        """Say the sizes, and the options that are not the usual ones, as PyTorch does."""
        return self._options("padding_idx", "max_norm", "norm_type", "scale_grad_by_freq")

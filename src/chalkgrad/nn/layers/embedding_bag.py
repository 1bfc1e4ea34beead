"""EmbeddingBag: what a bag of words says, as the sum, the mean or the largest of the words' vectors.

Where the order of words matters little, their vectors can be put together at once: a text becomes one vector, without
a network that reads it (Joulin et al. 2017, "fastText"). Bags differ in size, so they stand one after the other in one
long index, and `offsets` says where each begins.
"""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ...ops.compare import flat
from ...ops.constant import arange
from .embedding import Table, bound_norms, in_range, often, refuse_sparse, rows_and_columns, sum_rows

__all__ = ["EmbeddingBag", "add_bags", "bag_of_each", "embedding_bag", "kept_of", "largest_of_bags"]


def bag_of_each(offsets, size, include_last_offset):
    """Tell of each of `size` places in which bag it is.

    >>> bag_of_each(np.array([0, 2, 2]), size=4, include_last_offset=False)
    array([0, 0, 2, 2])
    """
    if offsets.dtype.kind not in "iu" or offsets.ndim != 1:
        raise TypeError(f"offsets is a list of whole numbers, but {offsets.shape} {offsets.dtype} came.")
    if len(offsets) and (offsets[0] != 0 or offsets[-1] > size or (offsets[1:] < offsets[:-1]).any()):
        raise ValueError(f"offsets begins with 0, never falls, and ends at {size} or before, where the index ends, but "
                         f"it is {offsets.tolist()}.")
    if include_last_offset and (len(offsets) == 0 or offsets[-1] != size):
        raise ValueError(f"with include_last_offset, offsets ends with {size}, where the index ends, but it is "
                         f"{offsets.tolist()}.")
    return np.searchsorted(offsets, np.arange(size), side="right") - 1


def kept_of(index, count, padding_idx):
    """Tell which places of the index are no padding."""
    return np.ones(index.shape, bool) if padding_idx is None else index != padding_idx % count


@primitive
def add_bags(
    index, weight, offsets, per_sample_weights=None, *, mean=False, scale_grad_by_freq=False, include_last_offset=False,
    padding_idx=None,
):
    """Look up rows of a table, and add up those of each bag, or take their mean: y[b] = Σ over n in b of w[index[n]].

    index (m), weight (v, i), offsets (k), per_sample_weights (m) -> y (b, i)

    index                whole numbers from 0 to v - 1
    offsets              where each bag begins in the index; an empty bag is zeros
    per_sample_weights   a factor for each row that is looked up
    mean                 divide by the size of the bag
    scale_grad_by_freq   divide the gradient of a row by how often it was looked up
    include_last_offset  offsets also has the end of the last bag, so that there is one bag less
    padding_idx          the number of a row that is in no bag, wherever it stands; from the end if negative

    Raises IndexError for a number that has no row, TypeError and ValueError for offsets that cannot be.

    Source: Joulin et al. 2017, section 2.

    >>> from chalkgrad import tensor
    >>> add_bags(tensor([1, 0, 1]), tensor([[1.0, 2.0], [10.0, 20.0]]), tensor([0, 2]))
    tensor([[11., 22.],
            [10., 20.]])
    """
    count = weight.shape[0]
    bags = len(offsets) - include_last_offset
    kept = kept_of(in_range(index, count, padding_idx), count, padding_idx)
    bag = bag_of_each(offsets, len(index), include_last_offset)
    rows = weight[index]
    share = kept[:, None].astype(weight.dtype)
    if mean:
        share = share / np.maximum(np.bincount(bag[kept], minlength=bags), 1)[bag, None].astype(weight.dtype)
    if per_sample_weights is not None:
        share = share * per_sample_weights[:, None]
    y = sum_rows(rows * share, bag, bags)
    return y


@add_bags.backward
def add_bags_backward(grad_y, index, rows, kept, bag, share, count, scale_grad_by_freq):
    """
    1. y_b = Σ over n in b of s_n w_t with t = index[n]; s_n is 1, or for a mean 1 / (the size of b), times the factor
       of n, and 0 for the padding
    2. ∂loss/∂w_t = Σ over all n with index[n] = t of s_n g_b, where b is the bag of n
    3. a factor p_n stands in s_n with no mean: ∂loss/∂p_n = Σ_i g_bi w_ti, and 0 for the padding
    4. with scale_grad_by_freq the sum over n becomes a mean, which is no derivative
    """
    heard = grad_y[bag]
    told = heard * share
    if scale_grad_by_freq:
        told = told / often(index, count)[:, None].astype(grad_y.dtype)
    grad_weight = sum_rows(told, index, count)
    grad_per_sample_weights = (heard * rows).sum(axis=1) * kept
    return grad_weight, grad_per_sample_weights


@add_bags.examples
def add_bags_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Three bags, one of them empty; with factors and padding; means, with the last end told."""
    table, index = rng.standard_normal((5, 3)), np.array([4, 0, 4, 1])
    return [
        (index, table, np.array([0, 3, 3])),
        (index, table, np.array([0, 1]), rng.standard_normal(4), {"padding_idx": 0}),
        (index, table, np.array([0, 1, 4]), None,
         {"mean": True, "include_last_offset": True, "padding_idx": -1}),
    ]


@primitive
def largest_of_bags(index, weight, offsets, *, include_last_offset=False, padding_idx=None):
    """Look up rows of a table, and take the largest number of each bag, feature by feature.

    index (m), weight (v, i), offsets (k) -> y (b, i)

    The arguments are those of `add_bags`; an empty bag is zeros.

    >>> from chalkgrad import tensor
    >>> largest_of_bags(tensor([1, 0, 1]), tensor([[1.0, 25.0], [10.0, 20.0]]), tensor([0, 2]))
    tensor([[10., 25.],
            [10., 20.]])
    """
    count = weight.shape[0]
    bags = len(offsets) - include_last_offset
    kept = kept_of(in_range(index, count, padding_idx), count, padding_idx)
    bag = bag_of_each(offsets, len(index), include_last_offset)[kept]
    # The bags side by side, each filled up by -∞: line b has its rows.
    sizes = np.bincount(bag, minlength=bags)
    place = np.arange(len(bag)) - (np.cumsum(sizes) - sizes)[bag]
    number = np.full((bags, sizes.max(initial=0) + 1), -1)  # at least one place, so that there is a largest
    number[bag, place] = index[kept]
    within = number[:, :, None] >= 0
    rows = np.where(within, weight[number], np.zeros_like(weight, shape=()) - math.inf)
    which = np.argmax(rows, axis=1, keepdims=True)
    y = np.where(within[:, 0], np.take_along_axis(rows, which, axis=1)[:, 0], np.zeros_like(weight, shape=()))
    return y


@largest_of_bags.backward
def largest_of_bags_backward(grad_y, weight, number, within, which):
    """The largest hands its gradient on to the row it came from; the others had no say. A tie goes to the first."""
    count, width = weight.shape
    row = np.take_along_axis(number, which[:, 0], axis=1)
    places = (row * width + np.arange(width)).reshape(-1, 1)
    told = (grad_y * within[:, 0]).reshape(-1, 1)
    grad_weight = sum_rows(told, places % (count * width), count * width).reshape(count, width)
    return grad_weight


@largest_of_bags.examples
def largest_of_bags_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Three bags, one of them empty; with padding, which leaves a bag empty, and the last end told."""
    table, index = rng.standard_normal((5, 3)), np.array([4, 0, 3, 1])
    return [
        (index, table, np.array([0, 3, 3])),
        (index, table, np.array([0, 1, 4]), {"include_last_offset": True, "padding_idx": -1}),
    ]


def embedding_bag(
    input: Tensor, weight: Tensor, offsets: Tensor | None = None, max_norm: float | None = None, norm_type: float = 2,
    scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
    per_sample_weights: Tensor | None = None, include_last_offset: bool = False, padding_idx: int | None = None,
) -> Tensor:
    """Put the rows of each bag together: as their sum, their mean, or the largest of each feature.

    input                (m), bags one after the other, or (b, n), bags of equal size: whole numbers from 0 to v - 1
    weight               (v, i)
    offsets              (b), where each bag begins in an input (m); an empty bag is zeros
    max_norm             shrink the rows that are looked up to this norm first, in place, where theirs is larger
    norm_type            the p of that norm
    scale_grad_by_freq   divide the gradient of a row by how often it was looked up
    mode                 "sum", "mean" or "max"
    per_sample_weights   shaped like input: a factor for each row that is looked up, with mode "sum"
    include_last_offset  offsets (b + 1) also has the end of the last bag
    padding_idx          the number of a row that is in no bag, wherever it stands; from the end if negative

    The result is (b, i). Raises IndexError for a number that has no row, ShapeError for other shapes, TypeError unless
    input and offsets hold whole numbers, ValueError for offsets that cannot be and options that do not go together.

    >>> from chalkgrad import tensor
    >>> embedding_bag(tensor([[1, 0], [1, 1]]), tensor([[1.0, 2.0], [10.0, 20.0]]))
    tensor([[ 5.5, 11. ],
            [10. , 20. ]])
    """
    refuse_sparse(sparse)
    _check(input, weight, offsets, per_sample_weights, mode, scale_grad_by_freq)
    if offsets is None:
        offsets, include_last_offset = arange(len(input)) * input.shape[1], False
        input = input.reshape(-1)
        per_sample_weights = None if per_sample_weights is None else per_sample_weights.reshape(-1)
    options = {"include_last_offset": include_last_offset, "padding_idx": padding_idx}
    if max_norm is not None:
        flat(bag_of_each)(offsets, len(input), include_last_offset)  # it refuses before the weight is changed
        bound_norms(input, weight, max_norm, norm_type)
    y: Tensor
    if mode == "max":
        y = largest_of_bags(input, weight, offsets, **options)
    else:
        y = add_bags(input, weight, offsets, per_sample_weights, mean=mode == "mean",
                     scale_grad_by_freq=scale_grad_by_freq, **options)  # fmt: skip
    return y


def _check(
    input: Tensor, weight: Tensor, offsets: Tensor | None, factors: Tensor | None, mode: str, scale_grad_by_freq: bool
) -> None:
    """Raise, in words, for what does not go together."""
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"embedding_bag: mode is 'sum', 'mean' or 'max', but {mode!r} came.")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("embedding_bag: scale_grad_by_freq goes with mode 'sum' or 'mean'; the largest is one row's.")
    if input.ndim not in (1, 2) or (offsets is None) == (input.ndim == 1):
        came = "none came" if offsets is None else f"offsets {offsets.shape} came"
        raise ShapeError("embedding_bag: the input is (m) with offsets, or (b, n) without, but it is "
                         f"{input.shape}, and {came}.")
    rows_and_columns(weight)
    if factors is not None and factors.shape != input.shape:
        raise ShapeError(f"embedding_bag: per_sample_weights is shaped like the input, {input.shape}, but "
                         f"{factors.shape} came.")
    if factors is not None and mode != "sum":
        raise ValueError(f"embedding_bag: per_sample_weights go with mode 'sum', but mode is {mode!r}.")


class EmbeddingBag(Table):
    """A table of vectors, `weight` (num_embeddings, embedding_dim), of which a bag gets the sum, mean or largest.

    The weight starts with numbers drawn from N(0, 1), and zeros for padding_idx. The other arguments are explained at
    `embedding_bag`.

    Raises ValueError for a padding_idx that is no row, other modes, and sparse=True.

    >>> import chalkgrad as cg
    >>> EmbeddingBag(10, 3, mode="sum")(cg.tensor([1, 2, 4, 5, 4]), cg.tensor([0, 4])).shape
    (2, 3)
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, max_norm: float | None = None, norm_type: float = 2.0,
        scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False, _weight: Any = None,
        include_last_offset: bool = False, padding_idx: int | None = None, dtype: Any = np.float32,
    ) -> None:
        if mode not in ("sum", "mean", "max"):
            raise ValueError(f"EmbeddingBag: mode is 'sum', 'mean' or 'max', but {mode!r} came.")
        super().__init__(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse,
                         _weight, True, dtype)  # fmt: skip
        self.mode, self.include_last_offset = mode, include_last_offset

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, max_norm: float | None = None, norm_type: float = 2.0,
        scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False, include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> Self:
        """Make one of vectors that are there already, (rows, features), in their memory; frozen ones are not learned.

        Raises ShapeError unless they are a table.

        >>> import chalkgrad as cg
        >>> EmbeddingBag.from_pretrained(cg.tensor([[1.0, 2.0], [3.0, 4.0]]))(cg.tensor([[0, 1]]))
        tensor([[2., 3.]])
        """
        bag = cls(*rows_and_columns(embeddings), max_norm, norm_type, scale_grad_by_freq, mode, sparse, embeddings,
                  include_last_offset, padding_idx)  # fmt: skip
        bag.weight.requires_grad_(not freeze)
        return bag

    def forward(
        self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None
    ) -> Tensor:
        """input (m) with offsets (b), or (b, n), per_sample_weights shaped like input -> y (b, embedding_dim)."""
        return embedding_bag(
            input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.mode, False,
            per_sample_weights, self.include_last_offset, self.padding_idx)

    def extra_repr(self) -> str:
        """Say the sizes, and the options that are not the usual ones, as PyTorch does."""
        return self._options("max_norm", "norm_type", "scale_grad_by_freq", "mode", "padding_idx")

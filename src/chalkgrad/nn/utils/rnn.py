"""Sequences of different lengths in one batch: padded to the longest, or packed, without the padding.

Sequences that stand side by side must be equally long, so the short ones are padded; the padding is no part of them,
and must not be read. Packed, there is none. All first steps stand behind each other, then all second steps, and so on,
and `batch_sizes` says how many sequences have such a step. Since the longest sequence comes first, those that go on are
always the first ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ...ops.constant import tensor
from ...ops.shape import concatenate, swapaxes

__all__ = [
    "PackedSequence", "checked", "invert_permutation", "lay_out", "pack", "pack_padded_sequence", "pack_sequence",
    "pad_packed_sequence", "pad_sequence", "places", "turned", "unpack_sequence", "unpad_sequence",
]


def places(counts, width, side="right"):
    """Name the places of a table that are taken, line by line: the first `count` of each line, or the last.

    >>> places(np.array([2, 1]), 2)
    (array([0, 0, 1]), array([0, 1, 0]))
    """
    column = np.arange(width)
    if side == "left":
        column = width - 1 - column
    return np.nonzero(column < counts.reshape(-1, 1))


def checked(lengths, x):
    """Return the lengths, if they are those of sequences side by side in x (t, b, ...), longest first."""
    if lengths.shape != x.shape[1:2]:
        raise ValueError(f"{x.shape} does not hold a sequence for each of {len(lengths)} lengths.")
    if lengths.size == 0 or lengths.min() < 1 or lengths.max() > x.shape[0]:
        raise ValueError(f"the input has {x.shape[0]} steps, so a sequence has 1 to {x.shape[0]}, but lengths is "
                         f"{lengths.tolist()}.")
    if (lengths[1:] > lengths[:-1]).any():
        raise ValueError(f"the longest sequence comes first, but lengths is {lengths.tolist()}; with "
                         "enforce_sorted=False they are sorted.")
    return lengths


def turned(counts, width):
    """Turn a table round: from how many places are taken in each line to how many in each of `width` columns.

    So lengths become batch sizes, and batch sizes lengths.

    >>> turned(np.array([3, 1]), 3), turned(np.array([2, 1, 1]), 2)
    (array([2, 1, 1]), array([3, 1]))
    """
    return (np.arange(width).reshape(-1, 1) < counts).sum(axis=1)


@primitive
def pack(x, lengths):
    """Take the steps that belong to a sequence, all first ones, then all second ones, and so on.

    x (t, b, ...), lengths (b) -> data (m, ...), batch_sizes (s)

    lengths  the steps of each sequence, the longest first; m is their sum, and s the first of them

    Try: a length for each sequence; if the input is (batch, time, ...), batch_first=True.

    Source: PyTorch's layout.

    >>> from chalkgrad import tensor
    >>> pack(tensor([[1, 4], [2, 0], [3, 0]]), tensor([3, 1]))
    (tensor([1, 4, 2, 3]), tensor([2, 1, 1]))
    """
    shape = x.shape
    batch_sizes = turned(checked(lengths, x), shape[0])[:lengths[0]]
    step, sequence = places(batch_sizes, shape[1])
    data = x[step, sequence]
    return data, batch_sizes


@pack.backward
def pack_backward(grad_data, shape, step, sequence):
    """What was taken hands its gradient back to where it was; the padding had no say in the loss."""
    grad_x = np.zeros_like(grad_data, shape=shape)
    grad_x[step, sequence] = grad_data
    return grad_x


@pack.examples
def pack_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Two lengths, and a last step that nobody has; numbers instead of rows."""
    draw = rng.standard_normal
    return [(draw((4, 2, 3)), np.array([3, 1])), (draw((2, 3)), np.array([2, 2, 1]))]


@primitive
def lay_out(rows, counts, *, value=0, total=None, side="right"):
    """Lay rows out in lines, `counts` of them in each, and fill the lines up: the counterpart of `pack`.

    rows (m, ...), counts (k) -> y (l, w, ...), lengths (w)

    value  what stands where there is no row
    total  the number of lines, if there are to be more than counts
    side   "right" or "left": where the padding goes

    The width w is the largest of the counts. So that it can be packed again, it is also told how long the columns are.

    Source: PyTorch's layout.

    >>> from chalkgrad import tensor
    >>> y, lengths = lay_out(tensor([1, 4, 2, 3]), tensor([2, 1, 1]))
    >>> y
    tensor([[1, 4],
            [2, 0],
            [3, 0]])
    >>> lengths
    tensor([3, 1])
    """
    width = counts.max()
    line, column = places(counts, width, side)
    y = np.full_like(rows, value, shape=(total or len(counts), width, *rows.shape[1:]))
    y[line, column] = rows
    lengths = turned(counts, width)
    return y, lengths


@lay_out.backward
def lay_out_backward(grad_y, line, column):
    """Each row hears from where it stands."""
    grad_rows = grad_y[line, column]
    return grad_rows


@lay_out.examples
def lay_out_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Packed rows; with more lines than counts; sequences one after the other, one of them empty, padded before."""
    draw = rng.standard_normal
    return [
        (draw((4, 3)), np.array([2, 1, 1])),
        (draw((3, 2)), np.array([2, 1]), {"total": 3, "value": -1}),
        (draw(4), np.array([1, 0, 3]), {"side": "left"}),
    ]


class _Packed(NamedTuple):
    """What a PackedSequence holds."""

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """Sequences without padding; made by `pack_padded_sequence` and `pack_sequence`, and read by RNN, LSTM and GRU.

    data              (m, ...): all first steps, then all second ones, and so on
    batch_sizes       how many sequences have a first step, a second one, and so on
    sorted_indices    which sequence stands first, second, and so on; None if they were sorted
    unsorted_indices  where each sequence stands

    Raises TypeError if there are no batch_sizes.

    >>> import chalkgrad as cg
    >>> pack_sequence([cg.tensor([1, 2, 3]), cg.tensor([4, 5])])
    PackedSequence(data=tensor([1, 4, 2, 5, 3]), batch_sizes=tensor([2, 2, 1]), sorted_indices=None, \
unsorted_indices=None)
    """

    __slots__ = ()

    def __new__(
        cls, data: Any, batch_sizes: Tensor | None = None, sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> Self:
        if batch_sizes is None:
            if not isinstance(data, tuple | list) or len(data) != 2:
                raise TypeError("PackedSequence: batch_sizes says how many sequences have each step, but is missing; "
                                "use pack_sequence or pack_padded_sequence.")
            data, batch_sizes = data
        back = invert_permutation(sorted_indices) if unsorted_indices is None else unsorted_indices
        return super().__new__(cls, data, batch_sizes, sorted_indices, back)

    def to(self, dtype: Any) -> Self:
        """The same sequences in another dtype; the object itself, if they have it."""
        data = self.data.to(dtype)
        return self if data is self.data else type(self)(data, *self[1:])

    def double(self) -> Self:
        """The same sequences in float64."""
        return self.to(np.float64)

    def float(self) -> Self:
        """The same sequences in float32."""
        return self.to(np.float32)

    def long(self) -> Self:
        """The same sequences in int64."""
        return self.to(np.int64)


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Find where each number stands in an order of the numbers 0 to n - 1; None for None.

    Raises ShapeError for what is no list.

    >>> import chalkgrad as cg
    >>> invert_permutation(cg.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    if permutation.ndim != 1:
        raise ShapeError(f"invert_permutation: an order has one axis, but {permutation.shape} came.")
    order: Tensor = np.argsort(permutation)  # type: ignore[assignment]
    return order


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Leave the padding out.

    input           (t, b, ...), or (b, t, ...) with batch_first, of any dtype, so that labels can be packed too
    lengths         the steps of each sequence, from 1 to t
    enforce_sorted  refuse sequences unless the longest comes first and so on; otherwise, they are sorted

    Raises ValueError for lengths that cannot be or are not sorted, ShapeError unless there is one for each sequence,
    TypeError unless they are whole numbers.

    >>> import chalkgrad as cg
    >>> packed = pack_padded_sequence(cg.tensor([[1, 2, 0], [3, 0, 0], [4, 5, 6]]), [2, 1, 3], True, False)
    >>> packed.data, packed.batch_sizes, packed.sorted_indices
    (tensor([4, 1, 3, 5, 2, 6]), tensor([3, 2, 1]), tensor([2, 0, 1]))
    """
    steps = lengths if isinstance(lengths, Tensor) else tensor(lengths)
    if steps.dtype.kind not in "iu" or steps.ndim != 1:
        raise TypeError(f"pack_padded_sequence: lengths is a list of whole numbers, but {lengths!r:.60} came.")
    x = swapaxes(input, 0, 1) if batch_first and input.ndim > 1 else input
    order: Any = None
    if not enforce_sorted and steps.shape == x.shape[1:2]:
        order = np.argsort(-steps, kind="stable")
        x, steps = x[:, order], steps[order]
    data, batch_sizes = pack(x, steps)
    return PackedSequence(data, batch_sizes, order)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """Pad packed sequences to the length of the longest, or to `total_length`: the sequences, and their lengths.

    The result is (t, b, ...), or (b, t, ...) with batch_first, and the sequences stand as they did before packing.

    Raises ValueError for a total_length below that of the longest sequence.

    >>> import chalkgrad as cg
    >>> packed = pack_sequence([cg.tensor([1, 2]), cg.tensor([3, 4, 5])], enforce_sorted=False)
    >>> pad_packed_sequence(packed, batch_first=True, total_length=4)
    (tensor([[1, 2, 0, 0],
            [3, 4, 5, 0]]), tensor([2, 3]))
    """
    steps = len(sequence.batch_sizes)
    if total_length is not None and total_length < steps:
        raise ValueError(f"pad_packed_sequence: the longest sequence has {steps} steps, but total_length is "
                         f"{total_length}.")
    y, lengths = lay_out(sequence.data, sequence.batch_sizes, value=padding_value, total=total_length)
    if sequence.unsorted_indices is not None:
        y, lengths = y[:, sequence.unsorted_indices], lengths[sequence.unsorted_indices]
    return swapaxes(y, 0, 1) if batch_first else y, lengths


def pad_sequence(
    sequences: Iterable[Tensor], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Put sequences side by side, padded to the length of the longest.

    sequences     (l, ...) each, of any length l; from the second axis on they are equal
    padding_side  "right" or "left": whether the padding comes after a sequence or before it

    The result is (t, b, ...), or (b, t, ...) with batch_first.

    Raises ValueError for no sequences and another side, TypeError for what is no sequence of Tensors, ShapeError where
    they differ beyond their length.

    >>> import chalkgrad as cg
    >>> pad_sequence([cg.tensor([1, 2, 3]), cg.tensor([4])], batch_first=True, padding_value=-1)
    tensor([[ 1,  2,  3],
            [ 4, -1, -1]])
    """
    parts = _listed(sequences)
    if padding_side not in ("right", "left"):
        raise ValueError(f"pad_sequence: padding_side is 'right' or 'left', but {padding_side!r} came.")
    counts = tensor([len(part) for part in parts])
    y: Tensor = lay_out(concatenate(parts), counts, value=padding_value, side=padding_side)[0]
    return y if batch_first else y.swapaxes(0, 1)


def _listed(sequences: Any) -> list[Tensor]:
    """List sequences, and raise, in words, where they cannot stand side by side."""
    parts = list(sequences) if isinstance(sequences, Iterable) else [sequences]
    if not all(isinstance(part, Tensor) and part.ndim > 0 for part in parts):
        raise TypeError(f"sequences is a list of Tensors with a time axis each, but {sequences!r:.80} came.")
    if not parts:
        raise ValueError("sequences is empty; there is at least one.")
    if len({part.shape[1:] for part in parts}) > 1:
        raise ShapeError("sequences may differ in their first axis only, but their shapes are "
                         f"{', '.join(str(part.shape) for part in parts)}.")
    return parts


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False
) -> list[Tensor]:
    """Cut padded sequences to their lengths: the counterpart of `pad_sequence`.

    padded_sequences  (t, b, ...), or (b, t, ...) with batch_first

    Raises ShapeError unless there is a length for each sequence.

    >>> import chalkgrad as cg
    >>> unpad_sequence(cg.tensor([[1, 2, 3], [4, -1, -1]]), cg.tensor([3, 1]), batch_first=True)
    [tensor([1, 2, 3]), tensor([4])]
    """
    padded = padded_sequences if batch_first else swapaxes(padded_sequences, 0, 1)
    counts = lengths.tolist() if isinstance(lengths, Tensor) else list(lengths)
    if len(counts) != len(padded):
        raise ShapeError(f"unpad_sequence: there are {len(padded)} sequences, but {len(counts)} lengths.")
    return [padded[i, :count] for i, count in enumerate(counts)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences of different lengths; see `pack_padded_sequence`.

    sequences  (l, ...) each, of any length l from 1; from the second axis on they are equal

    >>> import chalkgrad as cg
    >>> pack_sequence([cg.tensor([1, 2, 3]), cg.tensor([4, 5]), cg.tensor([6])]).data
    tensor([1, 4, 6, 2, 5, 3])
    """
    parts = _listed(sequences)
    return pack_padded_sequence(pad_sequence(parts), [len(part) for part in parts], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """List packed sequences, as they were before packing: the counterpart of `pack_sequence`.

    >>> import chalkgrad as cg
    >>> unpack_sequence(pack_sequence([cg.tensor([1, 2, 3]), cg.tensor([4])]))
    [tensor([1, 2, 3]), tensor([4])]
    """
    return unpad_sequence(*pad_packed_sequence(packed_sequences, batch_first=True), batch_first=True)

"""Datasets: whatever has `dataset[index]` and `len(dataset)`, from arrays and from a part of another dataset."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Dataset", "Subset", "TensorDataset"]

Sample_co = TypeVar("Sample_co", covariant=True)
Index = int | slice | Sequence[int] | NDArray[Any]


@runtime_checkable
class Dataset(Protocol[Sample_co]):
    """Samples that can be counted and fetched by their number, from 0 to `len(dataset) - 1`.

    Write a subclass with both methods. Because this is a protocol, a list or an array is a dataset as it is.

    As in PyTorch: the map-style `torch.utils.data.Dataset`. Differences: `__len__` is required, and there is no
    `dataset + dataset` and no `IterableDataset`. A dataset may define PyTorch's `__getitems__(indices)`, which returns
    the list of a batch's samples, if it can fetch several at once faster than one by one.

    >>> class Squares(Dataset[int]):
    ...     def __getitem__(self, index: int) -> int:
    ...         return index * index
    ...     def __len__(self) -> int:
    ...         return 5
    >>> Squares()[3], len(Squares())
    (9, 5)
    """

    @abstractmethod
    def __getitem__(self, index: int, /) -> Sample_co:
        """Return the sample with this number."""

    @abstractmethod
    def __len__(self) -> int:
        """Return how many samples there are."""


class TensorDataset(Dataset[tuple[Any, ...]]):
    """Arrays or Tensors of equal length; sample i is the tuple of their rows i.

    tensors (n, ...), each -> dataset[int] (...), dataset[k indices] (k, ...), each

    The index may also be a slice or an array of indices, so that a whole batch costs one indexing operation per tensor.
    Arrays give arrays and Tensors give Tensors.

    Raises: ValueError without tensors, or if their lengths differ; TypeError for what has no length.

    >>> dataset = TensorDataset(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([0, 1, 0]))
    >>> len(dataset)
    3
    >>> x, y = dataset[np.array([2, 0])]
    >>> x.tolist(), y.tolist()
    ([[5.0, 6.0], [1.0, 2.0]], [0, 0])
    """

    def __init__(self, *tensors: Any) -> None:
        shapes = [_shape_of(tensor, position) for position, tensor in enumerate(tensors)]
        if not shapes:
            raise ValueError("TensorDataset: expected at least one array or Tensor, got none.")
        if len({shape[0] for shape in shapes}) > 1:
            raise ValueError(
                "TensorDataset: every tensor needs the same number of rows (its first dimension), "
                f"but the shapes are {', '.join(map(str, shapes))}."
            )
        self.tensors = tensors

    def __getitem__(self, index: Index) -> tuple[Any, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])


def _shape_of(tensor: Any, position: int) -> tuple[int, ...]:
    shape = getattr(tensor, "shape", ())
    if not shape:
        raise TypeError(
            f"TensorDataset: argument {position} is a {type(tensor).__name__} without rows; "
            "expected an array or a Tensor of at least one dimension. Try numpy.asarray on a list."
        )
    return tuple(shape)


class Subset(Dataset[Sample_co]):
    """The samples of a dataset at the given indices, in their order: subset[i] is dataset[indices[i]].

    `indices` is kept as an integer array. Of a dataset that takes slices and index arrays, so does its subset.

    Raises: TypeError if the indices are not a flat sequence of integers, IndexError if one is outside the dataset.

    >>> vowels = Subset("abcdefghi", [0, 4, 8])
    >>> len(vowels), vowels[1], list(vowels)
    (3, 'e', ['a', 'e', 'i'])
    """

    def __init__(self, dataset: Dataset[Sample_co], indices: Sequence[int] | NDArray[Any]) -> None:
        chosen = np.asarray(indices)
        if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
            raise TypeError(
                f"Subset: expected a flat sequence of integers, got shape {chosen.shape} of {chosen.dtype}. "
                "Try numpy.flatnonzero to turn a mask into indices."
            )
        outside = chosen[(chosen < -len(dataset)) | (chosen >= len(dataset))]
        if outside.size:
            raise IndexError(f"Subset: index {outside[0]} is outside the dataset, which has {len(dataset)} samples.")
        self.dataset = dataset
        self.indices = chosen.astype(np.intp)

    def __getitem__(self, index: Any) -> Sample_co:
        chosen = self.indices[index]
        # One index goes down as a Python int, since a dataset may put it in a file name or a dictionary.
        return self.dataset[chosen if chosen.ndim else chosen.item()]

    def __len__(self) -> int:
        return len(self.indices)

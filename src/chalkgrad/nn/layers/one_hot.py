"""one_hot: a class, written as a row of zeros with a one in its place."""

from __future__ import annotations

import numpy as np

from ...engine.tensor import Tensor
from ...ops.compare import flat

__all__ = ["hot", "one_hot"]


def hot(index, num_classes):
    """Write whole numbers as rows of zeros with a one: (...) -> (..., num_classes).

    >>> hot(np.array([1, 0]), 2)
    array([[0, 1],
           [1, 0]])
    """
    if index.dtype.kind not in "iu":
        raise TypeError(f"one_hot: classes are whole numbers, but {index.dtype} came; x.long() drops the decimals.")
    if num_classes < 0 and index.size == 0:
        raise ValueError("one_hot: how many classes there are cannot be seen from no numbers; say num_classes.")
    count = num_classes if num_classes >= 0 else index.max() + 1
    if index.size and not (index.min() >= 0 and index.max() < count):
        raise ValueError(f"one_hot: classes are 0 to {count - 1}, but {index.min()} to {index.max()} came.")
    return (index[..., None] == np.arange(count)).astype(np.int64)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Write every number of the tensor as a row of num_classes zeros, with a one in its place.

    tensor       (...): whole numbers from 0 to num_classes - 1
    num_classes  as many as the largest number asks for, if -1

    The result is (..., num_classes), of whole numbers. Raises TypeError for other than whole numbers, ValueError for
    numbers that are no classes.

    >>> import chalkgrad as cg
    >>> one_hot(cg.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    y: Tensor = flat(hot)(tensor, num_classes=num_classes)
    return y

"""Collating: from a list of samples to one batch of the same structure."""

from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np

__all__ = ["default_collate"]


def default_collate(batch: Sequence[Any]) -> Any:
    """Stack samples along a new first dimension, inside whatever structure a sample has.

    | samples                     | batch                                                            |
    |-----------------------------|------------------------------------------------------------------|
    | arrays, Tensors             | `np.stack` of them: an array, a Tensor                           |
    | Python or NumPy numbers     | a 1-d array; Python's floats give float64, as in PyTorch         |
    | strings, bytes              | the samples as they are                                          |
    | dicts                       | a dict, collated key by key                                      |
    | named tuples                | the same named tuple, collated field by field                    |
    | tuples, lists               | a list, collated position by position                            |

    As in PyTorch, where arrays and numbers become Tensors; here they stay NumPy.

    Raises: TypeError for other samples; ValueError for no samples, or if samples differ in shape, length or keys.

    >>> default_collate([(np.array([1.0, 2.0]), 0), (np.array([3.0, 4.0]), 1)])
    [array([[1., 2.],
           [3., 4.]]), array([0, 1])]
    >>> default_collate([{"word": "one", "size": 3}, {"word": "three", "size": 5}])
    {'word': ['one', 'three'], 'size': array([3, 5])}
    """
    if not len(batch):
        raise ValueError("default_collate: expected at least one sample, got none.")
    first = batch[0]
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, np.generic) or hasattr(type(first), "__array_function__"):
        return _stack(batch)
    if isinstance(first, Number):
        return np.array(batch)
    if isinstance(first, Mapping):
        _same([set(sample) for sample in batch], "keys")
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, Sequence):
        _same([len(sample) for sample in batch], "lengths")
        fields = [default_collate(values) for values in zip(*batch, strict=True)]
        return type(first)(*fields) if hasattr(first, "_fields") else fields
    raise TypeError(
        "default_collate: a sample holds arrays, Tensors, numbers, strings, dicts, tuples or lists, "
        f"but this one holds a {type(first).__name__}. Give the DataLoader a collate_fn."
    )


def _stack(batch: Sequence[Any]) -> Any:
    _same([getattr(sample, "shape", ()) for sample in batch], "shapes")
    # `np.stack` dispatches on its arguments, so that Tensors give a Tensor.
    return np.stack(batch)


def _same(traits: list[Any], what: str) -> None:
    different = next((trait for trait in traits if trait != traits[0]), None)
    if different is not None:
        raise ValueError(
            f"default_collate: the samples of a batch differ in their {what}: {traits[0]} and {different}. "
            "Pad or cut them in the dataset, or give the DataLoader a collate_fn."
        )

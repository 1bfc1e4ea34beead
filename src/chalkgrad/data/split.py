"""Splitting data at random: by given lengths or fractions, and for training with every class in every part."""

import math
import warnings
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from chalkgrad.data.dataset import Dataset, Subset
from chalkgrad.data.datasets import Data
from chalkgrad.data.generator import SeedOrGenerator, as_generator, generator_or_default

__all__ = ["random_split", "train_val_test_split"]

Sample = TypeVar("Sample")
Pair = tuple[NDArray[Any], NDArray[Any]]


def random_split(
    dataset: Dataset[Sample], lengths: Sequence[float], generator: SeedOrGenerator = None
) -> list[Subset[Sample]]:
    """Deal the samples at random into parts of the given lengths, or of the given fractions if these sum to 1.

    A fraction f gives floor(f n) samples; those left over go one each to the first parts, in order.

    As in PyTorch 2.13, with a generator as for `DataLoader`. Difference: fractions whose sum exceeds 1 by a rounding
    error are fractions too.

    Raises: ValueError if the lengths are neither fractions that sum to 1 nor integers that sum to n.
    Warns: if a fraction leaves a part without samples.

    >>> [len(part) for part in random_split(range(10), [3, 7])]
    [3, 7]
    >>> train, test = random_split(range(11), [0.75, 0.25], generator=0)
    >>> len(train), len(test), sorted([*train, *test]) == list(range(11))
    (9, 2, True)
    """
    sizes = _sizes(lengths, len(dataset))
    order = generator_or_default(as_generator(generator)).permutation(len(dataset))
    return [Subset(dataset, part) for part in _cut(order, sizes)]


def train_val_test_split(
    data: Data, fractions: tuple[float, float, float] = (0.7, 0.1, 0.2), seed: int = 0
) -> tuple[Pair, Pair, Pair]:
    """Split a dataset into (x, y) for training, for choosing and for the one final test.

    For classification the split is stratified: each class is dealt out by itself, by the rule of `random_split`, so
    that every class has its share of every part. Within a part the rows are in random order. The same data,
    fractions and seed give the same split.

    Raises: ValueError if the fractions are not three positive numbers that sum to 1, or if a class has too few rows
    to appear in every part.

    >>> from chalkgrad.data.datasets import load
    >>> [len(y) for x, y in train_val_test_split(load("digits"))]
    [1262, 180, 355]
    >>> [np.bincount(y).tolist() for x, y in train_val_test_split(load("iris"))]
    [[35, 35, 35], [5, 5, 5], [10, 10, 10]]
    """
    if len(fractions) != 3 or not all(fraction > 0 for fraction in fractions) or not math.isclose(sum(fractions), 1):
        raise ValueError(
            "train_val_test_split: fractions are three positive numbers (training, validation, test) "
            f"that sum to 1, such as (0.7, 0.1, 0.2), got {fractions}."
        )
    generator = np.random.default_rng(seed)
    groups = data.y if data.task == "classification" else np.zeros(len(data), dtype=np.int64)
    dealt: list[list[NDArray[Any]]] = [[], [], []]
    for group in np.unique(groups):
        rows = generator.permutation(np.flatnonzero(groups == group))
        sizes = _apportion(len(rows), fractions)
        if 0 in sizes:
            who = f"class {group}" if data.task == "classification" else data.name
            raise ValueError(
                f"train_val_test_split: {who} has {len(rows)} rows, which split into {sizes}, "
                "but every part needs one. Use more data, or fractions nearer to each other."
            )
        for part, chosen in zip(dealt, _cut(rows, sizes), strict=True):
            part.append(chosen)
    # Joined class by class, the rows are shuffled once more: a part in class order trains badly if read in order.
    train, val, test = (generator.permutation(np.concatenate(part)) for part in dealt)
    return (data.x[train], data.y[train]), (data.x[val], data.y[val]), (data.x[test], data.y[test])


def _sizes(lengths: Sequence[float], n: int) -> list[int]:
    """The parts' lengths as integers that sum to n, from lengths or from fractions."""
    if math.isclose(sum(lengths), 1):
        for i, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(f"random_split: the fraction at index {i} is {fraction}, not between 0 and 1.")
        sizes = _apportion(n, lengths)
        for i in (i for i, size in enumerate(sizes) if size == 0):
            warnings.warn(f"random_split: the part at index {i} has no samples.", stacklevel=3)
        return sizes
    if sum(lengths) != n or any(length < 0 or length != int(length) for length in lengths):
        raise ValueError(
            f"random_split: the lengths {list(lengths)} sum to {sum(lengths)}. Expected either integers "
            f"that sum to the {n} samples of the dataset, or fractions that sum to 1."
        )
    return [int(length) for length in lengths]


def _apportion(n: int, fractions: Sequence[float]) -> list[int]:
    """Round the fractions of n down, and give what is left over one each to the first parts."""
    sizes = [math.floor(n * fraction) for fraction in fractions]
    for i in range(n - sum(sizes)):
        sizes[i % len(sizes)] += 1
    return sizes


def _cut(rows: NDArray[Any], sizes: list[int]) -> list[NDArray[Any]]:
    return np.split(rows, np.cumsum(sizes)[:-1])

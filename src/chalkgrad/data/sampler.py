"""Samplers: the order in which an epoch visits the samples, and how that order is cut into batches."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sized
from itertools import islice
from typing import Protocol, TypeVar, cast

import numpy as np

from chalkgrad.data.generator import SeedOrGenerator, as_generator, generator_or_default

__all__ = ["BatchSampler", "RandomSampler", "Sampler", "SequentialSampler"]

Drawn_co = TypeVar("Drawn_co", covariant=True)


class Sampler(Protocol[Drawn_co]):
    """An iterable of indices (or of lists of them, for batches); each `iter(sampler)` is one epoch.

    Give it a `__len__` too if `len(loader)` is to work.
    """

    @abstractmethod
    def __iter__(self) -> Iterator[Drawn_co]:
        """Start an epoch."""


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ... in order, the same in every epoch.

    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """A fresh permutation for every epoch, or with `replacement` independent draws.

    `num_samples` is the length of an epoch, by default that of the data. Without replacement and with more than that,
    one permutation follows another, so that every sample is seen once before any is seen twice.

    `generator` is a seed, a `numpy.random.Generator`, or None for the process-wide generator that
    `chalkgrad.manual_seed` seeds. (PyTorch's takes a `torch.Generator`; the drawn orders differ from PyTorch's.)

    Raises: TypeError for a `replacement` that is not a bool or an unusable generator; ValueError if `num_samples`
    is not a positive integer or the data is empty.

    >>> sampler = RandomSampler(range(5), generator=0)
    >>> first, second = list(sampler), list(sampler)
    >>> sorted(first), sorted(second), first == second
    ([0, 1, 2, 3, 4], [0, 1, 2, 3, 4], False)
    >>> first == list(RandomSampler(range(5), generator=0))
    True
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: SeedOrGenerator = None,
    ) -> None:
        if not isinstance(replacement, bool):
            raise TypeError(f"RandomSampler: replacement is True or False, got {replacement!r}.")
        if not len(data_source):
            raise ValueError("RandomSampler: there is nothing to draw from, the data is empty.")
        if num_samples is not None and not _is_positive_int(num_samples):
            raise ValueError(f"RandomSampler: num_samples is a positive integer or None, got {num_samples!r}.")
        self.data_source = data_source
        self.replacement = replacement
        self.generator = as_generator(generator)
        self._num_samples = num_samples

    @property
    def num_samples(self) -> int:
        """The length of an epoch; without an explicit one, that of the data at this moment."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        generator, n = generator_or_default(self.generator), len(self.data_source)
        if self.replacement:
            return iter(generator.integers(n, size=self.num_samples).tolist())
        rounds = -(-self.num_samples // n)
        order = np.concatenate([generator.permutation(n) for _ in range(rounds)])
        return iter(order[: self.num_samples].tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """The indices of another sampler, in lists of `batch_size`; the last list may be shorter, unless `drop_last`.

    Raises: ValueError if `batch_size` is not a positive integer or `drop_last` is not a bool.

    >>> list(BatchSampler(SequentialSampler(range(7)), batch_size=3, drop_last=False))
    [[0, 1, 2], [3, 4, 5], [6]]
    >>> list(BatchSampler(SequentialSampler(range(7)), batch_size=3, drop_last=True))
    [[0, 1, 2], [3, 4, 5]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not _is_positive_int(batch_size):
            raise ValueError(f"BatchSampler: batch_size is a positive integer, got {batch_size!r}.")
        if not isinstance(drop_last, bool):
            raise ValueError(f"BatchSampler: drop_last is True or False, got {drop_last!r}.")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(islice(indices, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def __len__(self) -> int:
        n = len(cast(Sized, self.sampler))
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


def _is_positive_int(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value > 0)

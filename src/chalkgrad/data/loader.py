"""The DataLoader: batches of a dataset, epoch after epoch, in this process."""

from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any, cast

import numpy as np

from chalkgrad.data.collate import default_collate
from chalkgrad.data.dataset import Dataset, Subset, TensorDataset
from chalkgrad.data.generator import SeedOrGenerator, as_generator
from chalkgrad.data.sampler import BatchSampler, RandomSampler, SequentialSampler

__all__ = ["DataLoader"]

# PyTorch's arguments for worker processes and pinned memory, with the one value that means the same here.
NOT_SUPPORTED = {
    "num_workers": 0,
    "pin_memory": False,
    "timeout": 0,
    "worker_init_fn": None,
    "multiprocessing_context": None,
    "prefetch_factor": None,
    "persistent_workers": False,
    "pin_memory_device": "",
    "in_order": True,
}
# The samplers are made from these, so a change after construction would be ignored.
FIXED = {"batch_sampler", "batch_size", "dataset", "drop_last", "sampler"}


class DataLoader:
    """Batches of a dataset: `for x, y in loader` is one epoch, and the next `for` is the next.

    - `batch_size`: samples in a batch; None for single samples, not collated.
    - `shuffle`: draw a fresh permutation for every epoch.
    - `sampler`, `batch_sampler`: an iterable of indices, or of lists of indices, instead of the two above.
    - `collate_fn`: makes a batch from a list of samples; `default_collate` unless given.
    - `drop_last`: leave out a last batch that is not full.
    - `generator`: a seed, a `numpy.random.Generator`, or None for the process-wide generator that
      `chalkgrad.manual_seed` seeds. It is used by `shuffle=True` alone.

    A batch of a `TensorDataset`, or of a `Subset` of one, is taken with one indexing operation per tensor. Arrays give
    arrays and Tensors give Tensors.

    As in PyTorch: the arguments, their order and defaults, the structure of the batches, `len(loader)`. Differences:
    the generator is NumPy's, so the orders drawn differ from PyTorch's; samples are fetched in this process, so there
    are no workers and no pinned memory, and asking for them is an error; arrays are not turned into Tensors.

    Raises: TypeError for what is not a dataset; NotImplementedError for an argument that is not supported; ValueError
    for arguments that exclude each other; AttributeError on a later change of one that the samplers were made from.

    >>> from chalkgrad.data import TensorDataset
    >>> dataset = TensorDataset(np.arange(10.0).reshape(5, 2), np.array([0, 1, 0, 1, 1]))
    >>> for x, y in DataLoader(dataset, batch_size=2):
    ...     print(x.shape, y)
    (2, 2) [0 1]
    (2, 2) [0 1]
    (1, 2) [1]

    The generator's state at the start of an epoch is all that a resumed run needs to see the same order; it can be
    written as JSON.

    >>> import json
    >>> unbroken = DataLoader(range(100), batch_size=10, shuffle=True, generator=0)
    >>> epoch_1 = np.concatenate(list(unbroken))
    >>> saved = json.dumps(unbroken.generator.bit_generator.state)
    >>> epoch_2 = np.concatenate(list(unbroken))
    >>> resumed = DataLoader(range(100), batch_size=10, shuffle=True, generator=0)
    >>> resumed.generator.bit_generator.state = json.loads(saved)
    >>> np.array_equal(epoch_2, np.concatenate(list(resumed))), np.array_equal(epoch_2, epoch_1)
    (True, False)
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: SeedOrGenerator = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _refuse_unsupported(
            num_workers=num_workers,
            pin_memory=pin_memory,
            timeout=timeout,
            worker_init_fn=worker_init_fn,
            multiprocessing_context=multiprocessing_context,
            prefetch_factor=prefetch_factor,
            persistent_workers=persistent_workers,
            pin_memory_device=pin_memory_device,
            in_order=in_order,
        )
        if not isinstance(dataset, Dataset):
            raise TypeError(
                f"DataLoader: a dataset has __getitem__ and __len__, but {type(dataset).__name__} has not both. "
                "Put an iterable's samples in a list."
            )
        given = {
            "batch_size": batch_size != 1,
            "shuffle": shuffle,
            "sampler": sampler is not None,
            "batch_sampler": batch_sampler is not None,
            "drop_last": drop_last,
            "generator": generator is not None,
        }
        _refuse_conflicts({name for name, is_given in given.items() if is_given})
        if batch_size is None and drop_last:
            raise ValueError("DataLoader: batch_size=None makes no batches, so there is no last one to drop.")

        self.dataset = dataset
        self.generator = as_generator(generator)
        self.drop_last = drop_last
        self.sampler = sampler if sampler is not None else self._default_sampler(shuffle)
        self.batch_size = None if batch_sampler is not None else batch_size
        self.batch_sampler = batch_sampler
        if self.batch_size is not None:
            self.batch_sampler = BatchSampler(self.sampler, self.batch_size, drop_last)
        self.collate_fn = collate_fn or (default_collate if self.batch_sampler is not None else _as_it_is)
        self._ready = True

    def _default_sampler(self, shuffle: bool | None) -> Iterable[int]:
        if shuffle:
            return RandomSampler(self.dataset, generator=self.generator)
        return SequentialSampler(self.dataset)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in FIXED and getattr(self, "_ready", False):
            raise AttributeError(f"DataLoader: {name} is fixed when the loader is made. Make a new DataLoader.")
        super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Any]:
        if self.batch_sampler is None:
            return (self.collate_fn(self.dataset[index]) for index in self.sampler)
        return (_fetch(self.dataset, indices, self.collate_fn) for indices in self.batch_sampler)

    def __len__(self) -> int:
        return len(cast(Sized, self.sampler if self.batch_sampler is None else self.batch_sampler))


def _fetch(dataset: Any, indices: list[int], collate_fn: Callable[[list[Any]], Any]) -> Any:
    """Make one batch, by one indexing operation where dataset and collate_fn allow it."""
    # A subclass may give __getitem__ a meaning of its own, so only the methods themselves count here, not the classes.
    while type(dataset).__getitem__ is Subset.__getitem__:
        dataset, indices = dataset.dataset, dataset.indices[indices].tolist()
    if type(dataset).__getitem__ is TensorDataset.__getitem__ and collate_fn is default_collate:
        return list(dataset[np.asarray(indices)])
    if hasattr(dataset, "__getitems__"):
        return collate_fn(dataset.__getitems__(indices))
    return collate_fn([dataset[index] for index in indices])


def _as_it_is(sample: Any) -> Any:
    return sample


def _refuse_unsupported(**given: Any) -> None:
    for name, value in given.items():
        if value != NOT_SUPPORTED[name]:
            raise NotImplementedError(
                f"DataLoader: {name}={value!r} is not supported, since samples are fetched in this process "
                f"and memory is never pinned. Leave it out ({name}={NOT_SUPPORTED[name]!r})."
            )


def _refuse_conflicts(given: set[str]) -> None:
    decided_by = {
        "batch_sampler": {"batch_size", "shuffle", "sampler", "drop_last", "generator"},
        "sampler": {"shuffle", "generator"},
    }
    for name, decided in decided_by.items():
        clash = decided & given
        if name in given and clash:
            raise ValueError(f"DataLoader: with a {name}, leave out {', '.join(sorted(clash))}: the {name} decides it.")

"""Reading what torch.save wrote, without running it.

Such a file is a zip archive: a pickle, `data.pkl`, that says what was saved, and a record of bare numbers for each
storage of tensors. A pickle is a program for a small machine, which may call whatever it names. So the machine here
knows the names that tensors and plain containers are made with; any other ends the reading, before anything is called.
"""

from __future__ import annotations

import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..engine.tensor import Tensor
from .safetensor_files import PathLike

__all__ = ["SUFFIXES", "load_torch"]

SUFFIXES = {".bin", ".pt", ".pth"}

# What PyTorch calls a storage of numbers, and how they are stored; bfloat16 is the upper half of a float32.
STORAGES = {
    "BoolStorage": "?", "ByteStorage": "u1", "CharStorage": "i1", "ShortStorage": "<i2", "IntStorage": "<i4",
    "LongStorage": "<i8", "HalfStorage": "<f2", "FloatStorage": "<f4", "DoubleStorage": "<f8", "BFloat16Storage": "<u2",
}
WIDENED = {"HalfStorage", "BFloat16Storage"}  # there are no such numbers here; float32 holds all of them


def load_torch(path: PathLike) -> Any:
    """Read a file that torch.save wrote: tensors, and the dicts, lists, tuples, numbers and texts around them.

    Half-precision numbers become float32. A tensor that shares its memory with another one gets a copy.

    Raises ValueError for a file that is not whole or of another kind, and, by name, for whatever is no tensor and no
    plain container; FileNotFoundError if there is no file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _Reader(archive, path).load()
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} is no file of PyTorch 1.6 or newer, or not a whole one ({error}). An older file can "
                         f"be "
                         "brought up to date with PyTorch: torch.save(torch.load(path), path).") from error
    except (pickle.UnpicklingError, EOFError, KeyError, IndexError, AttributeError, TypeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error


class _Storage(NamedTuple):
    """A class of PyTorch's storages, which the pickle only names."""

    name: str


class _Reader(pickle.Unpickler):
    """An unpickler that knows the names in KNOWN and no others."""

    def __init__(self, archive: zipfile.ZipFile, path: PathLike) -> None:
        self.archive, self.path = archive, path
        self.records = {name.partition("/")[2]: name for name in archive.namelist()}
        self.storages: dict[str, Any] = {}
        if "byteorder" in self.records and archive.read(self.records["byteorder"]) != b"little":
            raise ValueError(f"{path} was written by a big-endian machine, whose numbers are not read.")
        if "data.pkl" not in self.records:
            raise ValueError(f"{path} is a zip archive without a data.pkl, so torch.save did not write it; a program "
                             f"of "
                             "torch.jit cannot be read.")
        super().__init__(archive.open(self.records["data.pkl"]))

    def find_class(self, module: str, name: str) -> Any:
        """Look a name up: the only door through which a pickle could reach code."""
        if module == "torch" and name in STORAGES:
            return _Storage(name)
        if (module, name) not in KNOWN:
            raise ValueError(f"{self.path} wants {module}.{name}, which is refused: only tensors, dicts, lists, "
                             f"tuples, "
                             "numbers and texts are read. Save a state instead: torch.save(model.state_dict(), path).")
        return KNOWN[module, name]

    def persistent_load(self, pid: Any) -> Any:
        """Read the numbers of a storage, once."""
        kind, storage, key, _, count = pid
        if kind != "storage" or not isinstance(storage, _Storage):
            raise ValueError(f"{self.path} points at {kind!r} {storage!r:.60}, which is no storage of numbers.")
        if key not in self.storages:
            raw = self.archive.read(self.records[f"data/{key}"])
            numbers = np.frombuffer(raw, STORAGES[storage.name])
            if len(numbers) != count:
                raise ValueError(f"{self.path}: a storage holds {len(numbers)} numbers, not the {count} that it says.")
            self.storages[key] = _widened(numbers, storage.name)
        return self.storages[key]


def _widened(numbers: Any, storage: str) -> Any:
    if storage not in WIDENED:
        return numbers
    if storage == "HalfStorage":
        return numbers.astype(np.float32)
    return (numbers.astype(np.uint32) << 16).view(np.float32)


def _tensor(
    storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...], requires_grad: bool = False, *_: Any
) -> Tensor:
    """Show a tensor in a storage, from an offset on; its numbers are copied."""
    if offset < 0 or len(size) != len(stride) or min((*size, *stride, 0)) < 0:
        raise ValueError(f"a tensor of size {size} and stride {stride} at {offset} is none.")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if math.prod(size) and last >= len(storage):
        raise ValueError(f"a tensor of size {size} and stride {stride} at {offset} ends outside of its storage.")
    if not math.prod(size):
        return Tensor(np.zeros(size, storage.dtype))
    strides = [step * storage.itemsize for step in stride]
    array = np.lib.stride_tricks.as_strided(storage[offset:], size, strides, writeable=False)
    return Tensor(array, requires_grad=bool(requires_grad) and array.dtype.kind == "f")


def _parameter(data: Tensor, requires_grad: bool, *_: Any) -> Tensor:
    """Read a Parameter as the Tensor that it is."""
    return data.requires_grad_(bool(requires_grad)) if data.dtype.kind == "f" else data


KNOWN: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "Size"): tuple,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
}

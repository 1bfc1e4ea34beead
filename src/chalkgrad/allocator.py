"""What the C library does with freed memory: keep it for the next array, instead of handing it back to the system."""

from __future__ import annotations

import ctypes
import os
import sys

__all__ = ["keep_freed_memory"]

# Names and values are those of glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3


def keep_freed_memory(mapped: int = 32 << 20, kept: int = 1 << 30) -> bool:
    """Let arrays of up to `mapped` bytes come from memory that was freed, of which up to `kept` bytes stay.

    By default glibc maps every array of more than 128 kB anew and unmaps it at its end, and the system clears each
    page when it is touched first. A layer norm of a megabyte spends two thirds of its time on that.

    Returns whether it could be set: on Linux with glibc, unless the environment says CHALKGRAD_KEEP_MEMORY=0.
    """
    if os.environ.get("CHALKGRAD_KEEP_MEMORY") == "0" or not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    return mallopt is not None and bool(mallopt(M_MMAP_THRESHOLD, mapped)) and bool(mallopt(M_TRIM_THRESHOLD, kept))

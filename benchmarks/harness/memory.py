"""The memory that a step needs, as Linux counts it.

Counted are anonymous pages, which hold arrays; pages of libraries, which are read from files as they are first used,
are not. What has been freed is handed back to the system before each reading, so that neither what a framework needed
to build a model, nor what it needed to compile a step, is counted unless it still holds it.
"""

from __future__ import annotations

import ctypes
import gc
import re
from collections.abc import Callable
from pathlib import Path

__all__ = ["held", "peak"]

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def held() -> int | None:
    """Return the bytes of anonymous memory that this process holds, or None where /proc does not tell."""
    if not CLEAR.exists():
        return None
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries than glibc have none
    if trim is not None:
        trim(0)
    return _status()["RssAnon"]


def peak(work: Callable[[], object], times: int = 3) -> int | None:
    """Return the most anonymous memory that this process held, in bytes, while it did some work a few times."""
    if held() is None:
        return None
    CLEAR.write_text("5")  # "VmHWM starts again from here" (proc(5))
    for _ in range(times):
        work()
    status = _status()
    return status["VmHWM"] - status["RssFile"] - status["RssShmem"]


def _status() -> dict[str, int]:
    found = re.findall(r"^(\w+):\s+(\d+) kB$", STATUS.read_text(), re.MULTILINE)
    return {name: int(kilobytes) * 1024 for name, kilobytes in found}

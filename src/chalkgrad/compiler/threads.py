"""Both cores: parts of a batch, each in a thread; NumPy lets other threads run while it computes."""

from __future__ import annotations

import ctypes
import functools
import os
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["add_up", "blas_threads", "in_parts", "one_blas_thread", "threads"]


def in_parts(function: Callable[..., Any], split: list[Any], whole: list[Any]) -> Any:
    """Call `function(*part, *whole)` for every part at the same time; `split` holds the parts of each argument.

    Returns for each result the parts of it.

    >>> in_parts(lambda x, y: (x + y, x * y), [(1, 2)], [10])
    [(11, 12), (10, 20)]
    """
    calls = list(zip(*split)) or [()]
    tasks = list[_Task]()
    try:
        for i, call in enumerate(calls[1:]):
            task = _Task(function, (*call, *whole))
            _worker(i).put(task)  # first: who waits for a task that nobody has waits for ever
            tasks.append(task)
        results = [function(*calls[0], *whole)]
    finally:  # no part may go on alone, whatever happened to the others
        for task in tasks:
            task.wait()
    for task in tasks:
        if task.error is not None:
            raise task.error
        results.append(task.result)
    return [] if results[0] is None else list(zip(*results))


def add_up(parts: Any) -> Any:
    """Add up what the parts came to.

    >>> add_up((np.ones(2), np.ones(2)))
    array([2., 2.])
    """
    if len(parts) == 1:
        return parts[0]
    total = parts[0] + parts[1]
    for part in parts[2:]:
        total += part
    return total


class _Task:
    """One part, and what it came to; of its own, so that after an interrupt nobody takes it for another's."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.function, self.arguments = function, arguments
        self.result: Any = None
        self.error: BaseException | None = None
        self.done, self.running = False, threading.Lock()
        self.running.acquire()

    def run(self) -> None:
        try:
            self.result = self.function(*self.arguments)
        except BaseException as error:  # it is raised where the result is asked for
            self.error = error
        self.done = True
        self.running.release()

    def wait(self) -> None:
        """Wait until the part has run, also if somebody interrupts: it still writes into memory that others use."""
        try:
            self.running.acquire()
        except BaseException:
            while not self.done:
                time.sleep(1e-4)
            raise


def _work(tasks: queue.SimpleQueue[_Task]) -> None:
    """Run tasks, one after the other, as long as the program lives."""
    while True:
        task = tasks.get()
        task.run()
        del task  # it holds arrays


_workers: dict[tuple[int, int], queue.SimpleQueue[_Task]] = {}


def _worker(number: int) -> queue.SimpleQueue[_Task]:
    """Return the tasks of a worker, a thread that the calling thread has for itself, in this process."""
    key = os.getpid(), threading.get_ident() * 64 + number
    if key not in _workers:
        _workers[key] = queue.SimpleQueue()
        threading.Thread(target=_work, args=(_workers[key],), daemon=True).start()
    return _workers[key]


def threads() -> int:
    """Tell how many threads a program may use: as many as BLAS would, and as there are cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    blas = blas_threads()
    return min(blas[0](), cores) if blas else 1


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep BLAS from starting threads of its own, which would compete with the parts for the same cores."""
    blas = blas_threads()
    if blas is None:
        yield
        return
    get, let = blas
    before = get()
    let(1)
    try:
        yield
    finally:
        let(before)


@functools.cache
def blas_threads() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """Find how NumPy's OpenBLAS is asked, and told, the number of its threads; None if NumPy has another BLAS."""
    np.zeros((2, 2)) @ np.zeros((2, 2))
    for path in _libraries():
        library = ctypes.CDLL(path)
        for prefix in ("scipy_", ""):
            for suffix in ("64_", ""):
                get = getattr(library, f"{prefix}openblas_get_num_threads{suffix}", None)
                let = getattr(library, f"{prefix}openblas_set_num_threads{suffix}", None)
                if get and let:
                    return get, let
    return None


def _libraries() -> list[str]:
    """Name the files of OpenBLAS that NumPy brought along, or that the process has loaded."""
    beside = Path(np.__file__).parent
    found = [str(path) for folder in (beside.parent / "numpy.libs", beside / ".dylibs") if folder.is_dir()
             for path in folder.iterdir() if "openblas" in path.name]
    maps = Path("/proc/self/maps")
    loaded = re.findall(r"(/\S*openblas\S*)", maps.read_text()) if maps.exists() else []
    return [*dict.fromkeys([*found, *loaded])]

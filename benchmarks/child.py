"""One process, one rival, one workload: build it, check it, measure its memory and its time, and print them as JSON.

python -m benchmarks.child lenet5 lenet5 chalkgrad

seconds  the median time of one run
kept     bytes held after the check's runs, above what the process held before it ran at all
memory   bytes: the peak during three runs more, above the same
check    a number that all rivals must agree on; for a training step, the loss after 20
turn     the seconds that all of this took
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from .harness.memory import held, peak
from .harness.work import Missing

__all__ = ["keep_to", "measure", "seconds"]


def seconds(work: Callable[[], object], budget: float = 0.4) -> float:
    """Return the median time of one call, over batches of calls that fill the budget."""
    work()
    calls, elapsed = 1, 0.0
    while elapsed < budget / 40:  # a batch long enough that the clock does not matter
        calls *= 2
        start = time.perf_counter()
        for _ in range(calls):
            work()
        elapsed = time.perf_counter() - start
    batches = []
    while sum(batches) < budget:
        start = time.perf_counter()
        for _ in range(calls):
            work()
        batches.append(time.perf_counter() - start)
    return statistics.median(batches) / calls


def measure(suite: str, workload: str, rival: str, budget: float = 0.4) -> dict[str, Any]:
    """Build one workload for one rival and measure it; a rival that lacks it tells why, if there is a reason."""
    start = time.perf_counter()
    try:
        work = importlib.import_module(f"benchmarks.{suite}").workloads(rival)[workload]()
    except Missing as why:
        return {"missing": str(why)} if str(why) else {}
    before = held()
    found = work.check()
    kept, most = (None if before is None or now is None else max(0, now - before) for now in (held(), peak(work.run)))
    took = seconds(work.run, budget)
    return {"check": found, "kept": kept, "memory": most, "seconds": took, "turn": time.perf_counter() - start}


def keep_to(cores: int) -> None:
    """Keep this process on its first cores: some frameworks read no variable that says how many threads to use."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


if __name__ == "__main__":
    keep_to(int(os.environ["OMP_NUM_THREADS"]))
    print(json.dumps(measure(*sys.argv[1:4])))

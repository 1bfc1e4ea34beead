"""One process, one rival, one turn: time every workload of a suite and print the seconds as JSON."""

from __future__ import annotations

import gc
import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable

__all__ = ["main", "seconds"]


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


def main(suite: str, rival: str) -> None:
    """Time all workloads that this rival has in the suite; `check` is a number that all rivals must agree on."""
    results = {}
    for name, (work, check) in importlib.import_module(f"benchmarks.{suite}").workloads(rival).items():
        found = check()
        gc.collect()
        results[name] = {"seconds": seconds(work), "check": found}
    print(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])

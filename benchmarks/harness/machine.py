"""What the benchmarks run on: the processor, its fastest matrix product, the BLAS that NumPy found, the versions.

python -m benchmarks.harness.machine prints it as JSON. It runs in a process of its own, as every rival does.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["describe", "gflops", "words"]

PACKAGES = ("numpy", "torch", "jax", "autograd", "mygrad", "tinygrad")


def describe() -> dict[str, Any]:
    """Measure and describe this machine, with as many threads as the environment says."""
    return {
        "processor": _processor(), "cores": os.cpu_count(), "memory": _memory(), "system": platform.system(),
        "python": platform.python_version(), "versions": {name: _version(name) for name in PACKAGES},
        "blas": _blas(), "gflops": _peak(),
    }


def words(machine: dict[str, Any], threads: int) -> str:
    """Say it in a line."""
    return (f"{machine['processor']}, {machine['cores']} cores, {machine['memory']} GB; {threads} thread"
            f"{'s' * (threads > 1)} each; NumPy {machine['versions']['numpy']} on {machine['blas']}, "
            f"Python {machine['python']}; the fastest matrix product: {machine['gflops']:.0f} GFLOP/s")


def gflops(product: Callable[[], object], size: int, budget: float = 1.0) -> float:
    """Return how many billions of operations a product of two square matrices does in a second, at its best."""
    best, end = float("inf"), time.perf_counter() + budget
    while time.perf_counter() < end:
        start = time.perf_counter()
        product()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best / 1e9


def _peak() -> float:
    """Try NumPy's and PyTorch's products of two sizes, and take the best."""
    found = []
    for size in (1024, 2048):
        a = np.random.default_rng(0).standard_normal((size, size), np.float32)
        found.append(gflops(lambda a=a: a @ a, size))
        if _version("torch"):
            import torch

            t = torch.tensor(a)
            found.append(gflops(lambda t=t: t @ t, size))
    return max(found)


def _blas() -> str:
    """Name the BLAS that NumPy uses and the processor that it was tuned for, since that may not be this one."""
    from threadpoolctl import threadpool_info

    found = [f"{each['internal_api']} {each['version']} ({each.get('architecture', 'unknown core')})"
             for each in threadpool_info() if each["user_api"] == "blas"]
    return ", ".join(found) or "a BLAS that is not known"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.*)$", info.read_text(), re.MULTILINE) if info.exists() else None
    return found[1] if found else platform.processor() or platform.machine()


def _memory() -> int | None:
    """Return the main memory in GB."""
    pages = os.sysconf("SC_PHYS_PAGES") if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}) else 0
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e9) if pages else None


if __name__ == "__main__":
    print(json.dumps(describe()))

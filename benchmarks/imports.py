"""How long it takes to start Python and import a framework whose files are in the system's cache.

Python alone takes about 0.02 s of it.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from .harness.work import Missing, Work, Workloads

__all__ = ["KIND", "workloads"]

KIND = "import"
RIVALS = ("chalkgrad", "numpy", "torch", "jax", "autograd", "mygrad", "tinygrad")


def workloads(rival: str) -> Workloads:
    """Name the import, and what builds it for one rival."""
    return {"import": partial(_import, rival)}


def _import(rival: str) -> Work:
    if rival not in RIVALS:
        raise Missing
    command = [sys.executable, "-c", f"import {rival}"]
    return Work(lambda: subprocess.run(command, capture_output=True, check=True), lambda: 0.0)

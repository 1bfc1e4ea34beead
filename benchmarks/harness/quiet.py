"""Was the machine quiet? A second program on one of two cores makes PyTorch's two threads wait for each other.

A step of an MLP took 185 ms beside it, and 0.8 alone.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

__all__ = ["TOO_MUCH", "Watch"]

STAT = Path("/proc/stat")
TOO_MUCH = 0.1  # cores, on average over a turn, that others may use; above that, the turn is repeated


class Watch:
    """Notes, from when it is made, how much of the processor others use than this process and its children."""

    def __init__(self) -> None:
        self.start, self.busy, self.own = time.perf_counter(), _busy(), _own()

    def others(self) -> float:
        """Return how many cores others kept busy on average, or 0 where the system does not tell."""
        elapsed = time.perf_counter() - self.start
        return max(0.0, (_busy() - self.busy) - (_own() - self.own)) / elapsed


def _busy() -> float:
    """Return the seconds that all cores have worked: user, nice, system, irq, softirq (proc(5))."""
    if not STAT.exists():
        return 0.0
    ticks = [int(number) for number in STAT.read_text().split(maxsplit=8)[1:8]]
    return (sum(ticks[:3]) + sum(ticks[5:7])) / os.sysconf("SC_CLK_TCK")


def _own() -> float:
    """Return the seconds that this process and its children, those that have ended, have worked."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system

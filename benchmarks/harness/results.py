"""What a run found, as a dict that is written to a JSON file, and the numbers that are read off it.

date       when it began, UTC
machine    what it ran on, and `gflops`, the fastest matrix product there
options    rounds, threads, tuned
workloads  name -> suite, kind, flops (of one run), rivals

A rival has lists with a number a round: what child.py prints, and `others`, the cores that other programs used
meanwhile. Or it has `missing` or `failed`, and why. One that lacks the workload without a reason is not there.
"""

from __future__ import annotations

import json
import math
import os
import statistics
from pathlib import Path
from typing import Any, NamedTuple

__all__ = [
    "FOLDER", "Ratio", "Result", "agree", "geometric_mean", "mean_ratio", "newest", "ratio", "save", "seconds", "timed",
]

Result = dict[str, Any]
FOLDER = Path(__file__).parent.parent / "results"


class Ratio(NamedTuple):
    """How long one rival takes in units of another's time, over rounds; below 1 it is the faster one."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f}"


def ratio(mine: list[float], theirs: list[float]) -> Ratio:
    """Compare the times of the same round, so that what else the machine did hits both."""
    ratios = sorted(one / other for one, other in zip(mine, theirs, strict=False))
    return Ratio(statistics.median(ratios), ratios[0], ratios[-1])


def geometric_mean(numbers: list[float]) -> float:
    """Return the mean of ratios: that of their logarithms, so that 2 and 1/2 make 1."""
    return math.exp(statistics.fmean(map(math.log, numbers)))


def agree(checks: list[float]) -> bool:
    """Tell whether all rivals computed the same number, so that nobody wins by doing less.

    Adam makes a whole step of a gradient that is nothing but rounding, since it divides by its size. So the losses of
    LeNet-5 after 20 steps spread over 1.1e-3 of their size, within one rival whose sums come in a changing order too.
    """
    return all(map(math.isfinite, checks)) and max(checks) - min(checks) <= 3e-3 * max(1.0, *map(abs, checks))


def timed(result: Result, kind: str, *rivals: str) -> list[str]:
    """Name the workloads of a kind that all of these rivals have."""
    return [name for name, workload in result["workloads"].items()
            if workload["kind"] == kind and all(workload["rivals"].get(rival, {}).get("seconds") for rival in rivals)]


def seconds(result: Result, workload: str, rival: str) -> list[float]:
    """Return the times of a rival, round by round."""
    times: list[float] = result["workloads"][workload]["rivals"][rival]["seconds"]
    return times


def mean_ratio(result: Result, mine: str, theirs: str) -> float | None:
    """Return the geometric mean of the ratios over all training steps that both have."""
    ratios = [ratio(seconds(result, name, mine), seconds(result, name, theirs)).median
              for name in timed(result, "training", mine, theirs)]
    return geometric_mean(ratios) if ratios else None


def save(result: Result, suffix: str, folder: Path = FOLDER) -> Path:
    """Write a result beside its place and move it there, so that there is never half a file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result['date'].replace(':', '')}{suffix}.json"
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    os.replace(beside, path)
    return path


def newest(suffix: str, folder: Path = FOLDER) -> Result | None:
    """Read the newest result with this end of its name, or return None if there is none. Names begin with the date."""
    found = sorted(path for path in folder.glob("*.json") if path.stem.partition("_")[2] == suffix.removeprefix("_"))
    return json.loads(found[-1].read_text(encoding="utf-8")) if found else None

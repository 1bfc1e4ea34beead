"""Run suites: every rival in a process of its own, in alternating rounds, and print ratios.

python -m benchmarks engine lenet5 --rounds 7
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# Told so, glibc keeps freed memory for the next array. chalkgrad tells it by itself (chalkgrad/allocator.py).
TUNED = {"MALLOC_TRIM_THRESHOLD_": "1000000000", "MALLOC_MMAP_THRESHOLD_": "1000000000"}
Rounds = dict[str, dict[str, list[float]]]  # workload -> rival -> seconds, a number a round


def suites() -> list[str]:
    """Name the suites: the files beside this one that have workloads."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if "\ndef workloads(" in path.read_text())


def turn(suite: str, rival: str, tuned: bool) -> dict[str, dict[str, float]]:
    """Let one rival run in a fresh process, with the BLAS that a user's machine would choose."""
    environment = {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"} | THREADS
    environment |= TUNED if tuned else {}
    command = [sys.executable, "-m", "benchmarks.child", suite, rival]
    output = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout
    found: dict[str, dict[str, float]] = json.loads(output)
    return found


def compete(suite: str, rivals: list[str], rounds: int, tuned: bool) -> tuple[Rounds, Rounds]:
    """Run the rivals in turn, round after round, so that what else the machine does hits all of them."""
    times: Rounds = {}
    checks: Rounds = {}
    for number in range(rounds):
        for rival in rivals if number % 2 == 0 else rivals[::-1]:
            for workload, found in turn(suite, rival, tuned).items():
                times.setdefault(workload, {}).setdefault(rival, []).append(found["seconds"])
                checks.setdefault(workload, {}).setdefault(rival, []).append(found["check"])
    return times, checks


def agree(checks: dict[str, list[float]]) -> bool:
    """Tell whether all rivals computed the same number, so that nobody wins by doing less."""
    numbers = [number for found in checks.values() for number in found]
    return max(numbers) - min(numbers) <= 1e-3 * max(1.0, *map(abs, numbers))


def report(suite: str, times: Rounds, checks: Rounds, against: str) -> None:
    """Print a row for each workload and rival: median time, and the ratio to one rival with its spread."""
    print(f"\n{suite}: ratios are time / time of {against} in the same round; below 1 is faster")
    print(f"  {'workload':<12} {'rival':<10} {'median':>10}  {'ratio':>6}  {'spread':<12}")
    for workload, rivals in times.items():
        for rival, seconds in rivals.items():
            ratios = sorted(mine / theirs for mine, theirs in zip(seconds, rivals.get(against, []), strict=False))
            ratio = f"{statistics.median(ratios):6.2f}  {ratios[0]:.2f} to {ratios[-1]:.2f}" if ratios else ""
            print(f"  {workload:<12} {rival:<10} {statistics.median(seconds) * 1e6:8.2f} us  {ratio}")
        if not agree(checks[workload]):
            print(f"  {workload}: the rivals do not agree on the result: {checks[workload]}")
            raise SystemExit(1)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("names", nargs="*", help=f"suites: {', '.join(suites())} (all of them, if none is named)")
    parser.add_argument("--rounds", type=int, default=7, help="how often every rival runs (default 7)")
    parser.add_argument("--tuned", action="store_true", help="tell the C library to keep freed memory, for every rival")
    options = parser.parse_args()
    unknown = set(options.names) - set(suites())
    if unknown or options.rounds < 1:
        parser.error(f"there is no suite {', '.join(sorted(unknown))}; there are {', '.join(suites())}" if unknown
                     else f"--rounds must be at least 1, but {options.rounds} came")
    for suite in options.names or suites():
        rivals = importlib.import_module(f"benchmarks.{suite}").RIVALS
        report(suite, *compete(suite, rivals, options.rounds, options.tuned), against="torch")


if __name__ == "__main__":
    main()

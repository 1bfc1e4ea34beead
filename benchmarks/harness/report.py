"""What a run found, in words: lines for the screen, and the block of the README between two comments."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .goals import Goal, goals
from .machine import words
from .quiet import TOO_MUCH
from .results import Result, agree, mean_ratio, ratio

__all__ = ["BEGIN", "END", "block", "disagreements", "disturbed", "goal_lines", "replace_block", "workload_lines"]

BEGIN, END = "<!-- written by scripts/bench --report -->", "<!-- up to here -->"
NAMES = {
    "chalkgrad": "chalkgrad", "spelled": "spelled", "compiled": "compiled", "torch": "PyTorch",
    "torch-compile": "torch.compile", "jax": "JAX", "autograd": "autograd", "mygrad": "MyGrad", "tinygrad": "tinygrad",
}
INSTALLED = (
    "All rivals are as they are installed. Part of chalkgrad's lead is not arithmetic: it tells the C library to keep "
    "freed memory ([allocator.py](src/chalkgrad/allocator.py)), and PyTorch does not. `scripts/bench --tuned` tells it "
    "to all."
)
TUNED = "The C library was told to keep freed memory for all rivals (`scripts/bench --tuned`)."
MARKS = {True: "met", False: "not met", None: "not measured"}


def workload_lines(name: str, result: Result, base: str = "torch") -> list[str]:
    """Tell of one workload: median time, ratio with its spread, memory, and how near the machine's limit."""
    workload = result["workloads"][name]
    flops = f", {workload['flops'] / 1e9:.3g} GFLOP" if workload["flops"] else ""
    lines = [f"{name} ({workload['kind']}{flops})"]
    for rival, found in workload["rivals"].items():
        if "seconds" not in found:
            why = [f"{kind}: {found[kind][0]}" for kind in ("missing", "failed") if kind in found]
            lines.append(f"  {rival:<13} {why[0]}")
            continue
        took = statistics.median(found["seconds"])
        memory = megabytes(found) if workload["kind"] != "import" else ""
        cells = [f"{duration(took):>10}", f"{against(workload, rival, base):<22}", f"{memory:>10}"]
        if workload["flops"]:
            rate = workload["flops"] / took / 1e9
            cells.append(f"{rate:6.1f} GFLOP/s, {rate / result['machine']['gflops']:4.0%} of the limit")
        lines.append(f"  {rival:<13} {'  '.join(cells)}".rstrip())
    return lines


def disagreements(result: Result) -> list[str]:
    """Name the workloads on whose result the rivals do not agree."""
    lines = []
    for name, workload in result["workloads"].items():
        checks = {rival: found["check"] for rival, found in workload["rivals"].items() if "check" in found}
        if checks and not agree([number for found in checks.values() for number in found]):
            lines.append(f"{name}: the rivals do not agree on the result: {checks}")
    return lines


def disturbed(result: Result) -> str:
    """Say how many turns other programs disturbed, each time that they were tried; nothing if there was none."""
    turns = [each for workload in result["workloads"].values() for found in workload["rivals"].values()
             for each in found.get("others", [])]
    count = sum(each > TOO_MUCH for each in turns)
    return f"Other programs disturbed {count} of {len(turns)} turns. " if count else ""


def goal_lines(found: Iterable[Goal]) -> list[str]:
    """Tell of the goals, a line for each."""
    return [f"  {goal.number:<3} {MARKS[goal.met]:<13} {goal.claim}" + (f": {goal.figures}" if goal.figures else "")
            for goal in found]


def block(result: Result, scaling: Result | None) -> str:
    """Write the README's block, markers included."""
    threads = result["options"]["threads"]
    tuned = TUNED if result["options"]["tuned"] else INSTALLED
    parts = [
        BEGIN,
        f"What `scripts/bench` found on {result['date'][:10]}. {words(result['machine'], threads)}. The number "
        "of a rival is its time in units of PyTorch's eager time in the same round, the median of "
        f"{result['options']['rounds']} rounds; below 1 is faster. {disturbed(result)}".rstrip(),
        *_tables(result),
        tuned,
        "![Times relative to PyTorch](docs/bench.svg)",
        "The goals that the project has set itself:",
        _markdown(["", "goal", "", "figures"], [[goal.number, goal.claim, MARKS[goal.met], goal.figures]
                                               for goal in goals(result, scaling)]),
        *(["![Time against batch, width and length](docs/scaling.svg)"] if scaling else []),
        END,
    ]
    return "\n\n".join(parts)


def replace_block(page: Path, text: str) -> None:
    """Put a block where the old one stands, beside and renamed; the page must have the two markers."""
    old = page.read_text(encoding="utf-8")
    if old.count(BEGIN) != 1 or old.count(END) != 1:
        raise SystemExit(f"{page.name} needs these two lines once each, around what is to be replaced:\n{BEGIN}\n{END}")
    before, after = old.split(BEGIN)[0], old.split(END)[1]
    beside = page.with_suffix(".part")
    beside.write_text(before + text + after, encoding="utf-8")
    os.replace(beside, page)


def duration(seconds: float) -> str:
    """Write a time with three digits: 48.0 us, 2.69 ms, 1.20 s."""
    for unit, size in (("us", 1e-6), ("ms", 1e-3), ("s", 1.0)):
        if seconds < 999.5 * size or unit == "s":
            return f"{seconds / size:.3g} {unit}"
    raise AssertionError


def against(workload: dict[str, Any], rival: str, base: str) -> str:
    """Write the ratio to another rival with its spread, or nothing where that one did not run."""
    theirs = workload["rivals"].get(base, {}).get("seconds")
    if not theirs:
        return ""
    found = ratio(workload["rivals"][rival]["seconds"], theirs)
    return f"{found} ({found.low:.2f} to {found.high:.2f})"


def megabytes(found: dict[str, Any]) -> str:
    """Write the median of the peak memory, or nothing where it is not known."""
    known = [number for number in found.get("memory", []) if number is not None]
    return f"{statistics.median(known) / 1e6:.1f} MB" if known else ""


def _tables(result: Result) -> list[str]:
    """Write a table of times, and one of memory and of how near the limit, over training steps and inference."""
    names = [name for name, each in result["workloads"].items() if each["kind"] in ("training", "inference")]
    ran = {rival for name in names for rival, each in result["workloads"][name]["rivals"].items() if "seconds" in each}
    rivals = [rival for rival in NAMES if rival in ran and rival != "torch"]
    times = [[name, _cell(result, name, "torch", _took), *(_cell(result, name, rival, _ratio) for rival in rivals)]
             for name in names]
    means = [mean_ratio(result, rival, "torch") for rival in rivals]
    times.append(["geometric mean, training", "", *(f"{mean:.2f}" if mean else "" for mean in means)])
    few = [rival for rival in ("torch", "chalkgrad", "compiled") if rival in ran]
    needs = [[name, *(_cell(result, name, rival, _memory) for rival in few),
              *(_cell(result, name, rival, _limit) for rival in few)] for name in names]
    heads = [NAMES[rival] for rival in few]
    return [
        _markdown(["one step", "PyTorch", *(NAMES[rival] for rival in rivals)], times),
        "Peak memory of a step, above what the process held before the first, in MB; and the floating point operations "
        "of its products as a share of what the machine's fastest matrix product reaches:",
        _markdown(["", *(f"{head}, MB" for head in heads), *(f"{head}, share" for head in heads)], needs),
    ]


def _cell(result: Result, name: str, rival: str, what: Any) -> str:
    workload = result["workloads"][name]
    found = workload["rivals"].get(rival, {})
    return what(result, workload, rival) if "seconds" in found else ""


def _took(result: Result, workload: dict[str, Any], rival: str) -> str:
    return duration(statistics.median(workload["rivals"][rival]["seconds"]))


def _ratio(result: Result, workload: dict[str, Any], rival: str) -> str:
    return against(workload, rival, "torch").partition(" ")[0]


def _memory(result: Result, workload: dict[str, Any], rival: str) -> str:
    return megabytes(workload["rivals"][rival]).removesuffix(" MB")


def _limit(result: Result, workload: dict[str, Any], rival: str) -> str:
    if not workload["flops"]:
        return ""
    took = statistics.median(workload["rivals"][rival]["seconds"])
    return f"{workload['flops'] / took / 1e9 / result['machine']['gflops']:.0%}"


def _markdown(heads: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows))

"""The race: every rival and workload in a process of its own, in rounds, with the same threads."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .quiet import TOO_MUCH, Watch
from .results import Result
from .work import FRAMEWORKS

__all__ = ["Settings", "ask", "ask_quietly", "environment", "names_of", "race", "turn"]

ROOT = Path(__file__).parent.parent.parent
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# Told so, glibc keeps freed memory for the next array. chalkgrad tells it by itself (chalkgrad/allocator.py).
TUNED = {"MALLOC_TRIM_THRESHOLD_": "1000000000", "MALLOC_MMAP_THRESHOLD_": "1000000000"}
TRIES = 3  # for a turn that other programs disturb
LIMIT = 300  # seconds: a child that takes longer has failed
LONG = 30.0  # seconds: a turn that takes longer is not repeated


class Settings(NamedTuple):
    """How to race.

    rounds   how often every rival runs each workload
    threads  how many each may use
    tuned    tell the C library to keep freed memory, for every rival
    lock     a file that is locked during each turn, so that what else runs on the machine can wait for its end
    """

    rounds: int
    threads: int
    tuned: bool = False
    lock: Path | None = None


def environment(rival: str, settings: Settings) -> dict[str, str]:
    """Return a child's environment: the same threads for all, and the BLAS that a user's machine would choose.

    chalkgrad is imported beside some rivals, for the first weights; it must not tune the memory of others.
    """
    # as on a user's machine: BLAS chooses its kernels, and Python keeps what it compiled for the next import
    unusual = {"OPENBLAS_CORETYPE", "PYTHONDONTWRITEBYTECODE"}
    kept = {key: value for key, value in os.environ.items() if key not in unusual}
    others = {} if FRAMEWORKS.get(rival) == "chalkgrad" else {"CHALKGRAD_KEEP_MEMORY": "0"}
    return kept | dict.fromkeys(THREADS, str(settings.threads)) | others | (TUNED if settings.tuned else {})


def ask(module: str, *words: str, rival: str, settings: Settings) -> tuple[Any, float]:
    """Run a module of the benchmarks in a fresh process; return what it prints, and how many cores others used."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *words]
    variables = environment(rival, settings)
    with _locked(settings.lock):
        watch = Watch()
        try:
            done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=LIMIT)
        except subprocess.TimeoutExpired as error:
            raise ChildProcessError(f"did not end within {LIMIT} seconds") from error
        others = watch.others()
    if done.returncode:
        raise ChildProcessError((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
    return json.loads(done.stdout.strip().splitlines()[-1]), round(others, 3)  # some rivals greet before


def ask_quietly(module: str, *words: str, rival: str, settings: Settings) -> tuple[Any, float]:
    """Do so again if other programs disturbed it, up to `TRIES` times in all."""
    for _ in range(TRIES):
        found, others = ask(module, *words, rival=rival, settings=settings)
        if others <= TOO_MUCH:
            break
    return found, others


def turn(suite: str, workload: str, rival: str, settings: Settings) -> dict[str, Any]:
    """Let one rival do one workload; what goes wrong is told in the result, and the others go on."""
    try:
        found, others = ask_quietly("child", suite, workload, rival, rival=rival, settings=settings)
    except ChildProcessError as error:
        return {"failed": str(error)}
    return found | {"others": others} if "seconds" in found else dict(found)


def names_of(suite: str) -> list[str]:
    """Name the workloads of a suite; nothing is built for that."""
    return list(importlib.import_module(f"benchmarks.{suite}").workloads("chalkgrad"))


def race(chosen: dict[str, str], kinds: dict[str, str], rivals: list[str], settings: Settings,
         tell: Callable[[str, dict[str, Any]], None]) -> Result:
    """Run all rivals on the chosen workloads (name -> suite); `tell` hears of each workload as it is done."""
    date = time.strftime("%Y-%m-%dT%H:%M", time.gmtime())
    machine, _ = ask_quietly("harness.machine", rival="torch", settings=settings)
    options = {"rounds": settings.rounds, "threads": settings.threads, "tuned": settings.tuned}
    result: Result = {"date": date, "machine": machine, "options": options, "workloads": {}}
    for name, suite in chosen.items():
        kind = kinds[suite]
        found = {"suite": suite, "kind": kind, "flops": _flops(suite, name, kind, settings),
                 "rivals": _rounds(suite, name, [*rivals, *(["numpy"] if kind == "import" else [])], settings)}
        result["workloads"][name] = found
        tell(name, result)
    return result


def _rounds(suite: str, workload: str, rivals: list[str], settings: Settings) -> dict[str, dict[str, Any]]:
    """Run in rounds; every second one goes backwards, so that nobody always runs after the same other."""
    found: dict[str, dict[str, Any]] = {}
    done: set[str] = set()
    for number in range(settings.rounds):
        for rival in rivals if number % 2 == 0 else rivals[::-1]:
            if rival in done:
                continue
            told = turn(suite, workload, rival, settings)
            for key, value in told.items():
                found.setdefault(rival, {}).setdefault(key, []).append(value)
            if told.get("turn", LONG) >= LONG:
                done.add(rival)
    return found


def _flops(suite: str, workload: str, kind: str, settings: Settings) -> int | None:
    """Count only where a step is made of products; None if there is no PyTorch to count with."""
    if kind not in ("training", "inference"):
        return None
    try:
        return int(ask("harness.flops", suite, workload, rival="torch", settings=settings)[0])
    except ChildProcessError:
        return None


@contextlib.contextmanager
def _locked(lock: Path | None) -> Iterator[None]:
    if lock is None:
        yield
        return
    import fcntl  # there is none on Windows

    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

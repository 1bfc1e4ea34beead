"""What a suite gives to the harness: for each workload a function that builds it in one framework."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["FRAMEWORKS", "Missing", "Work", "Workloads", "catalogue", "eager_framework", "framework_of"]

# The rivals that share PyTorch's names, so that the text of a model is written once for all of them.
FRAMEWORKS = {
    "chalkgrad": "chalkgrad", "spelled": "chalkgrad", "compiled": "chalkgrad",
    "torch": "torch", "torch-compile": "torch",
}
KINDS = ["training", "inference", "import", "scaling", "part"]


class Missing(Exception):
    """A rival does not have a workload. The message says why; without one, it is simply left out."""


class Work(NamedTuple):
    """Something to measure.

    run    do it once
    check  do it some times, and return a number that all rivals must agree on, so that nobody wins by doing less
    """

    run: Callable[[], Any]
    check: Callable[[], float]


Workloads = dict[str, Callable[[], Work]]


def framework_of(rival: str) -> Any:
    """Import the framework of a rival that has PyTorch's names; its threads are set by the environment."""
    return importlib.import_module(FRAMEWORKS[rival])


def eager_framework(rival: str) -> Any:
    """Import the framework of a rival for what is not a training step, which is written for eager frameworks alone."""
    if rival not in ("chalkgrad", "torch"):
        raise Missing
    return framework_of(rival)


def catalogue() -> dict[str, str]:
    """Find the suites, files with a function `workloads`, and the kind of each, in this order:

    training   steps that goals 1 to 4 speak of
    inference  forward alone
    import     what it takes to start
    scaling    the same step at several sizes
    part       one layer, one optimizer: for those who work on it; run only when named
    """
    folder = Path(__file__).parent.parent
    suites = sorted(path.stem for path in folder.glob("*.py") if "\ndef workloads(" in path.read_text("utf-8"))
    kinds = {suite: importlib.import_module(f"benchmarks.{suite}").KIND for suite in suites}
    return dict(sorted(kinds.items(), key=lambda item: KINDS.index(item[1])))

"""The goals, and whether a run meets them: ratios of times, all of one run, with the same threads."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any, NamedTuple

from .results import Ratio, Result, mean_ratio, ratio, seconds, timed

__all__ = ["Goal", "goals", "linear"]

LEVEL = 1.0
FIRST_MARK = {"resnet20": 1 / 0.7}  # PyTorch's convolution runs near the machine's limit there
MEAN = 1 / 1.5
EAGER = 1.10
OTHERS, TIMES = ("autograd", "mygrad", "tinygrad"), 3
COMPILERS = ("torch-compile", "jax")
IMPORT, BEYOND_NUMPY = 0.25, 0.12  # seconds
SLACK = 1.10  # a step may take so much longer than in proportion to its batch before it counts as worse than linear
OURS = ("chalkgrad", "compiled")


class Goal(NamedTuple):
    """A goal and what was found: met, not met, or None where it was not measured."""

    number: str
    claim: str
    met: bool | None
    figures: str


def goals(result: Result, scaling: Result | None = None) -> list[Goal]:
    """Mark all goals; what a run did not measure is told as such."""
    return [*_speed(result), _eager(result), _others(result), _memory(result), _growth(scaling), _import(result)]


def _speed(result: Result) -> Iterator[Goal]:
    """Goal 1 has three parts."""
    found = _ratios(result, "compiled", "torch")
    slow = {name: each for name, each in found.items() if each.median > LEVEL}
    marks = {name: each for name, each in slow.items() if each.median > FIRST_MARK.get(name, LEVEL)}
    figures = _listed(slow) or (f"slowest {max(each.median for each in found.values()):.2f}" if found else "")
    if slow and not marks:
        figures += "; that is within its first mark"
    yield _goal("1a", "compiled at least as fast as PyTorch on every training step", not slow, figures, found)
    mean = mean_ratio(result, "compiled", "torch")
    yield _goal("1b", f"compiled takes at most {MEAN:.2f} of PyTorch's time in the geometric mean",
                mean is not None and mean <= MEAN, f"{mean or 0:.2f}", found)
    means = {rival: mean_ratio(result, "compiled", rival) for rival in COMPILERS}
    measured = {rival: mean for rival, mean in means.items() if mean is not None}
    figures = ", ".join(f"{mean:.2f} of {rival}'s time" for rival, mean in measured.items())
    yield _goal("1c", "compiled at least level with torch.compile and JAX in the geometric mean",
                all(mean <= LEVEL for mean in measured.values()), figures, measured.keys() >= {*COMPILERS})


def _eager(result: Result) -> Goal:
    mean = mean_ratio(result, "chalkgrad", "torch")
    return _goal("2", f"eager takes at most {EAGER:.2f} of PyTorch's time in the geometric mean",
                 mean is not None and mean <= EAGER, f"{mean or 0:.2f}", mean)


def _others(result: Result) -> Goal:
    """Compiled runs against the others, and eager as long as nothing is compiled."""
    mine = "compiled" if timed(result, "training", "compiled") else "chalkgrad"
    found = {f"{rival} at {name}": each for rival in OTHERS for name, each in _ratios(result, rival, mine).items()}
    slow = {name: each for name, each in found.items() if each.median < TIMES}
    means = {rival: mean_ratio(result, rival, mine) for rival in OTHERS}
    figures = ", ".join(f"{mean:.1f} x {rival}" for rival, mean in means.items() if mean)
    figures += f" in the mean ({mine}); less than {TIMES} x: {_listed(slow)}" if slow else f" in the mean ({mine})"
    return _goal("3", f"at least {TIMES} x as fast as autograd, MyGrad and tinygrad wherever they run", not slow,
                 figures, found)


def _memory(result: Result) -> Goal:
    found = {}
    for name in timed(result, "training", "compiled", "torch"):
        mine, theirs = (_median(result, name, rival, "memory") for rival in ("compiled", "torch"))
        if mine is not None and theirs is not None:
            found[name] = (mine, theirs)
    more = [f"{name} {mine / 1e6:.1f} MB instead of {theirs / 1e6:.1f}" for name, (mine, theirs) in found.items()
            if mine > theirs]
    figures = ", ".join(more) or f"at all {len(found)}"
    return _goal("4", "the peak memory of a compiled step is at most PyTorch's", not more, figures, found)


def _growth(scaling: Result | None) -> Goal:
    rivals = [rival for rival in OURS if scaling and timed(scaling, "scaling", rival)]
    worse = [f"{rival} {step}" for rival in rivals for step in linear(scaling or {}, rival)]
    return _goal("5", "no step grows worse than linearly with its batch", not worse,
                 ", ".join(worse) or f"{' and '.join(rivals)} do not", rivals)


def linear(scaling: Result, rival: str) -> list[str]:
    """Name the steps of a batch to the next larger one at which the time grows faster than the batch."""
    series: dict[str, list[tuple[int, float]]] = {}
    for name in timed(scaling, "scaling", rival):
        model, dimension, size = name.split("/")
        if dimension == "batch":
            series.setdefault(model, []).append((int(size), statistics.median(seconds(scaling, name, rival))))
    worse = []
    for model, points in series.items():
        for (few, quick), (many, slow) in zip(sorted(points), sorted(points)[1:]):
            if slow / quick > SLACK * many / few:
                worse.append(f"{model} from batch {few} to {many}: {slow / quick:.2f} x the time")
    return worse


def _import(result: Result) -> Goal:
    names = timed(result, "import", "chalkgrad", "numpy")
    took = [statistics.median(seconds(result, name, rival)) for name in names for rival in ("chalkgrad", "numpy")]
    mine, numpy = took or (0.0, 0.0)
    return _goal("6", f"`import chalkgrad` in {IMPORT} s, and at most {BEYOND_NUMPY} s more than NumPy",
                 mine <= IMPORT and mine - numpy <= BEYOND_NUMPY, f"{mine:.3f} s, NumPy {numpy:.3f} s", names)


def _ratios(result: Result, mine: str, theirs: str) -> dict[str, Ratio]:
    return {name: ratio(seconds(result, name, mine), seconds(result, name, theirs))
            for name in timed(result, "training", mine, theirs)}


def _median(result: Result, name: str, rival: str, what: str) -> float | None:
    numbers = [each for each in result["workloads"][name]["rivals"][rival][what] if each is not None]
    return statistics.median(numbers) if numbers else None


def _listed(ratios: dict[str, Ratio]) -> str:
    return ", ".join(f"{name} {each}" for name, each in ratios.items())


def _goal(number: str, claim: str, met: bool, figures: str, measured: Any) -> Goal:
    return Goal(number, claim, met, figures) if measured else Goal(number, claim, None, "")

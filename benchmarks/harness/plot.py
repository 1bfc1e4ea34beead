"""Two plots, as SVG: times relative to PyTorch, and how time grows with the size of the work."""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.ticker

from .report import NAMES
from .results import Result, ratio, seconds, timed

__all__ = ["ratios", "scaling"]

COLOURS = {
    "torch": "#ee4c2c", "chalkgrad": "#9db4c0", "spelled": "#4c8577", "compiled": "#1d3557", "torch-compile": "#f4a261",
    "jax": "#8a4fff", "autograd": "#b5838d", "mygrad": "#6b705c", "tinygrad": "#2a2a2a",
}
LOOK = {"svg.fonttype": "none", "svg.hashsalt": "chalkgrad", "font.size": 9, "axes.spines.top": False,
        "axes.spines.right": False, "font.family": "sans-serif"}


def ratios(result: Result, path: Path) -> None:
    """Draw a row for each training step, a dot for each rival, and a line from its lowest ratio to its highest."""
    names = timed(result, "training", "torch")[::-1]
    rivals = [rival for rival in NAMES if rival != "torch" and timed(result, "training", rival, "torch")]
    with matplotlib.rc_context(LOOK):
        figure, axes = _figure(1, 1, (7.5, 0.8 + 0.34 * len(names)))
        for rival in rivals:
            _dots(axes[0][0], result, names, rival)
        axes[0][0].axvline(1, color=COLOURS["torch"], linewidth=1, zorder=0)
        axes[0][0].set(xscale="log", xlabel="time / PyTorch's time in the same round; left of the line is faster")
        axes[0][0].set_yticks(range(len(names)), names)
        axes[0][0].xaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
        axes[0][0].xaxis.set_major_formatter("{x:g}")
        axes[0][0].xaxis.set_minor_formatter("")
        figure.legend(loc="outside upper center", ncols=4, frameon=False)
        _save(figure, path)


def scaling(result: Result, path: Path) -> None:
    """Draw a panel for each model and dimension: milliseconds against size, both on logarithmic scales."""
    panels = list(dict.fromkeys(tuple(name.split("/")[:2]) for name in result["workloads"]))
    models = list(dict.fromkeys(model for model, _ in panels))
    dimensions = list(dict.fromkeys(dimension for _, dimension in panels))
    with matplotlib.rc_context(LOOK):
        figure, axes = _figure(len(models), len(dimensions), (7.5, 2.1 * len(models)))
        for row, model in enumerate(models):
            for column, dimension in enumerate(dimensions):
                _panel(axes[row][column], result, model, dimension)
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
        _save(figure, path)


def _dots(axes: Any, result: Result, names: list[str], rival: str) -> None:
    mine = [name for name in timed(result, "training", rival, "torch") if name in names]
    found = [ratio(seconds(result, name, rival), seconds(result, name, "torch")) for name in mine]
    rows = [names.index(name) for name in mine]
    axes.hlines(rows, [each.low for each in found], [each.high for each in found], color=COLOURS[rival], alpha=0.5)
    axes.plot([each.median for each in found], rows, "o", color=COLOURS[rival], markersize=5, label=NAMES[rival])


def _panel(axes: Any, result: Result, model: str, dimension: str) -> None:
    names = [name for name in result["workloads"] if name.startswith(f"{model}/{dimension}/")]
    axes.set_visible(bool(names))
    for rival in NAMES:
        points = sorted((int(name.rpartition("/")[2]), statistics.median(seconds(result, name, rival)) * 1e3)
                        for name in names if name in timed(result, "scaling", rival))
        if points:
            axes.loglog(*zip(*points), "o-", color=COLOURS[rival], markersize=3, linewidth=1, label=NAMES[rival])
    sizes = sorted(int(name.rpartition("/")[2]) for name in names)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set(title=f"{model}, by {dimension}", ylabel="ms")


def _figure(rows: int, columns: int, size: tuple[float, float]) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def _save(figure: Any, path: Path) -> None:
    """Write beside and rename; without a date, so that the same numbers give the same file."""
    beside = path.with_suffix(".part")
    figure.savefig(beside, format="svg", metadata={"Date": None}, facecolor="white")
    os.replace(beside, path)

"""The screen: what a person sees while a run goes on, in a terminal or in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from rich import progress
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..train import Callback, Outcome, Run, Trainer
from ..train.outcome import show_score
from ..train.trainer import Record

__all__ = ["Progress", "Screen"]


class Screen:
    """Lines and tables; where nobody looks (no terminal), without colours and without anything that moves."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=True)

    def say(self, text: str, style: str = "") -> None:
        """Print a line as it is."""
        self.console.print(Text(text, style=style))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print columns of words."""
        table = Table(*head, box=None, header_style="dim", pad_edge=False, padding=(0, 3, 0, 0))
        for row in rows:
            table.add_row(*map(Text, row))
        self.console.print(table, soft_wrap=False)

    def introduce(self, run: Run) -> None:
        """Say what is about to be trained, on what."""
        session = run.session
        parameters = sum(parameter.data.size for parameter in session.model.parameters())
        train, val, test = (len(x) for x, _ in (session.problem.train, session.problem.val, session.problem.test))
        settings, done = session.settings, session.trainer.epoch
        self.say(f"{settings.dataset}, {settings.model} with {parameters:,} parameters", "bold")
        self.say(f"{train:,} rows to learn from, {val:,} to check with after each epoch, {test:,} for the test", "dim")
        if done:
            self.say(f"resumed after epoch {done} of {settings.epochs}", "dim")

    def show_outcome(self, outcome: Outcome, path: Path) -> None:
        """Print the result of the test, and where the rest is."""
        self.say("")
        self.say(outcome.headline, "bold green")
        if outcome.confusion is not None:
            self.say("")
            self.console.print(_confusion(outcome.class_names, outcome.confusion.tolist()), soft_wrap=False)
        self.say("")
        self.say("The curves, the mistakes and the training step, spelled out, are in")
        self.say(str(path), "bold")


def _confusion(names: Sequence[str], counts: Sequence[Sequence[int]]) -> Table:
    """Rows are true classes, columns what they were taken for."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("true \\ predicted", justify="right", style="dim")
    for name in names:
        table.add_column(Text(name), justify="right")
    for i, row in enumerate(counts):
        table.add_row(Text(names[i]), *(_count(count, i == j) for j, count in enumerate(row)))
    return table


def _count(count: int, is_right: bool) -> Text:
    return Text(str(count) if count else "·", style="" if is_right else "bold red" if count else "dim")


class Progress(Callback):
    """A line for each epoch and, in a terminal, a bar under them that moves with every batch."""

    def __init__(self, screen: Screen, run: Run) -> None:
        self.screen, self.run = screen, run
        trainer, epochs = run.session.trainer, run.session.settings.epochs
        self.batches = len(trainer.loader)
        self.bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(complete_style="cyan", finished_style="cyan"),
            progress.TimeRemainingColumn(),
            console=screen.console,
            transient=True,
            disable=not screen.console.is_terminal,
        )
        self.task = self.bar.add_task(
            _epoch(trainer.epoch, epochs), total=self.batches * epochs, completed=self.batches * trainer.epoch
        )

    def __enter__(self) -> Progress:
        measure, unit = self.run.session.problem.measure, self.run.session.problem.unit
        self.screen.say("")
        shown = f"{measure} ({unit})" if unit else measure
        self.screen.say(_line("epoch", "loss", "validation", shown, "validation"), "dim")
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.bar.stop()

    def on_batch_end(self, trainer: Trainer) -> None:
        """Move the bar."""
        self.bar.advance(self.task)

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        """Print what was measured."""
        measure, epochs = self.run.session.problem.measure, self.run.session.settings.epochs
        losses = [_number(record[f"{part}_loss"]) for part in ("train", "val")]
        scores = [record[f"{part}_{measure}"] for part in ("train", "val")]
        shown = [show_score(score, measure) if measure == "accuracy" else _number(score) for score in scores]
        self.screen.say(_line(_epoch(trainer.epoch, epochs), *losses, *shown))
        self.bar.update(self.task, description=_epoch(trainer.epoch, epochs))


def _line(epoch: str, *cells: str) -> str:
    return f"{epoch:>9}  " + "".join(f"{cell:>12}" for cell in cells)


def _number(value: float) -> str:
    """Write a number so that those below each other can be compared.

    >>> _number(2.30259), _number(0.00012345)
    ('2.3026', '1.2e-04')
    """
    return f"{value:.4f}" if 0.001 <= abs(value) < 10_000 else f"{value:.1e}"


def _epoch(epoch: int, epochs: int) -> str:
    return f"{epoch}/{epochs}"

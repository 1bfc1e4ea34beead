"""The commands: what each takes, and what it says."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.main import get_command as command

from .._version import __version__
from .screen import Progress, Screen

if TYPE_CHECKING:
    from ..train import Run

__all__ = ["app", "command", "explain", "list_", "spell", "start", "train"]

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def _examples(*lines: str) -> str:
    """Put examples at the end of a help text; the backspace keeps their lines as they are."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


Name = Annotated[str, typer.Argument(help="The dataset: see `chalkgrad list`.", metavar="NAME", show_default=False)]
Model = Annotated[str | None, typer.Option(help="The model: see `chalkgrad list`.", show_default=False)]
Optimizer = Annotated[str | None, typer.Option(help="sgd (with momentum 0.9), adam, or adamw.", show_default=False)]
BatchSize = Annotated[int | None, typer.Option(help="Rows in a batch.", show_default=False)]
Epochs = Annotated[int | None, typer.Option(help="How often to go through the data.", show_default=False)]
Rate = Annotated[float | None, typer.Option(help="The learning rate to start with.", show_default=False)]
Seed = Annotated[int | None, typer.Option(help="What all chance follows from; 0 unless given.", show_default=False)]
Resume = Annotated[Path | None, typer.Option(help="Go on with this run.", metavar="RUN", show_default=False)]
Out = Annotated[Path | None, typer.Option(help="Where the run's folder goes; runs unless given.", show_default=False)]


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"chalkgrad {__version__}")
        raise typer.Exit


@app.callback(
    invoke_without_command=True,
    epilog=_examples("chalkgrad train digits", "chalkgrad spell digits > step.py", "chalkgrad COMMAND --help"),
)
def start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Deep learning that shows its work."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command(
    short_help="Train a model, test it, show the work.",
    epilog=_examples(
        "chalkgrad train digits",
        "chalkgrad train digits --model cnn --epochs 20 --seed 7",
        "chalkgrad train digits --resume runs/2031-05-07-180000-digits-mlp",
    ),
)
def train(
    name: Name,
    model: Model = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    lr: Rate = None,
    optimizer: Optimizer = None,
    seed: Seed = None,
    resume: Resume = None,
    out: Out = None,
) -> None:
    """Train a model on a dataset, test it, and leave a folder that shows the work.

    What is not given is chosen to suit the dataset. Ctrl-C stops a run so that --resume goes on with it, to the same
    numbers as if it had not been stopped; --resume with more --epochs extends a run.
    """
    given = {"model": model, "epochs": epochs, "batch_size": batch_size, "lr": lr, "optimizer": optimizer, "seed": seed}
    screen, run = Screen(), None
    with _stoppable():
        try:
            run = _begin(name, given, resume, out)
            _train(run, screen)
        except KeyboardInterrupt:
            screen.say(f"\n{_how_to_go_on(name, run)}")
            raise typer.Exit(130) from None


def _begin(name: str, given: dict[str, Any], resume: Path | None, out: Path | None) -> Run:
    from .. import train as training

    if resume is None:
        return training.start(training.choose(name, **given), out or Path("runs"))
    if out is not None:
        raise training.RunError(f"A resumed run stays where it is, {resume}; leave --out out.")
    training.choose(name)  # an unknown dataset is told as such
    return training.resume(resume, dataset=name, **given)


def _train(run: Run, screen: Screen) -> None:
    screen.introduce(run)
    with Progress(screen, run) as progress:
        outcome = run.train([progress])
    screen.show_outcome(outcome, run.path)


def _how_to_go_on(name: str, run: Run | None) -> str:
    if run is None:
        return "Stopped before anything was done."
    line = f"chalkgrad train {name} --resume {shlex.quote(str(run.path))}"
    return f"Stopped. To go on from the end of the last epoch:\n{line}"


@app.command(
    short_help="Print a training step as plain NumPy.",
    epilog=_examples(
        "chalkgrad spell digits",
        "chalkgrad spell digits > step.py",
        "chalkgrad spell moons --model linear --optimizer adam",
    ),
)
def spell(name: Name, model: Model = None, optimizer: Optimizer = None, batch_size: BatchSize = None) -> None:
    """Print a training step, forward, backward and update, as plain NumPy."""
    from .. import train as training
    from ..train.highlight import to_terminal

    settings = training.choose(name, model=model, optimizer=optimizer, batch_size=batch_size)
    text = str(training.Session(settings).program)
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    print((to_terminal(text) if coloured else text).rstrip())


@app.command("list", epilog=_examples("chalkgrad list"))
def list_() -> None:
    """List the datasets and the models."""
    from .. import models
    from ..data import datasets
    from ..train.settings import DEFAULTS

    screen = Screen()
    rows = [[name, DEFAULTS[name]["model"], datasets.load(name).description] for name in datasets.names()]
    screen.table(["dataset", "usual model", "what it is"], rows)
    screen.say("")
    screen.table(["model", "what it is"], [[name, models.describe(name)] for name in models.names()])


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let a polite request to end (SIGTERM) do what Ctrl-C does."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def explain(error: Exception) -> tuple[int, str]:
    """Put an error that a person can do something about into words, with the exit code for it; (0, "") for others."""
    from ..train import Diverged, RunError

    if isinstance(error, RunError):
        return (1 if isinstance(error, Diverged) else 2), str(error)
    if isinstance(error, typer.Abort):
        return 130, "Stopped."
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        return 2, f"{error.strerror or error}{where}."
    # Typer's errors, whose class was another before it had its own, can all do this.
    if hasattr(error, "format_message"):
        path = getattr(getattr(error, "ctx", None), "command_path", "chalkgrad")
        return 2, f"{error.format_message().rstrip('.')}. Try: {path} --help"
    return 0, ""

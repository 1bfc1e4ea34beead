"""Runs: starting one, resuming one, and finishing it with a test and a report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .._version import __version__
from ..serialization import save
from .errors import RunError
from .folder import RunFolder, create
from .outcome import Outcome, examine
from .report import render
from .session import Session
from .settings import Settings
from .trainer import Callback

__all__ = ["Run", "resume", "start"]


class Run:
    """A session and the folder that it is written down in."""

    def __init__(self, session: Session, folder: RunFolder) -> None:
        self.session, self.folder = session, folder

    @property
    def path(self) -> Path:
        """Where the folder is."""
        return self.folder.path

    def train(self, callbacks: Sequence[Callback] = ()) -> Outcome:
        """Train to the end, test once, and write the weights, the report and the result.

        It may be stopped at any moment, by KeyboardInterrupt or by force, and resumed from the last epoch's end.

        Raises: Diverged if the loss is no longer a number.
        """
        session = self.session
        session.trainer.fit(session.settings.epochs, [self.folder, *callbacks])
        outcome = examine(session)
        # One text and not two, since they would be written in any order, and equal runs leave equal files.
        origin = json.dumps({"version": __version__, "settings": vars(session.settings)})
        save(session.model, self.path / "model.safetensors", {"chalkgrad": origin})
        self.folder.write_text("report.html", render(session, outcome, self.path.name))
        self.folder.write_json("result.json", outcome.as_dict(session))
        return outcome


def start(settings: Settings, out: str | Path = "runs") -> Run:
    """Begin a run in a new folder below `out`.

    Raises: RunError if the model does not fit the data, or the folder cannot be written.
    """
    session = Session(settings)

    def fill(folder: RunFolder) -> None:
        folder.write_settings(settings)
        folder.write_history([])
        folder.save_checkpoint(session.trainer)
        session.program.save(folder.path / "step.py", data=session.step_data())

    return Run(session, create(Path(out), f"{settings.dataset}-{settings.model}", fill))


def resume(path: str | Path, **given: Any) -> Run:
    """Go on with a run that was stopped, from its last checkpoint: to the same numbers as if it had not been.

    given  settings that the run is expected to have; `epochs` may be more than before, to extend it

    Raises: RunError if there is no such run, it is finished, its settings differ, or its checkpoint is broken; then
    nothing was changed.
    """
    folder = RunFolder(Path(path))
    before = folder.read_settings()
    settings = _agreed(before, {name: value for name, value in given.items() if value is not None})
    session = Session(settings)
    folder.load_checkpoint(session.trainer)
    done = session.trainer.epoch
    if settings.epochs < done or folder.is_finished(settings.epochs):
        raise RunError(f"{path} has {done} epochs behind it. To extend it, ask for more: --epochs {2 * done}.")
    if settings != before:
        folder.write_settings(settings)
    folder.write_history(session.trainer.history)
    return Run(session, folder)


def _agreed(settings: Settings, given: dict[str, Any]) -> Settings:
    """Let nothing but the number of epochs be changed."""
    values = vars(settings) | given
    for name, value in given.items():
        if name != "epochs" and value != getattr(settings, name):
            raise RunError(
                f"The run to resume has {name.replace('_', ' ')} {getattr(settings, name)}, not {value}. A resumed run "
                "keeps its settings; leave it out, or start a new run."
            )
    return Settings(**values)

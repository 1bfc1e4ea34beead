"""The run folder: what a run leaves, made so that no moment of an interruption leaves half of it.

    config.json              the settings, from which everything can be built again
    history.jsonl            what was measured, a line an epoch
    step.py, step.npz        the training step as plain NumPy, with the start and the data that it runs on
    checkpoint.safetensors   all that the training needs to go on from the end of the last epoch
    model.safetensors        the weights, when the training is done
    report.html              the run on one page
    result.json              what the test found; written last, so a run that has it is finished
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from .._version import __version__
from ..serialization import write
from .checkpoint import load_checkpoint, save_checkpoint
from .errors import RunError
from .settings import Settings, from_dict
from .trainer import Callback, Record, Trainer

__all__ = ["RunFolder", "create"]

FORMAT = 1  # of the files in the folder; raise it when an older chalkgrad could no longer read them


class RunFolder(Callback):
    """The files of one run. As a callback it writes down every epoch."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        """Append to the history, then replace the checkpoint."""
        with open(self.path / "history.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        self.save_checkpoint(trainer)

    def save_checkpoint(self, trainer: Trainer) -> None:
        """Keep all that the training needs to go on from here."""
        save_checkpoint(self.path / "checkpoint.safetensors", trainer.state_dict())

    def load_checkpoint(self, trainer: Trainer) -> None:
        """Bring a trainer to where the last checkpoint was made.

        Raises: RunError if it is missing or broken, or does not fit the trainer.
        """
        state = load_checkpoint(self.path / "checkpoint.safetensors")
        try:
            trainer.load_state_dict(state)
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            problem = " ".join(str(error).split())
            raise RunError(f"The checkpoint in {self.path} does not fit its config.json: {problem}") from None

    def write_history(self, history: list[Record]) -> None:
        """Replace the history by this one: what came after the last checkpoint was not reached again yet."""
        lines = [json.dumps(record) + "\n" for record in history]
        self.write_text("history.jsonl", "".join(lines))

    def write_settings(self, settings: Settings) -> None:
        """Replace the settings."""
        self.write_json("config.json", {"format": FORMAT, "chalkgrad": __version__, **vars(settings)})

    def read_settings(self) -> Settings:
        """Read the settings.

        Raises: RunError if there are none, or none that this version understands.
        """
        if not self.path.is_dir():
            raise RunError(f"There is no run {self.path}.{_others(self.path)}")
        try:
            values = self._read_json("config.json")
            if values is None:
                raise RunError("it has no config.json, so it is no run.")
            if values.pop("format", None) != FORMAT:
                raise RunError(f"it was not written in the format of chalkgrad {__version__}.")
            values.pop("chalkgrad", None)
            return from_dict(values)
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise RunError(f"{self.path} cannot be resumed: {error}") from None

    def is_finished(self, epochs: int) -> bool:
        """Whether the run was trained for so many epochs, tested, and reported on."""
        try:
            result = self._read_json("result.json")
            return isinstance(result, dict) and result.get("epochs") == epochs
        except (OSError, ValueError):
            return False  # half a result is made anew

    def write_json(self, name: str, values: dict[str, Any]) -> None:
        """Replace a file of one JSON object."""
        self.write_text(name, json.dumps(values, indent=2) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Replace a file of text."""
        write(self.path / name, text.encode())

    def _read_json(self, name: str) -> Any:
        path = self.path / name
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def create(out: Path, name: str, fill: Callable[[RunFolder], None]) -> RunFolder:
    """Make the folder `out/<date-time>-<name>`, filled by `fill`; it appears when it is complete.

    A folder that is there is left alone: the new one gets -2, -3, ... at the end of its name.

    Raises: RunError if it cannot be written.
    """
    stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    try:
        out.mkdir(parents=True, exist_ok=True)
        hidden = Path(tempfile.mkdtemp(prefix=f".{stamp}-{name}-", dir=out))
        try:
            os.chmod(hidden, 0o777 & ~_umask())  # mkdtemp keeps others out; a run is like any folder
            fill(RunFolder(hidden))
            return RunFolder(_reveal(hidden, out / f"{stamp}-{name}"))
        finally:
            shutil.rmtree(hidden, ignore_errors=True)  # it is gone if it was renamed
    except OSError as error:
        raise RunError(f"The run cannot be written into {out}: {error.strerror or error}.") from None


def _reveal(hidden: Path, wanted: Path) -> Path:
    """Give a folder the first name that is free. Renaming onto a folder with files in it fails, whoever made it."""
    for i in itertools.count(1):
        path = wanted if i == 1 else wanted.with_name(f"{wanted.name}-{i}")
        if path.exists():
            continue
        try:
            return hidden.rename(path)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
    raise AssertionError("the numbers do not end")


def _umask() -> int:
    """Return the mask of permissions, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _others(path: Path) -> str:
    """Name the newest run beside a path that is none."""
    near = sorted(each.parent for each in path.parent.glob("*/config.json"))
    return f" The newest beside it is {near[-1]}." if near else ""

"""The command line: `chalkgrad train`, `chalkgrad spell`, `chalkgrad list`."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec

__all__ = ["main"]

EXTRA = ("jinja2", "pygments", "rich", "typer")  # what the `app` extra installs


def main(args: Sequence[str] | None = None) -> int:
    """Run a command line, by default the one that Python was started with, and return its exit code.

    0 if it was done, 1 if it failed on the way, 2 if it cannot be done as it was asked for, 130 if it was interrupted.
    """
    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing:
        return _refuse(f"the command line needs {', '.join(missing)}. Try: pip install 'chalkgrad[app]'")
    from .commands import app, command, explain  # only now, since it imports what may be missing

    _write_utf8()
    try:
        code = int(command(app).main(args, prog_name="chalkgrad", standalone_mode=False) or 0)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # Whoever was reading has seen enough, as in `chalkgrad list | head -1`, and what is left can go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        code, message = explain(error)
        if not code:
            raise
        return _refuse(message, code)


def _write_utf8() -> None:
    """Write UTF-8 into files and pipes: a spelled program holds σ and ᵀ, and Python reads its sources as UTF-8."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding=None if sys.stdout.isatty() else "utf-8", errors="replace")


def _refuse(message: str, code: int = 2) -> int:
    """Say in one line why something cannot be done."""
    print(f"chalkgrad: {' '.join(message.split())}", file=sys.stderr)
    return code

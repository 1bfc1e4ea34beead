"""The errors that a person meets."""

__all__ = ["Diverged", "RunError"]


class RunError(ValueError):
    """What was asked for cannot be done; the message is one line that says why, and what to try."""


class Diverged(RunError):
    """The training went wrong: the loss is no longer a number."""

"""Python in colours, for the report and for a terminal."""

from __future__ import annotations

__all__ = ["to_html", "to_terminal"]


def to_html(code: str) -> str:
    """Mark Python up as HTML, escaped, with Pygments' class names.

    >>> to_html("x = 1 < 2")
    '<span class="n">x</span> <span class="o">=</span> <span class="mi">1</span> <span class="o">&lt;</span> ...'
    """
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]

    return _highlight(code, HtmlFormatter(nowrap=True))


def to_terminal(code: str) -> str:
    """Colour Python with the sixteen colours that every terminal has, and that its owner has chosen."""
    from pygments.formatters import TerminalFormatter

    return _highlight(code, TerminalFormatter(bg="dark"))


def _highlight(code: str, formatter: object) -> str:
    from pygments import highlight  # type: ignore[import-untyped]
    from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

    text: str = highlight(code, PythonLexer(), formatter)
    return text

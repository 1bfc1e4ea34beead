"""The functions that rules call, copied as they stand, so that a spelled program needs NumPy and nothing else."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import math
import textwrap
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from ..law.errors import SpellError
from .names import Names
from .render import Source, literal
from .wrapping import wrapped

__all__ = ["Helpers", "checks", "signature"]

MODULES = {np: "import numpy as np", math: "import math", functools: "import functools"}
WIDTH = 120
OURS = ("implements", "overwriting", "primitive", "update_rule")  # decorators that mean nothing outside chalkgrad


class Helpers:
    """Copies of functions under names of their own, with what they call in turn."""

    def __init__(self, names: Names) -> None:
        self.taken = names
        self.names: dict[Callable[..., Any], str] = {}
        self.texts: dict[str, str] = {}
        self.imports: set[str] = {MODULES[np]}

    def name(self, helper: Any) -> str:
        """Return the name under which a helper stands in the program; copy it if it does not stand there yet."""
        function = inspect.unwrap(helper)
        if function not in self.names:
            self.names[function] = name = self.taken.fresh(function.__name__)
            self.texts[name] = self._copy(function, name)
        return self.names[function]

    def add(
        self, function: Callable[..., Any], parameters: str, lines: list[str], name: str = "", story: str | None = None
    ) -> str:
        """Put a function of these lines into the program, under the name and the story of another one, or its own."""
        name = name or self.taken.fresh(function.__name__)
        story = "\n".join(_shorter(inspect.getdoc(function) or "" if story is None else story))
        start = "\n" if story.startswith("1. ") else ""
        body = [f'"""{start}{story}\n"""' if "\n" in story else f'"""{story}"""', *lines]
        text = textwrap.indent("\n".join(body), "    ")
        header = "\n".join(wrapped(f"def {name}({parameters}):", WIDTH))
        self.texts[name] = f"{header}\n{_without_examples(text)}\n"
        return name

    def refer(self, name: str, known: dict[str, Any]) -> str | None:
        """Return what a global name of a rule's file is called in the program; None if it stays as it is."""
        value: Any = known.get(name)
        if isinstance(value, ModuleType):
            if value in MODULES:
                self.imports.add(MODULES[value])
            return None
        if name not in known or getattr(builtins, name, None) is value:
            return None
        own = str(getattr(value, "__name__", ""))
        if getattr(np, own, None) is value:
            return f"np.{own}"  # from numpy import exp
        constant = literal(value)
        if constant is not None:
            return constant
        if not isinstance(inspect.unwrap(value), FunctionType):
            raise SpellError(f"A helper reads `{name}`, a {type(value).__name__}, which a program cannot hold.")
        return self.name(value)

    def _copy(self, function: Callable[..., Any], name: str) -> str:
        source = Source(function.__code__.co_filename)
        lines, first = inspect.getsourcelines(function)
        definition = ast.parse(textwrap.dedent("".join(lines))).body[0]
        assert isinstance(definition, ast.FunctionDef)
        ast.increment_lineno(definition, first - 1)
        local = {n.id for n in ast.walk(definition) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        local |= {a.arg for a in ast.walk(definition) if isinstance(a, ast.arg)}

        def replace(node: ast.AST, parent: ast.AST | None) -> str | None:
            if isinstance(node, ast.Name) and node.id not in local:
                return name if node.id == function.__name__ else self.refer(node.id, function.__globals__)
            return None

        body = source.copy(_Span(definition.body), replace)
        parameters = ", ".join(signature(function))
        kept = [d for d in definition.decorator_list if ast.unparse(d).partition("(")[0] not in OURS]
        for decorator in kept:
            self.refer(ast.unparse(decorator).partition(".")[0], function.__globals__)
        above = "".join(f"@{ast.unparse(decorator)}\n" for decorator in kept)
        indent = " " * definition.body[0].col_offset
        text = textwrap.indent(textwrap.dedent(indent + body), "    ")
        return f"{above}def {name}({parameters}):\n{_without_examples(text)}\n"


@functools.cache
def checks(helper: Any) -> bool:
    """Tell whether a function raises errors of its own: it looks at what it is given before it computes."""
    function = inspect.unwrap(helper)
    if not isinstance(function, FunctionType):
        return False
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return any(isinstance(node, ast.Raise) for node in ast.walk(tree))


def _without_examples(text: str) -> str:
    """Cut a docstring where its examples begin: they import chalkgrad, and the program does not."""
    before, found, after = text.partition(">>>")
    if not found:
        return text
    story = before.rstrip()
    story = story[:-1] + "." if story.endswith(":") else story
    end = '"""' if "\n" not in story and len(story) <= WIDTH - 3 else '\n    """'
    return f'{story}{end}{after.partition(chr(34) * 3)[2]}'


def _shorter(story: str) -> list[str]:
    """Break the lines of a docstring that are too long, such as the shapes of many inputs."""
    return [part for line in story.splitlines() for part in textwrap.wrap(line, WIDTH - 4) or [""]]


def signature(function: Callable[..., Any]) -> list[str]:
    """Write the parameters without their types, which name what the program does not import."""
    parts, marked = [], False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not marked:
            parts.append("*")
            marked = True
        default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
        parts.append(("*" if parameter.kind is parameter.VAR_POSITIONAL else "") + parameter.name + default)
        marked |= parameter.kind is parameter.VAR_POSITIONAL
    return parts


class _Span(ast.AST):
    """Several statements in a row, as one node."""

    _fields = ("statements",)

    def __init__(self, statements: list[ast.stmt]) -> None:
        super().__init__()
        self.statements = statements
        self.lineno, self.col_offset = statements[0].lineno, statements[0].col_offset
        self.end_lineno, self.end_col_offset = statements[-1].end_lineno, statements[-1].end_col_offset

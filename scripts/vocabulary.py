"""Write docs/vocabulary.md: all that there is, what it computes, where it comes from, and what holds it to PyTorch.

Nothing in that page is written by hand: it is read from the names that the package exports, from their docstrings, and
from the tables that the tests go through. The test extra has to be installed.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from tests.tables import ROWS  # noqa: E402
from tests.tables.optimizers import OPTIMIZERS  # noqa: E402
from tests.torch_differences import DIFFERENT, NOT_HERE, RANDOM  # noqa: E402
from tests.torch_samples import OPS, held, label, op_db  # noqa: E402

import chalkgrad as cg  # noqa: E402
from chalkgrad import Tensor, autograd, func, linalg, nn, optim  # noqa: E402
from chalkgrad.engine.primitive import Primitive  # noqa: E402
from chalkgrad.optim import lr_scheduler  # noqa: E402

INTRODUCTION = """# Vocabulary

<!-- Written by scripts/vocabulary.py, and held to it by tests/test_vocabulary.py: do not edit. -->

All that there is: what it computes, where it comes from, and the file in which it stands with its derivation.

The last column says what holds it to PyTorch 2.13. *n rows* are rows of the tables in `tests/tables`: each is a
module made here and there, with the same weights, called twice in training and in evaluation, in float32 and in
float64; outputs, all gradients, buffers, states and their text agree. *n sets* are sets of options of an optimizer,
run for eight steps. *samples* are PyTorch's own, those of the table `op_db` that it tests its functions with: values,
all gradients, and refusals, in float32 and float64, also of arrays that do not lie in one piece. *ours* marks what
PyTorch has not. Tolerances: 1e-4 (values) and 1e-3 (gradients) in float32, 1e-9 in float64.
"""


class Entry(NamedTuple):
    """One line of the page."""

    name: str
    what: str
    source: str
    file: str
    held: str


def main() -> None:
    """Write the page."""
    (ROOT / "docs" / "vocabulary.md").write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page as it should be."""
    sections = [(title, sorted(entries, key=lambda entry: entry.name.lower())) for title, entries in SECTIONS()]
    counts = ", ".join(f"{len(entries)} {title.lower()}" for title, entries in sections)
    parts = [INTRODUCTION, f"{counts}.\n"]
    for title, entries in sections:
        parts += [f"## {title}\n", "| | | from | file | as PyTorch |", "|---|---|---|---|---|"]
        parts += [f"| `{e.name}` | {e.what} | {e.source} | {e.file} | {e.held} |" for e in entries] + [""]
    parts += [absent()]
    return "\n".join(parts)


def SECTIONS() -> Iterator[tuple[str, list[Entry]]]:
    """List what there is, by kind."""
    yield "Modules", [entry(name, getattr(nn, name), module_rows(name)) for name in nn.__all__ if is_module(name)]
    yield "Functions of nn.functional", list(functions(nn.functional, "nn.functional."))
    yield "Tensor functions", list(functions(cg, ""))
    yield "Methods of Tensor", list(methods())
    yield "Linear algebra", list(functions(linalg, "linalg."))
    yield "Optimizers", list(classes(optim, optim.Optimizer, optimizer_rows))
    yield "Schedules", list(classes(lr_scheduler, lr_scheduler.LRScheduler, lambda name: "steps"))
    yield "Derivatives", [*functions(autograd, "autograd."), *functions(autograd.functional, "autograd.functional."),
                          *functions(func, "func.")]
    yield "Initialisers", list(functions(nn.init, "nn.init."))


# -------------------------------------------------------------------------------------------------------------- entries


def entry(name: str, thing: Any, held: str) -> Entry:
    """Read a line from a docstring."""
    thing = thing.function if isinstance(thing, Primitive) else thing
    words = what(thing) or (f"`{name[:-1]}`, written over its input." if name.endswith("_") else "")
    return Entry(name, words, source_of(thing), link_to(thing), held)


def what(thing: Any) -> str:
    """Say what it computes; with the formula of a rule in its file, if its own words hold none."""
    own = first_words(thing)
    formulas = [words for words in map(first_words, rules_beside(thing)) if " = " in words]
    return own if " = " in own or not formulas or inspect.isfunction(thing) else f"{own} {formulas[0]}"


def first_words(thing: Any) -> str:
    """Return the first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split()).replace("|", "\\|")


def rules_beside(thing: Any) -> list[Any]:
    """List the rules that are declared in the file of a class or function."""
    module = sys.modules.get(thing.__module__)
    found = [value.function for value in vars(module).values() if isinstance(value, Primitive)]
    return [function for function in found if function.__module__ == thing.__module__]


def source_of(thing: Any) -> str:
    """Find the paper: in its own docstring, in that of a rule of its file, or in the story at the top of the file."""
    for text in [inspect.getdoc(thing) or "", *(inspect.getdoc(rule) or "" for rule in rules_beside(thing))]:
        for paragraph in text.split("\n\n"):
            _, found, source = paragraph.partition("Source: ")
            if found:
                return re.split(r"; |(?<!\bal)(?<!\beq)\.(?: |$)", " ".join(source.split()))[0].replace("|", "\\|")
    story = " ".join((sys.modules[thing.__module__].__doc__ or "").split())
    in_brackets = r"\(([^()]*[A-Z][^()]*\b(?:19|20)\d\d[^()]*)\)"
    in_a_sentence = r"((?:[A-Z][\w-]+[,&]? |and |& |et al\. )+\((?:19|20)\d\d\))"
    cited = re.search(f"{in_brackets}|{in_a_sentence}", story)
    return (cited[1] or cited[2]).strip() if cited else ""


def link_to(thing: Any) -> str:
    """Link to the file, at no line: lines move."""
    path = Path(inspect.getsourcefile(inspect.unwrap(thing)) or "").resolve()
    if ROOT not in path.parents:
        return ""
    inside = path.relative_to(ROOT).as_posix()
    return f"[{path.stem}.py](../{inside})"


def is_module(name: str) -> bool:
    """Tell whether a name is that of a class of modules."""
    kind = getattr(nn, name)
    return inspect.isclass(kind) and issubclass(kind, nn.Module) and kind is not nn.Module


COUNTS = Counter(row.name for row in ROWS)
OWN = {row.name for row in ROWS if row.own}


def module_rows(name: str) -> str:
    """Say how many rows try it."""
    return "ours" if name in OWN else f"{COUNTS[name]} rows" if COUNTS[name] else "tested apart"


def optimizer_rows(name: str) -> str:
    """Say with how many sets of options it is tried."""
    return f"{len(OPTIMIZERS[name])} sets" if name in OPTIMIZERS else "ours"


SAMPLED = {label(op): op.name for op in OPS}


def sampled(path: str) -> str:
    """Say whether PyTorch's samples are run, and what is left out of them."""
    labels = [each for each, name in SAMPLED.items() if name == path]
    if not labels:
        return ""
    reasons = dict.fromkeys(DIFFERENT[each][1] for each in labels if each in DIFFERENT)
    if path in RANDOM:
        return "samples: shapes"
    return "samples" + (f"; not where {'; '.join(reasons)}" if reasons else "")


def functions(library: Any, prefix: str) -> Iterator[Entry]:
    """List the functions that a module exports."""
    for name in library.__all__:
        thing = getattr(library, name)
        if inspect.isfunction(thing) or isinstance(thing, Primitive):
            yield entry(prefix + name, thing, sampled(prefix + name) or "tested apart")


def methods() -> Iterator[Entry]:
    """List the methods that are not functions, too."""
    for name in sorted(dir(Tensor)):
        thing = inspect.getattr_static(Tensor, name)
        thing = thing.fget if isinstance(thing, property) else thing
        if not name.startswith("_") and not hasattr(cg, name) and inspect.isfunction(thing) and thing.__doc__:
            yield entry(name, thing, sampled(name) or "tested apart")


def classes(library: Any, base: type, held: Any) -> Iterator[Entry]:
    """List the classes of a kind."""
    for name in library.__all__:
        kind = getattr(library, name)
        if inspect.isclass(kind) and issubclass(kind, base) and kind is not base:
            yield entry(name, kind, held(name))


def absent() -> str:
    """Say what of PyTorch's has no place here, and why."""
    left = [op.name for op in op_db if not held(op)] + [
        f"{kind}.{name}" for kind, library, ours, base in
        (("nn", torch.nn, nn, torch.nn.Module), ("optim", torch.optim, optim, torch.optim.Optimizer))
        for name in dir(library) if not hasattr(ours, name)
        and inspect.isclass(thing := getattr(library, name)) and issubclass(thing, base)]
    lines = ["## Not here\n", "What PyTorch has and this project leaves out, so that nobody has to look for it.\n",
             "| why | what |", "|---|---|"]
    for why, pattern in NOT_HERE.items():
        names = {name for name in left if re.fullmatch(pattern, name)}
        left = [name for name in left if name not in names]
        lines += [f"| {why} | {listing(names)} |"] if names else []
    return "\n".join([*lines, *([f"| not yet | {listing(left)} |"] if left else []), ""])


def listing(names: Iterable[str]) -> str:
    """Write names one after the other."""
    return ", ".join(f"`{name}`" for name in sorted(names))


if __name__ == "__main__":
    main()

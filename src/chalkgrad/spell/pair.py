"""The two functions that blocks alike are folded into: a forward, which saves what the other one reads, a backward."""

from __future__ import annotations

import dataclasses
import re
import textwrap

from .blocks import Block
from .layout import Page, aligned
from .names import Names, variable
from .variables import hidden, renamed, stored, uses

__all__ = ["Pair", "Scene"]

WIDTH = 116


@dataclasses.dataclass
class Scene:
    """What blocks are folded in.

    names      of the program
    functions  that stand in it, and the modules that it imports
    given      what the step is handed beside parameters and state: the batch, rates, a generator
    shapes     path -> the group that it is in, params or state, and its shape
    orders     a dict of gradients that a block returns -> what is in it, in order
    """

    names: Names
    functions: set[str]
    given: set[str]
    shapes: dict[str, tuple[str, str]]
    orders: dict[str, list[str]] = dataclasses.field(default_factory=dict)


class Pair:
    """The functions for some runs of modules that are alike; the text is that of the first run.

    paths    of the modules, one for each run
    names    for each run, its variables, at the same places in all
    parts    for each run, the blocks of its forward and those of its backward
    read     for each run, which of its variables are read elsewhere
    updates  a gradient that an optimizer follows -> the path of its parameter
    before, after  how many lines of code there are unfolded, and folded
    """

    def __init__(
        self, paths: list[str], names: list[list[str]], parts: list[tuple[list[Block], list[Block]]],
        read: list[set[str]], updates: dict[str, str], scene: Scene,
    ) -> None:
        self.paths, self.names, self.read, self.scene = paths, names, read, scene
        self.place = {name: i for i, name in enumerate(names[0])}
        self.forward, self.backward = parts[0]
        self.name, self.back = _singular(paths[0]), ""
        made, made_back = stored(self.forward), stored(self.backward) - stored(self.forward)
        asked, asked_back = self._reads(self.forward), self._reads(self.backward)
        self.arguments = sorted((n for n in asked if not self._own(n)), key=self._order)
        self.saved = [n for n in asked_back if not self._own(n) and (n in made or n in self.arguments)]
        self.arriving = [n for n in asked_back if not self._own(n) and n not in self.saved]
        self.outputs = [n for n in names[0] if n in made and self._is_read(n)]
        found = [n for n in names[0] if n in made_back and self._is_read(n)]
        found.sort(key=lambda name: [*updates].index(name) if name in updates else -1)
        self.grads = {n: path for n in found if (path := self._followed(n, updates))}
        reserved = {"params", "state", "path", "saved", "grads", *scene.functions, *hidden(parts[0][0] + parts[0][1])}
        self.inner = self._inner_names(Names(reserved))
        self.gradients = sorted((n for n in found if n not in self.grads), key=self._is_of_parameter)
        page = Page({}, set(), {})
        self.before = sum(_count(page.body([*one, *two])) for one, two in parts)
        self.before += len(paths) * len({n for n in [*asked, *asked_back] if self._own(n)})
        self.after = sum(_count(text.splitlines()) for text in self.texts(page)) + 2 * len(paths)

    def claim(self) -> None:
        """Choose the names of the functions, now that they will stand in the program."""
        self.name = self.scene.names.fresh(self.name)
        self.back = self.scene.names.fresh(f"{self.name}_backward") if self.backward else ""

    def texts(self, page: Page) -> list[str]:
        """Write the functions."""
        story = f"Run {_listed(self.paths)}"
        story += "; return what comes out, and what the backward asks for." if self.backward else "."
        end = [f"saved = {self._saved()}"] if self.saved else []
        end += _returned([self.inner[n] for n in self.outputs], "saved" if self.saved else "")
        arguments = self._signature(self.arguments, self.forward)
        forward = self._function(self.name, arguments, story, self.forward, [], end, page)
        return [forward, self._backward_text(page)] if self.backward else [forward]

    def _backward_text(self, page: Page) -> str:
        story = f"Take the gradient back through what `{self.name}` ran"
        story += "; return those of the parameters by their paths." if self.grads else "."
        start = [f"{self._saved()} = saved"] if self.saved else []
        keys = {n: f'path + "{path}":' for n, path in self.grads.items()}
        width = max(map(len, keys.values()), default=0)
        table = ["grads = {", *(f"    {key:<{width}} {self.inner[n]}," for n, key in keys.items()), "}"]
        end = table if self.grads else []
        end += _returned([self.inner[n] for n in self.gradients], "grads" if self.grads else "")
        arguments = self._signature(self.arriving, self.backward, ["saved"] if self.saved else [])
        return self._function(self.back, arguments, story, self.backward, start, end, page)

    def _saved(self) -> str:
        """Write the tuple of what the forward saves."""
        return f"({', '.join(self.inner[n] for n in self.saved)}{',' * (len(self.saved) == 1)})"

    def calls(self, i: int) -> tuple[Block, Block | None, dict[str, str]]:
        """Write the calls for one run; and what variables are called now, or where their values are read from."""
        stem, path, names = variable(self.paths[i]), [f'"{self.paths[i]}"'], self.scene.names
        saved = [names.fresh(f"{stem}_saved")] if self.saved else []
        given = self._given(i, self.arguments, self.forward, [], path)
        forward = self._call(i, self.name, self.outputs, saved, given, self.forward)
        moved = self._output_name(i, stem)
        if not self.backward:
            return forward, None, moved
        grads = [names.fresh(f"{stem}_grads")] if self.grads else []
        given = self._given(i, self.arriving, self.backward, saved, path)
        backward = self._call(i, self.back, self.gradients, grads, given, self.backward)
        taken = {self._at(i, n): f'{grads[0]}["{self.paths[i]}{end}"]' for n, end in self.grads.items()}
        self.scene.orders |= {name: [*taken.values()] for name in grads}
        moved |= taken
        return forward, backward, moved

    def _output_name(self, i: int, stem: str) -> dict[str, str]:
        """Call a lone output by the module's path: `layers_0`, though it is what `layers.0.norm2` made."""
        if len(self.outputs) != 1 or stem in self.scene.names.taken:
            return {}
        name = self._at(i, self.outputs[0])
        return {name: self.scene.names.fresh(stem), f"grad_{name}": self.scene.names.fresh(f"grad_{stem}")}

    def _call(
        self, i: int, name: str, results: list[str], behind: list[str], given: list[str], blocks: list[Block]
    ) -> Block:
        texts = [self._at(i, n) if self._at(i, n) in self.read[i] else "_" for n in results] + behind
        shapes = [shape for block in blocks for use in uses(block) if use.name in results and use.stores
                  for shape in [_shape_at(block, use.line)] if shape]
        target = f"{', '.join(texts)} = " if texts else ""
        line = f"{target}{name}({', '.join(given)})"
        return Block(blocks[0].kind, lines=[(line, shapes[-1] if len(results) == 1 and shapes else "")])

    def _given(self, i: int, names: list[str], blocks: list[Block], saved: list[str], path: list[str]) -> list[str]:
        groups = self._groups(blocks)
        paths = path if groups or (self.grads and blocks is self.backward) else []
        return [*(self._at(i, n) for n in names), *saved, *groups, *paths]

    def _signature(self, names: list[str], blocks: list[Block], saved: list[str] | None = None) -> list[str]:
        given = self._given(0, [], blocks, saved or [], ["path"])
        return [*(self.inner[n] for n in names), *given]

    def _groups(self, blocks: list[Block]) -> list[str]:
        """Tell which of params and state a function reads from."""
        groups = {self.scene.shapes[self.scene.names.paths[n]][0] for n in self._reads(blocks) if self._own(n)}
        return sorted(groups)

    def _function(
        self, name: str, arguments: list[str], story: str, blocks: list[Block], start: list[str], end: list[str],
        page: Page,
    ) -> str:
        """Write a function: its parameters and what was saved get their names, then come the blocks."""
        own = [n for n in self._reads(blocks) if self._own(n)]
        width = max((len(self.inner[n]) for n in own), default=0)
        rows = []
        for n in own:
            path = self.scene.names.paths[n]
            group, shape = self.scene.shapes[path]
            rows.append((f'{self.inner[n]:<{width}} = {group}[path + "{path[len(self.paths[0]) :]}"]', shape))
        body = page.body([self._inside(block) for block in blocks])
        if rows or start:
            body = [*aligned([*((text, "") for text in start), *rows]), *[""] * (body[0] != ""), *body]
        body = body[1:] if body[0] == "" else body
        lines = [*_story(story), *body, *([""] if end else []), *aligned((text, "") for text in end)]
        header = aligned([(f"def {name}({', '.join(arguments)}):", "")])
        return "\n".join([*header, *(f"    {line}".rstrip() for line in lines)]) + "\n"

    # ------------------------------------------------------------------------------------------- what a variable is

    def _reads(self, blocks: list[Block]) -> list[str]:
        """Name the variables that blocks read before they give them a value."""
        first: dict[str, bool] = {}
        for use in (use for block in blocks for use in uses(block) if use.name in self.place):
            first.setdefault(use.name, use.stores)
        return [name for name, stores in first.items() if not stores]

    def _at(self, i: int, name: str) -> str:
        """Return what a variable of the first run is called in another one."""
        return self.names[i][self.place[name]]

    def _own(self, name: str) -> bool:
        """Tell whether a variable is a parameter or a state of the module."""
        return self.scene.names.paths.get(name, "").startswith(f"{self.paths[0]}.")

    def _is_same(self, name: str) -> bool:
        return all(self._at(i, name) == name for i in range(len(self.paths)))

    def _order(self, name: str) -> tuple[bool, int]:
        """Let inputs come first, then parameters in the order of the model, then what all runs share."""
        known = [*self.scene.names.paths]
        return self._is_same(name), known.index(name) if name in known else -1

    def _is_of_parameter(self, name: str) -> bool:
        return self.inner[name].removeprefix("grad_") not in [self.inner[n] for n in self.arguments[:1]]

    def _is_read(self, name: str) -> bool:
        return any(self._at(i, name) in self.read[i] for i in range(len(self.paths)))

    def _followed(self, name: str, updates: dict[str, str]) -> str:
        """Return the path, below the module, of the parameter that a gradient updates; "" if runs differ in it."""
        paths = [updates.get(self._at(i, name), "") for i in range(len(self.paths))]
        ends = {path[len(own) :] for path, own in zip(paths, self.paths, strict=True) if path.startswith(f"{own}.")}
        return ends.pop() if len(ends) == 1 and all(paths) else ""

    # --------------------------------------------------------------------------------------------- names inside

    def _inner_names(self, own: Names) -> dict[str, str]:
        """Name the variables within the functions: without the path of the module, the input x, the output y."""
        stem = variable(self.paths[0])
        special = {n: n if self._is_same(n) else self._short_argument(n) for n in self.arguments}
        special |= {n: "y" for n in self.outputs if n == stem}
        names: dict[str, str] = {}
        for name in sorted(self.names[0], key=lambda name: name not in special):
            short = self._short(name, special, stem)
            names[name] = own.fresh(f"{short}_out" if short in self.scene.functions else short)
        return names

    def _short_argument(self, name: str) -> str:
        """Call an input x; a parameter that is not below the path as it is called in its module."""
        parent, _, last = self.paths[0].rpartition(".")
        path = self.scene.names.paths.get(name, "")
        return variable(path.removeprefix(f"{parent}.").removesuffix(f"_{last}")) if path else "x"

    def _short(self, name: str, special: dict[str, str], stem: str) -> str:
        if name in special:
            return special[name]
        if name.startswith("grad_"):
            rest = name[5:]
            of = [n for n in self.names[0] if f"{rest}_".startswith(f"{n}_")]
            longest = max(of, key=len, default="")
            return f"grad_{self._short(longest, special, stem)}{_less(rest[len(longest) :], stem)}" if longest else (
                f"grad_{_less(rest, stem)}")
        short = _less(name, stem)
        return f"y_{short}" if short[:1].isdigit() else short

    def _inside(self, block: Block) -> Block:
        """Return a block under the names within the functions; what is called as the whole needs no title."""
        title = self.inner.get(block.title, _less(block.title, variable(self.paths[0])))
        whole = title == variable(self.paths[0])
        return dataclasses.replace(renamed(block, self.inner), title="" if whole else title, apart=whole)


def _less(name: str, stem: str) -> str:
    """Leave out the name of the module.

    >>> _less("block_1_norm", "block_1"), _less("_from_block_1_norm", "block_1"), _less("block_10_norm", "block_1")
    ('norm', '_from_norm', 'block_10_norm')
    """
    return re.sub(rf"(?<![A-Za-z0-9]){re.escape(stem)}_", "", name)


def _singular(path: str) -> str:
    """Name one of those that stand in a list.

    >>> _singular("blocks.0"), _singular("net.encoder.3"), _singular("lstm.l1"), _singular("0")
    ('block', 'encoder_layer', 'lstm_layer', 'layer')
    """
    words = [part.rstrip("0123456789") for part in path.split(".")]
    if not any(words):
        return "layer"
    word = variable([word for word in words if len(word) > 1 or word == max(words, key=len)][-1])
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else f"{word}_layer"


def _listed(paths: list[str]) -> str:
    """List modules in words.

    >>> _listed(["b.0", "b.1"]), _listed(["b.0", "b.1", "b.2"]), _listed(["b.0", "b.2", "b.3"])
    ('b.0 or b.1', 'one of b.0 to b.2', 'b.0, b.2 or b.3')
    """
    paths = list(dict.fromkeys(paths))
    stem = paths[0].rstrip("0123456789")
    row = [f"{stem}{int(paths[0][len(stem) :]) + i}" for i in range(len(paths))]
    if len(paths) > 2 and paths == row:
        return f"one of {paths[0]} to {paths[-1]}"
    return " or ".join(filter(None, [", ".join(paths[:-1]), paths[-1]]))


def _returned(names: list[str], last: str) -> list[str]:
    """Write what a function ends in, if it returns something."""
    results = [*names, last] if last else names
    return [f"return {', '.join(results)}"] if results else []


def _story(text: str) -> list[str]:
    """Write a docstring, on several lines if it is long."""
    if len(text) <= WIDTH - 6:
        return [f'"""{text}"""']
    first, *others = textwrap.wrap(text, WIDTH - 3)
    return [f'"""{first}', *others, '"""']


def _shape_at(block: Block, line: int) -> str:
    """Return the shape behind a line of a block."""
    for text, shape in block.lines:
        line -= text.count("\n") + 1
        if line < 0:
            return shape
    return ""


def _count(lines: list[str]) -> int:
    """Count the lines of code."""
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in lines)

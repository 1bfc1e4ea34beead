"""The rules of the house, read from the files themselves: imports, sizes, names, docstrings, documents that run."""

import ast
import doctest
import importlib
import os
import re
import subprocess
import sys
import textwrap
import types
from collections.abc import Iterable, Iterator
from graphlib import TopologicalSorter
from importlib.util import resolve_name
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import pytest

# Each layer, the layers that it may import, and what it may import from elsewhere beside the standard library.
RULES = "law seeding engine ops"
MODEL = f"{RULES} nn"
TOOLS = f"{MODEL} optim data spell compiler explain"
APP = "jinja2 pygments rich typer"
IMPORTS = {
    "_version": ("", ""),
    "scalar": ("", ""),
    "law": ("", ""),
    "seeding": ("", "numpy"),
    "engine": ("law", "numpy"),
    "ops": ("law seeding engine", "numpy"),
    "linalg": ("law seeding engine ops", "numpy"),
    "special": (MODEL, ""),
    "nn": (RULES, "numpy"),
    "optim": (MODEL, "numpy"),
    "spell": (RULES, "numpy"),
    "compiler": ("law seeding engine spell", "numpy"),
    "explain": (RULES, "numpy"),
    "data": ("seeding", "numpy"),
    "sugar": (MODEL, "numpy"),
    "models": (MODEL, "numpy"),
    "serialization": (RULES, "numpy safetensors"),
    "allocator": ("", ""),
    "autograd": (f"{RULES} func", "numpy"),
    "func": (RULES, "numpy"),
    "utils": ("seeding engine", ""),
    "dtypes": ("", "numpy"),
    "chalkgrad": (f"_version allocator autograd dtypes func linalg serialization special sugar utils {TOOLS}", ""),
    "train": (f"_version serialization models {TOOLS}", f"numpy safetensors {APP}"),
    "cli": (f"_version serialization models train {TOOLS}", APP),
    "__main__": ("cli", ""),
}

MADE = {"__pycache__", "build", "dist", "node_modules", "runs"}  # folders that nobody wrote
LINES = {"src": 400, "tests": 400, "benchmarks": 400, "gallery": 400}  # the most for a file
SCALAR_LINES = 150
ENGINE_LINES = 800  # in all: one sitting

DOCUMENTS = [
    "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/compile.md", "docs/differences.md",
    "docs/your-own-operation.md",
]
BLOCK = re.compile(r"^( *)```py(?:thon|con)?\b(?P<mark>.*)\n(?P<code>(?:.*\n)*?)\1```$", re.MULTILINE)

# Each is written so that it does not match itself.
UNWANTED = {
    "the host of a registry": r"\b[\w.-]*(?:pypi|pythonhosted|npmjs|registry|mirror)[\w-]*\.(?:com|io|net|org)\b",
    "where pip looks for packages": r"--(?:extra-)?(?:index|find)-(?:url|links)",
    "a path of one machine": r"(?<![\w.-])/(?:home|opt|root|tmp|Users|work)/",
}


# ------------------------------------------------------------------------------------------------- reading the tree


def files(top: Path, suffix: str = "") -> list[Path]:
    """Return the files of a folder, but none of an environment, a cache or a run."""
    found = []
    for folder, inner, names in os.walk(top):
        inner[:] = [name for name in inner if name in {".ci", ".github"} or not (name[0] == "." or name in MADE)]
        found += [Path(folder, name) for name in names if name.endswith(suffix)]
    return sorted(found)


class Module(NamedTuple):
    """The source of a module, parsed, and the package that its relative imports start from."""

    tree: ast.Module
    package: str


@pytest.fixture(scope="session")
def modules(root: Path) -> dict[str, Module]:
    """Return every module of the package by its full name."""
    found = {}
    for path in files(root / "src", ".py"):
        package = ".".join(path.parent.relative_to(root / "src").parts)
        name = package if path.stem == "__init__" else f"{package}.{path.stem}"
        found[name] = Module(ast.parse(path.read_bytes()), package)
    return found


def imports(name: str, modules: dict[str, Module], *, late: bool = True) -> Iterator[str]:
    """Yield the full name of each module that a module imports: when it is loaded and, if `late`, inside functions."""
    module = modules[name]
    for node in run_parts(module.tree, late):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), module.package)
            members = [f"{base}.{alias.name}" for alias in node.names]
            yield from (member if member in modules else base for member in members)


def run_parts(tree: ast.AST, late: bool) -> Iterator[ast.AST]:
    """Walk a tree as ast.walk does, less what stands under `if TYPE_CHECKING:` and, unless `late`, in functions."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        if late or not isinstance(child, ast.FunctionDef):
            yield child
            yield from run_parts(child, late)


def layer(name: str) -> str:
    """Return the package or file right below chalkgrad that a module belongs to."""
    return name.split(".")[1] if "." in name else name


def public_definitions(tree: ast.Module) -> list[ast.FunctionDef | ast.ClassDef]:
    """Return the public functions and classes of a module, less the parts of another such as `@linear.backward`."""
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_"]
    parts = re.compile(rf"({'|'.join(node.name for node in found)})\.\w+")
    return [node for node in found if not any(parts.fullmatch(ast.unparse(each)) for each in node.decorator_list)]


def none(problems: Iterable[str]) -> None:
    """Fail if there are problems, and show all of them."""
    found = sorted(problems)
    assert not found, "\n".join(["", *found])


# -------------------------------------------------------------------------------------------------------- imports


def test_every_layer_is_in_the_table(modules: dict[str, Module]) -> None:
    none(name for name in modules if layer(name) not in IMPORTS)


@pytest.mark.parametrize("name", IMPORTS)
def test_imports_point_one_way(name: str, modules: dict[str, Module]) -> None:
    inside, outside = (names.split() for names in IMPORTS[name])
    allowed = {*sys.stdlib_module_names, *outside, *(f"chalkgrad.{each}" for each in [name, *inside])}
    found = ((module, to) for module in modules if layer(module) == name for to in imports(module, modules))
    none(f"{module} imports {to}" for module, to in found if allowed.isdisjoint(with_parents(to)))


def with_parents(name: str) -> Iterator[str]:
    """Yield a, a.b and a.b.c for a.b.c."""
    return accumulate(name.split("."), "{}.{}".format)


def test_layers_make_no_circle(modules: dict[str, Module]) -> None:
    no_circle((layer(name), layer(to)) for name in modules for to in imports(name, modules))


def test_modules_make_no_circle_while_they_load(modules: dict[str, Module]) -> None:
    no_circle((name, to) for name in modules for to in imports(name, modules, late=False))


def no_circle(edges: Iterator[tuple[str, str]]) -> None:
    graph = TopologicalSorter[str]()
    for one, other in edges:
        if one != other:
            graph.add(one, other)
    graph.prepare()  # a CycleError names the circle


def test_import_loads_numpy_and_nothing_else() -> None:
    # Cython makes modules that have no file; they belong to the library that has just been loaded.
    program = """
import sys
before = set(sys.modules)
import chalkgrad
loaded = {name.split(".")[0] for name in set(sys.modules) - before if getattr(sys.modules[name], "__file__", None)}
print(*sorted(loaded - set(sys.stdlib_module_names)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["chalkgrad", "numpy"]


# ---------------------------------------------------------------------------------------- sizes, names, docstrings


def count_lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("folder", LINES)
def test_no_file_is_too_long(folder: str, root: Path) -> None:
    written = [path for path in files(root / folder, ".py") if "golden" not in path.parts]
    lengths = {str(path.relative_to(root)): count_lines(path) for path in written}
    none(f"{path} has {length} lines" for path, length in lengths.items() if length > LINES[folder])


def test_the_first_file_and_the_engine_stay_small(root: Path) -> None:
    assert count_lines(root / "src/chalkgrad/scalar.py") <= SCALAR_LINES
    engine = [count_lines(path) for path in files(root / "src/chalkgrad/engine", ".py")]
    assert sum(engine) <= ENGINE_LINES


def test_all_is_sorted_and_complete(modules: dict[str, Module]) -> None:
    wrong = []
    for name, module in modules.items():
        listed = getattr(importlib.import_module(name), "__all__", [])
        wrong += [f"{name} lacks {node.name}" for node in public_definitions(module.tree) if node.name not in listed]
        wrong += [f"{name} has no {entry}" for entry in listed if not hasattr(sys.modules[name], entry)]
        wrong += [f"{name} is not sorted"] * (list(listed) != sorted(set(listed)))
    none(wrong)


def test_everything_public_has_a_docstring(modules: dict[str, Module]) -> None:
    trees = {name: module.tree for name, module in modules.items()}
    defined = {f"{name}.{node.name}": node for name, tree in trees.items() for node in public_definitions(tree)}
    none(name for name, node in {**trees, **defined}.items() if not ast.get_docstring(node))


def test_only_rules_are_untyped(modules: dict[str, Module]) -> None:
    """In the files where rules stand, mypy lets untyped functions pass; the methods beside them have no such excuse."""
    nodes = ((name, node) for name, module in modules.items() for node in ast.walk(module.tree))
    classes = ((name, node) for name, node in nodes if isinstance(node, ast.ClassDef))
    methods = ((name, each, node) for name, each in classes for node in each.body if isinstance(node, ast.FunctionDef))
    none(f"{name}.{each.name}.{node.name}" for name, each, node in methods if not is_typed(node))


def is_typed(method: ast.FunctionDef) -> bool:
    arguments = method.args
    given = [*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg]
    bare = {each.arg for each in given if each is not None and each.annotation is None} - {"self", "cls"}
    return not bare and (method.returns is not None or method.name == "__init__")


@pytest.mark.parametrize("what", UNWANTED)
def test_no_file_names(what: str, root: Path) -> None:
    texts = ((path.relative_to(root), path.read_bytes().decode("utf-8", errors="replace")) for path in files(root))
    none(f"{path}: {match[0]}" for path, text in texts for match in re.finditer(UNWANTED[what], text))


# ------------------------------------------------------------------------------------------------------ documents


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_code_in_a_document_runs(name: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = python_blocks((root / name).read_text(encoding="utf-8"))
    assert blocks or name == "ARCHITECTURE.md", f"{name} shows no Python"
    module = types.ModuleType(f"code_in_{Path(name).stem.lower()}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.chdir(tmp_path)
    for line, code in blocks:
        run_block(module, line, code, tmp_path / f"{Path(name).name}-line-{line + 1}.py")


def python_blocks(text: str) -> list[tuple[int, str]]:
    """Return the line and the code of each block marked ```python, but not of those marked ```python no-run."""
    blocks = [match for match in BLOCK.finditer(text) if "no-run" not in match["mark"].split()]
    return [(text.count("\n", 0, match.start("code")), textwrap.dedent(match["code"])) for match in blocks]


def run_block(module: types.ModuleType, line: int, code: str, script: Path) -> None:
    """Run a block of a document in the module's names: as a session if it has a prompt, as a program if not."""
    if ">>>" in code:
        run_session(module, line, code)
        return
    # Rules read their own source, so the block goes into a file; blank lines give it the document's line numbers.
    program = "\n" * line + code
    script.write_text(program, encoding="utf-8")
    module.__file__ = str(script)
    exec(compile(program, script, "exec"), module.__dict__)


def run_session(module: types.ModuleType, line: int, code: str) -> None:
    session = doctest.DocTestParser().get_doctest(code, {}, module.__name__, module.__name__, line)
    session.globs = module.__dict__  # itself, where DocTest took a copy: later blocks go on with its names
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(session, out=report.append, clear_globs=False)
    assert not report, "".join(report)

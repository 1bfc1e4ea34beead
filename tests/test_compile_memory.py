"""What a compiled function keeps: the program and its arrays, and nothing of what it was compiled with."""

from __future__ import annotations

import ast
import gc
import inspect
import linecache
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
import chalkgrad.nn.functional as F
from chalkgrad import nn, optim
from chalkgrad.compiler.lines import Line, bare
from chalkgrad.engine.primitive import PRIMITIVES
from chalkgrad.law.rule import Rule, reading
from chalkgrad.law.text import definition


def training_step(width: int = 16) -> Callable[[], Any]:
    """Return a compiled step of a small network that has not run yet."""
    cg.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, 3))
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    x, y = cg.randn(8, 2), cg.tensor(np.arange(8) % 3)

    @cg.compile
    def step(x: cg.Tensor, y: cg.Tensor) -> cg.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return lambda: step(x, y)


def trees() -> int:
    """Count the syntax trees of functions, and all that is in them, that somebody holds."""
    gc.collect()
    return sum(issubclass(type(one), ast.stmt | ast.expr) for one in gc.get_objects())


def test_no_syntax_trees_stay_after_compiling() -> None:
    training_step()()  # whatever others had read before is let go of as well
    before = trees()
    step = training_step(17)
    step()
    assert trees() <= before


def test_compiling_leaves_little_behind() -> None:
    training_step()()  # fills the caches that all compiled functions share
    step = training_step(17)
    gc.collect()
    tracemalloc.start()
    try:
        step()
        gc.collect()
        held, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 250_000, f"{held} bytes are held after compiling a network of 102 numbers; the peak was {most}"


def test_small_parameters_are_updated_in_little_room() -> None:
    step = training_step()
    step()
    compiled: Any = inspect.getclosurevars(step).nonlocals["step"]
    work = compiled.last.last.built.known["adam_rows_work"]
    assert sum(array.nbytes for arrays in work for array in arrays) <= 64 * 1024


def test_lines_are_bared_of_what_was_found_out() -> None:
    line = Line("a = b + c")
    assert line.reads == {"b", "c"} and line.node is line.node
    (again,) = bare([line])
    assert again == line and vars(again) == {"text": "a = b + c"}


def first_rule() -> Rule:
    return PRIMITIVES[0].rule


def test_trees_are_let_go_of_at_the_end_of_the_outermost_block() -> None:
    rule = first_rule()
    with reading():
        node, statements = rule.node, rule.statements
        with reading():
            pass
        assert rule.node is node and rule.statements is statements
    assert "node" not in vars(rule) and "statements" not in vars(rule)
    assert ast.dump(rule.node) == ast.dump(node)


def test_trees_stay_while_another_thread_reads() -> None:
    rule, entered, left = first_rule(), threading.Event(), threading.Event()

    def read() -> None:
        with reading():
            entered.set()
            left.wait(10)

    other = threading.Thread(target=read)
    other.start()
    entered.wait(10)
    with reading():
        node = rule.node
    kept = vars(rule).get("node")
    left.set()
    other.join()
    assert kept is node and "node" not in vars(rule)


def test_a_step_can_be_compiled_again_after_its_trees_are_gone() -> None:
    first, second = training_step(), training_step()
    np.testing.assert_array_equal(first().numpy(), second().numpy())


# Functions whose ends are not told by their code or their indentation alone.
ODD = [
    "def f(x):\n    return (x +\n        1\n)\n\nother = 1\n",
    "def f(x):\n    text = '''\nnot indented\n'''\n    return x\n# behind\nother = 1\n",
    "def f(x):\n    return x\n    x = 2  # never runs, but stands there\n\n\nother = 1\n",
    "def f(\n    x,\n):\n    \"\"\"A story.\n\nNot indented.\"\"\"\n\nother = 1\n",
    "def f(x):\n    if x:\n        return x\n    pass\nother = 1\n",
    "def same(g): return g\n@same\n@(\n    same\n)\ndef f(x): return x\nother = 1\n",
    "def outer():\n    def f(x):\n        y = x\n# at the margin\n        return y\n    return f\nf = outer()\n",
    "if True:\n\tdef f(x):\n\t\treturn x\n\tother = 1\n",
]


@pytest.mark.parametrize("text", ODD)
def test_a_function_is_found_by_itself_as_in_its_file(text: str) -> None:
    name = "<odd>"
    linecache.cache[name] = len(text), None, text.splitlines(keepends=True), name
    known: dict[str, Any] = {}
    exec(compile(text, name, "exec"), known)
    found = definition(known["f"])
    assert found is not None
    (whole,) = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef) and node.name == "f"]
    assert ast.dump(found, include_attributes=True) == ast.dump(whole, include_attributes=True)


def test_every_rule_is_found_as_in_its_file() -> None:
    files: dict[str, ast.Module] = {}
    for rule in [one.rule for one in PRIMITIVES]:
        if rule.file not in files:
            files[rule.file] = ast.parse("".join(linecache.getlines(rule.file)))
        (whole,) = [node for node in ast.walk(files[rule.file]) if isinstance(node, ast.FunctionDef) and (
            min([node.lineno, *(d.lineno for d in node.decorator_list)]) == rule.function.__code__.co_firstlineno)]
        assert ast.dump(rule.node, include_attributes=True) == ast.dump(whole, include_attributes=True), rule.name


def test_what_is_no_function_in_a_file_is_not_found() -> None:
    known: dict[str, Any] = {}
    exec("def f(x):\n    return x\n", known)
    assert definition(known["f"]) is None
    assert definition(lambda x: x) is None

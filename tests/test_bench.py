"""The benchmarks' own arithmetic on a made-up result, the hand-written rivals against chalkgrad, and one real turn."""

import copy
import importlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks import __main__ as command
from benchmarks.harness import goals, race, report, results, work
from benchmarks.rivals.models import LOSSES
from benchmarks.rivals.optimizers import rule
from benchmarks.rivals.words import Words
from benchmarks.training import started

import chalkgrad as cg

KINDS = work.catalogue()
TASKS = {name: build.args[2] for suite, kind in KINDS.items() if kind == "training"
         for name, build in importlib.import_module(f"benchmarks.{suite}").workloads("chalkgrad").items()}


def rival(*seconds: float, memory: int | None = 8_000_000, check: float = 1.0) -> dict[str, Any]:
    count = len(seconds)
    return {"seconds": [*seconds], "memory": [memory] * count, "check": [check] * count, "turn": [1.0] * count,
            "others": [0.0] * count}


def workload(kind: str, **rivals: dict[str, Any]) -> dict[str, Any]:
    named = {name.replace("_", "-"): found for name, found in rivals.items()}
    return {"suite": "made-up", "kind": kind, "flops": 10**9 if kind == "training" else None, "rivals": named}


@pytest.fixture
def result() -> results.Result:
    """A run that meets all of its goals."""
    others = {name: rival(0.04, 0.03, 0.02) for name in ("autograd", "mygrad", "tinygrad", "jax", "torch_compile")}
    step = workload("training", torch=rival(0.010, 0.012, 0.008), chalkgrad=rival(0.010, 0.009, 0.008),
                    compiled=rival(0.005, 0.005, 0.005, memory=4_000_000), **others)
    start = workload("import", chalkgrad=rival(0.15), numpy=rival(0.08))
    machine = {"processor": "slide rule", "cores": 2, "memory": 8, "gflops": 400.0, "blas": "openblas 1.0 (Zen)",
               "python": "3.11", "versions": {"numpy": "2.4"}}
    return {"date": "2026-01-02T03:04", "machine": machine, "workloads": {"step": step, "import": start},
            "options": {"rounds": 3, "threads": 2, "tuned": False}}


def scaling(**times: float) -> results.Result:
    """Make a result of one model at several batches: batch_8=0.1 for 0.1 s."""
    return {"workloads": {f"mlp/{name.replace('_', '/')}": workload("scaling", chalkgrad=rival(took))
                          for name, took in times.items()}}


# --------------------------------------------------------------------------------------------------------- numbers


def test_a_ratio_compares_within_rounds() -> None:
    assert results.ratio([2.0, 3.0, 8.0], [1.0, 2.0, 2.0]) == (2.0, 1.5, 4.0)
    assert results.ratio([2.0], [1.0, 5.0]) == (2.0, 2.0, 2.0), "a slow rival may have run one round only"
    assert results.geometric_mean([2.0, 0.5, 1.0]) == pytest.approx(1.0)


@pytest.mark.parametrize("checks, same", [([1.0, 1.002], True), ([1.0, 1.01], False), ([500.0, 501.0], True),
                                          ([0.0, 1e-3], True), ([1.0, float("nan")], False)])
def test_rivals_agree(checks: list[float], same: bool) -> None:
    assert results.agree(checks) is same


@pytest.mark.parametrize("took, text", [(4.8e-5, "48 us"), (9.996e-4, "1 ms"), (2.694e-3, "2.69 ms"), (61.0, "61 s")])
def test_durations(took: float, text: str) -> None:
    assert report.duration(took) == text


# ----------------------------------------------------------------------------------------------------------- goals


def marks(found: results.Result, grown: results.Result | None = None) -> dict[str, bool | None]:
    return {goal.number: goal.met for goal in goals.goals(found, grown)}


def test_goals_that_are_met(result: results.Result) -> None:
    assert marks(result, scaling(batch_8=0.1, batch_16=0.2)) == dict.fromkeys(["1a", "1b", "1c", *"23456"], True)


@pytest.mark.parametrize("number, workload, rival, change", [
    ("1a", "step", "compiled", {"seconds": [0.011, 0.013, 0.009]}),
    ("1b", "step", "compiled", {"seconds": [0.008, 0.010, 0.006]}),
    ("1c", "step", "jax", {"seconds": [0.004, 0.004, 0.004]}),
    ("2", "step", "chalkgrad", {"seconds": [0.012, 0.014, 0.009]}),
    ("3", "step", "mygrad", {"seconds": [0.014, 0.014, 0.014]}),
    ("4", "step", "compiled", {"memory": [9_000_000] * 3}),
    ("6", "import", "chalkgrad", {"seconds": [0.21]}),
])
def test_goals_that_are_missed(result: results.Result, number: str, workload: str, rival: str,
                               change: dict[str, Any]) -> None:
    result["workloads"][workload]["rivals"][rival] |= change
    assert marks(result)[number] is False


def test_goals_that_were_not_measured(result: results.Result) -> None:
    del result["workloads"]["step"]["rivals"]["compiled"]
    assert marks(result) == {"1a": None, "1b": None, "1c": None, "2": True, "3": True, "4": None, "5": None, "6": True}


def test_a_step_may_not_grow_faster_than_its_batch() -> None:
    assert goals.linear(scaling(batch_8=0.1, batch_16=0.15, width_2=9.0), "chalkgrad") == []
    assert goals.linear(scaling(batch_16=0.25, batch_8=0.1), "chalkgrad") == ["mlp from batch 8 to 16: 2.50 x the time"]


# ---------------------------------------------------------------------------------------------------------- report


def test_a_workload_in_words(result: results.Result) -> None:
    result["workloads"]["step"]["rivals"]["tinygrad"] = {"missing": ["needs clang"]}
    lines = report.workload_lines("step", result)
    assert lines[0] == "step (training, 1 GFLOP)"
    assert lines[3].split() == ["compiled", "5", "ms", "0.50", "(0.42", "to", "0.62)", "4.0", "MB", "200.0", "GFLOP/s,",
                                "50%", "of", "the", "limit"]
    assert "  tinygrad      missing: needs clang" in lines


def test_rivals_that_disagree_are_named(result: results.Result) -> None:
    assert report.disagreements(result) == []
    result["workloads"]["step"]["rivals"]["jax"]["check"] = [1.0, 2.0, 1.0]
    assert report.disagreements(result)[0].startswith("step: the rivals do not agree")


def test_turns_that_others_disturbed_are_counted(result: results.Result) -> None:
    assert report.disturbed(result) == ""
    result["workloads"]["step"]["rivals"]["jax"]["others"] = [0.5, 0.0, 0.3]
    assert report.disturbed(result) == "Other programs disturbed 2 of 26 turns. "


def test_the_block_of_the_readme(result: results.Result, tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"before\n\n{report.BEGIN}\nold\n{report.END}\n\nafter\n", encoding="utf-8")
    report.replace_block(page, report.block(result, None))
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"before\n\n{report.BEGIN}\n") and text.endswith(f"\n{report.END}\n\nafter\n")
    assert "| step | 10 ms | 1.00 | 0.50 |" in text
    assert "| 5 | no step grows worse than linearly with its batch | not measured |  |" in text
    assert "old" not in text and os.listdir(tmp_path) == ["README.md"]


def test_a_page_without_the_markers_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("no markers", encoding="utf-8")
    with pytest.raises(SystemExit, match="needs these two lines"):
        report.replace_block(page, "block")
    assert page.read_text(encoding="utf-8") == "no markers"


def test_the_newest_whole_result_is_found(result: results.Result, tmp_path: Path) -> None:
    assert results.newest("", tmp_path) is None
    for date, suffix in (("2026-01-02T03:04", ""), ("2026-01-03T01:00", ""), ("2026-01-04T00:00", "_partial")):
        results.save(copy.deepcopy(result) | {"date": date}, suffix, tmp_path)
    newest = results.newest("", tmp_path)
    assert newest is not None and newest["date"] == "2026-01-03T01:00"
    assert sorted(os.listdir(tmp_path))[0] == "2026-01-02T0304.json"


# ------------------------------------------------------------------------------------------------ suites and rivals


def test_suites_have_kinds_and_workloads_have_one_name() -> None:
    assert {*KINDS.values()} == {"training", "inference", "import", "scaling", "part"}
    names = [name for suite in KINDS for name in race.names_of(suite)]
    assert len(names) == len({*names})
    assert LOSSES.keys() == TASKS.keys(), "every training step is written down for the rivals"


def test_unknown_names_are_refused_in_words() -> None:
    with pytest.raises(SystemExit, match=r"there is no lenet6\. There are the suites autoencoder, "):
        command.select(command.parse(["lenet6"]), KINDS)
    for wrong in (["lenet5", "--scaling"], ["--against", "numpy"], ["--rounds", "0"], ["--quick", "--report"]):
        with pytest.raises(SystemExit):
            command.parse(wrong)
    assert command.select(command.parse(["mnist_mlp", "lenet5"]), KINDS) == {
        "lenet5": "lenet5", "mnist-mlp-64": "mnist_mlp", "mnist-mlp-512": "mnist_mlp",
    }


@pytest.mark.parametrize("name", ["moons-mlp", "mnist-mlp-64", "vae"])
def test_a_loss_written_for_rivals_is_that_of_the_model(name: str) -> None:
    task = TASKS[name]
    model = started(cg, task)
    params = {path: value.data for path, value in model.state_dict().items()}
    expected = task.loss(cg, model, *map(cg.tensor, task.batch)).item()
    assert LOSSES[name](Words(np), params, *task.batch) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name, options", [
    ("SGD", {"lr": 0.1}), ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}), ("Adam", {"lr": 0.1}),
    ("AdamW", {"lr": 0.1}),
])
def test_an_optimizer_written_for_rivals_is_chalkgrads(name: str, options: dict[str, float]) -> None:
    rng = np.random.default_rng(0)
    param = cg.nn.Parameter(cg.tensor(rng.standard_normal((3, 4))))
    optimizer, update = getattr(cg.optim, name)([param], **options), rule(name, options)
    mine, m, v = param.detach().data.copy(), np.zeros((3, 4)), np.zeros((3, 4))
    for t in range(1, 6):
        grad = rng.standard_normal((3, 4))
        param.grad = cg.tensor(grad)
        optimizer.step()
        mine, m, v = update(mine, grad, m, v, t)
    np.testing.assert_allclose(mine, param.detach().data, rtol=1e-6)


def test_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    settings = race.Settings(rounds=1, threads=1)
    assert "OPENBLAS_CORETYPE" not in race.environment("torch", settings)
    found = race.turn("moons_mlp", "moons-mlp", "chalkgrad", settings)
    assert found.keys() == {"check", "kept", "memory", "seconds", "turn", "others"}, found
    assert 0.5 < found["check"] < 1 and 0 < found["seconds"] < 0.1
    assert "there-is-none" in race.turn("moons_mlp", "there-is-none", "chalkgrad", settings)["failed"]
    assert json.loads(json.dumps(found)) == found

"""Training: it learns, it leaves what it says, and an interruption changes nothing but the time it takes."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import models
from chalkgrad.serialization import load, load_metadata, save
from chalkgrad.train import Callback, Diverged, Run, RunError, Session, Trainer, choose, folder, resume, start
from chalkgrad.train.checkpoint import KEY

FILES = [
    "checkpoint.safetensors", "config.json", "history.jsonl", "model.safetensors", "report.html", "result.json",
    "step.npz", "step.py",
]


def history(run: Run) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run.path / "history.jsonl").read_text().splitlines()]


# ----------------------------------------------------------------------------------------------------- it learns

LEARNS: dict[str, tuple[dict[str, Any], Callable[[float], bool]]] = {
    "moons": ({}, lambda accuracy: accuracy >= 0.98),
    "iris": ({}, lambda accuracy: accuracy >= 0.9),
    "celsius": ({}, lambda error: error < 0.001),
    "celsius, mlp": ({"model": "mlp"}, lambda error: error < 2),
    "iris, adam": ({"optimizer": "adam"}, lambda accuracy: accuracy >= 0.9),
    "iris, linear, adamw": ({"model": "linear", "optimizer": "adamw"}, lambda accuracy: accuracy >= 0.9),
    "digits": ({}, lambda accuracy: accuracy >= 0.975),
    "digits, cnn": ({"model": "cnn", "epochs": 3}, lambda accuracy: accuracy >= 0.95),
}


@pytest.mark.parametrize("what", LEARNS)
def test_it_learns(what: str) -> None:
    options, is_good = LEARNS[what]
    session = Session(choose(what.partition(",")[0], **options))
    session.trainer.fit(session.settings.epochs)
    found = session.trainer.evaluate(*session.problem.test)
    assert is_good(found[session.problem.measure]), found


def test_the_seed_decides_everything_but_the_split() -> None:
    def trained(seed: int) -> Session:
        session = Session(choose("moons", epochs=1, seed=seed))
        session.trainer.fit(1)
        return session

    one, same, other = trained(1), trained(1), trained(2)
    weights = [session.model.state_dict()["fc1.weight"].data for session in (one, same, other)]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])
    np.testing.assert_array_equal(one.problem.test[0], other.problem.test[0])


def test_a_trainer_works_on_any_model_and_data() -> None:
    x = np.linspace(-1, 1, 32, dtype=np.float32)[:, None]
    model = cg.nn.Linear(1, 1)
    loader = cg.data.DataLoader(cg.data.TensorDataset(x, 3 * x + 1), batch_size=8, shuffle=True)
    optimizer = cg.optim.SGD(model.parameters(), lr=0.5)
    trainer = Trainer(model, cg.nn.MSELoss(), optimizer, loader, sets={"train": (x, 3 * x + 1)}, measures={})
    trainer.fit(30)
    assert model.weight.item() == pytest.approx(3, abs=1e-3) and len(trainer.history) == 30


def test_a_loss_that_is_no_number_is_told_in_words() -> None:
    session = Session(choose("celsius", lr=1e6))
    with pytest.raises(Diverged, match=r"fell apart in epoch \d+.*learning rate, 1e\+06"):
        session.trainer.fit(20)


# ------------------------------------------------------------------------------------------------ the run folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = start(choose("iris", epochs=4), tmp_path_factory.mktemp("finished"))
    run.train()
    return run


def test_a_run_leaves_its_files(finished: Run) -> None:
    assert sorted(path.name for path in finished.path.iterdir()) == FILES
    assert [path.name for path in finished.path.parent.iterdir()] == [finished.path.name]


def test_the_files_say_what_happened(finished: Run) -> None:
    config = json.loads((finished.path / "config.json").read_text())
    assert {**vars(finished.session.settings), "format": 1, "chalkgrad": cg.__version__} == config
    assert [record["epoch"] for record in history(finished)] == [1, 2, 3, 4]
    assert {"lr", "train_loss", "train_accuracy", "val_loss", "val_accuracy"} < history(finished)[0].keys()
    result = json.loads((finished.path / "result.json").read_text())
    assert result["epochs"] == 4 and np.sum(result["confusion"]) == result["test_rows"] == 30
    assert np.trace(result["confusion"]) / 30 == pytest.approx(result["test_accuracy"])


def test_the_weights_are_those_that_were_tested(finished: Run) -> None:
    path, session = finished.path / "model.safetensors", finished.session
    settings = json.loads(load_metadata(path)["chalkgrad"])["settings"]
    model = models.build(settings["model"], session.problem.data)
    model.load_state_dict(load(path))
    x, _ = session.problem.test
    np.testing.assert_array_equal(model.eval()(cg.tensor(x)).data, session.trainer.predict(x))


STEPS: dict[str, dict[str, Any]] = {
    "digits, linear": {},
    "digits, mlp": {},
    "digits, cnn": {"batch_size": 128},
    "iris, mlp": {"optimizer": "adam"},
    "moons, mlp": {"optimizer": "adamw"},
    "celsius, linear": {},
}


@pytest.mark.parametrize("what", STEPS)
def test_the_step_runs_alone_and_its_loss_falls(what: str, tmp_path: Path) -> None:
    dataset, model = what.split(", ")
    run = start(choose(dataset, model=model, **STEPS[what]), tmp_path)
    alone = "import sys; sys.modules['chalkgrad'] = None; import runpy; runpy.run_path('step.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", alone], cwd=run.path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    losses = [float(line.split()[-1]) for line in done.stdout.splitlines()]
    assert len(losses) == 10 and losses[-1] < losses[0] / 2


def test_a_run_that_exists_is_never_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class StoppedClock:
        now = staticmethod(lambda: folder_time)

    folder_time = folder.datetime(2031, 5, 7, 18, 0, 0)
    monkeypatch.setattr(folder, "datetime", StoppedClock)
    name = "2031-05-07-180000-celsius-linear"
    (tmp_path / name).write_text("a file in the way")
    paths = [start(choose("celsius"), tmp_path).path.name for _ in range(3)]
    assert paths == [f"{name}-2", f"{name}-3", f"{name}-4"]
    assert (tmp_path / name).read_text() == "a file in the way"


def test_a_run_is_not_there_until_it_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cg.Program, "save", fail)
    with pytest.raises(KeyboardInterrupt):
        start(choose("celsius"), tmp_path)
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------- stopping, and going on


class Stop(Callback):
    """Presses Ctrl-C after a number of epochs and, in the next one, of batches."""

    def __init__(self, epochs: int, batches: int = 0) -> None:
        self.epochs, self.batches = epochs, batches

    def on_batch_end(self, trainer: Trainer) -> None:
        if trainer.epoch == self.epochs and self.batches:
            self.batches -= 1
            if not self.batches:
                raise KeyboardInterrupt

    def on_epoch_end(self, trainer: Trainer, record: dict[str, float]) -> None:
        if trainer.epoch == self.epochs and not self.batches:
            raise KeyboardInterrupt


def assert_same(one: Run, two: Run) -> None:
    """Compare all that two runs left, byte by byte; only the report knows the name of its run."""
    for name in FILES:
        contents = [(run.path / name).read_bytes().replace(run.path.name.encode(), b"NAME") for run in (one, two)]
        assert contents[0] == contents[1], name


# After how many epochs and, in the next one, batches.
BREAKS = {
    "before the first epoch": [(0, 1)],
    "at an epoch's end": [(2, 0)],
    "in the middle of an epoch": [(2, 3)],
    "after the last epoch": [(4, 0)],
    "again and again": [(1, 0), (1, 2), (2, 1), (3, 0)],
}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("iris", {}),
    "adam": ("iris", {"optimizer": "adam"}),
    "adamw": ("iris", {"optimizer": "adamw"}),
    "regression": ("celsius", {}),
}


def unbroken(dataset: str, options: dict[str, Any], out: Path) -> Run:
    run = start(choose(dataset, **options), out)
    run.train()
    return run


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", BREAKS)
def test_a_resumed_run_ends_as_an_unbroken_one(kind: str, where: str, tmp_path: Path) -> None:
    dataset, options = KINDS[kind]
    options = {"epochs": 4, "lr": 0.01, **options}
    run = start(choose(dataset, **options), tmp_path)
    for stop in BREAKS[where]:
        with pytest.raises(KeyboardInterrupt):
            run.train([Stop(*stop)])
        cg.manual_seed(99)  # another process would not have this one's generator
        run = resume(run.path, dataset=dataset)
    run.train()
    assert_same(run, unbroken(dataset, options, tmp_path))


def test_what_dropout_hides_goes_on_too(tmp_path: Path) -> None:
    options = {"model": "cnn", "epochs": 2, "batch_size": 200}
    run = start(choose("digits", **options), tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run.train([Stop(1, 2)])
    cg.manual_seed(99)
    run = resume(run.path)
    run.train()
    assert_same(run, unbroken("digits", options, tmp_path))


MOMENTS = 10  # at which a run of two epochs puts a file in its place


def interrupted(monkeypatch: pytest.MonkeyPatch, moment: int, out: Path) -> int:
    """Start a run of two epochs and stop it when a file is put in its place; return how many there were before."""
    calls: list[str] = []

    def replace(source: str, target: str) -> None:
        if len(calls) == moment:
            raise KeyboardInterrupt
        calls.append(target)
        os.rename(source, target)

    with monkeypatch.context() as patched, contextlib.suppress(KeyboardInterrupt):
        patched.setattr(os, "replace", replace)
        start(choose("celsius", epochs=2), out).train()
    return len(calls)


def test_these_are_all_moments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert interrupted(monkeypatch, 99, tmp_path) == MOMENTS


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_no_moment_leaves_half_a_run(moment: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert interrupted(monkeypatch, moment, tmp_path) == moment
    left = list(tmp_path.iterdir())
    assert len(left) == (moment >= MOMENTS - 5)  # before that, no run was there yet
    if left:
        run = resume(left[0])
        run.train()
        assert_same(run, unbroken("celsius", {"epochs": 2}, tmp_path))


def test_a_finished_run_can_be_extended(tmp_path: Path) -> None:
    run = start(choose("iris", epochs=2), tmp_path)
    run.train()
    longer = resume(run.path, epochs=11)  # beyond a step of the learning rate
    longer.train()
    assert_same(longer, unbroken("iris", {"epochs": 11}, tmp_path))


def _rewrite(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return lambda path: (path / name).write_bytes(change((path / name).read_bytes())) and None


def _other_model(path: Path) -> None:
    text = load_metadata(path / "checkpoint.safetensors")[KEY]
    tensors = load(path / "checkpoint.safetensors")
    save({**tensors, "model/fc1.bias": cg.zeros(3)}, path / "checkpoint.safetensors", {KEY: text})


def _nothing(path: Path) -> None:
    pass


REFUSED: dict[str, tuple[Callable[[Path], Any], dict[str, Any], str]] = {
    "finished": (_nothing, {}, "has 4 epochs behind it.*--epochs 8"),
    "fewer epochs": (_nothing, {"epochs": 3}, "has 4 epochs behind it"),
    "another dataset": (_nothing, {"dataset": "moons"}, "has dataset iris, not moons"),
    "another rate": (_nothing, {"epochs": 9, "lr": 0.5}, "has lr 0.1, not 0.5"),
    "no epochs": (_nothing, {"epochs": 0}, "epochs is a whole number, at least 1"),
    "no checkpoint": (lambda path: (path / "checkpoint.safetensors").unlink(), {"epochs": 9}, "There is no checkpoint"),
    "half a checkpoint": (_rewrite("checkpoint.safetensors", lambda b: b[:999]), {"epochs": 9}, "cannot be read"),
    "other weights": (
        lambda path: save({"x": cg.zeros(1)}, path / "checkpoint.safetensors"), {"epochs": 9}, "no checkpoint of a run"
    ),
    "weights of another size": (_other_model, {"epochs": 9}, "does not fit.*fc1.bias"),
    "no config": (lambda path: (path / "config.json").unlink(), {"epochs": 9}, "it is no run"),
    "broken config": (_rewrite("config.json", lambda b: b[:20]), {"epochs": 9}, "cannot be resumed"),
    "strange config": (_rewrite("config.json", lambda b: b.replace(b'"lr"', b'"rl"')), {"epochs": 9}, "look at lr, rl"),
    "wrong config": (_rewrite("config.json", lambda b: b.replace(b"0.1,", b"-1,")), {"epochs": 9}, "above 0, but -1"),
    "a later format": (_rewrite("config.json", lambda b: b.replace(b": 1,", b": 2,", 1)), {"epochs": 9}, "the format"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_resumed_is_told_and_left_alone(what: str, finished: Run, tmp_path: Path) -> None:
    spoil, given, words = REFUSED[what]
    for file in finished.path.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    spoil(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(RunError, match=words) as caught:
        resume(tmp_path, **{"dataset": "iris", **given})
    assert "\n" not in str(caught.value)
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_a_run_that_is_not_there(finished: Run) -> None:
    with pytest.raises(RunError, match=f"There is no run .*nowhere.* The newest beside it is .*{finished.path.name}"):
        resume(finished.path.parent / "nowhere")


# ------------------------------------------------------------------------------------------ settings and models

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "dataset": ({"dataset": "digit"}, "no dataset 'digit'. Did you mean `digits`"),
    "model": ({"model": "mpl"}, "no model 'mpl'. Did you mean `mlp`"),
    "optimizer": ({"optimizer": "adan"}, "no optimizer 'adan'. Did you mean"),
    "rate": ({"lr": -1.0}, "the learning rate is a number above 0, but -1.0 came"),
    "infinite rate": ({"lr": float("inf")}, "the learning rate"),
    "no rate": ({"lr": float("nan")}, "the learning rate"),
    "epochs": ({"epochs": 0}, "epochs is a whole number, at least 1, but 0 came"),
    "batch size": ({"batch_size": -3}, "the batch size is a whole number, at least 1, but -3 came"),
    "seed": ({"seed": -1}, "seed is a whole number, at least 0, but -1 came"),
    "half an epoch": ({"epochs": 1.5}, "epochs is a whole number"),
    "decay": ({"weight_decay": -0.1}, "weight decay"),
}


@pytest.mark.parametrize("what", WRONG)
def test_settings_that_cannot_be(what: str) -> None:
    given, words = WRONG[what]
    with pytest.raises(RunError, match=words):
        choose(**{"dataset": "digits", **given})


@pytest.mark.parametrize("name", models.names())
@pytest.mark.parametrize("dataset", cg.data.datasets.names())
def test_models_fit_datasets_or_say_why_not(name: str, dataset: str) -> None:
    data = cg.data.datasets.load(dataset)
    if name == "cnn" and dataset != "digits":
        with pytest.raises(ValueError, match=rf"{dataset}: cnn needs images \(c, h, w\).* Try mlp"):
            models.build(name, data)
        return
    outputs = models.build(name, data)(cg.tensor(data.x[:5]))
    assert outputs.shape == (5, len(data.class_names) or 1)

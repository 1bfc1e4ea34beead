"""The command line: good calls do what they say, and bad ones say why in one line, without a traceback."""

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import chalkgrad as cg
from chalkgrad.cli import main
from chalkgrad.train import choose, start

COMMAND = [sys.executable, "-m", "chalkgrad"]
SOURCE = Path(cg.__file__).parent.parent

GOOD: dict[str, tuple[str, list[str]]] = {
    "nothing": ("", ["Usage: chalkgrad", "train", "spell", "list", "Examples:"]),
    "help": ("--help", ["Usage: chalkgrad", "Examples:"]),
    "version": ("--version", [f"chalkgrad {cg.__version__}"]),
    "help on train": ("train --help", ["--resume RUN", "chalkgrad train digits --resume runs/", "Ctrl-C"]),
    "help on spell": ("spell --help", ["chalkgrad spell digits > step.py"]),
    "help on list": ("list --help", ["chalkgrad list"]),
    "list": ("list", ["digits", "moons", "celsius", "iris", "mlp", "cnn", "linear", "Handwritten digits"]),
    "spell": ("spell digits", ["def step(params, state, x, target, *, lr=0.1):", "grad_fc1_weight", "return loss"]),
    "spell another": (
        "spell moons --model linear --optimizer adam --batch-size 7", ["(7, 2)", "def adam(", "grad_fc_weight"]
    ),
    "train": (
        "train iris --epochs 2 --out OUT",
        ["iris, mlp with 4,099 parameters", "2/2", "test accuracy ", " %", "setosa", "OUT"],
    ),
    "train a regression": (
        "train celsius --epochs 3 --out OUT", ["error (°F)", "3/3", "test mean error ", " °F", "OUT"]
    ),
    "train with everything": (
        "train moons --model linear --epochs 2 --batch-size 50 --lr 0.5 --optimizer adamw --seed 3 --out OUT",
        ["moons, linear with 6 parameters", "2/2", "OUT"],
    ),
}


@pytest.mark.parametrize("what", GOOD)
def test_a_good_call(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line, words = GOOD[what]
    assert main([word.replace("OUT", str(tmp_path)) for word in line.split()]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    for word in words:
        assert word.replace("OUT", str(tmp_path)) in printed.out
    assert "\x1b" not in printed.out  # nobody looks, so there are no colours and nothing moves


BAD: dict[str, tuple[str, str]] = {
    "no such command": ("tarin digits", "No such command 'tarin'"),
    "no such option": ("train digits --epoch-count 3", "No such option: --epoch-count"),
    "no dataset": ("train", "Missing argument 'NAME'. Try: chalkgrad train --help"),
    "no such dataset": ("train digit", "There is no dataset 'digit'. Did you mean `digits`?"),
    "no such model": ("train digits --model resnet", "There is no model 'resnet'"),
    "no such optimizer": ("spell digits --optimizer lion", "There is no optimizer 'lion'"),
    "no number": ("train digits --epochs many", "--epochs"),
    "negative rate": ("train digits --lr -0.1", "the learning rate is a number above 0, but -0.1 came"),
    "no epochs": ("train digits --epochs 0", "epochs is a whole number, at least 1, but 0 came"),
    "no batch": ("spell digits --batch-size 0", "the batch size is a whole number, at least 1, but 0 came"),
    "negative seed": ("train digits --seed -1", "seed is a whole number, at least 0"),
    "cnn for points": ("train moons --model cnn", "cnn needs images (c, h, w)"),
    "missing run": ("train digits --resume OUT/run", "There is no run OUT/run."),
    "no run": ("train digits --resume OUT", "it has no config.json, so it is no run"),
    "two places": ("train digits --resume OUT --out OUT", "leave --out out"),
    "no folder": ("train celsius --out OUT/file", "cannot be written into OUT/file: File exists"),
    "diverges": ("train celsius --lr 1e9 --out OUT/runs", "fell apart in epoch"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_call(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line, words = BAD[what]
    (tmp_path / "file").touch()
    code = main([word.replace("OUT", str(tmp_path)) for word in line.split()])
    error = capsys.readouterr().err
    assert code == (1 if what == "diverges" else 2)
    assert error.startswith("chalkgrad: ") and words.replace("OUT", str(tmp_path)) in error
    assert error.count("\n") == 1 and "Traceback" not in error


def test_a_run_can_be_extended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "celsius", "--epochs", "2", "--out", str(tmp_path)]) == 0
    (run,) = tmp_path.iterdir()
    assert main(["train", "celsius", "--resume", str(run)]) == 2
    assert "has 2 epochs behind it" in capsys.readouterr().err
    assert main(["train", "moons", "--resume", str(run), "--epochs", "3"]) == 2
    assert "dataset celsius, not moons" in capsys.readouterr().err
    assert main(["train", "celsius", "--resume", str(run), "--epochs", "3"]) == 0
    assert "resumed after epoch 2 of 3" in capsys.readouterr().out
    assert len((run / "history.jsonl").read_text().splitlines()) == 3


# ----------------------------------------------------------------------------------------------- as a real process


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_what_is_spelled_can_be_piped_into_a_file(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([*COMMAND, "spell", "moons"], env=environment, capture_output=True, check=True)
    assert done.stderr == b"" and "ᵀ" in done.stdout.decode()
    compile(done.stdout, "step.py", "exec")


def test_a_terminal_gets_colours_unless_it_wants_none() -> None:
    def shown(**environment: str) -> str:
        ours, theirs = pty.openpty()
        started = subprocess.Popen([*COMMAND, "spell", "celsius"], stdout=theirs, env={**os.environ, **environment})
        os.close(theirs)
        text = b""
        with contextlib.suppress(OSError), open(ours, "rb", buffering=0) as screen:  # its end is an error on Linux
            while part := screen.read(1000):
                text += part
        assert started.wait(60) == 0
        return text.decode()

    assert "\x1b[" in shown(NO_COLOR="")
    assert "\x1b[" not in shown(NO_COLOR="1")


@pytest.mark.parametrize("line", ["spell digits", "list", "--version"])
def test_a_reader_who_has_seen_enough_hears_no_complaint(line: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*COMMAND, *line.split()], stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert done.stderr == "" and done.returncode == 1


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_stopped_run_says_how_to_go_on_and_does(name: str, tmp_path: Path) -> None:
    arguments = [*COMMAND, "train", "iris", "--epochs", "100000", "--out", "the runs"]  # a blank, to be quoted
    process = subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for_epochs(tmp_path, 3)
    process.send_signal(getattr(signal, name))
    out, error = process.communicate(timeout=60)
    assert process.returncode == 130 and error == ""

    told = out.splitlines()[-1]
    assert re.fullmatch(r"chalkgrad train iris --resume 'the runs/[\w-]+-iris-mlp'", told)
    (run,) = (tmp_path / "the runs").iterdir()
    done = len((run / "history.jsonl").read_text().splitlines())
    assert main(["train", "iris", "--resume", str(run), "--epochs", str(done + 2)]) == 0

    unbroken = start(choose("iris", epochs=done + 2), tmp_path)
    unbroken.train()
    for file in ("history.jsonl", "model.safetensors", "config.json", "result.json"):
        assert (run / file).read_bytes() == (unbroken.path / file).read_bytes()


def wait_for_epochs(folder: Path, epochs: int) -> None:
    """Wait until a run in a folder has written so many lines of its history."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        histories = list(folder.glob("*/*-iris-mlp/history.jsonl"))
        if histories and len(histories[0].read_text().splitlines()) >= epochs:
            return
        time.sleep(0.05)
    raise TimeoutError(f"There are not {epochs} epochs after a minute.")


def test_the_extra_that_is_missing_is_named(tmp_path: Path) -> None:
    """Run in a Python that finds NumPy and safetensors, and nothing else that was installed."""
    for package in ("numpy", "numpy.libs", "safetensors"):
        installed = Path(cg.engine.tensor.np.__file__).parent.parent / package
        if installed.exists():
            (tmp_path / package).symlink_to(installed)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SOURCE), str(tmp_path)])}
    program = "import sys; from chalkgrad.cli import main; sys.exit(main(['list']))"
    done = subprocess.run([sys.executable, "-S", "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.strip() == (
        "chalkgrad: the command line needs jinja2, pygments, rich, typer. Try: pip install 'chalkgrad[app]'"
    )


def test_the_readme_shows_what_spell_prints(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shown,) = re.findall(r"```python no-run\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)
    assert main(["spell", "digits"]) == 0
    assert textwrap.indent(shown, "    ") in capsys.readouterr().out

"""Saving and loading: what is written comes back, and nothing that goes wrong harms a file that is there."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import chalkgrad as cg
from chalkgrad.serialization import load, load_metadata, save, write

MODEL = cg.nn.Sequential(cg.nn.Linear(3, 2), cg.nn.BatchNorm1d(2))
STATES: dict[str, Any] = {
    "a module": MODEL,
    "its state": MODEL.state_dict(),
    "float64": {"x": np.linspace(0, 1, 7)},
    "integers": {"x": np.arange(6).reshape(2, 3)},
    "booleans": {"x": np.array([True, False])},
    "a single number": {"x": cg.tensor(3.5)},
    "nothing in it": {"x": np.zeros((0, 4), np.float32)},
    "columns first": {"x": np.arange(6.0).reshape(2, 3).T},
    "every other": {"x": np.arange(6.0)[::2]},
    "big-endian": {"x": np.arange(3.0).astype(">f8")},
    "no tensors": {},
}


@pytest.mark.parametrize("what", STATES)
def test_what_is_saved_comes_back(what: str, tmp_path: Path) -> None:
    state = STATES[what]
    save(state, tmp_path / "a.safetensors")
    expected = state.state_dict() if isinstance(state, cg.nn.Module) else state
    loaded = load(tmp_path / "a.safetensors")
    assert loaded.keys() == expected.keys()
    for name, tensor in loaded.items():
        array = np.asarray(expected[name])
        assert tensor.shape == array.shape and tensor.dtype == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(tensor.data, array)


def test_loaded_weights_make_the_same_model(tmp_path: Path) -> None:
    save(MODEL, tmp_path / "a.safetensors")
    other = cg.nn.Sequential(cg.nn.Linear(3, 2), cg.nn.BatchNorm1d(2))
    other.load_state_dict(load(tmp_path / "a.safetensors"))
    x = cg.tensor(np.random.default_rng(0).standard_normal((5, 3), np.float32))
    np.testing.assert_array_equal(other.eval()(x).data, MODEL.eval()(x).data)


def test_other_libraries_read_and_write_the_same_files(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save({"x": cg.tensor([1.0, 2.0])}, path, {"made of": "chalk"})
    np.testing.assert_array_equal(safetensors.numpy.load_file(path)["x"], np.float32([1, 2]))
    safetensors.numpy.save_file({"y": np.float16([0.5])}, path)
    assert load(path)["y"].dtype == np.float16 and load_metadata(path) == {}


BAD_CALLS: dict[str, tuple[Any, type[Exception], str]] = {
    "wrong suffix": (lambda folder: save({}, folder / "a.pt"), ValueError, "ends in .safetensors"),
    "wrong suffix, loading": (lambda folder: load(folder / "a.npz"), ValueError, "ends in .safetensors"),
    "no folder": (lambda folder: save({}, folder / "no" / "a.safetensors"), FileNotFoundError, "no folder"),
    "no file": (lambda folder: load(folder / "b.safetensors"), FileNotFoundError, "b.safetensors"),
    "no dict": (lambda folder: save([1.0], folder / "a.safetensors"), TypeError, "got a list"),
    "no tensor": (lambda folder: save({"lr": 0.1}, folder / "a.safetensors"), TypeError, "'lr' is a float"),
    "no name": (lambda folder: save({1: np.zeros(1)}, folder / "a.safetensors"), TypeError, "1 came"),
    "no text": (lambda folder: save({}, folder / "a.safetensors", {"epoch": 3}), TypeError, "json.dumps"),
    "an optimizer": (
        lambda folder: save(cg.optim.SGD(MODEL.parameters(), 0.1), folder / "a.safetensors"), TypeError, "'state'"
    ),
}


@pytest.mark.parametrize("what", BAD_CALLS)
def test_a_bad_call_says_why_and_leaves_the_file(what: str, tmp_path: Path) -> None:
    save(STATES["float64"], tmp_path / "a.safetensors")
    before = (tmp_path / "a.safetensors").read_bytes()
    call, kind, words = BAD_CALLS[what]
    with pytest.raises(kind, match=words):
        call(tmp_path)
    assert (tmp_path / "a.safetensors").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def _bfloat16() -> bytes:
    header = b'{"x":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'
    return len(header).to_bytes(8, "little") + header + bytes(2)


WHOLE = safetensors.numpy.save({"x": np.arange(100.0)})
BROKEN = {
    "cut short": (WHOLE[:-1], "not a whole"),
    "cut in the header": (WHOLE[:20], "not a whole"),
    "empty": (b"", "not a whole"),
    "something else": (b"PK\x03\x04" * 100, "not a whole"),
    "bfloat16": (_bfloat16(), "BF16"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_told_in_words(what: str, tmp_path: Path) -> None:
    content, words = BROKEN[what]
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        load(tmp_path / "a.safetensors")


@pytest.mark.parametrize("error", [OSError("the disk is full"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_the_old_file(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*paths: object) -> None:
        raise error

    (tmp_path / "a.txt").write_text("old")
    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(type(error)):
        write(tmp_path / "a.txt", b"new")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "old"}


def test_a_file_is_written_with_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write(tmp_path / "ours", b"")
    assert os.stat(tmp_path / "ours").st_mode == os.stat(tmp_path / "usual").st_mode


def test_safetensors_is_loaded_only_when_it_is_used() -> None:
    program = "import sys, chalkgrad.serialization; print('safetensors' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

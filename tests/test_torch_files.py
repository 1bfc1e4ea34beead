"""Files of PyTorch's: every module's state comes and goes, and nothing in a file is run."""

from __future__ import annotations

import collections
import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import chalkgrad as cg

from .pairs import modules
from .tables import ROWS
from .tables.rows import Row

pytestmark = pytest.mark.filterwarnings("ignore:.*nested_tensor")

SHARED = {row.id: row for row in ROWS if not row.own}
STATEFUL = [pytest.param(row, id=name) for name, row in SHARED.items() if row.name not in {"ReLU"}]


@pytest.mark.parametrize("row", STATEFUL)
def test_states_come_and_go(row: Row, tmp_path: Path) -> None:
    ours, theirs = modules(row)
    state = {key: torch.randn(value.shape).to(value.dtype) for key, value in theirs.state_dict().items()}
    theirs.load_state_dict(state)
    torch.save(theirs.state_dict(), tmp_path / "theirs.pt")
    save_file({key: value.contiguous().clone() for key, value in state.items()}, tmp_path / "theirs.safetensors")
    for name in ("theirs.pt", "theirs.safetensors"):
        ours.load_state_dict(cg.load(tmp_path / name))
        for key, value in ours.state_dict().items():
            np.testing.assert_array_equal(value.data, state[key].numpy())
    cg.save(ours, tmp_path / "ours.safetensors")
    back = load_file(tmp_path / "ours.safetensors")
    assert theirs.load_state_dict(back) is not None and sorted(back) == sorted(state)
    assert all(torch.equal(back[key], value) for key, value in state.items())


SAVED: dict[str, Any] = {
    "a tensor": torch.arange(6.0).reshape(2, 3),
    "columns": torch.arange(6.0).reshape(2, 3).T,
    "a part": torch.arange(6)[2:4],
    "every second": torch.arange(6)[::2],
    "one number": torch.tensor(3.5, dtype=torch.float64),
    "nothing": torch.zeros(0, 3),
    "kinds": [torch.ones(2, dtype=d) for d in (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32)],
    "expanded": torch.ones(1).expand(4),
    "containers": {"epoch": 3, "lr": 0.1, "name": "x", "none": None, "both": (1, [True, {"y": torch.ones(2)}])},
    "a parameter": torch.nn.Parameter(torch.ones(2)),
    "an optimizer": torch.optim.Adam([torch.nn.Parameter(torch.ones(2))]).state_dict(),
    "in order": collections.OrderedDict(b=torch.ones(1), a=torch.zeros(1)),
    "a size": torch.Size([2, 3]),
}


def same(one: Any, other: Any) -> None:
    if isinstance(other, torch.Tensor):
        assert isinstance(one, cg.Tensor) and str(other.dtype) == f"torch.{one.dtype}"
        np.testing.assert_array_equal(one.data, other.detach().numpy())
        assert one.requires_grad == other.requires_grad
    elif isinstance(other, dict):
        assert list(one) == list(other)
        for key, value in other.items():
            same(one[key], value)
    elif isinstance(other, list | tuple):
        assert len(one) == len(other)
        for mine, theirs in zip(one, other, strict=True):
            same(mine, theirs)
    else:
        assert one == other


@pytest.mark.parametrize("name", SAVED)
def test_what_torch_saves_is_read(name: str, tmp_path: Path) -> None:
    torch.save(SAVED[name], tmp_path / "file.pt")
    same(cg.load(tmp_path / "file.pt"), SAVED[name])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_becomes_float32(dtype: Any, tmp_path: Path) -> None:
    numbers = torch.tensor([0.1, -3.0, 1e-3, float("inf"), 0.0]).to(dtype)
    torch.save(numbers, tmp_path / "file.pth")
    read = cg.load(tmp_path / "file.pth")
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read.data, numbers.float().numpy())


class Sly:
    """An object whose pickle runs a command when it is read."""

    def __reduce__(self) -> Any:
        return os.system, ("touch was_run",)


REFUSED: dict[str, tuple[Any, str]] = {
    "a command": (Sly(), r"wants (posix|nt)\.system, which is refused"),
    "a command in a dict": ({"weight": torch.ones(2), "x": Sly()}, "which is refused"),
    "eval": (type("E", (), {"__reduce__": lambda self: (eval, ("1/0",))})(), r"wants (builtins|__builtin__)\.eval"),
    "getattr": (type("G", (), {"__reduce__": lambda self: (getattr, (1, "real"))})(),
                r"wants (builtins|__builtin__)\.getattr"),
    "a model": (torch.nn.Linear(1, 1), r"torch\.nn\.modules\.linear\.Linear, which is refused.*state_dict"),
    "an array": (np.ones(2), "which is refused"),
    "complex numbers": (torch.ones(2, dtype=torch.complex64), "ComplexFloatStorage, which is refused"),
    "sparse": (torch.ones(2, 2).to_sparse(), "which is refused"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_anything_else_is_refused_by_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    value, words = REFUSED[name]
    monkeypatch.chdir(tmp_path)
    torch.save(value, "file.pt")
    with pytest.raises(ValueError, match=words):
        cg.load("file.pt")
    assert not Path("was_run").exists()


def rewritten(path: Path, change: Any) -> None:
    """Write an archive once more, with its records changed."""
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in change(records).items():
            archive.writestr(name, content)


def pointing_at(**parts: Any) -> Any:
    """Put a pickle in place of data.pkl that shows a tensor where its storage is not."""
    size, stride, offset = parts.get("size", (2,)), parts.get("stride", (1,)), parts.get("offset", 0)

    class Wild:
        def __reduce__(self) -> Any:
            return torch._utils._rebuild_tensor_v2, (Held(), offset, size, stride, False, None)

    class Held: ...

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj: Any) -> Any:
            return ("storage", torch.FloatStorage, "0", "cpu", parts.get("count", 4)) if isinstance(obj, Held) else None

    def change(records: dict[str, bytes]) -> dict[str, bytes]:
        into = io.BytesIO()
        Pickler(into, 2).dump(Wild())
        return {name: into.getvalue() if name.endswith("data.pkl") else raw for name, raw in records.items()}

    return change


DAMAGED: dict[str, tuple[Any, str]] = {
    "cut off": (lambda records: {n: r[:-9] if n.endswith("data.pkl") else r for n, r in records.items()},
                "cannot be read"),
    "no storage": (lambda records: {n: r for n, r in records.items() if not n.endswith("/0")}, "cannot be read"),
    "a short storage": (lambda records: {n: r[:4] if n.endswith("/0") else r for n, r in records.items()},
                        "not the 4 that"),
    "no pickle": (lambda records: {"x/y": b""}, "without a data.pkl"),
    "too long": (pointing_at(size=(9,)), "ends outside of its storage"),
    "too far": (pointing_at(offset=3), "ends outside of its storage"),
    "backwards": (pointing_at(stride=(-1,)), "is none"),
    "before the start": (pointing_at(offset=-1), "is none"),
    "another build": (pointing_at(size=(2, 2)), "is none"),
    "another count": (pointing_at(count=5), "not the 5 that"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files_are_told(name: str, tmp_path: Path) -> None:
    change, words = DAMAGED[name]
    torch.save(torch.arange(4.0), tmp_path / "file.pt")
    rewritten(tmp_path / "file.pt", change)
    with pytest.raises(ValueError, match=words):
        cg.load(tmp_path / "file.pt")


def test_what_is_no_archive_is_told(tmp_path: Path) -> None:
    torch.save(torch.ones(1), tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(ValueError, match=r"PyTorch 1\.6"):
        cg.load(tmp_path / "old.pt")
    with pytest.raises(FileNotFoundError):
        cg.load(tmp_path / "none.pt")



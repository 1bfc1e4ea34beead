"""Saving tensors by name to safetensors files, and loading them: numbers and nothing that could run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..engine.tensor import Tensor

__all__ = ["PathLike", "load_metadata", "load_tensors", "save", "write"]

SUFFIX = ".safetensors"
PathLike = str | os.PathLike[str]


def save(obj: Any, path: PathLike, metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors to a safetensors file: a Module's parameters and buffers, or a dict of Tensors or arrays.

    metadata  texts by name, which the file holds beside the tensors

    A file that is there is replaced whole, or, if anything fails, left as it is.

    Raises ValueError for a path that does not end in .safetensors, TypeError for what is no tensor or no text,
    FileNotFoundError if there is no such folder.

    >>> from tempfile import TemporaryDirectory
    >>> from chalkgrad import tensor
    >>> with TemporaryDirectory() as folder:
    ...     save({"weight": tensor([1.0, 2.0])}, f"{folder}/line.safetensors", {"made of": "chalk"})
    ...     load_tensors(f"{folder}/line.safetensors"), load_metadata(f"{folder}/line.safetensors")
    ({'weight': tensor([1., 2.])}, {'made of': 'chalk'})
    """
    from safetensors.numpy import save as to_bytes  # loaded when used, so that `import chalkgrad` needs NumPy alone

    target = _checked("save", path)
    state = obj.state_dict() if hasattr(obj, "state_dict") else obj
    if not isinstance(state, Mapping):
        raise TypeError(f"save: expected a Module or a dict of Tensors by name, got a {type(obj).__name__}.")
    for key, text in (metadata or {}).items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise TypeError(f"save: metadata is texts by name, but {key!r} is {text!r:.60}. Try json.dumps.")
    arrays = {name: _array(name, value) for name, value in state.items()}
    write(target, to_bytes(arrays, dict(metadata) if metadata else None))


def load_tensors(path: PathLike) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file, ours or another library's, by name.

    Raises ValueError for a path that does not end in .safetensors, for a file that is not whole, and for one that holds
    numbers that NumPy does not know, such as bfloat16; FileNotFoundError if there is none.
    """
    from safetensors.numpy import load as from_bytes

    content = _checked("load", path).read_bytes()
    return {name: Tensor(array) for name, array in _read(path, from_bytes, content).items()}


def load_metadata(path: PathLike) -> dict[str, str]:
    """Read the texts that a safetensors file holds beside its tensors; it raises what `load` raises."""
    from safetensors import safe_open

    with _read(path, safe_open, _checked("load_metadata", path), framework="numpy") as file:
        return dict(file.metadata() or {})


def write(path: PathLike, content: bytes) -> None:
    """Write a file beside its place and rename it, so that whoever looks finds the old one or the new one, whole.

    Raises FileNotFoundError if there is no such folder, and OSError if the file cannot be written.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {target.parent} to write {target.name} into.")
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(content)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _checked(caller: str, path: PathLike) -> Path:
    if Path(path).suffix != SUFFIX:
        raise ValueError(
            f"{caller}: expected a path that ends in {SUFFIX}, got {os.fspath(path)!r}. "
            "Pickles (.pt, .pth) are read by chalkgrad.load, but never written: others would run what is in them."
        )
    return Path(path)


def _array(name: Any, value: Any) -> np.ndarray[Any, Any]:
    """Lay the values of a tensor out in memory as the file wants them: row after row, without gaps."""
    if not isinstance(name, str):
        raise TypeError(f"save: the name of a tensor is a string, but {name!r} came.")
    if not isinstance(value, Tensor | np.ndarray):
        raise TypeError(f"save: {name!r} is a {type(value).__name__}, but the file holds Tensors and arrays alone.")
    return np.asarray(value.data if isinstance(value, Tensor) else value, order="C")


def _read(path: PathLike, reader: Any, *arguments: Any, **options: Any) -> Any:
    from safetensors import SafetensorError

    try:
        return reader(*arguments, **options)
    except SafetensorError as error:
        raise ValueError(f"{os.fspath(path)} is not a whole safetensors file ({error}). Try a copy of it.") from error
    except KeyError as error:
        raise ValueError(f"{os.fspath(path)} holds numbers of type {error}, which NumPy does not know.") from error

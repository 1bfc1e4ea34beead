"""Checkpoints: all that a training needs to go on, in one file, so that it is there whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..engine.tensor import Tensor
from ..serialization import load, load_metadata, save
from .errors import RunError

__all__ = ["load_checkpoint", "save_checkpoint"]

# The tensors lie in the file under their paths, "model/fc1.weight"; what is no tensor is JSON in the file's metadata.
KEY = "chalkgrad.state"


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write a state of nested dicts and lists of Tensors, numbers and texts to a .safetensors file.

    >>> from tempfile import TemporaryDirectory
    >>> from chalkgrad import tensor
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "checkpoint.safetensors")
    ...     save_checkpoint(path, {"epoch": 3, "model": {"fc.bias": tensor([0.5])}, "rates": [0.1, 0.03]})
    ...     load_checkpoint(path)
    {'epoch': 3, 'model': {'fc.bias': tensor([0.5])}, 'rates': [0.1, 0.03]}
    """
    tensors: dict[str, Tensor] = {}
    rest = _pack(dict(state), "", tensors)
    save(tensors, path, {KEY: json.dumps(rest)})


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a state that `save_checkpoint` wrote; the keys of its dicts are strings now.

    Raises: RunError if there is no such file, or it is broken, or something else.
    """
    try:
        tensors, text = load(path), load_metadata(path)[KEY]
        state: dict[str, Any] = _unpack(json.loads(text), tensors)
    except FileNotFoundError:
        raise RunError(f"There is no checkpoint {path}, so this run cannot be resumed.") from None
    except KeyError as error:
        raise RunError(f"{path} is no checkpoint of a run: it lacks {error}.") from None
    except (OSError, ValueError) as error:
        raise RunError(f"The checkpoint {path} cannot be read: {error}") from None
    return state


def _pack(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """Take the tensors out of a nested state, and leave {"tensor": path} where each was."""
    if isinstance(value, Tensor):
        tensors[path] = value
        return {"tensor": path}
    if isinstance(value, dict):
        return {str(key): _pack(part, f"{path}/{key}".lstrip("/"), tensors) for key, part in value.items()}
    if isinstance(value, list):
        return [_pack(part, f"{path}/{i}", tensors) for i, part in enumerate(value)]
    return value


def _unpack(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"tensor"}:
            return tensors[value["tensor"]]
        return {key: _unpack(part, tensors) for key, part in value.items()}
    return [_unpack(part, tensors) for part in value] if isinstance(value, list) else value

"""Tensors in files: written and read as safetensors, and read from PyTorch's files without running what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .safetensor_files import PathLike, load_metadata, load_tensors, save, write
from .torch_files import SUFFIXES, load_torch

__all__ = ["load", "load_metadata", "save", "write"]


def load(path: PathLike) -> Any:
    """Read a file of tensors: .safetensors, or .pt, .pth, .bin as torch.save writes them.

    Returns the tensors by name; of a PyTorch file, whatever was saved: tensors in dicts, lists and tuples, numbers,
    texts. Such a file is a pickle, which could run any code. Nothing in it is run: what is no tensor and no plain
    container is refused by its name.

    Raises ValueError for other files, files that are not whole, and what is refused; FileNotFoundError if there is
    none.
    """
    return load_torch(path) if Path(path).suffix in SUFFIXES else load_tensors(path)

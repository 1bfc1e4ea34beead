"""tinygrad on the CPU, with the whole step under TinyJit. It compiles its kernels with clang."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..harness.work import Missing
from ..training import Task
from .models import LOSSES

__all__ = ["step"]

WORKLOADS = ("moons-mlp", "mnist-mlp-64", "mnist-mlp-512", "lenet5", "cnn", "autoencoder", "gpt-mini", "vae")


class InTinygrad:
    """The words of models.py."""

    def __init__(self, tensor: Any) -> None:
        self.relu, self.exp, self.abs = tensor.relu, tensor.exp, tensor.abs
        self.max_pool, self.transpose = tensor.max_pool2d, tensor.permute
        self.conv, self.conv_transpose = tensor.conv2d, tensor.conv_transpose2d

    def linear(self, x: Any, weight: Any, bias: Any) -> Any:
        return x @ weight.T + bias

    def log1p(self, x: Any) -> Any:
        return (1 + x).log()

    def embedding(self, table: Any, places: Any) -> Any:
        return table[places]

    def gelu(self, x: Any) -> Any:
        return 0.5 * x * (1 + (x * 0.5**0.5).erf())

    def layer_norm(self, x: Any, weight: Any, bias: Any) -> Any:
        return x.layernorm() * weight + bias

    def causal_attention(self, q: Any, k: Any, v: Any) -> Any:
        return q.scaled_dot_product_attention(k, v, is_causal=True)

    def cross_entropy(self, scores: Any, target: Any) -> Any:
        return scores.reshape(-1, scores.shape[-1]).sparse_categorical_crossentropy(target.reshape(-1))


def step(name: str, start: dict[str, Any], task: Task) -> Callable[[], Any]:
    """Build the step, with tinygrad's own optimizers."""
    if name not in WORKLOADS:
        raise Missing
    find_compiler()
    os.environ |= {"DEV": "CPU", "TRAINING": "1", "CPU_COUNT": os.environ["OMP_NUM_THREADS"]}
    import tinygrad
    from tinygrad.nn import optim

    words = InTinygrad(tinygrad.Tensor)
    params = {path: tinygrad.Tensor(array).realize() for path, array in start.items() if array.dtype == "float32"}
    kind, options = task.optimizer
    optimizer = getattr(optim, kind)(list(params.values()), **options)

    @tinygrad.TinyJit
    def work(x: Any, target: Any) -> Any:
        optimizer.zero_grad()
        found = LOSSES[name](words, params, x, target)
        found.backward()
        return found.realize(*optimizer.schedule_step())

    batch = [tinygrad.Tensor(array.astype("int32") if array.dtype == "int64" else array).realize()
             for array in task.batch]

    def run() -> Any:
        found = work(*batch)
        tinygrad.Device[tinygrad.Device.DEFAULT].synchronize()
        return found

    return run


def find_compiler() -> None:
    """Take clang where there is one, and otherwise the one in the package ziglang, which the extra `bench` installs."""
    if shutil.which("clang"):
        return
    if importlib.util.find_spec("ziglang") is None:
        raise Missing("tinygrad needs clang, and found none")
    os.environ |= {"CC": str(Path(__file__).parent / "zig_as_clang"), "PYTHON": sys.executable}

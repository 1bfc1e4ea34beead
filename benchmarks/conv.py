"""Convolutions, forward and backward by input, weight and bias: a narrow first layer, and a wide one.

first   64 images of 1 channel, 28x28, to 32 channels, 3x3 kernels
wide    64 images of 32 channels, 14x14, to 64 channels, 3x3 kernels
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["RIVALS", "workloads"]

RIVALS = ["chalkgrad", "torch"]
LAYERS = {"first": ((64, 1, 28, 28), (32, 1, 3, 3)), "wide": ((64, 32, 14, 14), (64, 32, 3, 3))}


def workloads(rival: str) -> dict[str, tuple[Callable[[], Any], Callable[[], float]]]:
    """Build the layers in one framework, from the same numbers. The input of a first layer wants no gradient."""
    if rival == "torch":
        import torch as framework

        framework.set_num_threads(1)
    else:
        import chalkgrad as framework  # type: ignore[no-redef]
    conv2d = framework.nn.functional.conv2d
    return {name: _layer(framework, conv2d, *shapes, wants=name != "first") for name, shapes in LAYERS.items()}


def _layer(framework: Any, conv2d: Any, x_shape: Any, weight_shape: Any, wants: bool) -> Any:
    rng = np.random.default_rng(0)
    x, weight, bias = (framework.tensor(rng.standard_normal(shape, np.float32)) for shape in
                       (x_shape, weight_shape, weight_shape[:1]))
    x.requires_grad_(wants)
    leaves = [tensor.requires_grad_() for tensor in (weight, bias)] + ([x] if wants else [])

    def work() -> Any:
        for leaf in leaves:
            leaf.grad = None
        y = conv2d(x, weight, bias, padding=1)
        y.backward(framework.ones_like(y))

    return work, lambda: (work(), float(weight.grad.sum() + bias.grad.sum()))[1]

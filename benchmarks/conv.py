"""Convolutions, forward and backward by input, weight and bias: kinds of layers that cost their time differently.

first     64 images of 1 channel, 28x28, to 32 channels, 3x3 kernels; the images want no gradient
wide      64 images of 32 channels, 14x14, to 64 channels, 3x3 kernels
lenet     64 images of 6 channels, 14x14, to 16 channels, 5x5 kernels
residual  32 images of 16 channels, 32x32, to 16 channels, 3x3 kernels
point     64 images of 32 channels, 14x14, to 64 channels, 1x1 kernels
rows      32 rows of 32 channels, length 256, to 32 channels, kernels of 3 with gaps of 4
upward    64 images of 32 channels, 7x7, to 16 channels of 14x14, 4x4 kernels, transposed
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .harness.work import Work, Workloads, eager_framework

__all__ = ["KIND", "workloads"]

KIND = "part"


class Layer(NamedTuple):
    """A function of `functional`, the shapes of its inputs, and its options."""

    function: str
    x: tuple[int, ...]
    weight: tuple[int, ...]
    bias: int
    options: dict[str, int]


LAYERS = {
    "first": Layer("conv2d", (64, 1, 28, 28), (32, 1, 3, 3), 32, {"padding": 1}),
    "wide": Layer("conv2d", (64, 32, 14, 14), (64, 32, 3, 3), 64, {"padding": 1}),
    "lenet": Layer("conv2d", (64, 6, 14, 14), (16, 6, 5, 5), 16, {}),
    "residual": Layer("conv2d", (32, 16, 32, 32), (16, 16, 3, 3), 16, {"padding": 1}),
    "point": Layer("conv2d", (64, 32, 14, 14), (64, 32, 1, 1), 64, {}),
    "rows": Layer("conv1d", (32, 32, 256), (32, 32, 3), 32, {"padding": 4, "dilation": 4}),
    "upward": Layer("conv_transpose2d", (64, 32, 7, 7), (32, 16, 4, 4), 16, {"stride": 2, "padding": 1}),
}


def workloads(rival: str) -> Workloads:
    """Name the layers, and what builds each in one framework. The input of a first layer wants no gradient."""
    return {name: partial(_layer, rival, layer, wants=name != "first") for name, layer in LAYERS.items()}


def _layer(rival: str, layer: Layer, wants: bool) -> Work:
    framework = eager_framework(rival)
    rng = np.random.default_rng(0)
    function = getattr(framework.nn.functional, layer.function)
    x, weight, bias = (framework.tensor(rng.standard_normal(shape, np.float32)) for shape in
                       (layer.x, layer.weight, layer.bias))
    x.requires_grad_(wants)
    leaves = [tensor.requires_grad_() for tensor in (weight, bias)] + ([x] if wants else [])

    def work() -> Any:
        for leaf in leaves:
            leaf.grad = None
        y = function(x, weight, bias, **layer.options)
        y.backward(framework.ones_like(y))

    return Work(work, lambda: (work(), float(weight.grad.sum() + bias.grad.sum()))[1])

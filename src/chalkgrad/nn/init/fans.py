"""Fans: how many products a unit sums, and how many units an input is handed to."""

from __future__ import annotations

import math

from ...engine.tensor import Tensor

__all__ = ["fans"]


def fans(tensor: Tensor) -> tuple[int, int]:
    """Count the inputs of an output and the outputs of an input; a convolution has them once for each kernel place."""
    if tensor.ndim < 2:
        raise ValueError(f"Fans need a weight (outputs, inputs, ...), but this has shape {tensor.shape}; use uniform_.")
    places = math.prod(tensor.shape[2:])
    return tensor.shape[1] * places, tensor.shape[0] * places

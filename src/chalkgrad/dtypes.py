"""The kinds of numbers that a Tensor holds, under PyTorch's names: they are NumPy's own."""

from numpy import bool_ as bool
from numpy import float32, float64, int32, int64, uint8

__all__ = ["bool", "float32", "float64", "int32", "int64", "uint8"]

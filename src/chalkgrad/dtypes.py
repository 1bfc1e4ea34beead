"""The kinds of numbers that a Tensor holds, under PyTorch's names: they are NumPy's own."""

from numpy import bool_ as bool
from numpy import finfo, float32, float64, iinfo, int8, int16, int32, int64, uint8

__all__ = [
    "bool", "double", "finfo", "float", "float32", "float64", "iinfo", "int", "int16", "int32", "int64", "int8", "long",
    "short", "uint8",
]

float, double = float32, float64
short, int, long = int16, int32, int64

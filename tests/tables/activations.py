"""Activations: every option, single numbers and empty batches, what lies far out or on a corner, and misuse."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from .rows import Array, Bad, Draw, Row

__all__ = ["BAD", "ROWS"]


def wide(*shape: int) -> Draw:
    """Numbers from -8 to 8, most of them beyond every corner."""
    return Draw(shape, lambda rng, shape: rng.uniform(-8, 8, shape), "wide")


def corners(*shape: int) -> Draw:
    """Halves from -4 to 4: zero, and all the places where slopes change."""
    return Draw(shape, lambda rng, shape: rng.integers(-8, 9, shape) / 2, "corners")


def flat(*shape: int) -> Draw:
    """Numbers beyond ±3."""
    return Draw(shape, lambda rng, shape: rng.uniform(3, 8, shape) * rng.choice([-1, 1], shape), "flat")


INPUTS: list[Any] = [wide(4, 3), corners(8, 5), (), (0, 3)]
INPLACE: list[dict[str, Any]] = [{}, {"inplace": True}]

# Element by element: a name and its sets of options.
ELEMENTWISE: list[tuple[str, list[dict[str, Any]]]] = [
    ("CELU", [*INPLACE, {"alpha": 0.5}, {"alpha": 2.0, "inplace": True}]),
    ("ELU", [*INPLACE, {"alpha": 0.5}, {"alpha": 2.0, "inplace": True}]),
    ("GELU", [{}, {"approximate": "tanh"}]),
    ("Hardshrink", [{}, {"lambd": 0.0}, {"lambd": 1.0}]),
    ("Hardswish", INPLACE),
    ("Hardtanh", [*INPLACE, {"min_val": -0.5, "max_val": 2.0}]),
    ("LeakyReLU", [*INPLACE, {"negative_slope": 0.5}]),
    ("LogSigmoid", [{}]),
    ("Mish", INPLACE),
    ("ReLU", INPLACE),
    ("ReLU6", INPLACE),
    ("SELU", INPLACE),
    ("SiLU", INPLACE),
    ("Sigmoid", [{}]),
    ("Softplus", [{}, {"beta": 3.0, "threshold": 0.5}, {"threshold": -1.0}]),
    ("Softshrink", [{}, {"lambd": 0.0}, {"lambd": 1.0}]),
    ("Softsign", [{}]),
    ("Tanh", [{}]),
    ("Tanhshrink", [{}]),
    ("Threshold", [{"threshold": 0.5, "value": -1.0}, {"threshold": -0.5, "value": 2.0, "inplace": True}]),
]

OURS: list[tuple[str, list[dict[str, Any]]]] = [
    ("ArcTan", [{}]),
    ("BentIdentity", [{}]),
    ("ISRLU", [{}, {"alpha": 3.0}]),
    ("ISRU", [{}, {"alpha": 3.0}]),
    ("PLU", [{}, {"alpha": 0.5, "c": 0.25}]),
]

# Along an axis: the axis, and a shape.
ALONG = [(1, (4, 6)), (0, (4,)), (-1, (2, 3, 4)), (1, (2, 4, 3, 2)), (-3, (2, 4, 3, 2)), (-1, (0, 4))]

ROWS = [
    *(Row(name, options, [x], fixed=x == ()) for name, sets in ELEMENTWISE for options, x in product(sets, INPUTS)
      if not (x == () and "inplace" in options)),  # a spelled program holds a number there, which is not written over
    *(Row(name, options, [x], own=True, fixed=x == ()) for name, sets in OURS for options, x in product(sets, INPUTS)),
    *(Row(name, {"dim": dim}, [shape], fixed=len(shape) == 1)
      for name in ("GLU", "LogSoftmax", "Softmax", "Softmin") for dim, shape in ALONG),
    *(Row("SwiGLU", {"dim": dim}, [shape], fixed=len(shape) == 1, own=True) for dim, shape in ALONG),
    Row("GLU", {}, [(4, 6)]),
    Row("SwiGLU", {}, [(4, 6)], own=True),
    Row("Softmax2d", {}, [(2, 4, 3, 2)]),
    Row("Softmax2d", {}, [(4, 3, 2)], fixed=True),
    # PyTorch rounds the slope of 1/6 to single precision, in float64 too; its samples in float32 see the ramp
    *(Row("Hardsigmoid", options, [flat(4, 3)]) for options in INPLACE),
    Row("PReLU", {}, [(4, 3)]),
    Row("PReLU", {}, [()], fixed=True),
    Row("PReLU", {}, [(5,)], fixed=True),
    Row("PReLU", {"init": 0.5}, [corners(8, 5)]),
    Row("PReLU", {"num_parameters": 3}, [(4, 3)]),
    Row("PReLU", {"num_parameters": 3, "init": -0.5}, [(2, 3, 2, 2)]),
    Row("PReLU", {"num_parameters": 3}, [(0, 3, 2)]),
    Row("RReLU", {}, [(4, 3)], drawing=True),
    Row("RReLU", {"lower": 0.25, "upper": 0.5, "inplace": True}, [(4, 3)], drawing=True),
    Row("RReLU", {"lower": 0.25, "upper": 0.25}, [()], drawing=True, fixed=True),
]  # fmt: skip

NO_TEXT = {"x": Array(np.zeros(3))}
NO_ARGUMENTS = ["ArcTan", "BentIdentity", "LogSigmoid", "Sigmoid", "Softmax2d", "Softsign", "Tanh", "Tanhshrink"]
PLAIN = ["ELU", "GELU", "Hardshrink", "Hardsigmoid", "Hardswish", "LeakyReLU", "Mish", "ReLU", "ReLU6", "SELU", "SiLU"]

BAD = [
    *(Bad(name, NO_TEXT, [], TypeError, "'x'") for name in NO_ARGUMENTS + PLAIN),
    Bad("CELU", {"alpha": 0.0}, [], ValueError, "divided by; it cannot be 0"),
    Bad("GELU", {"approximate": "erf"}, [(4, 3)], ValueError, "'none' or 'tanh'"),
    Bad("GLU", {}, [(4, 3)], ValueError, r"its size is even, but input has shape \(4, 3\)"),
    Bad("GLU", {"dim": 2}, [(4, 6)], IndexError, r"shape \(4, 6\), and no axis 2"),
    Bad("GLU", {}, [()], IndexError, "no axis -1"),
    Bad("Hardtanh", {"min_val": 1.0, "max_val": -1.0}, [], ValueError, "1.0 and -1.0 came"),
    Bad("Hardtanh", {"min_value": -2.0}, [], ValueError, "say min_val"),
    Bad("ISRLU", {"alpha": 0.0}, [], ValueError, "above 0, but 0.0 came"),
    Bad("ISRU", {"alpha": -1.0}, [], ValueError, "above 0, but -1.0 came"),
    Bad("LogSoftmax", {}, [], ValueError, "say along which axis"),
    Bad("PLU", {"alpha": 2.0}, [], ValueError, "from 0 to 1"),
    Bad("PReLU", {"num_parameters": 3}, [(4, 2)], ValueError, r"has 2 channels; \(2,\) or \(1,\)"),
    Bad("PReLU", {"num_parameters": 3}, [(3,)], ValueError, "has 1 channels"),
    Bad("RReLU", {"lower": 0.5, "upper": 0.25}, [], ValueError, "0.5 and 0.25 came"),
    Bad("Softmax", {}, [], ValueError, "say along which axis"),
    Bad("Softmax2d", {}, [(4, 3)], ValueError, "images are"),
    Bad("Softmin", {}, [], ValueError, "say along which axis"),
    Bad("Softplus", {"beta": 0.0}, [], ValueError, "is divided by; it cannot be 0"),
    Bad("Softshrink", {"lambd": -0.5}, [(4, 3)], ValueError, "0 or above, but -0.5 came"),
    Bad("SwiGLU", {}, [(4, 3)], ValueError, "its size is even"),
    Bad("Threshold", {"threshold": 0.5}, [], TypeError, "'value'"),
]  # fmt: skip

"""The linear family, and what stands for nothing or for another shape."""

from __future__ import annotations

from .rows import Bad, Row

__all__ = ["BAD", "ROWS"]

PAIRS = {"in1_features": 4, "in2_features": 2, "out_features": 3}
SIZES = {"in_features": 4, "out_features": 3}

ROWS = [
    Row("Bilinear", PAIRS, [(5, 4), (5, 2)]),
    Row("Bilinear", {**PAIRS, "bias": False}, [(2, 5, 4), (2, 5, 2)]),
    Row("Bilinear", PAIRS, [(4,), (2,)], fixed=True),
    Row("Bilinear", PAIRS, [(0, 4), (0, 2)]),
    Row("Identity", {}, [(4, 3)]),
    Row("Unflatten", {"dim": 1, "unflattened_size": (2, 3)}, [(4, 6)]),
    Row("Unflatten", {"dim": -1, "unflattened_size": [2, -1]}, [(4, 5, 6)]),
    Row("Unflatten", {"dim": 0, "unflattened_size": (6,)}, [(6,)], fixed=True),
    Row("DropConnect", SIZES, [(5, 4)], drawing=True, own=True),
    Row("DropConnect", {**SIZES, "p": 0.2, "bias": False}, [(2, 5, 4)], drawing=True, own=True),
    Row("DropConnect", {**SIZES, "p": 1}, [(5, 4)], own=True),
    Row("DropConnect", {**SIZES, "p": 0}, [(4,)], own=True, fixed=True),
    Row("Maxout", SIZES, [(5, 4)], own=True),
    Row("Maxout", {**SIZES, "num_pieces": 3, "bias": False}, [(2, 5, 4)], own=True),
    Row("Maxout", {**SIZES, "num_pieces": 1}, [(4,)], own=True, fixed=True),
]

BAD = [
    Bad("Bilinear", {**PAIRS, "in1_features": 0}, (), ValueError, "in1_features is a whole number from 1, but 0 came"),
    Bad("Bilinear", PAIRS, [(5, 4), (4, 2)], ValueError, r"the same axes but for the last.*\(5, 4\) and \(4, 2\)"),
    Bad("Bilinear", PAIRS, [(5, 3), (5, 2)], ValueError, r"the weight is \(outputs, 3, 2\), but \(3, 4, 2\) came"),
    Bad("Bilinear", PAIRS, [(), (2,)], ValueError, r"but \(\) and \(2,\) came"),
    Bad("Identity", {}, [(4, 3)], TypeError, "unexpected keyword argument 'other'", {"other": 1}),
    Bad("Unflatten", {"dim": "a", "unflattened_size": (2, 3)}, (), TypeError, "dim is a whole number, but 'a' came"),
    Bad("Unflatten", {"dim": 1, "unflattened_size": 3}, (), TypeError, "a tuple of whole numbers, but 3 came"),
    Bad("Unflatten", {"dim": 1, "unflattened_size": (2, 3.0)}, (), TypeError, "a tuple of whole numbers"),
    Bad("Unflatten", {"dim": 1, "unflattened_size": ()}, (), ValueError, "unflattened_size is empty"),
    Bad("Unflatten", {"dim": 1, "unflattened_size": (2, 4)}, [(4, 6)], ValueError, "cannot be taken apart"),
    Bad("DropConnect", {**SIZES, "p": 1.5}, (), ValueError, "a probability from 0 to 1, but 1.5 came"),
    Bad("DropConnect", SIZES, [(5, 3)], ValueError, r"\(..., i\) and the weight \(o, i\), but \(5, 3\) and \(3, 4\)"),
    Bad("Maxout", {**SIZES, "num_pieces": 0}, (), ValueError, "num_pieces is a whole number from 1, but 0 came"),
    Bad("Maxout", {**SIZES, "num_pieces": 1.5}, (), TypeError, "num_pieces is a whole number, but 1.5 came"),
    Bad("Maxout", SIZES, [(5, 3)], ValueError, "`i` is 3 in x but 4 in weight"),
]

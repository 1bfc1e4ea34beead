"""Modules of the first hour, and what shares no family with others."""

from __future__ import annotations

from .rows import Bad, Row

__all__ = ["BAD", "ROWS"]

ROWS = [
    Row("Linear", {"in_features": 3, "out_features": 2}, [(4, 3)]),
    Row("Linear", {"in_features": 3, "out_features": 2, "bias": False}, [(2, 4, 3)]),
    Row("Linear", {"in_features": 3, "out_features": 2}, [(3,)], fixed=True),
    Row("Linear", {"in_features": 3, "out_features": 2}, [(0, 3)]),
    Row("Flatten", {}, [(2, 3, 2, 2)]),
    Row("Flatten", {"start_dim": 0, "end_dim": 1}, [(2, 3, 4)], fixed=True),
    Row("LayerNorm", {"normalized_shape": 3}, [(4, 3)]),
    Row("LayerNorm", {"normalized_shape": [4, 3], "elementwise_affine": False}, [(4, 3)], fixed=True),
    Row("LayerNorm", {"normalized_shape": (4, 3), "bias": False}, [(2, 4, 3)]),
    Row("RMSNorm", {"normalized_shape": 3}, [(4, 3)]),
    Row("RMSNorm", {"normalized_shape": (4, 3), "eps": 0.1, "elementwise_affine": False}, [(2, 4, 3)]),
    Row("BatchNorm1d", {"num_features": 3}, [(4, 3)]),
    Row("BatchNorm1d", {"num_features": 3, "momentum": None}, [(4, 3, 2)]),
    Row("BatchNorm2d", {"num_features": 2}, [(2, 2, 6, 6)]),
    Row("BatchNorm2d", {"num_features": 2, "affine": False}, [(2, 2, 6, 6)]),
    Row("BatchNorm2d", {"num_features": 2, "track_running_stats": False}, [(2, 2, 6, 6)]),
    Row("ReLU", {}, [(4, 3)]),
    Row("ReLU", {"inplace": True}, [(4, 3)]),
    Row("SiLU", {}, [(4, 3)]),
    Row("SiLU", {"inplace": True}, [(4, 3)]),
    Row("LeakyReLU", {}, [(4, 3)]),
    Row("LeakyReLU", {"negative_slope": 0.1, "inplace": True}, [(4, 3)]),
    Row("Sigmoid", {}, [(4, 3)]),
    Row("Tanh", {}, [(4, 3)]),
    Row("GELU", {}, [(4, 3)]),
    Row("GELU", {"approximate": "tanh"}, [(4, 3)]),
    Row("Softmax", {"dim": 1}, [(4, 3)]),
    Row("Softmax", {"dim": 0}, [(4, 3)], fixed=True),
    Row("LogSoftmax", {"dim": 1}, [(4, 3)]),
]  # fmt: skip

BAD = [
    Bad("Linear", {"in_features": 3, "out_features": 2}, [(4, 5)], ValueError, "`i` is 5 in x but 3 in weight"),
    Bad("Flatten", {"start_dim": 5}, [(2, 3)], IndexError, "axis 5 is out of bounds"),
    Bad("LayerNorm", {"normalized_shape": []}, [], ValueError, "normalized_shape is empty"),
    Bad("LayerNorm", {"normalized_shape": 3}, [(4, 5)], ValueError, "does not end in it"),
    Bad("RMSNorm", {"normalized_shape": 3}, [(4, 5)], ValueError, "does not end in it"),
    Bad("BatchNorm2d", {"num_features": 3}, [(4, 3)], ValueError, "axes"),
]

"""What is refused at the making of a module, or at its first call, in families that share one check."""

from __future__ import annotations

from typing import Any

from chalkgrad import ShapeError

from .rows import Bad, ints

__all__ = ["BAD"]

# Sizes and numbers, as the annotations of `__init__` have them: a module, its options, and what is wrong.
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("Linear", {"in_features": 3.0, "out_features": 2}, "in_features is a whole number, but 3.0 came"),
    ("Linear", {"in_features": None, "out_features": 2}, "in_features is a whole number, but None came"),
    ("Bilinear", {"in1_features": 2, "in2_features": "3", "out_features": 2}, "in2_features is a whole number"),
    ("LazyLinear", {"out_features": True}, "out_features is a whole number, but True came"),
    ("Embedding", {"num_embeddings": 7.0, "embedding_dim": 3}, "num_embeddings is a whole number, but 7.0 came"),
    ("EmbeddingBag", {"num_embeddings": 7, "embedding_dim": 3, "max_norm": "x"}, "max_norm is a number or None"),
    ("BatchNorm1d", {"num_features": "3"}, "num_features is a whole number, but '3' came"),
    ("BatchNorm2d", {"num_features": 3, "momentum": "slow"}, "momentum is a number or None, but 'slow' came"),
    ("GroupNorm", {"num_groups": None, "num_channels": 4}, "num_groups is a whole number, but None came"),
    ("InstanceNorm1d", {"num_features": 2.5}, "num_features is a whole number, but 2.5 came"),
    ("Flatten", {"start_dim": 0.5}, "start_dim is a whole number, but 0.5 came"),
    ("Dropout", {"p": None}, "p is a number, but None came"),
    ("PReLU", {"num_parameters": None}, "num_parameters is a whole number, but None came"),
    ("LeakyReLU", {"negative_slope": (1, 2)}, "negative_slope is a number, but .1, 2. came"),
    ("HuberLoss", {"delta": "1"}, "delta is a number, but '1' came"),
]

BAD = [
    *(Bad(name, options, (), TypeError, words) for name, options, words in WRONG),
    Bad("Linear", {"in_features": 3, "out_features": -2}, (), ValueError, "out_features=-2 is below 0"),
    Bad("BatchNorm1d", {"num_features": -1}, (), ValueError, "num_features=-1 is below 0"),
    Bad("LayerNorm", {"normalized_shape": (4, 3)}, [(2, 3, 4)], ShapeError, "normalized_shape"),
    Bad("RMSNorm", {"normalized_shape": 3}, [(2, 4)], ShapeError, "normalized_shape"),
    Bad("RMSNorm", {"normalized_shape": 3}, [ints(5, 2, 3)], TypeError, "input is int64"),
    Bad("BatchNorm2d", {"num_features": 2}, [(2, 3, 4, 4)], ShapeError, "3 channels.* but 2 are expected"),
    Bad("BatchNorm2d", {"num_features": 2}, [(2, 2, 4)], ShapeError, "4 axes are expected"),
    Bad("Flatten", {"start_dim": 1, "end_dim": 0}, [(2, 3)], ValueError, "start_dim 1 comes after end_dim 0"),
]

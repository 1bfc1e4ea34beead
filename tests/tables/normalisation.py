"""Normalisation: over the batch, an example, groups of channels, neighbours; and what rests on lengths."""

from __future__ import annotations

from chalkgrad import ShapeError

from .rows import Bad, Row

__all__ = ["BAD", "ROWS"]

CHANNELS = {1: (3, 5), 2: (3, 2, 4), 3: (3, 2, 2, 3)}  # of one example
FEATURES = {"num_features": 3}
TRACKED = {**FEATURES, "track_running_stats": True}

ROWS = [
    Row("BatchNorm1d", {**FEATURES, "eps": 1e-2, "momentum": 0.3}, [(4, 3, 5)]),
    Row("BatchNorm1d", {**FEATURES, "bias": False}, [(4, 3)]),
    Row("BatchNorm1d", FEATURES, [(0, 3)]),
    Row("BatchNorm2d", {**FEATURES, "momentum": None, "affine": False}, [(2, 3, 2, 4)]),
    *(Row("BatchNorm3d", options, [(2, *CHANNELS[3])]) for options in (
        FEATURES, {**FEATURES, "momentum": None, "bias": False}, {**FEATURES, "affine": False, "momentum": 0.5},
        {**FEATURES, "track_running_stats": False, "eps": 0.1},
    )),
    *(Row(f"InstanceNorm{n}d", options, [(2, *shape)]) for n, shape in CHANNELS.items() for options in (
        FEATURES, TRACKED, {**FEATURES, "eps": 0.1, "affine": True}, {**TRACKED, "affine": True, "bias": False},
        {**TRACKED, "momentum": None},
    )),
    *(Row(f"InstanceNorm{n}d", {**TRACKED, "affine": True}, [shape], fixed=True) for n, shape in CHANNELS.items()),
    Row("InstanceNorm1d", FEATURES, [(0, 3, 5)]),
    *(Row("GroupNorm", {"num_groups": groups, "num_channels": 6}, [(2, 6, 2, 3)]) for groups in (1, 2, 6)),
    Row("GroupNorm", {"num_groups": 2, "num_channels": 4, "affine": False, "eps": 0.1}, [(3, 4)]),
    Row("GroupNorm", {"num_groups": 2, "num_channels": 4, "bias": False}, [(3, 4, 2, 1, 2)]),
    Row("GroupNorm", {"num_groups": 2, "num_channels": 4}, [(0, 4, 3)]),
    Row("LocalResponseNorm", {"size": 2}, [(2, 3, 4)]),
    Row("LocalResponseNorm", {"size": 3, "alpha": 0.5, "beta": 1.5, "k": 2.0}, [(2, 4, 2, 3)]),
    Row("LocalResponseNorm", {"size": 9, "alpha": 1.0}, [(2, 4, 2, 1, 3)]),
    Row("LocalResponseNorm", {"size": 2}, [(0, 3, 4)]),
    Row("CosineSimilarity", {}, [(4, 3), (4, 3)]),
    Row("CosineSimilarity", {"dim": -1, "eps": 1e-3}, [(3, 1, 4), (1, 2, 4)], fixed=True),
    Row("CosineSimilarity", {"dim": 0}, [(3,), (3,)], fixed=True),
    Row("PairwiseDistance", {}, [(4, 3), (4, 3)]),
    Row("PairwiseDistance", {"p": 1.0, "keepdim": True}, [(4, 3), (3,)]),
    Row("PairwiseDistance", {"p": 3.5, "eps": 0.1}, [(3,), (3,)], fixed=True),
    Row("PairwiseDistance", {"p": float("inf")}, [(2, 4, 3), (2, 4, 3)]),
    Row("PairwiseDistance", {}, [(0, 3), (0, 3)]),
]

BAD = [
    Bad("BatchNorm3d", FEATURES, [(2, 3, 4, 4)], ShapeError, "5 axes are expected"),
    Bad("BatchNorm3d", FEATURES, [(2, 4, 1, 2, 2)], ShapeError, "4 channels"),
    Bad("BatchNorm3d", FEATURES, [(1, 3, 1, 1, 1)], ValueError, "more than 1 value per channel"),
    Bad("BatchNorm1d", {**FEATURES, "eps": 0.0}, [(2, 3)], ValueError, "eps"),
    Bad("InstanceNorm1d", FEATURES, [(3,)], ShapeError, "2 or 3 axes"),
    Bad("InstanceNorm1d", FEATURES, [(2, 3, 1)], ValueError, "no variance"),
    Bad("InstanceNorm2d", {**FEATURES, "affine": True}, [(2, 4, 2, 2)], ShapeError, "4 channels"),
    Bad("InstanceNorm3d", TRACKED, [(2, 4, 2, 2, 2)], ShapeError, "4 channels"),
    Bad("GroupNorm", {"num_groups": 2, "num_channels": 3}, [], ValueError, "cannot be divided"),
    Bad("GroupNorm", {"num_groups": 0, "num_channels": 3}, [], ValueError, "cannot be divided"),
    Bad("GroupNorm", {"num_groups": 1, "num_channels": 3}, [(2, 4)], ShapeError, r"\(n, 3, ...\)"),
    Bad("GroupNorm", {"num_groups": 3, "num_channels": 3}, [(1, 3)], ValueError, "no variance"),
    Bad("LocalResponseNorm", {"size": 2}, [(3, 4)], ShapeError, "three axes"),
    Bad("LocalResponseNorm", {"size": 0}, [(2, 3, 4)], ValueError, "size"),
    Bad("CosineSimilarity", {}, [(4, 3), (4, 2)], ShapeError, "cosine_between"),
    Bad("PairwiseDistance", {}, [(4, 3), (4, 2)], ShapeError, "`d` is 3 in a but 2 in b"),
]

"""The layers that learn the size of their input from the first one."""

from __future__ import annotations

from typing import Any

from chalkgrad import ShapeError

from .convolution import AXES, SIZES, SMALL, back, forth
from .rows import Bad, Row

__all__ = ["BAD", "ROWS"]

out = {"out_channels": 4}
NORMS: list[dict[str, Any]] = [
    {}, {"eps": 0.1, "momentum": 0.3, "affine": False}, {"bias": False, "track_running_stats": False},
]

ROWS = [
    row
    for n in AXES
    for row in [
        *[Row(f"LazyConv{n}d", {**out, **options}, ((3, 2, *SIZES[n]),)) for options in forth(n)[1::3]],
        Row(f"LazyConv{n}d", {**out, "kernel_size": 3, "padding": 1, "padding_mode": "reflect"}, ((2, *SIZES[n]),)),
        *[Row(f"LazyConvTranspose{n}d", {**out, **options}, ((3, 2, *SMALL[n]),)) for options in back(n)[1::3]],
        *[Row(f"Lazy{kind}Norm{n}d", options, ((3, 2, *SMALL[n]),))
          for kind in ("Batch", "Instance") for options in NORMS],
    ]
] + [
    Row("LazyLinear", {"out_features": 3, "bias": bias}, (shape,), fixed=len(shape) == 1)
    for bias, shape in [(True, (5,)), (False, (4, 5)), (True, (2, 3, 5)), (True, (0, 5))]
]

BAD = [
    bad
    for n in AXES
    for bad in [
        Bad(f"LazyConv{n}d", {**out, "kernel_size": 0}, (), ValueError, "kernel_size is a whole number"),
        Bad(f"LazyConv{n}d", {**out, "kernel_size": 2}, ((3,) * n,), ShapeError, "axes are expected"),
        Bad(f"LazyConv{n}d", {**out, "kernel_size": 2, "groups": 4}, ((3, 2, *SIZES[n]),), ValueError, "groups=4 does"),
        Bad(f"LazyConvTranspose{n}d", {**out, "kernel_size": 0}, (), ValueError, "kernel_size is a whole"),
        Bad(f"LazyConvTranspose{n}d", {**out, "kernel_size": 2, "groups": 3}, (), ValueError, "does not divide"),
        *[Bad(f"Lazy{kind}Norm{n}d", {}, ((3,) * (n + 3),), ShapeError, "axes are expected")
          for kind in ("Batch", "Instance")],
    ]
] + [Bad("LazyLinear", {"out_features": 3}, ((),), ShapeError, "it has no axes")]

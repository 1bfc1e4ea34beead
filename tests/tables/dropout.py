"""Dropout of elements and of channels."""

from __future__ import annotations

from .rows import Bad, Row, ints

__all__ = ["BAD", "ROWS"]

SHAPES: dict[str, list[tuple[int, ...]]] = {
    "Dropout": [(4, 3), (), (0, 3)],
    "Dropout1d": [(4, 3, 2), (3, 2), (0, 3, 2)],
    "Dropout2d": [(4, 3, 2, 2), (0, 3, 2, 2)],
    "Dropout3d": [(4, 3, 2, 2, 2), (3, 2, 2, 2)],
    "AlphaDropout": [(4, 3), ()],
    "FeatureAlphaDropout": [(4, 3, 2), (4, 3)],
}
ROWS = [
    *[Row(name, {}, [shape], drawing=True, fixed=True) for name, shapes in SHAPES.items() for shape in shapes],
    *[Row(name, {"p": 0.2, "inplace": True}, [shapes[0]], drawing=True) for name, shapes in SHAPES.items()],
    *[Row(name, {"p": p}, [shapes[0]]) for name, shapes in SHAPES.items() for p in (0, 1)],
    *[Row(name, {"p": 1, "inplace": True}, [shapes[0]]) for name, shapes in SHAPES.items()],
]

BAD = [
    *[
        Bad(name, {"p": p}, (), ValueError, f"a probability from 0 to 1, but {p} came")
        for name in SHAPES for p in (-0.1, 1.5)
    ],
    *[
        Bad(name, {}, [ints(3, *shapes[0])], TypeError, "the input holds floats, but int64 came")
        for name, shapes in SHAPES.items()
    ],
    *[Bad("Dropout1d", {}, [shape], ValueError, r"\(batch, channels, length\)") for shape in [(3,), (1, 2, 3, 4)]],
    Bad("FeatureAlphaDropout", {}, [(3,)], ValueError, r"\(batch, channels, ...\), but \(3,\) came"),
]  # fmt: skip

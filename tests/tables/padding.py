"""Paddings: constants, and pixels of the image itself."""

from __future__ import annotations

from chalkgrad import ShapeError

from .rows import Bad, Row

__all__ = ["BAD", "ROWS"]

SHAPES = {1: (2, 3, 5), 2: (2, 3, 4, 5), 3: (2, 2, 3, 4, 5)}
WIDTHS = {
    1: [2, (1, 3), (-1, 2)], 2: [1, (3, 0, 1, 2), (1, -1, -2, 1)], 3: [1, (3, 0, 1, 2, 1, 1), (-1, 1, 0, -1, 1, 0)],
}
KINDS = ["ConstantPad", "ZeroPad", "ReflectionPad", "ReplicationPad", "CircularPad"]


def made(kind: str, padding: object) -> dict[str, object]:
    """The arguments of a padding."""
    return {"padding": padding} | ({"value": -1.5} if kind == "ConstantPad" else {})


ROWS = [
    *(Row(f"{kind}{n}d", made(kind, padding), [SHAPES[n]]) for kind in KINDS for n in SHAPES for padding in WIDTHS[n]),
    *(Row(f"{kind}{n}d", made(kind, 1), [SHAPES[n][1:]]) for kind in KINDS for n in SHAPES),
    *(Row(f"{kind}1d", made(kind, (0, 0)), [(0, 3, 5)]) for kind in KINDS),
    *(Row("ZeroPad2d", {"padding": 1}, [(4,) * n]) for n in (2, 5)),
]

BAD = [
    *(Bad(f"{kind}{n}d", made(kind, (1,) * (2 * n + 1)), (), ValueError, "padding is a whole number, or")
      for kind in KINDS for n in SHAPES),
    *(Bad(f"{kind}1d", made(kind, 1.5), (), ValueError, "padding is a whole number, or 2 of them") for kind in KINDS),
    Bad("ZeroPad2d", {"padding": 1}, [(4,)], ShapeError, "widths for 2 axes"),
    Bad("ConstantPad1d", {"padding": (-2, -2), "value": 1}, [(2, 3)], ShapeError, "too few pixels"),
    Bad("ReflectionPad1d", {"padding": 4}, [(2, 3, 4)], ShapeError, "too few pixels"),
    Bad("ReflectionPad2d", {"padding": 1}, [(4, 4)], ShapeError, "1 or 2 axes more"),
    Bad("ReplicationPad3d", {"padding": 1}, [(4, 4, 4)], ShapeError, "1 or 2 axes more"),
    Bad("ReplicationPad1d", {"padding": 1}, [(2, 3, 0)], ShapeError, "too few pixels"),
    Bad("CircularPad2d", {"padding": (5, 0, 0, 0)}, [(1, 1, 4, 4)], ShapeError, "too few pixels"),
]

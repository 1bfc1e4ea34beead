"""Convolutions of rows, images and volumes, there and back; and their windows as columns."""

from __future__ import annotations

from typing import Any

from chalkgrad import ShapeError

from .rows import Bad, Row

__all__ = ["AXES", "BAD", "ROWS", "SIZES", "SMALL", "back", "forth"]

AXES = 1, 2, 3
SIZES = {1: (9,), 2: (7, 6), 3: (4, 5, 6)}
SMALL = {1: (4,), 2: (3, 4), 3: (2, 3, 4)}
MODES = "reflect", "replicate", "circular"
narrow: dict[str, Any] = {"in_channels": 2, "out_channels": 4}
wide: dict[str, Any] = {"in_channels": 16, "out_channels": 12}


def each(n: int, *sizes: int) -> tuple[int, ...]:
    """As many of the sizes as there are axes."""
    return sizes[:n]


def forth(n: int) -> list[dict[str, Any]]:
    """The options of a convolution along n axes."""
    return [
        {"kernel_size": 3},
        {"kernel_size": 1, "bias": False},
        {"kernel_size": 1, "stride": 2, "padding": 1},
        {"kernel_size": each(n, 2, 3, 1), "stride": each(n, 3, 2, 2), "padding": each(n, 1, 0, 2)},
        {"kernel_size": 3, "padding": 2, "dilation": 2},
        {"kernel_size": each(n, 4, 3, 2), "padding": "same", "dilation": each(n, 2, 1, 3)},
        {"kernel_size": 3, "padding": "valid", "groups": 2},
        {"kernel_size": 2, "stride": 2, "padding": 3, "dilation": 3, "groups": 2},
    ]


def around(n: int) -> list[dict[str, Any]]:
    """The same, with what stands around x."""
    return [
        {"kernel_size": 3, "padding": 1},
        {"kernel_size": 3, "padding": each(n, 0, 2, 1), "stride": 2, "bias": False},
        {"kernel_size": each(n, 4, 3, 2), "padding": "same", "groups": 2},
        {"kernel_size": 3, "padding": "valid"},
    ]


def back(n: int) -> list[dict[str, Any]]:
    """The options of a transposed convolution."""
    return [
        {"kernel_size": 3},
        {"kernel_size": 1, "bias": False},
        {"kernel_size": 4, "stride": 2, "padding": 1},
        {"kernel_size": each(n, 2, 3, 1), "stride": each(n, 3, 2, 2), "padding": each(n, 0, 1, 0)},
        {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1},
        {"kernel_size": 2, "stride": each(n, 3, 2, 4), "padding": each(n, 3, 2, 1), "output_padding": each(n, 2, 0, 3)},
        {"kernel_size": each(n, 3, 1, 2), "dilation": each(n, 2, 3, 2), "output_padding": each(n, 1, 2, 0)},
        {"kernel_size": 3, "stride": 2, "dilation": 2, "padding": 2, "output_padding": 1, "groups": 2},
    ]


ROWS = [
    row
    for n in AXES
    for row in [
        *[Row(f"Conv{n}d", {**narrow, **options}, ((3, 2, *SIZES[n]),)) for options in forth(n)],
        *[Row(f"Conv{n}d", {**wide, **options}, ((3, 16, *SIZES[n]),)) for options in forth(n)[::3]],
        *[Row(f"Conv{n}d", {**narrow, **options, "padding_mode": mode}, ((3, 2, *SIZES[n]),))
          for mode in MODES for options in around(n)],
        Row(f"Conv{n}d", {**narrow, "kernel_size": 2, "padding": 1}, ((2, *SIZES[n]),)),
        Row(f"Conv{n}d", {**narrow, "kernel_size": 3, "padding": 1, "padding_mode": "circular"}, ((2, *SIZES[n]),)),
        Row(f"Conv{n}d", {**narrow, "kernel_size": 3}, ((0, 2, *SIZES[n]),)),
        Row(f"Conv{n}d", {"in_channels": 6, "out_channels": 12, "kernel_size": 3, "groups": 6}, ((2, 6, *SIZES[n]),)),
        *[Row(f"ConvTranspose{n}d", {**narrow, **options}, ((3, 2, *SMALL[n]),)) for options in back(n)],
        *[Row(f"ConvTranspose{n}d", {**wide, **options}, ((3, 16, *SMALL[n]),)) for options in back(n)[::3]],
        Row(f"ConvTranspose{n}d", {**narrow, "kernel_size": 3}, ((2, *SMALL[n]),)),
        Row(f"ConvTranspose{n}d", {**wide, "kernel_size": 3}, ((0, 16, *SMALL[n]),)),
        Row(f"ConvTranspose{n}d", {"in_channels": 16, "out_channels": 1, "kernel_size": 4, "stride": 2},
            ((3, 16, *SMALL[n]),)),
        *[Row(f"ConvTranspose{n}d", {**narrow, "kernel_size": 3, "stride": 3, "padding": 1, "output_padding": 1},
              (shape,), {"output_size": wanted}, fixed=True)
          for shape in [(3, 2, *SMALL[n]), (2, *SMALL[n])]
          for sizes in [tuple(3 * m - 2 + i for i, m in enumerate(SMALL[n]))]
          for wanted in (sizes, [*shape[:-n], *sizes])],
    ]
] + [
    row
    for options in [
        {"kernel_size": 2},
        {"kernel_size": (3, 2), "stride": 3},
        {"kernel_size": 2, "dilation": 2, "padding": 1, "stride": (1, 2)},
        {"kernel_size": (2, 1), "dilation": (3, 2), "padding": (1, 2)},
    ]
    for row in [Row("Unfold", options, (shape,)) for shape in [(2, 3, 5, 6), (3, 5, 6), (0, 3, 5, 6)]]
] + [
    row
    for options, inputs, count in [
        ({"output_size": (5, 6), "kernel_size": 2}, 4, 20),
        ({"output_size": 6, "kernel_size": (3, 2), "stride": 3}, 6, 4),
        ({"output_size": (5, 6), "kernel_size": 2, "dilation": 2, "padding": 1, "stride": (1, 2)}, 4, 15),
        ({"output_size": [4, 5], "kernel_size": [2, 1], "dilation": [3, 2], "padding": [1, 2]}, 2, 27),
    ]
    for shape in [(2, 3 * inputs, count), (inputs, count), (0, inputs, count)]
    for row in [Row("Fold", options, (shape,))]
]

BAD = [
    bad
    for n in AXES
    for name in [f"Conv{n}d", f"ConvTranspose{n}d"]
    for bad in [
        Bad(name, {"in_channels": -1, "out_channels": 2, "kernel_size": 1}, (), ValueError, "in_channels is a whole"),
        Bad(name, {**narrow, "kernel_size": 0}, (), ValueError, "kernel_size is a whole number from 1 up"),
        Bad(name, {**narrow, "kernel_size": (2,) * (n + 1)}, (), ValueError, "kernel_size is a whole number from 1 up"),
        Bad(name, {**narrow, "kernel_size": 2, "stride": 0.5}, (), ValueError, "stride is a whole number from 1 up"),
        Bad(name, {**narrow, "kernel_size": 2, "padding": -1}, (), ValueError, "padding is a whole number from 0 up"),
        Bad(name, {**narrow, "kernel_size": 2, "groups": 3}, (), ValueError, "groups=3 does not divide 2 channels in"),
        Bad(name, {**narrow, "kernel_size": 2, "groups": 0}, (), ValueError, "groups is a whole number from 1 up"),
        Bad(name, {**narrow, "kernel_size": 2, "padding_mode": "mirror"}, (), ValueError, "padding_mode"),
        Bad(name, {**narrow, "kernel_size": 2}, ((3, 5, *SIZES[n]),), ShapeError, "x has 5 channels|`c` is 5 in x"),
        Bad(name, {**narrow, "kernel_size": 2}, ((2,) * n,), ShapeError, r"weight +\("),
    ]
] + [
    bad
    for n in AXES
    for bad in [
        Bad(f"Conv{n}d", {**narrow, "kernel_size": 2, "padding": "full"}, (), ValueError, "'same', 'valid', a number"),
        Bad(f"Conv{n}d", {**narrow, "kernel_size": 2, "padding": "same", "stride": 2}, (), ValueError, "keeps the"),
        Bad(f"Conv{n}d", {**narrow, "kernel_size": 9}, ((3, 2, *(5,) * n),), ShapeError, "the kernel spans 9"),
        Bad(f"Conv{n}d", {**narrow, "kernel_size": 3, "padding": 5, "padding_mode": "reflect"}, ((3, 2, *(5,) * n),),
            ShapeError, "too few pixels"),
        Bad(f"ConvTranspose{n}d", {**narrow, "kernel_size": 2, "padding": "same"}, (), ValueError, "from 0 up"),
        Bad(f"ConvTranspose{n}d", {**narrow, "kernel_size": 2, "padding_mode": "reflect"}, (), ValueError, "taken off"),
        Bad(f"ConvTranspose{n}d", {**narrow, "kernel_size": 2, "output_padding": 1}, ((3, 2, *SMALL[n]),), ShapeError,
            "is not below stride"),
        Bad(f"ConvTranspose{n}d", {**narrow, "kernel_size": 1, "padding": 4}, ((3, 2, *SMALL[n]),), ShapeError,
            "takes all off"),
        Bad(f"ConvTranspose{n}d", {**narrow, "kernel_size": 2, "stride": 2}, ((3, 2, *SMALL[n]),), ValueError,
            "becomes one of the sizes", {"output_size": (99,) * n}),
        Bad(f"ConvTranspose{n}d", {**narrow, "kernel_size": 2, "stride": 2}, ((3, 2, *SMALL[n]),), ValueError,
            "output_size is the", {"output_size": (9,) * (n + 1)}),
    ]
] + [
    Bad("Unfold", {"kernel_size": 0}, ((2, 3, 5, 6),), ShapeError, "kernel_size is a whole number from 1 up"),
    Bad("Unfold", {"kernel_size": 2, "padding": "same"}, ((2, 3, 5, 6),), ShapeError, "padding is a whole number"),
    Bad("Unfold", {"kernel_size": 7}, ((2, 3, 5, 6),), ShapeError, "the kernel spans 7 x 7"),
    Bad("Unfold", {"kernel_size": 2}, ((5, 6),), ShapeError, "unfold"),
    Bad("Fold", {"output_size": (3, 5), "kernel_size": 2}, ((2, 4, 6),), ShapeError, "6 columns of 4 numbers"),
    Bad("Fold", {"output_size": (3, 4), "kernel_size": 2}, ((2, 5, 6),), ShapeError, "of 2 x 2 numbers"),
    Bad("Fold", {"output_size": (3, 4, 5), "kernel_size": 2}, ((2, 4, 6),), ShapeError, "output_size is a whole"),
]

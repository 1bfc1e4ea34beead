"""Poolings: the largest, the mean, the norm; of windows of a size, or of so many windows; and back again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chalkgrad import ShapeError

from .rows import Array, Bad, Draw, Row, apart, positive

__all__ = ["BAD", "ROWS"]

# For one, two and three axes: a batch, an example alone, a batch again.
SHAPES = {
    1: [(2, 3, 9), (3, 9), (1, 2, 10)],
    2: [(2, 3, 7, 8), (3, 6, 7), (1, 2, 6, 6)],
    3: [(2, 2, 4, 5, 6), (2, 5, 4, 6), (1, 2, 4, 4, 4)],
}
WINDOWS: dict[int, list[dict[str, Any]]] = {
    1: [{"kernel_size": 3}, {"kernel_size": (3,), "stride": 2, "padding": 1}],
    2: [{"kernel_size": 2}, {"kernel_size": (2, 3), "stride": (2, 1), "padding": (0, 1)}],
    3: [{"kernel_size": 2}, {"kernel_size": (2, 3, 1), "stride": (1, 2, 3), "padding": (1, 1, 0)}],
}
MAX: list[dict[str, Any]] = [{}, {"ceil_mode": True, "dilation": 2}, {"return_indices": True}]
AVG: list[dict[str, Any]] = [{}, {"ceil_mode": True}, {"ceil_mode": True, "count_include_pad": False}]
COUNTS: dict[int, list[Any]] = {1: [3, 1, (10,)], 2: [3, (None, 2), (9, 1)], 3: [2, (None, 1, 4), (1, 7, 3)]}
SAMPLES = {n: Array(np.random.default_rng(4).random((2, 3, n))) for n in (2, 3)}


def places(shape: tuple[int, ...], sizes: tuple[int, ...]) -> Draw:
    """Indices of so many pixels of images, no two of them the same."""
    def numbers(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        images, count = shape[: -len(sizes)], math.prod(shape[-len(sizes) :])
        every = np.broadcast_to(np.arange(math.prod(sizes)), (*images, math.prod(sizes)))
        return rng.permuted(every, axis=-1)[..., :count].reshape(shape)

    return Draw(shape, numbers, "places")


def unpooled(n: int, options: dict[str, Any], shape: tuple[int, ...], sizes: tuple[int, ...], **call: Any) -> Row:
    """A row of MaxUnpool: images of a shape, which were pooled from these sizes."""
    return Row(f"MaxUnpool{n}d", options, (shape, places(shape, sizes)), call)


ROWS = [
    Row(f"MaxPool{n}d", {**windows, **options}, (apart(*shape),))
    for n in (1, 2, 3) for windows in WINDOWS[n] for options, shape in zip(MAX, SHAPES[n])
] + [
    Row(f"MaxPool{n}d", {**WINDOWS[n][1], "return_indices": True, "ceil_mode": True}, (apart(*SHAPES[n][0]),))
    for n in (1, 2, 3)
] + [
    Row(f"AvgPool{n}d", {**windows, **options}, (shape,))
    for n in (1, 2, 3) for windows in WINDOWS[n] for options, shape in zip(AVG, SHAPES[n][::-1])
] + [
    Row(f"AvgPool{n}d", {"kernel_size": 2, "divisor_override": divisor}, (SHAPES[n][0],))
    for n in (2, 3) for divisor in (3, -1)
] + [
    Row(f"AdaptiveAvgPool{n}d", {"output_size": count}, (shape,))
    for n in (1, 2, 3) for count, shape in zip(COUNTS[n], SHAPES[n])
] + [
    Row(f"AdaptiveMaxPool{n}d", {"output_size": count, "return_indices": both}, (apart(*shape),))
    for n in (1, 2, 3) for count, shape, both in zip(COUNTS[n], SHAPES[n], (True, False, True))
] + [
    Row(f"LPPool{n}d", {"norm_type": p, "kernel_size": 2, **options}, (positive(*shape),))
    for n in (1, 2, 3) for p, shape in zip((2, 4, 1), SHAPES[n]) for options in ({}, {"stride": 3, "ceil_mode": True})
] + [
    Row("LPPool1d", {"norm_type": p, "kernel_size": 2, "stride": 1}, ((2, 3, 5),)) for p in (math.inf, -math.inf, 2)
] + [
    Row("LPPool1d", {"norm_type": p, "kernel_size": 2}, (positive(2, 3, 5),)) for p in (3.5, 0.5, -1)
] + [
    Row("LPPool2d", {"norm_type": 2, "kernel_size": (2, 3), "stride": (1, 2)}, ((2, 3, 7, 8),)),
] + [
    Row(f"FractionalMaxPool{n}d", {"kernel_size": 2, **size, "return_indices": both, "_random_samples": samples},
        (apart(*batch, *(8, 9, 10)[:n]),), fixed=True)
    for n in (2, 3) for size, both, samples, batch in (
        ({"output_size": 4}, False, SAMPLES[n], (2, 3)),
        ({"output_size": (6, 1, 3)[:n]}, True, Array(SAMPLES[n].values[:1]), (3,)),
        ({"output_ratio": 0.7}, True, SAMPLES[n], (2, 3)),
    )
] + [
    unpooled(1, {"kernel_size": 2}, (2, 3, 4), (8,)),
    unpooled(1, {"kernel_size": 3, "stride": 2, "padding": 1}, (3, 4), (7,)),
    unpooled(1, {"kernel_size": (2,)}, (2, 3, 4), (9,), output_size=(9,)),
    unpooled(2, {"kernel_size": 2}, (2, 3, 2, 3), (4, 6)),
    unpooled(2, {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}, (3, 2, 3), (3, 4)),
    unpooled(2, {"kernel_size": 2}, (2, 3, 2, 3), (5, 6), output_size=(2, 3, 5, 6)),
    unpooled(3, {"kernel_size": 2}, (2, 3, 2, 1, 2), (4, 2, 4)),
    unpooled(3, {"kernel_size": (1, 2, 3), "stride": 2}, (3, 2, 1, 2), (3, 2, 5)),
    unpooled(2, {"kernel_size": 2}, (0, 3, 2, 3), (4, 6)),
] + [
    Row(f"{kind}{n}d", {option: 2}, ((0, 3, *(4,) * n),))  # a batch of none
    for n in (1, 2, 3) for kind, option in [
        ("MaxPool", "kernel_size"), ("AvgPool", "kernel_size"), ("AdaptiveAvgPool", "output_size"),
        ("AdaptiveMaxPool", "output_size"),
    ]
]  # fmt: skip

# What is refused when they are made, and what when they are called.
BAD = [
    Bad(name, options, (), ValueError, words)
    for n in (1, 2, 3) for name, options, words in [
        (f"MaxPool{n}d", {"kernel_size": 2, "padding": 2}, "padding=2 is more than half of the kernel"),
        (f"MaxPool{n}d", {"kernel_size": 2, "dilation": 0}, "dilation is a whole number from 1 up"),
        (f"AvgPool{n}d", {"kernel_size": 2, "padding": 2}, "is more than half of the kernel"),
        (f"AvgPool{n}d", {"kernel_size": (2,) * 4}, r"kernel_size is a whole number .*\(2, 2, 2, 2\) came"),
        (f"LPPool{n}d", {"norm_type": 0, "kernel_size": 2}, "norm_type is the power p"),
        (f"LPPool{n}d", {"norm_type": 2, "kernel_size": 2, "stride": 0}, "stride is a whole number from 1 up"),
        (f"AdaptiveAvgPool{n}d", {"output_size": -1}, "output_size is a whole number"),
        (f"AdaptiveMaxPool{n}d", {"output_size": (1,) * 4}, "output_size is a whole number"),
        (f"MaxUnpool{n}d", {"kernel_size": 0}, "kernel_size is a whole number from 1 up"),
    ]
] + [
    Bad(f"FractionalMaxPool{n}d", {"kernel_size": 2, **options}, (), ValueError, words)
    for n in (2, 3) for options, words in [
        ({}, "an output_size or an output_ratio"),
        ({"output_size": 1, "output_ratio": 0.5}, "one of them and not both"),
        ({"output_ratio": 1.5}, "a number between 0 and 1"),
    ]
] + [
    Bad(name, {"kernel_size": 9}, (SHAPES[n][0],), ShapeError, f"the kernel spans 9 {'x 9 ' * (n - 1)}pixels")
    for n in (2, 3) for name in (f"MaxPool{n}d", f"AvgPool{n}d")
] + [
    Bad(name, {"kernel_size": 1, **({"output_size": 1} if name[0] == "F" else {})}, ((3,) * (n + 3),), ShapeError,
        r"takes \(c, ")
    for n in (2, 3) for name in (f"MaxPool{n}d", f"AvgPool{n}d", f"FractionalMaxPool{n}d")
] + [
    Bad("MaxPool1d", {"kernel_size": 2}, ((3, 0),), ShapeError, "with pixels in it"),
    Bad("MaxPool1d", {"kernel_size": 2, "dilation": 2, "padding": 1, "return_indices": True}, ((1, 1),), ShapeError,
        "sees none of 1 pixels, and has no index"),
    Bad("AvgPool2d", {"kernel_size": 2, "divisor_override": 0}, ((1, 4, 4),), ShapeError, "would divide by zero"),
    Bad("AdaptiveAvgPool2d", {"output_size": 2}, ((2, 0, 3),), ShapeError, "with pixels in it"),
    Bad("AdaptiveMaxPool3d", {"output_size": 2}, ((3, 3, 3),), ShapeError, r"takes \(c, d, h, w\) or a batch"),
    Bad("FractionalMaxPool2d", {"kernel_size": 3, "output_size": 5}, ((2, 6, 9),), ShapeError, "do not fit in 6"),
    Bad("FractionalMaxPool2d", {"kernel_size": 2, "output_size": 3, "_random_samples": SAMPLES[2]}, ((2, 4, 6, 6),),
        ShapeError, "_random_samples has shape"),
    Bad("MaxUnpool1d", {"kernel_size": 2}, ((3, 2), places((3, 2), (9,))), IndexError, "but an image has 4 pixels"),
    Bad("MaxUnpool2d", {"kernel_size": 2}, ((3, 2, 2), places((3, 1, 2), (4, 4))), ShapeError, "one for each of x"),
    Bad("MaxUnpool2d", {"kernel_size": 2}, ((3, 2, 2), places((3, 2, 2), (4, 4))), ValueError, r"output_size=\(4, 9\)",
        {"output_size": (4, 9)}),
]  # fmt: skip

"""FractionalMaxPool: shrink images by less than half, in windows that are placed at random.

Windows of two pixels halve an image, and after a few of them nothing is left of it. Graham (2014) lets windows lie now
one, now two pixels apart, so that an image shrinks by any fraction; and as the places are drawn anew each time, the
network never sees quite the same picture twice.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tape import mode
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ...seeding import default_generator
from ..module import Module
from .geometry import per_axis
from .maxima import largest, put_back
from .pooling import Sizes, check_images, with_indices

__all__ = [
    "FractionalMaxPool2d", "FractionalMaxPool3d", "FractionalMaxPoolNd", "draw_samples", "fractional_max_pool",
    "fractional_max_pool2d", "fractional_max_pool2d_with_indices", "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices", "fractional_max_pool_nd", "fractional_windows", "places_for", "ratios_of",
    "sampled",
]

Ratios = float | tuple[float, ...]  # one number for all axes, or one for each


def draw_samples(generator, shape, dtype):
    """Draw numbers from 0 up to 1."""
    return generator.random(shape, dtype)


def fractional_windows(u, size, kernel, count):
    """List the positions (k, ..., count) of windows on an axis that are α = (size - k)/(count - 1) pixels apart.

    Window i begins at ⌊α(i + u)⌋ - ⌊αu⌋, and the last one at the end of the axis.

    >>> fractional_windows(np.array([0.1, 0.9]), size=10, kernel=2, count=4)[0].tolist()  # where the windows begin
    [[0, 2, 5, 8], [0, 3, 5, 8]]
    """
    if count + kernel - 1 > size:
        raise ValueError(f"{count} windows of {kernel} pixels do not fit in {size} pixels, one or more apart.")
    alpha  = (size - kernel) / max(count - 1, 1)
    moved  = np.arange(max(count - 1, 0), dtype=u.dtype) + u[..., None]
    starts = np.floor(moved * alpha) - np.floor(u[..., None] * alpha)
    last   = np.full_like(u, size - kernel)[..., None]
    starts = np.concatenate([starts, last], axis=-1)[..., :count].astype(np.int64)
    return starts + np.arange(kernel).reshape(-1, *(1,) * starts.ndim)


@primitive
def fractional_max_pool(x, samples, *, kernel_size, places):
    """Keep the largest pixel of windows that begin at random, about evenly apart, and tell its index in the flat image.

    x (..., sizes), samples (..., axes) -> y (..., places), indices (..., places)

    samples      where windows begin: a number u from 0 to 1 for each axis of each image
    kernel_size  the sizes of a window, one for each axis that is pooled, which are the last ones
    places       how many windows there are along each of them

    Window i begins at ⌊α(i + u)⌋ - ⌊αu⌋ on an axis, with α = (size - k)/(places - 1), and the last one ends where the
    axis does. Of several pixels that are equally large, the index is that of the first; but nan counts as larger than
    all, and of several the index is that of the last, as in PyTorch.

    Raises ShapeError if so many windows do not fit.

    Source: Graham 2014, pseudorandom sequences with overlap; how they are rounded is PyTorch's.

    >>> from chalkgrad import tensor
    >>> x = tensor([[1.0, 5.0, 2.0, 4.0, 3.0]])
    >>> fractional_max_pool(x, np.array([[0.5]]), kernel_size=(2,), places=(3,))
    (tensor([[5., 4., 4.]]), tensor([[1, 3, 3]]))
    """
    sizes      = x.shape[-len(places):]
    options    = [*zip(sizes, kernel_size, places)]
    windows    = [fractional_windows(samples[..., i], *each) for i, each in enumerate(options)]
    y, indices = largest(x, windows)
    return y, indices


@fractional_max_pool.backward
def fractional_max_pool_backward(grad_y, indices, sizes):
    """Only the pixel that was kept had a say in the loss; the largest of several windows had one in all of them."""
    grad_x = put_back(grad_y, indices, sizes)
    return grad_x


@fractional_max_pool.examples
def fractional_max_pool_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Images, each with its own windows; one window, of one pixel; rows; volumes, in as many windows as can be."""
    def draw(*shape: int) -> Any:
        return rng.permutation(math.prod(shape)).reshape(shape) / 8  # no two are equal: there is no derivative at ties

    return [
        (draw(2, 3, 6, 7), rng.random((2, 3, 2)), {"kernel_size": (2, 3), "places": (3, 4)}),
        (draw(2, 3, 4), rng.random((2, 2)), {"kernel_size": (1, 1), "places": (1, 1)}),
        (draw(3, 8), rng.random((3, 1)), {"kernel_size": (2,), "places": (5,)}),
        (draw(2, 3, 4, 5), rng.random((2, 3)), {"kernel_size": (2, 2, 2), "places": (2, 3, 4)}),
    ]


def places_for(
    name: str, shape: tuple[int, ...], axes: int, output_size: Sizes | None, output_ratio: Ratios | None
) -> tuple[int, ...]:
    """Say how many windows there are along each of the last axes, from their number or their ratio to the size.

    >>> places_for("fractional_max_pool2d", (3, 10, 20), 2, None, 0.7)
    (7, 14)
    """
    if (output_size is None) == (output_ratio is None):
        raise ValueError(f"{name} takes an output_size or an output_ratio, one of them and not both.")
    if output_ratio is not None:
        return tuple(int(n * ratio) for n, ratio in zip(shape[-axes:], ratios_of(output_ratio, axes), strict=True))
    places: tuple[int, ...] = per_axis(output_size, "output_size", axes, least=0)
    return places


def ratios_of(output_ratio: Ratios, axes: int) -> tuple[float, ...]:
    """Read `output_ratio`, one number for all axes or one for each.

    >>> ratios_of(0.5, 2)
    (0.5, 0.5)
    """
    each = tuple(output_ratio) if isinstance(output_ratio, tuple | list) else (output_ratio,) * axes
    if len(each) != axes or not all(isinstance(ratio, int | float) and 0 < ratio < 1 for ratio in each):
        raise ValueError(f"output_ratio is a number between 0 and 1, or {axes} of them, but {output_ratio!r} came.")
    return each


def fractional_max_pool_nd(
    name: str, axes: int, x: Tensor, kernel_size: Sizes, output_size: Sizes | None, output_ratio: Ratios | None,
    return_indices: bool, samples: Any,
) -> Any:
    """Pool the last axes of x, so many; errors go by the name of who asks. Samples come in the order of the axes.

    >>> from chalkgrad import tensor
    >>> x = tensor([[[1.0, 5.0, 2.0, 4.0, 3.0]]])
    >>> fractional_max_pool_nd("fractional_max_pool2d", 2, x, (1, 2), (1, 3), None, False, np.full((1, 1, 2), 0.5))
    tensor([[[5., 4., 4.]]])
    """
    check_images(name, x.shape, axes, axes)
    kernel = per_axis(kernel_size, "kernel_size", axes)
    places = places_for(name, x.shape, axes, output_size, output_ratio)
    images = x.shape[:-axes]
    count, channels = (1, *images)[-2:]
    if samples is None:
        samples = sampled((*images, axes), x.dtype)
    elif samples.ndim != 3 or samples.shape[1:] != (channels, axes) or len(samples) < count:
        raise ShapeError(f"{name}: _random_samples has shape {samples.shape}, but x {x.shape} needs "
                         f"({count}, {channels}, {axes}): a number for each of {axes} axes of each channel.")
    else:
        samples = samples[:count].reshape(*images, axes)
    both = fractional_max_pool(x, samples, kernel_size=kernel, places=places)
    return both if return_indices else both[0]


def sampled(shape: tuple[int, ...], dtype: Any) -> Any:
    """Draw numbers from 0 up to 1 from the default generator, and tell the tape."""
    source = default_generator()
    samples = draw_samples(source, shape, dtype)
    if mode.tape is not None:
        given = {"generator": source, "shape": shape, "dtype": dtype}
        mode.tape.record("random", draw_samples, given, {"samples": samples})
    return samples


def fractional_max_pool2d(
    input: Tensor, kernel_size: Sizes, output_size: Sizes | None = None, output_ratio: Ratios | None = None,
    return_indices: bool = False, _random_samples: Tensor | None = None,
) -> Any:
    """Keep the largest pixels of windows placed at random, or return a pair: these, and their indices.

    input (n, c, h, w) or (c, h, w) -> y (n, c, p, q) or (c, p, q)

    kernel_size      the height and width of a window; these are one number for both, or a pair
    output_size      p and q
    output_ratio     p and q as parts of h and w, between 0 and 1; this or output_size is given
    return_indices   return int64 indices in the flat images too, which max_unpool2d takes
    _random_samples  (n, c, 2), or (1, c, 2) for one example: the numbers from 0 to 1 that place the windows across and
                     down, in this order; there may be more than n. If not given, they are drawn, also in eval mode

    Raises ShapeError if so many windows do not fit, ValueError for sizes that are none.

    Source: as `fractional_max_pool`.

    >>> import chalkgrad as cg
    >>> fractional_max_pool2d(cg.ones(2, 3, 10, 20), 2, output_ratio=0.7).shape
    (2, 3, 7, 14)
    """
    samples = None if _random_samples is None else _random_samples.flip(-1)  # PyTorch has the columns first
    return fractional_max_pool_nd(
        "fractional_max_pool2d", 2, input, kernel_size, output_size, output_ratio, return_indices, samples
    )


def fractional_max_pool3d(
    input: Tensor, kernel_size: Sizes, output_size: Sizes | None = None, output_ratio: Ratios | None = None,
    return_indices: bool = False, _random_samples: Tensor | None = None,
) -> Any:
    """Keep the largest numbers of windows placed at random in volumes, or return a pair: these, and their indices.

    input (n, c, d, h, w) or (c, d, h, w) -> y (n, c, o, p, q) or (c, o, p, q)

    The other arguments are those of `fractional_max_pool2d`, with up to three numbers each; _random_samples (n, c, 3)
    come in the order of the axes.

    >>> import chalkgrad as cg
    >>> fractional_max_pool3d(cg.ones(3, 5, 6, 7), 2, output_size=(2, 3, 4)).shape
    (3, 2, 3, 4)
    """
    return fractional_max_pool_nd(
        "fractional_max_pool3d", 3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )


fractional_max_pool2d_with_indices = with_indices(fractional_max_pool2d)
fractional_max_pool3d_with_indices = with_indices(fractional_max_pool3d)


class FractionalMaxPoolNd(Module):
    """What FractionalMaxPool2d and FractionalMaxPool3d share: all but the number of `axes`."""

    axes: int
    _random_samples: Tensor | None

    def __init__(
        self, kernel_size: Sizes, output_size: Sizes | None = None, output_ratio: Ratios | None = None,
        return_indices: bool = False, _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        places_for(type(self).__name__, (1,) * self.axes, self.axes, output_size, output_ratio)  # for its errors
        self.kernel_size = per_axis(kernel_size, "kernel_size", self.axes)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else per_axis(output_size, "output_size", self.axes, least=0)
        self.output_ratio = None if output_ratio is None else ratios_of(output_ratio, self.axes)


class FractionalMaxPool2d(FractionalMaxPoolNd):
    """The largest pixels of windows placed at random; the arguments are explained at `fractional_max_pool2d`.

    Raises ValueError for sizes that are none.

    >>> import chalkgrad as cg
    >>> FractionalMaxPool2d(2, output_ratio=0.7)(cg.ones(2, 3, 10, 20)).shape
    (2, 3, 7, 14)
    """

    axes = 2

    def forward(self, input: Tensor) -> Any:
        """input (..., c, h, w) -> y (..., c, p, q), or y and indices (..., c, p, q)."""
        return fractional_max_pool2d(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples
        )


class FractionalMaxPool3d(FractionalMaxPoolNd):
    """The largest of windows placed at random in volumes; the arguments are explained at `fractional_max_pool3d`.

    Raises ValueError for sizes that are none.

    >>> import chalkgrad as cg
    >>> FractionalMaxPool3d(2, output_size=3)(cg.ones(2, 3, 5, 6, 7)).shape
    (2, 3, 3, 3, 3)
    """

    axes = 3

    def forward(self, input: Tensor) -> Any:
        """input (..., c, d, h, w) -> y (..., c, o, p, q), or y and indices (..., c, o, p, q)."""
        return fractional_max_pool3d(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples
        )

"""Columns: the three matrix products of a convolution. Each is linear in two of images, kernels and sums.

    convolve  what the kernels make of the images: sums, one for each kernel and place
    paint     the way back: each sum paints its kernel onto the image, as strongly as it is bright
    collect   what each weight met: its pixels times the sums of its kernel

They are each other's derivatives, so `conv2d` and `conv_transpose2d` need no more than these. Everywhere

    images    (n, c, h, w)
    kernels   (groups, o/groups, inputs), with inputs = kh · kw · c/groups
    sums      (n, o, p, q)
    geometry  kernel (kh, kw), stride, dilation, the frame around the image, and the places (p, q)

The columns of a whole batch are kh · kw times the batch. So they are made of a few images at a time, used while they
are in the cache, and forgotten. A backward makes them again: that costs a little where all of them would have fitted
into the cache, and saves much where they would not, time as well as memory.
"""

import numpy as np

from .windows import col2im, crop, im2col, pad, taps

__all__ = [
    "as_kernels", "as_weight", "collect", "convolve", "from_columns", "joined", "paint", "parts_of", "portions",
    "split", "to_columns",
]


def as_kernels(weight, groups):
    """Write each kernel into a row: (o, c/groups, kh, kw) -> (groups, o/groups, kh · kw · c/groups).

    Channels last, since what all of them see from one offset of the kernel lies side by side in an image.
    """
    o, seen, kh, kw = weight.shape
    return np.moveaxis(weight, 1, -1).reshape(groups, o // groups, kh * kw * seen)


def as_weight(kernels, shape):
    """Write rows back into kernels of shape (o, c/groups, kh, kw): the transpose of `as_kernels`."""
    o, seen, kh, kw = shape
    return np.moveaxis(kernels.reshape(o, kh, kw, seen), -1, 1)


def portions(images, kernels, places):
    """Cut a batch into slices of so few images that their columns, and their sums, take about a megabyte.

    >>> portions(np.ones((5, 8, 30, 40)), kernels=np.ones((1, 6, 3 * 3 * 8)), places=(28, 38))
    [slice(0, 3, None), slice(3, 6, None)]
    """
    groups, share, inputs = kernels.shape
    p, q = places
    some = max(2**18 // max(groups * max(share, inputs) * p * q, 1), 1)
    return [slice(i, i + some) for i in range(0, len(images), some)]


def parts_of(images, inputs):
    """Decide how many matrices are made of some images.

    BLAS likes one wide matrix. But kernels with few weights, as in a first layer, would wait for it to rearrange that
    matrix: for them one product for each image is up to twice as fast.
    """
    return len(images) if inputs <= 32 else 1


def split(images, parts):
    """Cut a batch into parts, channels first in each: (n, c, h, w) -> (parts, c, n/parts, h, w), of the same memory."""
    n, c, h, w = images.shape
    return np.swapaxes(images.reshape(parts, n // parts, c, h, w), 1, 2)


def joined(parts):
    """Put the parts of a batch together again: (parts, c, n/parts, h, w) -> (n, c, h, w)."""
    _, c, _, h, w = parts.shape
    return np.swapaxes(parts, 1, 2).reshape(-1, c, h, w)


def to_columns(images, parts, groups, geometry):
    """Write what the kernels see into columns: (n, c, h, w) -> (parts, groups, inputs, n/parts · p · q)."""
    (kh, kw), stride, dilation, frame, (p, q) = geometry
    inputs = kh * kw * images.shape[1] // groups
    framed = pad(split(images, parts), frame)
    *_, h, w = framed.shape
    # what no kernel reaches, because the last stride would leave the image, is left out
    rows = taps(0, (kh - 1) * dilation[0] + (p - 1) * stride[0] + 1, 1)
    across = taps(0, (kw - 1) * dilation[1] + (q - 1) * stride[1] + 1, 1)
    planes = framed.reshape(parts, groups, -1, h, w)[..., rows, across]
    return im2col(planes, (kh, kw), stride, dilation).reshape(parts, groups, inputs, -1)


def from_columns(columns, size, geometry):
    """Add every column to the pixels that it was made from: the transpose of `to_columns`, for images of (h, w)."""
    (kh, kw), stride, dilation, frame, (p, q) = geometry
    parts, groups, inputs, total = columns.shape
    channels, some = groups * inputs // (kh * kw), total // (p * q)
    h, w = [length + sum(both) for length, both in zip(size, frame)]
    planes = col2im(columns.reshape(parts, groups, kh, kw, -1, p, q), (h, w), stride, dilation)
    return joined(crop(planes.reshape(parts, channels, some, h, w), frame))


def convolve(images, kernels, bias, geometry):
    """Weigh what each kernel sees at each place, and add its bias: -> sums."""
    groups, share, inputs = kernels.shape
    places = geometry[-1]
    dtype = np.result_type(images.dtype, kernels.dtype)
    sums = np.empty_like(images, dtype, shape=(len(images), groups * share, *places))
    for some in portions(images, kernels, places):
        parts = parts_of(images[some], inputs)
        product = kernels @ to_columns(images[some], parts, groups, geometry)
        if bias is not None:
            product += bias.reshape(groups, share, 1)
        sums[some] = joined(product.reshape(parts, groups * share, -1, *places))
    return sums


def paint(sums, kernels, size, geometry):
    """Let every sum paint its kernel onto an empty image of `size` (h, w), as strongly as it is bright: -> images."""
    groups, share, inputs = kernels.shape
    (kh, kw), *_, places = geometry
    dtype = np.result_type(sums.dtype, kernels.dtype)
    images = np.empty_like(sums, dtype, shape=(len(sums), groups * inputs // (kh * kw), *size))
    for some in portions(sums, kernels, places):
        parts = parts_of(sums[some], inputs)
        brightness = split(sums[some], parts).reshape(parts, groups, share, -1)
        images[some] = from_columns(np.swapaxes(kernels, -1, -2) @ brightness, size, geometry)
    return images


def collect(images, sums, kernels, geometry):
    """Multiply what each weight saw by the sums that it went into: -> an array like the kernels."""
    groups, share, inputs = kernels.shape
    dtype = np.result_type(images.dtype, sums.dtype)
    met = np.zeros_like(kernels, dtype, shape=(groups, inputs, share))
    for some in portions(images, kernels, geometry[-1]):
        parts = parts_of(images[some], inputs)
        brightness = split(sums[some], parts).reshape(parts, groups, share, -1)
        # with the columns on the left, since BLAS is faster with the longer axis first
        products = to_columns(images[some], parts, groups, geometry) @ np.swapaxes(brightness, -1, -2)
        met += products.sum(axis=0)
    return np.swapaxes(met, -1, -2)

"""Volumes: a third axis for the matrix products of `columns`, which know images.

From one place in depth, a kernel sees kd slices of a volume: an image of kd times as many channels. So a convolution of
volumes is one of images, one image for each place in depth, all side by side in the batch.

    volumes  (n, c, d, h, w)
    slices   (d · n, c, h, w): the first slice of every volume, then the second of every volume, ...
    images   (places · n, channels, h, w): what the kernels see from each place, with channels (groups, kd, c/groups)

All lie in memory as the rows of `columns`. Like the rules that call them, these helpers take arrays and Tensors, and
travel into spelled programs.
"""

import numpy as np

from .windows import as_images, as_rows, reach, taps

__all__ = ["as_slices", "as_volumes", "deep", "depth", "flat", "gather", "scatter", "undeep"]


def depth(geometry):
    """Take from a geometry what it says of the first axis.

    >>> depth(((3, 5, 5), (2, 1, 1), (1, 1, 1), ((1, 1), (2, 2), (2, 2)), (4, 8, 8)))
    (3, 2, 1, (1, 1), 4)
    """
    return tuple([each[0] for each in geometry])


def flat(geometry):
    """Take from a geometry what it says of the other axes: how kernels lie on images.

    >>> flat(((3, 5, 5), (2, 1, 1), (1, 1, 1), ((1, 1), (2, 2), (2, 2)), (4, 8, 8)))
    ((5, 5), (1, 1), (1, 1), ((2, 2), (2, 2)), (8, 8))
    """
    return tuple([each[1:] for each in geometry])


def deep(weight):
    """Look at kernels (o, c/groups, kd, kh, kw) as those of images of kd times as many channels."""
    o, seen, kd, kh, kw = weight.shape
    return np.swapaxes(weight, 1, 2).reshape(o, kd * seen, kh, kw)


def undeep(weight, shape):
    """Give kernels of images their depth back: the transpose of `deep`."""
    o, seen, kd, kh, kw = shape
    return np.swapaxes(weight.reshape(o, kd, seen, kh, kw), 1, 2)


def as_slices(volumes):
    """Cut volumes (n, c, d, h, w) into slices (d · n, c, h, w), which lie in memory as rows."""
    n, c, d, h, w = volumes.shape
    return as_images(np.transpose(volumes, (3, 1, 4, 2, 0)).reshape(h, c, w, d * n))


def as_volumes(slices, d):
    """Put slices (d · n, c, h, w) together again: -> (n, c, d, h, w)."""
    return np.moveaxis(slices.reshape(d, len(slices) // d, *slices.shape[1:]), 0, 2)


def gather(volumes, groups, geometry):
    """Put the kd slices that the kernels see from each place in depth into one image: volumes -> images."""
    kd, stride, dilation, (front, _), places = depth(geometry)
    n, c, d, h, w = volumes.shape
    slices = as_rows(as_slices(volumes)).reshape(h, groups, c // groups, w, d, n)
    seen = np.empty_like(slices, order="C", shape=(h, groups, kd, c // groups, w, places, n))
    for i in range(kd):
        start, stop = reach(i * dilation - front, places, stride, d)
        seen[:, :, i, :, :, :start] = seen[:, :, i, :, :, stop:] = 0
        those = taps(start * stride + i * dilation - front, stop - start, stride)
        seen[:, :, i, :, :, start:stop] = slices[:, :, :, :, those]
    return as_images(seen.reshape(h, groups * kd * (c // groups), w, places * n))


def scatter(images, d, groups, geometry):
    """Add what images hold of each slice to volumes of d slices: the transpose of `gather`."""
    kd, stride, dilation, (front, _), places = depth(geometry)
    many, channels, h, w = images.shape
    n, share = many // places, channels // (groups * kd)
    parts = as_rows(images).reshape(h, groups, kd, share, w, places, n)
    slices = np.zeros_like(parts, order="C", shape=(h, groups, share, w, d, n))
    for i in range(kd):
        start, stop = reach(i * dilation - front, places, stride, d)
        those = taps(start * stride + i * dilation - front, stop - start, stride)
        slices[:, :, :, :, those] += parts[:, :, i, :, :, start:stop]
    return np.transpose(slices.reshape(h, groups * share, w, d, n), (4, 1, 3, 0, 2))

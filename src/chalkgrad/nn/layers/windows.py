"""Windows: where a kernel lies on an image, and what it sees there.

Shared by convolution and pooling. Like the rules that call them, these helpers take arrays and Tensors, and travel into
spelled programs; so they are untyped, and use nothing that Tensors do not know.
"""

import functools

import numpy as np

__all__ = ["as_images", "as_rows", "crop", "in_rows", "output_size", "pad", "places", "reach", "taps"]


def output_size(shape, kernel, stride, dilation):
    """Count the places of a kernel along the last axes: it steps by `stride` and never leaves the image.

    >>> output_size((28, 28), kernel=(5, 5), stride=(1, 1), dilation=(1, 1))
    (24, 24)
    """
    sizes = shape[-len(kernel):]
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    if any(span > size for span, size in zip(spans, sizes)):
        raise ValueError(
            f"the kernel spans {' x '.join(map(str, spans))} pixels, but the image has {' x '.join(map(str, sizes))} "
            "with its padding; pad more, or take a smaller kernel."
        )
    return tuple([(size - span) // step + 1 for size, span, step in zip(sizes, spans, stride)])


def taps(offset, count, stride):
    """Name the pixels that one offset of the kernel sees along an axis, from all of its `count` places.

    >>> taps(offset=1, count=3, stride=2)
    slice(1, 6, 2)
    """
    return slice(offset, offset + (count - 1) * stride + 1, stride)


def reach(offset, count, stride, size):
    """Say from which to which of its `count` places, i · stride + offset, a tap of a kernel sees one of `size` pixels.

    >>> reach(-1, count=4, stride=2, size=4)  # places -1, 1, 3, 5
    (1, 3)
    """
    first = min(max(-(offset // stride), 0), count)
    return first, max(min((size - 1 - offset) // stride + 1, count), first)


@functools.lru_cache  # for a small image this takes as long as the pooling
def places(shape, kernel, stride, dilation):
    """List for each offset of the kernel, in reading order, the index of the pixels that it sees from all places.

    >>> x = np.arange(16).reshape(4, 4)
    >>> [x[place].tolist() for place in places(x.shape, (1, 2), (2, 2), (1, 1))]
    [[[0, 2], [8, 10]], [[1, 3], [9, 11]]]
    """
    counts = output_size(shape, kernel, stride, dilation)
    return tuple([
        (..., *[taps(i * d, count, step) for i, d, count, step in zip(offset, dilation, counts, stride)])
        for offset in np.ndindex(*kernel)
    ])


def as_rows(images):
    """Look at images (n, c, h, w) as rows (h, c, w, n). They are copied unless each row lies in one piece."""
    n, c, h, w = images.shape
    return np.transpose(images, (2, 1, 3, 0)).reshape(h, c, w * n).reshape(h, c, w, n)


def as_images(rows):
    """Look at rows (h, c, w, n) as images (n, c, h, w)."""
    return np.transpose(rows, (3, 1, 0, 2))


def in_rows(x):
    """Let images lie in memory as rows, so that whatever meets them does not read across; others stay as they are."""
    if x.ndim != 4:
        return x
    n, c, h, w = x.shape
    return as_images(np.transpose(x, (2, 1, 3, 0)).reshape(-1).reshape(h, c, w, n))


def pad(x, frame, value=0.0):
    """Put a frame of one value around images, a pair (before, after) for each axis; without one, return x itself.

    >>> pad(np.ones((1, 2)), ((1, 0), (0, 1)))
    array([[0., 0., 0.],
           [1., 1., 0.]])
    """
    if not any(map(any, frame)):
        return x
    sizes  = x.shape[-len(frame):]
    larger = [before + size + after for (before, after), size in zip(frame, sizes)]
    framed = np.full_like(x, value, shape=(*x.shape[:-len(frame)], *larger))
    inside = [slice(before, before + size) for (before, _), size in zip(frame, sizes)]
    framed[(slice(None),) * (x.ndim - len(frame)) + tuple(inside)] = x
    return framed


def crop(framed, frame):
    """Take the frame off again: the transpose of `pad`."""
    if not any(map(any, frame)):
        return framed
    sizes = framed.shape[-len(frame):]
    return framed[(..., *[slice(before, size - after) for (before, after), size in zip(frame, sizes)])]

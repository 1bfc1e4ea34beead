"""Windows: where a kernel lies on an image, and what it sees there.

Shared by convolution and pooling. Like the rules that call them, these helpers take arrays and Tensors, and travel into
spelled programs; so they are untyped, and use nothing that Tensors do not know.
"""

import numpy as np

__all__ = ["as_images", "as_rows", "crop", "in_rows", "output_size", "pad", "pair", "places", "reach", "single", "taps"]


def pair(value, name, least=1):
    """Read an option that is one number for both axes, or a pair (height, width).

    >>> pair(3, "stride"), pair((1, 2), "stride")
    ((3, 3), (1, 2))
    """
    both = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(both) != 2 or not all(isinstance(n, int | np.integer) and n >= least for n in both):
        raise ValueError(f"{name} is a whole number from {least} up, or a pair (height, width), but {value!r} came.")
    return both


def single(value, name):
    """Read an option of a row: it is one number, or anything else; PyTorch also takes a tuple with that in it.

    >>> single(3, "stride"), single((3,), "stride"), single("same", "padding")
    (3, 3, 'same')
    """
    if not isinstance(value, tuple | list):
        return value
    if len(value) != 1:
        raise ValueError(f"{name} is one number for a row, but {value!r} came.")
    return value[0]


def output_size(shape, kernel, stride, dilation):
    """Count the places of a kernel on an image, down and across: it steps by `stride` and never leaves the image.

    >>> output_size((28, 28), kernel=(5, 5), stride=(1, 1), dilation=(1, 1))
    (24, 24)
    """
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    if spans[0] > shape[-2] or spans[1] > shape[-1]:
        raise ValueError(
            f"the kernel spans {spans[0]} x {spans[1]} pixels, but the image has {shape[-2]} x {shape[-1]} with its "
            "padding; pad more, or take a smaller kernel."
        )
    p, q = [(size - span) // step + 1 for size, span, step in zip(shape[-2:], spans, stride)]
    return p, q


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


def places(shape, kernel, stride, dilation):
    """List for each offset of the kernel, in reading order, the index of the pixels that it sees from all places.

    >>> x = np.arange(16).reshape(4, 4)
    >>> [x[place].tolist() for place in places(x.shape, (1, 2), (2, 2), (1, 1))]
    [[[0, 2], [8, 10]], [[1, 3], [9, 11]]]
    """
    p, q = output_size(shape, kernel, stride, dilation)
    rows = [taps(i * dilation[0], p, stride[0]) for i in range(kernel[0])]
    columns = [taps(j * dilation[1], q, stride[1]) for j in range(kernel[1])]
    return [(..., row, column) for row in rows for column in columns]


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
    """Put a frame ((top, bottom), (left, right)) of one value around images; without one, return x itself.

    >>> pad(np.ones((1, 2)), ((1, 0), (0, 1)))
    array([[0., 0., 0.],
           [1., 1., 0.]])
    """
    (top, bottom), (left, right) = frame
    if not (top or bottom or left or right):
        return x
    h, w = x.shape[-2:]
    framed = np.full_like(x, value, shape=(*x.shape[:-2], top + h + bottom, left + w + right))
    framed[..., top : top + h, left : left + w] = x
    return framed


def crop(framed, frame):
    """Take the frame off again: the transpose of `pad`."""
    (top, bottom), (left, right) = frame
    if not (top or bottom or left or right):
        return framed
    h, w = framed.shape[-2:]
    return framed[..., top : h - bottom, left : w - right]

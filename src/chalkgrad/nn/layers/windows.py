"""Windows: where a kernel lies on an image, and what it sees there.

Shared by convolution and pooling. Like the rules that call them, these helpers take arrays and Tensors, and travel into
spelled programs; so they are untyped, and use nothing that Tensors do not know.
"""

import numpy as np

__all__ = ["col2im", "crop", "im2col", "output_size", "pad", "pair", "places", "single", "taps"]


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
    framed = np.full_like(x, value, order="C", shape=(*x.shape[:-2], top + h + bottom, left + w + right))
    framed[..., top : top + h, left : left + w] = x
    return framed


def crop(framed, frame):
    """Take the frame off again: the transpose of `pad`."""
    (top, bottom), (left, right) = frame
    if not (top or bottom or left or right):
        return framed
    h, w = framed.shape[-2:]
    return framed[..., top : h - bottom, left : w - right]


def im2col(x, kernel, stride, dilation):
    """Write beside each other what the kernel sees at each place: x (..., n, h, w) -> columns (..., kh, kw, n, p, q).

    First across and then down: kw + kh copies instead of kw · kh, and those of the second loop run over whole rows.
    Where a kernel is one pixel wide or high and looks at every pixel, there is nothing to copy.

    >>> x = np.arange(9).reshape(1, 3, 3)
    >>> columns = im2col(x, kernel=(2, 2), stride=(1, 1), dilation=(1, 1))
    >>> columns[:, :, 0, 0, 1].tolist()  # the kernel at the top right
    [[1, 2], [4, 5]]
    """
    (kh, kw), (sh, sw), (dh, dw) = kernel, stride, dilation
    *lead, n, h, w = x.shape
    p, q = output_size((h, w), kernel, stride, dilation)
    across = x[..., None, :, :, :]
    if kw > 1 or q < w:
        across = np.empty_like(x, shape=(*lead, kw, n, h, q))
        for j in range(kw):
            across[..., j, :, :, :] = x[..., taps(j * dw, q, sw)]
    columns = across[..., None, :, :, :, :]
    if kh > 1 or p < h:
        columns = np.empty_like(x, shape=(*lead, kh, kw, n, p, q))
        for i in range(kh):
            columns[..., i, :, :, :, :] = across[..., taps(i * dh, p, sh), :]
    return columns


def col2im(columns, shape, stride, dilation):
    """Add every copy to the pixel that it was made from: the transpose of `im2col`, for images of shape (h, w).

    >>> ones = np.ones((2, 2, 1, 2, 2))  # a 2 x 2 kernel at 2 x 2 places sees the pixel in the middle four times
    >>> col2im(ones, (3, 3), stride=(1, 1), dilation=(1, 1))
    array([[[1., 2., 1.],
            [2., 4., 2.],
            [1., 2., 1.]]])
    """
    *lead, kh, kw, n, p, q = columns.shape
    (h, w), (sh, sw), (dh, dw) = shape, stride, dilation
    across = columns[..., 0, :, :, :, :]
    if kh > 1 or p < h:
        across = np.zeros_like(columns, shape=(*lead, kw, n, h, q))
        across[..., taps(0, p, sh), :] = columns[..., 0, :, :, :, :]  # to store is faster than to add
        for i in range(1, kh):
            across[..., taps(i * dh, p, sh), :] += columns[..., i, :, :, :, :]
    x = across[..., 0, :, :, :]
    if kw > 1 or q < w:
        x = np.zeros_like(columns, shape=(*lead, n, h, w))
        x[..., taps(0, q, sw)] = across[..., 0, :, :, :]
        for j in range(1, kw):
            x[..., taps(j * dw, q, sw)] += across[..., j, :, :, :]
    return x

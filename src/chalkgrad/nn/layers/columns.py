"""Columns: the three matrix products of a convolution. Each is linear in two of images, kernels and sums.

    convolve  what the kernels make of the images: sums, one for each kernel and place
    paint     the way back: each sum paints its kernel onto the image, as strongly as it is bright
    collect   what each weight met: its pixels times the sums of its kernel

They are each other's derivatives, so `conv2d` and `conv_transpose2d` need no more than these. Everywhere

    images    (n, c, h, w)
    kernels   (groups, o/groups, inputs), with inputs = kh · kw · c/groups
    sums      (n, o, p, q)
    geometry  kernel (kh, kw), stride, dilation, the frame around the image, and the places (p, q)

In memory, images lie as *rows* (h, c, w, n): row by row, the same pixel of all images side by side. Two things follow.
A step to the right is a step of n numbers, so whatever is shifted is copied in long runs. And kh rows, one after the
other, are already one tall matrix: the columns of a whole row of places, of which nothing has to be copied. So columns
take kw times the memory of the images, not kh · kw times. What comes out lies in memory as rows again, and looks to
everybody else like images; NumPy keeps that order in whatever is computed element by element.
"""

import math

import numpy as np

from .channels import for_each
from .windows import as_images, as_rows, reach, taps

__all__ = [
    "aligned", "as_kernels", "as_weight", "collect", "columns_of", "convolve", "multiply", "paint", "paint_few",
    "painters", "pieces", "portions", "roomy", "side_by_side", "tall",
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


def aligned(x, dtype, shape):
    """Make an empty array like x that starts at a multiple of 64 bytes, as BLAS reads and writes it fastest."""
    if not isinstance(x, np.ndarray):
        return np.empty_like(x, dtype, order="C", shape=shape)
    size, dtype = math.prod(shape), np.dtype(dtype)
    raw = np.empty(size * dtype.itemsize + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size * dtype.itemsize].view(dtype).reshape(shape)


def roomy(x, shape):
    """Make an empty array (..., q, n) like x whose lines of q · n numbers lie an odd number of 128 bytes apart.

    At a power of two they would compete for the same few places of the cache, and products with few kernels would
    take up to 1.6 times as long.

    >>> roomy(np.ones(1, np.float32), (3, 32, 32)).strides
    (4224, 128, 4)
    """
    if not isinstance(x, np.ndarray):
        return np.empty_like(x, order="C", shape=shape)
    *lead, q, n = shape
    step = max(128 // x.dtype.itemsize, 1)
    room = (-(-q * n // step) // 2 * 2 + 1) * step
    return aligned(x, x.dtype, (*lead, room))[..., : q * n].reshape(shape)


def side_by_side(rows, groups, geometry):
    """Write kw copies of each row side by side, each shifted to what one column of a kernel sees from all q places.

    rows (h, c, w, n) -> (groups, all rows that a kernel reaches, kw · c/groups, q · n), with the frame as zeros
    """
    (kh, kw), (sh, sw), (dh, dw), ((top, _), (left, _)), (p, q) = geometry
    h, c, w, n = rows.shape
    high = (kh - 1) * dh + (p - 1) * sh + 1
    grouped = np.swapaxes(rows.reshape(h, groups, c // groups, w, n), 0, 1)
    copies = roomy(rows, (groups, high, kw, c // groups, q, n))
    first, last = reach(-top, high, 1, h)
    copies[:, :first] = copies[:, last:] = 0
    for j in range(kw):
        start, stop = reach(j * dw - left, q, sw, w)
        copies[:, first:last, j, :, :start] = copies[:, first:last, j, :, stop:] = 0
        seen = taps(start * sw + j * dw - left, stop - start, sw)
        copies[:, first:last, j, :, start:stop] = grouped[:, first - top : last - top, :, seen]
    return copies.reshape(groups, high, kw * (c // groups), q * n)


def tall(copies, geometry):
    """Stack the kh rows that a kernel sees from each of the p places down the image: the columns, without a copy.

    copies (groups, high, k, m) -> (groups, p, kh · k, m)
    """
    (kh, _), (sh, _), (dh, _), _, (p, _) = geometry
    groups, _, k, m = copies.shape
    if kh == 1:
        return copies[:, taps(0, p, sh)]
    if isinstance(copies, np.ndarray) and dh == 1:  # rows that follow each other are a matrix as they lie
        group, row, _, one = copies.strides
        return np.lib.stride_tricks.as_strided(copies, (groups, p, kh * k, m), (group, sh * row, row // k, one))
    seen = np.arange(p)[:, None] * sh + np.arange(kh) * dh
    return copies[:, seen].reshape(groups, p, kh * k, m)


def portions(rows, groups, geometry):
    """Cut the places across into slices of so few that `side_by_side` writes two million numbers for each, or fewer.

    >>> portions(np.ones((30, 64, 40, 10)), 1, ((3, 3), (1, 1), (1, 1), ((0, 0), (0, 0)), (28, 38)))
    [slice(0, 19, None), slice(19, 38, None)]
    """
    (kh, kw), (sh, _), (dh, _), _, (p, q) = geometry
    _, c, _, n = rows.shape
    high = (kh - 1) * dh + (p - 1) * sh + 1
    count = -(-high * kw * c * n * q // 2**21)
    some = max(-(-q // max(count, 1)), 1)
    return [slice(i, min(i + some, q)) for i in range(0, q, some)]


def columns_of(rows, groups, geometry, across):
    """Write what the kernels see from some places across into columns: -> (p, groups, inputs, places · n)."""
    h, c, _, n = rows.shape
    kernel, stride, dilation, (down, (left, right)), (p, _) = geometry
    if (kernel, stride, down, left, right) == ((1, 1), (1, 1), (0, 0), 0, 0):
        return rows[:, :, across].reshape(h, groups, c // groups, (across.stop - across.start) * n)
    part = (kernel, stride, dilation, (down, (left - across.start * stride[1], right)), (p, across.stop - across.start))
    return np.swapaxes(tall(side_by_side(rows, groups, part), part), 0, 1)


def pieces(length, work):
    """Cut a length into equal pieces of so many columns that a product of `work` multiplications a column is small.

    OpenBLAS multiplies what takes up to a million multiplications as it lies, and rearranges both matrices before
    it multiplies larger ones, which for a few kernels takes as long as the product. Pieces narrower than 64 columns
    are not worth it.

    >>> pieces(1024, work=16 * 144), pieces(1024, work=64 * 576)
    (256, 1024)
    """
    least = -(-length * work // 10**6)
    good = (length // count for count in range(max(least, 1), length // 64 + 1) if length % count == 0)
    return next(good, max(length, 1))


def multiply(kernels, columns, sums):
    """Write kernels (groups, o, k) @ columns (p, groups, k, m) into sums (p, groups, o, m), in `pieces` of columns."""
    if not isinstance(sums, np.ndarray):
        sums[...] = kernels @ columns
        return
    (_, o, k), m = kernels.shape, columns.shape[-1]
    if k == 1:  # no sum is taken, and this is ten times as fast
        np.multiply(kernels, columns, out=sums)
        return
    size = pieces(m, o * k)
    cut, into = [np.swapaxes(x.reshape(*x.shape[:-1], m // size, size), -2, -3) for x in (columns, sums)]
    np.matmul(kernels[:, None], cut, out=into)


def convolve(images, kernels, bias, geometry):
    """Weigh what each kernel sees at each place, and add its bias: -> sums."""
    groups, share, _ = kernels.shape
    (p, q), n, rows = geometry[-1], len(images), as_rows(images)
    dtype = np.result_type(images.dtype, kernels.dtype)
    sums = aligned(rows, dtype, (p, groups, share, q * n))
    for across in portions(rows, groups, geometry):
        columns = columns_of(rows, groups, geometry, across)
        multiply(kernels, columns, sums[..., across.start * n : across.stop * n])
    if bias is not None:
        each = for_each(bias, sums.reshape(p, groups * share, q * n))
        sums += each.reshape(1, groups, share, each.shape[-1])
    return as_images(sums.reshape(p, groups * share, q, n))


def painters(count, stride, dilation, before, size, places):
    """Split one axis of painting into convolutions: every `stride`-th pixel is painted by the same few taps.

    count    of the taps of the kernel; tap t of place i paints pixel i · stride + t · dilation - before
    size     of the axis of the image

    Lists for each set of taps that paint together: the slice of taps, the slice of pixels, and how a kernel of these
    taps, turned round, lies on the sums: its dilation, its frame, and its places.

    >>> painters(3, stride=2, dilation=1, before=1, size=8, places=4)
    [(slice(0, None, 2), slice(1, 8, 2), (1, (0, 1), 4)), (slice(1, None, 2), slice(0, 7, 2), (1, (0, 0), 4))]
    """
    period = stride // math.gcd(stride, dilation)
    found = []
    for t in range(min(period, count)):
        span = (count - 1 - t) // period * (period * dilation // stride)  # from the first tap of the set to the last
        start, stop = reach(t * dilation - before, places + span, stride, size)
        frame = (span - start, stop - places)
        pixels = taps(start * stride + t * dilation - before, stop - start, stride)
        if stop > start:
            found.append((slice(t, None, period), pixels, (period * dilation // stride, frame, stop - start)))
    return found


def paint_few(sums, kernels, size, geometry):
    """Paint with kernels of few weights: work out all that is painted, and then add it where it belongs."""
    groups, share, inputs = kernels.shape
    (kh, kw), (sh, sw), (dh, dw), ((top, _), (left, _)), (p, q) = geometry
    (h, w), c, n = size, inputs // (kh * kw), len(sums)
    strokes = np.swapaxes(kernels, -1, -2) @ as_rows(sums).reshape(p, groups, share, q * n)
    strokes = strokes.reshape(p, groups, kh, kw, c, q, n)
    high, wide = [max((k - 1) * d + (places - 1) * s + 1, before + length) for k, d, places, s, before, length in
                  ((kh, dh, p, sh, top, h), (kw, dw, q, sw, left, w))]
    canvas = np.zeros_like(strokes, order="C", shape=(high, groups, c, wide, n))
    for i in range(kh):
        for j in range(kw):
            canvas[taps(i * dh, p, sh), :, :, taps(j * dw, q, sw)] += strokes[:, :, i, j]
    return as_images(canvas[top : top + h, :, :, left : left + w].reshape(h, groups * c, w, n))


def paint(sums, kernels, size, geometry):
    """Let every sum paint its kernel onto an empty image of `size` (h, w), as strongly as it is bright: -> images.

    What a pixel gets is a sum over the places whose kernels reach it, weighed by the taps that do: a convolution of
    the sums with the kernels turned round. With a stride, neighbours are reached by different taps, and there is a
    convolution for each set of them. That reads all channels of the sums for every tap; where the images have so few
    channels that less is painted than is read, as in the last layer of a decoder, see `paint_few`.
    """
    groups, share, inputs = kernels.shape
    (kh, kw), (sh, sw), (dh, dw), ((top, _), (left, _)), (p, q) = geometry
    (h, w), c = size, inputs // (kh * kw)
    if kh * kw > 1 and inputs <= share:
        return paint_few(sums, kernels, size, geometry)
    turned = np.transpose(kernels.reshape(groups, share, kh, kw, c), (0, 4, 2, 3, 1))  # from sums to channels
    ways = [(down, across) for down in painters(kh, sh, dh, top, h, p) for across in painters(kw, sw, dw, left, w, q)]
    parts = []
    for (rows, _, (spread_h, frame_h, count_h)), (columns, _, (spread_w, frame_w, count_w)) in ways:
        few = turned[:, :, rows, columns][:, :, ::-1, ::-1]
        lie = (few.shape[2:4], (1, 1), (spread_h, spread_w), (frame_h, frame_w), (count_h, count_w))
        parts.append(convolve(sums, few.reshape(groups, c, -1), None, lie))
    if (sh, sw) == (1, 1) and parts[0].shape[2:] == size:
        return parts[0]
    painted = np.zeros_like(sums, parts[0].dtype, order="C", shape=(h, groups * c, w, len(sums)))
    for ((_, down, _), (_, across, _)), part in zip(ways, parts):
        painted[down, :, across] = as_rows(part)
    return as_images(painted)


def collect(images, sums, kernels, geometry):
    """Multiply what each weight saw by the sums that it went into: -> an array like the kernels."""
    groups, share, _ = kernels.shape
    (p, q), n, rows = geometry[-1], len(images), as_rows(images)
    brightness = as_rows(sums).reshape(p, groups, share, q * n)
    met = 0
    for across in portions(rows, groups, geometry):
        columns = columns_of(rows, groups, geometry, across)
        part = brightness[..., across.start * n : across.stop * n]
        # with the columns on the left, since BLAS is faster with the longer axis first
        met = met + (columns @ np.swapaxes(part, -1, -2)).sum(axis=0)
    return np.swapaxes(met, -1, -2)

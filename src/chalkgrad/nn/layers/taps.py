"""Taps: how each pixel of a resampled axis is made of pixels of the old one.

Resampling is linear, and goes along one axis after another. For one axis, a table says it all: row i lists the few old
pixels that new pixel i is made of, and their weights. The transpose of that, which gradients take, is such a table too.
"""

import numpy as np

__all__ = ["anchor", "kernel", "pick", "reach_of", "smoothed", "taps_of", "transposed", "weighed"]


def reach_of(mode):
    """Say how far the kernel of a mode reaches to either side, in pixels."""
    return {"linear": 1, "cubic": 2, "lanczos": 3}[mode]


def kernel(mode, x, a):
    """How much a pixel counts at distance x, in a mode; `a` is the slope of the cubic at distance 1.

    Source: Keys 1981, eq. 4, for the cubic; Duchon 1979 for Lanczos' window of the sinc.

    >>> kernel("cubic", np.array([0.0, 0.5, 1.0, 1.5, 2.0]), a=-0.5)
    array([ 1.    ,  0.5625,  0.    , -0.0625,  0.    ])
    """
    x = np.abs(x)
    if mode == "linear":
        return np.maximum(1 - x, 0)
    if mode == "lanczos":
        return np.sinc(x) * np.sinc(x / 3) * (x < 3)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, far * (x < 2))


def anchor(size, count, scale, aligned):
    """Say how many old pixels one new pixel steps over.

    scale    how much larger the new axis was asked to be; None if only its size was
    aligned  the outermost pixels lie on each other, and not the borders of the images

    >>> anchor(4, 7, None, aligned=True), anchor(4, 8, None, aligned=False), anchor(5, 7, 1.5, aligned=False)
    (0.5, 0.5, 0.6666666666666666)
    """
    if aligned:
        return (size - 1) / (count - 1) if count > 1 else 0.0
    return 1 / scale if scale else size / count


def taps_of(size, count, mode, *, scale=None, aligned=False, antialias=False, dtype=None):
    """List for each of `count` new pixels the old ones, of `size`, and their weights: -> index (count, k), weight.

    The weight is None for a plain copy, k = 1. Which pixel is nearest is computed in `dtype`, as in PyTorch, since
    where two are, it tips the balance.

    >>> taps_of(2, 4, "nearest")
    (array([[0], [0], [1], [1]]), None)
    >>> index, weight = taps_of(2, 3, "linear", aligned=True)
    >>> index, weight
    (array([[0, 1], [0, 1], [1, 1]]), array([[1. , 0. ], [0.5, 0.5], [1. , 0. ]]))
    """
    step = anchor(size, count, scale, aligned)
    i = np.arange(count)
    if mode in ("nearest", "nearest-exact"):
        middle = 0.5 if mode == "nearest-exact" else 0.0
        place = np.floor((i + middle).astype(dtype) * np.asarray(step, dtype)).astype(np.intp)
        return np.minimum(place, size - 1)[:, None], None
    if size == count and (antialias or mode == "linear"):  # whatever the scale, as in PyTorch
        return i[:, None], None
    if antialias:
        return smoothed(size, count, mode, step)
    place = i * step if aligned else (i + 0.5) * step - 0.5
    place = np.maximum(place, 0) if mode == "linear" else place  # there is nothing to mix with before the first pixel
    left = np.minimum(np.floor(place).astype(np.intp), size - 1)
    reach = reach_of(mode)
    index = left[:, None] + np.arange(1 - reach, reach + 1)
    weight = kernel(mode, np.minimum(place - left, 1)[:, None] - np.arange(1 - reach, reach + 1), -0.75)
    return np.clip(index, 0, size - 1), weight


def smoothed(size, count, mode, step):
    """List all old pixels that a kernel of the width of a new pixel reaches: what is finer than that is averaged out.

    >>> index, weight = smoothed(4, 2, "linear", 2.0)
    >>> weight.round(3)
    array([[0.429, 0.429, 0.143],
           [0.143, 0.429, 0.429]])
    """
    wide = max(step, 1.0)
    reach = reach_of(mode) * wide
    center = step * (np.arange(count) + 0.5)
    first = np.maximum((center - reach + 0.5).astype(np.intp), 0)
    end = np.minimum((center + reach + 0.5).astype(np.intp), size)
    index = first[:, None] + np.arange(max(int((end - first).max()), 1))
    weight = kernel(mode, (index - center[:, None] + 0.5) / wide, -0.5) * (index < end[:, None])
    return np.minimum(index, size - 1), weight / weight.sum(axis=1, keepdims=True)


def transposed(index, weight, size):
    """List for each of `size` old pixels the new ones that it went into, and with which weight.

    Where fewer went into one pixel than into another, its first is listed again, with weight 0.

    >>> transposed(*taps_of(2, 3, "nearest"), 2)
    (array([[0, 1], [2, 2]]), array([[1., 1.], [1., 0.]]))
    """
    count, k = index.shape
    old = index.reshape(-1)
    order = np.argsort(old, kind="stable")
    uses = np.bincount(old, minlength=size)
    nth = np.arange(count * k) - np.repeat(np.cumsum(uses) - uses, uses)  # of the uses of the same pixel
    back = np.zeros((size, max(int(uses.max()), 1)), np.intp)
    share = np.zeros(back.shape)
    back[old[order], 0] = order // k
    back[:] = back[:, :1]
    back[old[order], nth] = order // k
    share[old[order], nth] = 1.0 if weight is None else weight.reshape(-1)[order]
    return back, share


def pick(x, places, axis):
    """Take pixels along an axis that is counted from the end; np.take is up to three times as fast as an index."""
    if isinstance(x, np.ndarray):
        return np.take(x, places, axis=axis)
    return x[(..., places, *[slice(None)] * (-1 - axis))]


def weighed(x, index, weight, axis):
    """Make new pixels along an axis: y[i] = Σₖ weight[i, k] · x[index[i, k]].

    >>> weighed(np.array([10.0, 20.0]), *taps_of(2, 3, "linear", aligned=True), -1)
    array([10., 15., 20.])
    """
    y = pick(x, index[:, 0], axis)
    if weight is None:
        return y
    weight = weight.astype(x.dtype).reshape(len(weight), -1, *[1] * (-1 - axis))
    y = y * weight[:, 0]
    for k in range(1, index.shape[1]):
        y += pick(x, index[:, k], axis) * weight[:, k]
    return y

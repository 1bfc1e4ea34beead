"""Channels: sums over everything but the channels of images, and numbers that meet each channel.

Like the rules that call them, these helpers take arrays and Tensors, and travel into spelled programs. For arrays they
know what NumPy is fast at.
"""

import numpy as np

__all__ = ["channel_sums", "for_each"]


def channel_sums(a, b=None):
    """Add up a, or the products a · b, in each channel: (n, c, ...) -> (c).

    np.einsum reads each number once, in whatever order they lie in memory, and writes no products: a third of the time
    of a.sum(...), and half of that of (a * b).sum(...), which is what Tensors take.
    """
    axes = [*range(a.ndim)]
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray | None):
        return (a if b is None else a * b).sum(axis=(0, *axes[2:]))
    return np.einsum(a, axes, [1]) if b is None else np.einsum(a, axes, b, axes, [1])


def for_each(channels, x):
    """Shape numbers of channels (c) so that they meet x (n, c, ...).

    For arrays they are written out for all that lies in one step along the outermost axis of the memory of x: NumPy
    is twice as fast with whole runs of numbers as with one number repeated.
    """
    row = channels.reshape(1, -1, *[1] * (x.ndim - 2))
    if not isinstance(x, np.ndarray) or not isinstance(channels, np.ndarray) or 0 in x.shape:
        return row
    outermost = int(np.argmax(x.strides))
    if outermost == 1 or x.shape[outermost] < 4:
        return row
    full = np.empty_like(x[(slice(None),) * outermost + (slice(1),)])
    full[...] = row
    return full

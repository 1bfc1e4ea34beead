"""Pooling: what all poolings ask of their images and options, and the frame within which their windows lie.

Like the rules that call them, these helpers take arrays and Tensors, and travel into spelled programs.
"""

import functools
import inspect

from ...law.errors import ShapeError
from .geometry import per_axis

__all__ = ["Sizes", "check_images", "pool_frame", "share_nothing", "window_sizes", "with_indices"]

Sizes = int | tuple[int, ...]  # one number for all axes, or one for each


def check_images(name, shape, axes, filled):
    """Raise ShapeError unless a shape is that of channels with so many axes, or of a batch of them, and holds pixels.

    filled  how many of the last axes may not be empty

    >>> check_images("max_pool2d", (0, 3, 28, 28), axes=2, filled=3)  # there may be no example
    """
    if len(shape) not in (axes + 1, axes + 2) or 0 in shape[-filled:]:
        one = ", ".join(("c", *("d", "h", "w")[-axes:]))
        raise ShapeError(f"{name} takes ({one}) or a batch (n, {one}), with pixels in it, but {tuple(shape)} came.")


def window_sizes(axes, kernel_size, stride=None, padding=0, dilation=1):
    """Read the sizes of windows, each with one number for each axis: kernel, stride, padding, dilation.

    >>> window_sizes(2, 2, None, 0, (1, 2))
    ((2, 2), (2, 2), (0, 0), (1, 2))
    """
    kernel = per_axis(kernel_size, "kernel_size", axes)
    step   = kernel if stride in (None, (), []) else per_axis(stride, "stride", axes)  # PyTorch takes an empty one too
    border = per_axis(padding, "padding", axes, least=0)
    if any(2 * b > k for b, k in zip(border, kernel)):
        raise ValueError(f"padding={padding} is more than half of the kernel {kernel}, which would see nothing else.")
    return kernel, step, border, per_axis(dilation, "dilation", axes)


def pool_frame(shape, kernel, stride, padding, dilation, ceil_mode):
    """Return the frame, a pair (before, after) for each axis, within which all windows lie.

    >>> pool_frame((6, 7), (2, 2), (2, 2), (0, 0), (1, 1), ceil_mode=True)  # a fourth window across hangs out by one
    ((0, 0), (0, 1))
    """
    frame = []
    for size, k, step, border, d in zip(shape[-len(kernel):], kernel, stride, padding, dilation):
        room = size + 2 * border - (k - 1) * d - 1  # how far the first window can move
        left_over = room % step
        start = room - left_over + step  # of a window that hangs out; PyTorch wants it to start before the far padding
        hangs_out = ceil_mode and left_over and start < size + border
        frame.append((border, border + step - left_over if hangs_out else border))
    return tuple(frame)


def share_nothing(kernel, stride, dilation):
    """Tell whether every pixel lies in one window at most."""
    return all((k - 1) * d < step for k, step, d in zip(kernel, stride, dilation))


def with_indices(pool):
    """Make of a pooling what PyTorch calls <name>_with_indices: it returns a pair, whatever `return_indices` says."""
    @functools.wraps(pool)
    def both(*given, **named):
        bound = inspect.signature(pool).bind(*given, **named)
        bound.arguments["return_indices"] = True
        return pool(*bound.args, **bound.kwargs)

    both.__name__ = both.__qualname__ = f"{pool.__name__}_with_indices"
    return both

"""Geometry: how the kernels of a convolution lie on rows, images or volumes, along any number of axes.

A geometry is five tuples, with one entry an axis:

    kernel    how many numbers a kernel is long
    stride    steps between two places of the kernel
    dilation  steps between two neighbours in the kernel
    frame     zeros before and behind: pairs
    places    how many places the kernel has

Like the rules that call them, these helpers travel into spelled programs, so they are untyped.
"""

import numpy as np

from .windows import output_size

__all__ = ["canvas", "check_bias", "check_kernels", "frame_of", "geometry_of", "per_axis", "upright"]


def per_axis(value, name, axes, least=1):
    """Read an option that is one number for all axes, or one for each.

    >>> per_axis(3, "stride", 2), per_axis((1, 2), "stride", 2)
    ((3, 3), (1, 2))
    """
    each = tuple(value) if isinstance(value, tuple | list) else (value,)
    each = each * axes if len(each) == 1 else each
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in each)
    if len(each) != axes or not whole or min(each) < least:
        more = f", or ({', '.join(('depth', 'height', 'width')[-axes:])})" if axes > 1 else ""
        raise ValueError(f"{name} is a whole number from {least} up{more}, but {value!r} came.")
    return each


def frame_of(padding, kernel, stride, dilation):
    """Turn PyTorch's `padding` into a frame of zeros; the others have one number an axis.

    >>> frame_of("same", kernel=(3, 4), stride=(1, 1), dilation=(1, 1))
    ((1, 1), (1, 2))
    """
    if padding == "same":
        if max(stride) > 1:
            raise ValueError(f"padding='same' keeps the size, which stride={stride} would not; give padding in pixels.")
        spans = [(k - 1) * d for k, d in zip(kernel, dilation)]
        return tuple([(span // 2, span - span // 2) for span in spans])
    if isinstance(padding, str) and padding != "valid":
        raise ValueError(f"padding is 'same', 'valid', a number, or one for each axis, but {padding!r} came.")
    each = per_axis(0 if padding == "valid" else padding, "padding", len(kernel), least=0)
    return tuple([(n, n) for n in each])


def check_bias(shape, channels):
    """Raise ValueError unless there is no bias, or a number for each channel that comes out."""
    if shape not in (None, (channels,)):
        raise ValueError(f"bias has shape {tuple(shape)}, but {channels} channels come out; it is ({channels},).")


def check_kernels(shape, weight_shape):
    """Raise ValueError unless there are kernels, with as many axes as an example (channels, sizes ...) has."""
    if not len(weight_shape) - 1 == len(shape) > 1:
        raise ValueError(f"weight of shape {tuple(weight_shape)} does not go with an example of shape {tuple(shape)}: "
                         "that has an axis of channels, and then as many axes as a kernel.")
    if 0 in weight_shape:
        raise ValueError(f"weight of shape {tuple(weight_shape)} holds no numbers.")


def geometry_of(shape, weight_shape, stride, padding, dilation, groups, bias_shape=None):
    """Settle how kernels lie on an example of shape (channels, sizes ...).

    >>> geometry_of((1, 28, 28), (8, 1, 3, 3), stride=2, padding=1, dilation=1, groups=1)
    ((3, 3), (2, 2), (1, 1), ((1, 1), (1, 1)), (14, 14))
    """
    check_kernels(shape, weight_shape)
    o, seen, *kernel = weight_shape
    check_bias(bias_shape, o)
    if o % per_axis(groups, "groups", 1)[0]:
        raise ValueError(f"groups={groups} does not divide the {o} kernels of weight.")
    if shape[0] != seen * groups:
        split = f" in each of {groups} groups" if groups > 1 else ""
        raise ValueError(f"x has {shape[0]} channels, but the kernels of weight see {seen}{split}.")
    step, spread = per_axis(stride, "stride", len(kernel)), per_axis(dilation, "dilation", len(kernel))
    frame = frame_of(padding, kernel, step, spread)
    sizes = [size + sum(both) for size, both in zip(shape[1:], frame)]
    return tuple(kernel), step, spread, frame, output_size(sizes, kernel, step, spread)


def canvas(shape, weight_shape, stride, padding, output_padding, groups, dilation, bias_shape=None):
    """Settle the geometry of a transposed convolution of x (channels, sizes ...), and the sizes of y.

    The geometry is that of the convolution which goes the other way, from y to x.

    >>> canvas((8, 3, 4), (8, 1, 3, 3), stride=2, padding=1, output_padding=(1, 0), groups=1, dilation=1)
    (((3, 3), (2, 2), (1, 1), ((1, 1), (1, 1)), (3, 4)), (6, 7))
    """
    check_kernels(shape, weight_shape)
    (c, *places), (rows, _, *kernel) = shape, weight_shape
    if c != rows:
        raise ValueError(f"x has {c} channels, but weight has kernels for {rows}.")
    if c % per_axis(groups, "groups", 1)[0]:
        raise ValueError(f"groups={groups} does not divide the {c} channels of x.")
    check_bias(bias_shape, weight_shape[1] * groups)
    step, spread = per_axis(stride, "stride", len(kernel)), per_axis(dilation, "dilation", len(kernel))
    off = per_axis(padding, "padding", len(kernel), least=0)
    more = per_axis(output_padding, "output_padding", len(kernel), least=0)
    if any(m >= max(s, d) for m, s, d in zip(more, step, spread)):
        raise ValueError(f"output_padding={more} is not below stride={step} or dilation={spread}.")
    painted = [(n - 1) * s + (k - 1) * d + 1 for n, k, s, d in zip(places, kernel, step, spread)]
    size = tuple([length + m - 2 * n for length, m, n in zip(painted, more, off)])
    if 0 in places or min(size) < 1:
        raise ValueError(f"padding={off} takes all off: the kernels paint {' x '.join(map(str, painted))} pixels.")
    return (tuple(kernel), step, spread, tuple([(n, n) for n in off]), tuple(places)), size


def upright(geometry):
    """Look at a geometry along one axis as that of images of height 1.

    >>> upright(((5,), (1,), (2,), ((4, 4),), (30,)))
    ((1, 5), (1, 1), (1, 2), ((0, 0), (4, 4)), (1, 30))
    """
    kernel, stride, dilation, frame, places = geometry
    return (1, *kernel), (1, *stride), (1, *dilation), ((0, 0), *frame), (1, *places)

"""A step of lenet_adam."""

import functools
import math

import numpy as np


def as_kernels(weight, groups):
    """Write each kernel into a row: (o, c/groups, kh, kw) -> (groups, o/groups, kh · kw · c/groups).

    Channels last, since what all of them see from one offset of the kernel lies side by side in an image.
    """
    o, seen, kh, kw = weight.shape
    return np.moveaxis(weight, 1, -1).reshape(groups, o // groups, kh * kw * seen)


def as_rows(images):
    """Look at images (n, c, h, w) as rows (h, c, w, n). They are copied unless each row lies in one piece."""
    n, c, h, w = images.shape
    return np.transpose(images, (2, 1, 3, 0)).reshape(h, c, w * n).reshape(h, c, w, n)


def aligned(x, dtype, shape):
    """Make an empty array like x that starts at a multiple of 64 bytes, as BLAS reads and writes it fastest."""
    if not isinstance(x, np.ndarray):
        return np.empty_like(x, dtype, order="C", shape=shape)
    size, dtype = math.prod(shape), np.dtype(dtype)
    raw = np.empty(size * dtype.itemsize + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size * dtype.itemsize].view(dtype).reshape(shape)


def portions(rows, groups, geometry):
    """Cut the places across into slices of so few that `side_by_side` writes two million numbers for each, or fewer."""
    (kh, kw), (sh, _), (dh, _), _, (p, q) = geometry
    _, c, _, n = rows.shape
    high = (kh - 1) * dh + (p - 1) * sh + 1
    count = -(-high * kw * c * n * q // 2**21)
    some = max(-(-q // max(count, 1)), 1)
    return [slice(i, min(i + some, q)) for i in range(0, q, some)]


def taps(offset, count, stride):
    """Name the pixels that one offset of the kernel sees along an axis, from all of its `count` places."""
    return slice(offset, offset + (count - 1) * stride + 1, stride)


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


def roomy(x, shape):
    """Make an empty array (..., q, n) like x whose lines of q · n numbers lie an odd number of 128 bytes apart.

    At a power of two they would compete for the same few places of the cache, and products with few kernels would
    take up to 1.6 times as long.
    """
    if not isinstance(x, np.ndarray):
        return np.empty_like(x, order="C", shape=shape)
    *lead, q, n = shape
    step = max(128 // x.dtype.itemsize, 1)
    room = (-(-q * n // step) // 2 * 2 + 1) * step
    return aligned(x, x.dtype, (*lead, room))[..., : q * n].reshape(shape)


def reach(offset, count, stride, size):
    """Say from which to which of its `count` places, i · stride + offset, a tap of a kernel sees one of `size` pixels.
    """
    first = min(max(-(offset // stride), 0), count)
    return first, max(min((size - 1 - offset) // stride + 1, count), first)


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


def as_images(rows):
    """Look at rows (h, c, w, n) as images (n, c, h, w)."""
    return np.transpose(rows, (3, 1, 0, 2))


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


def pool_frame(shape, kernel, stride, padding, dilation, ceil_mode):
    """Return the frame, a pair (before, after) for each axis, within which all windows lie."""
    frame = []
    for size, k, step, border, d in zip(shape[-len(kernel):], kernel, stride, padding, dilation):
        room = size + 2 * border - (k - 1) * d - 1  # how far the first window can move
        left_over = room % step
        start = room - left_over + step  # of a window that hangs out; PyTorch wants it to start before the far padding
        hangs_out = ceil_mode and left_over and start < size + border
        frame.append((border, border + step - left_over if hangs_out else border))
    return tuple(frame)


def pad(x, frame, value=0.0):
    """Put a frame of one value around images, a pair (before, after) for each axis; without one, return x itself."""
    if not any(map(any, frame)):
        return x
    sizes  = x.shape[-len(frame):]
    larger = [before + size + after for (before, after), size in zip(frame, sizes)]
    framed = np.full_like(x, value, shape=(*x.shape[:-len(frame)], *larger))
    inside = [slice(before, before + size) for (before, _), size in zip(frame, sizes)]
    framed[(slice(None),) * (x.ndim - len(frame)) + tuple(inside)] = x
    return framed


def output_size(shape, kernel, stride, dilation):
    """Count the places of a kernel along the last axes: it steps by `stride` and never leaves the image."""
    sizes = shape[-len(kernel):]
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    if any(span > size for span, size in zip(spans, sizes)):
        raise ValueError(
            f"the kernel spans {' x '.join(map(str, spans))} pixels, but the image has {' x '.join(map(str, sizes))} "
            "with its padding; pad more, or take a smaller kernel."
        )
    return tuple([(size - span) // step + 1 for size, span, step in zip(sizes, spans, stride)])


@functools.lru_cache
def places(shape, kernel, stride, dilation):
    """List for each offset of the kernel, in reading order, the index of the pixels that it sees from all places."""
    counts = output_size(shape, kernel, stride, dilation)
    return tuple([
        (..., *[taps(i * d, count, step) for i, d, count, step in zip(offset, dilation, counts, stride)])
        for offset in np.ndindex(*kernel)
    ])


def crop(framed, frame):
    """Take the frame off again: the transpose of `pad`."""
    if not any(map(any, frame)):
        return framed
    sizes = framed.shape[-len(frame):]
    return framed[(..., *[slice(before, size - after) for (before, after), size in zip(frame, sizes)])]


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


def painters(count, stride, dilation, before, size, places):
    """Split one axis of painting into convolutions: every `stride`-th pixel is painted by the same few taps.

    count    of the taps of the kernel; tap t of place i paints pixel i · stride + t · dilation - before
    size     of the axis of the image

    Lists for each set of taps that paint together: the slice of taps, the slice of pixels, and how a kernel of these
    taps, turned round, lies on the sums: its dilation, its frame, and its places.
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


def as_weight(kernels, shape):
    """Write rows back into kernels of shape (o, c/groups, kh, kw): the transpose of `as_kernels`."""
    o, seen, kh, kw = shape
    return np.moveaxis(kernels.reshape(o, kh, kw, seen), -1, 1)


def channel_sums(a, b=None):
    """Add up a, or the products a · b, in each channel: (n, c, ...) -> (c).

    np.einsum reads each number once, in whatever order they lie in memory, and writes no products: a third of the time
    of a.sum(...), and half of that of (a * b).sum(...), which is what Tensors take.
    """
    axes = [*range(a.ndim)]
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray | None):
        return (a if b is None else a * b).sum(axis=(0, *axes[2:]))
    return np.einsum(a, axes, [1]) if b is None else np.einsum(a, axes, b, axes, [1])


def adam(param, grad, m, v, t, *, lr):
    """Follow the mean gradient m̂, measured in units of its root mean square √v̂: θ ← θ - lr · m̂ / (√v̂ + ε).

    m, v  running means of g and of g², zeros at first
    t     the number of steps, an array without axes

    Source: Kingma & Ba 2015, Algorithm 1. Weight decay adds the gradient of ½ weight_decay · |θ|² to g. As in PyTorch,
    √v̂ is computed as √v / √(1 - β₂ᵗ), which differs by rounding alone.
    """
    t += 1
    m *= 0.9
    m += (1 - 0.9) * grad
    v *= 0.999
    v += (1 - 0.999) * grad * grad
    # m and v started at zero; after t steps they are too small by these factors
    correction1 = 1 - 0.9 ** float(t)
    correction2 = 1 - 0.999 ** float(t)
    size = np.sqrt(v)
    size /= math.sqrt(correction2)
    size += 1e-08
    param -= lr / correction1 * m / size


def step(params, state, x, target, *, lr=0.001):
    """One step: change the arrays in params and state in place, and return the loss."""
    if x.shape != (4, 1, 28, 28) or x.dtype != "float32":
        raise ValueError(f"This step was spelled for x (4, 1, 28, 28) float32, but {x.shape} {x.dtype} came.")
    if target.shape != (4,) or target.dtype != "int64":
        raise ValueError(f"This step was spelled for target (4,) int64, but {target.shape} {target.dtype} came.")
    if target.min() < 0 or target.max() >= 10:
        raise ValueError("This step was spelled for target from 0 to 9; others came.")

    conv1_weight = params["conv1.weight"]  # (6, 1, 5, 5)
    conv1_bias   = params["conv1.bias"]    # (6,)
    conv2_weight = params["conv2.weight"]  # (16, 6, 5, 5)
    conv2_bias   = params["conv2.bias"]    # (16,)
    fc1_weight   = params["fc1.weight"]    # (120, 400)
    fc1_bias     = params["fc1.bias"]      # (120,)
    fc2_weight   = params["fc2.weight"]    # (84, 120)
    fc2_bias     = params["fc2.bias"]      # (84,)
    fc3_weight   = params["fc3.weight"]    # (10, 84)
    fc3_bias     = params["fc3.bias"]      # (10,)

    # ---- forward -----------------------------------------------------------------------------------------------------

    # conv1: Weigh what a kernel sees everywhere: y[o, p, q] = Σ_cij weight[o, c, i, j] x[c, p + i, q + j] + b[o].
    conv1_shape = x.shape
    # Settle how kernels lie on an example of shape (channels, sizes ...).
    conv1_geometry = ((5, 5), (1, 1), (1, 1), ((2, 2), (2, 2)), (28, 28))
    conv1_images = x.reshape(math.prod(conv1_shape[:-3]), *conv1_shape[-3:])        # (4, 1, 28, 28)
    conv1_kernels = as_kernels(conv1_weight, 1)                                     # (1, 6, 25)
    conv1_sums = convolve(conv1_images, conv1_kernels, conv1_bias, conv1_geometry)  # (4, 6, 28, 28)
    conv1 = conv1_sums.reshape(*conv1_shape[:-3], *conv1_sums.shape[1:])            # (4, 6, 28, 28)

    # tanh1: Squash to between -1 and 1: y = (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ).
    tanh1 = np.tanh(conv1)  # (4, 6, 28, 28)

    # pool1: Average every window: y[p, q] = (1/n) Σ_ij x[p·s + i, q·s + j].
    pool1_frame = pool_frame(tanh1.shape, (2, 2), (2, 2), (0, 0), (1, 1), False)
    pool1_framed = pad(tanh1, pool1_frame)      # (4, 6, 28, 28)
    pool1_shape = pool1_framed.shape
    pool1_spots = places(pool1_shape, (2, 2), (2, 2), (1, 1))
    # Count the pixels that each average is taken of: those in the image and in the `counted` part of its frame.
    pool1_n = 4
    pool1_total = pool1_framed[pool1_spots[0]]  # (4, 6, 14, 14)
    for pool1_spot in pool1_spots[1:]:
        pool1_total = pool1_total + pool1_framed[pool1_spot]
    pool1 = pool1_total / pool1_n               # (4, 6, 14, 14)

    # conv2
    conv2_shape = pool1.shape
    conv2_geometry = ((5, 5), (1, 1), (1, 1), ((0, 0), (0, 0)), (10, 10))
    conv2_images = pool1.reshape(math.prod(conv2_shape[:-3]), *conv2_shape[-3:])    # (4, 6, 14, 14)
    conv2_kernels = as_kernels(conv2_weight, 1)                                     # (1, 16, 150)
    conv2_sums = convolve(conv2_images, conv2_kernels, conv2_bias, conv2_geometry)  # (4, 16, 10, 10)
    conv2 = conv2_sums.reshape(*conv2_shape[:-3], *conv2_sums.shape[1:])            # (4, 16, 10, 10)

    tanh2 = np.tanh(conv2)  # (4, 16, 10, 10)

    # pool2
    pool2_frame = pool_frame(tanh2.shape, (2, 2), (2, 2), (0, 0), (1, 1), False)
    pool2_framed = pad(tanh2, pool2_frame)      # (4, 16, 10, 10)
    pool2_shape = pool2_framed.shape
    pool2_spots = places(pool2_shape, (2, 2), (2, 2), (1, 1))
    pool2_n = 4
    pool2_total = pool2_framed[pool2_spots[0]]  # (4, 16, 5, 5)
    for pool2_spot in pool2_spots[1:]:
        pool2_total = pool2_total + pool2_framed[pool2_spot]
    pool2 = pool2_total / pool2_n               # (4, 16, 5, 5)

    # flatten: The same elements, in the same order, in another shape.
    flatten_old = pool2.shape
    flatten = pool2.reshape((4, 400))  # (4, 400)

    # fc1: Weigh the inputs and add the bias: y = x Wᵀ + b.
    fc1 = flatten @ fc1_weight.T  # (4, 120)
    fc1 = fc1 + fc1_bias          # (4, 120)

    tanh3 = np.tanh(fc1)  # (4, 120)

    # fc2
    fc2 = tanh3 @ fc2_weight.T  # (4, 84)
    fc2 = fc2 + fc2_bias        # (4, 84)

    tanh4 = np.tanh(fc2)  # (4, 84)

    # fc3
    fc3 = tanh4 @ fc3_weight.T  # (4, 10)
    fc3 = fc3 + fc3_bias        # (4, 10)

    # loss: Average over a batch what the true class was given: loss = -(1/n) Σᵢ log pᵢ[tᵢ] with p = softmax(logits).
    # only differences between logits count; with the largest of a row at 0, exp cannot overflow
    loss_z = fc3 - fc3.max(axis=1, keepdims=True)                            # (4, 10)
    loss_log_p = loss_z - np.log(np.exp(loss_z).sum(axis=1, keepdims=True))  # (4, 10)
    loss_rows = np.arange(len(target))                                       # (4,)
    loss = -loss_log_p[loss_rows, target].mean()                             # ()

    # ---- backward ----------------------------------------------------------------------------------------------------

    # ∂loss / ∂loss
    grad_loss = np.ones_like(loss)  # ()

    # loss
    #     1. loss = -(1/n) Σᵢ log pᵢ[tᵢ], and log pᵢ[j] = zᵢ[j] - log Σₘ exp zᵢ[m]
    #     2. ∂ log pᵢ[t] / ∂zᵢ[j] = 1{j=t} - pᵢ[j]: the log-sum-exp differentiates to the softmax
    #     3. ∂ loss / ∂zᵢ[j] = (pᵢ[j] - 1{j=tᵢ}) / n: what was given, less what was true
    loss_share = grad_loss / len(loss_rows)     # ()
    grad_fc3 = loss_share * np.exp(loss_log_p)  # (4, 10)
    grad_fc3[loss_rows, target] -= loss_share

    # fc3
    #     1. y_no = Σ_i x_ni w_oi + b_o
    #     2. ∂loss/∂x_ni = Σ_o g_no w_oi: each input hears from every output, as loudly as it is weighed there
    #     3. ∂loss/∂w_oi = Σ_n g_no x_ni: a weight matters where its input was large and its output is wanted otherwise
    #     4. ∂loss/∂b_o = Σ_n g_no; this sum is the engine's, since b was repeated for every row
    grad_tanh4 = grad_fc3 @ fc3_weight    # (4, 84)
    grad_fc3_weight = grad_fc3.T @ tanh4  # (10, 84)
    grad_fc3_bias = grad_fc3.sum(axis=0)  # (10,)

    # tanh4
    #     1. y = sinh x / cosh x, and each of these two is the other's derivative
    #     2. ∂y/∂x = (cosh² x - sinh² x) / cosh² x = 1 - y²
    grad_fc2 = grad_tanh4 * (1 - tanh4 * tanh4)  # (4, 84)

    # fc2
    grad_tanh3 = grad_fc2 @ fc2_weight    # (4, 120)
    grad_fc2_weight = grad_fc2.T @ tanh3  # (84, 120)
    grad_fc2_bias = grad_fc2.sum(axis=0)  # (84,)

    # tanh3
    grad_fc1 = grad_tanh3 * (1 - tanh3 * tanh3)  # (4, 120)

    # fc1
    grad_flatten = grad_fc1 @ fc1_weight    # (4, 400)
    grad_fc1_weight = grad_fc1.T @ flatten  # (120, 400)
    grad_fc1_bias = grad_fc1.sum(axis=0)    # (120,)

    # flatten: Nothing was computed, so the gradient only takes its old shape again.
    grad_pool2 = grad_flatten.reshape(flatten_old)  # (4, 16, 5, 5)

    # pool2
    #     1. y = (1/n) Σ x, so every pixel of the window has the part 1/n in y, and gets that part of the gradient
    #     2. a pixel in several windows gets the gradients of all of them; one in the frame is a constant zero and needs
    #        none
    pool2_share = grad_pool2 / pool2_n                                # (4, 16, 5, 5)
    grad_pool2_framed = np.zeros_like(grad_pool2, shape=pool2_shape)  # (4, 16, 10, 10)
    for pool2_spot in pool2_spots:
        # there is nothing to add to, and storing is twice as fast
        grad_pool2_framed[pool2_spot] = pool2_share
    grad_tanh2 = crop(grad_pool2_framed, pool2_frame)                 # (4, 16, 10, 10)

    # tanh2
    grad_conv2 = grad_tanh2 * (1 - tanh2 * tanh2)  # (4, 16, 10, 10)

    # conv2
    #     1. what each place t sees is written into a column, X_kt, so that y_ot = Σ_k W_ok X_kt + b_o: a linear layer
    #     2. ∂loss/∂W_ok = Σ_t g_ot X_kt: a weight is shared by all places, so it collects from all
    #     3. ∂loss/∂X_kt = Σ_o W_ok g_ot, and a pixel was copied into the column of every place that saw it, so it gets
    #        the sum over its copies: every g_ot paints its kernel onto the image
    #     4. ∂loss/∂b_o = Σ_t g_ot
    grad_conv2_sums = grad_conv2.reshape(-1, *grad_conv2.shape[-3:])       # (4, 16, 10, 10)
    grad_conv2_kernels = collect(conv2_images, grad_conv2_sums, conv2_kernels, conv2_geometry)  # (1, 16, 150)
    grad_conv2_images = paint(grad_conv2_sums, conv2_kernels, pool1.shape[-2:], conv2_geometry)  # (4, 6, 14, 14)
    grad_conv2_weight = as_weight(grad_conv2_kernels, conv2_weight.shape)  # (16, 6, 5, 5)
    grad_pool1 = grad_conv2_images.reshape(pool1.shape)                    # (4, 6, 14, 14)
    grad_conv2_bias = channel_sums(grad_conv2_sums)                        # (16,)

    # pool1
    pool1_share = grad_pool1 / pool1_n                                # (4, 6, 14, 14)
    grad_pool1_framed = np.zeros_like(grad_pool1, shape=pool1_shape)  # (4, 6, 28, 28)
    for pool1_spot in pool1_spots:
        grad_pool1_framed[pool1_spot] = pool1_share
    grad_tanh1 = crop(grad_pool1_framed, pool1_frame)                 # (4, 6, 28, 28)

    # tanh1
    grad_conv1 = grad_tanh1 * (1 - tanh1 * tanh1)  # (4, 6, 28, 28)

    # conv1
    grad_conv1_sums = grad_conv1.reshape(-1, *grad_conv1.shape[-3:])       # (4, 6, 28, 28)
    grad_conv1_kernels = collect(conv1_images, grad_conv1_sums, conv1_kernels, conv1_geometry)  # (1, 6, 25)
    grad_conv1_weight = as_weight(grad_conv1_kernels, conv1_weight.shape)  # (6, 1, 5, 5)
    grad_conv1_bias = channel_sums(grad_conv1_sums)                        # (6,)

    # ---- update ------------------------------------------------------------------------------------------------------

    gradients = {
        "conv1.weight": grad_conv1_weight,
        "conv1.bias":   grad_conv1_bias,
        "conv2.weight": grad_conv2_weight,
        "conv2.bias":   grad_conv2_bias,
        "fc1.weight":   grad_fc1_weight,
        "fc1.bias":     grad_fc1_bias,
        "fc2.weight":   grad_fc2_weight,
        "fc2.bias":     grad_fc2_bias,
        "fc3.weight":   grad_fc3_weight,
        "fc3.bias":     grad_fc3_bias,
    }
    for name, grad in gradients.items():
        adam(params[name], grad, state[name + ".exp_avg"], state[name + ".exp_avg_sq"], state[name + ".step"], lr=lr)

    return loss

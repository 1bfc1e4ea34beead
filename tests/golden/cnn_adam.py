"""A step of cnn_adam."""

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


def channel_sums(a, b=None):
    """Add up a, or the products a · b, in each channel: (n, c, ...) -> (c).

    np.einsum reads each number once, in whatever order they lie in memory, and writes no products: a third of the time
    of a.sum(...), and half of that of (a * b).sum(...), which is what Tensors take.
    """
    axes = [*range(a.ndim)]
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray | None):
        return (a if b is None else a * b).sum(axis=(0, *axes[2:]))
    return np.einsum(a, axes, [1]) if b is None else np.einsum(a, axes, b, axes, [1])


def count_batch(batches):
    """Count one more batch."""
    batches += 1


def track(running, batch):
    """Let a running average forget a share of its past, and take in as much of the batch."""
    running += 0.1 * (batch - running)


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


def lowest(dtype):
    """Return what is below all numbers of a dtype, or the least of its whole numbers."""
    if dtype.kind == "b":
        raise TypeError("true and false are not pooled; x.float() makes numbers of them.")
    return -math.inf if dtype.kind == "f" else np.iinfo(dtype).min


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


def keep_mask(generator, shape, p):
    """Draw which elements stay: each with probability 1 - p, independently of the others."""
    return generator.random(shape, np.float32) >= p


def room_for(framed, y, pixels, apart):
    """Make an array for the gradients of images; it need not be cleared where windows of so many pixels tile them."""
    return np.empty_like(framed) if apart and y.size * pixels == framed.size else np.zeros_like(framed)


def in_rows(x):
    """Let images lie in memory as rows, so that whatever meets them does not read across; others stay as they are."""
    if x.ndim != 4:
        return x
    n, c, h, w = x.shape
    return as_images(np.transpose(x, (2, 1, 3, 0)).reshape(-1).reshape(h, c, w, n))


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


def as_weight(kernels, shape):
    """Write rows back into kernels of shape (o, c/groups, kh, kw): the transpose of `as_kernels`."""
    o, seen, kh, kw = shape
    return np.moveaxis(kernels.reshape(o, kh, kw, seen), -1, 1)


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


def step(params, state, x, target, *, lr=0.01, rng):
    """One step: change the arrays in params and state in place, and return the loss."""
    if x.shape != (8, 1, 8, 8) or x.dtype != "float32":
        raise ValueError(f"This step was spelled for x (8, 1, 8, 8) float32, but {x.shape} {x.dtype} came.")
    if target.shape != (8,) or target.dtype != "int64":
        raise ValueError(f"This step was spelled for target (8,) int64, but {target.shape} {target.dtype} came.")
    if target.min() < 0 or target.max() >= 3:
        raise ValueError("This step was spelled for target from 0 to 2; others came.")

    conv1_weight              = params["conv1.weight"]              # (4, 1, 3, 3)
    conv1_bias                = params["conv1.bias"]                # (4,)
    norm1_weight              = params["norm1.weight"]              # (4,)
    norm1_bias                = params["norm1.bias"]                # (4,)
    fc_weight                 = params["fc.weight"]                 # (3, 64)
    fc_bias                   = params["fc.bias"]                   # (3,)
    norm1_running_mean        = state["norm1.running_mean"]         # (4,)
    norm1_running_var         = state["norm1.running_var"]          # (4,)
    norm1_num_batches_tracked = state["norm1.num_batches_tracked"]  # ()

    # ---- forward -----------------------------------------------------------------------------------------------------

    # conv1: Weigh what a kernel sees everywhere: y[o, p, q] = Σ_cij weight[o, c, i, j] x[c, p + i, q + j] + b[o].
    conv1_shape = x.shape
    # Settle how kernels lie on an example of shape (channels, sizes ...).
    conv1_geometry = ((3, 3), (1, 1), (1, 1), ((1, 1), (1, 1)), (8, 8))
    conv1_images = x.reshape(math.prod(conv1_shape[:-3]), *conv1_shape[-3:])        # (8, 1, 8, 8)
    conv1_kernels = as_kernels(conv1_weight, 1)                                     # (1, 4, 9)
    conv1_sums = convolve(conv1_images, conv1_kernels, conv1_bias, conv1_geometry)  # (8, 4, 8, 8)
    conv1 = conv1_sums.reshape(*conv1_shape[:-3], *conv1_sums.shape[1:])            # (8, 4, 8, 8)

    # norm1: Give every channel mean 0 and variance 1 over the batch: y = weight · (x - mean) / √(variance + eps) +
    # bias.
    norm1_m = max(conv1.size // conv1.shape[1], 1)
    norm1_mean = channel_sums(conv1) / norm1_m                                       # (4,)
    norm1_away = conv1 - for_each(norm1_mean, conv1)                                 # (8, 4, 8, 8)
    norm1_power = channel_sums(norm1_away, norm1_away) / norm1_m                     # (4,)
    norm1_rstd = 1 / np.sqrt(norm1_power + 1e-05)                                    # (4,)
    norm1_scale = norm1_rstd if norm1_weight is None else norm1_weight * norm1_rstd  # (4,)
    norm1_y = norm1_away * for_each(norm1_scale, conv1)                              # (8, 4, 8, 8)
    norm1_y += for_each(norm1_bias, conv1)                                           # (8, 4, 8, 8)
    norm1_var = norm1_power * (norm1_m / max(norm1_m - 1, 1))                        # (4,)
    count_batch(norm1_num_batches_tracked)
    track(norm1_running_mean, norm1_mean)
    track(norm1_running_var, norm1_var)

    # relu1: Keep what is above zero: y = max(x, 0).
    # against an array of zeros, not the number 0: NumPy then takes its vectorized loop, three times as fast
    relu1 = np.maximum(norm1_y, np.zeros_like(norm1_y))  # (8, 4, 8, 8)

    # pool1: Keep the largest pixel of every window: y[p, q] = max over i, j of x[p·s + i·d, q·s + j·d].
    pool1_frame = pool_frame(relu1.shape, (2, 2), (2, 2), (0, 0), (1, 1), False)
    pool1_framed = pad(relu1, pool1_frame, lowest(relu1.dtype))                      # (8, 4, 8, 8)
    pool1_spots = places(pool1_framed.shape, (2, 2), (2, 2), (1, 1))
    pool1 = np.maximum(pool1_framed[pool1_spots[0]], pool1_framed[pool1_spots[-1]])  # (8, 4, 4, 4)
    for pool1_spot in pool1_spots[1:-1]:
        pool1 = np.maximum(pool1, pool1_framed[pool1_spot])

    # flatten: The same elements, in the same order, in another shape.
    flatten_old = pool1.shape
    flatten = pool1.reshape((8, 64))  # (8, 64)

    # dropout_mask: drawn anew in every step
    dropout_mask = keep_mask(rng, (8, 64), 0.25)  # (8, 64)

    # dropout: Keep x where the mask says so, enlarged so that its mean stays what it was: y = x · mask / (1 - p).
    dropout = flatten * 1.3333333333333333 * dropout_mask  # (8, 64)

    # fc: Weigh the inputs and add the bias: y = x Wᵀ + b.
    fc = dropout @ fc_weight.T  # (8, 3)
    fc = fc + fc_bias           # (8, 3)

    # loss: Average over a batch what the true class was given: loss = -(1/n) Σᵢ log pᵢ[tᵢ] with p = softmax(logits).
    # only differences between logits count; with the largest of a row at 0, exp cannot overflow
    loss_z = fc - fc.max(axis=1, keepdims=True)                              # (8, 3)
    loss_log_p = loss_z - np.log(np.exp(loss_z).sum(axis=1, keepdims=True))  # (8, 3)
    loss_rows = np.arange(len(target))                                       # (8,)
    loss = -loss_log_p[loss_rows, target].mean()                             # ()

    # ---- backward ----------------------------------------------------------------------------------------------------

    # ∂loss / ∂loss
    grad_loss = np.ones_like(loss)  # ()

    # loss
    #     1. loss = -(1/n) Σᵢ log pᵢ[tᵢ], and log pᵢ[j] = zᵢ[j] - log Σₘ exp zᵢ[m]
    #     2. ∂ log pᵢ[t] / ∂zᵢ[j] = 1{j=t} - pᵢ[j]: the log-sum-exp differentiates to the softmax
    #     3. ∂ loss / ∂zᵢ[j] = (pᵢ[j] - 1{j=tᵢ}) / n: what was given, less what was true
    loss_share = grad_loss / len(loss_rows)    # ()
    grad_fc = loss_share * np.exp(loss_log_p)  # (8, 3)
    grad_fc[loss_rows, target] -= loss_share

    # fc
    #     1. y_no = Σ_i x_ni w_oi + b_o
    #     2. ∂loss/∂x_ni = Σ_o g_no w_oi: each input hears from every output, as loudly as it is weighed there
    #     3. ∂loss/∂w_oi = Σ_n g_no x_ni: a weight matters where its input was large and its output is wanted otherwise
    #     4. ∂loss/∂b_o = Σ_n g_no; this sum is the engine's, since b was repeated for every row
    grad_dropout = grad_fc @ fc_weight    # (8, 64)
    grad_fc_weight = grad_fc.T @ dropout  # (3, 64)
    grad_fc_bias = grad_fc.sum(axis=0)    # (3,)

    # dropout: What was kept was multiplied by the scale, so its gradient is too; what was dropped had no say in the
    # loss.
    grad_flatten = grad_dropout * 1.3333333333333333 * dropout_mask  # (8, 64)

    # flatten: Nothing was computed, so the gradient only takes its old shape again.
    grad_pool1 = grad_flatten.reshape(flatten_old)  # (8, 4, 4, 4)

    # pool1
    #     1. y is one of the pixels of its window: raised a little, that pixel raises y as much, and no other does
    #     2. if several are equally large, the first in reading order takes the gradient, as in PyTorch, and leaves no
    #        rest; so the last pixel takes what is left
    #     3. a pixel may be the largest of several windows, and gets the gradients of all of them
    #     4. the frame takes none, though a pixel may be -∞ as well: here it is nan, which equals nothing
    pool1_framed = pad(relu1, pool1_frame, math.nan)                           # (8, 4, 8, 8)
    grad_pool1_framed = room_for(pool1_framed, pool1, len(pool1_spots), True)  # (8, 4, 8, 8)
    pool1_rest = in_rows(grad_pool1)                                           # (8, 4, 4, 4)
    for pool1_spot in pool1_spots:
        pool1_taken = pool1_rest
        if pool1_spot != pool1_spots[-1]:
            pool1_taken = pool1_rest * (pool1_framed[pool1_spot] == pool1)
            pool1_rest = pool1_rest - pool1_taken
        # there is nothing to add to, and storing is twice as fast
        grad_pool1_framed[pool1_spot] = pool1_taken
    grad_relu1 = crop(grad_pool1_framed, pool1_frame)                          # (8, 4, 8, 8)

    # relu1
    #     1. above zero the slope is 1, below it 0
    #     2. at zero there is a corner, and we take 0, as PyTorch does; so the gradient passes just where y > 0
    grad_norm1_y = grad_relu1 * (relu1 > 0)  # (8, 4, 8, 8)

    # norm1
    #     1. y = weight · x̂ + bias in each channel, so ∂loss/∂bias = Σᵢ gᵢ and ∂loss/∂weight = Σᵢ gᵢ x̂ᵢ
    #     2. x̂ᵢ = (xᵢ - mean) · rstd, and the mean and the variance depend on all the m numbers xⱼ of the channel:
    #        ∂mean/∂xⱼ = 1/m, and ∂rstd/∂xⱼ = -rstd² x̂ⱼ/m
    #     3. ∂x̂ᵢ/∂xⱼ = rstd · (1{i=j} - 1/m - x̂ᵢ x̂ⱼ/m)
    #     4. ∂loss/∂xⱼ = Σᵢ gᵢ weight ∂x̂ᵢ/∂xⱼ = weight · rstd · (gⱼ - (1/m) Σᵢ gᵢ - x̂ⱼ (1/m) Σᵢ gᵢ x̂ᵢ), where the two
    #        sums are those of step 1: shifting or stretching a channel changes nothing
    #     5. what the large arrays are multiplied by is worked out first, channel by channel: with a = weight · rstd it
    #        is a · gⱼ - awayⱼ · (a · rstd Σᵢ gᵢ x̂ᵢ/m) - a Σᵢ gᵢ/m, since x̂ⱼ = awayⱼ · rstd
    grad_norm1_bias = channel_sums(grad_norm1_y)                                # (4,)
    grad_norm1_weight = channel_sums(grad_norm1_y, norm1_away) * norm1_rstd     # (4,)
    norm1_along_x_hat = norm1_scale * norm1_rstd * grad_norm1_weight / norm1_m  # (4,)
    norm1_along_ones = norm1_scale * grad_norm1_bias / norm1_m                  # (4,)
    grad_conv1 = grad_norm1_y * for_each(norm1_scale, norm1_away)               # (8, 4, 8, 8)
    grad_conv1     -= norm1_away * for_each(norm1_along_x_hat, norm1_away)      # (8, 4, 8, 8)
    grad_conv1     -= for_each(norm1_along_ones, norm1_away)                    # (8, 4, 8, 8)

    # conv1
    #     1. what each place t sees is written into a column, X_kt, so that y_ot = Σ_k W_ok X_kt + b_o: a linear layer
    #     2. ∂loss/∂W_ok = Σ_t g_ot X_kt: a weight is shared by all places, so it collects from all
    #     3. ∂loss/∂X_kt = Σ_o W_ok g_ot, and a pixel was copied into the column of every place that saw it, so it gets
    #        the sum over its copies: every g_ot paints its kernel onto the image
    #     4. ∂loss/∂b_o = Σ_t g_ot
    grad_conv1_sums = grad_conv1.reshape(-1, *grad_conv1.shape[-3:])       # (8, 4, 8, 8)
    grad_conv1_kernels = collect(conv1_images, grad_conv1_sums, conv1_kernels, conv1_geometry)  # (1, 4, 9)
    grad_conv1_weight = as_weight(grad_conv1_kernels, conv1_weight.shape)  # (4, 1, 3, 3)
    grad_conv1_bias = channel_sums(grad_conv1_sums)                        # (4,)

    # ---- update ------------------------------------------------------------------------------------------------------

    gradients = {
        "conv1.weight": grad_conv1_weight,
        "conv1.bias":   grad_conv1_bias,
        "norm1.weight": grad_norm1_weight,
        "norm1.bias":   grad_norm1_bias,
        "fc.weight":    grad_fc_weight,
        "fc.bias":      grad_fc_bias,
    }
    for name, grad in gradients.items():
        adam(params[name], grad, state[name + ".exp_avg"], state[name + ".exp_avg_sq"], state[name + ".step"], lr=lr)

    return loss

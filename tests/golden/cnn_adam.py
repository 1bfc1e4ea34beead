"""A step of cnn_adam."""

import math

import numpy as np


def pair(value, name, least=1):
    """Read an option that is one number for both axes, or a pair (height, width)."""
    both = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(both) != 2 or not all(isinstance(n, int | np.integer) and n >= least for n in both):
        raise ValueError(f"{name} is a whole number from {least} up, or a pair (height, width), but {value!r} came.")
    return both


def border(padding, kernel, stride, dilation):
    """Turn PyTorch's `padding` into a frame of zeros, ((top, bottom), (left, right)); the others are pairs."""
    if padding == "same":
        if stride != (1, 1):
            raise ValueError(f"padding='same' keeps the size, which stride={stride} would not; give padding in pixels.")
        high, wide = [(k - 1) * d for k, d in zip(kernel, dilation)]
        return (high // 2, high - high // 2), (wide // 2, wide - wide // 2)
    if isinstance(padding, str) and padding != "valid":
        raise ValueError(f"padding is 'same', 'valid', a number or a pair (height, width), but {padding!r} came.")
    high, wide = pair(0 if padding == "valid" else padding, "padding", least=0)
    return (high, high), (wide, wide)


def output_size(shape, kernel, stride, dilation):
    """Count the places of a kernel on an image, down and across: it steps by `stride` and never leaves the image."""
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    if spans[0] > shape[-2] or spans[1] > shape[-1]:
        raise ValueError(
            f"the kernel spans {spans[0]} x {spans[1]} pixels, but the image has {shape[-2]} x {shape[-1]} with its "
            "padding; pad more, or take a smaller kernel."
        )
    p, q = [(size - span) // step + 1 for size, span, step in zip(shape[-2:], spans, stride)]
    return p, q


def geometry_of(shape, weight_shape, stride, padding, dilation, groups):
    """Settle how kernels lie on images: kernel, stride, dilation, frame, and the places (p, q), each a pair."""
    channels, (o, seen, *kernel) = shape[-3], weight_shape
    if groups < 1 or o % groups:
        raise ValueError(f"groups={groups} does not divide the {o} kernels of weight.")
    if channels != seen * groups:
        split = f" in each of {groups} groups" if groups > 1 else ""
        raise ValueError(f"x has {channels} channels, but the kernels of weight see {seen}{split}.")
    step, spread = pair(stride, "stride"), pair(dilation, "dilation")
    frame = border(padding, kernel, step, spread)
    area = [size + sum(both) for size, both in zip(shape[-2:], frame)]
    return tuple(kernel), step, spread, frame, output_size(area, kernel, step, spread)


def as_kernels(weight, groups):
    """Write each kernel into a row: (o, c/groups, kh, kw) -> (groups, o/groups, kh · kw · c/groups).

    Channels last, since what all of them see from one offset of the kernel lies side by side in an image.
    """
    o, seen, kh, kw = weight.shape
    return np.moveaxis(weight, 1, -1).reshape(groups, o // groups, kh * kw * seen)


def portions(images, kernels, places):
    """Cut a batch into slices of so few images that their columns, and their sums, take about a megabyte."""
    groups, share, inputs = kernels.shape
    p, q = places
    some = max(2**18 // max(groups * max(share, inputs) * p * q, 1), 1)
    return [slice(i, i + some) for i in range(0, len(images), some)]


def parts_of(images, inputs):
    """Decide how many matrices are made of some images.

    BLAS likes one wide matrix. But kernels with few weights, as in a first layer, would wait for it to rearrange that
    matrix: for them one product for each image is up to twice as fast.
    """
    return len(images) if inputs <= 32 else 1


def pad(x, frame, value=0.0):
    """Put a frame ((top, bottom), (left, right)) of one value around images; without one, return x itself."""
    (top, bottom), (left, right) = frame
    if not (top or bottom or left or right):
        return x
    h, w = x.shape[-2:]
    framed = np.full_like(x, value, order="C", shape=(*x.shape[:-2], top + h + bottom, left + w + right))
    framed[..., top : top + h, left : left + w] = x
    return framed


def split(images, parts):
    """Cut a batch into parts, channels first in each: (n, c, h, w) -> (parts, c, n/parts, h, w), of the same memory."""
    n, c, h, w = images.shape
    return np.swapaxes(images.reshape(parts, n // parts, c, h, w), 1, 2)


def taps(offset, count, stride):
    """Name the pixels that one offset of the kernel sees along an axis, from all of its `count` places."""
    return slice(offset, offset + (count - 1) * stride + 1, stride)


def im2col(x, kernel, stride, dilation):
    """Write beside each other what the kernel sees at each place: x (..., n, h, w) -> columns (..., kh, kw, n, p, q).

    First across and then down: kw + kh copies instead of kw · kh, and those of the second loop run over whole rows.
    Where a kernel is one pixel wide or high and looks at every pixel, there is nothing to copy.
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


def to_columns(images, parts, groups, geometry):
    """Write what the kernels see into columns: (n, c, h, w) -> (parts, groups, inputs, n/parts · p · q)."""
    (kh, kw), stride, dilation, frame, (p, q) = geometry
    inputs = kh * kw * images.shape[1] // groups
    framed = pad(split(images, parts), frame)
    *_, h, w = framed.shape
    # what no kernel reaches, because the last stride would leave the image, is left out
    rows = taps(0, (kh - 1) * dilation[0] + (p - 1) * stride[0] + 1, 1)
    across = taps(0, (kw - 1) * dilation[1] + (q - 1) * stride[1] + 1, 1)
    planes = framed.reshape(parts, groups, -1, h, w)[..., rows, across]
    return im2col(planes, (kh, kw), stride, dilation).reshape(parts, groups, inputs, -1)


def joined(parts):
    """Put the parts of a batch together again: (parts, c, n/parts, h, w) -> (n, c, h, w)."""
    _, c, _, h, w = parts.shape
    return np.swapaxes(parts, 1, 2).reshape(-1, c, h, w)


def convolve(images, kernels, bias, geometry):
    """Weigh what each kernel sees at each place, and add its bias: -> sums."""
    groups, share, inputs = kernels.shape
    places = geometry[-1]
    dtype = np.result_type(images.dtype, kernels.dtype)
    sums = np.empty_like(images, dtype, shape=(len(images), groups * share, *places))
    for some in portions(images, kernels, places):
        parts = parts_of(images[some], inputs)
        product = kernels @ to_columns(images[some], parts, groups, geometry)
        if bias is not None:
            product += bias.reshape(groups, share, 1)
        sums[some] = joined(product.reshape(parts, groups * share, -1, *places))
    return sums


def count_batch(batches):
    """Count one more batch."""
    batches += 1


def track(running, batch):
    """Let a running average forget a share of its past, and take in as much of the batch."""
    running += 0.1 * (batch - running)


def pool_frame(shape, kernel, stride, padding, dilation, ceil_mode):
    """Return the frame ((top, bottom), (left, right)) within which all windows lie."""
    frame = []
    for size, k, step, border, d in zip(shape[-2:], kernel, stride, padding, dilation):
        room = size + 2 * border - (k - 1) * d - 1  # how far the first window can move
        left_over = room % step
        start = room - left_over + step  # of a window that hangs out; PyTorch wants it to start before the far padding
        hangs_out = ceil_mode and left_over and start < size + border
        frame.append((border, border + step - left_over if hangs_out else border))
    return tuple(frame)


def places(shape, kernel, stride, dilation):
    """List for each offset of the kernel, in reading order, the index of the pixels that it sees from all places."""
    p, q = output_size(shape, kernel, stride, dilation)
    rows = [taps(i * dilation[0], p, stride[0]) for i in range(kernel[0])]
    columns = [taps(j * dilation[1], q, stride[1]) for j in range(kernel[1])]
    return [(..., row, column) for row in rows for column in columns]


def keep_mask(generator, shape, p):
    """Draw which elements stay: each with probability 1 - p, independently of the others."""
    return generator.random(shape, np.float32) >= p


def crop(framed, frame):
    """Take the frame off again: the transpose of `pad`."""
    (top, bottom), (left, right) = frame
    if not (top or bottom or left or right):
        return framed
    h, w = framed.shape[-2:]
    return framed[..., top : h - bottom, left : w - right]


def collect(images, sums, kernels, geometry):
    """Multiply what each weight saw by the sums that it went into: -> an array like the kernels."""
    groups, share, inputs = kernels.shape
    dtype = np.result_type(images.dtype, sums.dtype)
    met = np.zeros_like(kernels, dtype, shape=(groups, inputs, share))
    for some in portions(images, kernels, geometry[-1]):
        parts = parts_of(images[some], inputs)
        brightness = split(sums[some], parts).reshape(parts, groups, share, -1)
        # with the columns on the left, since BLAS is faster with the longer axis first
        products = to_columns(images[some], parts, groups, geometry) @ np.swapaxes(brightness, -1, -2)
        met += products.sum(axis=0)
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
    conv1_geometry = geometry_of(conv1_shape, conv1_weight.shape, (1, 1), (1, 1), (1, 1), 1)
    conv1_images = x.reshape(math.prod(conv1_shape[:-3]), *conv1_shape[-3:])        # (8, 1, 8, 8)
    conv1_kernels = as_kernels(conv1_weight, 1)                                     # (1, 4, 9)
    conv1_sums = convolve(conv1_images, conv1_kernels, conv1_bias, conv1_geometry)  # (8, 4, 8, 8)
    conv1 = conv1_sums.reshape(*conv1_shape[:-3], *conv1_sums.shape[1:])            # (8, 4, 8, 8)

    # norm1: Give every channel mean 0 and variance 1 over the batch: y = weight · (x - mean) / √(variance + eps) +
    # bias.
    norm1_axes = (0, *range(2, conv1.ndim))
    norm1_row = (1, -1, *[1] * (conv1.ndim - 2))
    norm1_m = conv1.size // conv1.shape[1]
    norm1_mean = conv1.mean(axis=norm1_axes)                       # (4,)
    norm1_away = conv1 - norm1_mean.reshape(norm1_row)             # (8, 4, 8, 8)
    norm1_power = (norm1_away * norm1_away).mean(axis=norm1_axes)  # (4,)
    norm1_rstd = 1 / np.sqrt(norm1_power + 1e-05)                  # (4,)
    norm1_x_hat = norm1_away * norm1_rstd.reshape(norm1_row)       # (8, 4, 8, 8)
    norm1_y = norm1_x_hat * norm1_weight.reshape(norm1_row)        # (8, 4, 8, 8)
    norm1_y = norm1_y + norm1_bias.reshape(norm1_row)              # (8, 4, 8, 8)
    norm1_var = norm1_power * (norm1_m / max(norm1_m - 1, 1))      # (4,)
    count_batch(norm1_num_batches_tracked)
    track(norm1_running_mean, norm1_mean)
    track(norm1_running_var, norm1_var)

    # relu1: Keep what is above zero: y = max(x, 0).
    # against an array of zeros, not the number 0: NumPy then takes its vectorized loop, three times as fast
    relu1 = np.maximum(norm1_y, np.zeros_like(norm1_y))  # (8, 4, 8, 8)

    # pool1: Keep the largest pixel of every window: y[p, q] = max over i, j of x[p·s + i·d, q·s + j·d].
    pool1_frame = pool_frame(relu1.shape, (2, 2), (2, 2), (0, 0), (1, 1), False)
    pool1_framed = pad(relu1, pool1_frame, float('-inf'))  # (8, 4, 8, 8)
    pool1_spots = places(pool1_framed.shape, (2, 2), (2, 2), (1, 1))
    pool1 = pool1_framed[pool1_spots[0]].copy()            # (8, 4, 4, 4)
    for pool1_spot in pool1_spots[1:]:
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
    #     rest
    #     3. a pixel may be the largest of several windows, and gets the gradients of all of them
    grad_pool1_framed = np.zeros_like(pool1_framed)    # (8, 4, 8, 8)
    pool1_rest = grad_pool1                            # (8, 4, 4, 4)
    for pool1_spot_2 in pool1_spots:
        pool1_taken = pool1_rest * (pool1_framed[pool1_spot_2] == pool1)
        pool1_rest = pool1_rest - pool1_taken
        # there is nothing to add to, and storing is twice as fast
        grad_pool1_framed[pool1_spot_2] = pool1_taken
    grad_relu1 = crop(grad_pool1_framed, pool1_frame)  # (8, 4, 8, 8)

    # relu1
    #     1. above zero the slope is 1, below it 0
    #     2. at zero there is a corner, and we take 0, as PyTorch does; so the gradient passes just where y > 0
    grad_norm1_y = grad_relu1 * (relu1 > 0)  # (8, 4, 8, 8)

    # norm1
    #     1. y = weight · x̂ + bias in each channel, so ∂loss/∂bias = Σᵢ gᵢ and ∂loss/∂weight = Σᵢ gᵢ x̂ᵢ
    #     2. x̂ᵢ = (xᵢ - mean) · rstd, and the mean and the variance depend on all the m numbers xⱼ of the channel:
    #     ∂mean/∂xⱼ = 1/m, and ∂rstd/∂xⱼ = -rstd² x̂ⱼ/m
    #     3. ∂x̂ᵢ/∂xⱼ = rstd · (1{i=j} - 1/m - x̂ᵢ x̂ⱼ/m)
    #     4. ∂loss/∂xⱼ = Σᵢ gᵢ weight ∂x̂ᵢ/∂xⱼ = weight · rstd · (gⱼ - (1/m) Σᵢ gᵢ - x̂ⱼ (1/m) Σᵢ gᵢ x̂ᵢ),
    #     where the two sums are those of step 1: shifting or stretching a channel changes nothing
    grad_norm1_bias = grad_norm1_y.sum(axis=norm1_axes)                                       # (4,)
    grad_norm1_weight = (grad_norm1_y * norm1_x_hat).sum(axis=norm1_axes)                     # (4,)
    norm1_scale = norm1_weight * norm1_rstd                                                   # (4,)
    norm1_along_ones = (grad_norm1_bias / norm1_m).reshape(norm1_row)                         # (1, 4, 1, 1)
    norm1_along_x_hat = (grad_norm1_weight / norm1_m).reshape(norm1_row)                      # (1, 4, 1, 1)
    grad_conv1 = norm1_scale.reshape(norm1_row) * (grad_norm1_y - norm1_along_ones - norm1_x_hat * norm1_along_x_hat)  # (8, 4, 8, 8)

    # conv1
    #     1. what each place t sees is written into a column, X_kt, so that y_ot = Σ_k W_ok X_kt + b_o: a linear layer
    #     2. ∂loss/∂W_ok = Σ_t g_ot X_kt: a weight is shared by all places, so it collects from all
    #     3. ∂loss/∂X_kt = Σ_o W_ok g_ot, and a pixel was copied into the column of every place that saw it, so it gets
    #     the sum over its copies: every g_ot paints its kernel onto the image
    #     4. ∂loss/∂b_o = Σ_t g_ot
    grad_conv1_sums = grad_conv1.reshape(-1, *grad_conv1.shape[-3:])                          # (8, 4, 8, 8)
    grad_conv1_kernels = collect(conv1_images, grad_conv1_sums, conv1_kernels, conv1_geometry)  # (1, 4, 9)
    grad_conv1_weight = as_weight(grad_conv1_kernels, conv1_weight.shape)                     # (4, 1, 3, 3)
    # whole images first: they lie in one piece, and are added twice as fast as pixel by pixel
    grad_conv1_bias = grad_conv1_sums.sum(axis=0).sum(axis=(1, 2))                            # (4,)
    grad_conv1_weight_2 = np.copy(grad_conv1_weight)                                          # (4, 1, 3, 3)

    # ---- update ------------------------------------------------------------------------------------------------------

    gradients = {
        "conv1.weight": grad_conv1_weight_2,
        "conv1.bias":   grad_conv1_bias,
        "norm1.weight": grad_norm1_weight,
        "norm1.bias":   grad_norm1_bias,
        "fc.weight":    grad_fc_weight,
        "fc.bias":      grad_fc_bias,
    }
    for name, grad in gradients.items():
        adam(params[name], grad, state[name + ".exp_avg"], state[name + ".exp_avg_sq"], state[name + ".step"], lr=lr)

    return loss

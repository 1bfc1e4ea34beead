"""A step of gpt_adamw."""

import functools
import math

import numpy as np


def in_range(index, count, padding_idx):
    """Return the index if it names rows of a table of `count` rows; NumPy would take -1 for the last one."""
    if getattr(index, "dtype", np.dtype(object)).kind not in "iu":
        came = getattr(index, "dtype", type(index).__name__)
        raise TypeError(f"the index is a tensor of whole numbers, but {came} came; x.long() drops the decimals.")
    if padding_idx is not None and not -count <= padding_idx < count:
        raise IndexError(f"padding_idx={padding_idx} is no row of a table of {count} rows.")
    if index.size and not (index.min() >= 0 and index.max() < count):
        wrong = int(index.min()) if index.min() < 0 else int(index.max())
        raise IndexError(f"the index holds {wrong}, but the table has {count} rows, numbered from 0 to {count - 1}.")
    return index


def look_up(index, weight, *, padding_idx=None, scale_grad_by_freq=False):
    """Look up rows of a table: y[n] = weight[index[n]].

    index (...), weight (v, i) -> y (..., i)

    index               whole numbers from 0 to v - 1
    padding_idx         the number of a row that is not learned: it gets no gradient; from the end if negative
    scale_grad_by_freq  divide the gradient of a row by how often it was looked up

    Raises IndexError for a number that has no row, TypeError if the index holds other than whole numbers.

    Source: Bengio et al. 2003, section 2, the matrix C.
    """
    count = weight.shape[0]
    y     = weight[in_range(index, count, padding_idx)]
    return y, count


def add(a, b):
    """Add two arrays, repeating the smaller where its axes have size 1.

    a (...), b (...) -> y (...)
    """
    y = a + b
    return y


def sum_along(x, axis):
    """Sum along one axis, which stays, with size 1.

    Along the last axis, a product with a column of ones gives the same sums in a fifth of the time of `x.sum`.
    """
    if x.ndim > 0 and axis in (-1, x.ndim - 1):
        return x @ np.ones_like(x, shape=(x.shape[-1], 1))
    return x.sum(axis=axis, keepdims=True)


def layer_norm_over(x, weight=None, bias=None, *, eps=1e-05):
    """Give every row mean 0 and variance 1, scale and shift it: y = weight · (x - mean) / √(variance + eps) + bias.

    x (..., c), weight (c), bias (c) -> y (..., c)

    eps  keeps a row whose numbers are all equal from a division by 0

    Source: Ba, Kiros & Hinton 2016, eq. 3 and 4, for each row of its own.
    """
    c        = x.shape[-1]
    away     = x - sum_along(x, -1) / c
    variance = sum_along(away * away, -1) / c
    rstd     = 1 / np.sqrt(variance + eps)
    x_hat    = away * rstd
    if weight is None:
        y = x_hat.copy()  # x_hat is remembered, but y is handed out, and may be changed
    else:
        y = x_hat * weight
    if bias is not None:
        y += bias
    return y, x_hat, rstd, c


def linear(x, weight, bias=None):
    """Weigh the inputs and add the bias: y = x Wᵀ + b.

    x (..., i), weight (o, i), bias (o) -> y (..., o)

    Try: flatten what comes in to rows of i numbers, x.reshape(len(x), -1), or make the layer for what comes in.

    Source: PyTorch's convention, in which `weight` has a row for each output.
    """
    if x.ndim <= 2:
        y = x @ weight.T
    else:
        # all rows at once: a stack of small products would take half as long again
        y = (x.reshape(-1, x.shape[-1]) @ weight.T).reshape(*x.shape[:-1], weight.shape[0])
    if bias is not None:
        y = y + bias
    return y


def heads(x, *, count):
    """Cut queries, keys and values apart, and each into its heads.

    x (b, l, c) -> q (b, h, l, e), k (b, h, l, e), v (b, h, l, e)

    They were computed side by side: c is 3 · h · e, in this order, and h is `count`. Nothing is copied.

    Source: Vaswani et al. 2017, section 3.2.2; one matrix product for the three is faster than one for each.
    """
    parts = x.reshape(*x.shape[:-1], 3, count, x.shape[-1] // (3 * count))
    cut = parts.shape
    parts = np.transpose(parts, (2, 0, 3, 1, 4))
    q = parts[0]
    k = parts[1]
    v = parts[2]
    return q, k, v, cut


def penalty_of(mask, like):
    """Turn a mask into what is added to scores: -∞ where a mask of booleans says no; a mask of floats is that already.
    """
    if mask.dtype != bool:
        return mask
    zero = np.zeros_like(like, shape=())
    return np.where(mask, zero, zero - math.inf)


def not_later(scores):
    """Make the penalty for looking into the future: -∞ where the key stands after the query."""
    length, size = scores.shape[-2:]
    return np.triu(np.full((length, size), -math.inf, scores.dtype), 1)


def largest_along(x, axis):
    """Find the largest numbers along one axis, which stays, with size 1.

    Along the last axis, NumPy tells where the largest is in a quarter of the time that it takes to tell what it is.
    """
    if 0 in x.shape:
        return np.zeros_like(x, shape=[1 if i == axis % x.ndim else n for i, n in enumerate(x.shape)])
    if x.ndim > 0 and axis in (-1, x.ndim - 1):
        return np.take_along_axis(x, np.argmax(x, axis=-1, keepdims=True), axis=-1)
    return x.max(axis=axis, keepdims=True)


def attend(query, key, value=None, mask=None, kept=None, *, scale, is_causal=False, dropout_p=0.0):
    """Mix the values in the shares that their keys get: y = softmax(scale · q kᵀ + mask) v.

    query (..., l, e), key (..., s, e), value (..., s, v), mask (*), kept (*) -> y (..., l, v)

    value      without values the shares themselves come out, (..., l, s)
    mask       booleans, True where a query may look at a key, or floats that are added to the scores
    kept       where dropout keeps a share; it was drawn to drop each with the probability dropout_p
    is_causal  a query looks at no key that stands after it

    A query that may look at nothing gets zeros.

    Source: Vaswani et al. 2017, eq. 1, in which the scale is 1/√e.
    """
    q = query * scale
    scores = q @ key.mT
    if mask is not None:
        scores = scores + penalty_of(mask, scores)
    if is_causal:
        scores += not_later(scores)
    # only differences count, so the largest may be taken as 0; where all are -∞, any number will do
    top = np.maximum(largest_along(scores, -1), -1e30)
    scores -= top
    e = np.exp(scores)
    total = np.maximum(sum_along(e, -1), 1e-30)
    p = e / total
    shares = p
    enlarged = 1 / (1 - dropout_p) if dropout_p < 1 else 0
    if kept is not None:
        shares = p * kept
        shares *= enlarged
    if value is None:
        y = shares.copy()  # the shares are remembered, but y is handed out, and may be changed
    else:
        y = shares @ value
    return y, q, p, shares, enlarged


def permute(x, *, axes):
    """The axes in another order.

    x (...) -> y (*)
    """
    back = np.argsort([axis % x.ndim for axis in axes])
    y = np.transpose(x, axes)
    return y, back


def reshape(x, *, shape):
    """The same elements, in the same order, in another shape.

    x (...) -> y (*)
    """
    old = x.shape
    y = x.reshape(shape)
    return y, old


def taylor(series, x):
    """A function whose Taylor coefficients around 0, 1/32, 2/32, ... are known: the series around the nearest point."""
    near = np.rint(x * 32)
    step = x - near / 32
    row  = np.nan_to_num(near).astype(np.intp)
    y    = series[8][row]
    for order in range(7, -1, -1):
        y = y * step + series[order][row]
    return y


@functools.cache
def erf_taylor():
    """Taylor coefficients of erf around 0, 1/32, 2/32, ... 6: one row for each order, from 0 to 8.

    The derivatives follow from erf'(g) = 2/√π exp(-g²) =: h₀ and h' = -2gh: hₙ₊₁ = -2 (g hₙ + n hₙ₋₁).
    """
    points = np.arange(6 * 32 + 1) / 32
    slopes = [2 / math.sqrt(math.pi) * np.exp(-(points**2))]
    slopes.append(-2 * points * slopes[0])
    for n in range(1, 7):
        slopes.append(-2 * (points * slopes[n] + n * slopes[n - 1]))
    values = np.array([math.erf(g) for g in points])
    return np.stack([values, *(s / math.factorial(n + 1) for n, s in enumerate(slopes))])


def erf_series(x):
    """Error function in double precision: the Taylor series around the nearest of 193 points."""
    size = np.clip(np.abs(x), 0, 6)  # beyond 6, erf is 1 to the last bit
    return np.copysign(taylor(erf_taylor().astype(x.dtype), size), x)


def erf_near(x):
    """Error function in single precision: erf x = tanh(x P(x²)), where the polynomial P is nearly flat.

    P was fitted to artanh(erf x) / x on 0 ≤ x ≤ 4 so that the largest relative error of erf is as small as it can be
    with seven coefficients: 1e-7. Beyond 4, P goes on to grow, and tanh and erf are 1 to the last bit of float32.
    """
    first, *others = (1.41890689e-7, -5.66897254e-6, 8.76395114e-5, -6.19788573e-4, -1.91828149e-4, 0.102769055,
                      1.12837927)
    x = np.clip(x, -5, 5)
    square = x * x
    p = first * square
    for coefficient in others[:-1]:  # Horner's rule
        p += coefficient
        p *= square
    p += others[-1]
    p *= x
    return np.tanh(p)


def erf_of(x):
    """Error function of an array, within 2e-15 of the true value in float64, and 3e-7 of it, relatively, in float32."""
    return erf_series(x) if x.dtype == np.float64 else erf_near(x)


def erf(x):
    """The error function, 2/√π ∫₀ˣ exp(-t²) dt.

    x (...) -> y (...)
    """
    y = erf_of(x)
    return y


def gelu_exact(x):
    """Weigh x by how likely a normal draw is to lie below it: y = x Φ(x) = x (1 + erf(x/√2)) / 2.

    x (...) -> y (...)

    Source: Hendrycks & Gimpel 2016, section 2.
    """
    chance = 1 + erf(x / math.sqrt(2))
    chance *= 0.5
    y = x * chance
    return y, chance


def matmul(a, b):
    """Multiply matrices, or stacks of them.

    a (..., n, k), b (..., k, m) -> y (..., n, m)
    """
    y = a @ b
    return y


def mean_cross_entropy(logits, target):
    """Average over a batch what the true class was given: loss = -(1/n) Σᵢ log pᵢ[tᵢ] with p = softmax(logits).

    logits (n, c), target (n) -> loss ()

    Source: Shannon 1948, section 6; Bridle 1990 for the softmax.
    """
    # only differences between logits count; with the largest of a row at 0, exp cannot overflow
    z     = logits - logits.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    rows  = np.arange(len(target))
    loss  = -log_p[rows, target].mean()
    return loss, log_p, rows


def mean_cross_entropy_backward(grad_loss, log_p, rows, target):
    """
    1. loss = -(1/n) Σᵢ log pᵢ[tᵢ], and log pᵢ[j] = zᵢ[j] - log Σₘ exp zᵢ[m]
    2. ∂ log pᵢ[t] / ∂zᵢ[j] = 1{j=t} - pᵢ[j]: the log-sum-exp differentiates to the softmax
    3. ∂ loss / ∂zᵢ[j] = (pᵢ[j] - 1{j=tᵢ}) / n: what was given, less what was true
    """
    share       = grad_loss / len(rows)
    grad_logits = share * np.exp(log_p)
    grad_logits[rows, target] -= share
    return grad_logits


def reshape_backward(grad_y, old):
    """Nothing was computed, so the gradient only takes its old shape again."""
    grad_x = grad_y.reshape(old)
    return grad_x


def matmul_backward(grad_y, a, b):
    """
    1. y_ij = Σ_k a_ik b_kj
    2. ∂loss/∂a_ik = Σ_j g_ij b_kj: a row of g against a row of b
    3. ∂loss/∂b_kj = Σ_i a_ik g_ij: a column of a against a column of g
    """
    grad_a = grad_y @ np.swapaxes(b, -1, -2)
    grad_b = np.swapaxes(a, -1, -2) @ grad_y
    return grad_a, grad_b


def permute_backward(grad_y, back):
    """The axes go back to where they were."""
    grad_x = np.transpose(grad_y, back)
    return grad_x


def layer_norm_over_backward(grad_y, weight, x_hat, rstd, c):
    """
    1. y = weight · x̂ + bias, so ∂loss/∂bias = g, ∂loss/∂weight = g · x̂, and ĝ = ∂loss/∂x̂ = g · weight
    2. x̂ᵢ = (xᵢ - mean) · rstd with rstd = 1/√(variance + eps), and the mean and the variance depend on every xⱼ
    3. ∂mean/∂xⱼ = 1/c, and ∂rstd/∂xⱼ = -rstd³ (xⱼ - mean)/c = -rstd² x̂ⱼ/c
    4. ∂x̂ᵢ/∂xⱼ = rstd · (1{i=j} - 1/c - x̂ᵢ x̂ⱼ/c)
    5. ∂loss/∂xⱼ = Σᵢ ĝᵢ ∂x̂ᵢ/∂xⱼ = rstd · (ĝⱼ - (1/c) Σᵢ ĝᵢ - x̂ⱼ (1/c) Σᵢ ĝᵢ x̂ᵢ):
       the gradient loses its part along 1 and along x̂, since shifting or stretching a row changes nothing
    """
    grad_bias   = grad_y
    grad_weight = grad_y * x_hat
    if weight is None:
        scale = np.ones_like(x_hat, shape=c)
    else:
        scale = weight
    along_ones  = grad_y @ scale[:, None] / c
    along_x_hat = grad_weight @ scale[:, None] / c
    grad_x      = grad_y * scale
    grad_x -= along_ones
    grad_x -= x_hat * along_x_hat
    grad_x *= rstd
    return grad_x, grad_weight, grad_bias


def add_backward(grad_y):
    """Raising either summand raises the sum as much: ∂y/∂a = ∂y/∂b = 1."""
    grad_a = grad_y
    grad_b = grad_y
    return grad_a, grad_b


def linear_backward(grad_y, x, weight):
    """
    1. y_no = Σ_i x_ni w_oi + b_o
    2. ∂loss/∂x_ni = Σ_o g_no w_oi: each input hears from every output, as loudly as it is weighed there
    3. ∂loss/∂w_oi = Σ_n g_no x_ni: a weight matters where its input was large and its output is wanted otherwise
    4. ∂loss/∂b_o = Σ_n g_no; this sum is the engine's, since b was repeated for every row
    """
    if x.ndim == 2:
        grad_x      = grad_y @ weight
        grad_weight = grad_y.T @ x
    else:
        rows        = grad_y.reshape(-1, grad_y.shape[-1])
        grad_x      = (rows @ weight).reshape(x.shape)
        grad_weight = rows.T @ x.reshape(-1, x.shape[-1])
    grad_bias = grad_y
    return grad_x, grad_weight, grad_bias


def gelu_exact_backward(grad_y, x, chance):
    """
    1. y = x Φ(x), so ∂y/∂x = Φ(x) + x Φ'(x)
    2. Φ'(x) = exp(-x²/2) / √(2π): the density of the normal distribution
    """
    exponent = x * x
    exponent *= -0.5
    slope = x * np.exp(exponent)
    slope /= math.sqrt(2 * math.pi)
    slope += chance
    grad_x = grad_y * slope
    return grad_x


def attend_backward(grad_y, key, value, kept, y, q, p, shares, scale, enlarged):
    """
    1. y_id = Σ_j p_ij v_jd, so ∂loss/∂v_jd = Σ_i p_ij g_id, and ∂loss/∂p_ij = Σ_d g_id v_jd
    2. p is the softmax of the scores: ∂loss/∂score_ij = p_ij (∂loss/∂p_ij - Σ_m p_im ∂loss/∂p_im)
    3. Σ_m p_im ∂loss/∂p_im = Σ_d g_id Σ_m p_im v_md = Σ_d g_id y_id: a sum over what came out
    4. score_ij = scale Σ_d q_id k_jd + mask_ij: ∂loss/∂q_id = scale Σ_j ∂loss/∂score_ij k_jd, and the same for k
    5. dropout multiplies p by 0 or by 1/(1 - dropout_p) on its way to y, and so ∂loss/∂p on its way back
    """
    grad_value = shares.mT @ grad_y
    if value is None:
        grad_p = grad_y.copy()
    else:
        grad_p = grad_y @ value.mT
    if kept is not None:
        grad_p *= enlarged
        grad_p *= kept
    average = sum_along(grad_y * y, -1)
    grad_scores = grad_p - average
    grad_scores *= p
    grad_query = grad_scores @ key
    grad_query *= scale
    grad_key = grad_scores.mT @ q
    return grad_query, grad_key, grad_value


def heads_backward(grad_q, grad_k, grad_v, cut):
    """Every number of x went to one place, and its gradient comes back from there."""
    grads = np.empty_like(grad_q, shape=cut)
    grads[:, :, 0] = np.swapaxes(grad_q, 1, 2)
    grads[:, :, 1] = np.swapaxes(grad_k, 1, 2)
    grads[:, :, 2] = np.swapaxes(grad_v, 1, 2)
    grad_x = grads.reshape(*cut[:2], math.prod(cut[2:]))
    return grad_x


def often(index, count):
    """Tell for each place of the index how often its number is there in all."""
    return np.bincount(index.reshape(-1), minlength=count)[index]


def sum_rows(rows, index, count):
    """Add up the rows that have the same index, in a table of `count` rows: the transpose of table[index].

    Number by number, since np.add.at is five times as fast on numbers as on rows.
    """
    width = rows.shape[-1]
    places = index.reshape(-1, 1).astype(np.intp) * width + np.arange(width)
    sums = np.zeros_like(rows, shape=count * width)
    np.add.at(sums, places.reshape(-1), rows.reshape(-1))
    return sums.reshape(count, width)


def look_up_backward(grad_y, index, count, padding_idx, scale_grad_by_freq):
    """
    1. y_n is the row w_t with t = index[n], so it hands its gradient on to that row unchanged
    2. ∂loss/∂w_t = Σ over all n with index[n] = t of g_n: a word that comes twice moves the loss twice
    3. the row of the padding is not learned, so what it is told is not heard
    4. with scale_grad_by_freq the sum becomes a mean, which is no derivative: common words learn as slowly as rare ones
    """
    heard = grad_y
    if padding_idx is not None:
        heard = grad_y * np.expand_dims(index != padding_idx % count, -1)
    if scale_grad_by_freq:
        heard = heard / np.expand_dims(often(index, count), -1).astype(grad_y.dtype)
    grad_weight = sum_rows(heard, index, count)
    return grad_weight


def adamw(param, grad, m, v, t, *, lr):
    """Shrink the parameter, then step as Adam does: θ ← (1 - lr · weight_decay) θ - lr · m̂ / (√v̂ + ε).

    m, v  running means of g and of g², zeros at first
    t     the number of steps, an array without axes

    Source: Loshchilov & Hutter 2019, Algorithm 2. As in PyTorch the learning rate scales the decay too: lr is their
    η_t α, and their λ is α · weight_decay.
    """
    param *= 1 - lr * 0.01
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


def block(x, params, path):
    """Run blocks.0 or blocks.1; return what comes out, and what the backward asks for."""
    norm1_weight         = params[path + ".norm1.weight"]          # (8,)
    norm1_bias           = params[path + ".norm1.bias"]            # (8,)
    attn_in_proj_weight  = params[path + ".attn.in_proj_weight"]   # (24, 8)
    attn_in_proj_bias    = params[path + ".attn.in_proj_bias"]     # (24,)
    attn_out_proj_weight = params[path + ".attn.out_proj.weight"]  # (8, 8)
    attn_out_proj_bias   = params[path + ".attn.out_proj.bias"]    # (8,)
    norm2_weight         = params[path + ".norm2.weight"]          # (8,)
    norm2_bias           = params[path + ".norm2.bias"]            # (8,)
    up_weight            = params[path + ".up.weight"]             # (16, 8)
    up_bias              = params[path + ".up.bias"]               # (16,)
    down_weight          = params[path + ".down.weight"]           # (8, 16)
    down_bias            = params[path + ".down.bias"]             # (8,)

    norm1, norm1_x_hat, norm1_rstd, norm1_c = layer_norm_over(x, norm1_weight, norm1_bias)  # (4, 5, 8)
    attn_linear = linear(norm1, attn_in_proj_weight, attn_in_proj_bias)             # (4, 5, 24)
    attn_heads_q, attn_heads_k, attn_heads_v, attn_heads_cut = heads(attn_linear, count=2)  # (4, 2, 5, 4)
    attn_attend, attn_attend_q, attn_attend_p, attn_attend_shares, attn_attend_enlarged = attend(
        attn_heads_q, attn_heads_k, attn_heads_v, scale=0.5, is_causal=True
    )  # (4, 2, 5, 4)
    attn_permute, attn_permute_back = permute(attn_attend, axes=(0, 2, 1, 3))       # (4, 5, 2, 4)
    attn_reshape, attn_reshape_old = reshape(attn_permute, shape=(4, 5, 8))         # (4, 5, 8)
    attn_out_proj = linear(attn_reshape, attn_out_proj_weight, attn_out_proj_bias)  # (4, 5, 8)
    add_out = add(x, attn_out_proj)                                                 # (4, 5, 8)
    norm2, norm2_x_hat, norm2_rstd, norm2_c = layer_norm_over(add_out, norm2_weight, norm2_bias)  # (4, 5, 8)
    up = linear(norm2, up_weight, up_bias)                                          # (4, 5, 16)
    gelu, gelu_chance = gelu_exact(up)                                              # (4, 5, 16)
    down = linear(gelu, down_weight, down_bias)                                     # (4, 5, 8)
    y = add(add_out, down)                                                          # (4, 5, 8)

    saved = (
        gelu, up, gelu_chance, norm2, norm2_x_hat, norm2_rstd, norm2_c, attn_reshape, attn_reshape_old,
        attn_permute_back, attn_heads_k, attn_heads_v, attn_attend, attn_attend_q, attn_attend_p, attn_attend_shares,
        attn_attend_enlarged, attn_heads_cut, norm1, norm1_x_hat, norm1_rstd, norm1_c
    )
    return y, saved


def block_backward(grad_y, saved, params, path):
    """Take the gradient back through what `block` ran; return those of the parameters by their paths."""
    (
        gelu, up, gelu_chance, norm2, norm2_x_hat, norm2_rstd, norm2_c, attn_reshape, attn_reshape_old,
        attn_permute_back, attn_heads_k, attn_heads_v, attn_attend, attn_attend_q, attn_attend_p, attn_attend_shares,
        attn_attend_enlarged, attn_heads_cut, norm1, norm1_x_hat, norm1_rstd, norm1_c
    ) = saved
    down_weight          = params[path + ".down.weight"]           # (8, 16)
    up_weight            = params[path + ".up.weight"]             # (16, 8)
    norm2_weight         = params[path + ".norm2.weight"]          # (8,)
    attn_out_proj_weight = params[path + ".attn.out_proj.weight"]  # (8, 8)
    attn_in_proj_weight  = params[path + ".attn.in_proj_weight"]   # (24, 8)
    norm1_weight         = params[path + ".norm1.weight"]          # (8,)

    grad_add_from_blocks_0, grad_down = add_backward(grad_y)
    grad_gelu, grad_down_weight, grad_down_bias_each = linear_backward(grad_down, gelu, down_weight)
    grad_down_bias = grad_down_bias_each.sum(axis=(0, 1))                      # (8,)
    grad_up = gelu_exact_backward(grad_gelu, up, gelu_chance)                  # (4, 5, 16)
    grad_norm2, grad_up_weight, grad_up_bias_each = linear_backward(grad_up, norm2, up_weight)
    grad_up_bias = grad_up_bias_each.sum(axis=(0, 1))                          # (16,)
    grad_add_from_norm2, grad_norm2_weight_each, grad_norm2_bias_each = layer_norm_over_backward(
        grad_norm2, norm2_weight, norm2_x_hat, norm2_rstd, norm2_c
    )
    grad_add = grad_add_from_blocks_0 + grad_add_from_norm2                    # (4, 5, 8)
    grad_norm2_weight = grad_norm2_weight_each.sum(axis=(0, 1))                # (8,)
    grad_norm2_bias = grad_norm2_bias_each.sum(axis=(0, 1))                    # (8,)
    grad_x_from_add, grad_attn_out_proj = add_backward(grad_add)
    grad_attn_reshape, grad_attn_out_proj_weight, grad_attn_out_proj_bias_each = linear_backward(
        grad_attn_out_proj, attn_reshape, attn_out_proj_weight
    )
    grad_attn_out_proj_bias = grad_attn_out_proj_bias_each.sum(axis=(0, 1))    # (8,)
    grad_attn_permute = reshape_backward(grad_attn_reshape, attn_reshape_old)  # (4, 5, 2, 4)
    grad_attn_attend = permute_backward(grad_attn_permute, attn_permute_back)  # (4, 2, 5, 4)
    grad_attn_heads_q, grad_attn_heads_k, grad_attn_heads_v = attend_backward(
        grad_attn_attend, attn_heads_k, attn_heads_v, None, attn_attend, attn_attend_q, attn_attend_p,
        attn_attend_shares, 0.5, attn_attend_enlarged
    )
    grad_attn_linear = heads_backward(
        grad_attn_heads_q, grad_attn_heads_k, grad_attn_heads_v, attn_heads_cut
    )  # (4, 5, 24)
    grad_norm1, grad_attn_in_proj_weight, grad_attn_in_proj_bias_each = linear_backward(
        grad_attn_linear, norm1, attn_in_proj_weight
    )
    grad_attn_in_proj_bias = grad_attn_in_proj_bias_each.sum(axis=(0, 1))      # (24,)
    grad_x_from_norm1, grad_norm1_weight_each, grad_norm1_bias_each = layer_norm_over_backward(
        grad_norm1, norm1_weight, norm1_x_hat, norm1_rstd, norm1_c
    )
    grad_x = grad_x_from_add + grad_x_from_norm1                               # (4, 5, 8)
    grad_norm1_weight = grad_norm1_weight_each.sum(axis=(0, 1))                # (8,)
    grad_norm1_bias = grad_norm1_bias_each.sum(axis=(0, 1))                    # (8,)

    grads = {
        path + ".norm1.weight":         grad_norm1_weight,
        path + ".norm1.bias":           grad_norm1_bias,
        path + ".attn.in_proj_weight":  grad_attn_in_proj_weight,
        path + ".attn.in_proj_bias":    grad_attn_in_proj_bias,
        path + ".attn.out_proj.weight": grad_attn_out_proj_weight,
        path + ".attn.out_proj.bias":   grad_attn_out_proj_bias,
        path + ".norm2.weight":         grad_norm2_weight,
        path + ".norm2.bias":           grad_norm2_bias,
        path + ".up.weight":            grad_up_weight,
        path + ".up.bias":              grad_up_bias,
        path + ".down.weight":          grad_down_weight,
        path + ".down.bias":            grad_down_bias,
    }
    return grad_x, grads


def step(params, state, x, target, *, lr=0.01):
    """One step: change the arrays in params and state in place, and return the loss."""
    if x.shape != (4, 5) or x.dtype != "int64":
        raise ValueError(f"This step was spelled for x (4, 5) int64, but {x.shape} {x.dtype} came.")
    if target.shape != (4, 5) or target.dtype != "int64":
        raise ValueError(f"This step was spelled for target (4, 5) int64, but {target.shape} {target.dtype} came.")

    positions     = params["positions"]      # (5, 8)
    tokens_weight = params["tokens.weight"]  # (11, 8)
    norm_weight   = params["norm.weight"]    # (8,)
    norm_bias     = params["norm.bias"]      # (8,)

    # ---- forward -----------------------------------------------------------------------------------------------------

    tokens, tokens_count = look_up(x, tokens_weight)  # (4, 5, 8)
    add_out = add(tokens, positions)                  # (4, 5, 8)

    blocks_0, blocks_0_saved = block(add_out, params, "blocks.0")                  # (4, 5, 8)
    blocks_1, blocks_1_saved = block(blocks_0, params, "blocks.1")                 # (4, 5, 8)
    norm, norm_x_hat, norm_rstd, norm_c = layer_norm_over(blocks_1, norm_weight, norm_bias)  # (4, 5, 8)
    permute_out, permute_out_back = permute(tokens_weight, axes=(1, 0))            # (8, 11)
    matmul_out = matmul(norm, permute_out)                                         # (4, 5, 11)
    reshape_out, reshape_out_old = reshape(matmul_out, shape=(20, 11))             # (20, 11)
    target_reshape, _ = reshape(target, shape=(20,))                               # (20,)
    loss, loss_log_p, loss_rows = mean_cross_entropy(reshape_out, target_reshape)  # ()

    # ---- backward ----------------------------------------------------------------------------------------------------

    # ∂loss / ∂loss
    grad_loss = np.ones_like(loss)                                         # ()
    grad_reshape_out = mean_cross_entropy_backward(grad_loss, loss_log_p, loss_rows, target_reshape)  # (20, 11)
    grad_matmul_out = reshape_backward(grad_reshape_out, reshape_out_old)  # (4, 5, 11)
    grad_norm, grad_permute_out_each = matmul_backward(grad_matmul_out, norm, permute_out)
    grad_permute_out = grad_permute_out_each.sum(axis=0)                   # (8, 11)
    grad_tokens_weight_from_permute_out = permute_backward(grad_permute_out, permute_out_back)  # (11, 8)
    grad_blocks_1, grad_norm_weight_each, grad_norm_bias_each = layer_norm_over_backward(
        grad_norm, norm_weight, norm_x_hat, norm_rstd, norm_c
    )
    grad_norm_weight = grad_norm_weight_each.sum(axis=(0, 1))              # (8,)
    grad_norm_bias = grad_norm_bias_each.sum(axis=(0, 1))                  # (8,)

    grad_blocks_0, blocks_1_grads = block_backward(grad_blocks_1, blocks_1_saved, params, "blocks.1")  # (4, 5, 8)
    grad_add_out, blocks_0_grads = block_backward(grad_blocks_0, blocks_0_saved, params, "blocks.0")  # (4, 5, 8)
    grad_tokens, grad_positions_each = add_backward(grad_add_out)
    grad_positions = grad_positions_each.sum(axis=0)  # (5, 8)
    grad_tokens_weight_from_tokens = look_up_backward(grad_tokens, x, tokens_count, None, False)  # (11, 8)
    grad_tokens_weight = grad_tokens_weight_from_permute_out + grad_tokens_weight_from_tokens  # (11, 8)

    # ---- update ------------------------------------------------------------------------------------------------------

    gradients = {
        "positions":                     grad_positions,
        "tokens.weight":                 grad_tokens_weight,
        **blocks_0_grads,
        **blocks_1_grads,
        "norm.weight":                   grad_norm_weight,
        "norm.bias":                     grad_norm_bias,
    }
    for name, grad in gradients.items():
        adamw(params[name], grad, state[name + ".exp_avg"], state[name + ".exp_avg_sq"], state[name + ".step"], lr=lr)

    return loss

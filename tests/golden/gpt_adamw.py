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


def sum_along(x, axis):
    """Sum along one axis, which stays, with size 1.

    Along the last axis, a product with a column of ones gives the same sums in a fifth of the time of `x.sum`.
    """
    if x.ndim > 0 and axis in (-1, x.ndim - 1):
        return x @ np.ones_like(x, shape=(x.shape[-1], 1))
    return x.sum(axis=axis, keepdims=True)


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


def sum_rows(rows, index, count):
    """Add up the rows that have the same index, in a table of `count` rows: the transpose of table[index].

    Number by number, since np.add.at is five times as fast on numbers as on rows.
    """
    width = rows.shape[-1]
    places = index.reshape(-1, 1).astype(np.intp) * width + np.arange(width)
    sums = np.zeros_like(rows, shape=count * width)
    np.add.at(sums, places.reshape(-1), rows.reshape(-1))
    return sums.reshape(count, width)


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

    # norm1: Give every row mean 0 and variance 1, scale and shift it: y = weight · (x - mean) / √(variance + eps) +
    # bias.
    norm1_c = x.shape[-1]
    norm1_away = x - sum_along(x, -1) / norm1_c                        # (4, 5, 8)
    norm1_variance = sum_along(norm1_away * norm1_away, -1) / norm1_c  # (4, 5, 1)
    norm1_rstd = 1 / np.sqrt(norm1_variance + 1e-05)                   # (4, 5, 1)
    norm1_x_hat = norm1_away * norm1_rstd                              # (4, 5, 8)
    norm1 = norm1_x_hat * norm1_weight                                 # (4, 5, 8)
    norm1 += norm1_bias                                                # (4, 5, 8)

    # attn_linear: Weigh the inputs and add the bias: y = x Wᵀ + b.
    # all rows at once: a stack of small products would take half as long again
    attn_linear = (norm1.reshape(-1, norm1.shape[-1]) @ attn_in_proj_weight.T).reshape(
        *norm1.shape[:-1], attn_in_proj_weight.shape[0]
    )  # (4, 5, 24)
    attn_linear = attn_linear + attn_in_proj_bias  # (4, 5, 24)

    # attn_heads: Cut queries, keys and values apart, and each into its heads.
    attn_heads_parts = attn_linear.reshape(
        *attn_linear.shape[:-1], 3, 2, attn_linear.shape[-1] // (6)
    )  # (4, 5, 3, 2, 4)
    attn_heads_cut = attn_heads_parts.shape
    attn_heads_parts = np.transpose(attn_heads_parts, (2, 0, 3, 1, 4))  # (3, 4, 2, 5, 4)
    attn_heads_q = attn_heads_parts[0]                                  # (4, 2, 5, 4)
    attn_heads_k = attn_heads_parts[1]                                  # (4, 2, 5, 4)
    attn_heads_v = attn_heads_parts[2]                                  # (4, 2, 5, 4)

    # attn_attend: Mix the values in the shares that their keys get: y = softmax(scale · q kᵀ + mask) v.
    attn_attend_q = attn_heads_q * 0.5                                          # (4, 2, 5, 4)
    attn_attend_scores = attn_attend_q @ attn_heads_k.mT                        # (4, 2, 5, 5)
    attn_attend_scores += not_later(attn_attend_scores)                         # (4, 2, 5, 5)
    # only differences count, so the largest may be taken as 0; where all are -∞, any number will do
    attn_attend_top = np.maximum(largest_along(attn_attend_scores, -1), -1e30)  # (4, 2, 5, 1)
    attn_attend_scores -= attn_attend_top                                       # (4, 2, 5, 5)
    attn_attend_e = np.exp(attn_attend_scores)                                  # (4, 2, 5, 5)
    attn_attend_total = np.maximum(sum_along(attn_attend_e, -1), 1e-30)         # (4, 2, 5, 1)
    attn_attend_p = attn_attend_e / attn_attend_total                           # (4, 2, 5, 5)
    attn_attend = attn_attend_p @ attn_heads_v                                  # (4, 2, 5, 4)

    # attn_permute: The axes in another order.
    attn_permute_back = np.argsort([axis % attn_attend.ndim for axis in (0, 2, 1, 3)])  # (4,)
    attn_permute = np.transpose(attn_attend, (0, 2, 1, 3))  # (4, 5, 2, 4)

    # attn_reshape: The same elements, in the same order, in another shape.
    attn_reshape_old = attn_permute.shape
    attn_reshape = attn_permute.reshape((4, 5, 8))  # (4, 5, 8)

    # attn_out_proj
    attn_out_proj = (attn_reshape.reshape(-1, attn_reshape.shape[-1]) @ attn_out_proj_weight.T).reshape(
        *attn_reshape.shape[:-1], attn_out_proj_weight.shape[0]
    )  # (4, 5, 8)
    attn_out_proj = attn_out_proj + attn_out_proj_bias  # (4, 5, 8)

    # add: Add two arrays, repeating the smaller where its axes have size 1.
    add = x + attn_out_proj  # (4, 5, 8)

    # norm2
    norm2_c = add.shape[-1]
    norm2_away = add - sum_along(add, -1) / norm2_c                    # (4, 5, 8)
    norm2_variance = sum_along(norm2_away * norm2_away, -1) / norm2_c  # (4, 5, 1)
    norm2_rstd = 1 / np.sqrt(norm2_variance + 1e-05)                   # (4, 5, 1)
    norm2_x_hat = norm2_away * norm2_rstd                              # (4, 5, 8)
    norm2 = norm2_x_hat * norm2_weight                                 # (4, 5, 8)
    norm2 += norm2_bias                                                # (4, 5, 8)

    # up
    up = (norm2.reshape(-1, norm2.shape[-1]) @ up_weight.T).reshape(*norm2.shape[:-1], up_weight.shape[0])  # (4, 5, 16)
    up = up + up_bias  # (4, 5, 16)

    # gelu: Weigh x by how likely a normal draw is to lie below it: y = x Φ(x) = x (1 + erf(x/√2)) / 2.
    gelu_chance = 1 + erf(up / 1.4142135623730951)  # (4, 5, 16)
    gelu_chance *= 0.5                              # (4, 5, 16)
    gelu = up * gelu_chance                         # (4, 5, 16)

    # down
    down = (gelu.reshape(-1, gelu.shape[-1]) @ down_weight.T).reshape(
        *gelu.shape[:-1], down_weight.shape[0]
    )  # (4, 5, 8)
    down = down + down_bias  # (4, 5, 8)

    y = add + down  # (4, 5, 8)

    saved = (
        gelu, up, gelu_chance, norm2, norm2_x_hat, norm2_c, norm2_rstd, attn_reshape, attn_reshape_old,
        attn_permute_back, attn_attend_p, attn_heads_v, attn_attend, attn_heads_k, attn_attend_q, attn_heads_cut, norm1,
        norm1_x_hat, norm1_c, norm1_rstd
    )
    return y, saved


def block_backward(grad_y, saved, params, path):
    """Take the gradient back through what `block` ran; return those of the parameters by their paths."""
    (
        gelu, up, gelu_chance, norm2, norm2_x_hat, norm2_c, norm2_rstd, attn_reshape, attn_reshape_old,
        attn_permute_back, attn_attend_p, attn_heads_v, attn_attend, attn_heads_k, attn_attend_q, attn_heads_cut, norm1,
        norm1_x_hat, norm1_c, norm1_rstd
    ) = saved
    down_weight          = params[path + ".down.weight"]           # (8, 16)
    up_weight            = params[path + ".up.weight"]             # (16, 8)
    norm2_weight         = params[path + ".norm2.weight"]          # (8,)
    attn_out_proj_weight = params[path + ".attn.out_proj.weight"]  # (8, 8)
    attn_in_proj_weight  = params[path + ".attn.in_proj_weight"]   # (24, 8)
    norm1_weight         = params[path + ".norm1.weight"]          # (8,)

    # down
    #     1. y_no = Σ_i x_ni w_oi + b_o
    #     2. ∂loss/∂x_ni = Σ_o g_no w_oi: each input hears from every output, as loudly as it is weighed there
    #     3. ∂loss/∂w_oi = Σ_n g_no x_ni: a weight matters where its input was large and its output is wanted otherwise
    #     4. ∂loss/∂b_o = Σ_n g_no; this sum is the engine's, since b was repeated for every row
    down_rows = grad_y.reshape(-1, grad_y.shape[-1])                   # (20, 8)
    grad_gelu = (down_rows @ down_weight).reshape(gelu.shape)          # (4, 5, 16)
    grad_down_weight = down_rows.T @ gelu.reshape(-1, gelu.shape[-1])  # (8, 16)
    grad_down_bias = grad_y.sum(axis=(0, 1))                           # (8,)

    # gelu
    #     1. y = x Φ(x), so ∂y/∂x = Φ(x) + x Φ'(x)
    #     2. Φ'(x) = exp(-x²/2) / √(2π): the density of the normal distribution
    gelu_exponent = up * up                  # (4, 5, 16)
    gelu_exponent *= -0.5                    # (4, 5, 16)
    gelu_slope = up * np.exp(gelu_exponent)  # (4, 5, 16)
    gelu_slope /= 2.5066282746310002         # (4, 5, 16)
    gelu_slope += gelu_chance                # (4, 5, 16)
    grad_up = grad_gelu * gelu_slope         # (4, 5, 16)

    # up
    up_rows = grad_up.reshape(-1, grad_up.shape[-1])                 # (20, 16)
    grad_norm2 = (up_rows @ up_weight).reshape(norm2.shape)          # (4, 5, 8)
    grad_up_weight = up_rows.T @ norm2.reshape(-1, norm2.shape[-1])  # (16, 8)
    grad_up_bias = grad_up.sum(axis=(0, 1))                          # (16,)

    # norm2
    #     1. y = weight · x̂ + bias, so ∂loss/∂bias = g, ∂loss/∂weight = g · x̂, and ĝ = ∂loss/∂x̂ = g · weight
    #     2. x̂ᵢ = (xᵢ - mean) · rstd with rstd = 1/√(variance + eps), and the mean and the variance depend on every xⱼ
    #     3. ∂mean/∂xⱼ = 1/c, and ∂rstd/∂xⱼ = -rstd³ (xⱼ - mean)/c = -rstd² x̂ⱼ/c
    #     4. ∂x̂ᵢ/∂xⱼ = rstd · (1{i=j} - 1/c - x̂ᵢ x̂ⱼ/c)
    #     5. ∂loss/∂xⱼ = Σᵢ ĝᵢ ∂x̂ᵢ/∂xⱼ = rstd · (ĝⱼ - (1/c) Σᵢ ĝᵢ - x̂ⱼ (1/c) Σᵢ ĝᵢ x̂ᵢ): the gradient loses its part
    #        along 1 and along x̂, since shifting or stretching a row changes nothing
    grad_norm2_weight_each = grad_norm2 * norm2_x_hat                             # (4, 5, 8)
    norm2_along_ones = grad_norm2 @ norm2_weight[:, None] / norm2_c               # (4, 5, 1)
    norm2_along_x_hat = grad_norm2_weight_each @ norm2_weight[:, None] / norm2_c  # (4, 5, 1)
    grad_add_from_norm2 = grad_norm2 * norm2_weight                               # (4, 5, 8)
    grad_add_from_norm2 -= norm2_along_ones                                       # (4, 5, 8)
    grad_add_from_norm2 -= norm2_x_hat * norm2_along_x_hat                        # (4, 5, 8)
    grad_add_from_norm2 *= norm2_rstd                                             # (4, 5, 8)
    grad_norm2_weight = grad_norm2_weight_each.sum(axis=(0, 1))                   # (8,)
    grad_norm2_bias = grad_norm2.sum(axis=(0, 1))                                 # (8,)

    # add reaches the loss by two ways
    grad_add = grad_y + grad_add_from_norm2  # (4, 5, 8)

    # attn_out_proj
    attn_out_proj_rows = grad_add.reshape(-1, grad_add.shape[-1])  # (20, 8)
    grad_attn_reshape = (attn_out_proj_rows @ attn_out_proj_weight).reshape(attn_reshape.shape)  # (4, 5, 8)
    grad_attn_out_proj_weight = attn_out_proj_rows.T @ attn_reshape.reshape(-1, attn_reshape.shape[-1])  # (8, 8)
    grad_attn_out_proj_bias = grad_add.sum(axis=(0, 1))            # (8,)

    # attn_reshape: Nothing was computed, so the gradient only takes its old shape again.
    grad_attn_permute = grad_attn_reshape.reshape(attn_reshape_old)  # (4, 5, 2, 4)

    # attn_permute: The axes go back to where they were.
    grad_attn_attend = np.transpose(grad_attn_permute, attn_permute_back)  # (4, 2, 5, 4)

    # attn_attend
    #     1. y_id = Σ_j p_ij v_jd, so ∂loss/∂v_jd = Σ_i p_ij g_id, and ∂loss/∂p_ij = Σ_d g_id v_jd
    #     2. p is the softmax of the scores: ∂loss/∂score_ij = p_ij (∂loss/∂p_ij - Σ_m p_im ∂loss/∂p_im)
    #     3. Σ_m p_im ∂loss/∂p_im = Σ_d g_id Σ_m p_im v_md = Σ_d g_id y_id: a sum over what came out
    #     4. score_ij = scale Σ_d q_id k_jd + mask_ij: ∂loss/∂q_id = scale Σ_j ∂loss/∂score_ij k_jd, and the same for k
    #     5. dropout multiplies p by 0 or by 1/(1 - dropout_p) on its way to y, and so ∂loss/∂p on its way back
    grad_attn_heads_v = attn_attend_p.mT @ grad_attn_attend              # (4, 2, 5, 4)
    grad_attn_attend_p = grad_attn_attend @ attn_heads_v.mT              # (4, 2, 5, 5)
    attn_attend_average = sum_along(grad_attn_attend * attn_attend, -1)  # (4, 2, 5, 1)
    grad_attn_attend_scores = grad_attn_attend_p - attn_attend_average   # (4, 2, 5, 5)
    grad_attn_attend_scores *= attn_attend_p                             # (4, 2, 5, 5)
    grad_attn_heads_q = grad_attn_attend_scores @ attn_heads_k           # (4, 2, 5, 4)
    grad_attn_heads_q *= 0.5                                             # (4, 2, 5, 4)
    grad_attn_heads_k = grad_attn_attend_scores.mT @ attn_attend_q       # (4, 2, 5, 4)

    # attn_heads: Every number of x went to one place, and its gradient comes back from there.
    attn_heads_grads = np.empty_like(grad_attn_heads_q, shape=attn_heads_cut)  # (4, 5, 3, 2, 4)
    attn_heads_grads[:, :, 0] = np.swapaxes(grad_attn_heads_q, 1, 2)
    attn_heads_grads[:, :, 1] = np.swapaxes(grad_attn_heads_k, 1, 2)
    attn_heads_grads[:, :, 2] = np.swapaxes(grad_attn_heads_v, 1, 2)
    grad_attn_linear = attn_heads_grads.reshape(*attn_heads_cut[:2], math.prod(attn_heads_cut[2:]))  # (4, 5, 24)

    # attn_linear
    attn_linear_rows = grad_attn_linear.reshape(-1, grad_attn_linear.shape[-1])  # (20, 24)
    grad_norm1 = (attn_linear_rows @ attn_in_proj_weight).reshape(norm1.shape)   # (4, 5, 8)
    grad_attn_in_proj_weight = attn_linear_rows.T @ norm1.reshape(-1, norm1.shape[-1])  # (24, 8)
    grad_attn_in_proj_bias = grad_attn_linear.sum(axis=(0, 1))                   # (24,)

    # norm1
    grad_norm1_weight_each = grad_norm1 * norm1_x_hat                             # (4, 5, 8)
    norm1_along_ones = grad_norm1 @ norm1_weight[:, None] / norm1_c               # (4, 5, 1)
    norm1_along_x_hat = grad_norm1_weight_each @ norm1_weight[:, None] / norm1_c  # (4, 5, 1)
    grad_x_from_norm1 = grad_norm1 * norm1_weight                                 # (4, 5, 8)
    grad_x_from_norm1 -= norm1_along_ones                                         # (4, 5, 8)
    grad_x_from_norm1 -= norm1_x_hat * norm1_along_x_hat                          # (4, 5, 8)
    grad_x_from_norm1 *= norm1_rstd                                               # (4, 5, 8)
    grad_norm1_weight = grad_norm1_weight_each.sum(axis=(0, 1))                   # (8,)
    grad_norm1_bias = grad_norm1.sum(axis=(0, 1))                                 # (8,)

    # x reaches the loss by two ways
    grad_x = grad_add + grad_x_from_norm1  # (4, 5, 8)

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

    # tokens: Look up rows of a table: y[n] = weight[index[n]].
    tokens_count = tokens_weight.shape[0]
    tokens = tokens_weight[in_range(x, tokens_count, None)]  # (4, 5, 8)

    add = tokens + positions  # (4, 5, 8)

    blocks_0, blocks_0_saved = block(add, params, "blocks.0")       # (4, 5, 8)
    blocks_1, blocks_1_saved = block(blocks_0, params, "blocks.1")  # (4, 5, 8)

    # norm
    norm_c = blocks_1.shape[-1]
    norm_away = blocks_1 - sum_along(blocks_1, -1) / norm_c        # (4, 5, 8)
    norm_variance = sum_along(norm_away * norm_away, -1) / norm_c  # (4, 5, 1)
    norm_rstd = 1 / np.sqrt(norm_variance + 1e-05)                 # (4, 5, 1)
    norm_x_hat = norm_away * norm_rstd                             # (4, 5, 8)
    norm = norm_x_hat * norm_weight                                # (4, 5, 8)
    norm += norm_bias                                              # (4, 5, 8)

    # permute
    permute_back = np.argsort([axis % tokens_weight.ndim for axis in (1, 0)])  # (2,)
    permute = np.transpose(tokens_weight, (1, 0))                              # (8, 11)

    # matmul: Multiply matrices, or stacks of them.
    matmul = norm @ permute  # (4, 5, 11)

    # reshape
    reshape_old = matmul.shape
    reshape = matmul.reshape((20, 11))  # (20, 11)

    target_reshape = target.reshape((20,))  # (20,)

    # loss: Average over a batch what the true class was given: loss = -(1/n) Σᵢ log pᵢ[tᵢ] with p = softmax(logits).
    # only differences between logits count; with the largest of a row at 0, exp cannot overflow
    loss_z = reshape - reshape.max(axis=1, keepdims=True)                    # (20, 11)
    loss_log_p = loss_z - np.log(np.exp(loss_z).sum(axis=1, keepdims=True))  # (20, 11)
    loss_rows = np.arange(len(target_reshape))                               # (20,)
    loss = -loss_log_p[loss_rows, target_reshape].mean()                     # ()

    # ---- backward ----------------------------------------------------------------------------------------------------

    # ∂loss / ∂loss
    grad_loss = np.ones_like(loss)  # ()

    # loss
    #     1. loss = -(1/n) Σᵢ log pᵢ[tᵢ], and log pᵢ[j] = zᵢ[j] - log Σₘ exp zᵢ[m]
    #     2. ∂ log pᵢ[t] / ∂zᵢ[j] = 1{j=t} - pᵢ[j]: the log-sum-exp differentiates to the softmax
    #     3. ∂ loss / ∂zᵢ[j] = (pᵢ[j] - 1{j=tᵢ}) / n: what was given, less what was true
    loss_share = grad_loss / len(loss_rows)         # ()
    grad_reshape = loss_share * np.exp(loss_log_p)  # (20, 11)
    grad_reshape[loss_rows, target_reshape] -= loss_share

    # reshape
    grad_matmul = grad_reshape.reshape(reshape_old)  # (4, 5, 11)

    # matmul
    #     1. y_ij = Σ_k a_ik b_kj
    #     2. ∂loss/∂a_ik = Σ_j g_ij b_kj: a row of g against a row of b
    #     3. ∂loss/∂b_kj = Σ_i a_ik g_ij: a column of a against a column of g
    grad_norm = grad_matmul @ np.swapaxes(permute, -1, -2)       # (4, 5, 8)
    grad_permute_each = np.swapaxes(norm, -1, -2) @ grad_matmul  # (4, 8, 11)
    grad_permute = grad_permute_each.sum(axis=0)                 # (8, 11)

    # permute
    grad_tokens_weight_from_permute = np.transpose(grad_permute, permute_back)  # (11, 8)

    # norm
    grad_norm_weight_each = grad_norm * norm_x_hat                            # (4, 5, 8)
    norm_along_ones = grad_norm @ norm_weight[:, None] / norm_c               # (4, 5, 1)
    norm_along_x_hat = grad_norm_weight_each @ norm_weight[:, None] / norm_c  # (4, 5, 1)
    grad_blocks_1 = grad_norm * norm_weight                                   # (4, 5, 8)
    grad_blocks_1 -= norm_along_ones                                          # (4, 5, 8)
    grad_blocks_1 -= norm_x_hat * norm_along_x_hat                            # (4, 5, 8)
    grad_blocks_1 *= norm_rstd                                                # (4, 5, 8)
    grad_norm_weight = grad_norm_weight_each.sum(axis=(0, 1))                 # (8,)
    grad_norm_bias = grad_norm.sum(axis=(0, 1))                               # (8,)

    grad_blocks_0, blocks_1_grads = block_backward(grad_blocks_1, blocks_1_saved, params, "blocks.1")  # (4, 5, 8)
    grad_add, blocks_0_grads = block_backward(grad_blocks_0, blocks_0_saved, params, "blocks.0")  # (4, 5, 8)
    grad_positions = grad_add.sum(axis=0)  # (5, 8)

    # tokens
    #     1. y_n is the row w_t with t = index[n], so it hands its gradient on to that row unchanged
    #     2. ∂loss/∂w_t = Σ over all n with index[n] = t of g_n: a word that comes twice moves the loss twice
    #     3. the row of the padding is not learned, so what it is told is not heard
    #     4. with scale_grad_by_freq the sum becomes a mean, which is no derivative: common words learn as slowly as
    #        rare ones
    grad_tokens_weight_from_tokens = sum_rows(grad_add, x, tokens_count)  # (11, 8)

    # tokens_weight reaches the loss by two ways
    grad_tokens_weight = grad_tokens_weight_from_permute + grad_tokens_weight_from_tokens  # (11, 8)

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

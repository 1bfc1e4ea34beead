"""A step of tied_adam."""

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
    series = erf_taylor().astype(x.dtype)
    size = np.clip(np.abs(x), 0, 6)  # beyond 6, erf is 1 to the last bit
    near = np.rint(size * 32)
    step = size - near / 32
    row  = np.nan_to_num(near).astype(np.intp)
    y    = series[8][row]
    for order in range(7, -1, -1):
        y = y * step + series[order][row]
    return np.copysign(y, x)


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


def count(shape, axis):
    """Count the elements that go into each result of a reduction."""
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return int(np.prod([shape[a] for a in axes], dtype=np.int64))


def spread(grad, shape, axis, keepdims):
    """Hand the gradient of a reduced array to every element that it was made from."""
    if axis is not None and not keepdims:
        axes = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,))}
        grad = grad.reshape(tuple([1 if i in axes else n for i, n in enumerate(shape)]))
    return np.broadcast_to(grad, shape)


def sum_rows(rows, index, count):
    """Add up the rows that have the same index, in a table of `count` rows: the transpose of table[index].

    Number by number, since np.add.at is five times as fast on numbers as on rows.
    """
    width = rows.shape[-1]
    places = index.reshape(-1, 1).astype(np.intp) * width + np.arange(width)
    sums = np.zeros_like(rows, shape=count * width)
    np.add.at(sums, places.reshape(-1), rows.reshape(-1))
    return sums.reshape(count, width)


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


def step(params, state, x, target, *, lr=0.01):
    """One step: change the arrays in params and state in place, and return the loss."""
    if x.shape != (8, 4) or x.dtype != "int64":
        raise ValueError(f"This step was spelled for x (8, 4) int64, but {x.shape} {x.dtype} came.")
    if target.shape != (8,) or target.dtype != "int64":
        raise ValueError(f"This step was spelled for target (8,) int64, but {target.shape} {target.dtype} came.")
    if target.min() < 0 or target.max() >= 3:
        raise ValueError("This step was spelled for target from 0 to 2; others came.")

    embedding_weight  = params["embedding.weight"]   # (3, 6)
    block_norm_weight = params["block.norm.weight"]  # (6,)
    block_norm_bias   = params["block.norm.bias"]    # (6,)
    block_up_weight   = params["block.up.weight"]    # (8, 6)
    block_up_bias     = params["block.up.bias"]      # (8,)
    block_down_weight = params["block.down.weight"]  # (6, 8)
    block_down_bias   = params["block.down.bias"]    # (6,)

    # ---- forward -----------------------------------------------------------------------------------------------------

    # embedding: Look up rows of a table: y[n] = weight[index[n]].
    embedding_count = embedding_weight.shape[0]
    embedding = embedding_weight[in_range(x, embedding_count, None)]  # (8, 4, 6)

    # block_norm: Give every row mean 0 and variance 1, scale and shift it: y = weight · (x - mean) / √(variance + eps)
    # + bias.
    block_norm_c = embedding.shape[-1]
    block_norm_away = embedding - sum_along(embedding, -1) / block_norm_c                  # (8, 4, 6)
    block_norm_variance = sum_along(block_norm_away * block_norm_away, -1) / block_norm_c  # (8, 4, 1)
    block_norm_rstd = 1 / np.sqrt(block_norm_variance + 1e-05)                             # (8, 4, 1)
    block_norm_x_hat = block_norm_away * block_norm_rstd                                   # (8, 4, 6)
    block_norm = block_norm_x_hat * block_norm_weight                                      # (8, 4, 6)
    block_norm += block_norm_bias                                                          # (8, 4, 6)

    # block_up: Weigh the inputs and add the bias: y = x Wᵀ + b.
    # all rows at once: a stack of small products would take half as long again
    block_up = (block_norm.reshape(-1, block_norm.shape[-1]) @ block_up_weight.T).reshape(*block_norm.shape[:-1], block_up_weight.shape[0])  # (8, 4, 8)
    block_up = block_up + block_up_bias                                                       # (8, 4, 8)

    # block_gelu: Weigh x by how likely a normal draw is to lie below it: y = x Φ(x) = x (1 + erf(x/√2)) / 2.
    block_gelu_chance = 1 + erf(block_up / 1.4142135623730951)  # (8, 4, 8)
    block_gelu_chance *= 0.5                                    # (8, 4, 8)
    block_gelu = block_up * block_gelu_chance                   # (8, 4, 8)

    # block_down
    block_down = (block_gelu.reshape(-1, block_gelu.shape[-1]) @ block_down_weight.T).reshape(*block_gelu.shape[:-1], block_down_weight.shape[0])  # (8, 4, 6)
    block_down = block_down + block_down_bias                                                 # (8, 4, 6)

    # block: Add two arrays, repeating the smaller where its axes have size 1.
    block = embedding + block_down  # (8, 4, 6)

    # mean: Average along an axis, several, or all.
    mean_shape = block.shape
    mean = block.mean(axis=1, keepdims=False)  # (8, 6)

    # permuted: The axes in another order.
    permuted_back = np.argsort([axis % embedding_weight.ndim for axis in (1, 0)])  # (2,)
    permuted = np.transpose(embedding_weight, (1, 0))                              # (6, 3)

    # matmul_2d: Multiply matrices, or stacks of them.
    matmul_2d = mean @ permuted  # (8, 3)

    # loss: Average over a batch what the true class was given: loss = -(1/n) Σᵢ log pᵢ[tᵢ] with p = softmax(logits).
    # only differences between logits count; with the largest of a row at 0, exp cannot overflow
    loss_z = matmul_2d - matmul_2d.max(axis=1, keepdims=True)                # (8, 3)
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
    loss_share = grad_loss / len(loss_rows)           # ()
    grad_matmul_2d = loss_share * np.exp(loss_log_p)  # (8, 3)
    grad_matmul_2d[loss_rows, target] -= loss_share

    # matmul_2d
    #     1. y_ij = Σ_k a_ik b_kj
    #     2. ∂loss/∂a_ik = Σ_j g_ij b_kj: a row of g against a row of b
    #     3. ∂loss/∂b_kj = Σ_i a_ik g_ij: a column of a against a column of g
    grad_mean = grad_matmul_2d @ np.swapaxes(permuted, -1, -2)  # (8, 6)
    grad_permuted = np.swapaxes(mean, -1, -2) @ grad_matmul_2d  # (6, 3)

    # permuted: The axes go back to where they were.
    grad_embedding_weight_from_permuted = np.transpose(grad_permuted, permuted_back)  # (3, 6)

    # mean: y = (1/n) Σᵢ xᵢ, so ∂y/∂xᵢ = 1/n.
    mean_n = count(mean_shape, 1)
    grad_block = spread(grad_mean / mean_n, mean_shape, 1, False)  # (8, 4, 6)

    # block_down
    #     1. y_no = Σ_i x_ni w_oi + b_o
    #     2. ∂loss/∂x_ni = Σ_o g_no w_oi: each input hears from every output, as loudly as it is weighed there
    #     3. ∂loss/∂w_oi = Σ_n g_no x_ni: a weight matters where its input was large and its output is wanted otherwise
    #     4. ∂loss/∂b_o = Σ_n g_no; this sum is the engine's, since b was repeated for every row
    block_down_rows = grad_block.reshape(-1, grad_block.shape[-1])                            # (32, 6)
    grad_block_gelu = (block_down_rows @ block_down_weight).reshape(block_gelu.shape)         # (8, 4, 8)
    grad_block_down_weight = block_down_rows.T @ block_gelu.reshape(-1, block_gelu.shape[-1])  # (6, 8)
    grad_block_down_bias = grad_block.sum(axis=(0, 1))                                        # (6,)

    # block_gelu
    #     1. y = x Φ(x), so ∂y/∂x = Φ(x) + x Φ'(x)
    #     2. Φ'(x) = exp(-x²/2) / √(2π): the density of the normal distribution
    block_gelu_exponent = block_up * block_up                  # (8, 4, 8)
    block_gelu_exponent *= -0.5                                # (8, 4, 8)
    block_gelu_slope = block_up * np.exp(block_gelu_exponent)  # (8, 4, 8)
    block_gelu_slope /= 2.5066282746310002                     # (8, 4, 8)
    block_gelu_slope += block_gelu_chance                      # (8, 4, 8)
    grad_block_up = grad_block_gelu * block_gelu_slope         # (8, 4, 8)

    # block_up
    block_up_rows = grad_block_up.reshape(-1, grad_block_up.shape[-1])                     # (32, 8)
    grad_block_norm = (block_up_rows @ block_up_weight).reshape(block_norm.shape)          # (8, 4, 6)
    grad_block_up_weight = block_up_rows.T @ block_norm.reshape(-1, block_norm.shape[-1])  # (8, 6)
    grad_block_up_bias = grad_block_up.sum(axis=(0, 1))                                    # (8,)

    # block_norm
    #     1. y = weight · x̂ + bias, so ∂loss/∂bias = g, ∂loss/∂weight = g · x̂, and ĝ = ∂loss/∂x̂ = g · weight
    #     2. x̂ᵢ = (xᵢ - mean) · rstd with rstd = 1/√(variance + eps), and the mean and the variance depend on every xⱼ
    #     3. ∂mean/∂xⱼ = 1/c, and ∂rstd/∂xⱼ = -rstd³ (xⱼ - mean)/c = -rstd² x̂ⱼ/c
    #     4. ∂x̂ᵢ/∂xⱼ = rstd · (1{i=j} - 1/c - x̂ᵢ x̂ⱼ/c)
    #     5. ∂loss/∂xⱼ = Σᵢ ĝᵢ ∂x̂ᵢ/∂xⱼ = rstd · (ĝⱼ - (1/c) Σᵢ ĝᵢ - x̂ⱼ (1/c) Σᵢ ĝᵢ x̂ᵢ):
    #     the gradient loses its part along 1 and along x̂, since shifting or stretching a row changes nothing
    grad_block_norm_weight_each = grad_block_norm * block_norm_x_hat                          # (8, 4, 6)
    block_norm_along_ones = grad_block_norm @ block_norm_weight[:, None] / block_norm_c       # (8, 4, 1)
    block_norm_along_x_hat = grad_block_norm_weight_each @ block_norm_weight[:, None] / block_norm_c  # (8, 4, 1)
    grad_embedding_from_block_norm = grad_block_norm * block_norm_weight                      # (8, 4, 6)
    grad_embedding_from_block_norm -= block_norm_along_ones                                   # (8, 4, 6)
    grad_embedding_from_block_norm -= block_norm_x_hat * block_norm_along_x_hat               # (8, 4, 6)
    grad_embedding_from_block_norm *= block_norm_rstd                                         # (8, 4, 6)

    # embedding reaches the loss by two ways
    grad_embedding = grad_block + grad_embedding_from_block_norm           # (8, 4, 6)
    grad_block_norm_weight = grad_block_norm_weight_each.sum(axis=(0, 1))  # (6,)
    grad_block_norm_bias = grad_block_norm.sum(axis=(0, 1))                # (6,)

    # embedding
    #     1. y_n is the row w_t with t = index[n], so it hands its gradient on to that row unchanged
    #     2. ∂loss/∂w_t = Σ over all n with index[n] = t of g_n: a word that comes twice moves the loss twice
    #     3. the row of the padding is not learned, so what it is told is not heard
    grad_embedding_weight_from_embedding = sum_rows(grad_embedding, x, embedding_count)  # (3, 6)

    # embedding_weight reaches the loss by two ways
    grad_embedding_weight = grad_embedding_weight_from_permuted + grad_embedding_weight_from_embedding  # (3, 6)

    # ---- update ------------------------------------------------------------------------------------------------------

    gradients = {
        "embedding.weight":  grad_embedding_weight,
        "block.norm.weight": grad_block_norm_weight,
        "block.norm.bias":   grad_block_norm_bias,
        "block.up.weight":   grad_block_up_weight,
        "block.up.bias":     grad_block_up_bias,
        "block.down.weight": grad_block_down_weight,
        "block.down.bias":   grad_block_down_bias,
    }
    for name, grad in gradients.items():
        adam(params[name], grad, state[name + ".exp_avg"], state[name + ".exp_avg_sq"], state[name + ".step"], lr=lr)

    return loss

"""A step of lstm_adam."""

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


def lstm_layer(x, weight_ih, weight_hh, bias_ih, bias_hh):
    """Run lstm.l0 or lstm.l1; return what comes out, and what the backward asks for."""
    # Read a sequence step by step into a memory, and tell of it: c_t = f c_t-1 + i g, h_t = o tanh(c_t).
    steps, batch = x.shape[:2]
    n, r = weight_hh.shape[0] // 4, weight_hh.shape[1]
    # Inside, each sequence is a column, as one writes W h on paper: BLAS is up to twice as fast so as with rows.
    # What the inputs tell the gates, at all steps at once; the loop puts in its place how far the gates open.
    gates = weight_ih @ np.swapaxes(x, 1, 2)                # (5, 32, 4)
    gates += np.broadcast_to((bias_ih + bias_hh).reshape(-1, 1), (4 * n, batch)).copy()  # (5, 32, 4)
    # i, f and o open from 0, by a sigmoid, and g from -1, by tanh; σ(z) = (1 + tanh(z/2)) / 2, so one tanh does it all.
    low = np.zeros_like(x, shape=(4, 1))                    # (4, 1)
    low[2] = -1
    middle, half = (1 + low) / 2, (1 - low) / 2
    # What was told and remembered before and after every step: one more than there are steps.
    told = np.empty_like(x, shape=(steps + 1, batch, r))    # (6, 4, 8)
    cells = np.empty_like(x, shape=(steps + 1, n * batch))  # (6, 32)
    start, after = (0, 1)
    h = np.zeros_like(x, shape=(r, batch))                  # (8, 4)
    c = np.zeros_like(x, shape=n * batch)                   # (32,)
    told[start] = h.T
    cells[start] = c
    for t in range(steps):
        net = (gates[t] + weight_hh @ h).reshape(4, -1)
        opened = middle + half * np.tanh(half * net)
        i, f, g, o = opened
        c = f * c + i * g
        h = (o * np.tanh(c)).reshape(n, batch)
        gates[t] = opened.reshape(4 * n, batch)
        cells[t + after] = c
        told[t + after] = h.T
    y = told[after:after + steps]                           # (5, 4, 8)

    saved = (after, gates, steps, cells, n, batch, weight_hh, x, told, r, weight_ih)
    return y, saved


def lstm_layer_backward(grad_y, saved):
    """Take the gradient back through what `lstm_layer` ran."""
    (after, gates, steps, cells, n, batch, weight_hh, x, told, r, weight_ih) = saved

    grad_h_n = np.zeros((4, 8), np.float32)  # (4, 8)
    grad_c_n = np.zeros((4, 8), np.float32)  # (4, 8)

    # 1. net = W_ih x_t + W_hh h_t-1 + b; i, f, o = σ(net) and g = tanh(net), each in its rows; c_t = f c_t-1 + i g; h_t
    #    = o tanh(c_t)
    # 2. a sigmoid s has the slope s (1 - s), and g, a tanh, 1 - g². So ∂c_t/∂net = g · i (1 - i) in the rows of i,
    #    c_t-1 · f (1 - f) in those of f, i · (1 - g²) in those of g; and ∂h_t/∂net = tanh(c_t) · o (1 - o) in those of
    #    o
    # 3. ∂h_t/∂c_t = o (1 - tanh² c_t). All this needs nothing from later steps, and is computed for all steps at once
    # 4. h_t moves the loss as y_t, and through the next step; so we go from the last step to the first, and the first
    #    to arrive are the gradients by h_n and c_n
    # 5. ∂loss/∂c_t = what came from step t+1, plus ∂loss/∂h_t · ∂h_t/∂c_t
    # 6. ∂loss/∂h_t-1 = W_hhᵀ ∂loss/∂net: by the same weights, over and over. But ∂loss/∂c_t-1 = f · ∂loss/∂c_t: where
    #    the forget gate is open, the error stays as it is. This is what the cell is for
    # 7. the weights are those of every step, so they collect from all: ∂loss/∂W_ih = Σ_t ∂loss/∂net_t x_tᵀ, ∂loss/∂W_hh
    #    = Σ_t ∂loss/∂net_t h_t-1ᵀ: one matrix product for all steps and sequences
    # 8. ∂loss/∂b = Σ_t ∂loss/∂net_t for both biases; ∂loss/∂x_t = W_ihᵀ ∂loss/∂net_t
    # 9. with a projection, h_t = W_hr m_t and m_t = o tanh(c_t): in 2 and 3 m_t stands for h_t, ∂loss/∂m_t = W_hrᵀ
    #    ∂loss/∂h_t, and ∂loss/∂W_hr = Σ_t ∂loss/∂h_t m_tᵀ
    # 10. where a sequence is not read, h_t = h_t-1 and c_t = c_t-1, as if f were 1: its net moves nothing, and both
    #    gradients go on as they are
    before = 1 - after
    i, f, g, o = np.swapaxes(gates.reshape(steps, 4, -1), 0, 1)
    tanh_c = np.tanh(cells[after:after + steps])                                # (5, 32)
    by_net = np.empty_like(gates, shape=(steps, 4, n * batch))                  # (5, 4, 32)
    by_net[:, 0] = g * (i * (1 - i))
    by_net[:, 1] = cells[before:before + steps] * (f * (1 - f))
    by_net[:, 2] = i * (1 - g * g)
    by_net[:, 3] = tanh_c * (o * (1 - o))
    h_by_c = o * (1 - tanh_c * tanh_c)                                          # (5, 32)
    grad_nets = np.empty_like(gates, shape=(4 * n, steps, batch))               # (32, 5, 4)
    # turned round once; BLAS would have to do it at every step
    back = weight_hh.T.copy()                                                   # (8, 32)
    grad_h, grad_c = grad_h_n.T, grad_c_n.T.reshape(-1)
    for t in range(steps - 1, -1, -1):
        grad_h = grad_h + grad_y[t].T
        grad_h = grad_h.reshape(-1)
        grad_c = grad_c + grad_h * h_by_c[t]
        grad_net = by_net[t] * grad_c
        grad_net[3] = by_net[t, 3] * grad_h
        grad_column = grad_net.reshape(4 * n, batch)
        grad_nets[:, t] = grad_column
        grad_h = back @ grad_column
        grad_c = grad_c * f[t]
    grad_columns = grad_nets.reshape(4 * n, -1)                                 # (32, 20)
    grad_weight_ih = grad_columns @ x.reshape(-1, x.shape[-1])                  # (32, 8)
    grad_weight_hh = grad_columns @ told[before:before + steps].reshape(-1, r)  # (32, 8)
    grad_bias_ih = grad_columns.sum(axis=1)                                     # (32,)
    grad_x = (grad_columns.T @ weight_ih).reshape(x.shape)                      # (5, 4, 8)

    return grad_x, grad_weight_ih, grad_weight_hh, grad_bias_ih


def step(params, state, x, target, *, lr=0.01):
    """One step: change the arrays in params and state in place, and return the loss."""
    if x.shape != (4, 5) or x.dtype != "int64":
        raise ValueError(f"This step was spelled for x (4, 5) int64, but {x.shape} {x.dtype} came.")
    if target.shape != (4, 5) or target.dtype != "int64":
        raise ValueError(f"This step was spelled for target (4, 5) int64, but {target.shape} {target.dtype} came.")

    embedding_weight  = params["embedding.weight"]   # (11, 8)
    head_weight       = params["head.weight"]        # (11, 8)
    head_bias         = params["head.bias"]          # (11,)
    lstm_weight_ih_l0 = params["lstm.weight_ih_l0"]  # (32, 8)
    lstm_weight_hh_l0 = params["lstm.weight_hh_l0"]  # (32, 8)
    lstm_bias_ih_l0   = params["lstm.bias_ih_l0"]    # (32,)
    lstm_bias_hh_l0   = params["lstm.bias_hh_l0"]    # (32,)
    lstm_weight_ih_l1 = params["lstm.weight_ih_l1"]  # (32, 8)
    lstm_weight_hh_l1 = params["lstm.weight_hh_l1"]  # (32, 8)
    lstm_bias_ih_l1   = params["lstm.bias_ih_l1"]    # (32,)
    lstm_bias_hh_l1   = params["lstm.bias_hh_l1"]    # (32,)

    # ---- forward -----------------------------------------------------------------------------------------------------

    # embedding: Look up rows of a table: y[n] = weight[index[n]].
    embedding_count = embedding_weight.shape[0]
    embedding = embedding_weight[in_range(x, embedding_count, None)]  # (4, 5, 8)

    # lstm_permute: The axes in another order.
    lstm_permute_back = np.argsort([axis % embedding.ndim for axis in (1, 0, 2)])  # (3,)
    lstm_permute = np.transpose(embedding, (1, 0, 2))                              # (5, 4, 8)

    lstm_l0_y, lstm_l0_saved = lstm_layer(
        lstm_permute, lstm_weight_ih_l0, lstm_weight_hh_l0, lstm_bias_ih_l0, lstm_bias_hh_l0
    )  # (5, 4, 8)
    lstm_l1_y, lstm_l1_saved = lstm_layer(
        lstm_l0_y, lstm_weight_ih_l1, lstm_weight_hh_l1, lstm_bias_ih_l1, lstm_bias_hh_l1
    )  # (5, 4, 8)

    # lstm
    lstm_back = np.argsort([axis % lstm_l1_y.ndim for axis in (1, 0, 2)])  # (3,)
    lstm = np.transpose(lstm_l1_y, (1, 0, 2))                              # (4, 5, 8)

    # head: Weigh the inputs and add the bias: y = x Wᵀ + b.
    # all rows at once: a stack of small products would take half as long again
    head = (lstm.reshape(-1, lstm.shape[-1]) @ head_weight.T).reshape(
        *lstm.shape[:-1], head_weight.shape[0]
    )  # (4, 5, 11)
    head = head + head_bias  # (4, 5, 11)

    # reshape: The same elements, in the same order, in another shape.
    reshape_old = head.shape
    reshape = head.reshape((20, 11))  # (20, 11)

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

    # reshape: Nothing was computed, so the gradient only takes its old shape again.
    grad_head = grad_reshape.reshape(reshape_old)  # (4, 5, 11)

    # head
    #     1. y_no = Σ_i x_ni w_oi + b_o
    #     2. ∂loss/∂x_ni = Σ_o g_no w_oi: each input hears from every output, as loudly as it is weighed there
    #     3. ∂loss/∂w_oi = Σ_n g_no x_ni: a weight matters where its input was large and its output is wanted otherwise
    #     4. ∂loss/∂b_o = Σ_n g_no; this sum is the engine's, since b was repeated for every row
    head_rows = grad_head.reshape(-1, grad_head.shape[-1])             # (20, 11)
    grad_lstm = (head_rows @ head_weight).reshape(lstm.shape)          # (4, 5, 8)
    grad_head_weight = head_rows.T @ lstm.reshape(-1, lstm.shape[-1])  # (11, 8)
    grad_head_bias = grad_head.sum(axis=(0, 1))                        # (11,)

    # lstm: The axes go back to where they were.
    grad_lstm_l1_y = np.transpose(grad_lstm, lstm_back)  # (5, 4, 8)

    grad_lstm_l0_y, grad_lstm_weight_ih_l1, grad_lstm_weight_hh_l1, grad_lstm_bias_ih_l1 = lstm_layer_backward(
        grad_lstm_l1_y, lstm_l1_saved
    )
    grad_lstm_permute, grad_lstm_weight_ih_l0, grad_lstm_weight_hh_l0, grad_lstm_bias_ih_l0 = lstm_layer_backward(
        grad_lstm_l0_y, lstm_l0_saved
    )

    # lstm_permute
    grad_embedding = np.transpose(grad_lstm_permute, lstm_permute_back)  # (4, 5, 8)

    # embedding
    #     1. y_n is the row w_t with t = index[n], so it hands its gradient on to that row unchanged
    #     2. ∂loss/∂w_t = Σ over all n with index[n] = t of g_n: a word that comes twice moves the loss twice
    #     3. the row of the padding is not learned, so what it is told is not heard
    #     4. with scale_grad_by_freq the sum becomes a mean, which is no derivative: common words learn as slowly as
    #        rare ones
    grad_embedding_weight = sum_rows(grad_embedding, x, embedding_count)  # (11, 8)

    # ---- update ------------------------------------------------------------------------------------------------------

    gradients = {
        "embedding.weight":  grad_embedding_weight,
        "head.weight":       grad_head_weight,
        "head.bias":         grad_head_bias,
        "lstm.weight_ih_l0": grad_lstm_weight_ih_l0,
        "lstm.weight_hh_l0": grad_lstm_weight_hh_l0,
        "lstm.bias_ih_l0":   grad_lstm_bias_ih_l0,
        "lstm.bias_hh_l0":   grad_lstm_bias_ih_l0,
        "lstm.weight_ih_l1": grad_lstm_weight_ih_l1,
        "lstm.weight_hh_l1": grad_lstm_weight_hh_l1,
        "lstm.bias_ih_l1":   grad_lstm_bias_ih_l1,
        "lstm.bias_hh_l1":   grad_lstm_bias_ih_l1,
    }
    for name, grad in gradients.items():
        adam(params[name], grad, state[name + ".exp_avg"], state[name + ".exp_avg_sq"], state[name + ".step"], lr=lr)

    return loss

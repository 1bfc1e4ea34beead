"""A step of mlp_adam."""

import math

import numpy as np


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


def relu(x):
    """Keep what is above zero: y = max(x, 0).

    x (...) -> y (...)

    Source: Nair & Hinton 2010, section 2.
    """
    # against an array of zeros, not the number 0: NumPy then takes its vectorized loop, three times as fast
    y = np.maximum(x, np.zeros_like(x))
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


def relu_backward(grad_y, y):
    """
    1. above zero the slope is 1, below it 0
    2. at zero there is a corner, and we take 0, as PyTorch does; so the gradient passes just where y > 0
    """
    grad_x = grad_y * (y > 0)
    return grad_x


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
    if x.shape != (8, 6) or x.dtype != "float32":
        raise ValueError(f"This step was spelled for x (8, 6) float32, but {x.shape} {x.dtype} came.")
    if target.shape != (8,) or target.dtype != "int64":
        raise ValueError(f"This step was spelled for target (8,) int64, but {target.shape} {target.dtype} came.")
    if target.min() < 0 or target.max() >= 3:
        raise ValueError("This step was spelled for target from 0 to 2; others came.")

    fc1_weight = params["fc1.weight"]  # (5, 6)
    fc1_bias   = params["fc1.bias"]    # (5,)
    fc2_weight = params["fc2.weight"]  # (3, 5)
    fc2_bias   = params["fc2.bias"]    # (3,)

    # ---- forward -----------------------------------------------------------------------------------------------------

    fc1 = linear(x, fc1_weight, fc1_bias)                          # (8, 5)
    relu_out = relu(fc1)                                           # (8, 5)
    fc2 = linear(relu_out, fc2_weight, fc2_bias)                   # (8, 3)
    loss, loss_log_p, loss_rows = mean_cross_entropy(fc2, target)  # ()

    # ---- backward ----------------------------------------------------------------------------------------------------

    # ∂loss / ∂loss
    grad_loss = np.ones_like(loss)                                                    # ()
    grad_fc2 = mean_cross_entropy_backward(grad_loss, loss_log_p, loss_rows, target)  # (8, 3)
    grad_relu_out, grad_fc2_weight, grad_fc2_bias_each = linear_backward(grad_fc2, relu_out, fc2_weight)
    grad_fc2_bias = grad_fc2_bias_each.sum(axis=0)                                    # (3,)
    grad_fc1 = relu_backward(grad_relu_out, relu_out)                                 # (8, 5)
    _, grad_fc1_weight, grad_fc1_bias_each = linear_backward(grad_fc1, x, fc1_weight)
    grad_fc1_bias = grad_fc1_bias_each.sum(axis=0)                                    # (5,)

    # ---- update ------------------------------------------------------------------------------------------------------

    gradients = {
        "fc1.weight": grad_fc1_weight,
        "fc1.bias":   grad_fc1_bias,
        "fc2.weight": grad_fc2_weight,
        "fc2.bias":   grad_fc2_bias,
    }
    for name, grad in gradients.items():
        adam(params[name], grad, state[name + ".exp_avg"], state[name + ".exp_avg_sq"], state[name + ".step"], lr=lr)

    return loss

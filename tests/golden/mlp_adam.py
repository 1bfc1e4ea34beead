"""A step of mlp_adam."""

import math

import numpy as np


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

    # fc1: Weigh the inputs and add the bias: y = x Wᵀ + b.
    fc1 = x @ fc1_weight.T  # (8, 5)
    fc1 = fc1 + fc1_bias    # (8, 5)

    # relu: Keep what is above zero: y = max(x, 0).
    # against an array of zeros, not the number 0: NumPy then takes its vectorized loop, three times as fast
    relu = np.maximum(fc1, np.zeros_like(fc1))  # (8, 5)

    # fc2
    fc2 = relu @ fc2_weight.T  # (8, 3)
    fc2 = fc2 + fc2_bias       # (8, 3)

    # loss: Average over a batch what the true class was given: loss = -(1/n) Σᵢ log pᵢ[tᵢ] with p = softmax(logits).
    # only differences between logits count; with the largest of a row at 0, exp cannot overflow
    loss_z = fc2 - fc2.max(axis=1, keepdims=True)                            # (8, 3)
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
    loss_share = grad_loss / len(loss_rows)     # ()
    grad_fc2 = loss_share * np.exp(loss_log_p)  # (8, 3)
    grad_fc2[loss_rows, target] -= loss_share

    # fc2
    #     1. y_no = Σ_i x_ni w_oi + b_o
    #     2. ∂loss/∂x_ni = Σ_o g_no w_oi: each input hears from every output, as loudly as it is weighed there
    #     3. ∂loss/∂w_oi = Σ_n g_no x_ni: a weight matters where its input was large and its output is wanted otherwise
    #     4. ∂loss/∂b_o = Σ_n g_no; this sum is the engine's, since b was repeated for every row
    grad_relu = grad_fc2 @ fc2_weight     # (8, 5)
    grad_fc2_weight = grad_fc2.T @ relu   # (3, 5)
    grad_fc2_bias = grad_fc2.sum(axis=0)  # (3,)

    # relu
    #     1. above zero the slope is 1, below it 0
    #     2. at zero there is a corner, and we take 0, as PyTorch does; so the gradient passes just where y > 0
    grad_fc1 = grad_relu * (relu > 0)  # (8, 5)

    # fc1
    grad_fc1_weight = grad_fc1.T @ x      # (5, 6)
    grad_fc1_bias = grad_fc1.sum(axis=0)  # (5,)

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

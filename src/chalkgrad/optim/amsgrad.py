"""AMSGrad: Adam that divides by the largest √v so far, so that rare large gradients are not forgotten.

In Adam v fades, and a parameter's pace can grow again; there are simple problems on which Adam then never arrives
(Reddi, Kale & Kumar 2018). It is an option of Adam and AdamW: amsgrad=True.
"""

import math

import numpy as np

from ..ops.update import update_rule

__all__ = ["amsgrad"]


@update_rule
def amsgrad(
    param, grad, m, v, v_max, t, *,
    lr, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0, decoupled=False, maximize=False,
):
    """Step as Adam does, but by the largest v that there was: θ ← θ - lr · m̂ / (√v̂_max + ε).

    m, v, v_max  running means of g and of g², and the largest v, zeros at first
    t            the number of steps, an array without axes
    decoupled    take weight decay as AdamW does, and not as Adam

    Source: Reddi, Kale & Kumar 2018, Algorithm 2. As in PyTorch m and v_max are corrected for their start at zero; the
    paper corrects neither.

    >>> from chalkgrad import tensor, zeros
    >>> param, m, v, v_max, t = zeros(1), zeros(1), zeros(1), zeros(1), zeros()
    >>> for g in [8.0, 0.0]:
    ...     amsgrad(param, tensor([g]), m, v, v_max, t, lr=0.25, beta2=0.5)
    >>> v, v_max
    (tensor([16.]), tensor([32.]))
    """
    g = -grad if maximize else grad
    if decoupled:
        param *= 1 - lr * weight_decay
    elif weight_decay != 0:
        g = g + weight_decay * param
    t += 1
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * g * g
    v_max[...] = np.maximum(v_max, v)
    # m and v started at zero; after t steps they are too small by these factors
    correction1 = 1 - beta1 ** float(t)
    correction2 = 1 - beta2 ** float(t)
    size = np.sqrt(v_max)
    size /= math.sqrt(correction2)
    size += eps
    param -= lr / correction1 * m / size

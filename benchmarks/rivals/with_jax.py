"""JAX, with the whole step under jit and the old parameters given away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from ..harness.work import Missing
from ..training import Task
from .models import LOSSES
from .optimizers import rule
from .words import Words

__all__ = ["step"]

BUFFERS = ("running_mean", "running_var", "num_batches_tracked", "ahead")


class InJax(Words):
    """What JAX has of its own, and the running statistics that a step leaves behind."""

    def __init__(self) -> None:
        super().__init__(jnp)
        self.relu, self.log_softmax = jax.nn.relu, jax.nn.log_softmax
        self.left: dict[str, Any] = {}

    def gelu(self, x: Any) -> Any:
        return jax.nn.gelu(x, approximate=False)

    def conv(self, x: Any, weight: Any, bias: Any, stride: int = 1, padding: int = 0, dilation: int = 1) -> Any:
        n = x.ndim - 2
        letters = ("NCHW", "OIHW", "NCHW") if n == 2 else ("NCH", "OIH", "NCH")
        y = lax.conv_general_dilated(x, weight, [stride] * n, [(padding, padding)] * n, rhs_dilation=[dilation] * n,
                                     dimension_numbers=letters)
        return y if bias is None else y + bias.reshape(-1, *[1] * n)

    def conv_transpose(self, x: Any, weight: Any, bias: Any, stride: int, padding: int) -> Any:
        ends = weight.shape[-1] - 1 - padding
        y = lax.conv_general_dilated(x, weight[:, :, ::-1, ::-1], (1, 1), [(ends, ends)] * 2, (stride, stride),
                                     dimension_numbers=("NCHW", "IOHW", "NCHW"))
        return y + bias.reshape(-1, 1, 1)

    def max_pool(self, x: Any) -> Any:
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

    def batch_norm(self, p: Any, name: str, x: Any) -> Any:
        mean, var, n = x.mean((0, 2, 3)), x.var((0, 2, 3)), x.size // x.shape[1]
        for kind, now in (("running_mean", mean), ("running_var", var * (n / (n - 1)))):
            self.left[f"{name}.{kind}"] = 0.9 * p[f"{name}.{kind}"] + 0.1 * lax.stop_gradient(now)
        scale = p[f"{name}.weight"] * lax.rsqrt(var + 1e-5)
        return x * scale[:, None, None] + (p[f"{name}.bias"] - mean * scale)[:, None, None]

    def causal_attention(self, q: Any, k: Any, v: Any) -> Any:
        scores = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
        ahead = jnp.triu(jnp.ones(scores.shape[-2:], bool), 1)
        return jax.nn.softmax(jnp.where(ahead, -jnp.inf, scores)) @ v

    def lstm(self, x: Any, weight_x: Any, weight_h: Any, bias_x: Any, bias_h: Any) -> Any:
        def cell(carried: Any, given: Any) -> Any:
            h, c = carried
            i, f, g, o = jnp.split(given + h @ weight_h.T, 4, -1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        none = jnp.zeros((x.shape[0], weight_h.shape[1]), x.dtype)
        given = (x @ weight_x.T + (bias_x + bias_h)).swapaxes(0, 1)  # the input's share, for all times in one product
        return lax.scan(cell, (none, none), given)[1].swapaxes(0, 1)

    def gru(self, x: Any, weight_x: Any, weight_h: Any, bias_x: Any, bias_h: Any) -> Any:
        def cell(h: Any, given: Any) -> Any:
            from_h = h @ weight_h.T + bias_h
            (r, z, n), (hr, hz, hn) = jnp.split(given, 3, -1), jnp.split(from_h, 3, -1)
            r, z = jax.nn.sigmoid(r + hr), jax.nn.sigmoid(z + hz)
            n = jnp.tanh(n + r * hn)
            h = (1 - z) * n + z * h
            return h, h

        given = (x @ weight_x.T + bias_x).swapaxes(0, 1)
        return lax.scan(cell, jnp.zeros((x.shape[0], weight_h.shape[1]), x.dtype), given)[1].swapaxes(0, 1)


def step(name: str, start: dict[str, Any], task: Task) -> Callable[[], Any]:
    """Build the step; parameters, statistics and the optimizer's state travel through it from call to call."""
    if name not in LOSSES:
        raise Missing
    update = rule(*task.optimizer)
    held = {path: array for path, array in start.items() if path.endswith(BUFFERS)}
    params = {path: (array, np.zeros_like(array), np.zeros_like(array)) for path, array in start.items()
              if path not in held}

    def loss(values: Any, held: Any, x: Any, target: Any) -> Any:
        words = InJax()
        return LOSSES[name](words, values | held, x, target), words.left

    def work(params: Any, held: Any, t: Any, x: Any, target: Any) -> Any:
        values = {path: array for path, (array, *_) in params.items()}
        (found, left), grads = jax.value_and_grad(loss, has_aux=True)(values, held, x, target)
        new = {path: update(array, grads[path], m, v, t) for path, (array, m, v) in params.items()}
        return found, new, held | left, t + 1

    jitted = jax.jit(work, donate_argnums=(0, 1, 2))
    batch = jax.device_put(task.batch)
    carried = jax.device_put((params, held, np.float32(1)))

    def run() -> Any:
        nonlocal carried
        found, *carried = jitted(*carried, *batch)
        return jax.block_until_ready((found, carried))[0]

    return run

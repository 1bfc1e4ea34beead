"""GRU: a recurrent unit that decides at every step how much of its state to replace, and by what.

Cho et al. (2014) found that two gates do most of what an LSTM's three do: the update gate z keeps the state or replaces
it, and the reset gate r lets what replaces it start afresh.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .recurrent import Input, Recurrent, awake_at, sigmoid

__all__ = ["GRU", "gru"]


@primitive
def gru(x, h0, weight_ih, weight_hh, bias_ih=None, bias_hh=None, lengths=None, *, reverse=False):
    """Read a sequence step by step into a state, partly kept and partly new: h_t = z h_t-1 + (1 - z) h̃.

    x (t, b, e), h0 (b, n), weight_ih (3n, e), weight_hh (3n, n), bias_ih (3n), bias_hh (3n), lengths (b) \
    -> y (t, b, n), h_n (b, n)

    h0       the state before the first step; zeros, if None
    lengths  the steps of each sequence, if they differ; beyond its own, a sequence keeps the state that it has
    reverse  read from the end; y_t then tells of the steps from t on, and h_n belongs to the first

    The three blocks of n rows in the weights and biases are those of r, z and h̃. There are two biases, or none.

    Source: Cho et al. 2014, eq. 5 to 8. There r weighs the state before it is multiplied by weights,
    h̃ = tanh(W x + U (r h)); here, as in PyTorch, after it, h̃ = tanh(W x + b_ih + r (U h + b_hh)), so that one matrix
    product serves all three.

    >>> from chalkgrad import tensor
    >>> x = tensor([[[1.0]], [[0.0]], [[0.0]]])
    >>> write, keep = tensor([[0.0], [-18.0], [9.0]]), tensor([0.0, 9.0, 0.0])
    >>> y, h_n = gru(x, None, write, tensor([[0.0]] * 3), keep, tensor([0.0] * 3))
    >>> y[:, 0, 0]  # what was written at the first step is still there at the last
    tensor([0.9999, 0.9998, 0.9996])
    """
    steps, batch = x.shape[:2]
    n = weight_hh.shape[1]
    # Inside, each sequence is a column, as one writes W h on paper: BLAS is up to twice as fast so as with rows.
    # What the inputs tell the gates, at all steps at once; the loop puts in its place how far the gates open.
    gates = weight_ih @ np.swapaxes(x, 1, 2)
    if bias_ih is not None:
        gates += np.broadcast_to(bias_ih.reshape(-1, 1), (3 * n, batch)).copy()
    bias = np.zeros_like(x, shape=(3 * n, batch))
    if bias_hh is not None:
        bias = np.broadcast_to(bias_hh.reshape(-1, 1), (3 * n, batch)).copy()
    # What was told before and after every step: one more than there are steps.
    told     = np.empty_like(x, shape=(steps + 1, batch, n))
    recalled = np.empty_like(x, shape=(steps, n, batch))
    start, after = (steps, 0) if reverse else (0, 1)
    h = np.zeros_like(x, shape=(n, batch)) if h0 is None else h0.T
    if lengths is not None:
        awake = awake_at(lengths, steps)
    told[start] = h.T
    for t in range(steps - 1, -1, -1) if reverse else range(steps):
        u = weight_hh @ h + bias
        opened = sigmoid(gates[t, :2 * n] + u[:2 * n])
        r, z = opened.reshape(2, n, batch)
        new = np.tanh(gates[t, 2 * n:] + r * u[2 * n:])
        h = new + z * (h - new)
        if lengths is not None:
            h = np.where(awake[t], h, told[t + 1 - after].T)
        gates[t, :2 * n] = opened
        gates[t, 2 * n:] = new
        recalled[t] = u[2 * n:]
        told[t + after] = h.T
    y = told[after:after + steps]
    h_n = h.T
    return y, h_n


@gru.backward
def gru_backward(
    grad_y, grad_h_n, x, weight_ih, weight_hh, lengths, gates, told, recalled, after, steps, batch, n, reverse
):
    """
    1. net = W x_t + b_ih and u = U h_t-1 + b_hh, each with rows for r, z and h̃; r, z = σ(net + u);
       h̃ = tanh(net + r u); h_t = h̃ + z (h_t-1 - h̃)
    2. ∂h_t/∂h̃ = 1 - z, and by what tanh was taken of: that · (1 - h̃²) =: δ
    3. ∂h_t/∂z = h_t-1 - h̃, and ∂h_t/∂r = δ u;  by what σ was taken of: that · s (1 - s)
    4. net and u are added, so these are the derivatives by both; only h̃ sees u through r, so there u gets δ r
    5. all this needs nothing from later steps, and is computed for all steps at once. h_t moves the loss as y_t, and
       through the next step; so we go from the last step to the first, and the first thing to arrive is the gradient
       by h_n
    6. ∂loss/∂h_t-1 = z · ∂loss/∂h_t, directly: a state that is kept keeps its error; plus Uᵀ ∂loss/∂u
    7. the weights are those of every step, so they collect from all: ∂loss/∂W = Σ_t ∂loss/∂net_t x_tᵀ,
       ∂loss/∂U = Σ_t ∂loss/∂u_t h_t-1ᵀ: one matrix product for all steps and sequences
    8. ∂loss/∂b_ih = Σ_t ∂loss/∂net_t,  ∂loss/∂b_hh = Σ_t ∂loss/∂u_t,  ∂loss/∂x_t = Wᵀ ∂loss/∂net_t
    9. where a sequence is not read, h_t = h_t-1, as if z were 1: then 1 - z and z (1 - z) are 0, so that nothing moves
       the loss there, and the error goes on as it is
    """
    h_before = np.swapaxes(told[1 - after:1 - after + steps], 1, 2)
    r, z, new = np.swapaxes(gates.reshape(steps, 3, n, batch), 0, 1)
    if lengths is not None:
        z = np.where(awake_at(lengths, steps)[:, None], z, np.ones_like(z))
    delta = (1 - z) * (1 - new * new)
    by_u = np.empty_like(gates, shape=(steps, 3, n, batch))
    by_u[:, 0] = delta * recalled * (r * (1 - r))
    by_u[:, 1] = (h_before - new) * (z * (1 - z))
    by_u[:, 2] = delta * r
    grad_us   = np.empty_like(gates, shape=(3 * n, steps, batch))
    grad_news = np.empty_like(gates, shape=(n, steps, batch))  # by the last rows of net; the others are those of u
    back = weight_hh.T.copy()  # turned round once; BLAS would have to do it at every step
    grad_h = grad_h_n.T
    for t in range(steps) if reverse else range(steps - 1, -1, -1):
        grad_h = grad_h + grad_y[t].T
        grad_column = (by_u[t] * grad_h).reshape(3 * n, batch)
        grad_us[:, t] = grad_column
        grad_news[:, t] = delta[t] * grad_h
        grad_h = grad_h * z[t] + back @ grad_column
    grad_h0 = grad_h.T
    grad_u_columns = grad_us.reshape(3 * n, -1)
    grad_columns   = np.concatenate([grad_u_columns[:2 * n], grad_news.reshape(n, -1)])
    grad_weight_ih = grad_columns @ x.reshape(-1, x.shape[-1])
    grad_weight_hh = grad_u_columns @ told[1 - after:1 - after + steps].reshape(-1, n)
    grad_bias_ih   = grad_columns.sum(axis=1)
    grad_bias_hh   = grad_u_columns.sum(axis=1)
    grad_x         = (grad_columns.T @ weight_ih).reshape(x.shape)
    return grad_x, grad_h0, grad_weight_ih, grad_weight_hh, grad_bias_ih, grad_bias_hh


@gru.examples
def gru_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Three steps; from the end; neither a state nor biases; sequences of other lengths; a single step."""
    draw = rng.standard_normal
    weights, biases = [draw((9, 4)), draw((9, 3))], [draw(9), draw(9)]
    return [
        (draw((3, 2, 4)), draw((2, 3)), *weights, *biases),
        (draw((3, 2, 4)), draw((2, 3)), *weights, *biases, {"reverse": True}),
        (draw((3, 2, 4)), None, *weights, None, None),
        (draw((3, 2, 4)), draw((2, 3)), *weights, *biases, np.array([3, 1])),
        (draw((3, 2, 4)), draw((2, 3)), *weights, *biases, np.array([3, 1]), {"reverse": True}),
        (draw((1, 1, 1)), draw((1, 2)), draw((6, 1)), draw((6, 2)), draw(6), draw(6)),
    ]


class GRU(Recurrent):
    """Layers of gated units: y (t, b, n), and the last h of every layer and direction.

    The rows of the weights are those of r, z and the new state. The arguments are explained at `Recurrent`.

    Raises TypeError for sizes that are no whole numbers, ValueError for sizes below 1.

    >>> import chalkgrad as cg
    >>> y, h_n = GRU(input_size=5, hidden_size=3, bidirectional=True)(cg.ones(7, 4, 5))
    >>> y.shape, h_n.shape
    ((7, 4, 6), (2, 4, 3))
    """

    gates = 3

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, dtype: Any = np.float32,
    ) -> None:
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype)

    def read(
        self, x: Tensor, states: Sequence[Any], weights: Sequence[Any], lengths: Tensor | None, reverse: bool
    ) -> tuple[Tensor, ...]:
        """Run one layer in one direction."""
        made: tuple[Tensor, ...] = gru(x, *states, *weights, lengths, reverse=reverse)
        return made

    def forward(self, input: Input, hx: Tensor | None = None) -> tuple[Input, Tensor]:
        """input (t, b, i), hx (layers · directions, b, hidden_size) -> y (t, b, directions · hidden_size), h_n.

        The state hx is zeros if not given, and h_n is shaped like it. With batch_first, x and y are (b, t, ...).
        Without a batch, all are without b. If x is a PackedSequence, so is y.
        """
        y, (h_n,) = self.run(input, None if hx is None else [hx])
        return y, h_n

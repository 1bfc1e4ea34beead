"""LSTM: a memory cell with gates, which learn when to write, when to keep, and when to tell.

A plain recurrent network forgets: on its way back through time a gradient is multiplied at every step, and fades or
bursts. The cell of Hochreiter & Schmidhuber (1997) is not multiplied but added to, so an error lasts in it: the
"constant error carousel". Gates that look at the input and at the last output open and close it; that it may also
forget, they learned from Gers, Schmidhuber & Cummins (2000).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .recurrent import WEIGHTS, Input, Recurrent, awake_at

__all__ = ["LSTM", "lstm"]


@primitive
def lstm(
    x, h0, c0, weight_ih, weight_hh, bias_ih=None, bias_hh=None, weight_hr=None, lengths=None, *, reverse=False
):
    """Read a sequence step by step into a memory, and tell of it: c_t = f c_t-1 + i g, h_t = o tanh(c_t).

    x (t, b, e), h0 (b, r), c0 (b, n), weight_ih (4n, e), weight_hh (4n, r), bias_ih (4n), bias_hh (4n), \
    weight_hr (r, n), lengths (b) -> y (t, b, r), h_n (b, r), c_n (b, n)

    h0, c0     what was told and remembered before the first step; zeros, if None
    weight_hr  if given, what is told is projected to fewer numbers: h_t = W_hr (o tanh(c_t)); without it, r is n
    lengths    the steps of each sequence, if they differ; beyond its own, a sequence keeps the states that it has
    reverse    read from the end; y_t then tells of the steps from t on, and h_n, c_n belong to the first

    The four blocks of n rows in the weights and biases are those of i, f, g and o. There are two biases, or none.

    Source: Hochreiter & Schmidhuber 1997, section 4, where i is yⁱⁿ, o is yᵒᵘᵗ, c is s_c and h is yᶜ; the forget gate
    f, yᵠ: Gers, Schmidhuber & Cummins 2000, section 3. There what is written is squashed to between -2 and 2; here, as
    in PyTorch and as is usual since, by tanh. The projection: Sak, Senior & Beaufays 2014, their r_t.

    >>> from chalkgrad import tensor
    >>> x = tensor([[[1.0]], [[0.0]], [[0.0]]])
    >>> write, shut = tensor([[9.0], [0.0], [9.0], [0.0]]), tensor([-4.0, 9.0, 0.0, 9.0])
    >>> y, h_n, c_n = lstm(x, None, None, write, tensor([[0.0]] * 4), shut, tensor([0.0] * 4))
    >>> y[:, 0, 0]  # what was written at the first step is still there at the last
    tensor([0.7587, 0.7586, 0.7586])
    """
    steps, batch = x.shape[:2]
    n, r = weight_hh.shape[0] // 4, weight_hh.shape[1]
    # Inside, each sequence is a column, as one writes W h on paper: BLAS is up to twice as fast so as with rows.
    # What the inputs tell the gates, at all steps at once; the loop puts in its place how far the gates open.
    gates = weight_ih @ np.swapaxes(x, 1, 2)
    if bias_ih is not None:
        gates += np.broadcast_to((bias_ih + bias_hh).reshape(-1, 1), (4 * n, batch)).copy()
    # i, f and o open from 0, by a sigmoid, and g from -1, by tanh; σ(z) = (1 + tanh(z/2)) / 2, so one tanh does it all.
    low = np.zeros_like(x, shape=(4, 1))
    low[2] = -1
    middle, half = (1 + low) / 2, (1 - low) / 2
    # What was told and remembered before and after every step: one more than there are steps.
    told  = np.empty_like(x, shape=(steps + 1, batch, r))
    cells = np.empty_like(x, shape=(steps + 1, n * batch))
    start, after = (steps, 0) if reverse else (0, 1)
    h = np.zeros_like(x, shape=(r, batch)) if h0 is None else h0.T
    c = np.zeros_like(x, shape=n * batch) if c0 is None else c0.T.reshape(-1)
    told[start] = h.T
    cells[start] = c
    if lengths is not None:
        awake = awake_at(lengths, steps)
        of_cells = np.tile(awake, (1, n))
    for t in range(steps - 1, -1, -1) if reverse else range(steps):
        net = (gates[t] + weight_hh @ h).reshape(4, -1)
        opened = middle + half * np.tanh(half * net)
        i, f, g, o = opened
        c = f * c + i * g
        h = (o * np.tanh(c)).reshape(n, batch)
        if weight_hr is not None:
            h = weight_hr @ h
        if lengths is not None:
            h = np.where(awake[t], h, told[t + 1 - after].T)
            c = np.where(of_cells[t], c, cells[t + 1 - after])
        gates[t] = opened.reshape(4 * n, batch)
        cells[t + after] = c
        told[t + after] = h.T
    y = told[after:after + steps]
    h_n, c_n = h.T, c.reshape(n, batch).T
    return y, h_n, c_n


@lstm.backward
def lstm_backward(
    grad_y, grad_h_n, grad_c_n, x, weight_ih, weight_hh, weight_hr, lengths, gates, told, cells, after, steps, batch, n,
    r, reverse,
):
    """
    1. net = W_ih x_t + W_hh h_t-1 + b; i, f, o = σ(net) and g = tanh(net), each in its rows; c_t = f c_t-1 + i g;
       h_t = o tanh(c_t)
    2. a sigmoid s has the slope s (1 - s), and g, a tanh, 1 - g². So ∂c_t/∂net = g · i (1 - i) in the rows of i,
       c_t-1 · f (1 - f) in those of f, i · (1 - g²) in those of g; and ∂h_t/∂net = tanh(c_t) · o (1 - o) in those of o
    3. ∂h_t/∂c_t = o (1 - tanh² c_t). All this needs nothing from later steps, and is computed for all steps at once
    4. h_t moves the loss as y_t, and through the next step; so we go from the last step to the first, and the first
       to arrive are the gradients by h_n and c_n
    5. ∂loss/∂c_t = what came from step t+1, plus ∂loss/∂h_t · ∂h_t/∂c_t
    6. ∂loss/∂h_t-1 = W_hhᵀ ∂loss/∂net: by the same weights, over and over. But ∂loss/∂c_t-1 = f · ∂loss/∂c_t: where
       the forget gate is open, the error stays as it is. This is what the cell is for
    7. the weights are those of every step, so they collect from all: ∂loss/∂W_ih = Σ_t ∂loss/∂net_t x_tᵀ,
       ∂loss/∂W_hh = Σ_t ∂loss/∂net_t h_t-1ᵀ: one matrix product for all steps and sequences
    8. ∂loss/∂b = Σ_t ∂loss/∂net_t for both biases;  ∂loss/∂x_t = W_ihᵀ ∂loss/∂net_t
    9. with a projection, h_t = W_hr m_t and m_t = o tanh(c_t): in 2 and 3 m_t stands for h_t,
       ∂loss/∂m_t = W_hrᵀ ∂loss/∂h_t, and ∂loss/∂W_hr = Σ_t ∂loss/∂h_t m_tᵀ
    10. where a sequence is not read, h_t = h_t-1 and c_t = c_t-1, as if f were 1: its net moves nothing, and both
        gradients go on as they are
    """
    before = 1 - after
    i, f, g, o = np.swapaxes(gates.reshape(steps, 4, -1), 0, 1)
    tanh_c = np.tanh(cells[after:after + steps])
    by_net = np.empty_like(gates, shape=(steps, 4, n * batch))
    by_net[:, 0] = g * (i * (1 - i))
    by_net[:, 1] = cells[before:before + steps] * (f * (1 - f))
    by_net[:, 2] = i * (1 - g * g)
    by_net[:, 3] = tanh_c * (o * (1 - o))
    h_by_c = o * (1 - tanh_c * tanh_c)
    if lengths is not None:
        awake = awake_at(lengths, steps)
        of_cells = np.tile(awake, (1, n))
        by_net = by_net * of_cells[:, None]
        f = np.where(of_cells, f, np.ones_like(f))
    if weight_hr is not None:
        grad_hs = np.empty_like(x, shape=(steps, r, batch))
    grad_nets = np.empty_like(gates, shape=(4 * n, steps, batch))
    back = weight_hh.T.copy()  # turned round once; BLAS would have to do it at every step
    grad_h, grad_c = grad_h_n.T, grad_c_n.T.reshape(-1)
    for t in range(steps) if reverse else range(steps - 1, -1, -1):
        grad_h = grad_h + grad_y[t].T
        if lengths is not None:
            kept, grad_h = grad_h * ~awake[t], grad_h * awake[t]
        if weight_hr is not None:
            grad_hs[t] = grad_h
            grad_h = weight_hr.T @ grad_h
        grad_h = grad_h.reshape(-1)
        grad_c = grad_c + grad_h * h_by_c[t]
        grad_net = by_net[t] * grad_c
        grad_net[3] = by_net[t, 3] * grad_h
        grad_column = grad_net.reshape(4 * n, batch)
        grad_nets[:, t] = grad_column
        grad_h = back @ grad_column
        grad_c = grad_c * f[t]
        if lengths is not None:
            grad_h = grad_h + kept
    grad_h0, grad_c0 = grad_h.T, grad_c.reshape(n, batch).T
    grad_columns   = grad_nets.reshape(4 * n, -1)
    grad_weight_ih = grad_columns @ x.reshape(-1, x.shape[-1])
    grad_weight_hh = grad_columns @ told[before:before + steps].reshape(-1, r)
    grad_bias_ih   = grad_columns.sum(axis=1)
    grad_bias_hh   = grad_bias_ih
    grad_x         = (grad_columns.T @ weight_ih).reshape(x.shape)
    if weight_hr is not None:
        m = (o * tanh_c).reshape(steps, n, batch)
        grad_weight_hr = (grad_hs @ np.swapaxes(m, 1, 2)).sum(axis=0)
    return grad_x, grad_h0, grad_c0, grad_weight_ih, grad_weight_hh, grad_bias_ih, grad_bias_hh, grad_weight_hr


@lstm.examples
def lstm_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Three steps; from the end; no states, no biases; projected; sequences of other lengths; a single step."""
    draw = rng.standard_normal
    state, weights, biases = [draw((2, 3)), draw((2, 3))], [draw((12, 4)), draw((12, 3))], [draw(12), draw(12)]
    return [
        (draw((3, 2, 4)), *state, *weights, *biases),
        (draw((3, 2, 4)), *state, *weights, *biases, {"reverse": True}),
        (draw((3, 2, 4)), None, None, *weights, None, None),
        (draw((3, 2, 4)), None, None, draw((12, 4)), draw((12, 2)), *biases, draw((2, 3))),
        (draw((3, 2, 4)), *state, *weights, *biases, None, np.array([3, 1])),
        (draw((3, 2, 4)), draw((2, 1)), draw((2, 3)), draw((12, 4)), draw((12, 1)), None, None, draw((1, 3)),
         np.array([1, 3]), {"reverse": True}),
        (draw((1, 1, 1)), draw((1, 2)), draw((1, 2)), draw((8, 1)), draw((8, 2)), draw(8), draw(8)),
    ]


class LSTM(Recurrent):
    """Layers of memory cells: y (t, b, n), and the last h and c of every layer and direction.

    The rows of the weights are those of the gates i, f, g and o. The other arguments are explained at `Recurrent`.

    proj_size  what is told is projected to this many numbers by `weight_hr_l<k>` (proj_size, hidden_size), if above 0

    Raises TypeError for sizes that are no whole numbers, ValueError for sizes below 1 and a proj_size that is not below
    hidden_size.

    >>> import chalkgrad as cg
    >>> y, (h_n, c_n) = LSTM(input_size=5, hidden_size=3, num_layers=2)(cg.ones(7, 4, 5))
    >>> y.shape, h_n.shape, c_n.shape
    ((7, 4, 3), (2, 4, 3), (2, 4, 3))
    """

    gates = 4
    states = ("h_0", "c_0")
    weights = (*WEIGHTS, "weight_hr")

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, dtype: Any = np.float32,
    ) -> None:
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype, proj_size)

    def read(
        self, x: Tensor, states: Sequence[Any], weights: Sequence[Any], lengths: Tensor | None, reverse: bool
    ) -> tuple[Tensor, ...]:
        """Run one layer in one direction."""
        made: tuple[Tensor, ...] = lstm(x, *states, *weights, lengths, reverse=reverse)
        return made

    def forward(
        self, input: Input, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Input, tuple[Tensor, Tensor]]:
        """input (t, b, input_size), hx (h_0, c_0) -> y (t, b, directions · hidden_size), (h_n, c_n).

        States are (layers · directions, b, hidden_size), and zeros if not given; of y, h_0 and h_n, proj_size takes the
        place of hidden_size. With batch_first, x and y are (b, t, ...). Without a batch, all are without b. If x is a
        PackedSequence, so is y.
        """
        if hx is not None and not (isinstance(hx, tuple | list) and len(hx) == 2):
            raise TypeError(f"LSTM: hx is a pair (h_0, c_0), but {type(hx).__name__} came.")
        y, (h_n, c_n) = self.run(input, hx)
        return y, (h_n, c_n)

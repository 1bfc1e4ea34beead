"""RNN: a layer that is also given what it said one step before.

Elman (1990) let a network read sentences word by word, with a copy of its hidden units among its inputs: what these
"context units" hold is all that it knows of the words before, and it learned to make that enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from .recurrent import Input, Recurrent, awake_at

__all__ = ["RNN", "check_nonlinearity", "rnn"]


@primitive
def rnn(
    x, h0, weight_ih, weight_hh, bias_ih=None, bias_hh=None, lengths=None, *, nonlinearity="tanh", reverse=False
):
    """Read a sequence step by step into a state: h_t = tanh(W_ih x_t + b_ih + W_hh h_t-1 + b_hh).

    x (t, b, e), h0 (b, n), weight_ih (n, e), weight_hh (n, n), bias_ih (n), bias_hh (n), lengths (b) \
    -> y (t, b, n), h_n (b, n)

    h0            the state before the first step; zeros, if None
    lengths       the steps of each sequence, if they differ; beyond its own, a sequence keeps the state that it has
    nonlinearity  "tanh", or "relu", in which the state is max(0, ...)
    reverse       read from the end; y_t then tells of the steps from t on, and h_n belongs to the first

    There are two biases, or none.

    Source: Elman 1990, figure 2, where h_t-1 are the context units; the biases are PyTorch's.

    >>> from chalkgrad import tensor
    >>> y, h_n = rnn(tensor([[[1.0]], [[0.0]], [[0.0]]]), None, tensor([[1.0]]), tensor([[1.0]]))
    >>> y[:, 0, 0]  # without gates, what was written fades
    tensor([0.7616, 0.642 , 0.5663])
    """
    steps, batch = x.shape[:2]
    n = weight_hh.shape[1]
    # What the inputs tell the units, at all steps at once.
    # Inside, each sequence is a column, as one writes W h on paper: BLAS is up to twice as fast so as with rows.
    nets = weight_ih @ np.swapaxes(x, 1, 2)
    if bias_ih is not None:
        nets += np.broadcast_to((bias_ih + bias_hh).reshape(-1, 1), (n, batch)).copy()
    # What was told before and after every step: one more than there are steps.
    told = np.empty_like(x, shape=(steps + 1, batch, n))
    start, after = (steps, 0) if reverse else (0, 1)
    h = np.zeros_like(x, shape=(n, batch)) if h0 is None else h0.T
    if lengths is not None:
        awake = awake_at(lengths, steps)
    told[start] = h.T
    for t in range(steps - 1, -1, -1) if reverse else range(steps):
        net = weight_hh @ h + nets[t]
        if nonlinearity == "tanh":
            h = np.tanh(net)
        else:
            h = np.maximum(net, np.zeros_like(net))
        if lengths is not None:
            h = np.where(awake[t], h, told[t + 1 - after].T)
        told[t + after] = h.T
    y = told[after:after + steps]
    h_n = h.T
    return y, h_n


@rnn.backward
def rnn_backward(
    grad_y, grad_h_n, x, weight_ih, weight_hh, lengths, told, after, steps, batch, n, nonlinearity, reverse
):
    """
    1. net_t = W_ih x_t + W_hh h_t-1 + b;  h_t = tanh(net_t), or max(0, net_t)
    2. h_t moves the loss as y_t, and through the next step; so we go from the last step to the first, and the first
       thing to arrive is the gradient by h_n
    3. ∂loss/∂net_t = ∂loss/∂h_t · (1 - h_t²); or where h_t > 0 ∂loss/∂h_t itself, and nothing elsewhere
    4. ∂loss/∂h_t-1 = W_hhᵀ ∂loss/∂net_t: the same matrix at every step, so gradients fade or burst with its powers
    5. the weights are those of every step, so they collect from all: ∂loss/∂W_ih = Σ_t ∂loss/∂net_t x_tᵀ,
       ∂loss/∂W_hh = Σ_t ∂loss/∂net_t h_t-1ᵀ: one matrix product for all steps and sequences
    6. ∂loss/∂b = Σ_t ∂loss/∂net_t for both biases;  ∂loss/∂x_t = W_ihᵀ ∂loss/∂net_t
    7. where a sequence is not read, h_t = h_t-1: its net moves nothing, and its gradient goes on as it is
    """
    h = np.swapaxes(told[after:after + steps], 1, 2)
    slopes = 1 - h * h if nonlinearity == "tanh" else (h > 0).astype(x.dtype)  # nothing from later steps: all at once
    if lengths is not None:
        awake = awake_at(lengths, steps)
        slopes = slopes * awake[:, None]
    back = weight_hh.T.copy()  # turned round once; BLAS would have to do it at every step
    grad_nets = np.empty_like(x, shape=(n, steps, batch))
    grad_h = grad_h_n.T
    for t in range(steps) if reverse else range(steps - 1, -1, -1):
        grad_h = grad_h + grad_y[t].T
        grad_net = grad_h * slopes[t]
        grad_nets[:, t] = grad_net
        grad_h = back @ grad_net if lengths is None else back @ grad_net + grad_h * ~awake[t]
    grad_h0 = grad_h.T
    grad_columns   = grad_nets.reshape(n, -1)
    grad_weight_ih = grad_columns @ x.reshape(-1, x.shape[-1])
    grad_weight_hh = grad_columns @ told[1 - after:1 - after + steps].reshape(-1, n)
    grad_bias_ih   = grad_columns.sum(axis=1)
    grad_bias_hh   = grad_bias_ih
    grad_x         = (grad_columns.T @ weight_ih).reshape(x.shape)
    return grad_x, grad_h0, grad_weight_ih, grad_weight_hh, grad_bias_ih, grad_bias_hh


@rnn.examples
def rnn_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Three steps; from the end; by relu; neither a state nor biases; sequences of other lengths; a single step."""
    draw = rng.standard_normal
    weights, biases = [draw((3, 4)), draw((3, 3))], [draw(3), draw(3)]
    return [
        (draw((3, 2, 4)), draw((2, 3)), *weights, *biases),
        (draw((3, 2, 4)), draw((2, 3)), *weights, *biases, {"reverse": True}),
        (draw((3, 2, 4)), draw((2, 3)), *weights, *biases, {"nonlinearity": "relu"}),
        (draw((3, 2, 4)), None, *weights, None, None),
        (draw((3, 2, 4)), draw((2, 3)), *weights, *biases, np.array([3, 1])),
        (draw((3, 2, 4)), draw((2, 3)), *weights, *biases, np.array([3, 1]), {"reverse": True}),
        (draw((1, 1, 1)), draw((1, 2)), draw((2, 1)), draw((2, 2)), draw(2), draw(2)),
    ]


def check_nonlinearity(kind: str, nonlinearity: str) -> None:
    """Raise ValueError for what is neither "tanh" nor "relu"."""
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"{kind}: nonlinearity is 'tanh' or 'relu', but {nonlinearity!r} came.")


class RNN(Recurrent):
    """Layers of plain recurrent units: y (t, b, n), and the last h of every layer and direction.

    nonlinearity  "tanh" or "relu"

    The other arguments are explained at `Recurrent`.

    Raises TypeError for sizes that are no whole numbers, ValueError for sizes below 1 and for other nonlinearities.

    >>> import chalkgrad as cg
    >>> y, h_n = RNN(input_size=5, hidden_size=3, batch_first=True)(cg.ones(4, 7, 5))
    >>> y.shape, h_n.shape
    ((4, 7, 3), (1, 4, 3))
    """

    gates = 1

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, dtype: Any = np.float32,
    ) -> None:
        check_nonlinearity("RNN", nonlinearity)
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype)
        self.nonlinearity = nonlinearity

    def read(
        self, x: Tensor, states: Sequence[Any], weights: Sequence[Any], lengths: Tensor | None, reverse: bool
    ) -> tuple[Tensor, ...]:
        """Run one layer in one direction."""
        made: tuple[Tensor, ...] = rnn(x, *states, *weights, lengths, nonlinearity=self.nonlinearity, reverse=reverse)
        return made

    def forward(self, input: Input, hx: Tensor | None = None) -> tuple[Input, Tensor]:
        """input (t, b, i), hx (layers · directions, b, hidden_size) -> y (t, b, directions · hidden_size), h_n.

        The state hx is zeros if not given, and h_n is shaped like it. With batch_first, x and y are (b, t, ...).
        Without a batch, all are without b. If x is a PackedSequence, so is y.
        """
        y, (h_n,) = self.run(input, None if hx is None else [hx])
        return y, h_n

"""RNNCell, LSTMCell, GRUCell: one step of a recurrent layer, for who writes the loop over time.

A decoder that feeds on its own words, or an agent that acts between two steps, cannot hand in a whole sequence. A cell
is handed one step and the state, and returns the next state: the rule of the layer, on a sequence of one step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ..module import Module, Parameter
from .gru import gru
from .lstm import lstm
from .making import check_dtypes, check_sizes, check_switches, draw_evenly
from .rnn import check_nonlinearity, rnn

__all__ = ["Cell", "GRUCell", "LSTMCell", "RNNCell"]


class Cell(Module):
    """What the cells share: `weight_ih` (gates · hidden_size, input_size), `weight_hh` (gates · hidden_size,
    hidden_size), `bias_ih` and `bias_hh` (gates · hidden_size), evenly spread in ±1/√hidden_size at first.

    Raises TypeError for sizes that are no whole numbers, ValueError for sizes below 1.
    """  # fmt: skip

    gates: int  # matrices in each of the weights

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, dtype: Any = np.float32) -> None:
        super().__init__()
        check_sizes(type(self).__name__, {"input_size": input_size, "hidden_size": hidden_size})
        check_switches(type(self).__name__, {"bias": bias})
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = self.gates * hidden_size
        self.weight_ih = Parameter(np.empty((rows, input_size), dtype))
        self.weight_hh = Parameter(np.empty((rows, hidden_size), dtype))
        self.bias_ih = Parameter(np.empty(rows, dtype)) if bias else None
        self.bias_hh = Parameter(np.empty(rows, dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        draw_evenly(self, self.hidden_size)

    def step(self, rule: Any, x: Tensor, *states: Tensor | None, **options: Any) -> list[Tensor]:
        """Run the rule of the layer on one step: the states after it."""
        self._check(x, states)
        if x.ndim == 1:
            after = self.step(rule, x.unsqueeze(0), *[s if s is None else s.unsqueeze(0) for s in states], **options)
            return [state.squeeze(0) for state in after]
        made: tuple[Tensor, ...] = rule(
            x.unsqueeze(0), *states, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, **options)
        return list(made[1:])

    def _check(self, x: Any, states: tuple[Any, ...]) -> None:
        """Raise TypeError or ShapeError, in words, for what cannot be read."""
        kind = type(self).__name__
        for name, value in {"the input": x, **dict(zip(("hx", "cx"), states, strict=False))}.items():
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(f"{kind}: {name} is a Tensor, but {type(value).__name__} came.")
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise ShapeError(f"{kind}: the input is (batch, {self.input_size}), or ({self.input_size}) without a "
                             f"batch, but {x.shape} came.")
        check_dtypes(kind, self.weight_ih, [x, *states])
        shape = (*x.shape[:-1], self.hidden_size)
        for state in states:
            if state is not None and state.shape != shape:
                raise ShapeError(f"{kind}: with an input {x.shape}, a state is {shape}, but {state.shape} came.")

    def extra_repr(self) -> str:
        """Say the sizes, and the options that are not the usual ones, as PyTorch does."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(Cell):
    """One step of an RNN: h = tanh(W_ih x + b_ih + W_hh h + b_hh), or max(0, ...) with nonlinearity="relu".

    Raises ValueError for other nonlinearities.

    >>> import chalkgrad as cg
    >>> cell, h = RNNCell(input_size=5, hidden_size=3), cg.zeros(4, 3)
    >>> for x in cg.ones(7, 4, 5):
    ...     h = cell(x, h)
    >>> h.shape
    (4, 3)
    """

    gates = 1

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", dtype: Any = np.float32
    ) -> None:
        check_nonlinearity("RNNCell", nonlinearity)
        super().__init__(input_size, hidden_size, bias, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """input (b, input_size), hx (b, hidden_size) -> h (b, hidden_size); hx is zeros if not given; no b is fine."""
        return self.step(rnn, input, hx, nonlinearity=self.nonlinearity)[0]

    def extra_repr(self) -> str:
        """Say the sizes, and the options that are not the usual ones, as PyTorch does."""
        return super().extra_repr() + ("" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}")


class LSTMCell(Cell):
    """One step of an LSTM: what is told and what is remembered, h and c.

    >>> import chalkgrad as cg
    >>> h, c = LSTMCell(input_size=5, hidden_size=3)(cg.ones(4, 5))
    >>> h.shape, c.shape
    ((4, 3), (4, 3))
    """

    gates = 4

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """input (b, input_size), hx (h, c), each (b, hidden_size) -> h, c; zeros if not given; b may be missing."""
        if hx is not None and not (isinstance(hx, tuple | list) and len(hx) == 2):
            raise TypeError(f"LSTMCell: hx is a pair (h, c), but {type(hx).__name__} came.")
        h, c = self.step(lstm, input, *(hx or (None, None)))
        return h, c


class GRUCell(Cell):
    """One step of a GRU.

    >>> import chalkgrad as cg
    >>> GRUCell(input_size=5, hidden_size=3)(cg.ones(4, 5)).shape
    (4, 3)
    """

    gates = 3

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """input (b, input_size), hx (b, hidden_size) -> h (b, hidden_size); hx is zeros if not given; no b is fine."""
        return self.step(gru, input, hx)[0]

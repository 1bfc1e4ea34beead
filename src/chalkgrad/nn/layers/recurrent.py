"""What the recurrent layers share: weights for each layer and direction, initial states, and the way through them.

A recurrent layer reads a sequence one step at a time, and what it made of the steps so far, its state, is an input of
the next. The derivative follows the same way back, step by step: backpropagation through time (Werbos 1990).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...engine.tape import mode
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ...ops.shape import concatenate, stack, swapaxes
from .. import init
from ..module import Module, Parameter
from .dropout import check, dropout

__all__ = ["Recurrent", "sigmoid"]

WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")  # of each layer and direction, in the order of PyTorch


def sigmoid(z):
    """Open a gate between 0 and 1: 1 / (1 + exp(-z)), by tanh, which cannot overflow and is faster than exp."""
    return 0.5 + 0.5 * np.tanh(0.5 * z)


@contextmanager
def _filed_under(part: str) -> Iterator[None]:
    """Let a tape, if one is running, file what is computed under a part of the module, as if it were one itself."""
    tape = mode.tape
    if tape is None:
        yield
        return
    outer, tape.scope = tape.scope, f"{tape.scope}.{part}".lstrip(".")
    try:
        yield
    finally:
        tape.scope = outer


class Recurrent(Module):
    """Layers of recurrent units over each other; RNN, LSTM and GRU say what a unit is.

    Layer k has `weight_ih_l<k>` (gates · hidden_size, inputs), `weight_hh_l<k>` (gates · hidden_size, hidden_size),
    `bias_ih_l<k>` and `bias_hh_l<k>` (gates · hidden_size), and for reading from the end the same, named ..._reverse.
    The inputs of a layer above the first are the outputs below it, of both directions if there are two. All weights
    start evenly spread in ±1/√hidden_size, as in PyTorch.

    num_layers     layers over each other
    bias           whether there are biases
    batch_first    whether x and y are (batch, time, ...) instead of (time, batch, ...); states stay as they are
    dropout        the probability with which an output is dropped, in training, on its way to the next layer
    bidirectional  whether each layer also reads from the end, by weights of its own; y has both, side by side
    """

    gates: int  # matrices in each of the weights
    states: tuple[str, ...] = ("h_0",)  # what a unit hands to its next step

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int, bias: bool, batch_first: bool, dropout: float,
        bidirectional: bool, dtype: Any,
    ) -> None:
        super().__init__()
        kind = type(self).__name__
        for name, size in {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}.items():
            if not isinstance(size, int | np.integer) or size < 1:
                raise ValueError(f"{kind}: {name} is a whole number from 1, but {size!r} came.")
        check(dropout)
        if dropout > 0 and num_layers == 1:
            warnings.warn(f"{kind}: dropout={dropout} falls between layers, and there is just one.", stacklevel=3)
        self.input_size, self.hidden_size, self.num_layers, self.bias = input_size, hidden_size, num_layers, bias
        self.batch_first, self.dropout, self.bidirectional = batch_first, float(dropout), bidirectional
        for layer in range(num_layers):
            for suffix in self._suffixes(layer):
                self._add_weights(suffix, input_size if layer == 0 else hidden_size * (1 + bidirectional), dtype)
        self.reset_parameters()

    def _add_weights(self, suffix: str, inputs: int, dtype: Any) -> None:
        """Make the parameters of one layer in one direction."""
        rows = self.gates * self.hidden_size
        shapes = [(rows, inputs), (rows, self.hidden_size), *([(rows,), (rows,)] if self.bias else [])]
        for name, shape in zip(WEIGHTS, shapes, strict=False):
            setattr(self, f"{name}_{suffix}", Parameter(np.empty(shape, dtype)))

    def _suffixes(self, layer: int) -> list[str]:
        """What the names of the weights of a layer end in, for each direction."""
        return [f"l{layer}", f"l{layer}_reverse"][: 1 + self.bidirectional]

    def reset_parameters(self) -> None:
        """Draw new weights."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def read(self, x: Tensor, states: Sequence[Any], weights: Sequence[Any], reverse: bool) -> tuple[Tensor, ...]:
        """Run one layer in one direction: x (t, b, inputs), states (b, n) -> y (t, b, n) and the last states (b, n)."""
        raise NotImplementedError(f"{type(self).__name__} has no `read`; a kind of unit says what it does with x.")

    def run(self, x: Tensor, initial: Sequence[Any] | None) -> tuple[Tensor, list[Tensor]]:
        """Run all layers: y, and the last states of all layers and directions, stacked as the initial ones are."""
        self._check(x, initial)
        batched, axis = x.ndim == 3, 0 if self.batch_first else 1
        initial = initial or [None] * len(self.states)
        if not batched:
            x, initial = x.unsqueeze(axis), [state if state is None else state.unsqueeze(1) for state in initial]
        y, last = self._climb(swapaxes(x, 0, 1) if self.batch_first else x, initial)
        y = swapaxes(y, 0, 1) if self.batch_first else y
        return (y, last) if batched else (y.squeeze(axis), [state.squeeze(1) for state in last])

    def _climb(self, x: Tensor, initial: Sequence[Any]) -> tuple[Tensor, list[Tensor]]:
        """Go from layer to layer, each over the outputs of the one below."""
        last: list[tuple[Tensor, ...]] = []
        for layer in range(self.num_layers):
            outputs = []
            for reverse, suffix in enumerate(self._suffixes(layer)):
                weights = [getattr(self, f"{name}_{suffix}", None) for name in WEIGHTS]
                states = [None if state is None else state[len(last)] for state in initial]
                with _filed_under(suffix):
                    y, *ends = self.read(x, states, weights, bool(reverse))
                outputs.append(y)
                last.append(tuple(ends))
            x = concatenate(outputs, axis=-1) if self.bidirectional else outputs[0]
            if layer < self.num_layers - 1:
                x = dropout(x, self.dropout, self.training)
        return x, [stack(ends) for ends in zip(*last, strict=True)]

    def _check(self, x: Any, initial: Sequence[Any] | None) -> None:
        """Raise TypeError or ShapeError, in words, for what cannot be read."""
        kind, order = type(self).__name__, "batch, time" if self.batch_first else "time, batch"
        if not isinstance(x, Tensor):
            raise TypeError(f"{kind}: the input is a Tensor, but {type(x).__name__} came. Packed sequences are not in "
                            "this release; pad the sequences to one length, and leave the padding out of the loss.")
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size:
            raise ShapeError(f"{kind}: the input is ({order}, {self.input_size}), or (time, {self.input_size}) without "
                             f"a batch, but {x.shape} came.")
        sizes = dict(zip(order.split(", ") if x.ndim == 3 else ["time"], x.shape, strict=False))
        if sizes["time"] == 0:
            raise ShapeError(f"{kind}: the input {x.shape} has no time steps; a sequence has at least one.")
        batch = (sizes["batch"],) if x.ndim == 3 else ()
        shape = (self.num_layers * (1 + self.bidirectional), *batch, self.hidden_size)
        for name, state in zip(self.states, initial or (), strict=False):
            if not isinstance(state, Tensor):
                raise TypeError(f"{kind}: {name} is a Tensor, but {type(state).__name__} came.")
            if state.shape != shape:
                raise ShapeError(f"{kind}: {name} is (layers · directions, batch, hidden_size), without the batch if "
                                 f"the input has none: {shape} for an input {x.shape}, but {state.shape} came.")

    def extra_repr(self) -> str:
        """Say the sizes, and the options that are not the usual ones, as PyTorch does."""
        usual = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        others = [f"{n}={getattr(self, n)}" for n, value in usual.items() if getattr(self, n) != value]
        return ", ".join([str(self.input_size), str(self.hidden_size), *others])

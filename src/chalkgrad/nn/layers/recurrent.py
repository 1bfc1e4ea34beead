"""What the recurrent layers share: weights for each layer and direction, initial states, and the way through them.

A recurrent layer reads a sequence one step at a time, and what it made of the steps so far, its state, is an input of
the next. The derivative follows the same way back, step by step: backpropagation through time (Werbos 1990).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from ...engine.tape import mode
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ...ops.shape import concatenate, stack, swapaxes
from ..module import Module, Parameter
from ..utils.rnn import PackedSequence, lay_out, pack
from .dropout import check, drop, dropped
from .making import check_dtypes, check_sizes, check_switches, draw_evenly

__all__ = ["Input", "Recurrent", "WEIGHTS", "awake_at", "sigmoid"]

Input = TypeVar("Input", Tensor, PackedSequence)  # what is read: sequences side by side, or packed
WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def sigmoid(z):
    """Open a gate between 0 and 1: 1 / (1 + exp(-z)), by tanh, which cannot overflow and is faster than exp."""
    return 0.5 + 0.5 * np.tanh(0.5 * z)


def awake_at(lengths, steps):
    """Tell at which of the steps each sequence is still read: (steps, batch).

    >>> awake_at(np.array([2, 1]), steps=2)
    array([[ True,  True],
           [ True, False]])
    """
    return np.arange(steps).reshape(-1, 1) < lengths


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
    weights: tuple[str, ...] = WEIGHTS  # of each layer and direction, in PyTorch's order
    states: tuple[str, ...] = ("h_0",)  # what a unit hands to its next step

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int, bias: bool, batch_first: bool, dropout: float,
        bidirectional: bool, dtype: Any, proj_size: int = 0,
    ) -> None:
        super().__init__()
        kind = type(self).__name__
        check_sizes(kind, {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers})
        if not isinstance(proj_size, int | np.integer) or not 0 <= proj_size < hidden_size:
            raise ValueError(f"{kind}: proj_size is a whole number below hidden_size={hidden_size}, or 0 for no "
                             f"projection, but {proj_size!r} came.")
        check_switches(kind, {"bias": bias, "batch_first": batch_first, "bidirectional": bidirectional})
        check(dropout)
        if dropout > 0 and num_layers == 1:
            warnings.warn(f"{kind}: dropout={dropout} falls between layers, and there is just one.", stacklevel=3)
        self.input_size, self.hidden_size, self.num_layers, self.bias = input_size, hidden_size, num_layers, bias
        self.batch_first, self.dropout, self.bidirectional = batch_first, float(dropout), bidirectional
        self.proj_size, self.directions = proj_size, 1 + bidirectional
        for layer in range(num_layers):
            for suffix in self._suffixes(layer):
                self._add_weights(suffix, self.directions * self._told if layer else input_size, dtype)
        self.reset_parameters()

    @property
    def _told(self) -> int:
        """How many numbers a unit tells at each step."""
        return self.proj_size or self.hidden_size

    def _add_weights(self, suffix: str, inputs: int, dtype: Any) -> None:
        """Make the parameters of one layer in one direction."""
        rows = self.gates * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, inputs), "weight_hh": (rows, self._told)}
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        for name, shape in shapes.items():
            setattr(self, f"{name}_{suffix}", Parameter(np.empty(shape, dtype)))

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        suffixes = [suffix for layer in range(self.num_layers) for suffix in self._suffixes(layer)]
        found = [[getattr(self, f"{name}_{suffix}", None) for name in self.weights] for suffix in suffixes]
        return [[weight for weight in weights if weight is not None] for weights in found]

    def flatten_parameters(self) -> None:
        """Do nothing, as in PyTorch where there is no GPU: code that is written for one calls it."""

    def _suffixes(self, layer: int) -> list[str]:
        """What the names of the weights of a layer end in, for each direction."""
        return [f"l{layer}", f"l{layer}_reverse"][: self.directions]

    def reset_parameters(self) -> None:
        """Draw new weights."""
        draw_evenly(self, self.hidden_size)

    def read(
        self, x: Tensor, states: Sequence[Any], weights: Sequence[Any], lengths: Tensor | None, reverse: bool
    ) -> tuple[Tensor, ...]:
        """Run one layer in one direction: x (t, b, inputs), states (b, n) -> y (t, b, n) and the last states (b, n)."""
        raise NotImplementedError(f"{type(self).__name__} has no `read`; a kind of unit says what it does with x.")

    def run(self, x: Input, initial: Sequence[Any] | None) -> tuple[Input, list[Tensor]]:
        """Run all layers: y, and the last states of all layers and directions, stacked as the initial ones are."""
        self._check(x)
        initial = initial or [None] * len(self.states)
        if isinstance(x, PackedSequence):
            return self._run_packed(x, initial)
        batched, axis = x.ndim == 3, 0 if self.batch_first else 1
        self._check_states(initial, (x.shape[axis],) if batched else (), x.shape)
        if not batched:
            x, initial = x.unsqueeze(axis), [state if state is None else state.unsqueeze(1) for state in initial]
        y, last = self._climb(swapaxes(x, 0, 1) if self.batch_first else x, initial)
        y = swapaxes(y, 0, 1) if self.batch_first else y
        return (y, last) if batched else (y.squeeze(axis), [state.squeeze(1) for state in last])

    def _run_packed(self, packed: PackedSequence, initial: Sequence[Any]) -> tuple[PackedSequence, list[Tensor]]:
        """Run all layers over sequences of different lengths, which are laid out meanwhile, and not read beyond."""
        x, lengths = lay_out(packed.data, packed.batch_sizes)
        self._check_states(initial, lengths.shape, x.shape)
        y, last = self._climb(x, [_ordered(state, packed.sorted_indices) for state in initial], lengths)
        data, _ = pack(y, lengths)
        return packed._replace(data=data), [_ordered(state, packed.unsorted_indices) for state in last]

    def _climb(
        self, x: Tensor, initial: Sequence[Any], lengths: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Go from layer to layer, each over the outputs of the one below."""
        last: list[tuple[Tensor, ...]] = []
        for layer in range(self.num_layers):
            outputs = []
            for reverse, suffix in enumerate(self._suffixes(layer)):
                weights = [getattr(self, f"{name}_{suffix}", None) for name in self.weights]
                states = [None if state is None else state[len(last)] for state in initial]
                with _filed_under(suffix):
                    y, *ends = self.read(x, states, weights, lengths, bool(reverse))
                outputs.append(y)
                last.append(tuple(ends))
            x = concatenate(outputs, axis=-1) if self.bidirectional else outputs[0]
            if layer < self.num_layers - 1 and self.training and self.dropout > 0:
                x = dropped(drop, x, x.shape if lengths is None else None, self.dropout)
        return x, [stack(ends) for ends in zip(*last, strict=True)]

    def _check(self, x: Any) -> None:
        """Raise TypeError or ShapeError, in words, for what cannot be read."""
        kind, order = type(self).__name__, "batch, time" if self.batch_first else "time, batch"
        if not isinstance(x, Tensor | PackedSequence):
            raise TypeError(f"{kind}: the input is a Tensor or a PackedSequence, but {type(x).__name__} came.")
        check_dtypes(kind, self.weight_ih_l0, [x.data if isinstance(x, PackedSequence) else x])
        if isinstance(x, PackedSequence):
            if x.data.ndim != 2 or x.data.shape[1] != self.input_size:
                raise ShapeError(f"{kind}: packed sequences hold steps of {self.input_size} numbers, (steps, "
                                 f"{self.input_size}), but their data is {x.data.shape}.")
            return
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size:
            raise ShapeError(f"{kind}: the input is ({order}, {self.input_size}), or (time, {self.input_size}) without "
                             f"a batch, but {x.shape} came.")
        if x.shape[1 if self.batch_first and x.ndim == 3 else 0] == 0:
            raise ShapeError(f"{kind}: the input {x.shape} has no time steps; a sequence has at least one.")

    def _check_states(self, initial: Sequence[Any], batch: tuple[int, ...], came: tuple[int, ...]) -> None:
        """Raise TypeError or ShapeError, in words, for states that no unit can start from."""
        kind, told = type(self).__name__, "proj_size" if self.proj_size else "hidden_size"
        for name, size, state in zip(self.states, (told, "hidden_size"), initial, strict=False):
            shape = (self.num_layers * self.directions, *batch, getattr(self, size))
            if state is not None and not isinstance(state, Tensor):
                raise TypeError(f"{kind}: {name} is a Tensor, but {type(state).__name__} came.")
            if state is not None and state.shape != shape:
                raise ShapeError(f"{kind}: {name} is (layers · directions, batch, {size}), without the batch if the "
                                 f"input has none: {shape} for an input {came}, but {state.shape} came.")
        check_dtypes(kind, self.weight_ih_l0, initial)

    def extra_repr(self) -> str:
        """Say the sizes, and the options that are not the usual ones, as PyTorch does."""
        usual = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0,
                 "bidirectional": False}  # fmt: skip
        others = [f"{n}={getattr(self, n)}" for n, value in usual.items() if getattr(self, n) != value]
        return ", ".join([str(self.input_size), str(self.hidden_size), *others])


def _ordered(state: Tensor | None, order: Tensor | None) -> Any:
    """Put the sequences of states (layers, b, n) in order."""
    return state if state is None or order is None else state[:, order]
